// Neighbours of what people posted: each is read right, or refused by line and cause; none is quietly something else.
#include <gmock/gmock.h>

#include "collectors/base/time_words.h"
#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using testing::Contains;
using testing::HasSubstr;

const std::string kSmallTable = " Tag  Type Allocs Frees Diff Bytes Per Alloc\n Leak Nonp 2 1 1 64 64\n";

std::string time_of(const std::string& path, const std::string& text) {
  test::MemoryFiles files;
  files.put(path, text);
  files.set_modified(99);
  const test::WholeHistory whole = test::read_history(files, {path});
  return whole.snapshots.empty() ? whole.error : base::rfc3339(whole.snapshots[0].time);
}

TEST(Neighbours, NumbersOfVmInGroupsOfThousands) {
  const auto totals = [](const std::string& line) {
    const test::WholeHistory whole = test::read_text("2026-11-05 18:00:00Z\n" + line + "\nPagedPool Usage: 1 ( 4 Kb)\n");
    EXPECT_EQ(whole.snapshots.size(), 1U);
    const auto found = test::totals_of(whole.snapshots.at(0));
    return found.contains("nonpaged.bytes") ? std::to_string(found.at("nonpaged.bytes"))
           : whole.skipped.empty()          ? "lost"
                                            : whole.skipped[0];
  };
  EXPECT_EQ(totals("NonPagedPool Usage:    51,200 (    204,800 Kb)"), "209715200");
  EXPECT_EQ(totals("NonPagedPool Usage:    51.200 (    204.800 Kb)"), "209715200");
  EXPECT_EQ(totals("NonPagedPool Usage: 1,051,200 ( 4,204,800 Kb)"), "4305715200");
  const std::string refused = "f:2: not a number of pages, and of Kb in brackets";
  for (const char* const line : {"NonPagedPool Usage: 51 200 ( 204 800 Kb)", "NonPagedPool Usage: 51,20 ( 204,80 Kb)",
                                 "NonPagedPool Usage: 51200 ( 204.8 Kb)", "NonPagedPool Usage: 5,1200 ( 20,4800 Kb)",
                                 "NonPagedPool Usage: 51,200.100 ( 204,800 Kb)"})
    EXPECT_EQ(totals(line), refused) << line;
  EXPECT_EQ(totals("NonPagedPool Usage: 51200 ( 20480 Kb)"), "f:2: 51200 pages are not 20480 Kb, as pages have 4 Kb");
  EXPECT_EQ(totals("NonPagedPool Usage: 512000 ( 204800 Kb)"), "f:2: 512000 pages are not 204800 Kb, as pages have 4 Kb");
  const test::WholeHistory memory =
      test::read_text("2026-11-05 18:00:00Z\n Memory: 8,388,148K Avail: 4,204,220K\n" + kSmallTable);
  ASSERT_EQ(memory.snapshots.size(), 1U);
  EXPECT_EQ(test::totals_of(memory.snapshots[0]).at("physical"), 8'388'148ULL * 1024);
  EXPECT_THAT(test::read_text("2026-11-05 18:00:00Z\n Memory: 8 388 148K Avail: 4 204 220K\n" + kSmallTable).skipped,
              Contains("f:2: Memory or Avail is not a number of K"));
}

TEST(Neighbours, BlanksBetweenThousandsAreMoreColumns) {
  for (const std::string blank : {" ", "\xc2\xa0", "\xe2\x80\xaf"}) {
    const std::string row =
        " Leak Nonp      1" + blank + "100       40     1" + blank + "060   1" + blank + "085" + blank + "440       1024\n";
    const test::WholeHistory whole =
        test::read_text("2026-11-05 18:00:00Z\n Tag  Type Allocs Frees Diff Bytes Per Alloc\n" + row);
    EXPECT_TRUE(whole.snapshots.empty());
    EXPECT_THAT(whole.error, HasSubstr("f:3: ")) << row;
  }
  EXPECT_EQ(test::read_text("2026-11-05 18:00:00Z\n" + kSmallTable +
                            " Irp  Nonp 3 1 2 64 32 [nt!io]\n Ab   Nonp 3 1 2 64 32 1394ohci.sys\n")
                .skipped.size(),
            0U);
}

TEST(Neighbours, PoolmonCellsThatTouchArePartedOrRefusedByName) {
  const test::WholeHistory whole = test::read_text(
      "2026-11-05 18:00:00Z\n Tag  Type     Allocs     Frees      Diff     Bytes  Per Alloc\n"
      " Leak Nonp  123456789 ( 120)  123456788 ( 119)         11234567890 (     0) 1234567890\n"
      " Torn Paged 123456789 ( 120)  123456788 ( 119)         21234567890 (     0) 1234567890\n");
  ASSERT_EQ(whole.snapshots.size(), 1U);
  EXPECT_EQ(test::tags_of(whole.snapshots[0]), std::vector<std::string>{"nonpaged 'Leak' 1234567890 1 32 123456789 123456788"});
  EXPECT_EQ(whole.skipped, std::vector<std::string>{"f:4: Bytes is not a number that fits"});
  EXPECT_EQ(whole.lost, std::vector<std::string>{"paged Torn 1"});
  EXPECT_THAT(whole.warnings, Contains("f: numbers that touch (line 3) are parted so that Diff is Allocs less Frees and "
                                       "Bytes is Diff times Per Alloc"));
}

