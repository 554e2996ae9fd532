// Files given together: what one of them says of the order of day and month holds for those that say nothing.
#include <gmock/gmock.h>

#include "collectors/base/time_words.h"
#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kTable = "\n Tag  Type Allocs Frees Diff Bytes Per Alloc\n Leak Nonp 2 1 1 64 64\n";

struct Read {
  std::string days;  // of all snapshots
  test::WholeHistory whole;
  std::map<std::string, std::vector<std::string>> rules;  // by file
};

Read read(const std::vector<std::pair<std::string, std::string>>& texts) {
  test::MemoryFiles files;
  const std::vector<std::string> paths = files.put_all(texts);
  Read read;
  read.whole = test::read_history(files, paths);
  for (const Snapshot& snapshot : read.whole.snapshots) read.days += base::rfc3339(snapshot.time).substr(0, 10) + " ";
  const auto source = open_history(files, paths);
  if (!source) return read;
  while ((*source)->advance()) {}
  for (const FileReading& reading : (*source)->readings()) read.rules[reading.file] = reading.rules;
  return read;
}
std::string log_of(const std::string& date) { return date + " 18:00" + kTable; }

TEST(DatesBeside, WhatOneFileDecidesHoldsForTheOthersOfItsFormat) {
  struct Format {
    const char* name;
    std::function<std::string(const std::string& date)> make;
  };
  const Format formats[] = {
      {"poolmon", log_of},
      {"Linux", [](const std::string& date) { return date + " 18:00\nSUnreclaim: 64 kB\n"; }},
      {"script", [](const std::string& date) { return "DateTime,Tag,NonPagedUsedBytes\n" + date + " 18:00:00,Leak,64\n"; }},
      {"perfmon",
       [](const std::string& date) { return "(PDH-CSV 4.0),\\\\h\\Memory\\Pool Nonpaged Bytes\n" + date + " 18:00,5\n"; }},
      {"sar",
       [](const std::string& date) {
         return "Linux 6.1.0 (web1) \t" + date +
                " \t_x86_64_\t(4 CPU)\n\n18:00:00 kbmemfree kbmemused kbcommit\n18:10:00 1 2 3\n";
       }},
  };
  for (const Format& format : formats) {
    SCOPED_TRACE(format.name);
    const std::string undecided = format.make("05/11/2026");
    EXPECT_EQ(read({{"p-05.log", undecided}}).days, "");
    for (const bool decides_first : {false, true}) {
      const std::pair<std::string, std::string> first = {"p-05.log", undecided}, last = {"p-13.log", format.make("13/11/2026")};
      const Read day_first = decides_first ? read({last, first}) : read({first, last});
      EXPECT_EQ(day_first.days, "2026-11-05 2026-11-13 ");
      EXPECT_THAT(day_first.whole.skipped, IsEmpty());
      EXPECT_THAT(day_first.rules.at("p-05.log"), Contains("dates day first, as in p-13.log"));
    }
    EXPECT_EQ(read({{"p-05.log", undecided}, {"p-13.log", format.make("05/13/2026")}}).days, "2026-05-11 2026-05-13 ");
    // The weekday and another format decide nothing here.
    EXPECT_EQ(
        read({{"p-05.log", undecided}, {"x.json", R"({"status":"success","data":{"resultType":"matrix","result":[]}})"}}).days,
        "");
  }
  EXPECT_EQ(read({{"a.log", log_of("05/11/2026")}, {"b.log", log_of("Fri 06/11/2026")}}).days, "2026-11-05 2026-11-06 ");
  EXPECT_EQ(read({{"a.log", log_of("05/11/2026")}, {"b.log", "13/11/2026 18:00\nSUnreclaim: 64 kB\n"}}).days,
            "2026-11-13 ");  // of another format
  EXPECT_EQ(read({{"a.log", log_of("05/11/2026")}, {"b.log", log_of("13.11.2026")}}).days, "2026-11-05 2026-11-13 ");
}

TEST(DatesBeside, TheDateInAFilesNameDecides) {
  const Read one = read({{"logs/poolmon-2026-11-05.log", log_of("05/11/2026")}});
  EXPECT_EQ(one.days, "2026-11-05 ");
  EXPECT_THAT(one.rules.at("logs/poolmon-2026-11-05.log"), Contains("dates day first, as the one in the file's name says"));
  EXPECT_EQ(read({{"pool_20260511_0000.log", log_of("05/11/2026")}}).days, "2026-05-11 ");
  // Over midnight, and for a file beside it whose name says nothing.
  EXPECT_EQ(read({{"poolmon-2026-11-04.log", log_of("05/11/2026")}, {"more.log", log_of("06/11/2026")}}).days,
            "2026-11-05 2026-11-06 ");
  EXPECT_EQ(read({{"poolmon-2025-01-01.log", log_of("05/11/2026")}}).days, "");
  // What the text itself says weighs more.
  EXPECT_EQ(read({{"poolmon-2026-11-05.log", log_of("13/11/2026")}}).days, "2026-11-13 ");
}

TEST(DatesBeside, NamesThatCanBeTwoDaysAreReadAsTheOtherNames) {
  const std::string undated = kTable.substr(1);
  EXPECT_EQ(read({{"p_05-11-2026.log", undated}, {"p_13-11-2026.log", undated}}).days, "2026-11-05 2026-11-13 ");
  EXPECT_EQ(read({{"p_05-11-2026.log", undated}, {"p_05-13-2026.log", undated}}).days, "2026-05-11 2026-05-13 ");
  EXPECT_EQ(read({{"p_13-11-2026.log", undated}}).days, "2026-11-13 ");
  EXPECT_EQ(read({{"p_05_11_2026.log", undated}, {"p_13112026.log", undated}}).days, "2026-11-05 2026-11-13 ");
  EXPECT_EQ(read({{"p_11132026.log", undated}, {"p_05112026_0600.log", undated}}).days, "2026-05-11 2026-11-13 ");
}

