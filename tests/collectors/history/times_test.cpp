// Which of several times is that of a table, and what the times in files' names are.
#include <gmock/gmock.h>

#include "collectors/base/time_words.h"
#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using testing::HasSubstr;

std::string poolmon_of(int kib) {
  const std::string bytes = std::to_string(kib * 1024), count = std::to_string(kib);
  return " Tag  Type     Allocs     Frees      Diff   Bytes  Per Alloc\n Leak Nonp        " + count + "        0        " +
         count + "      " + bytes + "       1024\n";
}

std::string meminfo_of(int kib) { return "MemTotal: 100 kB\nSUnreclaim: " + std::to_string(kib) + " kB\n"; }

std::string vm_of(int kib) {
  return "*** Virtual Memory Usage ***\nPagedPool Usage: " + std::to_string(kib / 4) + " ( " + std::to_string(kib) + " Kb)\n";
}

/// "11-14T18:00:00 500, ...", in KiB; or the error.
std::string told(const std::string& text, const std::string& name = "f") {
  test::MemoryFiles files;
  files.put(name, text);
  files.set_modified(1'795'000'000'000);
  const test::WholeHistory whole = test::read_history(files, {name});
  std::string found = whole.error;
  for (const Snapshot& snapshot : whole.snapshots) {
    std::uint64_t bytes = 0;
    for (const TagUsage& tag : snapshot.tags) bytes += tag.bytes;
    for (const PoolTotals& pool : snapshot.pools) bytes += pool.bytes.value_or(0);
    const std::string time = base::rfc3339(snapshot.time);
    found += (found.empty() ? "" : ", ") + time.substr(5, time.size() - 6) + " " + std::to_string(bytes / 1024);
  }
  return found;
}

TEST(Times, TheNearestStampAboveATableIsItsOwn) {
  const std::string mail = "From: bob@example.com\nDate: Fri, 27 Nov 2026 10:00:00 +0000\nSubject: leak\n\n";
  const std::string report = "Report generated: 2026-11-27 10:00:00\n", stamp = "Sat Nov 14 18:00:00 UTC 2026\n";
  for (const std::string& above : {mail, report, std::string("2026-11-27 10:00:00 +0000\n\n")}) {
    EXPECT_EQ(told(above + stamp + poolmon_of(500)), "11-14T18:00:00 500") << above;
    EXPECT_EQ(told(above + stamp + meminfo_of(500)), "11-14T18:00:00 500") << above;
    // The mail's time is between those of its looks.
    EXPECT_EQ(told(above + stamp + poolmon_of(500) + "Sun Nov 29 18:00:00 UTC 2026\n" + poolmon_of(600)),
              "11-14T18:00:00 500, 11-29T18:00:00 600")
        << above;
    EXPECT_EQ(told(above + "Debug session time: Sat Nov 14 18:00:00.000 2026 (UTC + 0:00)\n" + vm_of(500)),
              "11-14T18:00:00 500")
        << above;
  }
  std::string log = mail, right;
  for (int day = 10; day < 26; ++day) {
    log += "2026-11-" + std::to_string(day) + " 18:00:00Z\n" + poolmon_of(day);
    right += (day == 10 ? "11-" : ", 11-") + std::to_string(day) + "T18:00:00 " + std::to_string(day);
  }
  EXPECT_EQ(told(log), right);
}

TEST(Times, OfTheDebuggersTablesItsSessionsTimeHolds) {
  const std::string session = "Debug session time: Sat Nov 14 18:00:00.000 2026 (UTC + 0:00)\n";
  for (const std::string other : {"2026-11-27 10:00:00Z\n", "2026-11-01 10:00:00Z\n", "Opened: 2026-11-27 10:00:00Z\n"}) {
    EXPECT_EQ(told(session + other + vm_of(500)), "11-14T18:00:00 500") << other;
    EXPECT_EQ(told(other + session + vm_of(500)), "11-14T18:00:00 500") << other;
  }
}