TEST(Neighbours, ADateThatIsNotUnderstoodLeavesNoTableUndated) {
  for (const std::string date :
       {"2026-13-11 18:00", "05.11.2026 24:00", "05NOV2026 18:00:00", "=== 2026/11/31 ===", "2026-11-05T25:00"}) {
    EXPECT_THAT(time_of("f", date + "\n" + kSmallTable), HasSubstr("f:1: ")) << date;
    EXPECT_THAT(time_of("f", date + "\n" + kSmallTable), HasSubstr("passed over")) << date;
    EXPECT_THAT(time_of("f", date + "\nSUnreclaim: 64 kB\n"), HasSubstr("passed over")) << date;
  }
  EXPECT_THAT(time_of("f", kSmallTable.substr(0, kSmallTable.find('\n') + 1) +
                               "!LogType=poolsnap\n!SystemTime=13\\11\\2026 18:00:00.0000 (GMT)\n" +
                               kSmallTable.substr(kSmallTable.find('\n') + 1)),
              HasSubstr("f:3: SystemTime is not MM\\DD\\YYYY HH:MM:SS"));
  const auto at_system_time = [](const std::string& zone) {
    return time_of("f", kSmallTable.substr(0, kSmallTable.find('\n') + 1) +
                            "!LogType=poolsnap\n!SystemTime=11\\05\\2026 18:00:00.0000" + zone + "\n" +
                            kSmallTable.substr(kSmallTable.find('\n') + 1));
  };
  for (const char* const utc : {"", " (GMT)", " (UTC)"}) EXPECT_EQ(at_system_time(utc), "2026-11-05T18:00:00Z") << utc;
  EXPECT_EQ(at_system_time(" (Mitteleurop\xc3\xa4ische Zeit)"), "2026-11-05T17:00:00Z");
  EXPECT_THAT(at_system_time(" (Rom\xc3\xa2nia)"), HasSubstr("f:3: SystemTime has a zone that is not known"));
  // No dates; one that is understood holds.
  for (const std::string line :
       {"Windows Server 2019 Datacenter", "Build 17763.1.amd64fre.rs5_release", "Version 10.0.20348", "12:30 users 7"})
    EXPECT_EQ(time_of("f", line + "\n" + kSmallTable), "1970-01-01T00:00:00.099Z") << line;
  EXPECT_EQ(time_of("f", "2026-11-05 18:00:00Z\nsince 2026 at 18:00x\n" + kSmallTable), "2026-11-05T18:00:00Z");
  // A table behind another, and what was read stays.
  const test::WholeHistory two =
      test::read_text("2026-11-05 18:00:00Z\n" + kSmallTable + "2026-11-06 26:00:00\n" + kSmallTable);
  EXPECT_EQ(two.snapshots.size(), 1U);
  EXPECT_GE(two.skipped.size(), 1U);
}

TEST(Neighbours, TimesInNames) {
  EXPECT_EQ(time_of("pool 2026.09.01 13.05.txt", kSmallTable), "2026-09-01T13:05:00Z");
  EXPECT_EQ(time_of("pool 2026-09-01 13.05.30.log", kSmallTable), "2026-09-01T13:05:30Z");
  EXPECT_EQ(time_of("2026090123.log", kSmallTable), "2026-09-01T23:00:00Z");
  EXPECT_EQ(time_of("pool_2026-09-01T00-30-00.log", kSmallTable), "2026-09-01T00:30:00Z");
}

TEST(Neighbours, WhatGetCounterShowsIsNamed) {
  EXPECT_THAT(
      test::read_text("Timestamp                 CounterSamples\n---------                 --------------\n"
                      "11/5/2026 6:00:00 PM      \\\\srv\\memory\\pool nonpaged bytes :\n                          123456\n")
          .error,
      HasSubstr("looks like what Get-Counter shows on the screen; write it as CSV: Get-Counter"));
}

TEST(Neighbours, PerfmonWithoutItsHeaderIsNamed) {
  EXPECT_THAT(
      test::told_by(
          "f",
          "C:\\>typeperf \"\\Memory\\Pool Nonpaged Bytes\"\n\n\"(PDH-CSV 4.0)\",\"\\\\S\\Memory\\Pool Nonpaged Bytes\"\n"
          "\"11/15/2026 18:00:00.123\",\"104857600.000000\"\n")
          .lines,
      testing::ElementsAre("2026-11-15T18:00:00.123Z@S windows; nonpaged.bytes=104857600"));
  EXPECT_EQ(
      test::read_text("\"11/15/2026 18:00:00.123\",\"104857600\",\"209715200\"\n").error,
      "no usable history: f: looks like rows of perfmon's CSV without the header row (PDH-CSV 4.0), which names the counters");
}

TEST(Neighbours, SadfsDaysBehindARestartAreOfItsBoot) {
  const auto day = [](const std::string& date, const std::string& restart) {
    return R"({"sysstat": {"hosts": [{"nodename": "h", "statistics": [{"timestamp": {"date": ")" + date +
           R"(", "time": "12:00:00", "utc": 1}, "memory": {"commit": 1}}], "restarts": [)" + restart + "]}]}}\n";
  };
  const test::WholeHistory whole = test::read_text(
      day("2026-11-04", "") + day("2026-11-05", R"({"boot": {"date": "2026-11-05", "time": "06:00:00", "utc": 1}})") +
      day("2026-11-06", ""));
  ASSERT_EQ(whole.snapshots.size(), 3U);
  EXPECT_FALSE(whole.snapshots[0].boot_time);
  ASSERT_TRUE(whole.snapshots[1].boot_time && whole.snapshots[2].boot_time);
  EXPECT_EQ(base::rfc3339(*whole.snapshots[1].boot_time), "2026-11-05T06:00:00Z");
  EXPECT_EQ(whole.snapshots[2].boot_time, whole.snapshots[1].boot_time);
}