TEST(DatesBeside, YearsOfTwoDigitsThatStandFirstAreSaid) {
  const Read three = read({{"f", log_of("26/11/05") + log_of("26/11/06") + log_of("26/11/07")}});
  EXPECT_EQ(three.days, "2026-11-05 2026-11-06 2026-11-07 ");
  EXPECT_THAT(three.rules.at("f"), Contains("dates year first: read so they fit best"));
  EXPECT_THAT(read({{"f", log_of("26/11/05")}}).whole.error, HasSubstr("--date-order=dmy"));
}

// Neither the order in which a shell gives files nor the time of a copy tells a day.
TEST(DatesBeside, NamesThatNothingDecidesAreRefused) {
  const std::string undated = kTable.substr(1);
  const std::string why =
      " in the file's name can be two days; --date-order=dmy or --date-order=mdy says which; nothing usable is in this file";
  const std::pair<const char*, const char*> pairs[] = {{"05-09-2026", "06-09-2026"},
                                                       {"01-11-2026", "02-10-2026"},
                                                       {"05092026", "06092026"},
                                                       {"05_09_2026", "06_09_2026"},
                                                       {"05-09-26", "06-09-26"}};
  for (const auto& [a, b] : pairs) {
    const std::string one = "pool_" + std::string(a) + ".txt", other = "pool_" + std::string(b) + ".txt";
    EXPECT_EQ(read({{one, undated}, {other, undated}}).whole.error,
              "no usable history: " + one + ":1: no date above this table, and \"" + a + "\"" + why);
    EXPECT_EQ(read({{one, undated}}).days, "");
  }
  test::MemoryFiles files;
  HistoryOptions options;
  for (const char* const name : {"pool_05-09-2026.txt", "pool_06092026.txt"}) files.put(name, undated);
  options.date_order = DateOrder::kDayMonthYear;
  const test::WholeHistory told = test::read_history(files, {"pool_05-09-2026.txt", "pool_06092026.txt"}, options);
  ASSERT_EQ(told.snapshots.size(), 2U);
  EXPECT_EQ(base::rfc3339(told.snapshots[0].time).substr(0, 10), "2026-09-05");
  EXPECT_EQ(base::rfc3339(told.snapshots[1].time).substr(0, 10), "2026-09-06");
}

TEST(DatesBeside, FilesThatContradictEachOtherDecideNothingForAThird) {
  const Read three =
      read({{"us.log", log_of("11/13/2026")}, {"eu.log", log_of("14/11/2026")}, {"q.log", log_of("05/11/2026")}});
  EXPECT_EQ(three.days, "2026-11-13 2026-11-14 ");
  EXPECT_THAT(three.whole.skipped,
              Contains("q.log:1: \"05/11/2026\" can be two days, and us.log has dates month first, eu.log day first; "
                       "--date-order=dmy or --date-order=mdy does; the table below is passed over"));
}

TEST(DatesBeside, FilesModifiedAtOneTimeAreNotDatedByIt) {
  const std::string table = " Tag  Type Allocs Frees Diff Bytes Per Alloc\n Leak Nonp 2 1 1 64 64\n";
  test::MemoryFiles files;
  files.set_modified(1'793'901'600'000);
  for (const char* const name : {"a.txt", "b.txt", "pool_20261003_0600.txt"}) files.put(name, table);
  const test::WholeHistory two = test::read_history(files, {"a.txt", "b.txt", "pool_20261003_0600.txt"});
  const std::string why =
      ":1: no time in the text or in the file's name, and another such file was modified within 10 seconds of it, as copies and "
      "unpacked files are: that tells neither; what helps is a date above the table, or in the name: "
      "poolmon-2026-09-01_0600.log";
  EXPECT_EQ(two.snapshots.size(), 1U);
  EXPECT_THAT(two.skipped, testing::IsSupersetOf({"a.txt" + why, "b.txt" + why}));
  EXPECT_EQ(test::read_history(files, {"a.txt", "pool_20261003_0600.txt"}).snapshots.size(), 2U);
}

TEST(DatesBeside, TimesRiseByTheFilesNames) {
  const auto two = [](const std::string& one, const std::string& other) {
    return read({{"p-10" + other, log_of("01/11/2026")}, {"p-2" + one, log_of("12/10/2026")}});
  };
  const Read rising = two(".log", ".log");
  EXPECT_EQ(rising.days, "2026-10-12 2026-11-01 ");
  EXPECT_THAT(rising.whole.warnings,
              Contains("p-2.log: dates are taken as day first, for only so do times rise from file to file by "
                       "their names; else --date-order"));
  // Where both rise, and of logs that were rotated away, which count backwards.
  EXPECT_THAT(read({{"p-1.log", log_of("05/11/2026")}, {"p-2.log", log_of("06/11/2026")}}).whole.error,
              HasSubstr("nothing in the file says which"));
  EXPECT_EQ(read({{"log.1", log_of("01/11/2026")}, {"log.2", log_of("12/10/2026")}}).days, "");
}

}  // namespace
}  // namespace kmem::history