TEST(Times, OfAStampAndAnotherLinesEarlierDate) {
  const std::string stamp = "2026-11-14 18:00:00Z\n";
  EXPECT_EQ(told(stamp + "2026-11-01 06:00 last output\n" + poolmon_of(5)), "11-14T18:00:00 5");
  EXPECT_EQ(told(stamp + "2026-11-01 06:00:00\n" + meminfo_of(5)), "11-14T18:00:00 5");  // `uptime -s`
  EXPECT_EQ(told("Sat Nov 14 18:00:00 UTC 2026\nSat Nov 14 13:00:00 2026\n" + poolmon_of(5)), "11-14T18:00:00 5");
  EXPECT_EQ(told("Sat Nov 14 18:00:00 UTC 2026\n2026-11-14 13:00:00\n" + meminfo_of(5)), "11-14T18:00:00 5");
  const std::string doubt =
      "no usable history: f:2: an earlier time than that of line 1, without a table between: which of the two is of the table "
      "below is not known; take the other one away; it is passed over; nothing usable is in this file";
  EXPECT_EQ(told("Report generated: 2026-11-27 10:00:00Z\nsrv web: 2026-11-14 18:00:00Z\n" + poolmon_of(5)), doubt);
  // What stands before the table above is of none below it.
  EXPECT_EQ(told(stamp + poolmon_of(5) + "Report made: 2026-11-15 18:00:00Z\nPassword changed: 2026-11-01 06:00:00Z\n" +
                 poolmon_of(6)),
            "11-14T18:00:00 5, 11-15T18:00:00 6");
}

TEST(Times, DatesBelowTheirTables) {
  const auto loop = [](auto table, const std::string& more) {
    return table(4) + "2026-11-14 18:00:00Z\n" + more + table(8) + "2026-11-15 18:00:00Z\n" + table(12) +
           "2026-11-16 18:00:00Z\n";
  };
  const std::string right = "11-14T18:00:00 4, 11-15T18:00:00 8, 11-16T18:00:00 12";
  EXPECT_EQ(told(loop(poolmon_of, "")), right);
  EXPECT_EQ(told(loop(meminfo_of, "")), right);
  EXPECT_EQ(told(loop(vm_of, "")), right);
  EXPECT_EQ(told(loop(poolmon_of, "\n----\n")), right);
  for (const std::string& text : {loop(poolmon_of, poolmon_of(9)), loop(meminfo_of, meminfo_of(9))})
    EXPECT_THAT(told(text), testing::AllOf(HasSubstr("its dates may stand below their tables, but line 6 begins one too many"),
                                           HasSubstr("begins with a table (line 1) and ends with a date (line")));
  EXPECT_THAT(told(loop(poolmon_of, "2026-11-15 17:00:00Z\n")), HasSubstr("but line 3 begins one too many"));
  // Its beginning was cut off.
  EXPECT_EQ(told(poolmon_of(5) + "2026-11-14 18:00:00Z\n" + poolmon_of(6)), "11-14T18:00:00 6");
}

TEST(Times, TheHourThatComesTwiceIsToldByTheOrderOfTheRows) {
  const auto stamp = [](const std::string& hour, const std::string& zone) {
    return "2026-10-25 " + hour + ":00 " + zone + "\n";
  };
  const std::string hours[] = {"01:00", "02:00", "02:00", "03:00"};
  for (const std::string zone : {"Europe/Berlin", "W. Europe Standard Time"}) {
    std::string text, linux, newest_first;
    for (int i = 0; i < 4; ++i) {
      text += stamp(hours[i], zone) + poolmon_of(i + 1);
      linux += stamp(hours[i], zone) + meminfo_of(i + 1);
      newest_first += stamp(hours[3 - i], zone) + poolmon_of(4 - i);
    }
    const std::string right = "10-24T23:00:00 1, 10-25T00:00:00 2, 10-25T01:00:00 3, 10-25T02:00:00 4";
    EXPECT_EQ(told(text), right) << zone;
    EXPECT_EQ(told(linux), right) << zone;
    EXPECT_EQ(told(newest_first), right) << zone;
    const std::string left_out = "2026-03-29 02:30:00 " + zone + "\n", next = "2026-03-29 03:30:00 " + zone + "\n";
    EXPECT_EQ(told(left_out + poolmon_of(1) + next + poolmon_of(2)), "03-29T01:30:00 2") << zone;
    EXPECT_EQ(told(left_out + meminfo_of(1) + next + meminfo_of(2)), "03-29T01:30:00 2") << zone;
    EXPECT_THAT(told(left_out + poolmon_of(1)), HasSubstr("f:1: this hour does not exist in its zone")) << zone;
  }
}