TEST(Neighbours, ColumnsInKbAndMbAreThat) {
  const auto bytes = [](const std::string& text) {
    const test::WholeHistory whole = test::read_text(text);
    if (whole.snapshots.empty()) return whole.error;
    std::string all;
    for (const TagUsage& tag : whole.snapshots[0].tags)
      all += (all.empty() ? "" : " ") + std::string(pool_name(tag.pool)) + "=" + std::to_string(tag.bytes);
    for (const std::string& skipped : whole.skipped) all += "; " + skipped;
    return all;
  };
  EXPECT_EQ(bytes("DateTime,Tag,PagedKB,NonPagedKB\n2026-11-05 18:00:00Z,Leak,10,2048\n"), "paged=10240 nonpaged=2097152");
  EXPECT_EQ(bytes("DateTime,Tag,Paged (MB),NonPagedUsedMB\n2026-11-05 18:00:00Z,Leak,0.5,1024.25\n"),
            "paged=524288 nonpaged=1074003968");
  EXPECT_EQ(bytes("DateTime;Tag;Type;Used in MiB\n2026-11-05 18:00:00Z;Leak;Nonp;1.024,5\n"), "nonpaged=1074266112");
  EXPECT_EQ(
      bytes("DateTime,Tag,Type,SizeGB\n2026-11-05 18:00:00Z,Leak,Paged,\"1,024\"\n"),
      "no usable history: f:2: bytes \"1,024\" may part thousands or decimals, and nothing in its column tells which; nothing "
      "usable is in this file");
  EXPECT_EQ(bytes("DateTime,Tag,Type,UsedMB\n2026-11-05 18:00:00Z,Leak,Paged,1\n2026-11-05 18:00:00Z,Odd,Paged,1.2.3\n"),
            "paged=1048576; f:3: bytes \"1.2.3\" is not a count");
  EXPECT_EQ(bytes("DateTime,Tag,Type,Bytes\n2026-11-05 18:00:00Z,Leak,Paged,1024\n"), "paged=1024");
}

TEST(Neighbours, WhatIsNoAmountInADumpIsListed) {
  const test::WholeHistory whole = test::read_text(
      "{__name__=\"node_memory_SUnreclaim_bytes\",instance=\"a\"} 5 1793901600000\n"
      "{__name__=\"node_memory_SUnreclaim_bytes\",instance=\"a\"} -5 1793901660000\n"
      "{__name__=\"node_memory_SUnreclaim_bytes\",instance=\"a\"} +Inf 1793901720000\n"
      "{__name__=\"node_memory_SUnreclaim_bytes\",instance=\"a\"} NaN 1793901780000\n");
  EXPECT_EQ(whole.snapshots.size(), 1U);
  EXPECT_THAT(
      whole.skipped,
      testing::ElementsAre("f:2: 2 samples, the first in this line, are below 0 or infinite, which no amount of memory is"));
}

TEST(Neighbours, AMeminfoRowThatIsCutIsListed) {
  const test::WholeHistory whole = test::read_text(
      "2026-11-05 18:00:00Z\nMemTotal: 8048204 kB\nSUnreclaim: 64 k\nHugePages_Total:       0\nPercpu: 64\nFoo: 1 kB\n");
  EXPECT_THAT(whole.skipped, testing::ElementsAre("f:3: not a row of /proc/meminfo", "f:5: not a row of /proc/meminfo"));
}

/// "18:00:00.000@host Leak=1 Thre=2", a snapshot a line.
std::vector<std::string> looks(const test::WholeHistory& whole) {
  std::vector<std::string> lines;
  for (const Snapshot& snapshot : whole.snapshots) {
    std::string& line = lines.emplace_back(base::rfc3339(snapshot.time));
    for (const TagUsage& tag : snapshot.tags) line += " " + tag.tag + "=" + std::to_string(tag.bytes);
  }
  return lines;
}

TEST(Neighbours, RowsThatAScriptStampsOneByOneAreOneLook) {
  for (const std::string seconds : {"00.015", "01.000", "59.000"}) {
    const test::WholeHistory whole =
        test::read_text("DateTime,Tag,PagedUsedBytes\n2026-11-01 06:00:00.000Z,Leak,1\n2026-11-01 06:00:" + seconds +
                        "Z,Thre,2\n2026-11-02 06:00:00.000Z,Leak,3\n2026-11-02 06:00:" + seconds + "Z,Thre,4\n");
    EXPECT_THAT(looks(whole), testing::ElementsAre("2026-11-01T06:00:00Z Leak=1 Thre=2", "2026-11-02T06:00:00Z Leak=3 Thre=4"))
        << seconds;
    EXPECT_THAT(whole.warnings, Contains(HasSubstr("less than a minute apart are taken as one look")));
  }
  EXPECT_THAT(
      looks(test::read_text("timestamp,pool,tag,bytes\n2026-11-01T06:00:00Z,paged,Leak,1\n2026-11-01T06:00:40Z,paged,Thre,2\n"
                            "2026-11-01T06:01:20Z,paged,Leak,3\n2026-11-01T06:02:00Z,paged,Thre,4\n")),
      testing::ElementsAre("2026-11-01T06:00:00Z Leak=1 Thre=2", "2026-11-01T06:01:20Z Leak=3 Thre=4"));
  // One tag alone is a look each time, and so are tags of two pools.
  EXPECT_EQ(
      looks(test::read_text("timestamp,pool,tag,bytes\n2026-11-01T06:00:00Z,paged,Leak,1\n2026-11-01T06:00:01Z,paged,Leak,2\n"
                            "2026-11-01T06:00:02Z,nonpaged,Thre,3\n"))
          .size(),
      3U);
  EXPECT_EQ(
      looks(test::read_text("timestamp,pool,tag,bytes\n2026-11-01T06:00:00Z,paged,Leak,1\n2026-11-01T06:01:01Z,paged,Thre,2\n"))
          .size(),
      2U);
}

