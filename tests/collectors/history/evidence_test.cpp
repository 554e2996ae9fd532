// Logs as people have them, each with the value that is right, or the line and cause that are named instead.
#include <gmock/gmock.h>

#include "collectors/base/time_words.h"
#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

struct Evidence {
  std::string name;
  std::string text;
  std::vector<std::string> told;  // as tell() puts it
  std::string file = "f";
  std::optional<DateOrder> order = {};
};

/// One line a snapshot: when, booted when, then what is there. Then what was passed over and assumed.
std::vector<std::string> tell(const test::WholeHistory& found) {
  std::vector<std::string> lines;
  if (!found.error.empty()) lines.push_back("error " + found.error);
  for (const Snapshot& snapshot : found.snapshots) {
    std::string line = base::rfc3339(snapshot.time);
    if (snapshot.boot_time) line += " boot " + base::rfc3339(*snapshot.boot_time);
    for (const std::string& tag : test::tags_of(snapshot)) line += "; " + tag;
    for (const SessionTagUsage& row : snapshot.session_tags)
      line += "; session " + std::to_string(row.session) + " " + row.usage.tag + " " + std::to_string(row.usage.bytes);
    for (const ProcessUsage& process : snapshot.processes)
      line += "; " + process.name + " " + std::to_string(process.pid) + " handles " +
              std::to_string(process.handles.value_or(0)) + " nonpaged " +
              std::to_string(process.nonpaged_pool_bytes.value_or(0));
    for (const auto& [name, value] : test::totals_of(snapshot)) line += "; " + name + " " + std::to_string(value);
    lines.push_back(line);
  }
  for (const std::string& skipped : found.skipped) lines.push_back("skipped " + skipped);
  for (const std::string& warning : found.warnings) lines.push_back("assumed " + warning);
  return lines;
}

const std::string kHeader = " Tag  Type     Allocs     Frees      Diff   Bytes  Per Alloc\n";
const std::string kLeak = " Leak Nonp        100        40        60      61440       1024\n";
const std::string kMore = " Leak Nonp        200        40       160     163840       1024\n";
const std::string kLeakRow = "nonpaged 'Leak' 61440 60 32 100 40";
const std::string kMoreRow = "nonpaged 'Leak' 163840 160 32 200 40";
const std::string kUtc = "assumed f: times without a zone are taken as UTC";
const std::string kModified = "1970-01-01T00:00:00.099Z";

std::string below(const std::string& stamp) { return stamp + "\n" + kHeader + kLeak; }
std::string told_at(const std::string& time) { return time + "; " + kLeakRow; }

void check(const Evidence& one) {
  test::MemoryFiles files;
  files.put(one.file, one.text);
  files.set_modified(99);
  HistoryOptions options;
  options.date_order = one.order;
  EXPECT_EQ(tell(test::read_history(files, {one.file}, options)), one.told) << one.name;
}

TEST(Evidence, Memsnap) {
  const std::string header =
      "Process ID         Proc.Name Wrkng.Set PagedPool  NonPgdPl  Pagefile    Commit   Handles   Threads\n";
  const Evidence table[] = {
      {"one header a file, and cells that touch",
       header + "!LogType=memsnap\n!SystemTime=11\\05\\2026 18:00:00.0000 (GMT)\n!TickCount=3600000\n"
                "000001a4             svc.exe   1200000     30000     24166   3000000   3000000      2059        12\n\n"
                "!LogType=memsnap\n!SystemTime=11\\06\\2026 18:00:00.0000 (GMT)\n!TickCount=90000000\n"
                "000001a4             svc.exe   1200000     30000     24166   3000000   3000000      2259        12\n"
                "000001A8        sqlservr.exe1437696000     90000     12000   3000000   3000000      2259        12\n",
       {"2026-11-05T18:00:00Z boot 2026-11-05T17:00:00Z; svc.exe 420 handles 2059 nonpaged 24166",
        "2026-11-06T18:00:00Z boot 2026-11-05T17:00:00Z; svc.exe 420 handles 2259 nonpaged 24166; sqlservr.exe 424 "
        "handles 2259 nonpaged 12000"}},
      {"without times blank lines part the snapshots, and none can be dated",
       header + "000001a4             svc.exe   1200000     30000     24166   3000000   3000000      2059        12\n\n"
                "000001a4             svc.exe   1200000     30000     24166   3000000   3000000      2259        12\n",
       {"error no usable history: f:1: no date above this table, nor is it the only one of a file without dates; nothing "
        "usable is in this file"}},
      {"with user and GDI objects, and one row cut",
       "Process ID         Proc.Name Wrkng.Set PagedPool  NonPgdPl  Pagefile    Commit   Handles   Threads      User       "
       "Gdi\n!LogType=memsnap\n!SystemTime=11\\05\\2026 18:00:00.0000 (GMT)\n"
       "00000000000001a4         explorer.exe   1200000     30000     24166   3000000   3000000      2059        12       "
       "100       200\n000001a8     cut.exe   1200000     30000\n",
       {"2026-11-05T18:00:00Z; explorer.exe 420 handles 2059 nonpaged 24166",
        "skipped f:5: the process has not the 9 numbers of the header"}},
      {"a table whose header is missing",
       "!LogType=memsnap\n!SystemTime=11\\05\\2026 18:00:00.0000 (GMT)\n"
       "000001a4             svc.exe   1200000     30000     24166   3000000   3000000      2059        12\n" +
           kHeader + kLeak,
       {told_at("2026-11-05T18:00:00Z"), "skipped f:3: numbers, but no table's header above them"}},
  };
  for (const Evidence& one : table) check(one);
}

