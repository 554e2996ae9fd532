// What says less than it seems to: a count that looks like an hour, the times of copies, a row that is cut before its values,
// a clock that moves, readings of another host behind those of the first. Each is read as far as it is sure, and said.
#include <gmock/gmock.h>

#include <utility>

#include "collectors/base/time_words.h"
#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StrEq;

const std::string kDoubtfulHead = " Tag  Type     Allocs     Frees      Diff     Bytes  Per Alloc\n";

std::string row(const std::string& tag, int live, const std::string& type = "Nonp") {
  return " " + tag + " " + type + " " + std::to_string(1000 + live) + " 1000 " + std::to_string(live) + " " +
         std::to_string(live * 64) + " 64\n";
}

struct Files {
  std::vector<std::string> names;
  std::vector<base::UnixMillis> modified = {};  // none: all alike
};

/// "2026-09-01T00:00:00.001Z 64" of each snapshot: its time, and the first tag's bytes.
std::pair<std::string, test::WholeHistory> read_named(const Files& files) {
  test::MemoryFiles all;
  all.set_modified(99);
  for (std::size_t i = 0; i < files.names.size(); ++i) {
    all.put(files.names[i], kDoubtfulHead + row("Leak", static_cast<int>(i) + 1));
    if (i < files.modified.size()) all.set_modified(files.names[i], files.modified[i]);
  }
  auto whole = test::read_history(all, files.names);
  std::string times;
  for (const Snapshot& snapshot : whole.snapshots)
    times += (times.empty() ? "" : "; ") + base::rfc3339(snapshot.time) + " " +
             (snapshot.tags.empty() ? "-" : std::to_string(snapshot.tags[0].bytes));
  return {times, std::move(whole)};
}

TEST(Doubtful, ANumberBehindTheDateOfANameIsAnHourOnlyWhereItIsSurelyOne) {
  const std::string counted = "2026-09-01T00:00:00Z 64; 2026-09-01T00:00:00.001Z 128; 2026-09-01T00:00:00.002Z 192";
  const std::pair<std::vector<std::string>, std::string> table[] = {
      {{"p-2026-09-01-1.log", "p-2026-09-01-2.log", "p-2026-09-01-3.log"}, counted},
      {{"p-2026-09-01-01.log", "p-2026-09-01-02.log", "p-2026-09-01-03.log"}, counted},
      {{"p_20260901_00.log", "p_20260901_01.log", "p_20260901_02.log"}, counted},
      {{"p_20260901_001.log", "p_20260901_002.log", "p_20260901_003.log"}, counted},
      {{"p_20260901_0001.log", "p_20260901_0002.log", "p_20260901_0003.log"}, counted},
      {{"p_20260901_000001.log", "p_20260901_000002.log", "p_20260901_000003.log"}, counted},
      {{"p 2026-09-01.log", "p 2026-09-01 (2).log", "p 2026-09-01 (3).log"}, counted},
      {{"p-2026-09-01.1.log", "p-2026-09-01.2.log", "p-2026-09-01.3.log"}, counted},
      {{"p-2026090101.log", "p-2026090102.log", "p-2026090103.log"}, counted},
      {{"p-20260901_run1.log", "p-20260901_run2.log", "p-20260901_run3.log"}, counted},
      {{"p 20260901 part 1.log", "p 20260901 part 2.log", "p 20260901 part 3.log"}, counted},
      {{"p-20260901-2.log", "p-20260901-10.log", "p-20260901-30.log"}, counted},
      {{"p-20260901-1.log", "p-20260902-2.log"}, "2026-09-01T00:00:00Z 64; 2026-09-02T00:00:00Z 128"},
      {{"p-20260901-01.log", "p-20260901-02.log", "p-20260902-03.log", "p-20260902-04.log"},
       "2026-09-01T00:00:00Z 64; 2026-09-01T00:00:00.001Z 128; 2026-09-02T00:00:00Z 192; 2026-09-02T00:00:00.001Z 256"},
      {{"p-20260901-01.log", "p-20260902-01.log"}, "2026-09-01T00:00:00Z 64; 2026-09-02T00:00:00Z 128"},
  };
  for (const auto& [names, times] : table) {
    const auto [found, whole] = read_named({names});
    EXPECT_EQ(found, times) << names[0];
    EXPECT_THAT(whole.warnings, Contains(HasSubstr("may count the day's files, and is taken for no hour"))) << names[0];
  }
  const std::pair<std::vector<std::string>, std::string> hours[] = {
      {{"p-20260901-06.log", "p-20260901-12.log"}, "2026-09-01T06:00:00Z 64; 2026-09-01T12:00:00Z 128"},
      {{"p-20260901-6.log", "p-20260901-18.log"}, "2026-09-01T06:00:00Z 64; 2026-09-01T18:00:00Z 128"},
      {{"p-20260901-22.log", "p-20260901-23.log", "p-20260902-00.log"},
       "2026-09-01T22:00:00Z 64; 2026-09-01T23:00:00Z 128; 2026-09-02T00:00:00Z 192"},
      {{"p-20260901_0000.log", "p-20260901_0100.log"}, "2026-09-01T00:00:00Z 64; 2026-09-01T01:00:00Z 128"},
      {{"p-20260901-01h.log"}, "2026-09-01T01:00:00Z 64"},
      {{"p-20260901-1PM.log", "p-20260901-2PM.log"}, "2026-09-01T13:00:00Z 64; 2026-09-01T14:00:00Z 128"},
      {{"p-20260901T01.log", "p-20260901T02.log"}, "2026-09-01T01:00:00Z 64; 2026-09-01T02:00:00Z 128"},
      {{"SRV1-20260901.log", "SRV1-20260902-0005.log"}, "2026-09-01T00:00:00Z 64; 2026-09-02T00:05:00Z 128"},
  };
  for (const auto& [names, times] : hours) {
    const auto [found, whole] = read_named({names});
    EXPECT_EQ(found, times) << names[0];
    EXPECT_THAT(whole.warnings, Not(Contains(HasSubstr("may count")))) << names[0];
  }
  std::vector<std::string> day;
  for (int hour = 0; hour < 24; ++hour)
    day.push_back("p-20260901-" + std::string(hour < 10 ? "0" : "") + std::to_string(hour) + ".log");
  EXPECT_THAT(read_named({day}).first, HasSubstr("2026-09-01T23:00:00Z 1536"));
}

