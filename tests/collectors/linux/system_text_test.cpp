#include "collectors/linux/system_text.h"

#include <gtest/gtest.h>

namespace kmem::linux {
namespace {

TEST(Stat, BootTimeInMilliseconds) {
  Snapshot out;
  ASSERT_TRUE(parse_stat("cpu  1 2 3\nintr 5 0 0\nbtime 1700000001\nprocesses 7\n", out));
  EXPECT_EQ(out.boot_time, 1'700'000'001'000);
}

TEST(Stat, WithoutABootTimeItIsRefused) {
  for (const std::string_view text :
       {"", "cpu 1 2\n", "btime\n", "btime x\n", "btime -5\n", "btime 9223372036854775807\n", "btime 5 6\n", "xbtime 5\n"}) {
    Snapshot out;
    EXPECT_FALSE(parse_stat(text, out)) << text;
    EXPECT_FALSE(out.boot_time);
  }
}

TEST(Vmstat, CountersOfMemoryThatRanOut) {
  Snapshot out;
  const auto skipped = parse_vmstat(
      "nr_free_pages 5\nallocstall_dma 1\nallocstall_normal 20\nallocstall_movable 300\n"
      "pgskip 9\noom_kill 4\noom_killer 7\n",
      out);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(*skipped, 0U);
  ASSERT_EQ(out.failure_events.size(), 2U);
  EXPECT_EQ(out.failure_events[0].provider, "vmstat_oom_kill");
  EXPECT_EQ(out.failure_events[0].count, 4U);
  EXPECT_EQ(out.failure_events[1].provider, "vmstat_allocstall");
  EXPECT_EQ(out.failure_events[1].count, 321U);  // of all zones
  EXPECT_EQ(out.failure_events[1].event_id, 0U);
  EXPECT_FALSE(out.failure_events[1].last);
}

TEST(Vmstat, AnOldKernelHasOneCounterAndBadRowsAreCounted) {
  Snapshot old;
  ASSERT_TRUE(parse_vmstat("allocstall 12\n", old));  // before 4.8; oom_kill came with 4.13
  ASSERT_EQ(old.failure_events.size(), 1U);
  EXPECT_EQ(old.failure_events[0].count, 12U);
  Snapshot damaged;
  const auto skipped = parse_vmstat("oom_kill -1\nallocstall_dma 18446744073709551616\nallocstall_normal 3\n", damaged);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(*skipped, 2U);
  ASSERT_EQ(damaged.failure_events.size(), 1U);
  EXPECT_EQ(damaged.failure_events[0].count, 3U);
  Snapshot nothing;
  EXPECT_FALSE(parse_vmstat("oom_kill many\n", nothing));
  EXPECT_TRUE(parse_vmstat("", nothing));
  EXPECT_TRUE(nothing.failure_events.empty());
}

TEST(Settings, LinesOfNameAndValue) {
  Snapshot out;
  const auto rows =
      parse_settings("vm.overcommit_memory 2\nvm.min_free_kbytes 67584\nvm.zone_reclaim_mode -1\nvm.bad x\nvm.two 1 2\n", out);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->skipped, 2U);
  ASSERT_EQ(out.settings.size(), 3U);
  EXPECT_EQ(out.settings[1].name, "vm.min_free_kbytes");
  EXPECT_EQ(out.settings[1].value, 67584);
  EXPECT_EQ(out.settings[2].value, -1);
  EXPECT_FALSE(parse_settings("nonsense", out));
}

TEST(Processes, NameIsTheRestOfTheLine) {
  Snapshot out;
  const auto rows = parse_processes("1 298 systemd\n77 4 Web Content (2)\n99 3   odd \n5 1 \xff\n", out);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->skipped, 0U);
  ASSERT_EQ(out.processes.size(), 4U);
  EXPECT_EQ(out.processes[0].pid, 1U);
  EXPECT_EQ(out.processes[0].handles, 298U);
  EXPECT_EQ(out.processes[0].name, "systemd");
  EXPECT_EQ(out.processes[1].name, "Web Content (2)");
  EXPECT_EQ(out.processes[2].name, "  odd ");
  EXPECT_EQ(out.processes[3].name, "\\xff");
  EXPECT_FALSE(out.processes[0].paged_pool_bytes);
}

TEST(Processes, NotesAndBadRowsAreCounted) {
  Snapshot out;
  const auto rows =
      parse_processes("1 2 a\n!unreadable 312\n!over_limit 4\n!strange 1\n!unreadable x\n-1 2 b\n1 x b\n1 2\n1 2 \n", out);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->unreadable, 312U);
  EXPECT_EQ(rows->over_limit, 4U);
  EXPECT_EQ(rows->skipped, 6U);
  EXPECT_EQ(out.processes.size(), 1U);
}

TEST(Processes, NoProcessIsFineAndNonsenseIsNot) {
  Snapshot out;
  EXPECT_TRUE(parse_processes("", out));
  EXPECT_FALSE(parse_processes("nonsense\n", out));
}

}  // namespace
}  // namespace kmem::linux
