#include <gmock/gmock.h>

#include "collectors/base/time_words.h"
#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using test::read_fixture;
using test::read_text;
using test::totals_of;
using test::WholeHistory;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr base::UnixMillis kFirstOfMayAt6 = 1'714'543'200'000;  // 2024-05-01T06:00:00Z
constexpr base::UnixMillis kHourMs = 3'600'000;

TEST(PerfmonHistory, NumbersThatASpreadsheetRoundedAreTold) {
  const auto warnings = [](const std::string& cell) {
    return test::read_text("\"(PDH-CSV 4.0) (UTC)(0)\";\"\\\\S\\Memory\\Pool Nonpaged Bytes\"\n\"11/15/2026 18:00:00.123\";\"" +
                           cell + "\"\n")
        .warnings;
  };
  EXPECT_THAT(
      warnings("5,12E+06"),
      ElementsAre("f: Memory\\Pool Nonpaged Bytes \"5,12E+06\" (line 2) has lost its last digits, as a spreadsheet saves a "
                  "narrow column: what changes by less than 10000 is not seen; write the numbers out"));
  for (const std::string whole : {"5,12E+02", "5,120001E+06", "1.310527e+010", "0,00E+00", "5120001"})
    EXPECT_THAT(warnings(whole), testing::IsEmpty()) << whole;
}

