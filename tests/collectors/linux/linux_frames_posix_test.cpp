#include "collectors/linux/linux_frames_posix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "collectors/linux/linux_parse.h"
#include "tests/collectors/linux/fake_proc.h"
#include "tests/collectors/linux/tags_of.h"
#include "tests/support/temp_folder.h"

namespace kmem::linux {
namespace {

using std::chrono::seconds;
using test::status_of;
using test::tags_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::string slabinfo(const std::vector<std::string>& caches) {
  std::string text = "slabinfo - version: 2.1\n# name\n";
  for (const std::string& cache : caches) text += cache + "   5 6 64 64 1 : tunables 0 0 0 : slabdata 2 2 0\n";
  return text;
}

const std::map<std::string, std::string, std::less<>> kProcFiles = {
    {"meminfo", "MemTotal: 1000 kB\nSUnreclaim: 40 kB\n"},
    {"slabinfo", slabinfo({"dentry", "odd/name", "new"})},
    {"vmallocinfo", "0x1-0x2 4096 f+0x1/0x2\n"},
    {"allocinfo", "allocinfo - version: 1.0\n7 1 a.c:1 func:g\n"},
    {"stat", "cpu 1\nbtime 5\n"},
    {"vmstat", "nr_free_pages 9\nallocstall_dma 0\nallocstall_normal 7\nxallocstall 3\noom_kill 2\noom_killer 8\n"},
    {"sys/vm/swappiness", "60\n"},
    {"sys/vm/overcommit_memory", "2\n"},
    {"7/comm", "agent\n"},
    {"sys/kernel/osrelease", "6.12.9-1-amd64\n"},
    {"sys/kernel/version", "#1 SMP Debian 6.12.9\n"},
    {"sys/kernel/arch", "riscv64\n"},
    {"1/root/usr/lib/os-release", "NAME=\"Some\"\nPRETTY_NAME=\"Some Linux 7 (seven)\"\nID=some\n"},
    {"self/root/etc/os-release", "PRETTY_NAME=Container\n"},
};

struct FakeKernel {
  test::ManualClock clock;
  test::FakeProc* proc = nullptr;
  test::FakeProc* sys = nullptr;
  std::unique_ptr<FrameSource> frames;
  RawFrame frame;

