#include "exporter/trend/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "collectors/made_up_pid.h"

namespace kmem::trend {
namespace {

TagUsage tag(Pool pool, std::string name, std::uint64_t bytes, std::uint64_t outstanding) {
  TagUsage usage;
  usage.pool = pool;
  usage.tag = std::move(name);
  usage.bytes = bytes;
  usage.outstanding = outstanding;
  return usage;
}

std::vector<std::string> processes_of(const Observation& observation) {
  std::vector<std::string> texts;
  for (const Sample& sample : observation.subjects)
    if (sample.kind == Kind::kHandles) texts.emplace_back(sample.text);
  return texts;
}

TEST(Sampler, FollowsTotalsThenEveryTagAndAllocationSitesLast) {
  Snapshot snapshot;
  snapshot.time = 5000;
  snapshot.boot_time = 1000;
  snapshot.physical_memory_bytes = 1 << 30;
  snapshot.pools = {{Pool::kSlabReclaimable, 900, {}, {}, {}, {}},
                    {Pool::kSlabUnreclaimable, 700, {}, {}, {}, {}},
                    {Pool::kVmalloc, {}, {}, {}, {}, {}}};
  snapshot.tags = {tag(Pool::kAllocinfo, "vmlinux:f:net/a.c", 10, 1), tag(Pool::kSlabUnreclaimable, "kmalloc-64", 640, 9),
                   tag(Pool::kSlabReclaimable, "dentry", 300, 3)};
  snapshot.tags[2].has_outstanding = false;
  Sampler sampler;
  const Observation seen = sampler.take(snapshot);
  EXPECT_EQ(seen.time, 5000);
  EXPECT_EQ(seen.boot_time, 1000);
  ASSERT_EQ(seen.subjects.size(), 5U);
  EXPECT_EQ(seen.subjects[0].kind, Kind::kPool);
  EXPECT_EQ(seen.subjects[0].amount, 900U);
  EXPECT_EQ(seen.subjects[0].limit, std::nullopt);
  EXPECT_EQ(seen.subjects[1].pool, Pool::kSlabUnreclaimable);
  EXPECT_EQ(seen.subjects[1].limit, 1073741824.0);
  EXPECT_EQ(seen.subjects[2].text, "kmalloc-64");
  EXPECT_EQ(seen.subjects[2].amount, 640U);
  EXPECT_EQ(seen.subjects[2].outstanding, 9U);
  EXPECT_EQ(seen.subjects[3].text, "dentry");
  EXPECT_EQ(seen.subjects[3].outstanding, std::nullopt);
  EXPECT_EQ(seen.subjects[4].pool, Pool::kAllocinfo);
  snapshot.tags.clear();
  EXPECT_EQ(sampler.take(snapshot).subjects.size(), 2U);
}

TEST(Sampler, PtesRunOutAtTheFloorAndCommitWhereItsLimitBinds) {
  Snapshot snapshot;
  snapshot.system = System::kWindows;
  snapshot.system_ptes_free = 30'000;
  snapshot.commit_bytes = 400;
  snapshot.commit_limit_bytes = 1000;
  Sampler sampler;
  const Observation windows = sampler.take(snapshot);
  ASSERT_EQ(windows.subjects.size(), 3U);
  EXPECT_EQ(windows.subjects[0].kind, Kind::kSystemPtes);
  EXPECT_EQ(windows.subjects[0].limit, 12'000.0);
  EXPECT_EQ(windows.subjects[1].kind, Kind::kCommit);
  EXPECT_EQ(windows.subjects[1].limit, 1000.0);
  EXPECT_EQ(windows.subjects[2].kind, Kind::kCommitLimit) << "which is followed itself";
  EXPECT_EQ(windows.subjects[2].amount, 1000U);

  snapshot.system = System::kLinux;
  snapshot.system_ptes_free.reset();
  EXPECT_EQ(sampler.take(snapshot).subjects[0].limit, std::nullopt);
  snapshot.settings = {{"vm.overcommit_memory", 0}};
  EXPECT_EQ(sampler.take(snapshot).subjects[0].limit, std::nullopt);
  snapshot.settings[0].value = 2;
  EXPECT_EQ(sampler.take(snapshot).subjects[0].limit, 1000.0);
}

TEST(Sampler, BeyondWhatX86CanHavePtesRunOutAtHalfOfTheMostSinceBoot) {
  constexpr base::UnixMillis kBoot = 1'700'000'000'000;
  Snapshot snapshot;
  snapshot.system = System::kWindows;
  Sampler sampler;
  Boots boots;
  const auto limit = [&](base::UnixMillis boot, std::uint64_t free, std::optional<std::uint64_t> known = {}) {
    snapshot.boot_time = boot;
    snapshot.system_ptes_free = free;
    if (known) boots.resume({snapshot.time, boot}, known);
    return sampler.take(snapshot, boots.note(snapshot)).subjects[0].limit;
  };
  EXPECT_EQ(limit(kBoot, 12'470'000), 6'235'000.0);
  EXPECT_EQ(limit(kBoot + 900, 9'000'000), 6'235'000.0);
  EXPECT_EQ(limit(kBoot, 12'600'000), 6'300'000.0);
  // Another boot; then one of which an earlier run saw more.
  EXPECT_EQ(limit(kBoot + 86'400'000, 10'000'000), 5'000'000.0);
  EXPECT_EQ(limit(kBoot + 2 * 86'400'000LL, 8'000'000, 16'000'000), 8'000'000.0);
  // 786,432 map the 3 GB that an x86 kernel could never have.
  EXPECT_EQ(limit(kBoot + 3 * 86'400'000LL, 786'432), 12'000.0);
  EXPECT_EQ(limit(kBoot + 4 * 86'400'000LL, 786'433), 393'216.5);
}

TEST(Sampler, UnaccountedMemoryEndsWithWhatIsAvailable) {
  Snapshot snapshot;
  snapshot.system = System::kWindows;
  Sampler sampler;
  EXPECT_TRUE(sampler.take(snapshot).subjects.empty()) << "not told";
  snapshot.unaccounted_bytes = 300;
  ASSERT_EQ(sampler.take(snapshot).subjects.size(), 1U);
  EXPECT_EQ(sampler.take(snapshot).subjects[0].kind, Kind::kUnaccounted);
  EXPECT_EQ(sampler.take(snapshot).subjects[0].amount, 300U);
  EXPECT_EQ(sampler.take(snapshot).subjects[0].limit, std::nullopt);
  snapshot.available_bytes = 700;
  EXPECT_EQ(sampler.take(snapshot).subjects[0].limit, 1000.0);
  EXPECT_EQ(sampler.take(snapshot).subjects[0].bound, Bound::kAvailableMemory);
  // Which is followed itself, after all else.
  EXPECT_EQ(sampler.take(snapshot).subjects[1].kind, Kind::kAvailable);
  EXPECT_EQ(sampler.take(snapshot).subjects[1].amount, 700U);
}

TEST(Sampler, APoolsLimitIsWhereItEnds) {
  Snapshot snapshot;
  snapshot.system = System::kWindows;
  snapshot.pools.resize(2);
  snapshot.pools[0].bytes = 300;
  snapshot.pools[0].limit = PoolLimit{1000, "estimate", "2003_x86"};
  snapshot.pools[1].pool = Pool::kNonpaged;
  snapshot.pools[1].bytes = 100;
  Sampler sampler;
  const Observation seen = sampler.take(snapshot);
  EXPECT_EQ(seen.subjects[0].limit, 1000.0);
  EXPECT_EQ(seen.subjects[1].limit, std::nullopt);
}

TEST(Sampler, AProcessThatLedByHandlesStaysWhileItLives) {
  Snapshot snapshot;
  snapshot.processes = {{30, "c", 300, {}, {}}, {10, "a", 100, {}, {}}, {20, "b", 200, {}, {}}, {40, "d", {}, {}, {}}};
  Sampler sampler({.top_processes = 2, .max_processes = 3});
  EXPECT_THAT(processes_of(sampler.take(snapshot)), testing::ElementsAre("b (20)", "c (30)"));
  snapshot.processes[1].handles = 1000;
  EXPECT_THAT(processes_of(sampler.take(snapshot)), testing::ElementsAre("a (10)", "b (20)", "c (30)"));
  // Beyond the most that are followed the smallest goes.
  snapshot.processes[3].handles = 5000;
  EXPECT_THAT(processes_of(sampler.take(snapshot)), testing::ElementsAre("a (10)", "c (30)", "d (40)"));
  snapshot.processes.erase(snapshot.processes.begin());
  EXPECT_THAT(processes_of(sampler.take(snapshot)), testing::ElementsAre("a (10)", "d (40)"));
}

TEST(Sampler, AfterABootOthersHaveItsProcessNumbers) {
  Snapshot snapshot;
  snapshot.processes = {{10, "a", 100, {}, {}}, {20, "b", 1, {}, {}}};
  Sampler sampler({.top_processes = 1, .max_processes = 3});
  EXPECT_THAT(processes_of(sampler.take(snapshot)), testing::ElementsAre("a (10)"));
  snapshot.processes[1].handles = 1000;
  EXPECT_THAT(processes_of(sampler.take(snapshot)), testing::ElementsAre("a (10)", "b (20)"));
  Boot boot = untold_boot(snapshot);
  boot.is_new = true;
  EXPECT_THAT(processes_of(sampler.take(snapshot, boot)), testing::ElementsAre("b (20)"));
}

TEST(Sampler, AProcessWithoutANumberOfItsOwnIsCalledByItsNameAndOneHandleCounts) {
  Snapshot snapshot;
  snapshot.processes = {{10, "a", 1, {}, {}}, {20, "b", 0, {}, {}}, {kMadeUpPids, "c", 5, {}, {}}};
  EXPECT_THAT(processes_of(Sampler().take(snapshot)), testing::ElementsAre("a (10)", "c"));
}

}  // namespace
}  // namespace kmem::trend