TEST(Times, TheHourThatComesTwiceIsToldByLongSteps) {
  const auto of_hours = [](const std::vector<std::string>& hours) {
    std::string text;
    for (const std::string& hour : hours) text += "2026-10-" + hour + ":00 Europe/Berlin\n" + poolmon_of(4);
    return text;
  };
  // Steps of three hours; of the file's first time nothing tells it.
  const std::string steps = of_hours({"24 21:00", "25 00:00", "25 02:00", "25 05:00"});
  EXPECT_EQ(told(steps), "10-24T19:00:00 4, 10-24T22:00:00 4, 10-25T01:00:00 4, 10-25T04:00:00 4");
  EXPECT_EQ(told(of_hours({"24 20:00", "24 23:00", "25 02:00", "25 04:00"})),
            "10-24T18:00:00 4, 10-24T21:00:00 4, 10-25T00:00:00 4, 10-25T03:00:00 4");
  const auto said = [](const std::string& text) { return testing::PrintToString(test::read_text(text).warnings); };
  const std::string note = "the hour that comes twice when summer time ends is taken as of the first one: nothing tells";
  EXPECT_THAT(said(steps), testing::Not(HasSubstr(note)));
  EXPECT_THAT(said(of_hours({"25 02:30", "25 12:00"})), HasSubstr(note));
  EXPECT_THAT(said(of_hours({"24 12:00", "25 02:30", "25 12:00"})), HasSubstr(note));
  EXPECT_THAT(said(of_hours({"25 01:30", "25 02:00", "25 02:30"})), testing::Not(HasSubstr(note)));
}

TEST(Times, TenDigitsThatLieFarAheadAsSecondsAreADateOrNone) {
  for (const std::string stamp : {"2611121800", "time=2611121800"}) {
    EXPECT_EQ(told(stamp + "\n" + poolmon_of(4)), "11-12T18:00:00 4") << stamp;
    EXPECT_EQ(told(stamp + "\n" + meminfo_of(4)), "11-12T18:00:00 4") << stamp;
  }
  EXPECT_EQ(told("Time,Tag,NonPagedUsedBytes\n2611020605,Leak,4096\n2611031805,Leak,5120\n"),
            "11-02T06:05:00 4, 11-03T18:05:00 5");
  const std::string why = "\"2613121800\" is no Unix time, for it would be after 2033";
  EXPECT_THAT(told("2613121800\n" + poolmon_of(4)), HasSubstr(why));
  EXPECT_THAT(told("2613121800\n" + meminfo_of(4)), HasSubstr(why));
  EXPECT_THAT(told("Time,Tag,NonPagedUsedBytes\n2613121800,Leak,4096\n"), HasSubstr(why));
}

TEST(Times, ADateWhoseYearIsCutIsNotTheDayAbove) {
  const auto session = [](const std::string& time) { return "Debug session time: " + time + "\n" + vm_of(500); };
  for (const std::string cut : {"Sun Nov 15 19:00:00.000 2", "Sun Nov 15 19:00:00.000 20", "Sun Nov 15 19:00:00.000 202"})
    EXPECT_EQ(told(session("Sat Nov 14 18:00:00.000 2026 (UTC + 0:00)") + session(cut) +
                   session("Mon Nov 16 20:00:00.000 2026 (UTC + 0:00)")),
              "11-14T18:00:00 500, 11-16T20:00:00 500")
        << cut;
}