TEST(Evidence, TheOrderOfDates) {
  const auto two = [](const std::string& first, const std::string& second) {
    return first + "\n" + kHeader + kLeak + second + "\n" + kHeader + kMore;
  };
  const auto told = [](const std::string& first, const std::string& second) {
    return std::vector<std::string>{first + "; " + kLeakRow, second + "; " + kMoreRow, kUtc};
  };
  const std::string ambiguous =
      " can be two days, and nothing in the file says which; --date-order=dmy or --date-order=mdy does; the table below "
      "is passed over";
  const Evidence table[] = {
      {"a part over 12 further down", two("05/11/2026 18:00", "13/11/2026 18:00"),
       told("2026-11-05T18:00:00Z", "2026-11-13T18:00:00Z")},
      {"the same with lines", two("05-11-2026 18:00", "13-11-2026 18:00"),
       told("2026-11-05T18:00:00Z", "2026-11-13T18:00:00Z")},
      {"month first by the same", two("11/05/2026 18:00", "11/13/2026 18:00"),
       told("2026-11-05T18:00:00Z", "2026-11-13T18:00:00Z")},
      {"the weekday", two("Thu 05/11/2026  18:00:00.12", "Fri 06/11/2026  18:00:00.12"),
       told("2026-11-05T18:00:00.120Z", "2026-11-06T18:00:00.120Z")},
      {"times that have to rise", two("31-10-2026 18:00", "01-11-2026 18:00"),
       told("2026-10-31T18:00:00Z", "2026-11-01T18:00:00Z")},
      {"rising alone", two("12/10/2026 18:00", "01/11/2026 18:00"), told("2026-10-12T18:00:00Z", "2026-11-01T18:00:00Z")},
      {"nothing decides",
       two("05/11/2026 18:00", "06/11/2026 18:00"),
       {"error no usable history: f:1: \"05/11/2026\"" + ambiguous + "; nothing usable is in this file"}},
      {"a flag decides", two("05/11/2026 18:00", "06/11/2026 18:00"), told("2026-11-05T18:00:00Z", "2026-11-06T18:00:00Z"), "f",
       DateOrder::kDayMonthYear},
      {"a flag that the file contradicts",
       two("05/11/2026 18:00", "13/11/2026 18:00"),
       {"error no usable history: f:1: \"05/11/2026\": --date-order=mdy cannot be right: line 4 is day first; the table below is passed over; nothing usable is in this file"},
       "f",
       DateOrder::kMonthDayYear},
      {"the other flag", two("05/11/2026 18:00", "06/11/2026 18:00"), told("2026-05-11T18:00:00Z", "2026-06-11T18:00:00Z"), "f",
       DateOrder::kMonthDayYear},
      {"the same in any order", two("05/05/2026 18:00", "06/06/2026 18:00"),
       told("2026-05-05T18:00:00Z", "2026-06-06T18:00:00Z")},
      {"points are day first", two("5.11.2026 18:00", "6.11.2026 18:00"), told("2026-11-05T18:00:00Z", "2026-11-06T18:00:00Z")},
      {"years of two digits", two("11/5/26 6:00 PM", "11/13/26 6:00\xe2\x80\xafPM"),
       told("2026-11-05T18:00:00Z", "2026-11-13T18:00:00Z")},
      {"the year first, of two digits", two("26/11/05 18:00", "26/11/13 18:00"),
       told("2026-11-05T18:00:00Z", "2026-11-13T18:00:00Z")},
      {"one that does not fit the others",
       two("13/11/2026 18:00", "14/11/2026 18:00") + below("11/15/2026 18:00"),
       {"error no usable history: f:1: \"13/11/2026\": day and month stand in both orders: line 1 is day first, line 7 "
        "month first; the table below is passed over; nothing usable is in this file"}},
      {"a weekday of another date",
       two("Thu 05/11/2026 18:00", "Thu 13/11/2026 18:00"),
       {"2026-11-05T18:00:00Z; " + kLeakRow, "skipped f:4: the weekday is not that of the date; the table below is passed over",
        kUtc}},
  };
  for (const Evidence& one : table) check(one);
}

