// Several hosts, or several sizes of page, in one file: told apart where the file shows them, refused where it only shows that
// there are several; and tags that a list lacks once.
#include <gmock/gmock.h>

#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

const std::string kPoolHead = " Tag  Type     Allocs     Frees      Diff     Bytes  Per Alloc\n";

std::string poolmon_at(int hour, int minute, std::uint64_t allocs) {
  const std::string time = (hour < 10 ? "2026-11-14 0" : "2026-11-14 ") + std::to_string(hour) + ":" +
                           (minute < 10 ? "0" : "") + std::to_string(minute) + "Z\n";
  return time + kPoolHead + " Leak Nonp " + std::to_string(allocs) + " 500 " + std::to_string(allocs - 500) + " " +
         std::to_string((allocs - 500) * 1024) + " 1024\n Thre Nonp " + std::to_string(allocs / 10) + " 80 " +
         std::to_string(allocs / 10 - 80) + " " + std::to_string((allocs / 10 - 80) * 1216) + " 1216\n\n";
}

std::string of_host(std::uint64_t first, int minute) {
  std::string text;
  for (int hour = 1; hour < 24; hour += 6) text += poolmon_at(hour, minute, first + 100 * static_cast<std::uint64_t>(hour));
  return text;
}

/// "host allocations of Leak", by time.
std::vector<std::string> hosts_of(const std::string& text, std::string& error) {
  test::MemoryFiles files;
  files.put("f", text);
  HistoryOptions options;
  options.all_hosts = true;
  std::vector<std::string> lines;
  for (int looks = 0; looks < kMostLooks; ++looks) {
    auto source = open_history(files, {"f"}, options);
    lines.clear();
    error = source ? "" : source.error().message;
    if (!source) return {};
    do {
      Snapshot look;
      EXPECT_TRUE((*source)->read(look).ok());
      for (const TagUsage& tag : look.tags)
        if (tag.tag == "Leak") lines.push_back((*source)->host() + " " + std::to_string(tag.bytes));
    } while ((*source)->advance());
    if ((*source)->learned() == options.learned) break;
    options.learned = (*source)->learned();
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

struct TwoNamed {
  std::string name, first, second;  // the lines above each host's readings
};
void PrintTo(const TwoNamed& one, std::ostream* out) { *out << one.name; }

class HostsInAFile : public testing::TestWithParam<TwoNamed> {};

TEST_P(HostsInAFile, AreToldApartByTheLineAboveTheirReadings) {
  std::vector<std::string> expected;
  for (const auto& [host, first] : {std::pair{"SRV1", 1000}, std::pair{"SRV2", 7000}})
    for (int hour = 1; hour < 24; hour += 6)
      expected.push_back(host + (" " + std::to_string((first + 100 * hour - 500) * 1024)));
  std::sort(expected.begin(), expected.end());
  for (const int minute : {0, 7}) {  // the same times, and others
    std::string error;
    EXPECT_THAT(hosts_of(GetParam().first + "\n" + of_host(1000, 0) + GetParam().second + "\n" + of_host(7000, minute), error),
                ElementsAreArray(expected));
    EXPECT_EQ(error, "");
  }
}

INSTANTIATE_TEST_SUITE_P(Tools, HostsInAFile,
                         testing::Values(TwoNamed{"Ansible", "SRV1 | CHANGED | rc=0 >>", "SRV2 | CHANGED | rc=0 >>"},
                                         TwoNamed{"head -v", "==> SRV1.log <==", "==> SRV2.log <=="},
                                         TwoNamed{"a heading", "===== SRV1 =====", "===== SRV2 ====="},
                                         TwoNamed{"a prompt of Windows", "SRV1\\admin> poolmon", "SRV2\\admin> poolmon"},
                                         TwoNamed{"PowerShell's remote prompt", "[SRV1]: PS C:\\> .\\pool.ps1",
                                                  "[SRV2]: PS C:\\> .\\pool.ps1"},
                                         TwoNamed{"a prompt of ssh", "root@SRV1:~# cat pool.log", "root@SRV2:~# cat pool.log"},
                                         TwoNamed{"a list of PowerShell", "PSComputerName : SRV1", "PSComputerName : SRV2"}),
                         [](const auto& each) {
                           std::string name;
                           for (const char c : each.param.name)
                             if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) name += c;
                           return name;
                         });

TEST(TwoHosts, AreRefusedWhereNothingNamesThem) {
  std::string mixed;
  for (int hour = 1; hour < 24; hour += 6)
    mixed += poolmon_at(hour, 0, 1000 + 100 * static_cast<std::uint64_t>(hour)) +
             poolmon_at(hour, 7, 7000 + 100 * static_cast<std::uint64_t>(hour));
  EXPECT_THAT(test::read_text(mixed).error, HasSubstr("counters fall and rise again from reading to reading"));
  // One behind the other, at other minutes, and at the same ones.
  EXPECT_THAT(test::read_text("one\n" + of_host(1000, 0) + "two\n" + of_host(7000, 7)).error,
              HasSubstr("readings of two hosts"));
  EXPECT_THAT(test::read_text(of_host(1000, 0) + of_host(7000, 0)).error,
              HasSubstr("at the same times nearly all values are others"));
  // Amounts that a script calls counters go up and down.
  std::string noise = "timestamp,pool,tag,bytes,allocs,frees\n";
  for (int hour = 10; hour < 24; ++hour)
    for (int tag = 0; tag < 9; ++tag)
      noise += "2026-11-14T" + std::to_string(hour) + ":00:00Z,nonpaged,T" + std::to_string(tag) + ",90000," +
               std::to_string(100'000 + (hour * 7919 + tag * 104'729) % 997) + ",0\n";
  EXPECT_EQ(test::read_text(noise).error, "");
  // A restart, and one host's own readings twice, are none.
  EXPECT_EQ(
      test::read_text(of_host(7000, 0) + "2026-11-14 23:00Z\n" + kPoolHead + " Leak Nonp 600 500 100 102400 1024\n").error, "");
  EXPECT_EQ(test::read_text(of_host(7000, 0) + of_host(7000, 0)).error, "");
  EXPECT_EQ(test::read_text("=== poolmon ===\n" + of_host(7000, 0) + "=== memory ===\n" + of_host(7000, 0)).error, "");
}