TEST(Times, ABootsTimeIsNoStampOfALinuxTable) {
  const std::string stamp = "2026-11-14 18:00:00\n";
  for (const std::string boot : {"System Boot Time:          11/1/2026, 8:00:00 AM\n",
                                 "Original Install Date: 1/11/2025, 8:00:00\n", "up since: 2026-11-01 08:00:00\n"}) {
    EXPECT_EQ(told(stamp + boot + meminfo_of(4) + "2026-11-15 18:00:00\n" + boot + meminfo_of(5)),
              "11-14T18:00:00 4, 11-15T18:00:00 5")
        << boot;
  }
}

TEST(Times, ADayBetweenYearAndMonthIsRefused) {
  const auto log = [](const std::vector<std::string>& days, const auto& table) {
    std::string text;
    for (const std::string& day : days) text += day + " 18:00:00\n" + table(4);
    return text;
  };
  const std::vector<std::string> days = {"2026-10-11", "2026-11-11", "2026-12-11", "2026-13-11", "2026-14-11"};
  const std::string right = "\"2026-10-11 18:00:00\": behind the year stands the day in this file, as \"2026-13-11\" shows";
  EXPECT_THAT(told(log(days, poolmon_of)), HasSubstr(right));
  EXPECT_THAT(told(log(days, meminfo_of)), HasSubstr(right));
  // A slip among others.
  EXPECT_EQ(told(log({"2026-11-14", "2026-13-11", "2026-11-16"}, poolmon_of)), "11-14T18:00:00 4, 11-16T18:00:00 4");
}

TEST(Times, AStampThatIsNotUnderstoodIsQuoted) {
  for (const std::string stamp : {"134390700000000000", "46331.75", "14.11. 18:00:00"})
    EXPECT_EQ(
        told(stamp + "\n" + poolmon_of(4) + stamp + "\n" + poolmon_of(5)),
        "no usable history: f:1: \"" + stamp +
            "\" may be meant as a time, which is not understood: no date above the first table; nothing usable is in this file");
  EXPECT_EQ(told("@1794679200\n" + poolmon_of(4)), "11-14T18:00:00 4");
  EXPECT_EQ(told("@1794679200\n" + meminfo_of(4)), "11-14T18:00:00 4");
}

TEST(Times, AZonesClockIsThatOfItsYears) {
  const auto at = [](const std::string& stamp) { return told(stamp + "\n" + poolmon_of(4)); };
  EXPECT_EQ(at("2026-11-14 18:00:00 Tasmania Standard Time"), "11-14T07:00:00 4");
  EXPECT_EQ(at("2026-07-14 18:00:00 Cen. Australia Standard Time"), "07-14T08:30:00 4");
  EXPECT_EQ(at("2026-07-14 18:00:00 Central Standard Time (Mexico)"), "07-15T00:00:00 4");
  EXPECT_EQ(at("2005-03-20 18:00:00 Eastern Standard Time"), "03-20T23:00:00 4");  // before 2007
  EXPECT_EQ(at("2005-10-29 18:00:00 Eastern Standard Time"), "10-29T22:00:00 4");
  EXPECT_THAT(at("2018-11-05 18:00:00 E. South America Standard Time"),
              HasSubstr("its zone's clock was in that year is not known"));
}