TEST(Evidence, Stamps) {
  const std::string at18 = "2026-11-05T18:00:00Z";
  // In UTC, without a word.
  const std::pair<std::string, std::string> exact[] = {
      {"2026-11-05T18:00:00Z", at18},
      {"=== 2026-11-05 18:00:00Z ===", at18},
      {"# 2026-11-05T19:00:00+01:00", at18},
      {"20261105180000.123456+060", "2026-11-05T17:00:00.123Z"},
      {"20261105180000.000000-300", "2026-11-05T23:00:00Z"},
      {"2026.11.05-18:00:00 W. Europe Standard Time", "2026-11-05T17:00:00Z"},
      {"2026.07.05-18:00:00 W. Europe Standard Time", "2026-07-05T16:00:00Z"},
      {"2026.07.05-18:00:00 W. Europe Daylight Time", "2026-07-05T16:00:00Z"},
      {"Thu Nov  5 18:00:00 CET 2026", "2026-11-05T17:00:00Z"},
      {"Do 5. Nov 18:00:00 CET 2026", "2026-11-05T17:00:00Z"},
      {"Thu Nov  5 18:00:00 EST 2026", "2026-11-05T23:00:00Z"},
      {"Thu Nov  5 06:00:00 PM UTC 2026", at18},
      {"2026-11-05 18:00:00 Europe/Berlin", "2026-11-05T17:00:00Z"},
      {"2026-11-05 18:00:00 Pacific Standard Time", "2026-11-06T02:00:00Z"},
      {"2026-11-05 18:00:00 (UTC+01:00)", "2026-11-05T17:00:00Z"},
      {"05/Nov/2026:18:00:00 +0100", "2026-11-05T17:00:00Z"},
      {"Thu, 05 Nov 2026 18:00:00 GMT", at18},
      {"20261105T180000Z", at18},
  };
  for (const auto& [stamp, time] : exact) check({stamp, below(stamp), {told_at(time)}});
  // Local times.
  for (const char* const stamp :
       {"Donnerstag, 5. November 2026 18:00:00",
        "5. November 2026 18:00",
        "jeudi 5 novembre 2026 18:00:00",
        "jueves, 5 de noviembre de 2026 18:00:00",
        "quinta-feira, 5 de novembro de 2026 18:00:00",
        "gioved\xc3\xac 5 novembre 2026 18:00:00",
        "gioved\xec 5 novembre 2026 18:00:00",
        "czwartek, 5 listopada 2026 18:00:00",
        "donderdag 5 november 2026 18:00:00",
        "\xd1\x87\xd0\xb5\xd1\x82\xd0\xb2\xd0\xb5\xd1\x80\xd0\xb3, 5 \xd0\xbd\xd0\xbe\xd1\x8f\xd0\xb1\xd1\x80\xd1\x8f 2026 "
        "\xd0\xb3. 18:00:00",
        "5 \xed\xee\xff\xe1\xf0\xff 2026 18:00:00" /* code page 1251 */,
        "2026\xe5\xb9\xb4"
        "11\xe6\x9c\x88"
        "5\xe6\x97\xa5 18:00:00",
        "2026\xe5\xb9\xb4"
        "11\xe6\x9c\x88"
        "5\xe6\x97\xa5 \xe4\xb8\x8b\xe5\x8d\x88 6:00:00",
        "Thursday, November 5, 2026 6:00:00 PM",
        "Thursday, 5 November 2026 6:00:00 p.m.",
        "=== 2026-11-05 18:00:00 ===",
        "# 2026-11-05 18:00:00",
        "*** 2026-11-05 18:00:00 ***",
        "---- 2026/11/05 18:00 ----",
        "20261105_1800",
        "20261105-180000",
        "20261105180000",
        "202611051800",
        "2026-11-05_18-00-00",
        "2026-11-05 18.00.00",
        "5.11.2026 18.00.00",
        "05.11.2026 18:00 Uhr",
        "05-Nov-2026 18:00",
        "05-Nov-26 18:00",
        "5 Nov 26 18:00",
        "[2026-11-05 18:00:00]",
        "Date: 2026-11-05 Time: 18:00",
        "2026-11-05 6:00 PM",
        "2026-11-05 06:00:00\xc2\xa0PM",
        "2026-11-05\xa0"
        "18:00",
        "2026-11-05 18:00 Do",
        "tor 5 nov 2026 18:00:00",
        "5. marraskuuta 2026 18.00.00",
        "> 2026-11-05 18:00:00",
        "Taken on SRV at 2026-11-05 18:00",
        "erstellt am 5.11.2026 18:00",
        "Stand am 5.11.2026 um 18:00 Uhr",
        "18:00 Uhr am 5.11.2026",
        "18:00 am 5.11.2026",
        "2026-11-05 6:00p",
        "2026-11-05 PM 6:00",
        "5/11/2026 6:00 \xce\xbc\xce\xbc"})
    check({stamp, below(stamp), {told_at(at18), kUtc}, "f", DateOrder::kDayMonthYear});
  for (const auto& [stamp, time] : {std::pair<std::string, std::string>{"Stand am 5.11.2026 um 12:30 Uhr", "12:30"},
                                    {"ERSTELLT AM 5.11.2026 12:30", "12:30"},
                                    {"12:30 am 5.11.2026", "12:30"},
                                    {"5.11.2026 12:30 am", "00:30"},
                                    {"2026-11-05 12:30a", "00:30"},
                                    {"2026-11-05 12:30:00 a. m.", "00:30"},
                                    {"2026-11-05 AM 12:30", "00:30"}})
    check({stamp, below(stamp), {told_at("2026-11-05T" + time + ":00Z"), kUtc}});
  for (const auto& [stamp, time] : {std::pair<std::string, std::string>{"7. Oktober 2026 18:00", "2026-10-07"},
                                    {"7 octobre 2026 18:00", "2026-10-07"},
                                    {"1 f\xe9vrier 2026 18:00", "2026-02-01"},
                                    {"1. M\xe4rz 2026 18:00", "2026-03-01"},
                                    {"1 ao\xc3\xbbt 2026 18:00", "2026-08-01"},
                                    {"mar. 10 nov. 2026 18:00", "2026-11-10"}})
    check({stamp, below(stamp), {told_at(time + "T18:00:00Z"), kUtc}});
  for (const char* const stamp :
       {"2026-11-05 18:00:00 INFO collecting pool tags of 3 hosts", "2026-11-05 18:00:00,000 - WARN - run 3 of 5",
        "2026\xe5\xb9\xb4"
        "11\xe6\x9c\x88"
        "5\xe6\x97\xa5 18\xe6\x99\x82"
        "00\xe5\x88\x86",
        "2026\xe5\xb9\xb4"
        "11\xe6\x9c\x88"
        "5\xe6\x97\xa5(\xe6\x9c\xa8) \xe5\x8d\x88\xe5\xbe\x8c"
        "6\xe6\x99\x82"
        "00\xe5\x88\x86"
        "00\xe7\xa7\x92",
        "\xe4\xbb\xa4\xe5\x92\x8c"
        "8\xe5\xb9\xb4"
        "11\xe6\x9c\x88"
        "5\xe6\x97\xa5 18:00:00",
        "5. November 2026 18 Uhr", "le 5 novembre 2026 18h", "2026/11/5 6pm", "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa6-11-05 18:00",
        "2026-11-05 18:00:00\nDate: 2026-11-05"})
    check({stamp, below(stamp), {told_at(at18), kUtc}});
  check({"seconds of Unix with a name", below("epoch=1793901600"), {told_at(at18)}});
  for (const char* const boot :
       {"system boot  2026-09-01 04:00", "Last boot: 2026-09-01 04:00:00", "Booted: 2026-09-01 04:00:00",
        "Letzter Neustart: 1.9.2026 04:00", "Heure de d\xc3\xa9marrage du syst\xc3\xa8me: 2026-09-01 04:00:00",
        "Running since 2026-09-01 04:00"})
    check({boot, below("2026-11-05 18:00:00\n" + std::string(boot)), {at18 + " boot 2026-09-01T04:00:00Z; " + kLeakRow, kUtc}});
  check({"when it was installed",
         below("2026-11-05 18:00:00\nOriginal Install Date:     2025-01-17, 04:00:00"),
         {told_at(at18), kUtc}});
  check({"an earlier date of a file below",
         below("2026-11-05 18:00:00\n2026-09-01 04:00 last output"),
         {told_at(at18), "skipped f:2: an earlier time than the one above it, without a table between: the later one is used",
          kUtc}});
  check({"an earlier date below",
         below("2026-11-27 10:00:00\n2026-11-05 18:00:00"),
         {told_at(at18), "skipped f:1: 1 date without a table below, the first in this line", kUtc}});
  check({"the same moment in another zone", below("2026-11-05 19:00:00\n2026-11-05 18:00:00Z"), {told_at(at18)}});
  check({"the newest first, one without a table",
         below("2026-11-05 19:00:00Z") + "2026-11-05 18:30:00Z\n" + below("2026-11-05 18:00:00Z"),
         {told_at(at18), told_at("2026-11-05T19:00:00Z"), "skipped f:4: 1 date without a table below, the first in this line",
          "assumed f: its newest readings stand first; it is read oldest first"}});
  for (const char* const stamp : {"Run 2026-10-03 06:00 to 2026-10-03 07:00", "2226-11-05 13:10:00", "10-03 06:00:00",
                                  "1405/10/03 06:00:00", "3/10/2569 06:00:00", "3 d'octubre de 2026 06:00:00",
                                  "2026-11-05 18:00 of that one, so far up", "5 listopad 2026 kello 18"})
    check({stamp,
           below(stamp),
           {"error no usable history: f:1: \"" + std::string(stamp) +
            "\" looks like a date, but is not understood; the table below is passed over; "
            "nothing usable is in this file"}});
  const std::pair<std::string, std::string> refused[] = {
      {"2026-11-05 18:00:00 CST", "\"CST\" is no zone that is known, or means several; write the offset from UTC"},
      {"2026-11-05 18:00:00 Middle Earth Standard Time",
       "\"Middle Earth Standard Time\" is no zone that is known, or means several; write the offset from UTC"},
      {"Mon 2026-11-05 18:00:00", "the weekday is not that of the date"},
  };
  for (const auto& [stamp, why] : refused)
    check({stamp,
           below(stamp),
           {"error no usable history: f:1: " + why + "; the table below is passed over; nothing usable is in this file"}});
}