TEST(TwoHosts, OfACsvAreToldByTheirColumnInOtherLanguages) {
  for (const std::string column : {"Rechner", "System", "Device", "Ordinateur", "Equipo"}) {
    std::string text = "Time," + column + ",Tag,NonPagedUsedBytes,PagedUsedBytes\n";
    for (int hour = 18; hour < 22; ++hour)
      for (int host = 1; host < 3; ++host)
        text += "2026-11-14 " + std::to_string(hour) + ":00:00Z,SRV" + std::to_string(host) + ",Leak," +
                std::to_string(1'000'000 * host + hour) + ",0\n";
    std::string error;
    EXPECT_THAT(hosts_of(text, error), Contains("SRV2 2000021")) << column << error;
  }
  std::string unknown = "Time,Kiste,Tag,NonPagedUsedBytes,PagedUsedBytes\n";
  for (int hour = 18; hour < 23; ++hour)
    for (int host = 1; host < 3; ++host)
      unknown += "2026-11-14 " + std::to_string(hour) + ":0" + std::to_string(host) + ":00Z,K" + std::to_string(host) +
                 ",Leak," + std::to_string(1'000'000 * host * host + hour) + ",0\n";
  const auto read = test::read_text(unknown);
  EXPECT_EQ(read.error, "");
  EXPECT_THAT(read.warnings, Contains(HasSubstr("values go up and down by half")));
}

std::string at_hour(int step, const std::string& line = "") {  // twelve hours a step
  const int day = 1 + step / 2;
  return line + (day < 10 ? "2026-11-0" : "2026-11-") + std::to_string(day) + (step % 2 == 0 ? " 02:00Z\n" : " 14:00Z\n");
}

std::string vmstat_rows(std::uint64_t times) {
  std::string rows = "Cache                       Num  Total   Size  Pages\n";
  for (const std::string cache : {"dentry", "inode_cache", "buffer_head"})
    rows += cache + " " + std::to_string(20'000 * times) + " " + std::to_string(21'000 * times) + " 192 21\n";
  return rows;
}