TEST(Neighbours, TablesOfOneMomentInTwoFilesAreOneLook) {
  test::MemoryFiles files;
  const std::string head = " Tag  Type Allocs Frees Diff Bytes Per Alloc\n";
  files.put("a", "2026-11-05 18:00:00Z\n" + head + " Leak Nonp 2 1 1 64 64\n2026-11-06 18:00:00Z\n" + head +
                     " Leak Nonp 2 1 1 65 65\n");
  files.put("b", "2026-11-05 18:00:30Z\n" + head + " Thre Nonp 2 1 1 32 64\n2026-11-06 18:00:30Z\n" + head +
                     " Thre Nonp 2 1 1 33 33\n");
  EXPECT_THAT(looks(test::read_history(files, {"a", "b"})),
              testing::ElementsAre("2026-11-05T18:00:00Z Leak=64 Thre=32", "2026-11-06T18:00:00Z Leak=65 Thre=33"));
}

TEST(Neighbours, HostsThatAFileNamesStayApart) {
  const auto hosts = [](const std::string& text) {
    test::MemoryFiles files;
    files.put("f", text);
    HistoryOptions options;
    options.all_hosts = true;
    auto source = open_history(files, {"f"}, options);
    EXPECT_TRUE(source.ok());
    std::vector<std::string> lines;
    do {
      Snapshot snapshot;
      EXPECT_TRUE((*source)->read(snapshot).ok());
      lines.push_back((*source)->host() + (snapshot.boot_time ? " " + base::rfc3339(*snapshot.boot_time) : ""));
      for (const TagUsage& tag : snapshot.tags) lines.back() += " " + tag.tag + "=" + std::to_string(tag.bytes);
    } while ((*source)->advance());
    return lines;
  };
  std::string two;
  for (const int day : {5, 6})
    for (const std::string host : {"7", "8"})
      two += "!LogType=poolsnap\n!ComputerName=FS0" + host + "\n!SystemTime=11\\0" + std::to_string(day) + "\\2026 18:" + host +
             "0:00.0000 (GMT)\n!TickCount=" + std::to_string((day - 5) * 86'400'000 + (host == "7" ? 3'600'000 : 608'400'000)) +
             "\n" + kSmallTable;
  for (std::size_t at; (at = two.find(":70:")) != std::string::npos;) two.replace(at, 4, ":00:");
  for (std::size_t at; (at = two.find(":80:")) != std::string::npos;) two.replace(at, 4, ":10:");
  EXPECT_THAT(hosts(two), testing::ElementsAre("FS07 2026-11-05T17:00:00Z Leak=64", "FS08 2026-10-29T17:10:00Z Leak=64",
                                               "FS07 2026-11-05T17:00:00Z Leak=64", "FS08 2026-10-29T17:10:00Z Leak=64"));
  for (const std::string name : {"host", "Computer", "Node"})
    EXPECT_THAT(hosts("timestamp," + name +
                      ",pool,tag,bytes\n2026-11-01T06:00:00Z,a,paged,Leak,1\n2026-11-01T06:00:00Z,b,paged,Leak,5\n"
                      "2026-11-02T06:00:05Z,b,paged,Leak,6\n2026-11-02T06:00:00Z,a,paged,Leak,2\n"),
                testing::ElementsAre("a Leak=1", "b Leak=5", "a Leak=2", "b Leak=6"))
        << name;
  EXPECT_THAT(hosts("DateTime,VMName,Tag,PagedUsedBytes\n2026-11-01 06:00:00Z,a,Leak,1\n2026-11-01 06:00:00Z,b,Leak,5\n"),
              testing::ElementsAre("a Leak=1", "b Leak=5"));
}

TEST(Neighbours, TimesThatMayStandBelowTheirTablesAreDoubted) {
  const std::string footers = kSmallTable + "2026-11-05 18:00:00Z\n" + kSmallTable + kSmallTable + "2026-11-06 18:00:00Z\n";
  EXPECT_THAT(test::read_text(footers).error, HasSubstr("may stand below their tables"));
  for (const std::string& fine : {kSmallTable + "2026-11-05 18:00:00Z\n" + kSmallTable,
                                  "2026-11-05 18:00:00Z\n" + kSmallTable + "2026-11-06 18:00:00Z\n"})
    EXPECT_THAT(test::read_text(fine).warnings, testing::Not(Contains(HasSubstr("may stand below their tables"))));
}