TEST(Doubtful, CopiesAreDatedByTheirFoldersOrNotAtAll) {
  constexpr base::UnixMillis kAt = 1'795'000'000'000;
  for (const std::int64_t apart : {0, 5, 1000, 9000}) {
    const auto [found, whole] =
        read_named({{"a/pool0.log", "a/pool1.log", "a/pool2.log"}, {kAt, kAt + apart, kAt + 2 * apart}});
    EXPECT_EQ(found, "") << apart;
    EXPECT_THAT(whole.error, HasSubstr("modified within 10 seconds of it, as copies and unpacked files are")) << apart;
  }
  EXPECT_EQ(read_named({{"pool0.log", "pool1.log"}, {kAt, kAt + 3'600'000}}).first,
            "2026-11-18T11:06:40Z 64; 2026-11-18T12:06:40Z 128");
  for (const auto& [one, other] : {std::pair<std::string, std::string>{"2026-09-01/pool.log", "2026-09-02/pool.log"},
                                   {"logs/20260901/pool.log", "logs/20260902/pool.log"},
                                   {"2026-09-01/SRV/pool.log", "2026-09-02/SRV/pool.log"},
                                   {"pool_2026-09-01\\pool.log", "pool_2026-09-02\\pool.log"}}) {
    const auto [found, whole] = read_named({{one, other}, {kAt, kAt + 5}});
    EXPECT_EQ(found, "2026-09-01T00:00:00Z 64; 2026-09-02T00:00:00Z 128") << one;
    EXPECT_THAT(whole.warnings, Contains(one + ": no time in the text: it is taken from the name of the file's folder"));
  }
  // The name goes on with the time, or with a count.
  EXPECT_EQ(read_named({{"2026-09-01/0600.log", "2026-09-01/1800.log", "2026-09-02/0600.log"}}).first,
            "2026-09-01T06:00:00Z 64; 2026-09-01T18:00:00Z 128; 2026-09-02T06:00:00Z 192");
  EXPECT_EQ(read_named({{"2026-09-01/06-30.log", "2026-09-01/18-30.log"}}).first,
            "2026-09-01T06:30:00Z 64; 2026-09-01T18:30:00Z 128");
  EXPECT_EQ(read_named({{"20260901/1.log", "20260901/2.log"}}).first, "2026-09-01T00:00:00Z 64; 2026-09-01T00:00:00.001Z 128");
  // A day of which several were copied; a day on which it was written.
  EXPECT_EQ(read_named({{"2026-09-01/pool0.log", "2026-09-01/pool1.log"}, {kAt, kAt + 5}}).first, "");
  EXPECT_EQ(read_named({{"2026-11-18/pool.log"}, {kAt}}).first, "2026-11-18T11:06:40Z 64");
}

std::string at(int hour) { return "2026-11-04 " + std::string(hour < 10 ? "0" : "") + std::to_string(hour) + ":00:00Z\n"; }

TEST(Doubtful, ARowThatIsCutBeforeItsValuesIsNoValue) {
  const std::string rows = row("Leak", 1) + row("Even", 2) + row("AfdX", 3);
  const auto log = [&](const std::string& second) { return at(9) + kDoubtfulHead + rows + at(10) + kDoubtfulHead + second; };
  const std::string two = row("Leak", 4) + row("Even", 5);
  for (const std::string cut : {" AfdX Nonp", " AfdX Non", " AfdX No\n", " AfdX \n", " AfdX", " Afd"}) {
    const test::WholeHistory whole = test::read_text(log(two + cut));
    ASSERT_EQ(whole.snapshots.size(), 2U) << cut << whole.error;
    EXPECT_EQ(whole.skipped_count, 1U) << cut;
    EXPECT_TRUE(whole.snapshots[1].gaps.has(Pool::kNonpaged)) << cut;
    EXPECT_EQ(whole.snapshots[1].tags.size(), 2U) << cut;
  }
  // The next date right behind it.
  for (const std::string cut : {" AfdX ", " AfdX N", " AfdX Nonp     1", " AfdX Nonp 1003 1000", " AfdX Nonp 1003 1000 3 1"}) {
    const test::WholeHistory whole = test::read_text(log(two + cut + at(11) + kDoubtfulHead + rows));
    ASSERT_EQ(whole.snapshots.size(), 3U) << cut << whole.error;
    EXPECT_EQ(whole.skipped_count, 1U) << cut;
    EXPECT_EQ(whole.lost, std::vector<std::string>{"nonpaged AfdX 1"}) << cut;
    EXPECT_TRUE(whole.snapshots[1].gaps.has(Pool::kNonpaged)) << cut;
    EXPECT_EQ(whole.snapshots[2].time - whole.snapshots[1].time, base::kHourMillis) << cut;
    EXPECT_EQ(whole.snapshots[2].tags.size(), 3U) << cut;
  }
}

