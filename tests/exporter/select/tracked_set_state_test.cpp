// What survives a restart, and what a damaged payload does: nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/base/wire.h"
#include "exporter/select/tracked_set.h"
#include "tests/exporter/select/snapshots.h"

namespace kmem::select {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

config::Tags small_config(std::size_t top, std::size_t cap) {
  config::Tags tags;
  tags.top_bytes = tags.top_outstanding = tags.top_growth = top;
  tags.max_exported = cap;
  return tags;
}

Snapshot rich_snapshot(base::UnixMillis time) {
  Snapshot snapshot = snapshot_at(time, falling_tags(Pool::kPaged, 12));
  for (TagUsage& usage : falling_tags(Pool::kNonpaged, 12)) snapshot.tags.push_back(usage);
  for (TagUsage& usage : snapshot.tags) {
    usage.counter_bits = 32;
    usage.allocations = static_cast<std::uint32_t>(4'294'000'000U + static_cast<std::uint64_t>(time / kHour) * 100'000);
    usage.frees = usage.allocations / 2;
  }
  snapshot.pools = {
      {.pool = Pool::kPaged, .bytes = 1, .resident_bytes = {}, .allocations = 5, .frees = 4, .lookaside_hits = 3}};
  snapshot.boot_time = -kDay;
  snapshot.system_ptes_free = static_cast<std::uint64_t>(100'000 - time / kHour);
  return snapshot;
}

TEST(TrackedSetState, ARestartKeepsMembersOrderCountersEvictionsAndThePteMaximum) {
  TrackedSet set(small_config(2, 3), {});
  Boots boots;
  for (int hour = 0; hour < 20; ++hour) {
    const Snapshot snapshot = rich_snapshot(hour * kHour);
    const std::vector<TagId> suspects = {{Pool::kPaged, hour < 9 ? "t0010" : "t0011"}};
    set.update(snapshot, suspects, boots.note(snapshot));
  }
  TrackedSet reloaded(small_config(2, 3), {});
  ASSERT_TRUE(reloaded.load(set.save()));
  Boots later;
  later.resume(reloaded.kept_boot(), reloaded.kept_system_ptes_max());

  const Snapshot next = rich_snapshot(20 * kHour);
  Selection expected, got;
  set.fill(next, expected, boots.note(next));
  reloaded.fill(next, got, later.note(next));
  EXPECT_THAT(member_tags(got, Pool::kPaged), ElementsAre("t0010", "t0000", "t0011"));
  ASSERT_EQ(got.members.size(), expected.members.size());
  for (std::size_t i = 0; i < got.members.size(); ++i) {
    EXPECT_EQ(got.members[i].tag, expected.members[i].tag);
    EXPECT_EQ(got.members[i].allocations_total, expected.members[i].allocations_total);
    EXPECT_EQ(got.members[i].frees_total, expected.members[i].frees_total);
  }
  EXPECT_EQ(got.members[0].allocations_total, 4'296'000'000U) << "one wrap ago";
  EXPECT_EQ(got.pools[0].evictions_total, expected.pools[0].evictions_total);
  EXPECT_EQ(got.pools[0].evictions_total, 1U);
  EXPECT_EQ(got.system_ptes_free_boot_max, 100'000U);
}

TEST(TrackedSetState, SavingIsReproducible) {
  TrackedSet set(config::Tags{}, {});
  for (int day = 0; day < 10; ++day) (void)tick(set, rich_snapshot(day * kDay));
  const std::string saved = set.save();
  TrackedSet reloaded(config::Tags{}, {});
  ASSERT_TRUE(reloaded.load(saved));
  EXPECT_EQ(reloaded.save(), saved);
}

TEST(TrackedSetState, AnEmptySetIsAStateToo) {
  const TrackedSet set(config::Tags{}, {});
  TrackedSet reloaded(config::Tags{}, {});
  EXPECT_TRUE(reloaded.load(set.save()));
  EXPECT_EQ(reloaded.tracking().tracked, 0U);
}

TEST(TrackedSetState, EveryTruncationAndEveryByteTooManyIsAnErrorAndLeavesAFreshSet) {
  TrackedSet set(small_config(2, 3), {});
  for (int day = 0; day < 4; ++day) (void)tick(set, rich_snapshot(day * kDay));
  const std::string saved = set.save();
  TrackedSet victim(small_config(2, 3), {});
  for (std::size_t length = 0; length < saved.size(); ++length) {
    ASSERT_TRUE(victim.load(saved));
    const auto loaded = victim.load(std::string_view(saved).substr(0, length));
    ASSERT_FALSE(loaded) << length;
    EXPECT_EQ(loaded.error().code, base::ErrorCode::kMalformed);
    ASSERT_EQ(victim.tracking().tracked, 0U);
  }
  const auto loaded = victim.load(saved + "x");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("1 bytes too many from byte " + std::to_string(saved.size())));
  const Selection fresh = tick(victim, rich_snapshot(0));
  TrackedSet other(small_config(2, 3), {});
  EXPECT_EQ(member_tags(fresh, Pool::kPaged), member_tags(tick(other, rich_snapshot(0)), Pool::kPaged));
  EXPECT_EQ(fresh.pools[0].evictions_total, 0U);
}

TEST(TrackedSetState, AnyFlippedBitIsRefusedOrGivesASetThatKeepsItsBounds) {
  TrackedSet set(small_config(2, 3), {});
  for (int day = 0; day < 3; ++day) (void)tick(set, rich_snapshot(day * kDay));
  const std::string saved = set.save();
  const Snapshot next = rich_snapshot(3 * kDay);
  std::uint64_t total = 0;
  for (const TagUsage& usage : next.tags) total += usage.bytes;
  for (std::size_t bit = 0; bit < saved.size() * 8; ++bit) {
    std::string damaged = saved;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    TrackedSet victim(small_config(2, 3), {});
    (void)victim.load(damaged);
    const Selection selection = tick(victim, next);
    std::uint64_t sum = 0;
    for (const Member& member : selection.members) sum += member.bytes;
    for (const PoolSelection& pool : selection.pools) sum += pool.other_bytes;
    ASSERT_EQ(sum, total) << bit;
    ASSERT_LE(selection.members.size(), 6U) << bit;
  }
}

TEST(TrackedSetState, AnotherVersionAndIllegalLabelsAreRefused) {
  TrackedSet set(config::Tags{}, {});
  (void)tick(set, snapshot_at(0, {tag_usage(Pool::kPaged, "Good", 10)}));
  std::string saved = set.save();
  TrackedSet victim(config::Tags{}, {});
  const std::size_t at = saved.find("Good");
  ASSERT_NE(at, std::string::npos);
  std::string damaged = saved;
  damaged[at] = '\xff';
  EXPECT_FALSE(victim.load(damaged));
  saved[0] = 9;
  const auto loaded = victim.load(saved);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("version 9"));
}

TEST(TrackedSetState, ALowerCapTakesTheWeakestAndForcedOnesLast) {
  TrackedSet set(small_config(3, 6), {});
  std::vector<TagUsage> rows = falling_tags(Pool::kPaged, 12);
  (void)tick(set, snapshot_at(0, rows));
  rows[0].bytes = 1;  // out of all ranks from here on
  (void)tick(set, snapshot_at(kDay, rows), {{Pool::kPaged, "t0011"}});
  TrackedSet reloaded(small_config(2, 2), {});
  ASSERT_TRUE(reloaded.load(set.save()));
  Selection selection;
  reloaded.fill(snapshot_at(kDay, rows), selection);
  EXPECT_EQ(member_tags(selection, Pool::kPaged).size(), 2U);
  EXPECT_NE(find_member(selection, Pool::kPaged, "t0011"), nullptr);
  EXPECT_EQ(find_member(selection, Pool::kPaged, "t0000"), nullptr);
  EXPECT_GE(find_pool(selection, Pool::kPaged)->evictions_total, 2U);
}

TEST(TrackedSetState, ASmallerTableTakesWhatFits) {
  TrackedSet set(config::Tags{}, {});
  (void)tick(set, snapshot_at(0, falling_tags(Pool::kPaged, 500)));
  config::Tags fewer;
  fewer.max_tracked = 64;
  TrackedSet reloaded(fewer, {});
  ASSERT_TRUE(reloaded.load(set.save()));
  EXPECT_EQ(reloaded.tracking().tracked, 64U);
}

TEST(TrackedSetState, AFullTableOfOrdinaryTagsFitsTheBoundAndAHugeOneKeepsTheGrownFirst) {
  config::Tags tags;
  tags.max_tracked = 20'000;
  for (const std::size_t count : {std::size_t{4'096}, std::size_t{20'000}}) {
    TrackedSet set(tags, {});
    Snapshot snapshot = snapshot_at(0, falling_tags(Pool::kPaged, std::min<std::size_t>(count, 10'000)));
    if (count > 10'000) {
      for (TagUsage& usage : falling_tags(Pool::kNonpaged, 10'000)) snapshot.tags.push_back(usage);
    }
    for (int day = 0; day < 9; ++day) {
      snapshot.time = day * kDay;
      for (std::size_t i = 0; i < count; ++i) snapshot.tags[i].bytes += i * 7'919 % 100'000;
      snapshot.tags[count - 1].bytes += kMiB;
      (void)tick(set, snapshot);
    }
    const std::string saved = set.save();
    EXPECT_LE(saved.size(), TrackedSet::kMaxSavedBytes + 200);
    TrackedSet reloaded(tags, {});
    ASSERT_TRUE(reloaded.load(saved));
    EXPECT_NE(saved.find(snapshot.tags[count - 1].tag), std::string::npos);
    EXPECT_GE(reloaded.tracking().tracked, 4'096U);
  }
}

}  // namespace
}  // namespace kmem::select