  explicit FakeKernel(const config::Source& config = all()) {
    auto procfs = std::make_unique<test::FakeProc>();
    auto sysfs = std::make_unique<test::FakeProc>();
    procfs->files = kProcFiles;
    procfs->processes[7] = {0, {12, 1}};
    sysfs->files["kernel/slab/dentry/reclaim_account"] = "0\n";
    sysfs->files["kernel/slab/odd!name/reclaim_account"] = "1\n";
    proc = procfs.get();
    sys = sysfs.get();
    frames = make_linux_frames(config, clock, std::move(procfs), std::move(sysfs));
  }
  static config::Source all() {
    config::Source config;
    config.collectors.vmallocinfo = true;
    return config;
  }
  Snapshot read() {
    EXPECT_TRUE(frames->acquire(frame));
    Snapshot out;
    parse_linux_frame(frame, out);
    return out;
  }
};

TEST(LinuxFrames, EveryPartOfTheFrame) {
  FakeKernel kernel;
  const Snapshot out = kernel.read();
  EXPECT_EQ(kernel.frame.system, System::kLinux);
  EXPECT_EQ(kernel.frame.time, 1'700'000'000'000);
  EXPECT_EQ(kernel.frame.page_bytes, static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(kernel.frame.find("kmem/slab_reclaim")->bytes, "dentry 0\nodd/name 1\n");
  EXPECT_EQ(kernel.frame.find("kmem/settings")->bytes, "vm.overcommit_memory 2\nvm.swappiness 60\n");
  EXPECT_EQ(kernel.frame.find("kmem/processes")->bytes, "7 12 agent\n");
  EXPECT_EQ(kernel.frame.find("kmem/vmstat")->bytes, "allocstall_dma 0\nallocstall_normal 7\noom_kill 2\n");
  const std::uint64_t slabs = 2ULL * kernel.frame.page_bytes;
  EXPECT_THAT(tags_of(out),
              ElementsAre(Pair("allocinfo/kernel:g:a.c", Pair(7U, 1U)), Pair("slab_reclaimable/odd/name", Pair(slabs, 5U)),
                          Pair("slab_unreclaimable/dentry", Pair(slabs, 5U)), Pair("slab_unreclaimable/new", Pair(slabs, 5U)),
                          Pair("vmalloc/f", Pair(4096U, 1U))));
  EXPECT_EQ(out.boot_time, 5000);
  EXPECT_EQ(out.settings.size(), 2U);
  EXPECT_EQ(out.processes.at(0).handles, 12U);
  // A collector of which this kernel has no file is asked for, too, and says so.
  EXPECT_EQ(out.parts.size(), collectors().size());
  std::size_t whole = 0;
  for (const PartStatus& part : out.parts) {
    EXPECT_TRUE(part.state == PartState::kOk || part.reason.starts_with("this kernel has no /proc/"))
        << part.collector << ": " << part.reason;
    if (part.state == PartState::kOk) ++whole;
  }
  EXPECT_EQ(whole, 8U);
}

TEST(LinuxFrames, WhichSystemItIs) {
  FakeKernel kernel;
  EXPECT_EQ(kernel.read().os, (OsInfo{"Some Linux 7 (seven)", "6.12.9-1-amd64", "#1 SMP Debian 6.12.9", "riscv64"}));
  EXPECT_EQ(kernel.frame.find("kmem/system")->bytes,
            "version=6.12.9-1-amd64\nbuild=#1 SMP Debian 6.12.9\narchitecture=riscv64\nproduct=Some Linux 7 (seven)\n");
  (void)kernel.read();
  EXPECT_EQ(kernel.proc->reads["sys/kernel/osrelease"], 1) << "it does not change";
}

TEST(LinuxFrames, TheDistributionIsThatOfTheFirstProcessElseOfThisOne) {
  FakeKernel refused;
  refused.proc->errors["1/root/etc/os-release"] = refused.proc->errors["1/root/usr/lib/os-release"] = EACCES;
  EXPECT_EQ(refused.read().os->product, "Container");
  config::Source config;
  config.procfs = "/host/proc";
  FakeKernel host(config);
  host.proc->errors["1/root/usr/lib/os-release"] = EACCES;
  EXPECT_EQ(host.read().os->product, "") << "this process' root is not the host's";
  FakeKernel unknown;
  unknown.proc->files.erase("sys/kernel/osrelease");
  EXPECT_FALSE(unknown.read().os);
  EXPECT_EQ(unknown.frame.find("kmem/system"), nullptr);
}

TEST(LinuxFrames, ADisabledCollectorIsNotAskedAndLeavesNoPart) {
  config::Source config;
  for (const config::CollectorInfo& info : config::kCollectors) config.collectors.*info.on = false;
  config.collectors.meminfo = config.collectors.allocinfo = true;
  FakeKernel kernel(config);
  kernel.frame.part("proc/slabinfo").bytes = "of a source before";
  const Snapshot out = kernel.read();
  ASSERT_EQ(out.parts.size(), 2U);
  EXPECT_EQ(kernel.frame.parts.size(), 2U);
  EXPECT_EQ(status_of(out, "meminfo")->state, PartState::kOk);
  EXPECT_EQ(status_of(out, "allocinfo")->state, PartState::kOk);
  EXPECT_EQ(kernel.proc->reads.count("slabinfo") + kernel.proc->reads.count("vmallocinfo") + kernel.proc->reads.count("stat") +
                kernel.proc->reads.count("vmstat"),
            0U);
}

TEST(LinuxFrames, NotRootSaysSoAndTheRestWorks) {
  FakeKernel kernel;
  for (const char* name : {"slabinfo", "vmallocinfo", "allocinfo", "sys/vm/swappiness"}) kernel.proc->errors[name] = EACCES;
  kernel.proc->processes[8] = {EACCES, {}};
  Snapshot out = kernel.read();
  for (const char* refused : {"slabinfo", "vmallocinfo", "allocinfo"}) {
    EXPECT_EQ(status_of(out, refused)->state, PartState::kFailed) << refused;
    EXPECT_THAT(status_of(out, refused)->reason, HasSubstr("permission denied; needs root or CAP_DAC_READ_SEARCH"));
  }
  EXPECT_TRUE(out.tags.empty());
  EXPECT_EQ(status_of(out, "processes")->state, PartState::kPartial);
  EXPECT_EQ(status_of(out, "processes")->skipped_rows, 1U);
  EXPECT_EQ(out.processes.at(0).name, "agent");
  EXPECT_EQ(status_of(out, "settings")->state, PartState::kPartial);
  EXPECT_EQ(out.settings.at(0).name, "vm.overcommit_memory");
  EXPECT_EQ(out.physical_memory_bytes, 1000U * 1024);
  EXPECT_EQ(out.boot_time, 5000);

  kernel.proc->errors.clear();  // granted meanwhile
  out = kernel.read();
  EXPECT_EQ(status_of(out, "slabinfo")->state, PartState::kOk);
  EXPECT_EQ(out.tags.size(), 5U);
}

TEST(LinuxFrames, AKernelWithoutTheOptionalFiles) {
  FakeKernel kernel;
  for (const char* name : {"slabinfo", "vmallocinfo", "allocinfo", "vmstat", "sys/vm/swappiness", "sys/vm/overcommit_memory"})
    kernel.proc->files.erase(name);
  const Snapshot out = kernel.read();
  for (const char* absent : {"slabinfo", "vmallocinfo", "allocinfo", "events", "settings"})
    EXPECT_EQ(status_of(out, absent)->state, PartState::kUnsupported) << absent;
  EXPECT_EQ(status_of(out, "meminfo")->state, PartState::kOk);
}

TEST(LinuxFrames, AnAbsentAllocinfoIsLookedForOnceAMinute) {
  FakeKernel kernel;
  const std::string text = kernel.proc->files["allocinfo"];
  kernel.proc->files.erase("allocinfo");
  kernel.read();
  kernel.proc->files["allocinfo"] = text;
  kernel.clock.advance(seconds(59));
  EXPECT_EQ(status_of(kernel.read(), "allocinfo")->state, PartState::kUnsupported);
  kernel.clock.advance(seconds(1));
  EXPECT_EQ(status_of(kernel.read(), "allocinfo")->state, PartState::kOk);
  EXPECT_EQ(status_of(kernel.read(), "allocinfo")->state, PartState::kOk) << "at every scrape then";
  EXPECT_EQ(kernel.proc->reads["allocinfo"], 3);
}

TEST(LinuxFrames, WhatSeldomChangesIsReadOnceAMinute) {
  FakeKernel kernel;
  kernel.read();
  kernel.clock.advance(seconds(59));
  kernel.proc->files["sys/vm/swappiness"] = "10\n";
  EXPECT_EQ(kernel.read().settings.at(1).value, 60);
  EXPECT_EQ(kernel.read().boot_time, 5000);
  EXPECT_EQ(kernel.proc->reads["stat"], 1);
  EXPECT_EQ(kernel.proc->reads["vmstat"], 1);
  EXPECT_EQ(kernel.proc->reads["meminfo"], 3);
  RawFrame other;  // what is remembered is the source's, not the frame's
  ASSERT_TRUE(kernel.frames->acquire(other));
  EXPECT_EQ(other.find("proc/stat")->bytes, kProcFiles.find("stat")->second);
  kernel.clock.advance(seconds(1));
  EXPECT_EQ(kernel.read().settings.at(1).value, 10);
  EXPECT_EQ(kernel.proc->reads["stat"], 2);
}

TEST(LinuxFrames, AFailureOfTheSeldomIsTriedAgainAtOnce) {
  FakeKernel kernel;
  kernel.proc->errors["stat"] = EIO;
  EXPECT_EQ(status_of(kernel.read(), "stat")->state, PartState::kFailed);
  kernel.proc->errors.clear();
  EXPECT_EQ(kernel.read().boot_time, 5000);
}

TEST(LinuxFrames, WithoutProcfsThereIsNothing) {
  FakeKernel kernel;
  kernel.proc->root_error = ENOENT;
  const auto got = kernel.frames->acquire(kernel.frame);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, base::ErrorCode::kIo);
  EXPECT_THAT(got.error().message, HasSubstr("/proc"));
}

TEST(LinuxFrames, ATreeInAFolder) {
  test::TempFolder folder;
  const auto write = [&](const std::string& name, const std::string& bytes) {
    const std::filesystem::path path = folder.path() + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  };
  for (const auto& [name, bytes] : kProcFiles) write("proc/" + name, bytes);
  write("proc/7/fd/0", "");
  write("proc/7/fd/3", "");
  write("sys/kernel/slab/odd!name/reclaim_account", "1\n");
  config::Source config;
  config.procfs = folder.path() + "proc";
  config.sysfs = folder.path() + "sys";
  test::ManualClock clock;
  const auto frames = make_linux_frames(config, clock);
  RawFrame frame;
  ASSERT_TRUE(frames->acquire(frame));
  Snapshot out;
  parse_linux_frame(frame, out);
  EXPECT_EQ(frame.find("kmem/processes")->bytes, "7 2 agent\n");
  EXPECT_EQ(frame.find("kmem/slab_reclaim")->bytes, "odd/name 1\n");
  EXPECT_EQ(tags_of(out).at("slab_reclaimable/dentry").second, 5U);  // not in sysfs: by the table
  EXPECT_EQ(out.physical_memory_bytes, 1000U * 1024);
  EXPECT_EQ(frame.find("proc/vmallocinfo"), nullptr);  // off by default
}

TEST(LinuxFrames, ThisMachine) {
  const base::SystemClock clock;
  const auto frames = make_linux_frames(config::Source{}, clock);
  RawFrame frame;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(frames->acquire(frame));
    Snapshot out;
    parse_linux_frame(frame, out);
    EXPECT_EQ(status_of(out, "meminfo")->state, PartState::kOk);
    EXPECT_EQ(out.physical_memory_bytes,
              static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
    ASSERT_TRUE(out.boot_time);
    EXPECT_LT(*out.boot_time, frame.time);
    EXPECT_FALSE(out.processes.empty());
    const PartStatus* const slabs = status_of(out, "slabinfo");
    EXPECT_EQ(slabs->skipped_rows, 0U);
    if (slabs->state == PartState::kOk) { EXPECT_GT(tags_of(out).at("slab_reclaimable/dentry").first, 0U); }
  }
}

}  // namespace
}  // namespace kmem::linux
