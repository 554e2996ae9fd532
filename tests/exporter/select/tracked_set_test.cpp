// The rules by which tags become members, stay and go, value by value.
#include "exporter/select/tracked_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "tests/exporter/select/snapshots.h"

namespace kmem::select {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

config::Tags few_tags(std::size_t top_bytes, std::size_t cap) {
  config::Tags tags;
  tags.top_bytes = top_bytes;
  tags.top_outstanding = tags.top_growth = 0;
  tags.max_exported = cap;
  tags.max_tracked = 64;
  tags.dwell = std::chrono::hours(4 * 24);
  return tags;
}

TEST(TrackedSet, TakesTheTopByBytesAndByOutstandingOfEachPoolAndSumsTheRest) {
  config::Tags tags = few_tags(2, 10);
  tags.top_outstanding = 1;
  TrackedSet set(tags, {});
  const Selection selection =
      tick(set, snapshot_at(0, {tag_usage(Pool::kPaged, "AAAA", 100, 5), tag_usage(Pool::kPaged, "BBBB", 300, 7),
                                tag_usage(Pool::kPaged, "CCCC", 200, 1), tag_usage(Pool::kPaged, "DDDD", 50, 900),
                                tag_usage(Pool::kNonpaged, "AAAA", 10, 2)}));
  EXPECT_THAT(member_tags(selection, Pool::kPaged), ElementsAre("BBBB", "DDDD", "CCCC"));
  EXPECT_THAT(member_tags(selection, Pool::kNonpaged), ElementsAre("AAAA"));
  const PoolSelection* paged = find_pool(selection, Pool::kPaged);
  ASSERT_NE(paged, nullptr);
  EXPECT_EQ(paged->live_tags, 4U);
  EXPECT_EQ(paged->other_bytes, 100U);
  EXPECT_EQ(paged->other_outstanding, 5U);
  EXPECT_EQ(find_pool(selection, Pool::kNonpaged)->other_bytes, 0U);
  const Member* member = find_member(selection, Pool::kPaged, "DDDD");
  EXPECT_EQ(member->bytes, 50U);
  EXPECT_EQ(member->outstanding, 900U);
  EXPECT_EQ(member->key, tag_key(Pool::kPaged, "DDDD"));
  EXPECT_TRUE(member->present);
}

TEST(TrackedSet, MoreRanksThanTagsIsAllTags) {
  TrackedSet set(config::Tags{}, {});
  const Selection selection = tick(set, snapshot_at(0, falling_tags(Pool::kPaged, 3)));
  EXPECT_THAT(member_tags(selection, Pool::kPaged), ElementsAre("t0000", "t0001", "t0002"));
  EXPECT_EQ(find_pool(selection, Pool::kPaged)->other_bytes, 0U);
}

TEST(TrackedSet, WhereTheBoundLeavesFewSeatsTheHeadsAreThereBytesFillTheRestAndASuspectGoesFirst) {
  config::SeriesBudget budget;
  budget.series = 120 + 2 * TagShares::kSpare;
  budget.a_tag = 4;
  budget.a_suspect = 8;
  TrackedSet set(config::Tags{}, {}, budget);
  Snapshot snapshot = snapshot_at(0, falling_tags(Pool::kPaged, 100));
  for (std::size_t i = 0; i < snapshot.tags.size(); ++i) snapshot.tags[i].outstanding = i + 1;
  // Of 30 seats 10 are of those with most allocations, and 5 wait for growth.
  const auto before = member_tags(tick(set, snapshot), Pool::kPaged);
  EXPECT_EQ(before.size(), 25U);
  for (const char* tag : {"t0000", "t0014", "t0090", "t0099"}) EXPECT_THAT(before, testing::Contains(tag));
  EXPECT_THAT(before, testing::Not(testing::Contains("t0015")));

  // Other series come: 40 take ten seats, and the weakest go. They do not come back with those.
  const auto told = [&](std::size_t beside, const std::vector<TagId>& suspects) {
    snapshot.time += kHour;
    set.update(snapshot, suspects, untold_boot(snapshot), beside);
    Selection selection;
    set.fill(snapshot, selection);
    return member_tags(selection, Pool::kPaged);
  };
  EXPECT_EQ(told(0, {}), before);
  const auto fewer = told(40, {});
  EXPECT_EQ(fewer.size(), 20U);
  for (const std::string& tag : fewer) EXPECT_THAT(before, testing::Contains(tag));
  EXPECT_EQ(told(0, {}), fewer);
  const auto suspect = told(0, {{Pool::kPaged, "t0050"}});
  EXPECT_THAT(suspect, testing::Contains("t0050"));
  EXPECT_LE(4 * suspect.size() + 8, 80U);
}

TEST(TrackedSet, NothingIsNoRank) {
  TrackedSet set(config::Tags{}, {});
  const Selection selection =
      tick(set, snapshot_at(0, {tag_usage(Pool::kPaged, "Used", 1, 1), tag_usage(Pool::kPaged, "None", 0, 0)}));
  EXPECT_THAT(member_tags(selection, Pool::kPaged), ElementsAre("Used"));
}

TEST(TrackedSet, TagsThatShareAKeyOrTheirFirstFourBytesAreNotConfused) {
  Snapshot snapshot = snapshot_at(0, {tag_usage(Pool::kPaged, "kmalloc-64", 10), tag_usage(Pool::kPaged, "kmalloc-96", 20),
                                      tag_usage(Pool::kPaged, "Twin", 40)});
  snapshot.tags[2].key = snapshot.tags[0].key;
  TrackedSet set(few_tags(3, 3), {});
  (void)tick(set, snapshot);
  std::swap(snapshot.tags[0], snapshot.tags[2]);
  const Selection selection = tick(set, snapshot);
  EXPECT_EQ(find_member(selection, Pool::kPaged, "kmalloc-64")->bytes, 10U);
  EXPECT_EQ(find_member(selection, Pool::kPaged, "kmalloc-96")->bytes, 20U);
  EXPECT_EQ(find_member(selection, Pool::kPaged, "Twin")->bytes, 40U);
}

TEST(TrackedSet, AnUnknownIncludeIsNobodyUntilItAppears) {
  config::Tags tags = few_tags(3, 3);
  tags.include = {"Mine", "nonpaged/Only", "mm/slub.c:f"};
  TrackedSet set(tags, {});
  std::vector<TagUsage> rows = falling_tags(Pool::kPaged, 5);
  EXPECT_THAT(member_tags(tick(set, snapshot_at(0, rows)), Pool::kPaged), ElementsAre("t0000", "t0001", "t0002"));

  // All are in rank; the weakest rank has to go at once.
  rows.push_back(tag_usage(Pool::kPaged, "Mine", 8));
  rows.push_back(tag_usage(Pool::kPaged, "Only", 8));
  Selection selection = tick(set, snapshot_at(kMinute, rows));
  EXPECT_THAT(member_tags(selection, Pool::kPaged), ElementsAre("t0000", "t0001", "Mine"));
  EXPECT_EQ(find_pool(selection, Pool::kPaged)->evictions_total, 1U);

  rows.push_back(tag_usage(Pool::kPaged, "mm/slub.c:f", 8));
  selection = tick(set, snapshot_at(2 * kMinute, rows));
  EXPECT_THAT(member_tags(selection, Pool::kPaged), ElementsAre("t0000", "Mine", "mm/slub.c:f"));
}

TEST(TrackedSet, AnIncludedTagStaysThoughAbsentForLongerThanTheDwell) {
  config::Tags tags = few_tags(1, 3);
  tags.include = {"Mine"};
  TrackedSet set(tags, {});
  (void)tick(set, snapshot_at(0, {tag_usage(Pool::kPaged, "Big", 100), tag_usage(Pool::kPaged, "Mine", 8)}));
  for (int day = 1; day < 20; ++day) {
    const Selection selection = tick(set, snapshot_at(day * kDay, {tag_usage(Pool::kPaged, "Big", 100)}));
    ASSERT_NE(find_member(selection, Pool::kPaged, "Mine"), nullptr) << day;
    EXPECT_EQ(find_member(selection, Pool::kPaged, "Mine")->bytes, 0U);
  }
}

TEST(TrackedSet, ASuspectIsInAtOnceButNotInTheSeatOfAnIncludedOrSuspectTag) {
  config::Tags tags = few_tags(2, 2);
  tags.include = {"t0004"};
  TrackedSet set(tags, {});
  const auto rows = falling_tags(Pool::kPaged, 6);
  EXPECT_THAT(member_tags(tick(set, snapshot_at(0, rows)), Pool::kPaged), ElementsAre("t0004", "t0000"));
  Selection selection = tick(set, snapshot_at(kMinute, rows), {{Pool::kPaged, "t0005"}});
  EXPECT_THAT(member_tags(selection, Pool::kPaged), ElementsAre("t0004", "t0005"));
  selection =
      tick(set, snapshot_at(2 * kMinute, rows), {{Pool::kPaged, "t0005"}, {Pool::kPaged, "t0003"}, {Pool::kNonpaged, "t0002"}});
  EXPECT_THAT(member_tags(selection, Pool::kPaged), ElementsAre("t0004", "t0005"));
  EXPECT_EQ(find_pool(selection, Pool::kPaged)->evictions_total, 1U);
}

TEST(TrackedSet, AMemberStaysWithinTwiceItsRankForEverAndOutsideForTheDwell) {
  TrackedSet set(few_tags(2, 10), {});
  std::vector<TagUsage> rows = falling_tags(Pool::kPaged, 6);
  (void)tick(set, snapshot_at(0, rows));
  const auto member = [&](base::UnixMillis time, const char* tag) {
    return find_member(tick(set, snapshot_at(time, rows)), Pool::kPaged, tag) != nullptr;
  };
  rows[1].bytes = rows[3].bytes + 1;  // rank 4 of 4
  for (int day = 1; day <= 30; ++day) ASSERT_TRUE(member(day * kDay, "t0001")) << day;
  rows[1].bytes = 1;  // out of all ranks, last held on day 30
  EXPECT_TRUE(member(31 * kDay, "t0001"));
  EXPECT_TRUE(member(34 * kDay - 1, "t0001"));
  EXPECT_FALSE(member(34 * kDay, "t0001"));
  // Its place was free, so that nobody had to be evicted.
  Selection selection;
  set.fill(snapshot_at(34 * kDay, rows), selection);
  EXPECT_EQ(find_pool(selection, Pool::kPaged)->evictions_total, 0U);
}

TEST(TrackedSet, AnAbsentMemberIsZeroAndKeepsItsCounters) {
  TrackedSet set(few_tags(2, 4), {});
  std::vector<TagUsage> rows = falling_tags(Pool::kPaged, 2);
  rows[1].counter_bits = 32;
  rows[1].allocations = 70;
  rows[1].frees = 60;
  (void)tick(set, snapshot_at(0, rows));
  rows.pop_back();
  Selection selection;
  set.fill(snapshot_at(kMinute, rows), selection);
  const Member* member = find_member(selection, Pool::kPaged, "t0001");
  ASSERT_NE(member, nullptr);
  EXPECT_FALSE(member->present);
  EXPECT_EQ(member->bytes, 0U);
  EXPECT_EQ(member->outstanding, 0U);
  EXPECT_EQ(member->allocations_total, 70U);
  EXPECT_EQ(member->frees_total, 60U);
}

TEST(TrackedSet, APoolWithoutAnyTagWasNotReadAndKeepsItsMembersInSilence) {
  TrackedSet set(few_tags(2, 2), {});
  const auto rows = falling_tags(Pool::kPaged, 2);
  (void)tick(set, snapshot_at(0, rows));
  Snapshot failed = snapshot_at(300 * kDay);
  failed.pools = {
      {.pool = Pool::kPaged, .bytes = 7, .resident_bytes = {}, .allocations = {}, .frees = {}, .lookaside_hits = {}}};
  const Selection selection = tick(set, failed);
  EXPECT_THAT(selection.members, IsEmpty());
  ASSERT_NE(find_pool(selection, Pool::kPaged), nullptr);
  EXPECT_EQ(find_pool(selection, Pool::kPaged)->live_tags, 0U);
  EXPECT_THAT(member_tags(tick(set, snapshot_at(300 * kDay + kMinute, rows)), Pool::kPaged), ElementsAre("t0000", "t0001"));
}

TEST(TrackedSet, FillChangesNoMembership) {
  TrackedSet set(few_tags(1, 5), {});
  std::vector<TagUsage> rows = falling_tags(Pool::kPaged, 2);
  (void)tick(set, snapshot_at(0, rows));
  rows[1].bytes = kMiB * 1024;
  Selection selection;
  set.fill(snapshot_at(kMinute, rows), selection);
  EXPECT_THAT(member_tags(selection, Pool::kPaged), ElementsAre("t0000"));
  EXPECT_EQ(find_pool(selection, Pool::kPaged)->other_bytes, 1024 * kMiB);
  EXPECT_THAT(member_tags(tick(set, snapshot_at(kMinute, rows)), Pool::kPaged), ElementsAre("t0000", "t0001"));
}

TEST(TrackedSet, AFullPoolMakesNewcomersWaitADayForAMemberThatWasOutForADay) {
  TrackedSet set(few_tags(2, 2), {});
  std::vector<TagUsage> rows = falling_tags(Pool::kPaged, 8, 10 * kMiB);
  (void)tick(set, snapshot_at(0, rows));
  rows[6].bytes = 20 * kMiB;  // in rank from hour 1 on
  rows[7].bytes = 19 * kMiB;
  const auto members_at = [&](base::UnixMillis time) { return member_tags(tick(set, snapshot_at(time, rows)), Pool::kPaged); };
  EXPECT_THAT(members_at(kHour), ElementsAre("t0000", "t0001"));
  EXPECT_THAT(members_at(48 * kHour), ElementsAre("t0000", "t0001")) << "both are within twice the rank still";
  rows[1].bytes = 1;  // out from hour 49 on, last held at hour 48
  EXPECT_THAT(members_at(49 * kHour), ElementsAre("t0000", "t0001"));
  EXPECT_THAT(members_at(72 * kHour - 1), ElementsAre("t0000", "t0001"));
  EXPECT_THAT(members_at(72 * kHour), ElementsAre("t0000", "t0006"));
  // A burst of some hours never gets there.
  rows[0].bytes = 1;
  EXPECT_THAT(members_at(90 * kHour), ElementsAre("t0000", "t0006"));
  rows[7].bytes = 1;
  rows[5].bytes = 30 * kMiB;
  EXPECT_THAT(members_at(99 * kHour), ElementsAre("t0000", "t0006")) << "t0005 is new, t0007 has left";
}

TEST(TrackedSet, AtMostTwiceTheCapOfDistinctTagsInFiftySixDaysUnlessForced) {
  TrackedSet set(few_tags(3, 3), {});
  std::vector<TagUsage> rows = falling_tags(Pool::kPaged, 60, 10 * kMiB);
  std::set<std::string> distinct;
  for (int day = 0; day < 56; ++day) {
    for (TagUsage& usage : rows) usage.bytes = 1;
    for (int i = 0; i < 3; ++i) rows[static_cast<std::size_t>(day / 3 * 3 + i)].bytes = kMiB;  // other leaders every 3 days
    for (const auto& tag : member_tags(tick(set, snapshot_at(day * kDay, rows)), Pool::kPaged)) distinct.insert(tag);
  }
  EXPECT_EQ(distinct.size(), 6U);
  const Selection forced = tick(set, snapshot_at(56 * kDay - 1, rows), {{Pool::kPaged, "t0059"}});
  EXPECT_NE(find_member(forced, Pool::kPaged, "t0059"), nullptr);
}

TEST(TrackedSet, ASlowLeakIsInByGrowthFromTheThirdDayWhileStillSmall) {
  config::Tags tags = few_tags(2, 6);
  tags.top_growth = 1;
  TrackedSet set(tags, {});
  std::vector<TagUsage> rows = falling_tags(Pool::kPaged, 30);
  rows.push_back(tag_usage(Pool::kPaged, "Leak", 0));
  rows.push_back(tag_usage(Pool::kPaged, "Tiny", 0));
  std::optional<base::UnixMillis> since;
  for (base::UnixMillis time = 0; time < 4 * kDay && !since; time += kHour) {
    // A large tag swings by 40 MiB a day; a small one gains less than counts.
    rows[5].bytes = 50 * kMiB + static_cast<std::uint64_t>(time % kDay / kHour) * 2 * kMiB;
    rows[30].bytes = 1 + static_cast<std::uint64_t>(time / kHour) * 3 * kKiB;
    rows[31].bytes = 1 + static_cast<std::uint64_t>(time / kHour) * kKiB / 2;
    const Selection selection = tick(set, snapshot_at(time, rows));
    if (find_member(selection, Pool::kPaged, "Leak") != nullptr) since = time;
    EXPECT_EQ(find_member(selection, Pool::kPaged, "t0005"), nullptr);
    EXPECT_EQ(find_member(selection, Pool::kPaged, "Tiny"), nullptr);
  }
  EXPECT_EQ(since, 2 * kDay);  // 72 KiB on yesterday's floor
}

TEST(TrackedSet, CountersAreWidenedOverWrapsAndRestartWithTheMachine) {
  TrackedSet set(few_tags(3, 3), {});
  Snapshot snapshot = snapshot_at(0, falling_tags(Pool::kPaged, 3));
  snapshot.boot_time = -kDay;
  snapshot.tags[0].counter_bits = 32;
  snapshot.tags[1].counter_bits = 64;
  snapshot.tags[1].allocations = std::uint64_t{1} << 40;
  snapshot.pools.resize(1);
  const auto read = [&](std::uint32_t raw, base::UnixMillis boot_jitter) {
    snapshot.time += kMinute;
    snapshot.tags[0].allocations = raw;
    snapshot.tags[0].frees = raw / 2;
    snapshot.pools[0].allocations = raw;
    snapshot.boot_time = *snapshot.boot_time + boot_jitter;
    return tick(set, snapshot);
  };
  (void)read(4'000'000'000U, 0);
  Selection selection = read(100U, 1'000);
  const Member* member = &selection.members[0];
  EXPECT_EQ(member->allocations_total, (std::uint64_t{1} << 32) + 100);
  EXPECT_EQ(member->frees_total, 2'000'000'000U) << "a step back of more than half the range is held";
  EXPECT_EQ(selection.members[1].allocations_total, std::uint64_t{1} << 40);
  EXPECT_EQ(selection.members[1].frees_total, 0U);
  EXPECT_EQ(selection.members[2].allocations_total, std::nullopt);
  EXPECT_EQ(selection.pools[0].allocations_total, (std::uint64_t{1} << 32) + 100);
  EXPECT_EQ(selection.pools[0].frees_total, std::nullopt);

  selection = read(50U, 2 * kHour);
  EXPECT_EQ(selection.members[0].allocations_total, 50U);
  EXPECT_EQ(selection.members[0].frees_total, 25U);
  EXPECT_EQ(selection.pools[0].allocations_total, 50U);
}

TEST(TrackedSet, AMemberThatSleptThroughARebootRestartsWhenItReturns) {
  TrackedSet set(few_tags(2, 2), {});
  Snapshot snapshot = snapshot_at(0, falling_tags(Pool::kPaged, 2));
  snapshot.boot_time = 0;
  snapshot.tags[1].counter_bits = 32;
  snapshot.tags[1].allocations = 900;
  (void)tick(set, snapshot);
  Snapshot without = snapshot_at(kHour, falling_tags(Pool::kPaged, 1));
  without.boot_time = kHour;
  EXPECT_EQ(tick(set, without).members[1].allocations_total, 900U);
  TrackedSet reloaded(few_tags(2, 2), {});
  ASSERT_TRUE(reloaded.load(set.save()));
  snapshot.boot_time = kHour;
  snapshot.tags[1].allocations = 1'000;
  for (TrackedSet* each : {&set, &reloaded}) EXPECT_EQ(tick(*each, snapshot).members[1].allocations_total, 1'000U);
  snapshot.tags[1].allocations = 1'001;
  EXPECT_EQ(tick(set, snapshot).members[1].allocations_total, 1'001U);
}

TEST(TrackedSet, CountersCanBeOff) {
  config::Tags tags = few_tags(1, 1);
  tags.counters = false;
  TrackedSet set(tags, {});
  Snapshot snapshot = snapshot_at(0, falling_tags(Pool::kPaged, 1));
  snapshot.tags[0].counter_bits = 32;
  EXPECT_EQ(tick(set, snapshot).members[0].allocations_total, std::nullopt);
}

TEST(TrackedSet, KeepsTheMostFreePtesSinceBoot) {
  TrackedSet set(config::Tags{}, {});
  Boots boots;
  const auto read = [&](base::UnixMillis boot_time, std::optional<std::uint64_t> ptes) {
    Snapshot snapshot = snapshot_at(boot_time + kHour);
    snapshot.boot_time = boot_time;
    snapshot.system_ptes_free = ptes;
    Selection selection;
    set.fill(snapshot, selection, boots.note(snapshot));
    return selection.system_ptes_free_boot_max;
  };
  EXPECT_EQ(read(0, std::nullopt), std::nullopt);
  EXPECT_EQ(read(0, 50'000), 50'000U);
  EXPECT_EQ(read(1'000, 60'000), 60'000U);
  EXPECT_EQ(read(-29'000 + 1'000, 40'000), 60'000U);
  EXPECT_EQ(read(kDay, 20'000), 20'000U);
}

TEST(TrackedSet, SumsSaturateInsteadOfWrapping) {
  TrackedSet set(few_tags(1, 1), {});
  const Selection selection =
      tick(set, snapshot_at(0, {tag_usage(Pool::kVmalloc, "a", kMax, kMax), tag_usage(Pool::kVmalloc, "b", kMax - 1, kMax - 1),
                                tag_usage(Pool::kVmalloc, "c", 2, 2)}));
  EXPECT_EQ(selection.members[0].bytes, kMax);
  EXPECT_EQ(selection.pools[0].other_bytes, kMax);
  EXPECT_EQ(selection.pools[0].other_outstanding, kMax);
}

TEST(TrackedSet, AFullTableForgetsTheLongestDeadFirstAndThenRefusesTheSmallestNewcomers) {
  config::Tags tags = few_tags(2, 2);
  TrackedSet set(tags, {});
  const auto rows = falling_tags(Pool::kPaged, 64);
  (void)tick(set, snapshot_at(0, rows));
  EXPECT_EQ(set.tracking().tracked, 64U);

  // t0040 dies first, then t0050: two places for three newcomers without a rank.
  std::vector<TagUsage> fewer = rows;
  fewer.erase(fewer.begin() + 40);
  (void)tick(set, snapshot_at(kMinute, fewer));
  fewer.erase(fewer.begin() + 49);
  fewer.push_back(tag_usage(Pool::kPaged, "new1", 100));
  (void)tick(set, snapshot_at(2 * kMinute, fewer));
  EXPECT_EQ(set.tracking().forgotten_total, 1U);
  EXPECT_EQ(set.tracking().untracked, 0U);
  fewer.push_back(tag_usage(Pool::kPaged, "new2", 20));
  fewer.push_back(tag_usage(Pool::kPaged, "new3", 30));
  Selection selection = tick(set, snapshot_at(3 * kMinute, fewer));
  EXPECT_EQ(set.tracking().forgotten_total, 2U);
  EXPECT_EQ(set.tracking().untracked, 1U);
  EXPECT_EQ(find_pool(selection, Pool::kPaged)->live_tags, 65U);

  // One with a rank takes the place of the smallest, which then is refused; so does a suspect.
  fewer.push_back(tag_usage(Pool::kPaged, "huge", 1'000 * kMiB));
  selection = tick(set, snapshot_at(4 * kMinute, fewer));
  EXPECT_EQ(set.tracking().forgotten_total, 3U);
  EXPECT_EQ(set.tracking().untracked, 2U);
  selection = tick(set, snapshot_at(5 * kMinute, fewer), {{Pool::kPaged, "new2"}});
  EXPECT_NE(find_member(selection, Pool::kPaged, "new2"), nullptr);
  EXPECT_EQ(set.tracking().tracked, 64U);
  EXPECT_EQ(set.tracking().untracked, 2U);
}

TEST(TrackedSet, AllExportsEveryLiveTagUpToTheTable) {
  config::Tags tags = few_tags(2, 2);
  tags.all = true;
  TrackedSet set(tags, {});
  std::vector<TagUsage> rows = falling_tags(Pool::kPaged, 40);
  const auto nonpaged = falling_tags(Pool::kNonpaged, 20);
  rows.insert(rows.end(), nonpaged.begin(), nonpaged.end());
  Selection selection = tick(set, snapshot_at(0, rows));
  ASSERT_EQ(selection.members.size(), 60U);
  const auto before = member_tags(selection, Pool::kPaged);

  // Six more for four places: the two smallest stay outside, and the order of the others does not move.
  for (int i = 0; i < 6; ++i)
    rows.push_back(tag_usage(Pool::kPaged, std::string("more").append(std::to_string(i)), 10U + static_cast<unsigned>(i)));
  std::reverse(rows.begin(), rows.end());
  selection = tick(set, snapshot_at(kMinute, rows));
  ASSERT_EQ(selection.members.size(), 64U);
  auto after = member_tags(selection, Pool::kPaged);
  EXPECT_EQ(find_pool(selection, Pool::kPaged)->other_bytes, 10U + 11U);
  after.resize(before.size());
  EXPECT_EQ(after, before);

  // A dead one gives its place to a newcomer, counted, once the table is full.
  rows.pop_back();
  selection = tick(set, snapshot_at(2 * kMinute, rows));
  EXPECT_EQ(selection.members.size(), 64U);
  EXPECT_EQ(find_pool(selection, Pool::kPaged)->evictions_total, 1U);
  EXPECT_EQ(find_member(selection, Pool::kPaged, "t0000"), nullptr);
  EXPECT_EQ(find_pool(selection, Pool::kPaged)->other_bytes, 10U);
}

TEST(TrackedSet, AClockThatWasWrongForAWhileLeavesNoTrace) {
  TrackedSet set(few_tags(2, 4), {});
  std::vector<TagUsage> rows = falling_tags(Pool::kPaged, 6);
  (void)tick(set, snapshot_at(0, rows));
  (void)tick(set, snapshot_at(3'650 * kDay, rows));
  rows[1].bytes = 1;
  // Back again: the dwell runs by the right clock.
  EXPECT_NE(find_member(tick(set, snapshot_at(kDay, rows)), Pool::kPaged, "t0001"), nullptr);
  EXPECT_NE(find_member(tick(set, snapshot_at(5 * kDay - 1, rows)), Pool::kPaged, "t0001"), nullptr);
  EXPECT_EQ(find_member(tick(set, snapshot_at(5 * kDay, rows)), Pool::kPaged, "t0001"), nullptr);
}

/// The boot time moves with the clock, which tells by how much it was set: a dwell of 4 days stays 4 days.
TEST(TrackedSet, AClockThatIsSetForwardOrBackSendsNobodyOffBeforeTheTime) {
  for (const base::UnixMillis set_by : {3 * kHour, -3 * kHour, 30 * kDay, -30 * kDay}) {
    TrackedSet set(few_tags(2, 4), {});
    std::vector<TagUsage> rows = falling_tags(Pool::kPaged, 6);
    base::UnixMillis off = 0;
    const auto is_member = [&](base::UnixMillis uptime) {
      Snapshot snapshot = snapshot_at(100 * kDay + uptime + off, rows);
      snapshot.boot_time = 100 * kDay + off;
      return find_member(tick(set, snapshot), Pool::kPaged, "t0001") != nullptr;
    };
    EXPECT_TRUE(is_member(kDay));
    rows[1].bytes = 1;
    EXPECT_TRUE(is_member(2 * kDay));
    off = set_by;
    EXPECT_TRUE(is_member(2 * kDay + kMinute)) << set_by / kHour;
    EXPECT_TRUE(is_member(5 * kDay - 1)) << set_by / kHour;
    EXPECT_FALSE(is_member(5 * kDay)) << set_by / kHour;
  }
}

TEST(TrackedSet, ExtremeTimesAreTakenAsTheyAre) {
  TrackedSet set(few_tags(2, 2), {});
  const auto rows = falling_tags(Pool::kPaged, 3);
  for (const base::UnixMillis time : {std::numeric_limits<base::UnixMillis>::max(), base::UnixMillis{0},
                                      std::numeric_limits<base::UnixMillis>::min(), base::UnixMillis{1}}) {
    Snapshot snapshot = snapshot_at(time, rows);
    snapshot.boot_time = time;
    EXPECT_EQ(tick(set, snapshot).members.size(), 2U) << time;
    TrackedSet reloaded(few_tags(2, 2), {});
    EXPECT_TRUE(reloaded.load(set.save())) << time;
  }
}

}  // namespace
}  // namespace kmem::select
