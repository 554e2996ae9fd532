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
  choice.update(all, 0);
  EXPECT_THAT(pids(choice, all), UnorderedElementsAre(1, 2, 3));
}

TEST(ProcessChoice, ZeroAndUnknownAreNoRankAndTopZeroIsNobody) {
  ProcessChoice choice(10);
  const std::vector<ProcessUsage> all = {process(1, 0), process(2, {}), process(3, 1)};
  choice.update(all, 0);
  EXPECT_THAT(pids(choice, all), ElementsAre(3));
  ProcessChoice none(0);
  none.update(all, 0);
  EXPECT_THAT(pids(none, all), IsEmpty());
}

TEST(ProcessChoice, OneThatIsInStaysToTwiceTheRankAndThenForAnHourInItsPlace) {
  ProcessChoice choice(2);
  std::vector<ProcessUsage> all = {process(1, 60), process(2, 50), process(3, 40), process(4, 30), process(5, 20)};
  choice.update(all, 0);
  EXPECT_THAT(pids(choice, all), ElementsAre(1, 2));
  all[0].handles = 31;  // rank 3: 2, 3, 1
  choice.update(all, 5 * kDay);
  EXPECT_THAT(pids(choice, all), ElementsAre(1, 2, 3));
  all[0].handles = 1;  // rank 5
  choice.update(all, 5 * kDay + kHour - 1);
  EXPECT_THAT(pids(choice, all), ElementsAre(1, 2, 3));
  choice.update(all, 5 * kDay + kHour);
  EXPECT_THAT(pids(choice, all), ElementsAre(2, 3));
}

TEST(ProcessChoice, ARankInBetweenBeginsTheHourAnewAndAClockSetBackDoesNotStretchIt) {
  ProcessChoice choice(1);
  std::vector<ProcessUsage> all = {process(1, 60), process(2, 50), process(3, 40)};
  choice.update(all, kDay);
  all[0].handles = 1;
  choice.update(all, kDay + kHour / 2);
  all[0].handles = 45;  // second
  choice.update(all, kDay + kHour - 1);
  all[0].handles = 1;
  choice.update(all, kDay + 3 * kHour / 2);
  EXPECT_THAT(pids(choice, all), ElementsAre(1, 2));
  choice.update(all, kHour);  // a day back
  EXPECT_THAT(pids(choice, all), ElementsAre(1, 2));
  choice.update(all, 2 * kHour);
  EXPECT_THAT(pids(choice, all), ElementsAre(2));
}

TEST(ProcessChoice, ManyThatTakeTurnsBecomeASteadySet) {
  ProcessChoice choice(3);
  std::vector<ProcessUsage> all;
  for (std::uint64_t pid = 1; pid <= 9; ++pid) all.push_back(process(pid, 100));
  std::size_t changes = 0;
  std::vector<std::uint64_t> last;
  for (int minute = 0; minute < 600; ++minute) {
    for (std::size_t i = 0; i < 9; ++i) all[i].handles = 100 + (i * 7 + static_cast<std::size_t>(minute) * 5) % 9;
    choice.update(all, minute * kMinute);
    const std::vector<std::uint64_t> now = pids(choice, all);
    changes += minute >= 9 && now != last;
    last = now;
  }
  EXPECT_EQ(changes, 0U);  // each has led within the first nine minutes
  EXPECT_EQ(last.size(), 9U);
}

TEST(ProcessChoice, OneThatHasEndedLeavesAtOnceAndItsIdWithAnotherStartIsAnotherProcess) {
  ProcessChoice choice(1);
  std::vector<ProcessUsage> all = {process(1, 60), process(2, 50), process(3, 40)};
  all[0].started = 1000;
  choice.update(all, 0);
  all[0].started = 2000;  // the same program, under the same id
  all[0].handles = 1;
  EXPECT_THAT(pids(choice, all), IsEmpty());
  choice.update(all, kMinute);
  EXPECT_THAT(pids(choice, all), ElementsAre(2));
  all.erase(all.begin() + 1);
  choice.update(all, 2 * kMinute);
  EXPECT_THAT(pids(choice, all), ElementsAre(3));
}

TEST(ProcessChoice, AtMostThreeTimesTheTopAndTheTopAlwaysFits) {
  ProcessChoice choice(1);
  std::vector<ProcessUsage> all = {process(1, 90, 1, 1), process(2, 1, 90, 1), process(3, 1, 1, 90)};
  choice.update(all, 0);
  // Three new leaders; the old ones are second each, but there is no room left.
  all.insert(all.end(), {process(4, 99, 1, 1), process(5, 1, 99, 1), process(6, 1, 1, 99)});
  choice.update(all, 0);
  EXPECT_THAT(pids(choice, all), UnorderedElementsAre(4, 5, 6));
}

TEST(ProcessChoice, AnIdUsedAgainByAnotherProgramIsAnotherProcess) {
  ProcessChoice choice(1);
  std::vector<ProcessUsage> all = {process(1, 60), process(2, 50), process(3, 40)};
  choice.update(all, 0);
  all[0] = {1, "other", 70, {}, {}};
  EXPECT_THAT(pids(choice, all), IsEmpty());
  choice.update(all, 0);
  EXPECT_THAT(pids(choice, all), ElementsAre(1));
}

TEST(ProcessChoice, AFailedReadingChangesNothingAndFillGivesTodaysValues) {
  ProcessChoice choice(1);
  std::vector<ProcessUsage> all = {process(1, 60, 7), process(2, 50)};
  choice.update(all, 0);
  choice.update({}, 0);
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
