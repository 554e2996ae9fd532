// Neighbours of what people posted: each is read right, or refused by line and cause; none is quietly something else.
#include <gmock/gmock.h>

#include "collectors/base/time_words.h"
#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using testing::Contains;
using testing::HasSubstr;

const std::string kTable = " Tag  Type Allocs Frees Diff Bytes Per Alloc\n Leak Nonp 2 1 1 64 64\n";

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
                                            : whole.skipped.empty() ? "lost" : whole.skipped[0];
  };
  EXPECT_EQ(totals("NonPagedPool Usage:    51,200 (    204,800 Kb)"), "209715200");
  EXPECT_EQ(totals("NonPagedPool Usage:    51.200 (    204.800 Kb)"), "209715200");
  EXPECT_EQ(totals("NonPagedPool Usage: 1,051,200 ( 4,204,800 Kb)"), "4305715200");
  const std::string refused = "f:2: not a number of pages, and of Kb in brackets";
  for (const char* const line : {"NonPagedPool Usage: 51 200 ( 204 800 Kb)", "NonPagedPool Usage: 51,20 ( 204,80 Kb)",
                                 "NonPagedPool Usage: 51200 ( 204.8 Kb)", "NonPagedPool Usage: 5,1200 ( 20,4800 Kb)",
                                 "NonPagedPool Usage: 51,200.100 ( 204,800 Kb)"})
    EXPECT_EQ(totals(line), refused) << line;
  const test::WholeHistory memory = test::read_text("2026-11-05 18:00:00Z\n Memory: 8,388,148K Avail: 4,204,220K\n" + kTable);
  ASSERT_EQ(memory.snapshots.size(), 1U);
  EXPECT_EQ(test::totals_of(memory.snapshots[0]).at("physical"), 8'388'148ULL * 1024);
  EXPECT_THAT(test::read_text("2026-11-05 18:00:00Z\n Memory: 8 388 148K Avail: 4 204 220K\n" + kTable).skipped,
              Contains("f:2: Memory or Avail is not a number of K"));
}

TEST(Neighbours, BlanksBetweenThousandsAreMoreColumns) {
  for (const std::string blank : {" ", "\xc2\xa0", "\xe2\x80\xaf"}) {
    const std::string row = " Leak Nonp      1" + blank + "100       40     1" + blank + "060   1" + blank + "085" + blank + "440       1024\n";
    const test::WholeHistory whole = test::read_text("2026-11-05 18:00:00Z\n Tag  Type Allocs Frees Diff Bytes Per Alloc\n" + row);
    EXPECT_TRUE(whole.snapshots.empty());
    EXPECT_THAT(whole.error, HasSubstr("f:3: ")) << row;
  }
  EXPECT_EQ(test::read_text("2026-11-05 18:00:00Z\n" + kTable + " Irp  Nonp 3 1 2 64 32 [nt!io]\n Ab   Nonp 3 1 2 64 32 1394ohci.sys\n").skipped.size(), 0U);
}

TEST(Neighbours, ADateThatIsNotUnderstoodLeavesNoTableUndated) {
  for (const std::string date : {"2026-13-11 18:00", "05.11.2026 24:00", "05NOV2026 18:00:00", "=== 2026/11/31 ===", "2026-11-05T25:00"}) {
    EXPECT_THAT(time_of("f", date + "\n" + kTable), HasSubstr("f:1: ")) << date;
    EXPECT_THAT(time_of("f", date + "\n" + kTable), HasSubstr("passed over")) << date;
    EXPECT_THAT(time_of("f", date + "\nSUnreclaim: 64 kB\n"), HasSubstr("passed over")) << date;
  }
  EXPECT_THAT(time_of("f", kTable.substr(0, kTable.find('\n') + 1) + "!LogType=poolsnap\n!SystemTime=13\\11\\2026 18:00:00.0000 (GMT)\n" +
                               kTable.substr(kTable.find('\n') + 1)),
              HasSubstr("f:3: SystemTime is not MM\\DD\\YYYY HH:MM:SS"));
  // No dates; one that is understood holds.
  for (const std::string line : {"Windows Server 2019 Datacenter", "Build 17763.1.amd64fre.rs5_release", "Version 10.0.20348", "12:30 users 7"})
    EXPECT_EQ(time_of("f", line + "\n" + kTable), "1970-01-01T00:00:00.099Z") << line;
  EXPECT_EQ(time_of("f", "2026-11-05 18:00:00Z\nsince 2026 at 18:00x\n" + kTable), "2026-11-05T18:00:00Z");
  // A table behind another, and what was read stays.
  const test::WholeHistory two = test::read_text("2026-11-05 18:00:00Z\n" + kTable + "2026-11-06 26:00:00\n" + kTable);
  EXPECT_EQ(two.snapshots.size(), 1U);
  EXPECT_GE(two.skipped.size(), 1U);
}