TEST(Neighbours, LinuxTablesAsMailAndPagesHaveThem) {
  const std::string tables =
      "Thu Nov 26 06:00:00 UTC 2026\nslabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> "
      "<pagesperslab> : tunables <limit>\nnf_conntrack       1000   1600    256   16    1 : tunables    0    0    0 : slabdata    100    "
      "100      0\nSUnreclaim:        32104 kB\n";
  const std::vector<std::string> plain = looks(test::read_text(tables));
  ASSERT_EQ(plain.size(), 1U);
  const auto changed = [&](auto&& change) {
    std::string text;
    for (std::size_t at = 0; at < tables.size();) {
      const std::size_t end = tables.find('\n', at);
      text += change(tables.substr(at, end - at)) + "\n";
      at = end + 1;
    }
    return looks(test::read_text(text));
  };
  for (const std::string mark : {"> ", ">> ", "> > ", ">"})
    EXPECT_EQ(changed([&](const std::string& line) { return mark + line; }), plain) << mark;
  for (const std::string blank : {"\xc2\xa0", "&nbsp;"})
    EXPECT_EQ(changed([&](std::string line) {
                for (std::size_t at = 0; (at = line.find(' ', at)) != std::string::npos; at += blank.size())
                  line.replace(at, 1, blank);
                return line;
              }),
              plain)
        << blank;
}

/// Times in order, what was skipped, and what had to be assumed.
std::string told(const std::string& text, const HistoryOptions& options = {}, const std::string& path = "f") {
  test::MemoryFiles files;
  files.put(path, text);
  files.set_modified(99);
  const test::WholeHistory whole = test::read_history(files, {path}, options);
  std::string all = whole.error;
  for (const Snapshot& snapshot : whole.snapshots) all += (all.empty() ? "" : " ") + base::rfc3339(snapshot.time);
  for (const std::string& skipped : whole.skipped) all += "; " + skipped;
  return all;
}

HistoryOptions ordered(DateOrder order) {
  HistoryOptions options;
  options.date_order = order;
  return options;
}

const std::string kPdh = "\"(PDH-CSV 4.0) (GMT Standard Time)(0)\",\"\\\\S\\Memory\\Pool Nonpaged Bytes\"\n";

TEST(Neighbours, PerfmonsDatesHaveOneOrder) {
  const auto rows = [](std::initializer_list<const char*> times) {
    std::string text = kPdh;
    for (const char* const time : times) text += "\"" + std::string(time) + "\",\"1\"\n";
    return text;
  };
  EXPECT_EQ(told(rows({"29/11/2026 18:00:00", "30/11/2026 18:00:00", "01/12/2026 18:00:00", "02/12/2026 18:00:00"})),
            "2026-11-29T18:00:00Z 2026-11-30T18:00:00Z 2026-12-01T18:00:00Z 2026-12-02T18:00:00Z");
  EXPECT_EQ(told(rows({"11/29/2026 18:00:00", "12/01/2026 18:00:00"})), "2026-11-29T18:00:00Z 2026-12-01T18:00:00Z");
  EXPECT_EQ(told(rows({"05/11/2026 18:00", "12/11/2026 18:00", "19/11/2026 18:00"})),
            "2026-11-05T18:00:00Z 2026-11-12T18:00:00Z 2026-11-19T18:00:00Z");
  EXPECT_EQ(told(rows({"05-11-2026 18:00:00", "13-11-2026 18:00:00"})), "2026-11-05T18:00:00Z 2026-11-13T18:00:00Z");
  EXPECT_EQ(told(rows({"11/5/2026 6:00:00 PM", "11/19/2026 6:00:00 AM"})), "2026-11-05T18:00:00Z 2026-11-19T06:00:00Z");
  const std::string doubtful = rows({"05/11/2026 18:00:00", "06/11/2026 18:00:00"});
  EXPECT_THAT(told(doubtful), HasSubstr("f:2: time \"05/11/2026 18:00:00\" can be two days"));
  EXPECT_EQ(told(doubtful, ordered(DateOrder::kDayMonthYear)), "2026-11-05T18:00:00Z 2026-11-06T18:00:00Z");
  // perfmon's own form is month first, unless a row of the file denies it.
  const std::string own = rows({"05/11/2026 18:00:00.000", "06/11/2026 18:00:00.000"});
  EXPECT_EQ(told(own), "2026-05-11T17:00:00Z 2026-06-11T17:00:00Z");
  EXPECT_EQ(told(own, ordered(DateOrder::kDayMonthYear)), "2026-05-11T17:00:00Z 2026-06-11T17:00:00Z");
  EXPECT_EQ(told(rows({"12/11/2026 18:00:00.000", "28/11/2026 18:00:00.000", "29/11/2026 18:00:00.000"})),
            "2026-11-12T18:00:00Z 2026-11-28T18:00:00Z 2026-11-29T18:00:00Z");
  EXPECT_EQ(told(rows({"2026-11-05 18:00:00", "2026-11-12T18:00:00", "2026-11-13T18:00:00+01:00", "20261114 18:00"})),
            "2026-11-05T18:00:00Z 2026-11-12T18:00:00Z 2026-11-13T17:00:00Z 2026-11-14T18:00:00Z");
}