TEST(Evidence, WithoutDates) {
  const std::string several =
      "error no usable history: f:1: no date above this table, nor is it the only one of a file without dates; nothing usable is in this file";
  const std::string named = "assumed poolmon-2026-09-01_0000.log: no time in the text: it is taken from the file's name";
  const Evidence table[] = {
      {"poolsnap without -t: one header, blank lines between",
       kHeader + kLeak + " Irp  Nonp 5 1 4 64 16\n\n" + " AAAA Paged 1 0 1 16 16\n" + kMore + " Irp  Nonp 6 1 5 80 16\n",
       {several}},
      {"blank lines between rows are no new table",
       below("2026-11-05T18:00:00Z") + "\n Irp  Nonp 5 1 4 64 16\n\n AbcD Nonp 5 1 4 64 16\n",
       {"2026-11-05T18:00:00Z; nonpaged 'AbcD' 64 4 32 5 1; nonpaged 'Irp ' 64 4 32 5 1; " + kLeakRow}},
      {"a file's name", kHeader + kLeak, {told_at("2026-09-01T00:00:00Z"), named}, "poolmon-2026-09-01_0000.log"},
      {"another",
       kHeader + kLeak,
       {told_at("2026-09-01T13:05:00Z"),
        "assumed a/pool-20260901-1305.txt: no time in the text: it is taken from the file's name"},
       "a/pool-20260901-1305.txt"},
      {"a name with a day only, and times in the text",
       below("18:00:00") + below("06:00:00"),
       {told_at("2026-09-01T18:00:00Z"), told_at("2026-09-02T06:00:00Z"),
        "assumed pool_20260901.txt: times without a date begin on that of the file's name",
        "assumed pool_20260901.txt: times without a zone are taken as UTC"},
       "pool_20260901.txt"},
      {"a name that says nothing for two tables",
       kHeader + kLeak + "\n" + kHeader + kMore,
       {"error no usable history: poolmon-2026-09-01_0000.log:1: no date above this table, nor is it the only one of a file "
        "without dates; nothing usable is in this file"},
       "poolmon-2026-09-01_0000.log"},
      {"a time alone",
       below("06:00:00"),
       {"error no usable history: f:2: no date above this table: line 1 tells a time alone; nothing usable is in this file"}},
      {"a name that can be two days",
       kHeader + kLeak,
       {"error no usable history: poolmon_05-11-2026.log:1: no date above this table, and \"05-11-2026\" in the file's name can be "
        "two days; --date-order=dmy or --date-order=mdy says which; nothing usable is in this file"},
       "poolmon_05-11-2026.log"},
      {"the same with a flag",
       kHeader + kLeak,
       {told_at("2026-11-05T00:00:00Z"),
        "assumed poolmon_05-11-2026.log: no time in the text: it is taken from the file's name"},
       "poolmon_05-11-2026.log",
       DateOrder::kDayMonthYear},
      {"the date once, then times",
       "2026-11-05\n" + below("18:00:00") + below("06:00:00"),
       {told_at("2026-11-05T18:00:00Z"), told_at("2026-11-06T06:00:00Z"),
        "assumed f: times without a date follow the one above them", kUtc}},
      {"the time above its date",
       "18:00:00\n" + below("2026-11-05") + "06:00:00\n" + below("2026-11-07"),
       {told_at("2026-11-05T18:00:00Z"), told_at("2026-11-07T06:00:00Z"),
        "assumed f: times without a date follow the one above them", kUtc}},
  };
  for (const Evidence& one : table) check(one);
}

TEST(Evidence, DatesWithoutATable) {
  std::string failed = below("2026-11-05T18:00:00Z");
  for (const char* const hour : {"19", "20", "21", "22"})
    failed += "2026-11-05T" + std::string(hour) + ":00:00Z\npoolmon: access denied\n";
  check({"a script that failed",
         failed,
         {told_at("2026-11-05T18:00:00Z"), "skipped f:4: 3 dates without a table below, the first in this line"}});
  check({"a log that tells of its looks",
         "2026-11-05 18:00:00Z INFO start\n" + below("2026-11-05 18:00:02Z INFO look") + "2026-11-05 18:00:03Z INFO done\n" +
             "2026-11-05 19:00:00Z INFO start\n" + below("2026-11-05 19:00:02Z"),
         {told_at("2026-11-05T18:00:02Z"), told_at("2026-11-05T19:00:02Z")}});
}