TEST(Neighbours, TimesInNames) {
  EXPECT_EQ(time_of("pool 2026.09.01 13.05.txt", kTable), "2026-09-01T13:05:00Z");
  EXPECT_EQ(time_of("pool 2026-09-01 13.05.30.log", kTable), "2026-09-01T13:05:30Z");
  EXPECT_EQ(time_of("2026090123.log", kTable), "2026-09-01T23:00:00Z");
  EXPECT_EQ(time_of("pool_2026-09-01T00-30-00.log", kTable), "2026-09-01T00:30:00Z");
}

TEST(Neighbours, WhatGetCounterShowsIsNamed) {
  EXPECT_THAT(test::read_text("Timestamp                 CounterSamples\n---------                 --------------\n"
                              "11/5/2026 6:00:00 PM      \\\\srv\\memory\\pool nonpaged bytes :\n                          123456\n").error,
              HasSubstr("looks like what Get-Counter shows on the screen; write it as CSV: Get-Counter"));
}

TEST(Neighbours, SadfsDaysBehindARestartAreOfItsBoot) {
  const auto day = [](const std::string& date, const std::string& restart) {
    return R"({"sysstat": {"hosts": [{"nodename": "h", "statistics": [{"timestamp": {"date": ")" + date +
           R"(", "time": "12:00:00", "utc": 1}, "memory": {"commit": 1}}], "restarts": [)" + restart + "]}]}}\n";
  };
  const test::WholeHistory whole = test::read_text(
      day("2026-11-04", "") + day("2026-11-05", R"({"boot": {"date": "2026-11-05", "time": "06:00:00", "utc": 1}})") + day("2026-11-06", ""));
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
  EXPECT_EQ(bytes("DateTime,Tag,Type,SizeGB\n2026-11-05 18:00:00Z,Leak,Paged,\"1,024\"\n"), "paged=1099511627776");
  EXPECT_EQ(bytes("DateTime,Tag,Type,UsedMB\n2026-11-05 18:00:00Z,Leak,Paged,1\n2026-11-05 18:00:00Z,Odd,Paged,1.2.3\n"),
            "paged=1048576; f:3: bytes \"1.2.3\" is not a count");
  EXPECT_EQ(bytes("DateTime,Tag,Type,Bytes\n2026-11-05 18:00:00Z,Leak,Paged,1024\n"), "paged=1024");
}

TEST(Neighbours, WhatIsNoAmountInADumpIsListed) {
  const test::WholeHistory whole =
      test::read_text("{__name__=\"node_memory_SUnreclaim_bytes\",instance=\"a\"} 5 1793901600000\n"
                      "{__name__=\"node_memory_SUnreclaim_bytes\",instance=\"a\"} -5 1793901660000\n"
                      "{__name__=\"node_memory_SUnreclaim_bytes\",instance=\"a\"} +Inf 1793901720000\n"
                      "{__name__=\"node_memory_SUnreclaim_bytes\",instance=\"a\"} NaN 1793901780000\n");
  EXPECT_EQ(whole.snapshots.size(), 1U);
  EXPECT_THAT(whole.skipped, testing::ElementsAre("f:0: 2 samples are below 0 or infinite, which no amount of memory is"));
}