TEST(Neighbours, WhatStandsBehindATimeIsItsZone) {
  const std::pair<const char*, const char*> known[] = {
      {"2026.11.05-18:00:00 Mitteleurop\xc3\xa4ische Zeit", "2026-11-05T17:00:00Z"},
      {"2026.07.05-18:00:00 Mitteleurop\xe4ische Zeit", "2026-07-05T16:00:00Z"},  // of a code page, in summer
      {"2026.07.05-18:00:00 Mitteleurop\xc3\xa4ische Sommerzeit", "2026-07-05T16:00:00Z"},
      {"2026-11-05 18:00:00 Hora est\xc3\xa1ndar romance", "2026-11-05T17:00:00Z"},
      {"2026-07-05 18:00:00 Hora de verano romance", "2026-07-05T16:00:00Z"},
      {"2026-11-05 18:00:00 \xe6\x9d\xb1\xe4\xba\xac (\xe6\xa8\x99\xe6\xba\x96\xe6\x99\x82)", "2026-11-05T09:00:00Z"},
      {"2026-11-05 18:00:00 Paris, Madrid", "2026-11-05T17:00:00Z"},
      {"2026-07-05 18:00:00 Paris, Madrid (heure d\xe2\x80\x99\xc3\xa9t\xc3\xa9)", "2026-07-05T16:00:00Z"},
      {"2026-11-05 18:00:00 ora solare Europa occidentale", "2026-11-05T17:00:00Z"},
      {"2026-11-05 18:00:00 V\xc3\xa4steuropa, normaltid", "2026-11-05T17:00:00Z"},
      {"2026-11-05 18:00:00 INFO", "2026-11-05T18:00:00Z"},
      {"2026-11-05 18:00:00 before reboot", "2026-11-05T18:00:00Z"},
      {"2026-11-05 18:00:00 Starting nightly round", "2026-11-05T18:00:00Z"},
      {"Thu Nov  5 18:00:00 UTC 2026 kernel", "2026-11-05T18:00:00Z"},
      {"2026-11-05 18:00:00+01:00 Paris", "2026-11-05T17:00:00Z"},
  };
  for (const auto& [line, time] : known) {
    EXPECT_EQ(time_of("f", std::string(line) + "\n" + kSmallTable), time) << line;
    EXPECT_EQ(time_of("f", std::string(line) + "\nSUnreclaim: 64 kB\n"), time) << line;
  }
  for (const char* const zone : {"Foo Standard Time", "Rom\xc3\xa2nia", "Hora padr\xc3\xa3o GMT", "Athen, Bukarest",
                                 "normaltid", "Mitteleuropa", "\xe5\x8f\xb0\xe5\x8c\x97 (\xe6\xa8\x99\xe6\xba\x96\xe6\x99\x82)",
                                 "Ora de var\xc4\x83 a Europei de Est", "CST", "Mars/Base+1"}) {
    EXPECT_THAT(time_of("f", "2026-11-05 18:00:00 " + std::string(zone) + "\n" + kSmallTable),
                testing::AllOf(HasSubstr("f:1: "), HasSubstr("is no zone that is known"), HasSubstr("passed over")))
        << zone;
    EXPECT_THAT(time_of("f", "2026-11-05 18:00:00 " + std::string(zone) + "\nSUnreclaim: 64 kB\n"), HasSubstr("is no zone"))
        << zone;
  }
}

TEST(Neighbours, APidIsReadOrSaidToBeMadeUp) {
  const auto processes = [](const std::string& columns, const std::string& values) {
    const test::WholeHistory whole =
        test::read_text("\"(PDH-CSV 4.0) (UTC)(0)\"" + columns + "\n\"11/05/2026 18:00:00.000\"" + values + "\n");
    std::string all = whole.error;
    if (!whole.snapshots.empty())
      for (const ProcessUsage& one : whole.snapshots[0].processes)
        all += one.name + " " + (one.pid < 1'000'000'000'000 ? std::to_string(one.pid) : "?") + " " +
               std::to_string(one.handles.value_or(0)) + "; ";
    for (const std::string& warning : whole.warnings) all += warning;
    return all;
  };
  EXPECT_EQ(processes(",\"\\\\S\\Process V2(svchost:1234)\\Handle Count\",\"\\\\S\\Process V2(svchost:99)\\Handle Count\"",
                      ",\"7\",\"8\""),
            "svchost 1234 7; svchost 99 8; ");
  EXPECT_EQ(processes(",\"\\\\S\\Process(svchost#1)\\Handle Count\"", ",\"7\""),
            "svchost#1 ? 7; f: processes without the counter ID Process have numbers of their own in place of pids, above "
            "1000000000000, one for each instance");
  EXPECT_EQ(
      processes(
          ",\"\\\\S\\Prozess(svchost#1)\\Handleanzahl\",\"\\\\S\\Prozess(svchost#1)\\Prozesskennung\",\"\\\\S\\Prozess(_Total)\\Handleanzahl\"",
          ",\"7\",\"812\",\"9\""),
      "svchost 812 7; ");
}

TEST(Neighbours, ProcessesOfPrometheusWithoutAPidToo) {
  const test::WholeHistory whole =
      test::read_text("{__name__=\"kmem_process_handles\",instance=\"a\",process=\"svc\"} 5 1793901600000\n");
  ASSERT_EQ(whole.snapshots.size(), 1U) << whole.error;
  ASSERT_EQ(whole.snapshots[0].processes.size(), 1U);
  EXPECT_GT(whole.snapshots[0].processes[0].pid, 1'000'000'000'000U);
  EXPECT_THAT(whole.warnings,
              testing::ElementsAre("f: processes without a label of their pid have numbers of their own in its place, "
                                   "above 1000000000000, one for each name"));
}