TEST(Doubtful, TheNextDateStandsBehindADescriptionOrABlank) {
  const std::string rows = row("Leak", 1) + row("Even", 2);
  const test::WholeHistory described = test::read_text(
      at(9) + kDoubtfulHead + rows + " AfdX Nonp 1003 1000 3 192 64 [nt!AfdX - so" + at(10) + kDoubtfulHead + rows);
  ASSERT_EQ(described.snapshots.size(), 2U) << described.error;
  EXPECT_EQ(described.snapshots[0].tags.size(), 3U);
  EXPECT_THAT(described.skipped, IsEmpty());
  const test::WholeHistory blank = test::read_text(at(9) + kDoubtfulHead + rows + " " + at(10) + kDoubtfulHead + rows);
  ASSERT_EQ(blank.snapshots.size(), 2U) << blank.error;
  EXPECT_THAT(blank.skipped, testing::ElementsAre("f:5: a row is cut, and the next date stands behind it"));
  EXPECT_TRUE(blank.snapshots[0].gaps.has(Pool::kNonpaged));
  EXPECT_THAT(test::read_text(" " + at(9) + kDoubtfulHead + rows + " " + at(10) + kDoubtfulHead + rows).skipped, IsEmpty());
}

TEST(Doubtful, RowsOfAHexadecimalTableThatLookDecimalAreRefused) {
  const test::WholeHistory whole =
      test::read_text(at(9) + kDoubtfulHead +
                      " Leak Nonp  16378  15f90  3e8  fa000 400\n CM31 Paged 13880 11170 2710 895440 384\n"
                      " Irp  Nonp  7a1ab  7a120   7c   d900 1c0\n AfdX Nonp 121 111 10 800 80\n" +
                      at(10) + kDoubtfulHead + " AfdX Nonp 122 112 10 800 80\n");
  EXPECT_TRUE(whole.snapshots.empty());
  EXPECT_EQ(whole.skipped_count, 0U) << "all is refused";
}

TEST(Doubtful, TheNextHeadingStandsBehindARow) {
  const auto look = [](int hour, const std::string& rows) {
    return "!LogType=poolsnap\n!SystemTime=11\\04\\2026 " + std::string(hour < 10 ? "0" : "") + std::to_string(hour) +
           ":00:00.0000 (GMT)\n!TickCount=" + std::to_string(hour * 3'600'000) + "\n" + kDoubtfulHead + rows;
  };
  const std::string two = row("Leak", 4) + row("Even", 5);
  for (const std::string cut :
       {" AfdX Nonp 1003 1000 3 192 6", " AfdX Nonp 1003 10", " AfdX Nonp", " AfdX N", " AfdX ", " Af", " "}) {
    const test::WholeHistory whole =
        test::read_text(look(9, two + row("AfdX", 3)) + look(10, two + cut) + look(11, two + row("AfdX", 3)));
    ASSERT_EQ(whole.snapshots.size(), 3U) << cut << whole.error;
    EXPECT_EQ(whole.skipped_count, 1U) << cut;
    EXPECT_EQ(whole.snapshots[1].tags.size(), 2U) << cut;
    EXPECT_TRUE(whole.snapshots[1].gaps.has(Pool::kNonpaged)) << cut;
    EXPECT_EQ(whole.snapshots[2].tags.size(), 3U) << cut;
  }
}

TEST(Doubtful, ColumnsThatSayTheSameAreHeldAgainstEachOther) {
  std::string rows;
  for (int tag = 0; tag < 8; ++tag) rows += row("Tag" + std::to_string(tag), 10 + tag);
  // Of a tag that was right before, and of one where all others are.
  for (const std::string wrong : {" Tag0 Nonp 1010 1000 10 840 64\n", " Tag0 Nonp 1010 1000 10 640 34\n",
                                  " New  Nonp 1010 1000 10 840 64\n", " New  Nonp 1010 1000 10 40 64\n"}) {
    const test::WholeHistory whole =
        test::read_text(at(9) + kDoubtfulHead + rows + at(10) + kDoubtfulHead + wrong + row("Tag1", 11));
    ASSERT_EQ(whole.snapshots.size(), 2U) << whole.error;
    EXPECT_EQ(whole.snapshots[1].tags.size(), 1U) << wrong;
    EXPECT_THAT(whole.skipped, testing::ElementsAre("f:13: Bytes is not Diff times Per Alloc, as it was before")) << wrong;
  }
  const auto dump = [](int hour, const std::string& rows_and_total) {
    return "Debug session time: Fri Nov 13 1" + std::to_string(hour) + ":00:00.000 2026 (UTC + 0:00)\n" +
           "            NonPaged            Paged\n Tag    Allocs     Used    Allocs     Used\n" + rows_and_total;
  };
  const std::string leak = " Leak      10  640         0        0\n", even = " Even      1  64         2        128\n";
  const test::WholeHistory missing = test::read_text(dump(1, leak + even + "TOTAL      11  704         2      128\n") +
                                                     dump(2, leak + "TOTAL      11  704         2      128\n") +
                                                     dump(3, leak + even + "TOTAL      11  704         2      128\n"));
  ASSERT_EQ(missing.snapshots.size(), 3U) << missing.error;
  EXPECT_THAT(missing.skipped,
              testing::ElementsAre("f:11: TOTAL is not the sum of the rows above it: one is missing, or has a wrong number"));
  EXPECT_TRUE(missing.snapshots[1].gaps.has(Pool::kPaged));
  EXPECT_FALSE(missing.snapshots[2].gaps.has(Pool::kPaged));
  const auto script = [](const std::string& cells) {
    const test::WholeHistory whole = test::read_text(
        "DateTime,Tag,NonPagedAllocs,NonPagedFrees,NonPagedDiff,NonPagedUsedBytes\n2026-11-04 09:00:00Z,Leak," + cells + "\n");
    return whole.snapshots.empty() ? whole.error : test::tags_of(whole.snapshots[0]).at(0);
  };
  EXPECT_EQ(script("1010,1000,10,640"), "nonpaged 'Leak' 640 10 32 1010 1000");
  EXPECT_THAT(script("1010,1000,12,640"), HasSubstr("Diff \"12\" is not Allocs less Frees"));
  EXPECT_EQ(script(",,10,640"), "nonpaged 'Leak' 640 10");
}