TEST(Evidence, TimesInNames) {
  for (const auto& [name, time] : {std::pair<std::string, std::string>{"pool 2026-11-05 06.00 AM.txt", "2026-11-05T06:00"},
                                   {"pool 2026-11-05 10.30 PM.txt", "2026-11-05T22:30"},
                                   {"pool_2026-11-05_12-15_AM.txt", "2026-11-05T00:15"},
                                   {"20261003_06.txt", "2026-10-03T06:00"},
                                   {"20261003_6PM.txt", "2026-10-03T18:00"},
                                   {"srv20190101_20261003_0600.log", "2026-10-03T06:00"},
                                   {"pool2610030600.log", "2026-10-03T06:00"},
                                   {"pool_2610030600.log", "2026-10-03T06:00"},
                                   {"pool_1791007200.log", "2026-10-03T06:00"},
                                   {"pool-2026-10-03.log", "2026-10-03T00:00"},
                                   {"pool-2026-10-03.1.log", "2026-10-03T00:00"}})
    check({name,
           kHeader + kLeak,
           {told_at(time + ":00Z"), "assumed " + name + ": no time in the text: it is taken from the file's name"},
           name});
}

TEST(Evidence, TheDebugger) {
  const std::string session =
      "Debug session time: Sun Nov  1 06:00:00.000 2026 (UTC + 0:00)\n"
      "System Uptime: 29 days 23:00:00.000\n";
  const std::string at = "2026-11-01T06:00:00Z boot 2026-10-02T07:00:00Z";
  const std::string verbose =
      "            NonPaged                              Paged\n"
      " Tag    Allocs    Frees     Diff     Used   Allocs    Frees     Diff     Used\n"
      " Leak    91000    90000     1000  1024000        0        0        0        0\n"
      " CM31        0        0        0        0    80000    70000    10000  9000000\n";
  const std::string brief =
      "   Sorting by  NonPaged Pool Consumed\n\n  Pool Used:\n            NonPaged            Paged\n"
      " Tag    Allocs     Used    Allocs     Used\n Leak     1000  1024000        0        0\tUNKNOWN pooltag\n"
      "TOTAL     1000  1024000        0        0\n";
  const Evidence table[] = {
      {"verbose !poolused",
       session + verbose,
       {at + "; nonpaged 'Leak' 1024000 1000 32 91000 90000; paged 'CM31' 9000000 10000 32 80000 70000"}},
      {"one group whose pool is named",
       session + "    Paged\n Tag    Allocs    Frees     Diff     Used\n"
                 " CM31    80000    70000    10000  9000000\n",
       {at + "; paged 'CM31' 9000000 10000 32 80000 70000"}},
      {"one group whose pool is not",
       session + " Tag    Allocs    Frees     Diff     Used\n"
                 " CM31    80000    70000    10000  9000000\n",
       {"2026-11-01T06:00:00Z boot 2026-10-02T07:00:00Z",
        "skipped f:3: which pool this table is of is not said above it; its rows are passed over"}},
      {"!vm without a banner, nonpaged in parts",
       session + "Physical Memory:          4193784 (   16775136 Kb)\nFree System PTEs:      4294980321 (17179921284 Kb)\n"
                 "NonPagedPool Usage:           250 (       1000 Kb)\nNonPagedPoolNx Usage:       50000 (     200000 Kb)\n"
                 "NonPagedPool Max:      4294967296 (17179869184 Kb)\nPagedPool Usage:            66000 (     264000 Kb)\n"
                 "\n1234 svchost.exe    12345 (     49380 Kb)\n",
       {at + "; nonpaged.bytes 205824000; paged.bytes 270336000; physical 17177739264; ptes 4294980321"}},
      {"the parts the other way round",
       session + "NonPagedPoolNx Usage:  50000 ( 200000 Kb)\nNonPagedPool Usage:  250 ( 1000 Kb)\n",
       {at + "; nonpaged.bytes 205824000"}},
      {"with the banner, after !poolused",
       session + "0: kd> !poolused 2\n" + brief +
           "0: kd> !vm 1\n"
           "*** Virtual Memory Usage ***\n\tNonPagedPool Usage:     250 (      1000 Kb)\n",
       {at + "; nonpaged 'Leak' 1024000 1000; nonpaged.bytes 1024000"}},
      {"sorted twice is listed twice", session + brief + "\n" + brief, {at + "; nonpaged 'Leak' 1024000 1000"}},
      {"two dumps",
       session + brief +
           "Debug session time: Mon Nov  2 06:00:00.000 2026 (UTC + 1:00)\n"
           "System Uptime: 30 days 22:00:00.002\n" +
           brief,
       {at + "; nonpaged 'Leak' 1024000 1000", "2026-11-02T05:00:00Z boot 2026-10-02T07:00:00Z; nonpaged 'Leak' 1024000 1000"}},
      {"the debugger's own clock",
       session + "Debugger (not debuggee) time: Tue Nov 24 06:00:00.000 2026 (UTC + 1:00)\n" + brief,
       {at + "; nonpaged 'Leak' 1024000 1000", "skipped f:3: the debugger's own time, not that of the system"}},
      {"a session's pools are not the system's",
       session + brief + "0: kd> !poolused 9\nSession ID is 1\n" + verbose,
       {at + "; nonpaged 'Leak' 1024000 1000; session 1 Leak 1024000; session 1 CM31 9000000"}},
      {"and the system's again",
       session + "Session ID is 1\n" + verbose + "0: kd> !poolused 2\n" + brief,
       {at + "; nonpaged 'Leak' 1024000 1000; session 1 Leak 1024000; session 1 CM31 9000000"}},
  };
  for (const Evidence& one : table) check(one);
}

TEST(Evidence, ScreensOfSessions) {
  const std::string gh05 = " Gh05 Paged        10         4         6       600        100\n";
  const Evidence table[] = {
      {"beside the system's",
       "2026-11-05T18:00:00Z\n System pool information\n" + kHeader + kLeak + gh05 + " Session 1 pool information\n" + kHeader +
           " Gh05 Paged 1000 0 1000 99999 100\n CM31 Paged 3 3 0 0 0\n",
       {told_at("2026-11-05T18:00:00Z") + "; paged 'Gh05' 600 6 32 10 4; session 1 Gh05 99999"}},
      {"at a time of its own",
       "2026-11-05T18:00:00Z\n System pool information\n" + kHeader + kLeak +
           "2026-11-05T18:05:00Z\n Session 2 pool information\n" + kHeader + gh05,
       {told_at("2026-11-05T18:00:00Z"), "2026-11-05T18:05:00Z; session 2 Gh05 600"}},
      {"all sessions",
       "2026-11-05T18:00:00Z\n System pool information\n" + kHeader + kLeak + " All sessions pool information\n" + kHeader +
           gh05,
       {told_at("2026-11-05T18:00:00Z"),
        "skipped f:5: pools of all sessions together: not the system's, and of no session; the table below is passed over"}},
  };
  for (const Evidence& one : table) check(one);
}

