#include "exporter/select/session_choice.h"

#include <gmock/gmock.h>

#include "tests/exporter/select/snapshots.h"

namespace kmem::select {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SessionTagUsage row(std::uint32_t session, Pool pool, std::string_view tag, std::uint64_t bytes) {
  return {session, tag_usage(pool, tag, bytes, bytes / 10)};
}

struct Filled {
  std::vector<std::string> pools, members;
};

Filled fill(const SessionChoice& choice, const std::vector<SessionTagUsage>& tags) {
  std::vector<SessionPool> pools;
  std::vector<SessionMember> members;
  choice.fill(tags, pools, members);
  Filled out;
  for (const SessionPool& pool : pools)
    out.pools.push_back(std::to_string(pool.session) + " " + std::string(pool_name(pool.pool)) + " " +
                        std::to_string(pool.bytes));
  for (const SessionMember& member : members)
    out.members.push_back(std::to_string(member.session) + " " + member.tag + " " + std::to_string(member.bytes) + " " +
                          std::to_string(member.outstanding));
  return out;
}

TEST(SessionChoice, TheTopTagsOfEachSessionAndTheSumOfAll) {
  SessionChoice choice(2);
  const std::vector<SessionTagUsage> tags = {row(1, Pool::kPaged, "a", 300), row(1, Pool::kPaged, "b", 500),
                                             row(1, Pool::kPaged, "c", 100), row(1, Pool::kNonpaged, "a", 40),
                                             row(2, Pool::kPaged, "a", 70)};
  choice.update(tags, 0);
  const Filled filled = fill(choice, tags);
  EXPECT_THAT(filled.pools, ElementsAre("1 paged 900", "1 nonpaged 40", "2 paged 70", "2 nonpaged 0"));
  EXPECT_THAT(filled.members, ElementsAre("1 b 500 50", "1 a 300 30", "1 a 40 4", "2 a 70 7"));
}

TEST(SessionChoice, ATagStaysThroughOtherRanksAndReadsZeroWhileItIsGone) {
  SessionChoice choice(1);
  std::vector<SessionTagUsage> tags = {row(1, Pool::kPaged, "a", 300), row(1, Pool::kPaged, "b", 200)};
  choice.update(tags, 0);
  tags[1].usage.bytes = 400;
  choice.update(tags, kDay);
  EXPECT_THAT(fill(choice, tags).members, ElementsAre("1 a 300 30", "1 b 400 20"));
  tags.erase(tags.begin());
  choice.update(tags, kDay + kHour - 1);
  EXPECT_THAT(fill(choice, tags).members, ElementsAre("1 a 0 0", "1 b 400 20"));
  choice.update(tags, kDay + kHour);
  EXPECT_THAT(fill(choice, tags).members, ElementsAre("1 b 400 20"));
}

TEST(SessionChoice, ASessionThatHasEndedLeavesAtOnceAndAFailedReadingChangesNothing) {
  SessionChoice choice(1);
  const std::vector<SessionTagUsage> both = {row(1, Pool::kPaged, "a", 300), row(2, Pool::kPaged, "a", 200)};
  const std::vector<SessionTagUsage> second = {both[1]};
  choice.update(both, 0);
  choice.update({}, 1);
  EXPECT_THAT(fill(choice, both).members, ElementsAre("1 a 300 30", "2 a 200 20"));
  EXPECT_THAT(fill(choice, {}).pools, IsEmpty());
  choice.update(second, 2);
  EXPECT_THAT(fill(choice, second).members, ElementsAre("2 a 200 20"));
}

TEST(SessionChoice, SessionsAndTagsAreBoundedAndTheLargestAreIn) {
  SessionChoice choice(3);
  std::vector<SessionTagUsage> tags;
  for (std::uint32_t session = 0; session < 200; ++session)
    for (std::uint32_t tag = 0; tag < 50; ++tag)
      tags.push_back(row(session, Pool::kPaged, "t" + std::to_string(tag), 1'000 * session + tag));
  choice.update(tags, 0);
  const Filled filled = fill(choice, tags);
  EXPECT_EQ(filled.pools.size(), 2 * SessionChoice::kTopSessions);
  EXPECT_EQ(filled.members.size(), 3 * SessionChoice::kTopSessions);
  EXPECT_EQ(filled.members.front(), "199 t49 199049 19904");
  for (int minute = 1; minute < 100; ++minute) {
    for (SessionTagUsage& one : tags) one.usage.bytes = (one.usage.bytes * 7919 + one.session) % 1'000'003;
    choice.update(tags, minute * kMinute);
    EXPECT_LE(fill(choice, tags).pools.size(), 2 * SessionChoice::kMaxSessions);
    EXPECT_LE(fill(choice, tags).members.size(), 2 * 3 * SessionChoice::kMaxSessions);
  }
}

TEST(SessionChoice, TopZeroExportsNothingAndTheSetIsPartOfTheSelection) {
  const std::vector<SessionTagUsage> tags = {row(1, Pool::kPaged, "a", 300)};
  SessionChoice none(0);
  none.update(tags, 0);
  EXPECT_THAT(fill(none, tags).pools, IsEmpty());
  TrackedSet set(config::Tags{}, config::Processes{});
  Snapshot snapshot = snapshot_at(0);
  snapshot.session_tags = tags;
  const Selection selection = tick(set, snapshot);
  ASSERT_EQ(selection.session_members.size(), 1U);
  EXPECT_EQ(selection.session_members[0].tag, "a");
  EXPECT_EQ(selection.session_pools[0].bytes, 300U);
}

}  // namespace
}  // namespace kmem::select