TEST(Times, OfPerfmonsZoneThatIsNotKnown) {
  const auto rows = [](const std::string& zone, const std::vector<std::string>& times) {
    std::string text = "\"(PDH-CSV 4.0) (" + zone + ")\",\"\\\\S\\Memory\\Pool Nonpaged Bytes\"\n";
    for (const std::string& time : times) text += "\"" + time + ":00.000\",\"1024\"\n";
    return told(text);
  };
  // Its clock went from 00:00 to 01:00; an hour that is missing may be a reading that is.
  EXPECT_EQ(rows("Egypt Standard Time)(-120", {"04/25/2024 22:00", "04/25/2024 23:00", "04/26/2024 01:00", "04/26/2024 02:00"}),
            "04-25T20:00:00 1, 04-25T21:00:00 1");
  EXPECT_EQ(rows("Egypt Standard Time)(-120", {"04/24/2024 22:00", "04/25/2024 22:00", "04/26/2024 22:00"}),
            "04-24T20:00:00 1");
  EXPECT_EQ(rows("Egypt Standard Time)(-120", {"11/07/2024 22:00", "11/07/2024 23:00", "11/08/2024 00:00", "11/08/2024 01:00"}),
            "11-07T20:00:00 1, 11-07T21:00:00 1, 11-07T22:00:00 1, 11-07T23:00:00 1");
  EXPECT_EQ(rows("Egypt Standard Time)(-120", {"01/06/2024 22:00", "01/09/2024 22:00"}), "01-06T20:00:00 1, 01-09T20:00:00 1");
  // It went back at the end of a Thursday; a row that is there twice is no clock.
  EXPECT_EQ(rows("Egypt Daylight Time)(-180", {"10/31/2024 22:00", "10/31/2024 23:00", "10/31/2024 23:00", "11/01/2024 00:00"}),
            "10-31T19:00:00 1, 10-31T20:00:00 1, 10-31T21:00:00 1");
  EXPECT_EQ(rows("Egypt Daylight Time)(-180", {"10/31/2024 22:10", "10/31/2024 23:00", "10/31/2024 23:50", "10/31/2024 23:40"}),
            "10-31T19:10:00 1, 10-31T20:00:00 1, 10-31T20:50:00 1");
  // From 22:00 to 23:00 on a Saturday.
  EXPECT_EQ(rows("Easter Island Standard Time)(360", {"09/05/2026 20:00", "09/05/2026 21:00", "09/05/2026 23:00"}),
            "09-06T02:00:00 1, 09-06T03:00:00 1");
  EXPECT_EQ(rows("Easter Island Standard Time)(360", {"07/04/2026 20:00", "07/04/2026 21:00", "07/04/2026 23:00"}),
            "07-05T02:00:00 1, 07-05T03:00:00 1, 07-05T05:00:00 1");
  EXPECT_EQ(rows("Tasmania Standard Time)(-600", {"10/03/2026 18:00", "10/04/2026 18:00"}),
            "10-03T08:00:00 1, 10-04T07:00:00 1");
  EXPECT_EQ(rows("Tasmania Daylight Time)(-660", {"04/04/2026 18:00", "04/05/2026 18:00", "10/04/2026 18:00"}),
            "04-04T07:00:00 1, 04-05T08:00:00 1, 10-04T07:00:00 1");
  EXPECT_EQ(rows("SE Asia Standard Time)(-420", {"10/03/2026 18:00", "10/24/2026 18:00"}),
            "10-03T11:00:00 1, 10-24T11:00:00 1");
}