TEST(Evidence, TopOfThisProgram) {
  check({"Linux",
         " 2026-11-05T18:00:00Z\n Memory 8.00G   Avail 1.15G   Commit 12.2G of 31.4G (39%)\n slab_unreclaimable 297M\n"
         " Tag                  Type    Diff     Bytes Per Alloc Driver\n"
         " kmalloc-64           Unrec  12345    790080        64 [kernel]\n"
         " ext4_inode_cache     Recl     100    110000      1100\n"
         " load_module+0x12/0x3 Vmall      1     20480     20480 [module]\n"
         " kernel/fork.c:12 f   Alloc      -      4096      4096\n",
         {"2026-11-05T18:00:00Z; allocinfo 'kernel/fork.c:12 f' 4096 ?; slab_reclaimable 'ext4_inode_cache' 110000 100; "
          "slab_unreclaimable 'kmalloc-64' 790080 12345; vmalloc 'load_module+0x12/0x3' 20480 1",
          "assumed f: the totals above the tables of `top` are rounded, and not used"}});
  check({"Linux with changes",
         " 2026-11-05T18:00:00Z\n"
         " Tag        Type   Diff            Bytes            Per Alloc\n"
         " kmalloc-64 Unrec 12345 (   -) 790080 (   -)        64\n"
         " kmalloc-96 Unrec   100 (  12) 960000 (-960)        96\n",
         {"2026-11-05T18:00:00Z; slab_unreclaimable 'kmalloc-64' 790080 12345; slab_unreclaimable 'kmalloc-96' 960000 "
          "100",
          "assumed f: the totals above the tables of `top` are rounded, and not used"}});
  check({"Windows",
         " 2026-11-05T18:00:00Z\n Tag  Type  Allocs  Frees Diff Bytes Per Alloc Driver\n"
         " Leak Nonp     100     40   60 61440      1024 [myfault.sys]\n",
         {told_at("2026-11-05T18:00:00Z")}});
}

TEST(Evidence, NothingIsLostInSilence) {
  const std::string stamp = "2026-11-05T18:00:00Z\n";
  const std::string told = told_at("2026-11-05T18:00:00Z");
  const std::string with_irp = "2026-11-05T18:00:00Z; nonpaged 'Irp ' 64 4 32 5 1; " + kLeakRow;
  const std::string irp = " Irp  Nonp 5 1 4 64 16\n";
  const auto wide = [](const std::string& text, bool little) {
    std::string out;
    for (const char c : text) little ? (out += c, out += '\0') : (out += '\0', out += c);
    return out;
  };
  const auto replaced = [](std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
    return text;
  };
  const std::string first = stamp + kHeader + kLeak;
  const std::string second = "2026-11-06T18:00:00Z\n" + kHeader + kMore;
  const std::string second_told = "2026-11-06T18:00:00Z; " + kMoreRow;
  const std::string wide_irp = replaced(irp, " Irp  Nonp", " Irp  Nonp");
  const Evidence table[] = {
      {"a rule under the header", stamp + kHeader + " ---- ----\n" + kLeak + " <br>\n" + irp, {with_irp}},
      {"a cut row behind it",
       stamp + kHeader + " ---- ----\n" + kLeak + " Cut1 Nonp 5 1\n",
       {told, "skipped f:5: the row ends before Diff"}},
      {"lone CRs", replaced(first + irp, "\n", "\r"), {with_irp}},
      {"CR CR LF, and a lone CR inside", replaced(first, "\n", "\r\r\n") + "\r" + irp, {with_irp}},
      {"ASCII, then UTF-16 as a shell appends it", first + wide(second, true), {told, second_told}},
      {"ASCII, then UTF-16 with its mark", first + "\xff\xfe" + wide(second, true), {told, second_told}},
      {"UTF-16, then ASCII", "\xff\xfe" + wide(first, true) + second, {told, second_told}},
      {"UTF-16, ASCII and UTF-16",
       "\xff\xfe" + wide(first, true) + second + wide("2026-11-07T18:00:00Z\n" + kHeader + kLeak, true),
       {told, second_told, told_at("2026-11-07T18:00:00Z")}},
      {"UTF-16BE", "\xfe\xff" + wide(first, false), {told}},
      {"UTF-16BE without its mark", wide(first, false), {told}},
      {"UTF-16LE without its mark", wide(first, true), {told}},
      {"two files in UTF-8 with marks", "\xef\xbb\xbf" + first + "\xef\xbb\xbf" + second, {told, second_told}},
      {"mail quotes", "> " + replaced(first + irp, "\n", "\n> ") + "\n", {with_irp}},
      {"quotes of quotes", ">> " + replaced(first + irp, "\n", "\n>> ") + "\n", {with_irp}},
      {"no-break blanks as entities", replaced(first + irp, " ", "&nbsp;"), {with_irp}},
      {"as UTF-8", replaced(first + irp, " ", "\xc2\xa0"), {with_irp}},
      {"as a code page has them", stamp + replaced(kHeader + kLeak, " ", "\xa0"), {told}},
      {"a markdown table",
       stamp + "| Tag | Type | Allocs | Frees | Diff | Bytes | Per Alloc |\n|---|---|---:|---:|---:|---:|---:|\n"
               "| Leak | Nonp | 100 | 40 | 60 | 61440 | 1024 |\n| Irp | Nonp | 5 | 1 | 4 | 64 | 16 |\n",
       {with_irp}},
      {"a table of a web page",
       stamp + "<tr><th>Tag</th><th>Type</th><th>Allocs</th><th>Frees</th><th>Diff</th>"
               "<th>Bytes</th><th>Per Alloc</th></tr>\n<tr><td>Leak</td><td>Nonp</td><td>100</td>"
               "<td>40</td><td>60</td><td>61440</td><td>1024</td></tr>\n",
       {told}},
      {"a tag of a code page in UTF-8",
       stamp + kHeader + " R\xc3\xa9s1 Nonp 100 40 60 61440 1024\n",
       {"2026-11-05T18:00:00Z; nonpaged 'R\\xe9s1' 61440 60 32 100 40"}},
      {"a row with an arrow that is cut",
       first + " Cut1 Nonp 5 1 -> x\n",
       {told, "skipped f:4: Diff is not a number that fits"}},
      {"a zip",
       std::string("PK\x03\x04\x14\0\0\0\b\0", 10),
       {"error no usable history: f: a zip archive (a workbook of Excel is one, too); unpack it, or save it as CSV"}},
      {"a binary log of perfmon",
       std::string("\x01\0\0\0\x02\0\0\0\x03\0\0\0", 12),
       {"error no usable history: f: binary, and no capture; perfmon's logs become CSV by: relog FILE -f csv -o OUT"}},
  };
  for (const Evidence& one : table) check(one);
}

