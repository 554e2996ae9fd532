#include "exporter/select/process_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/select/tracked_set.h"
#include "tests/exporter/select/snapshots.h"

namespace kmem::select {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

ProcessUsage process(std::uint64_t pid, std::optional<std::uint64_t> handles, std::optional<std::uint64_t> paged = {},
                     std::optional<std::uint64_t> nonpaged = {}) {
  return {pid, std::string("p").append(std::to_string(pid)), handles, paged, nonpaged};
}

std::vector<std::uint64_t> pids(ProcessChoice& choice, const std::vector<ProcessUsage>& processes) {
  std::vector<ProcessUsage> out;
  choice.fill(processes, out);
  std::vector<std::uint64_t> found;
  for (const ProcessUsage& each : out) found.push_back(each.pid);
  return found;
}

TEST(ProcessChoice, IsTheUnionOfTheTopByHandlesAndByEachQuota) {
  ProcessChoice choice(1);
  const std::vector<ProcessUsage> all = {process(1, 900, 1, 1), process(2, 1, 800, 1), process(3, 1, 1, 700),
                                         process(4, 899, 799, 699), process(5, {}, {}, {})};
  choice.update(all);
  EXPECT_THAT(pids(choice, all), UnorderedElementsAre(1, 2, 3));
}

TEST(ProcessChoice, ZeroAndUnknownAreNoRankAndTopZeroIsNobody) {
  ProcessChoice choice(10);
  const std::vector<ProcessUsage> all = {process(1, 0), process(2, {}), process(3, 1)};
  choice.update(all);
  EXPECT_THAT(pids(choice, all), ElementsAre(3));
  ProcessChoice none(0);
  none.update(all);
  EXPECT_THAT(pids(none, all), IsEmpty());
}

TEST(ProcessChoice, OneThatIsInStaysToTwiceTheRankAndInItsPlace) {
  ProcessChoice choice(2);
  std::vector<ProcessUsage> all = {process(1, 60), process(2, 50), process(3, 40), process(4, 30), process(5, 20)};
  choice.update(all);
  EXPECT_THAT(pids(choice, all), ElementsAre(1, 2));
  all[0].handles = 31;  // rank 3: 2, 3, 1
  choice.update(all);
  EXPECT_THAT(pids(choice, all), ElementsAre(1, 2, 3));
  all[0].handles = 1;   // rank 5
  choice.update(all);
  EXPECT_THAT(pids(choice, all), ElementsAre(2, 3));
}

TEST(ProcessChoice, AtMostThreeTimesTheTopAndTheTopAlwaysFits) {
  ProcessChoice choice(1);
  std::vector<ProcessUsage> all = {process(1, 90, 1, 1), process(2, 1, 90, 1), process(3, 1, 1, 90)};
  choice.update(all);
  // Three new leaders; the old ones are second each, but there is no room left.
  all.insert(all.end(), {process(4, 99, 1, 1), process(5, 1, 99, 1), process(6, 1, 1, 99)});
  choice.update(all);
  EXPECT_THAT(pids(choice, all), UnorderedElementsAre(4, 5, 6));
}

TEST(ProcessChoice, AnIdUsedAgainByAnotherProgramIsAnotherProcess) {
  ProcessChoice choice(1);
  std::vector<ProcessUsage> all = {process(1, 60), process(2, 50), process(3, 40)};
  choice.update(all);
  all[0] = {1, "other", 70, {}, {}};
  EXPECT_THAT(pids(choice, all), IsEmpty());
  choice.update(all);
  EXPECT_THAT(pids(choice, all), ElementsAre(1));
}

TEST(ProcessChoice, AFailedReadingChangesNothingAndFillGivesTodaysValues) {
  ProcessChoice choice(1);
  std::vector<ProcessUsage> all = {process(1, 60, 7), process(2, 50)};
  choice.update(all);
  choice.update({});
  all[0].handles = 61;
  std::vector<ProcessUsage> out(40);
  choice.fill(all, out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].handles, 61U);
  EXPECT_EQ(out[0].paged_pool_bytes, 7U);
}

TEST(ProcessChoice, IsPartOfTheSelection) {
  config::Processes processes;
  processes.top = 2;
  TrackedSet set(config::Tags{}, processes);
  Snapshot snapshot = snapshot_at(0);
  for (std::uint64_t pid = 1; pid <= 50'000; ++pid)
    snapshot.processes.push_back(process(pid, pid % 1'000 + pid / 49'999 * 5'000));
  const Selection selection = tick(set, snapshot);
  ASSERT_EQ(selection.processes.size(), 2U);
  EXPECT_EQ(selection.processes[0].name, "p49999");
  EXPECT_EQ(selection.processes[1].pid, 50'000U);
}

}  // namespace
}  // namespace kmem::select