TEST(Times, InNamesOfFiles) {
  const struct {
    const char* name;
    const char* time;
  } read[] = {
      {"pool-2026-11-14_18-00-00-CET.log", "11-14T17:00:00 5"},
      {"pool-2026-11-14_18-00-00+0100.log", "11-14T17:00:00 5"},
      {"pool-2026-11-14_18-00-00_UTC+02.log", "11-14T16:00:00 5"},
      {"pool-2026-11-14_18-00-00_UTC+0530.log", "11-14T12:30:00 5"},
      {"pool-2026-11-14_18-00-00_GMT-5.log", "11-14T23:00:00 5"},
      {"pool-2026-11-14_18-00-00_EST.log", "11-14T23:00:00 5"},
      {"pool-2026-11-14_18-00-00.PST.log", "11-15T02:00:00 5"},
      {"pool-2026-11-14_18-00_utc.log", "11-14T18:00:00 5"},
      {"pool-2026-11-14_18-00_W. Europe Standard Time.log", "11-14T17:00:00 5"},
      {"pool_20261114_1800_SRV1.log", "11-14T18:00:00 5"},
      {"2026-11-14_1800_Europe-Berlin.log", "11-14T17:00:00 5"},
      {"2026-11-14_1800_America_New_York.log", "11-14T23:00:00 5"},
      {"2026-11-14_18h.log", "11-14T18:00:00 5"},
      {"2026-11-14_18Uhr.log", "11-14T18:00:00 5"},
      {"2026-11-14_22H2.log", "11-14T00:00:00 5"},
      {"2026-11-14_12h-after-reboot.log", "11-14T00:00:00 5"},
      {"2026-11-14_1800-1900.log", "11-14T18:00:00 5"},
      {"2026-11-14.18.log", "11-14T18:00:00 5"},
      {"2026-11-14_10.20.30.40.log", "11-14T00:00:00 5"},
      {"2026-11-14_1800s.log", "11-14T00:00:00 5"},
      {"2026-11-14_18.00.00.log", "11-14T18:00:00 5"},
      {"pool-2026-11-14_1800MB.log", "11-14T00:00:00 5"},
      {"pool-2026-11-14-10.0.19045.log", "11-14T00:00:00 5"},
      {"pool-2026-11-14_22.04.3.log", "11-14T00:00:00 5"},
      {"pool-2026-11-14_18.00.log", "11-14T18:00:00 5"},
      {"2026-11-14_2019.log", "11-14T20:19:00 5"},
      {"pool-2026-11-14 at 18.00.00.log", "11-14T18:00:00 5"},
      {"poolmon 14. November 2026.log", "11-14T00:00:00 5"},
      {"pool_Nov-14-2026.log", "11-14T00:00:00 5"},
      {"pool_Nov-14-2026_1800.log", "11-14T18:00:00 5"},
      {"2026/11/14/18/pool.log", "11-14T18:00:00 5"},
      {"logs/2026/11/14/pool.log", "11-14T00:00:00 5"},
      {"pool-20261114183015123.log", "11-14T18:30:15.123 5"},
      {"pool-1794679200123.log", "11-14T18:00:00.123 5"},
      {"pool-2026-11-14_20261114.log", "11-14T00:00:00 5"},
      {"pool-2026-11-01_2026-11-14_1800.log", "11-14T18:00:00 5"},
  };
  for (const auto& [name, time] : read) {
    // A day alone takes the hour of a file that was modified on it, if it is a folder's.
    EXPECT_EQ(told(poolmon_of(5), name), time) << name;
  }
  const std::pair<const char*, const char*> refused[] = {
      {"pool-2026-11-01_2026-11-14.log", "has two dates, and which is that of its table is not known"},
      {"pool-20261101-0000--20261114-1800.log", "has two dates"},
      {"pool-2026-11-14_18-00-00-IST.log", "\"IST\" behind the time in the file's name may be its zone"},
      {"pool-2026-11-14_18-00-00-0500.log", "\"-0500\" behind the time"},
      {"pool-2026-11-14_1800-0500.log", "\"-0500\" behind the time"},
      {"2026-11-14_1800_Europe-Utopia.log", "\"Europe-Utopia\" behind the time"},
      {"2026-11-14_10.20.30.140.log", "\"10.20.30.140\" in the file's name may be a time, or an address"},
      {"261114_1800.log", "\"261114_1800\" in the file's name looks like a date"},
      {"2026-W46-6.log", "\"2026-W46\" in the file's name looks like a date"},
      {"pool-2026-11-14_3.10.log", "\"3.10\" in the file's name may be a time, or a version"},
      {"2026-11-14_2019_srv.log", "\"2019\" in the file's name may be a time, or a year"},
      {"pool_14Nov26_1800.log", "\"14Nov26\" in the file's name looks like a date, but is not understood"},
      {"pool-2026-02-30.log", "\"2026-02-30\" in the file's name looks like a date"},
      {"pool_20260230.log", "\"20260230\" in the file's name looks like a date"},
      {"pool_2026-13-11.log", "\"2026-13-11\" in the file's name looks like a date"},
      {"pool_2026-318.log", "\"2026-318\" in the file's name looks like a date"},
  };
  for (const auto& [name, why] : refused) EXPECT_THAT(told(poolmon_of(5), name), HasSubstr(why)) << name;
  EXPECT_EQ(told(poolmon_of(5), "pool-1.2.3.log"), "11-18T11:06:40 5");  // when it was modified
}

}  // namespace
}  // namespace kmem::history