TEST(Evidence, SpreadsheetsOfOtherCountries) {
  const std::string leak = "2026-11-05T18:00:00Z; nonpaged 'Leak' 1234567 ?";
  const std::string csv = "timestamp;pool;tag;bytes\n2026-11-05T18:00:00Z;nonpaged;Leak;";
  const std::string pdh = "(PDH-CSV 4.0) (W. Europe Standard Time)(-60);\\\\SRV\\Memory\\Pool Nonpaged Bytes\n";
  const std::string at17 = "2026-11-05T17:00:00Z; nonpaged.bytes 172867584";
  const Evidence table[] = {
      {"semicolons", csv + "1234567\n", {leak}},
      {"a line that names them", "sep=;\n" + csv + "1234567\n", {leak}},
      {"tabs", "timestamp\tpool\ttag\tbytes\n2026-11-05T18:00:00Z\tnonpaged\tLeak\t1234567\n", {leak}},
      {"decimal commas", csv + "1234567,0\n", {leak}},
      {"thousands and decimals", csv + "1.234.567,0\n", {leak}},
      {"thousands", csv + "1.234.567\n", {leak}},
      {"thousands of France",
       csv + "1\xc2\xa0"
             "234\xc2\xa0"
             "567\n",
       {leak}},
      {"thousands of Switzerland", csv + "1'234'567\n", {leak}},
      {"an exponent", csv + "1,234567E+06\n", {leak}},
      {"what can be two numbers",
       csv + "1.234\n",
       {"error no usable history: f:2: bytes \"1.234\" may part thousands or decimals; nothing usable is in this file"}},
      {"the same in quotes",
       "timestamp,pool,tag,bytes\n2026-11-05T18:00:00Z,nonpaged,Leak,\"1,234\"\n",
       {"error no usable history: f:2: bytes \"1,234\" may part thousands or decimals; nothing usable is in this file"}},
      {"a point among commas is a point", "timestamp,pool,tag,bytes\n2026-11-05T18:00:00Z,nonpaged,Leak,1234566.501\n", {leak}},
      {"a column twice",
       "timestamp,pool,tag,bytes,bytes\n1,paged,A,1,2\n",
       {"error no usable history: f:1: two columns are named bytes"}},
      {"perfmon as Excel saves it",
       pdh + "05.11.2026 18:00;172867584,000000\n13.11.2026 18:00;172867585\n",
       {at17, "2026-11-13T17:00:00Z; nonpaged.bytes 172867585"}},
      {"with strokes, day first",
       pdh + "05/11/2026 18:00;172867584\n13/11/2026 18:00;172867585\n",
       {at17, "2026-11-13T17:00:00Z; nonpaged.bytes 172867585"}},
      {"with strokes, and nothing decides",
       pdh + "05/11/2026 18:00;172867584\n",
       {"error no usable history: f:2: time \"05/11/2026 18:00\" can be two days, and nothing in the file says which; "
        "--date-order=dmy or --date-order=mdy does; nothing usable is in this file"}},
      {"a flag does", pdh + "05/11/2026 18:00;172867584\n", {at17}, "f", DateOrder::kDayMonthYear},
      {"as perfmon itself writes it",
       pdh + "11/05/2026 18:00:00.000;172867584,5\n",
       {"2026-11-05T17:00:00Z; nonpaged.bytes 172867585"}},
      {"tabs of perfmon",
       "\"(PDH-TSV 4.0) (GMT)(0)\"\t\"\\\\SRV\\Memory\\Pool Paged Bytes\"\n\"11/05/2026 18:00:00.000\"\t\"77\"\n",
       {"2026-11-05T18:00:00Z; paged.bytes 77"}},
      {"a counter in two columns",
       "\"(PDH-CSV 4.0) (GMT)(0)\",\"\\\\S\\Memory\\Pool Paged Bytes\",\"\\\\S\\Memory\\Commit Limit\",\"\\\\S\\Memory\\Pool Paged Bytes\"\n"
       "\"11/05/2026 18:00:00.000\",\"77\",\"5\",\" \"\n\"11/05/2026 19:00:00.000\",\" \",\"5\",\"78\"\n"
       "\"11/05/2026 20:00:00.000\",\"79\",\"5\",\"80\"\n",
       {"2026-11-05T18:00:00Z; commit.limit 5; paged.bytes 77", "2026-11-05T19:00:00Z; commit.limit 5; paged.bytes 78",
        "2026-11-05T20:00:00Z; commit.limit 5; paged.bytes 79",
        "skipped f:4: Memory\\Pool Paged Bytes has two columns and two values, \"79\" and \"80\"; the first is used"}},
  };
  for (const Evidence& one : table) check(one);
}