TEST(Doubtful, CellsThatAreCutOrPartedByBlanksOfSpreadsheets) {
  const test::WholeHistory cut = test::read_text(
      "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\S\\Memory\\Pool Nonpaged Bytes\",\"\\\\S\\Memory\\Committed Bytes\"\n"
      "\"11/13/2026 21:00:00.123\",\"100\",\"200\"\n\"11/13/2026 22:00:00.123\",\"101\",");
  EXPECT_EQ(cut.snapshots.size(), 2U);
  EXPECT_THAT(cut.skipped, testing::ElementsAre("f:3: the file ends within this row"));
  for (const std::string blank : {" ", "\xc2\xa0", "\xe2\x80\xaf"}) {
    const test::WholeHistory whole = test::read_text(
        "DateTime;Tag;PagedUsedBytes;NonPagedUsedBytes\n2026-11-04 09:00:00Z;Leak;0;1" + blank + "024" + blank + "000\n");
    ASSERT_EQ(whole.snapshots.size(), 1U) << whole.error;
    EXPECT_EQ(test::tags_of(whole.snapshots[0]), std::vector<std::string>{"nonpaged 'Leak' 1024000 ?"});
  }
}

TEST(Doubtful, AFewRowsByTagAreReadInOrderOfTime) {
  const std::pair<std::string, std::string> formats[] = {{"DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n", ",0,"},
                                                         {"timestamp,tag,pool,bytes\n", ",nonpaged,"}};
  for (const auto& [head, between] : formats)
    for (const int hours : {3, 5, 6, 12}) {
      std::string text = head;
      for (const std::string tag : {"AfdX", "Even", "Leak", "Toke"})
        for (int hour = 0; hour < hours; ++hour)
          text += at(hour).substr(0, 20) + "," + tag + between + std::to_string(1000 + hour) + "\n";
      const test::WholeHistory whole = test::read_text(text);
      ASSERT_EQ(whole.snapshots.size(), static_cast<std::size_t>(hours)) << head << whole.error;
      for (const Snapshot& snapshot : whole.snapshots) EXPECT_EQ(snapshot.tags.size(), 4U) << head << hours;
      EXPECT_THAT(whole.skipped, IsEmpty()) << head << hours;
    }
}

TEST(Doubtful, TheNextDateStandsBehindSlabtopsLastName) {
  const std::string head = "  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n";
  const std::string slab = "   100    100 100%    1.00K      25        4       100K big_one\n";
  const std::string last = "   200    200 100%    0.50K      25        8       100K dentry";
  for (const std::string& cut : {last, last.substr(0, last.size() - 2), last.substr(0, last.size() - 12)}) {
    const test::WholeHistory whole =
        test::read_text(at(9) + head + slab + last + "\n" + at(10) + head + slab + cut + at(11) + head + slab + last + "\n");
    ASSERT_EQ(whole.snapshots.size(), 3U) << cut << whole.error;
    EXPECT_EQ(whole.skipped_count, 1U) << cut;
    EXPECT_EQ(whole.snapshots[1].tags.size(), 1U) << cut;
    EXPECT_TRUE(whole.snapshots[1].gaps.has(Pool::kSlabUnreclaimable)) << cut;
    EXPECT_EQ(base::rfc3339(whole.snapshots[2].time), "2026-11-04T11:00:00Z") << cut;
  }
}

TEST(Doubtful, TheDebuggerNamesTheMachine) {
  const auto dump = [](const std::string& name, int used) {
    return "Windows 10 Kernel Version 17763 MP (8 procs) Free x64\nMachine Name:" + name +
           "\nDebug session time: Fri Nov 13 18:00:00.000 2026 (UTC + 0:00)\nSystem Uptime: 29 days 0:00:00.000\n"
           "  Pool Used:\n            NonPaged            Paged\n Tag    Allocs     Used    Allocs     Used\n"
           " Leak      1000  " +
           std::to_string(used) + "         0        0\n";
  };
  const auto hosts = [&](const std::string& text) {
    test::MemoryFiles files;
    files.put("kd.log", text);
    HistoryOptions options;
    options.all_hosts = true;
    auto source = open_history(files, {"kd.log"}, options);
    std::string found = source ? "" : source.error().message;
    while (source) {
      Snapshot snapshot;
      EXPECT_TRUE((*source)->read(snapshot).ok());
      found += (*source)->host() + " " + std::to_string(snapshot.tags.at(0).bytes) + "; ";
      if (!(*source)->advance()) break;
    }
    return found;
  };
  EXPECT_EQ(hosts(dump(" SRV1", 64000) + dump(" SRV2", 65000)), "SRV1 64000; SRV2 65000; ");
  EXPECT_EQ(hosts(dump(" \"SRV1\"", 64000) + dump(" \"SRV2\"", 65000)), "SRV1 64000; SRV2 65000; ");
  EXPECT_EQ(hosts(dump(" srv1.corp.example", 64000)), "srv1.corp.example 64000; ");
  EXPECT_EQ(hosts(dump("", 64000)), " 64000; ");
}