TEST(OneHost, ThatIsHighAndLowInTurnIsReadWithAWord) {
  for (const std::string line : {"", "=== web1 ===\n"}) {
    std::string text;
    for (int step = 0; step < 12; ++step) text += at_hour(step, line) + vmstat_rows(step % 2 == 0 ? 3 : 1);
    const auto read = test::read_text(text);
    EXPECT_EQ(read.error, "");
    ASSERT_EQ(read.snapshots.size(), 12U) << line;
    EXPECT_THAT(read.warnings, Contains(HasSubstr("values go up and down by half from reading to reading"))) << line;
  }
  // Counters prove two, unless one line above all, or the user, names one.
  std::string mixed;
  for (int hour = 1; hour < 24; hour += 6)
    mixed += poolmon_at(hour, 0, 1000 + 100 * static_cast<std::uint64_t>(hour)) +
             poolmon_at(hour, 7, 7000 + 100 * static_cast<std::uint64_t>(hour));
  const auto named = test::read_text("=== web1 ===\n" + mixed);
  EXPECT_EQ(named.error, "");
  EXPECT_THAT(named.warnings, Contains(HasSubstr("all are taken as one host's, which a line above them names")));
}

/// Tables of six tags at `hour`; `host` has amounts and counters of its own.
std::string tags_at(int hour, std::uint64_t host, bool are_counted = true) {
  std::string text = (hour < 10 ? "2026-11-14 0" : "2026-11-14 ") + std::to_string(hour) + ":00Z\n" + kPoolHead;
  for (std::uint64_t tag = 0; tag < 6; ++tag) {
    const std::uint64_t live = 100 + (tag * 7919 + host * 104'729) % 5000;
    const std::uint64_t frees = are_counted ? (tag * 7907 + host * 3571) % 9000 + 10 * static_cast<std::uint64_t>(hour) : 0;
    text += (tag == 0 ? " Leak Nonp " : " T00" + std::to_string(tag) + " Nonp ") + std::to_string(live + frees) + " " +
            std::to_string(frees) + " " + std::to_string(live) + " " + std::to_string(live * 64) + " 64\n";
  }
  return text + "\n";
}

std::string leak_of(std::uint64_t host) { return std::to_string((100 + host * 104'729 % 5000) * 64); }

TEST(OneHost, HasLinesAboveItsDatesThatTellWhenAndNotWhose) {
  for (const auto& [one, other] : {std::pair<std::string, std::string>{"=== before ===", "=== after ==="},
                                   {"=== day ===", "=== night ==="},
                                   {"=== AM ===", "=== PM ==="},
                                   {"### Mon ###", "### Tue ###"},
                                   {"run1", "run2"},
                                   {"=== v1.2 ===", "=== v1.3 ==="},
                                   {"=== blue ===", "=== green ==="},  // counters rise through both
                                   {"=== node1 ===", "=== node2 ==="}}) {
    std::string text, error;
    std::vector<std::string> expected(8, " " + leak_of(1));
    for (int hour = 1; hour < 9; ++hour) text += (hour % 2 == 0 ? one : other) + "\n" + tags_at(hour, 1);
    EXPECT_THAT(hosts_of(text, error), ElementsAreArray(expected)) << one << error;
  }
}

TEST(HostsOfLines, AreToldByNamesWhereTheLevelsChangeWithThem) {
  for (const auto& [one, other] : {std::pair<std::string, std::string>{"=== SRV1 ===", "=== SRV2 ==="},
                                   {"==> SRV1.log <==", "==> SRV2.log <=="},
                                   {"SRV1", "SRV2"}}) {
    std::string error;
    const std::string a = "SRV1 " + leak_of(1), b = "SRV2 " + leak_of(2);
    // A look of each, weeks that do not meet, and one look amid the other's.
    EXPECT_THAT(hosts_of(one + "\n" + tags_at(1, 1) + other + "\n" + tags_at(2, 2), error), ElementsAre(a, b)) << one << error;
    EXPECT_THAT(hosts_of(one + "\n" + tags_at(1, 1) + tags_at(2, 1) + other + "\n" + tags_at(12, 2) + tags_at(13, 2), error),
                ElementsAre(a, a, b, b))
        << one << error;
    std::string amid = one + "\n";
    for (int hour = 1; hour < 6; ++hour) amid += tags_at(hour, 1);
    amid += other + "\n" + tags_at(6, 2) + one + "\n";
    for (int hour = 7; hour < 10; ++hour) amid += tags_at(hour, 1);
    EXPECT_THAT(hosts_of(amid, error), ElementsAre(a, a, a, a, a, a, a, a, b)) << one << error;
  }
}

TEST(TwoHosts, OneReadingOfAnotherAmidIsPassedOver) {
  for (const std::string top : {"", "=== SRV1 ===\n"}) {
    std::string text = top, error;
    for (int hour = 1; hour < 9; ++hour) text += tags_at(hour, hour == 5 ? 2 : 1);
    EXPECT_THAT(hosts_of(text, error), ElementsAreArray(std::vector<std::string>(7, " " + leak_of(1)))) << error;
  }
  // Of as few, it may be either's.
  EXPECT_THAT(test::read_text(tags_at(1, 1) + tags_at(2, 2) + tags_at(3, 1) + tags_at(4, 2)).error,
              HasSubstr("line 10: readings of two hosts"));
}

TEST(SlabPages, AreThoseThatObjectsNeed) {
  const std::string head =
      "2026-11-14 18:00Z\nslabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> "
      "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n";
  const auto row = [](const std::string& numbers, const std::string& slabs) {
    return numbers + " : tunables 0 0 0 : slabdata " + slabs + " " + slabs + " 0\n";
  };
  const auto read = [&](const std::string& rows) { return test::read_text(head + rows); };
  const auto of_64 = read(row("dentry 34100 34100 192 341 1", "100"));
  ASSERT_EQ(of_64.snapshots.size(), 1U);
  EXPECT_THAT(test::tags_of(of_64.snapshots[0]), ElementsAre(HasSubstr("'dentry' 6553600 ")));
  EXPECT_THAT(of_64.warnings, Contains(HasSubstr("pages of 65536 bytes are taken")));
  const auto of_16 = read(row("dentry 8500 8500 192 85 1", "100") + row("kmalloc-8k 40 40 8192 4 2", "10"));
  ASSERT_EQ(of_16.snapshots.size(), 1U);
  EXPECT_THAT(test::tags_of(of_16.snapshots[0]),
              ElementsAre(HasSubstr("'dentry' 1638400 "), HasSubstr("'kmalloc-8k' 327680 ")));
  // One row among others is damaged.
  const auto damaged = read(row("dentry 2100 2100 192 21 1", "100") + row("files 160 160 512 16 2", "10") +
                            row("kmalloc-4k 80 80 4096 8 1", "10") + row("kmalloc-1k 160 160 1024 16 4", "10"));
  ASSERT_EQ(damaged.snapshots.size(), 1U);
  EXPECT_THAT(test::tags_of(damaged.snapshots[0]),
              ElementsAre(HasSubstr("'dentry' 409600 "), HasSubstr("'files' 81920 "), HasSubstr("'kmalloc-1k' 163840 ")));
  EXPECT_THAT(damaged.skipped, ElementsAre(HasSubstr("f:6: its objects do not fit its slabs of pages of 4096 bytes")));
  EXPECT_TRUE(damaged.snapshots[0].gaps.has(Pool::kSlabUnreclaimable));
}

TEST(MissingRows, OfTagsStampedOneByOneAreUnknown) {
  std::string text = "timestamp,pool,tag,bytes\n";
  for (int round = 0; round < 6; ++round)
    for (int tag = 0; tag < 3; ++tag)
      text += "2026-11-14T" + std::to_string(10 + round) + ":0" + std::to_string(2 * tag) + ":00Z,nonpaged,T" +
              std::to_string(tag) + "," + std::to_string(1000 + 300 * round + tag) + "\n";
  const auto read = test::read_text(text);
  ASSERT_EQ(read.snapshots.size(), 18U);
  for (const Snapshot& look : read.snapshots) EXPECT_TRUE(look.gaps.has(Pool::kNonpaged));
  EXPECT_THAT(read.warnings, Contains(HasSubstr("rows are missing here and there")));
}

TEST(MissingRows, OfOneListAreUnknownWhereTheSameComesAgain) {
  std::string text = "timestamp,pool,tag,bytes\n";
  for (int hour = 10; hour < 14; ++hour)
    for (int tag = 0; tag < 4; ++tag)
      if (hour != 12 || tag != 2)
        text += "2026-11-14T" + std::to_string(hour) + ":00:00Z,nonpaged,T" + std::to_string(tag) + "," +
                std::to_string(50'000 + tag + (tag == 0 ? hour : 0)) + "\n";
  const auto read = test::read_text(text);
  ASSERT_EQ(read.snapshots.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(read.snapshots[i].gaps.has(Pool::kNonpaged), i == 2) << i;
  EXPECT_THAT(read.warnings, ElementsAre(HasSubstr("or the same bytes, which show that it was there all the time")));
}

}  // namespace
}  // namespace kmem::history