TEST(Evidence, CountersInOtherLanguages) {
  const auto perfmon = [](const std::string& paged, const std::string& nonpaged, const std::string& commit) {
    return "\"(PDH-CSV 4.0) (GMT)(0)\",\"\\\\S\\" + paged + "\",\"\\\\S\\" + nonpaged + "\",\"\\\\S\\" + commit +
           "\"\n\"11/05/2026 18:00:00.000\",\"1\",\"2\",\"3\"\n";
  };
  const std::vector<std::string> told = {"2026-11-05T18:00:00Z; commit 3; nonpaged.bytes 2; paged.bytes 1"};
  const Evidence table[] = {
      {"German",
       perfmon("Arbeitsspeicher\\Auslagerungsseiten (Bytes)", "Arbeitsspeicher\\Nicht-Auslagerungsseiten (Bytes)",
               "Arbeitsspeicher\\Zugesicherte Bytes"),
       told},
      {"German of 2003",
       perfmon("Speicher\\Auslagerungsseiten (Bytes)", "Speicher\\Nicht-Auslagerungsseiten (Bytes)",
               "Speicher\\Zugesicherte Bytes"),
       told},
      {"French",
       perfmon("M\xc3\xa9moire\\Octets de r\xc3\xa9serve pagin\xc3\xa9"
               "e",
               "M\xc3\xa9moire\\Octets de r\xc3\xa9serve non pagin\xc3\xa9"
               "e",
               "M\xc3\xa9moire\\Octets valid\xc3\xa9s"),
       told},
      {"French in a code page",
       perfmon("M\xe9moire\\Octets de r\xe9serve pagin\xe9"
               "e",
               "M\xe9moire\\Octets de r\xe9serve non pagin\xe9"
               "e",
               "M\xe9moire\\Octets valid\xe9s"),
       told},
      {"Spanish",
       perfmon("Memoria\\Bytes de bloque paginado", "Memoria\\Bytes de bloque no paginado", "Memoria\\Bytes confirmados"),
       told},
      {"Japanese",
       perfmon(
           "\xe3\x83\xa1\xe3\x83\xa2\xe3\x83\xaa\\\xe3\x83\x9a\xe3\x83\xbc\xe3\x82\xb8 \xe3\x83\x97\xe3\x83\xbc\xe3\x83\xab \xe3\x83\x90\xe3\x82\xa4\xe3\x83\x88\xe6\x95\xb0",
           "\xe3\x83\xa1\xe3\x83\xa2\xe3\x83\xaa\\\xe9\x9d\x9e\xe3\x83\x9a\xe3\x83\xbc\xe3\x82\xb8 \xe3\x83\x97\xe3\x83\xbc\xe3\x83\xab \xe3\x83\x90\xe3\x82\xa4\xe3\x83\x88\xe6\x95\xb0",
           "\xe3\x83\xa1\xe3\x83\xa2\xe3\x83\xaa\\\xe3\x82\xb3\xe3\x83\x9f\xe3\x83\x83\xe3\x83\x88\xe6\xb8\x88\xe3\x81\xbf\xe3\x83\x90\xe3\x82\xa4\xe3\x83\x88"),
       told},
      {"a process' own pool is not the system's",
       "\"(PDH-CSV 4.0) (GMT)(0)\",\"\\\\S\\Prozess(svc)\\Auslagerungsseiten (Bytes)\"\n\"11/05/2026 18:00:00.000\",\"1\"\n",
       {"2026-11-05T18:00:00Z; svc 1795646532257 handles 0 nonpaged 0",
        "assumed f: processes without the counter ID Process have numbers of their own in place of pids, above 1000000000000, one "
        "for each instance"}},
      {"Swedish",
       "\"(PDH-CSV 4.0) (GMT)(0)\",\"\\\\S\\Minne\\V\xc3\xa4xlingsbar pool\"\n\"11/05/2026 18:00:00.000\",\"1\"\n",
       {"error no usable history: f:1: no counter that is known; Memory\\Pool Nonpaged Bytes and such are, by their "
        "English names; \"Minne\\V\xc3\xa4xlingsbar pool\" looks Swedish; in English they are written by: typeperf "
        "\"\\Memory\\Pool Nonpaged Bytes\" \"\\Memory\\Pool Paged Bytes\" -si 3600 -o FILE"}},
  };
  for (const Evidence& one : table) check(one);
}

/// Of no matter by its own looks: fewer than three numbers, a line of !vm, or a sum.
bool is_decoration(std::string line) {
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\t' || c == '|' || c == '\r'; }, ' ');
  if (line.find("Kb") != std::string::npos || line.find("otal") != std::string::npos || line.starts_with("TOTAL")) return true;
  std::size_t numbers = 0;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t begin = std::min(line.find_first_not_of(' ', at), line.size());
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    const std::string word = line.substr(begin, end - begin);
    numbers += !word.empty() && word.find_first_not_of("0123456789") == std::string::npos ? 1 : 0;
    at = end;
  }
  return numbers < 3;
}

TEST(Evidence, ALineThatChangesNothingIsDecoration) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const char* const name :
       {"debugger.txt", "memsnap.log", "poolmon_log_crlf.txt", "poolmon_posted.txt", "poolmon_screen.txt", "poolsnap.log"})
    texts.emplace_back(name, *base::read_file(base::os_file_system(), "fixtures/history/" + std::string(name), 100'000));
  texts.emplace_back("cut rows", below("2026-11-05T18:00:00Z") + " Cut1 Nonp 5 1\n----\nCut2 Paged 1x 2 3 4 5\n" + kHeader +
                                     "C:\\> prose\n 1 2 3 4\n");
  std::size_t silent = 0;
  std::size_t lines = 0;
  for (const auto& [name, text] : texts) {
    const std::vector<std::string> whole = tell(test::read_text(text));
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const std::string line = text.substr(begin, end - begin);
      const bool is_dead = line.find(" Gone ") != std::string::npos || line.find(" Neg1 ") != std::string::npos;
      if (line.find_first_not_of(" \t\r") != std::string::npos && !is_dead) {
        ++lines;
        const auto without = tell(test::read_text(text.substr(0, begin) + text.substr(end)));
        if (without == whole && !is_decoration(line)) {
          ++silent;
          ADD_FAILURE() << name << ": lost in silence: " << line;
        }
      }
      begin = end + 1;
    }
  }
  EXPECT_GT(lines, 90U);
  EXPECT_EQ(silent, 0U);
}

}  // namespace
}  // namespace kmem::history