TEST(Doubtful, PerfmonsZoneTellsWhereItsClockMoves) {
  const auto csv = [](const std::string& zone, const std::vector<std::string>& times) {
    std::string text = "\"(PDH-CSV 4.0) (" + zone + "\",\"\\\\S\\Memory\\Pool Nonpaged Bytes\"\n";
    for (const std::string& time : times) text += "\"" + time + ":00.000\",\"100\"\n";
    return text;
  };
  const auto read_zone = [&](const std::string& zone, const std::vector<std::string>& times) {
    const test::WholeHistory whole = test::read_text(csv(zone, times));
    std::string found;
    for (const Snapshot& snapshot : whole.snapshots) found += base::rfc3339(snapshot.time).substr(5, 11) + " ";
    for (const std::string& warning : whole.warnings)
      if (warning.find("no boot") == std::string::npos) found += "(" + warning.substr(3, 40) + ")";
    return found;
  };
  const std::vector<std::string> spring = {"03/28/2026 23:00", "03/29/2026 01:00", "03/29/2026 03:00", "03/29/2026 04:00"};
  for (const std::string zone :
       {"W. Europe Standard Time)(-60)", "W. Europe Daylight Time)(-120)", "Romance Standard Time)(-60)",
        "Mitteleurop\xc3\xa4ische Zeit)(-60)", "Mitteleurop\xc3\xa4ische Sommerzeit)(-120)"})
    EXPECT_EQ(read_zone(zone, spring), "03-28T22:00 03-29T00:00 03-29T01:00 03-29T02:00 ") << zone;
  EXPECT_EQ(read_zone("W. Europe Daylight Time)(-120)",
                      {"10/25/2026 01:00", "10/25/2026 02:00", "10/25/2026 02:00", "10/25/2026 03:00"}),
            "10-24T23:00 10-25T00:00 10-25T01:00 10-25T02:00 ");
  EXPECT_EQ(read_zone("Central Standard Time)(360)",
                      {"11/01/2026 00:30", "11/01/2026 01:30", "11/01/2026 01:30", "11/02/2026 09:00"}),
            "11-01T05:30 11-01T06:30 11-01T07:30 11-02T15:00 ");
  EXPECT_EQ(read_zone("Tokyo Standard Time)(-540)", {"03/28/2026 23:00", "03/29/2026 01:00", "04/07/2026 03:00"}),
            "03-28T14:00 03-28T16:00 04-06T18:00 ");
  // Of a name that is not known, or that the minutes do not fit.
  for (const std::string zone : {"Elbonia Standard Time)(-60)", "W. Europe Standard Time)(-240)"})
    EXPECT_EQ(read_zone(zone, {"03/25/2026 09:00", "03/25/2026 12:00", "03/30/2026 11:00", "03/31/2026 11:00"}).size(), 24U)
        << zone;
  EXPECT_THAT(read_zone("Elbonia Standard Time)(-60)", {"01/27/2026 09:00", "01/28/2026 09:00"}), Not(HasSubstr("(")));
}

TEST(Doubtful, FarReadingsAmidALogAreSlips) {
  for (const std::size_t slips : {1U, 2U, 3U, 6U}) {
    std::string text;
    for (int hour = 0; hour < 6; ++hour) text += at(hour) + kDoubtfulHead + row("Leak", 10 + hour);
    for (std::size_t slip = 0; slip < slips; ++slip)
      text += "2036-01-01 0" + std::to_string(slip) + ":00:00Z\n" + kDoubtfulHead + row("Leak", 20);
    for (int hour = 6; hour < 12; ++hour) text += at(hour) + kDoubtfulHead + row("Leak", 10 + hour);
    const test::WholeHistory whole = test::read_text(text);
    EXPECT_EQ(whole.snapshots.size(), 12U) << slips;
    EXPECT_EQ(whole.skipped_count, slips);
    EXPECT_THAT(whole.skipped, Each(HasSubstr("its time lies far ahead of those above and below it"))) << slips;
  }
}

TEST(Doubtful, AnotherHostsReadingsBehindTheFirstsAreSaid) {
  const auto log = [](int from, int to, int first, int step) {
    std::string text;
    for (int hour = from; hour < to; ++hour) {
      text += at(hour) + kDoubtfulHead;
      for (int tag = 0; tag < 10; ++tag) text += row("Tag" + std::to_string(tag), first + step * tag + hour);
    }
    return text;
  };
  const auto says = [](const test::WholeHistory& whole) {
    std::string found;
    for (const std::string& warning : whole.warnings)
      if (warning.find("nearly all tags jump") != std::string::npos) found += warning.substr(0, warning.find(": nearly"));
    return found;
  };
  EXPECT_EQ(says(test::read_text(log(0, 6, 500, 100) + log(6, 12, 2000, -150))), "f: line 73");
  EXPECT_EQ(says(test::read_text(log(0, 12, 500, 100))), "");
  test::MemoryFiles files;
  files.put("SRV1.log", log(0, 6, 500, 100));
  files.put("SRV2.log", log(6, 12, 2000, -150));
  EXPECT_EQ(says(test::read_history(files, {"SRV1.log", "SRV2.log"})), "SRV2.log: line 1");
  // Files of other words: also a few tags that all are larger, days later.
  const auto few = [](const std::string& day, int from) {
    std::string text;
    for (int hour = 10; hour < 15; ++hour)
      text += "2026-11-" + day + " " + std::to_string(hour) + ":00:00Z\n" + kDoubtfulHead + row("Leak", from * 100 + hour) +
              row("Even", from * 200 + hour, "Paged") + row("AfdX", from * 300 + hour) + row("Toke", from * 400 + hour);
    return text;
  };
  files.put("SRV1.log", few("04", 1));
  files.put("SRV2.log", few("08", 3));
  files.put("SRV1-b.log", few("08", 1));
  EXPECT_EQ(says(test::read_history(files, {"SRV1.log", "SRV2.log"})), "SRV2.log: line 1");
  EXPECT_EQ(says(test::read_history(files, {"SRV1.log", "SRV1-b.log"})), "");
}