TEST(Neighbours, AMeminfoRowThatIsCutIsListed) {
  const test::WholeHistory whole = test::read_text("2026-11-05 18:00:00Z\nMemTotal: 8048204 kB\nSUnreclaim: 64 k\nHugePages_Total:       0\nPercpu: 64\nFoo: 1 kB\n");
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
  EXPECT_THAT(looks(test::read_text("timestamp,pool,tag,bytes\n2026-11-01T06:00:00Z,paged,Leak,1\n2026-11-01T06:00:40Z,paged,Thre,2\n"
                                    "2026-11-01T06:01:20Z,paged,Leak,3\n2026-11-01T06:02:00Z,paged,Thre,4\n")),
              testing::ElementsAre("2026-11-01T06:00:00Z Leak=1 Thre=2", "2026-11-01T06:01:20Z Leak=3 Thre=4"));
  // One tag alone is a look each time, and so are tags of two pools.
  EXPECT_EQ(looks(test::read_text("timestamp,pool,tag,bytes\n2026-11-01T06:00:00Z,paged,Leak,1\n2026-11-01T06:00:01Z,paged,Leak,2\n"
                                  "2026-11-01T06:00:02Z,nonpaged,Thre,3\n")).size(), 3U);
  EXPECT_EQ(looks(test::read_text("timestamp,pool,tag,bytes\n2026-11-01T06:00:00Z,paged,Leak,1\n2026-11-01T06:01:01Z,paged,Thre,2\n")).size(), 2U);
}

TEST(Neighbours, TablesOfOneMomentInTwoFilesAreOneLook) {
  test::MemoryFiles files;
  const std::string head = " Tag  Type Allocs Frees Diff Bytes Per Alloc\n";
  files.put("a", "2026-11-05 18:00:00Z\n" + head + " Leak Nonp 2 1 1 64 64\n2026-11-06 18:00:00Z\n" + head + " Leak Nonp 2 1 1 65 64\n");
  files.put("b", "2026-11-05 18:00:30Z\n" + head + " Thre Nonp 2 1 1 32 64\n2026-11-06 18:00:30Z\n" + head + " Thre Nonp 2 1 1 33 64\n");
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
             "\n" + kTable;
  for (std::size_t at; (at = two.find(":70:")) != std::string::npos;) two.replace(at, 4, ":00:");
  for (std::size_t at; (at = two.find(":80:")) != std::string::npos;) two.replace(at, 4, ":10:");
  EXPECT_THAT(hosts(two), testing::ElementsAre("FS07 2026-11-05T17:00:00Z Leak=64", "FS08 2026-10-29T17:10:00Z Leak=64",
                                               "FS07 2026-11-05T17:00:00Z Leak=64", "FS08 2026-10-29T17:10:00Z Leak=64"));
  for (const std::string name : {"host", "Computer", "Node"})
    EXPECT_THAT(hosts("timestamp," + name + ",pool,tag,bytes\n2026-11-01T06:00:00Z,a,paged,Leak,1\n2026-11-01T06:00:00Z,b,paged,Leak,5\n"
                      "2026-11-02T06:00:05Z,b,paged,Leak,6\n2026-11-02T06:00:00Z,a,paged,Leak,2\n"),
                testing::ElementsAre("a Leak=1", "b Leak=5", "a Leak=2", "b Leak=6"))
        << name;
  EXPECT_THAT(hosts("DateTime,VMName,Tag,PagedUsedBytes\n2026-11-01 06:00:00Z,a,Leak,1\n2026-11-01 06:00:00Z,b,Leak,5\n"),
              testing::ElementsAre("a Leak=1", "b Leak=5"));
}

TEST(Neighbours, TimesThatMayStandBelowTheirTablesAreDoubted) {
  const std::string footers = kTable + "2026-11-05 18:00:00Z\n" + kTable + "2026-11-06 18:00:00Z\n";
  EXPECT_THAT(test::read_text(footers).warnings, Contains(HasSubstr("may stand below their tables")));
  for (const std::string& fine : {kTable + "2026-11-05 18:00:00Z\n" + kTable, "2026-11-05 18:00:00Z\n" + kTable + "2026-11-06 18:00:00Z\n"})
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
                for (std::size_t at = 0; (at = line.find(' ', at)) != std::string::npos; at += blank.size()) line.replace(at, 1, blank);
                return line;
              }),
              plain)
        << blank;
}

}  // namespace
}  // namespace kmem::history