TEST(Neighbours, CountersThatAreNotUnderstoodAreNamedOnce) {
  const test::WholeHistory whole = test::read_text(
      "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\S\\Memory\\Available MBytes\",\"\\\\S\\Memory\\Pool Oddity\",\"\\\\S\\Memory\\Pages/sec\","
      "\"\\\\S\\Prozess(a)\\Nicht ausgelagerter Pool (Bytes)\",\"\\\\S\\Prozess(a)\\Seltsames\",\"\\\\S\\Prozess(_Total)\\Handleanzahl\","
      "\"\\\\S\\Prozess(a)\\Prozess-ID\"\n"
      "\"11/05/2026 18:00:00.000\",\"1024\",\"1\",\"2\",\"4096\",\"5\",\"6\",\"42\"\n");
  ASSERT_EQ(whole.snapshots.size(), 1U) << whole.error;
  EXPECT_EQ(test::totals_of(whole.snapshots[0]).at("available"), std::uint64_t{1} << 30);
  ASSERT_EQ(whole.snapshots[0].processes.size(), 1U);
  EXPECT_EQ(whole.snapshots[0].processes[0].nonpaged_pool_bytes, 4096U);
  EXPECT_EQ(whole.snapshots[0].processes[0].pid, 42U);
  EXPECT_THAT(whole.warnings,
              testing::ElementsAre("f: columns that may be of memory and are not understood: \"Memory\\Pool Oddity\", "
                                   "\"Prozess(a)\\Seltsames\""));
  const test::WholeHistory both = test::read_text(
      "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\S\\Memory\\Available Bytes\",\"\\\\S\\Memory\\Available KBytes\"\n\"11/05/2026 18:00:00.000\",\"1500\",\"1\"\n");
  ASSERT_EQ(both.snapshots.size(), 1U);
  EXPECT_EQ(test::totals_of(both.snapshots[0]).at("available"), 1500U);
}

TEST(Neighbours, ScriptsColumnsThatAreTwiceOrStrange) {
  EXPECT_EQ(
      test::read_text("DateTime,Tag,NonPagedUsedBytes,PagedUsedBytes,NonPagedUsedBytes\n2026-11-05 18:00:00Z,Leak,1,2,3\n")
          .error,
      "no usable history: f:1: two columns are named \"NonPagedUsedBytes\"");
  const test::WholeHistory same = test::read_text("DateTime,Tag,PagedBytes,Paged (KB)\n2026-11-05 18:00:00Z,Leak,2048,2\n");
  ASSERT_EQ(same.snapshots.size(), 1U);
  EXPECT_EQ(same.snapshots[0].tags[0].bytes, 2048U);
  EXPECT_THAT(same.warnings,
              testing::ElementsAre("f: columns \"PagedBytes\" and \"Paged (KB)\" mean the same; the first is used"));
  const test::WholeHistory strange =
      test::read_text("DateTime,Tag,Paged Bytes,NPG Bytes,PagedDiff,TotalUsedBytes\n2026-11-05 18:00:00Z,Leak,2048,2,3,4\n");
  ASSERT_EQ(strange.snapshots.size(), 1U);
  EXPECT_THAT(strange.warnings, testing::ElementsAre("f: columns that may be of memory and are not understood: \"NPG Bytes\""));
}

TEST(Neighbours, MeminfoWithOtherEndings) {
  const auto unreclaim = [](const std::string& row) {
    const test::WholeHistory whole =
        test::read_text("2026-11-05 18:00:00Z\nMemTotal: 8048204 kB\n" + row + "\nSReclaimable: 64 kB\n");
    if (whole.snapshots.size() != 1) return whole.error;
    const auto found = test::totals_of(whole.snapshots[0]);
    return found.contains("slab_unreclaimable.bytes") ? std::to_string(found.at("slab_unreclaimable.bytes") / 1024)
           : whole.skipped.empty()                    ? "lost"
                                                      : whole.skipped[0];
  };
  for (const char* const row : {"SUnreclaim: 32104 kB", "SUnreclaim:  32104kB", "SUnreclaim: 32104 KB",
                                "SUnreclaim:\t32104\tkb", "SUnreclaim: 32104KB"})
    EXPECT_EQ(unreclaim(row), "32104") << row;
  for (const char* const row : {"SUnreclaim: 32104", "SUnreclaim: 32104 kB   +12", "SUnreclaim: 2,827,20 kB",
                                "SUnreclaim: 32 MB", "SUnreclaim: 32104 B"})
    EXPECT_EQ(unreclaim(row), "f:3: not a row of /proc/meminfo") << row;
}

TEST(Neighbours, AFileOfWhichNothingIsUsedIsNoHistory) {
  for (
      const char* const text :
      {"Thu Nov 26 06:00:00 UTC 2026\nMemTotal: 24683656\nSUnreclaim: 32106\nThu Nov 26 07:00:00 UTC 2026\nMemTotal: 24683656\n",
       "Thu Nov 26 06:00:00 UTC 2026\nslabinfo - version: 1.1\nkmem_cache   59  78  100  2  2  1\n",
       "MemTotal: 24683656\nSUnreclaim: 32106\n",
       "Thu Nov 26 06:00:00 UTC 2026\nMemTotal: 24683656\nSlab: 240036 kB\nSReclaimable: 203 MB\n"}) {
    const test::WholeHistory whole = test::read_text(text);
    EXPECT_TRUE(whole.snapshots.empty()) << text;
    EXPECT_THAT(whole.error, HasSubstr("nothing usable is in this file")) << text;
  }
}