/// "18:00:00Z 1024; ..." of what a script's CSV has of the tag Leak in nonpaged pool.
std::pair<std::string, test::WholeHistory> read_leak(const std::string& csv) {
  auto whole = test::read_text(csv, 1'795'000'000'000);
  std::string found;
  for (const Snapshot& snapshot : whole.snapshots)
    for (const TagUsage& tag : snapshot.tags)
      if (tag.pool == Pool::kNonpaged)
        found += (found.empty() ? "" : "; ") + base::rfc3339(snapshot.time).substr(11) + " " + std::to_string(tag.bytes);
  return {found, std::move(whole)};
}

TEST(Doubtful, OneMarkWithThreeDigitsBehindItIsReadAsTheColumnsOtherCellsProve) {
  const auto table = [](char separator, const std::vector<std::string>& cells, const std::string& heading = "NonPagedMB") {
    std::string text = std::string("Time") + separator + "Tag" + separator + heading + '\n';
    int hour = 10;
    for (const std::string& cell : cells)
      text += "2026-11-14 " + std::to_string(hour++) + ":00:00" + separator + "Leak" + separator + '"' + cell + "\"\n";
    return text;
  };
  struct Row {
    std::string csv, found;
    std::uint64_t skipped = 0;
  };
  const std::string small = "10:00:00Z 511705", large = "11:00:00Z 536896078";
  const Row rows[] = {
      {table(';', {"0.488", "512.024"}), small + "; " + large},
      {table(',', {"0,488", "512,024"}), small + "; " + large},
      {table(',', {"0.488", "512.024"}), small + "; " + large},
      {table('\t', {"0,488", "512,024"}), small + "; " + large},
      {table(';', {"512.5", "512.024"}), "10:00:00Z 537395200; " + large},
      {table(',', {"512,25", "512,024"}), "10:00:00Z 537133056; " + large},
      {table(';', {"2048.125", "512.024"}), "10:00:00Z 2147614720; " + large},
      {table(';', {"1.024,5", "1.024"}), "10:00:00Z 1074266112; 11:00:00Z 1073741824"},
      {table(',', {"1,024.5", "1,024"}), "10:00:00Z 1074266112; 11:00:00Z 1073741824"},
      {table(',', {"1,234,567", "1,024"}), "10:00:00Z 1294537326592; 11:00:00Z 1073741824"},
      // Nothing tells, or both.
      {table(';', {"512.024", "1.5,5", "1"}), "12:00:00Z 1048576", 2},
      {table(',', {"512,024", "513,048", "1"}), "12:00:00Z 1048576", 2},
      {table(',', {"512,5", "512.5", "512.024"}), "10:00:00Z 537395200; 11:00:00Z 537395200", 1},
      // Bytes have no decimals, whatever another column has.
      {table(',', {"512,024", "0.488"}, "NonPagedUsedBytes"), "10:00:00Z 512024", 1},
      {table(',', {"512000.0", "513024.00", "0.0"}, "NonPagedUsedBytes"), "10:00:00Z 512000; 11:00:00Z 513024"},
      {table(',', {"512000.5", "5.12E+05", "1"}, "NonPagedUsedBytes"), "12:00:00Z 1", 2},
      {table(',', {"1,512,024", "2,048"}, "NonPagedUsedBytes"), "10:00:00Z 1512024; 11:00:00Z 2048"},
      {"Time,Tag,NonPaged%,NonPagedUsedBytes\n2026-11-14 10:00:00,Leak,12,512024\n", "10:00:00Z 512024"},
      {"Time,Tag,NonPagedMB,NonPagedKB\n2026-11-14 10:00:00,Leak,0.49,500\n", "10:00:00Z 512000"},
      {table(';', {"512.024", "512.5", "512"}, "NonPagedUsed"), "12:00:00Z 512", 2},
  };
  for (const auto& [csv, expected, skipped] : rows) {
    const auto [found, whole] = read_leak(csv);
    EXPECT_EQ(found, expected) << csv;
    EXPECT_EQ(whole.skipped_count, skipped) << csv << testing::PrintToString(whole.skipped) << whole.error;
  }
  const auto [found, whole] = read_leak(table(';', {"512,024", "513,048"}));
  EXPECT_EQ(found, "10:00:00Z 536896078; 11:00:00Z 537969820");
  EXPECT_THAT(whole.warnings,
              Contains(HasSubstr("nothing in its column proves whether \"512,024\" (line 2) has thousands or decimals")));
  EXPECT_THAT(read_leak(table(',', {"512,024", "513,048", "1"})).second.skipped,
              Contains(HasSubstr("f:2: bytes \"512,024\" may part thousands or decimals")));
  EXPECT_THAT(read_leak(table(';', {"512.024", "1"})).second.skipped,
              Contains(HasSubstr("may part thousands or decimals, and nothing in its column tells which")));
}

