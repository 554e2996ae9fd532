#include <gmock/gmock.h>

#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using test::read_fixture;
using test::read_text;
using test::tags_of;
using test::totals_of;
using test::WholeHistory;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr base::UnixMillis kMay1At4 = 1'714'536'000'000;  // 2024-05-01T04:00:00Z
constexpr base::UnixMillis kOneHour = 3'600'000;
constexpr base::UnixMillis kMay1At6 = kMay1At4 + 2 * kOneHour;
constexpr std::uint64_t kKib = 1024;

const std::string kHeader = " Tag  Type     Allocs     Frees      Diff   Bytes  Per Alloc\n";

TEST(TextHistory, AScreenWithWideValuesDeltasAndDrivers) {
  const WholeHistory found = read_fixture("poolmon_screen.txt");
  ASSERT_EQ(found.snapshots.size(), 1U) << found.error;
  const Snapshot& screen = found.snapshots[0];
  EXPECT_EQ(screen.system, System::kWindows);
  EXPECT_EQ(screen.time, kMay1At4);
  EXPECT_THAT(tags_of(screen),
              ElementsAre("nonpaged 'EtwB' 21474836480 7295 32 4294967295 4294960000",
                          "nonpaged 'Irp ' 4645936 13665 32 75321006 75307341", "nonpaged 'Leak' 1468006400 14 32 14 0",
                          "paged 'MmSt' 28019248 8266 32 997690 989424"));
  EXPECT_THAT(totals_of(screen), ElementsAre(Pair("available", 1204220 * kKib), Pair("commit", 12798116 * kKib),
                                             Pair("commit.limit", 32880828 * kKib), Pair("commit.peak", 12958348 * kKib),
                                             Pair("nonpaged.bytes", 168816 * kKib), Pair("paged.bytes", 303892 * kKib),
                                             Pair("paged.resident", 248372 * kKib), Pair("physical", 8388608 * kKib)));
  EXPECT_FALSE(screen.boot_time);
  EXPECT_THAT(found.skipped, IsEmpty());
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST(TextHistory, ALogWithoutDeltasInCrlfBelowDates) {
  const WholeHistory found = read_fixture("poolmon_log_crlf.txt");
  ASSERT_EQ(found.snapshots.size(), 3U) << found.error;
  EXPECT_EQ(found.snapshots[0].time, kMay1At6);
  EXPECT_EQ(found.snapshots[1].time, kMay1At6 + 36 * kOneHour + kOneHour / 2);
  EXPECT_EQ(found.snapshots[2].time, kMay1At6 + (12 * 24 - 6) * kOneHour + 15 * 60'000 + 30'000);
  EXPECT_THAT(tags_of(found.snapshots[0]),
              ElementsAre("nonpaged 'Irp ' 4480 10 32 500 490", "nonpaged 'Leak' 61440 60 32 100 40"));
  EXPECT_THAT(tags_of(found.snapshots[1]),
              ElementsAre("nonpaged 'Irp ' 4480 10 32 500 490", "nonpaged 'Leak' 92160 90 32 130 40"));
  EXPECT_THAT(tags_of(found.snapshots[2]),
              ElementsAre("nonpaged 'Irp ' 4480 10 32 500 490", "nonpaged 'Leak' 122880 120 32 160 40"));
  EXPECT_THAT(totals_of(found.snapshots[0]), IsEmpty());
  EXPECT_THAT(found.skipped, IsEmpty());
  EXPECT_THAT(found.warnings, ElementsAre("fixtures/history/poolmon_log_crlf.txt: times without a zone are taken as UTC"));
}

TEST(TextHistory, OverflownDiffAndBytesAreMended) {
  const WholeHistory found = read_fixture("poolmon_signed.txt");
  ASSERT_EQ(found.snapshots.size(), 1U) << found.error;
  EXPECT_EQ(found.snapshots[0].time, kMay1At6 + 500);
  // Neg1 and Neg2 were freed more often than allocated: nothing of them is alive.
  EXPECT_THAT(tags_of(found.snapshots[0]),
              ElementsAre("nonpaged 'Big1' 3000000000 3000000000 32 3000000100 100", "nonpaged 'Neg2' 192 0 32 100 103",
                          "paged 'Wrap' 1056 11 32 5 4294967290"));
  EXPECT_THAT(found.skipped, IsEmpty());
}

TEST(TextHistory, BytesOfACodePage) {
  const WholeHistory found = read_fixture("poolmon_cp1252.txt");
  ASSERT_EQ(found.snapshots.size(), 1U) << found.error;
  EXPECT_EQ(found.snapshots[0].time, kMay1At6 - 6 * kOneHour);
  EXPECT_THAT(tags_of(found.snapshots[0]), ElementsAre("nonpaged 'R\\xe9s1' 576 6 32 10 4", "paged '\\x80uro' 64 1 32 10 9"));
  EXPECT_THAT(found.skipped, IsEmpty());
}

TEST(TextHistory, WhatPeoplePost) {
  const std::string file = "fixtures/history/poolmon_posted.txt";
  const WholeHistory found = read_fixture("poolmon_posted.txt");
  ASSERT_EQ(found.snapshots.size(), 2U) << found.error;
  EXPECT_EQ(found.snapshots[0].time, kMay1At6 + 12 * kOneHour);
  EXPECT_EQ(found.snapshots[1].time, kMay1At6 + 36 * kOneHour);
  EXPECT_THAT(tags_of(found.snapshots[0]),
              ElementsAre("nonpaged 'Irp ' 4480 10 32 500 490", "nonpaged 'Leak' 1024000 1000 32 1000 0"));
  EXPECT_EQ(found.snapshots[0].physical_memory_bytes, 4193848 * kKib);
  EXPECT_THAT(tags_of(found.snapshots[1]),
              ElementsAre("nonpaged 'Irp ' 4480 10 32 510 500", "nonpaged 'Leak' 2048000 2000 32 2000 0"));
  EXPECT_FALSE(found.snapshots[1].physical_memory_bytes);
  EXPECT_THAT(found.skipped,
              ElementsAre(file + ":15: the row ends before Diff", file + ":16: Per Alloc is not a number that fits",
                          file + ":17: Allocs is not a number that fits", file + ":18: not a row of this table",
                          file + ":19: the snapshot has this tag already"));
}

TEST(TextHistory, SessionPools) {
  const WholeHistory found = read_fixture("poolmon_sessions.txt");
  ASSERT_EQ(found.snapshots.size(), 1U) << found.error;
  EXPECT_EQ(found.snapshots[0].time, kMay1At6);
  EXPECT_THAT(tags_of(found.snapshots[0]), IsEmpty());
  EXPECT_EQ(totals_of(found.snapshots[0]).at("paged.bytes"), 27220 * kKib);
  EXPECT_THAT(found.skipped, ElementsAre("fixtures/history/poolmon_sessions.txt:4: pools of all sessions together: not the "
                                         "system's, and of no session; the table below is passed over"));
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST(TextHistory, WithoutDatesTheOnlyTableHasTheFilesTime) {
  const std::string two = *base::read_file(base::os_file_system(), "fixtures/history/poolmon_undated.txt", 10'000);
  test::MemoryFiles files;
  files.put("f", two);
  files.put("g", two.substr(0, two.rfind("Tag  Type")));
  files.set_modified(kMay1At6);
  EXPECT_EQ(
      test::read_history(files, {"f"}).error,
      "no usable history: f:1: no date above this table, nor is it the only one of a file without dates; nothing usable is in this file");
  const WholeHistory found = test::read_history(files, {"g"});
  ASSERT_EQ(found.snapshots.size(), 1U) << found.error;
  EXPECT_EQ(found.snapshots[0].time, kMay1At6);
  EXPECT_THAT(tags_of(found.snapshots[0]), ElementsAre("nonpaged 'Leak' 1024 10 32 10 0"));
  EXPECT_THAT(found.warnings, ElementsAre("g: no time in the text: its only table gets the time the file was modified"));
}

TEST(TextHistory, AmongDatedTablesOneWithoutADateIsSkipped) {
  const std::string table = kHeader + " Leak Nonp 9 4 5 500 100\n";
  const WholeHistory found = read_text("2024-05-01 04:00Z\n" + table + "\n" + table);
  ASSERT_EQ(found.snapshots.size(), 1U);
  EXPECT_EQ(found.snapshots[0].time, kMay1At4);
  EXPECT_THAT(found.skipped, ElementsAre("f:5: no date above this table, nor is it the only one of a file without dates"));
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST(TextHistory, MemsnapGivesProcesses) {
  const WholeHistory found = read_fixture("memsnap.log");
  ASSERT_EQ(found.snapshots.size(), 2U) << found.error;
  EXPECT_EQ(found.snapshots[0].time, kMay1At6 + 250);
  EXPECT_EQ(found.snapshots[0].boot_time, kMay1At6 + 250 - kOneHour);
  ASSERT_EQ(found.snapshots[0].processes.size(), 2U);
  const ProcessUsage& system = found.snapshots[0].processes[0];
  EXPECT_EQ(system.pid, 4U);
  EXPECT_EQ(system.name, "System");
  EXPECT_EQ(system.handles, 512U);
  const ProcessUsage& leaky = found.snapshots[0].processes[1];
  EXPECT_EQ(leaky.pid, 0x1a4U);
  EXPECT_EQ(leaky.name, "Leaky Svc.exe");
  EXPECT_EQ(leaky.paged_pool_bytes, 12345U);
  EXPECT_EQ(leaky.nonpaged_pool_bytes, 6789U);
  EXPECT_EQ(leaky.handles, 1234U);
  ASSERT_EQ(found.snapshots[1].processes.size(), 1U);
  EXPECT_EQ(found.snapshots[1].processes[0].handles, 2234U);
  EXPECT_EQ(found.snapshots[1].boot_time, found.snapshots[0].boot_time);  // 10 ms off is the same boot
  EXPECT_THAT(found.skipped, ElementsAre("fixtures/history/memsnap.log:10: the process has not the 7 numbers of the header"));
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST(TextHistory, PoolsnapAndAWrappedTickCount) {
  const WholeHistory found = read_fixture("poolsnap.log");
  ASSERT_EQ(found.snapshots.size(), 3U) << found.error;
  EXPECT_THAT(tags_of(found.snapshots[0]), ElementsAre("nonpaged 'Leak' 640 10 32 10 0"));
  EXPECT_EQ(found.snapshots[0].boot_time, kMay1At6 - 4'294'000'000);
  EXPECT_EQ(found.snapshots[1].time, kMay1At6 + 24 * kOneHour);
  EXPECT_EQ(found.snapshots[1].boot_time, found.snapshots[0].boot_time);
  EXPECT_EQ(found.snapshots[2].boot_time, kMay1At6 + 25 * kOneHour - 5000);
}

TEST(TextHistory, TheDebuggersVmAndPoolusedAreOneSnapshot) {
  const WholeHistory found = read_fixture("debugger.txt");
  ASSERT_EQ(found.snapshots.size(), 1U) << found.error;
  const Snapshot& dump = found.snapshots[0];
  EXPECT_EQ(dump.time, kMay1At6 + 5 * kOneHour + 250);
  EXPECT_THAT(tags_of(dump), ElementsAre("nonpaged '1394' 520 1", "nonpaged 'Irp ' 537600 1200",
                                         "nonpaged 'Leak' 1468006400 14", "paged '1394' 96 2"));
  EXPECT_THAT(totals_of(dump),
              ElementsAre(Pair("available", 480000 * kKib), Pair("commit", 1000000 * kKib),
                          Pair("commit.limit", 4000000 * kKib), Pair("nonpaged.bytes", 81536 * kKib),
                          Pair("paged.bytes", 120000 * kKib), Pair("physical", 2096568 * kKib), Pair("ptes", 33444)));
  EXPECT_THAT(found.skipped, ElementsAre("fixtures/history/debugger.txt:29: the row ends before paged Allocs"));
}

TEST(TextHistory, Utf16OfARedirection) {
  std::string wide = "\xff\xfe";
  for (const char c : "2024-05-01 06:00:00 +0200\r\n" + kHeader + " R\xe9s1 Nonp 9 4 5 500 100\r\n") {
    wide += c;
    wide += '\0';
  }
  const WholeHistory found = read_text(wide);
  ASSERT_EQ(found.snapshots.size(), 1U) << found.error;
  EXPECT_EQ(found.snapshots[0].time, kMay1At4);
  EXPECT_THAT(tags_of(found.snapshots[0]), ElementsAre("nonpaged 'R\\xe9s1' 500 5 32 9 4"));
}

TEST(TextHistory, BrokenHeadersAndLongLines) {
  const WholeHistory found =
      read_text("Memory: x Avail: 5K\nCommit: yK Limit: 5K\n!SystemTime=May 1\n" + std::string(70'000, 'x') +
                "\n2024-05-01 04:00Z\n" + kHeader + " Leak Nonp 9 4 5 500 100\n");
  ASSERT_EQ(found.snapshots.size(), 1U);
  EXPECT_EQ(found.snapshots[0].time, kMay1At4);
  EXPECT_THAT(totals_of(found.snapshots[0]), IsEmpty());
  EXPECT_THAT(found.skipped,
              ElementsAre("f:1: Memory or Avail is not a number of K", "f:2: Commit or Limit is not a number of K",
                          "f:3: SystemTime is not MM\\DD\\YYYY HH:MM:SS", "f:4: longer than 65536 bytes"));
}

TEST(TextHistory, RowsOfASnapshotAreBounded) {
  std::string text = "2024-05-01 04:00Z\n" + kHeader;
  for (int i = 0; i < 65'538; ++i) {
    char row[64];
    (void)snprintf(row, sizeof row, " %c%c%c%c Nonp 9 4 5 500 100\n", 'A' + i % 26, 'A' + i / 26 % 26, 'A' + i / 676 % 26,
                   'A' + i / 17576 % 26);
    text += row;
  }
  const WholeHistory found = read_text(text);
  ASSERT_EQ(found.snapshots.size(), 1U);
  EXPECT_EQ(found.snapshots[0].tags.size(), 65'536U);
  EXPECT_THAT(found.skipped, ElementsAre("f:65539: too many rows in one snapshot", "f:65540: too many rows in one snapshot"));
}

TEST(TextHistory, ProseIsNoTable) {
  const WholeHistory found = read_text("The Paged pool is 3 GB since 2024-05-01 12:00, what can I do?\n");
  EXPECT_EQ(found.error,
            "no usable history: f: nothing usable; expected a capture, CSV with the columns timestamp, pool, tag and "
            "bytes, poolmon or memsnap text, perfmon CSV, /proc files or slabtop below dates, sar -r ALL, or an answer "
            "of Prometheus");
}

}  // namespace
}  // namespace kmem::history