TEST(Neighbours, AnOrderThatWasGivenHolds) {
  for (const char* const date : {"15.11.26 18:00", "15/11/26 18:00", "15.11.2026 18:00"}) {
    EXPECT_THAT(told(date + ("\n" + kSmallTable), ordered(DateOrder::kMonthDayYear)),
                testing::AllOf(HasSubstr("f:1: "), HasSubstr("--date-order=mdy cannot be right: line 1 is day first")))
        << date;
    EXPECT_EQ(told(date + ("\n" + kSmallTable), ordered(DateOrder::kDayMonthYear)), "2026-11-15T18:00:00Z") << date;
  }
  EXPECT_EQ(told("10.20.30\n" + kSmallTable), "1970-01-01T00:00:00.099Z");  // a version
}

TEST(Neighbours, DaysOfASpreadsheetAreNoUnixTimes) {
  const std::string why = " is no Unix time, for it would be before 1990; Excel's days since 1900 are to be formatted as times";
  for (const std::string number : {"46327.75", "46327", "5", "0"}) {
    EXPECT_EQ(test::read_text("timestamp,pool,tag,bytes\n" + number + ",nonpaged,Leak,1000\n").error,
              "no usable history: f:2: timestamp \"" + number + "\"" + why + "; nothing usable is in this file");
    EXPECT_EQ(test::read_text("DateTime,Tag,PagedUsedBytes\n" + number + ",Leak,1000\n").error,
              "no usable history: f:2: time \"" + number + "\"" + why + "; nothing usable is in this file");
  }
  EXPECT_EQ(told("timestamp,pool,tag,bytes\n1793901600.5,nonpaged,Leak,1000\n"), "2026-11-05T18:00:00.500Z");
}

TEST(Neighbours, TheDebuggersTimeBelowItsTables) {
  const std::string poolused =
      "   NonPaged                  Paged\n Tag  Allocs     Used    Allocs     Used\n\n Leak   1000  1024000         0        0\n";
  const std::string session =
      "1: kd> .time\nDebug session time: Wed Nov 25 06:00:00.000 2026 (UTC + 1:00)\nSystem Uptime: 1 days 6:00:00.000\n";
  EXPECT_EQ(told(poolused + session), "2026-11-25T05:00:00Z");
  EXPECT_EQ(told(poolused + session + session), "2026-11-25T05:00:00Z");
  const test::WholeHistory whole = test::read_text(poolused + session);
  ASSERT_EQ(whole.snapshots.size(), 1U);
  ASSERT_TRUE(whole.snapshots[0].boot_time);
  EXPECT_EQ(base::rfc3339(*whole.snapshots[0].boot_time), "2026-11-23T23:00:00Z");
  EXPECT_EQ(told(session + poolused), "2026-11-25T05:00:00Z");
  // Two sessions: which one's is not said.
  EXPECT_EQ(told(poolused + session + "Debug session time: Thu Nov 26 06:00:00.000 2026 (UTC + 1:00)\n"),
            "1970-01-01T00:00:00.099Z");
}

TEST(Neighbours, FrenchConsolesAndDatesInNames) {
  EXPECT_EQ(told("La date du jour est : 15/11/2026\nL'heure actuelle est : 18:00:07,12\n" + kSmallTable),
            "2026-11-15T18:00:07.120Z");
  EXPECT_EQ(told("La fecha actual es: 15/11/2026\nLa hora actual es: 18:00:07,12\n" + kSmallTable), "2026-11-15T18:00:07.120Z");
  EXPECT_EQ(time_of("poolmon-08Nov2026.log", kSmallTable), "2026-11-08T00:00:00Z");
  EXPECT_EQ(time_of("poolmon-8nov2026_0630.log", kSmallTable), "2026-11-08T06:30:00Z");
  EXPECT_EQ(time_of("srv_08.11.2026.log", kSmallTable), "2026-11-08T00:00:00Z");
  EXPECT_EQ(time_of("poolmon-1762300800.log", kSmallTable), "2025-11-05T00:00:00Z");
  EXPECT_EQ(time_of("srv1762300800.log", kSmallTable), "1970-01-01T00:00:00.099Z");
  EXPECT_EQ(told(kSmallTable, ordered(DateOrder::kMonthDayYear), "srv_08.11.2026.log"), "2026-08-11T00:00:00Z");
}

TEST(Neighbours, SarOfOtherLanguages) {
  const std::string head = "Linux 6.1.0 (web1) \t2026-11-25 \t_x86_64_\t(4 CPU)\n\n";
  EXPECT_EQ(
      test::read_text(head + "18\xe6\x97\xb6"
                             "00\xe5\x88\x86"
                             "01\xe7\xa7\x92 kbmemfree kbmemused kbcommit\n"
                             "18\xe6\x97\xb6"
                             "10\xe5\x88\x86"
                             "01\xe7\xa7\x92 1 2 3\n")
          .error,
      "no usable history: f: looks like sar in a language whose times are not understood; record it with: LC_ALL=C sar -r ALL");
  EXPECT_EQ(
      told(head + "06:00:01 \xe5\x8d\x88\xe5\xbe\x8c kbmemfree kbmemused kbcommit\n06:10:01 \xe5\x8d\x88\xe5\xbe\x8c 1 2 3\n"),
      "2026-11-25T18:10:01Z");
}

}  // namespace
}  // namespace kmem::history