TEST(PerfmonHistory, ColumnsBecomeTotals) {
  const std::string file = "fixtures/history/perfmon.csv";
  const WholeHistory found = read_fixture("perfmon.csv");
  ASSERT_EQ(found.snapshots.size(), 4U) << found.error;
  EXPECT_EQ(found.snapshots[0].system, System::kWindows);
  EXPECT_EQ(found.snapshots[0].time, kFirstOfMayAt6 + 250);  // local time 8:00, UTC is 120 minutes behind it
  EXPECT_EQ(found.snapshots[0].boot_time, kFirstOfMayAt6 - kHourMs);
  EXPECT_THAT(totals_of(found.snapshots[0]),
              ElementsAre(Pair("available", 1233121280), Pair("cache", 40960000), Pair("cache.peak", 50960000),
                          Pair("commit", 13105270000), Pair("commit.limit", 33669967872), Pair("nonpaged.allocations", 91234),
                          Pair("nonpaged.bytes", 172867584), Pair("paged.allocations", 81234), Pair("paged.bytes", 311185408),
                          Pair("paged.resident", 254332928), Pair("ptes", 33444)));
  EXPECT_EQ(found.snapshots[1].time, kFirstOfMayAt6 + kHourMs + 250);
  EXPECT_EQ(found.snapshots[1].boot_time, kFirstOfMayAt6 - kHourMs);  // jitter of 0.1 ms is the same boot
  EXPECT_THAT(totals_of(found.snapshots[1]),
              ElementsAre(Pair("available", 1233121280), Pair("cache", 40960000), Pair("cache.peak", 50960000),
                          Pair("commit", 13105270784), Pair("commit.limit", 33669967872), Pair("nonpaged.bytes", 172867585),
                          Pair("paged.bytes", 311185409), Pair("ptes", 33440)));
  EXPECT_EQ(found.snapshots[2].time, kFirstOfMayAt6 + 2 * kHourMs + 250);
  EXPECT_THAT(totals_of(found.snapshots[2]), ElementsAre(Pair("nonpaged.bytes", 172867586)));
  EXPECT_FALSE(found.snapshots[2].boot_time);
  EXPECT_THAT(totals_of(found.snapshots[3]), ElementsAre(Pair("nonpaged.bytes", 172867587), Pair("paged.bytes", 311185412)));
  EXPECT_EQ(found.snapshots[3].boot_time, kFirstOfMayAt6 + 5 * kHourMs + 250 - 60'000);
  EXPECT_THAT(found.skipped, ElementsAre(file + ":4: Memory\\Pool Paged Bytes \"-1\" is not a value",
                                         file + ":5: 2 fields where the header has 15",
                                         file + ":6: time \"01.05.2024 11:00:00\" is not MM/DD/YYYY HH:MM:SS"));
  EXPECT_THAT(found.warnings, ElementsAre(file + ": several hosts: only \"FILE1\" is used, not \"FILE2\""));
}

TEST(PerfmonHistory, TypeperfHasNoZone) {
  const WholeHistory found = read_fixture("typeperf.csv");
  ASSERT_EQ(found.snapshots.size(), 2U) << found.error;
  EXPECT_EQ(found.snapshots[0].time, kFirstOfMayAt6);
  EXPECT_EQ(found.snapshots[1].time, kFirstOfMayAt6 + 1000);
  EXPECT_THAT(totals_of(found.snapshots[1]), ElementsAre(Pair("nonpaged.bytes", 1001)));
  EXPECT_THAT(found.skipped, IsEmpty());
  EXPECT_THAT(found.warnings,
              ElementsAre("fixtures/history/typeperf.csv: the header has no time zone: times are taken as UTC"));
}

// Where summer time begins, hourly readings look like one that is missing: the zone tells which it is.
TEST(PerfmonHistory, AMissingHourIsSummerTimeWhereTheZoneHasOne) {
  for (const auto& [zone, hours] : {std::pair<std::string, int>{"W. Europe Standard Time)(-60", 4},
                                    {"Coordinated Universal Time)(0", 5},
                                    {"Tokyo Standard Time)(-540", 5}}) {
    std::string text = "(PDH-CSV 4.0) (" + zone + "),\\\\h\\Memory\\Pool Paged Bytes\n";
    for (const char* const hour : {"29/2026 00", "29/2026 01", "29/2026 03", "29/2026 04", "29/2026 05"})
      text += "03/" + std::string(hour) + ":00:00.000,1\n";
    const WholeHistory found = read_text(text);
    ASSERT_EQ(found.snapshots.size(), 5U) << zone;
    EXPECT_EQ(found.snapshots[4].time - found.snapshots[0].time, hours * base::kHourMillis) << zone;
    EXPECT_TRUE(found.warnings.empty()) << zone;
  }
}

// Steps of six hours go over the hour that is changed.
TEST(PerfmonHistory, SummerTimeBetweenTwoLongSteps) {
  const auto times = [](const std::string& bias, const std::vector<const char*>& local) {
    std::string text = "(PDH-CSV 4.0) (W. Europe)(" + bias + "),\\\\h\\Memory\\Pool Paged Bytes\n";
    for (const char* const time : local) text += std::string(time) + ":00.000,1\n";
    const WholeHistory found = read_text(text);
    std::vector<std::string> utc;
    for (const Snapshot& snapshot : found.snapshots) utc.push_back(base::rfc3339(snapshot.time).substr(5, 11));
    utc.push_back(std::to_string(found.warnings.size()));
    return utc;
  };
  EXPECT_THAT(
      times("-120", {"10/24/2026 14:00", "10/24/2026 20:00", "10/25/2026 02:00", "10/25/2026 07:00", "10/25/2026 13:00"}),
      ElementsAre("10-24T12:00", "10-24T18:00", "10-25T00:00", "10-25T06:00", "10-25T12:00", "1"));
  EXPECT_THAT(
      times("-60", {"03/28/2026 13:00", "03/28/2026 19:00", "03/29/2026 01:00", "03/29/2026 08:00", "03/29/2026 14:00"}),
      ElementsAre("03-28T12:00", "03-28T18:00", "03-29T00:00", "03-29T06:00", "03-29T12:00", "1"));
  // Longer ones, on another day, in the afternoon, and a missing reading of each hour: what may have been, and nothing shows,
  // is refused.
  EXPECT_THAT(times("-60", {"03/21/2026 13:00", "03/22/2026 01:00", "03/22/2026 14:00"}), ElementsAre("03-21T12:00", "0"));
  EXPECT_THAT(times("-60", {"03/27/2026 13:00", "03/27/2026 19:00", "03/28/2026 02:00"}),
              ElementsAre("03-27T12:00", "03-27T18:00", "0"));
  EXPECT_THAT(times("-60", {"03/29/2026 01:00", "03/29/2026 07:00", "03/29/2026 14:00"}), ElementsAre("03-29T00:00", "0"));
  EXPECT_THAT(times("-60", {"03/29/2026 00:00", "03/29/2026 01:00", "03/29/2026 03:00"}),
              ElementsAre("03-28T23:00", "03-29T00:00", "0"));
}

TEST(PerfmonHistory, ALineOfThousandsOfCounters) {
  std::string header = "\"(PDH-CSV 4.0) (UTC)(0)\"";
  std::string row = "\"05/01/2024 06:00:00.000\"";
  for (int i = 0; i < 5000; ++i) {
    header += ",\"\\\\PC\\Process(svchost#" + std::to_string(i) + ")\\Handle Count\"";
    row += ",\"5\"";
  }
  const WholeHistory found = read_text(header + ",\"\\\\PC\\memory\\POOL PAGED BYTES\"\n" + row + ",\"7\"\n");
  ASSERT_EQ(found.snapshots.size(), 1U) << found.error;
  EXPECT_THAT(totals_of(found.snapshots[0]), ElementsAre(Pair("paged.bytes", 7)));
}

TEST(PerfmonHistory, SummerTimesEndGoesBackAndIsSkipped) {
  const WholeHistory found = read_text(
      "\"(PDH-CSV 4.0) (GMT)(0)\",\"\\Memory\\Pool Paged Bytes\"\n\"05/01/2024 06:00:00.000\",\"1\"\n"
      "\"05/01/2024 05:00:00.000\",\"2\"\n\"05/01/2024 06:00:01.000\",\"3\"\n");
  ASSERT_EQ(found.snapshots.size(), 2U) << found.error;
  EXPECT_EQ(found.snapshots[1].time, kFirstOfMayAt6 + 1000);
  EXPECT_THAT(found.skipped, ElementsAre("f:3: its time lies before the snapshot's above it; a host's times must rise"));
}

TEST(PerfmonHistory, BrokenLines) {
  const WholeHistory found = read_text(
      "\"(PDH-CSV 4.0) (GMT)(0)\",\"\\Memory\\Pool Paged Bytes\"\n\"05/01/2024 06:00:00.000,\"1\"\n"
      "\"05/01/2024 06:00:00.000\",\"x\"\n\"(PDH-CSV 4.0) (GMT)(60)\",\"\\Memory\\Pool Nonpaged Bytes\"\n"
      "\"05/01/2024 06:00:00.000\",\"4\"\n\"(PDH-CSV 4.0) (GMT)(60)\",\"\\Disk\\Bytes\"\n" +
      std::string(5 << 20, '1') + "\n");
  ASSERT_EQ(found.snapshots.size(), 1U) << found.error;
  EXPECT_EQ(found.snapshots[0].time, kFirstOfMayAt6 + kHourMs);
  EXPECT_THAT(totals_of(found.snapshots[0]), ElementsAre(Pair("nonpaged.bytes", 4)));
  EXPECT_THAT(found.skipped,
              ElementsAre("f:2: text follows a closing quote", "f:3: Memory\\Pool Paged Bytes \"x\" is not a value",
                          "f:6: no counter that is known; Memory\\Pool Nonpaged Bytes and such are, by their English "
                          "names; the rows below are passed over",
                          "f:7: longer than 4194304 bytes"));
}

TEST(PerfmonHistory, NothingKnown) {
  EXPECT_EQ(read_text("\"(PDH-CSV 4.0) (GMT)(0)\",\"\\\\PC\\Arbeitsspeicher\\Auslagerung\"\n").error,
            "no usable history: f:1: no counter that is known; Memory\\Pool Nonpaged Bytes and such are, by their "
            "English names; \"Arbeitsspeicher\\Auslagerung\" looks German; in English they are written by: typeperf "
            "\"\\Memory\\Pool Nonpaged Bytes\" \"\\Memory\\Pool Paged Bytes\" -si 3600 -o FILE");
}

}  // namespace
}  // namespace kmem::history
