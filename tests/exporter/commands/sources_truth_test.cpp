// The known leak in every format that people have (truth_shapes.cpp): the same tag is found, as fast and since as long, and
// nothing is lost on the way.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "exporter/commands/analysis.h"
#include "tests/exporter/commands/history_text.h"
#include "tests/exporter/commands/truth_shapes.h"

namespace kmem {
namespace {

using namespace test;

constexpr auto kTag = trend::Kind::kTag;

class SourcesTruth : public testing::TestWithParam<Shape> {};

TEST_P(SourcesTruth, TheLeakIsFoundAsItIs) {
  const Shape& shape = GetParam();
  test::MemoryFiles files;
  files.put("f", shape.make());
  test::Shown shown;
  const auto analysis = analyze_history(files, {"f"}, analysis_options(config::Config{}), shown.meter);
  ASSERT_TRUE(analysis.ok()) << analysis.error().message;
  EXPECT_TRUE(analysis->others.empty());
  EXPECT_EQ(analysis->snapshots, static_cast<std::uint64_t>(kHours));
  EXPECT_EQ(analysis->start, test::seconds(0) * 1000 + analysis->start % 1000);
  EXPECT_EQ(analysis->end, test::seconds(kHours - 1) * 1000 + analysis->end % 1000);
  EXPECT_EQ(analysis->skipped_count, 0U) << analysis->skipped[0].line << ": " << analysis->skipped[0].reason;
  ASSERT_EQ(analysis->readings.size(), 1U);
  EXPECT_EQ(analysis->readings[0].rows, shape.rows * kHours);
  EXPECT_EQ(analysis->summary.boots, shape.truth.reboot < kHours ? 2U : 1U);
  const trend::SubjectReport* leak = nullptr;
  for (const AnalyzedSubject& subject : analysis->subjects) {
    const trend::SubjectReport& report = subject.report;
    if (report.kind == shape.kind && report.pool == shape.pool && report.text.starts_with(shape.tag)) leak = &report;
    else EXPECT_NE(report.kind, kTag) << report.text;
  }
  ASSERT_NE(leak, nullptr);
  EXPECT_EQ(leak->verdict, trend::Verdict::kLeak);
  const double now = shape.now != 0 ? shape.now
                                    : static_cast<double>(shape.tag == "Leak" ? shape.truth.bytes(0, kHours - 1)
                                                                              : shape.truth.total(kHours - 1));
  const double parts = shape.kind == kTag && shape.tag == "Leak" ? 1 : kTags;  // each rounded down
  EXPECT_LE(leak->last_amount, now * (1 + 1e-7));                              // it is kept in single precision
  EXPECT_GT(leak->last_amount, now * (1 - 1e-7) - static_cast<double>(shape.unit_bytes) * parts);
  EXPECT_EQ(leak->outstanding_per_day.has_value(), shape.counted);
  if (shape.counted) {
    const double per_day = kLeakPerDay / static_cast<double>(shape.allocation_bytes);
    EXPECT_NEAR(*leak->outstanding_per_day, per_day, per_day * 0.05);
  }
  EXPECT_NEAR(leak->credible_slope_per_second * 86'400, shape.a_day, shape.a_day * 0.05);
  ASSERT_TRUE(leak->since.has_value());
  const double since_days = static_cast<double>(*leak->since / 1000 - kStartSeconds) / 86'400;
  const double truth_days = shape.truth.reboot < kHours ? shape.truth.reboot / 24.0 : 0;  // it begins anew with a boot
  EXPECT_NEAR(since_days, truth_days, 2);
}

TEST(ManyHosts, InOneFileWorstFirst) {
  // b leaks, a and c do not; the slower leak of d comes behind b's.
  std::string text = "Tag,NonPagedUsedBytes,ComputerName,DateTime\n";
  for (int hour = 0; hour < kHours; ++hour)
    for (const std::string host : {"a", "b", "c", "d"}) {
      // Without a reboot: with two tags and no boot times none can be told.
      const auto grown = static_cast<std::uint64_t>(kLeakPerDay / 24 * hour);
      const std::uint64_t leak = 8'000'000 + (host == "b" ? grown : host == "d" ? grown / 2 : 0);
      text += "Leak," + std::to_string(leak) + "," + host + "," + iso(hour) + "\nCalm," +
              std::to_string(kOneBoot.bytes(1, hour)) + "," + host + "," + iso(hour) + "\n";
    }
  test::MemoryFiles files;
  files.put("f", text);
  test::Shown shown;
  const auto analysis = analyze_history(files, {"f"}, analysis_options(config::Config{}), shown.meter);
  ASSERT_TRUE(analysis.ok()) << analysis.error().message;
  ASSERT_EQ(analysis->others.size(), 3U);
  EXPECT_EQ(analysis->host, "b");
  EXPECT_EQ(analysis->others[0].host, "d");
  EXPECT_EQ(analysis->others[1].host, "a");
  EXPECT_EQ(analysis->others[2].host, "c");
  EXPECT_EQ(analysis->snapshots, static_cast<std::uint64_t>(kHours));
  const std::string report = analysis_text(*analysis, false, true);
  EXPECT_EQ(
      report.find("Hosts    4: 2 with leaks, 0 to watch\n\nVERDICT  HOST  DAYS  WHAT\nLEAK     b       56  nonpaged Leak "), 0U)
      << report;
  EXPECT_NE(report.find("\nok       c       56\n"), std::string::npos) << report;
  EXPECT_NE(report.find("\nHost     d\nHistory  2026-09-01T00:00:00Z to "), std::string::npos) << report;
  EXPECT_NE(report.find("\nRead\n  f: CSV of a PowerShell script, 5376 snapshots, 10752 rows, 0 skipped\n"
                        "    times    2026-09-01T00:00:00Z to 2026-10-26T23:00:00Z\n    by       times with a zone\n"),
            std::string::npos)
      << report;
  const auto document = nlohmann::json::parse(analysis_json(*analysis, true));
  ASSERT_EQ(document["hosts"].size(), 4U);
  EXPECT_EQ(document["hosts"][0]["host"], "b");
  EXPECT_EQ(document["hosts"][0]["verdict"], "leak");
  EXPECT_EQ(document["hosts"][0]["subjects"][0]["tag"], "Leak");
  EXPECT_EQ(document["hosts"][3]["verdict"], "ok");
  EXPECT_EQ(document["files"][0]["format"], "CSV of a PowerShell script");
  EXPECT_EQ(document["history"], document["hosts"][0]["history"]);  // the worst where the only one would be

  AnalysisOptions of_one = analysis_options(config::Config{});
  of_one.history.host = "D";
  const auto one = analyze_history(files, {"f"}, of_one, shown.meter);
  ASSERT_TRUE(one.ok());
  EXPECT_TRUE(one->others.empty());
  const auto single = nlohmann::json::parse(analysis_json(*one));
  EXPECT_EQ(single["history"]["snapshots"], kHours);
  EXPECT_FALSE(single.contains("hosts"));
  EXPECT_FALSE(single.contains("files"));
}

INSTANTIATE_TEST_SUITE_P(Shapes, SourcesTruth, testing::ValuesIn(truth_shapes()));

}  // namespace
}  // namespace kmem