TEST(Doubtful, AColumnThatLooksLikeTimesLeavesTheFilesOwnTimeAlone) {
  const auto named = [](const std::string& name, const std::string& first, const std::string& second) {
    return name + ",Tag,NonPagedUsedBytes\n" + first + ",Leak,512000\n" + second + ",Leak,513024\n";
  };
  EXPECT_EQ(read_leak(named("UnixTime", "1794679200", "1794769200")).first, "18:00:00Z 512000; 19:00:00Z 513024");
  EXPECT_EQ(read_leak(named("Time", "1794679200000", "1794769200500")).first, "18:00:00Z 512000; 19:00:00.500Z 513024");
  EXPECT_EQ(read_leak("Datum;Zeit;Tag;NonPagedUsedBytes\n14.11.2026;18:00;Leak;512000\n15.11.2026;19:00;Leak;513024\n").first,
            "18:00:00Z 512000; 19:00:00Z 513024");
  EXPECT_EQ(read_leak("Datum;Tag;NonPagedUsedBytes\n14.11.2026 18:00;Leak;512000\n").first, "18:00:00Z 512000");
  for (const std::string& csv :
       {named("TimestampMs", "1794679200000", "1794769200000"), named("Stamp", "20261114180000", "20261115190000"),
        named("Zeitpunkt", "46340.75", "46341.8"), named("Run", "1794679200", "1794769200"),
        named("Row", "", "2026-11-15 19:00:00"),
        // Behind what a chat, a tool or a list puts before each line.
        named("[10:00] Bob: DateTime", "[10:01] Bob: \"2026-11-14 18:00:00\"", "[10:02] Bob: \"2026-11-15 19:00:00\""),
        named("srv1\tDateTime", "srv1\t\"11/14/2026 6:00:00 PM\"", "srv1\t\"11/15/2026 7:00:00 PM\""),
        named("(1) Zeit", "(2) 14.11.2026 18:00", "(3) 15.11.2026 19:00"),
        named("L1: Time", "L2: 1794679200", "L3: 1794769200"),
        named("Row", "\x1b[32m2026-11-14 18:00:00\x1b[0m", "2026-11-15 19:00:00")}) {
    const auto [found, whole] = read_leak(csv);
    EXPECT_EQ(found, "") << csv;
    EXPECT_THAT(whole.error + testing::PrintToString(whole.skipped),
                HasSubstr("the header names no column of times, but column 1 has"))
        << csv;
  }
  EXPECT_EQ(read_leak("Row,Tag,NonPagedUsedBytes\n1,Leak,512000\n").first, "11:06:40Z 512000");
  EXPECT_EQ(read_leak("Host,Tag,NonPagedUsedBytes\nsrv1 (rack 4),Leak,512000\n").first, "11:06:40Z 512000");
  // A line of one cell among the rows.
  EXPECT_EQ(read_leak("Row,Tag,NonPagedUsedBytes\n1,Leak,512000\n2026-11-14 18:00:00\n1,Leak,513000\n").first, "");
}

TEST(Doubtful, AZoneInAColumnOfItsOwnIsThatOfTheTimeBesideIt) {
  const auto of_zone = [](const std::string& zone, const std::string& time = "2026-11-14 18:00:00") {
    return read_leak("Time,TimeZone,Tag,NonPagedUsedBytes\n" + time + "," + zone + ",Leak,512000\n");
  };
  const std::pair<std::string, std::string> zones[] = {
      {"+02:00", "16:00:00Z 512000"},    {"UTC+2", "16:00:00Z 512000"}, {"02:00:00", "16:00:00Z 512000"},
      {"-05:00:00", "23:00:00Z 512000"}, {"CET", "17:00:00Z 512000"},   {"W. Europe Standard Time", "17:00:00Z 512000"},
      {"", "18:00:00Z 512000"},          {"Nowhere Standard Time", ""}, {"120", ""}};
  for (const auto& [zone, expected] : zones) EXPECT_EQ(of_zone(zone).first, expected) << zone;
  EXPECT_EQ(of_zone("+02:00", "2026-11-14 18:00:00Z").first, "18:00:00Z 512000");
  const auto [found, whole] = of_zone("Nowhere Standard Time");
  EXPECT_THAT(whole.error + testing::PrintToString(whole.skipped),
              HasSubstr("is of the zone \"Nowhere Standard Time\", which is not known"));
}

std::string debugger_session(const std::string& day, const std::string& uptime) {
  return "Debug session time: " + day + " 18:00:00.000 2026 (UTC + 0:00)\nSystem Uptime: " + uptime + "\n";
}

TEST(Doubtful, HalfOfTheNonpagedPoolIsNotAllOfIt) {
  const std::string title = "*** Virtual Memory Usage ***\n", half = "NonPagedPool Usage: 250 ( 1000 Kb)\n",
                    nx = "NonPagedPoolNx Usage: 50000 ( 200000 Kb)\n", paged = "PagedPool Usage: 10 ( 40 Kb)\n";
  const std::string first = debugger_session("Sat Nov 14", "1 days 0:00:00"),
                    second = debugger_session("Sun Nov 15", "2 days 0:00:00");
  const auto sizes = [](const std::string& text) {
    const test::WholeHistory whole = test::read_text(text);
    std::string found = whole.error;
    for (const Snapshot& snapshot : whole.snapshots)
      for (const PoolTotals& pool : snapshot.pools)
        if (pool.pool == Pool::kNonpaged) found += (pool.bytes ? std::to_string(*pool.bytes) : "?") + " ";
    return found + std::to_string(whole.skipped_count);
  };
  const std::string whole_look = title + half + nx + paged;
  EXPECT_EQ(sizes(first + whole_look + second + whole_look), "205824000 205824000 0");
  EXPECT_EQ(sizes(first + title + half + paged + second + title + half + paged), "1024000 1024000 0");  // an older system
  EXPECT_EQ(sizes(first + whole_look + second + title + half + paged), "205824000 ? 1");
  EXPECT_EQ(sizes(first + title + half + paged + second + whole_look), "? 205824000 1");
  EXPECT_EQ(sizes(first + whole_look + second + title + half), "205824000 ? 1");
  EXPECT_EQ(sizes(first + title + half.substr(0, half.size() - 1) + " " + nx + paged), "205824000 0");
  EXPECT_EQ(sizes(first + title + paged + half + "NonPagedPo"), "? 1");
  EXPECT_EQ(sizes(first + title + paged + half + "NonPagedPoolNx Usage: 500"), "? 1");
}

