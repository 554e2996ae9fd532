#include "collectors/linux/descriptors.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/collectors/linux/fake_proc.h"

namespace kmem::linux {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Fixture {
  test::ManualClock clock;
  test::FakeProc proc;
  DescriptorCensus census{clock};
  void process(std::uint32_t pid, std::uint64_t count, const std::string& name, std::uint64_t identity = 1) {
    proc.processes[pid] = {0, {count, identity}};
    proc.files[std::to_string(pid) + "/comm"] = name + "\n";
  }
  std::string update() {
    std::string out = "left from before";
    EXPECT_EQ(census.update(proc, out), 0);
    return out;
  }
};

TEST(DescriptorCensus, LinesOfPidCountAndName) {
  Fixture f;
  f.process(1, 298, "systemd");
  f.process(2, 0, "kthreadd");
  f.process(77, 4, "Web Content");
  EXPECT_EQ(f.update(), "1 298 systemd\n77 4 Web Content\n");
  EXPECT_EQ(f.proc.reads.count("2/comm"), 0U);  // nobody ranks a process without descriptors
}

TEST(DescriptorCensus, ANameCannotForgeARow) {
  Fixture f;
  f.process(9, 5, "a\n1 999999 b");
  EXPECT_EQ(f.update(), "9 5 a\\x0a1 999999 b\n");
}

TEST(DescriptorCensus, RefusedOnesAreCountedAndEndedOnesAreNot) {
  Fixture f;
  f.process(1, 10, "mine");
  f.proc.processes[2] = {EACCES, {}};
  f.proc.processes[3] = {EPERM, {}};
  f.proc.processes[4] = {ENOENT, {}};
  f.proc.processes[5] = {ESRCH, {}};
  f.proc.processes[6] = {0, {3, 1}};  // ends before its name is read
  EXPECT_EQ(f.update(), "1 10 mine\n!unreadable 2\n");
}

TEST(DescriptorCensus, OnlyTheTopOnesAreNamed) {
  Fixture f;
  for (std::uint32_t pid = 1; pid <= 1000; ++pid) f.process(pid, pid, "p" + std::to_string(pid));
  const std::string out = f.update();
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), static_cast<std::ptrdiff_t>(DescriptorCensus::kNamed));
  EXPECT_EQ(out.substr(0, out.find('\n')), "745 745 p745");
  EXPECT_NE(out.find("1000 1000 p1000\n"), std::string::npos);
  EXPECT_EQ(f.proc.reads.size(), DescriptorCensus::kNamed);
}

TEST(DescriptorCensus, NamesAreReadOnceAMinuteOrWhenThePidIsAnothers) {
  Fixture f;
  f.process(7, 5, "old");
  f.process(8, 6, "other");
  f.update();
  f.process(7, 9, "new", 2);  // another process got the pid
  f.process(8, 7, "renamed");
  f.clock.advance(seconds(1));
  EXPECT_EQ(f.update(), "7 9 new\n8 7 other\n");
  EXPECT_EQ(f.proc.reads["8/comm"], 1);
  f.clock.advance(seconds(59));
  EXPECT_EQ(f.update(), "7 9 new\n8 7 renamed\n");
  EXPECT_EQ(f.proc.reads["7/comm"], 2);
}

TEST(DescriptorCensus, TakesAThousandthOfTheTimeAtMost) {
  Fixture f;
  f.proc.clock = &f.clock;
  f.proc.cost = microseconds(500);
  f.process(1, 1, "a");
  f.process(2, 1, "b");  // a count of both takes 1 ms, so that the next one is 1 s later
  EXPECT_EQ(f.update(), "1 1 a\n2 1 b\n");
  f.process(1, 50, "a");
  f.clock.advance(std::chrono::milliseconds(999));
  EXPECT_EQ(f.update(), "1 1 a\n2 1 b\n");
  f.clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(f.update(), "1 50 a\n2 1 b\n");

  f.proc.cost = seconds(10);
  f.clock.advance(seconds(1));
  f.update();
  f.process(1, 51, "a");
  f.clock.advance(minutes(5));  // the longest pause, though 20 s were used
  EXPECT_EQ(f.update(), "1 51 a\n2 1 b\n");
}

TEST(DescriptorCensus, ARefusedListIsAnError) {
  Fixture f;
  f.proc.root_error = EACCES;
  std::string out = "x";
  EXPECT_EQ(f.census.update(f.proc, out), EACCES);
  EXPECT_EQ(out, "");
  f.proc.root_error = 0;
  f.process(1, 1, "a");
  EXPECT_EQ(f.update(), "1 1 a\n");
}

TEST(DescriptorCensus, ProcessesOverTheLimitAreSaid) {
  Fixture f;
  for (std::uint32_t pid = 1; pid <= DescriptorCensus::kMaxProcesses + 3; ++pid) f.proc.processes[pid] = {0, {0, 1}};
  EXPECT_EQ(f.update(), "!over_limit 3\n");
}

}  // namespace
}  // namespace kmem::linux