TEST(Doubtful, ANumberThatTotalShowsToBeCutIsNotWritten) {
  const std::string head =
      "Debug session time: Sat Nov 14 18:00:00.000 2026 (UTC + 0:00)\n            NonPaged            Paged\n"
      " Tag    Allocs     Used    Allocs     Used\n";
  const std::string rows = " Leak        1      512         0        0\n CM25        0        0       100   700000\n";
  const auto with = [&](const std::string& used, const std::string& total) {
    return test::read_text(head + rows + " CM31        0        0     10000   " + used +
                           "\nTOTAL        1      512     10100  " + total + "\n");
  };
  const auto paged = [](const test::WholeHistory& whole) {
    std::string found = whole.error;
    for (const TagUsage& tag : whole.snapshots.at(0).tags)
      if (tag.pool == Pool::kPaged) found += tag.tag + "=" + std::to_string(tag.bytes) + " ";
    return found;
  };
  EXPECT_EQ(paged(with("9000000", "9700000")), "CM25=700000 CM31=9000000 ");
  for (const std::string cut : {"900000", "90000"}) {
    const test::WholeHistory whole = with(cut, "9700000");
    EXPECT_EQ(paged(whole), "CM25=700000 ") << cut;
    EXPECT_THAT(whole.skipped, Contains(HasSubstr("the number of \"CM31\" may be cut"))) << cut;
    EXPECT_TRUE(whole.snapshots[0].gaps.has(Pool::kPaged)) << cut;
  }
  EXPECT_EQ(paged(with("9000000", "9700001")), "CM25=700000 CM31=9000000 ");  // no digits behind a number make it so
}

TEST(Doubtful, ADateThatLostItsTimeIsNoMidnight) {
  const auto log = [](const std::string& one, const std::string& other, const std::string& last) {
    std::string text;
    for (const std::string& stamp : {one, other, last}) text += stamp + "\n" + kDoubtfulHead + row("Leak", 1) + "\n";
    const test::WholeHistory whole = test::read_text(text);
    std::string found = std::to_string(whole.skipped_count);
    for (const Snapshot& snapshot : whole.snapshots) found += " " + base::rfc3339(snapshot.time).substr(8, 8);
    return found;
  };
  EXPECT_EQ(log("2026-11-14 19:00:00", "2026-11-15 19:00:00", "2026-11-16 19:00:00"), "0 14T19:00 15T19:00 16T19:00");
  EXPECT_EQ(log("2026-11-14 19:00:00", "2026-11-15 ", "2026-11-16 19:00:00"), "1 14T19:00 16T19:00");
  EXPECT_EQ(log("2026-11-14 19:00:00", "2026-11-15\n19:00:00", "2026-11-16"), "1 14T19:00 15T19:00");
  EXPECT_EQ(log("2026-11-14", "2026-11-15", "2026-11-16"), "0 14T00:00 15T00:00 16T00:00");
  const auto meminfo = [](const std::string& one, const std::string& other) {
    std::string text;
    for (const std::string& stamp : {one, other, std::string("2026-11-16 19:00:00Z")})
      text +=
          stamp +
          "\nMemTotal:       1000 kB\nMemFree:        500 kB\nSlab:           100 kB\nSReclaimable:    60 kB\nSUnreclaim:      40 kB\n";
    const test::WholeHistory whole = test::read_text(text);
    std::string found = whole.error + std::to_string(whole.skipped_count);
    for (const Snapshot& snapshot : whole.snapshots) found += " " + base::rfc3339(snapshot.time).substr(8, 8);
    return found;
  };
  EXPECT_EQ(meminfo("2026-11-14 19:00:00Z", "2026-11-15"), "1 14T19:00 16T19:00");
  EXPECT_EQ(meminfo("2026-11-14", "2026-11-15 19:00:00Z"), "0 14T00:00 15T19:00 16T19:00");
}

TEST(Doubtful, AnUptimeWithoutItsTimeIsOfTheNextLook) {
  const std::string vm = "*** Virtual Memory Usage ***\nPagedPool Usage: 10 ( 40 Kb)\n";
  const auto boots = [](const std::string& text) {
    const test::WholeHistory whole = test::read_text(text);
    std::string found = whole.error;
    for (const Snapshot& snapshot : whole.snapshots)
      found += snapshot.boot_time ? base::rfc3339(*snapshot.boot_time).substr(5, 5) + " " : "- ";
    return found + std::to_string(whole.skipped_count);
  };
  const std::string first = debugger_session("Sat Nov 14", "1 days 0:00:00"),
                    third = debugger_session("Mon Nov 16", "3 days 0:00:00");
  EXPECT_EQ(boots(first + vm + debugger_session("Sun Nov 15", "2 days 0:00:00") + vm + third + vm), "11-13 11-13 11-13 0");
  EXPECT_EQ(boots(first + vm + "System Uptime: 2 days 0:00:00\n" + vm + third + vm), "11-13 11-13 1");
  // Once a look it may stand below its table.
  EXPECT_EQ(boots("2026-11-14 18:00:00Z\n" + vm + "System Uptime: 1 days 0:00:00\n2026-11-15 18:00:00Z\n" + vm +
                  "System Uptime: 2 days 0:00:00\n"),
            "11-13 11-13 0");
}

}  // namespace
}  // namespace kmem::history
