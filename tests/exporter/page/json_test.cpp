#include "exporter/page/json.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/exporter/page/views.h"

namespace kmem::page {
namespace {

using nlohmann::json;
using test::calm_view;
using test::kDayMs;
using test::kMiB;
using test::kNow;
using test::leak_of;

View leaking_view() {
  View view = calm_view();
  view.leaks = {leak_of(Pool::kNonpaged, "Thre")};
  view.leaks[0].drivers = {{"xyz.sys", "a filter", "image_scan"}};
  view.leak_count = 1;
  return view;
}

TEST(Json, TheReadmeNamesWhatStatusHas) {
  std::ifstream file("../exporter/page/README.md");
  const std::string readme((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const json status = json::parse(status_json(leaking_view()));
  for (const auto& [key, value] : status.items()) {
    if (key == "api_version" || key == "time") continue;  // of every answer
    EXPECT_NE(readme.find("`" + key + "`"), std::string::npos) << key << " is not in exporter/page/README.md";
  }
}

TEST(Json, WhatWasDividedByWhatStandsBesideTheTimeLeft) {
  View view = leaking_view();
  trend::Exhaustion end{8 * 86'400.0, 7 * 86'400.0, 9 * 86'400.0};
  end.room = 8'000'000;
  end.pace_per_second = 1e6 / 86'400;
  end.bound = trend::Bound::kCommitLimit;
  view.resources[0].exhaustion = view.leaks[0].report.exhaustion = end;
  view.resources[0].headrooms = {{9e6, trend::Bound::kPoolLimit}, {8.5e6, trend::Bound::kCommitLimit}};
  view.host = "files-01";
  const json status = json::parse(status_json(view));
  EXPECT_EQ(status["host"], "files-01");
  for (const json& told : {status["resources"][0], status["suspects"][0]}) {
    EXPECT_EQ(told["bound"], "commit_limit");
    EXPECT_EQ(told["room"], 8'000'000);
    EXPECT_NEAR(told["pace_per_day"].get<double>(), 1e6, 1e-6);
    EXPECT_NEAR(told["room"].get<double>() / told["pace_per_day"].get<double>() * 86'400,
                told["exhaustion_seconds"].get<double>(), 1e-3);
  }
  EXPECT_EQ(status["resources"][0]["headroom"], (json{{"pool_limit", 9'000'000}, {"commit_limit", 8'500'000}}));
}

TEST(Json, StatusSaysTheVerdictAndEveryPart) {
  View view = leaking_view();
  view.boot_time = kNow - 42 * kDayMs;
  view.processes = {{4, "System", 500, std::nullopt, 77, {}}};
  view.parts = {{"pool_tags", PartState::kPartial, "2 rows", 0.25, 2}};
  view.failure_events = {{"Srv", 2019, 3, kNow - 1000}};
  view.resources[0].limit_source = "estimate";
  view.resources[0].exhaustion = trend::Exhaustion{100, 50, std::numeric_limits<double>::infinity()};
  const json status = json::parse(status_json(view));
  EXPECT_EQ(status["api_version"], 1);
  EXPECT_EQ(status["time"], "2025-11-30T00:00:00Z");
  EXPECT_EQ(status["boot_time"], "2025-10-19T00:00:00Z");
  EXPECT_EQ(status["system"], "windows");
  EXPECT_EQ(status["verdict"]["state"], "leak");
  EXPECT_EQ(status["verdict"]["leaks"], 1);
  EXPECT_EQ(status["history"]["seconds"], 19.4 * 86'400);
  const json& pool = status["resources"][0];
  EXPECT_EQ(pool["resource"], "nonpaged");
  EXPECT_EQ(pool["used"], 100'000'000);
  EXPECT_EQ(pool["limit"], 400'000'000);
  EXPECT_EQ(pool["limit_source"], "estimate");
  EXPECT_TRUE(pool["trim_threshold"].is_null());
  EXPECT_EQ(pool["exhaustion_seconds"], 100);
  EXPECT_EQ(pool["exhaustion_seconds_lower"], 50);
  EXPECT_TRUE(pool["exhaustion_seconds_upper"].is_null()) << "JSON knows no infinity";
  EXPECT_TRUE(pool["bound"].is_null()) << "not known";
  EXPECT_EQ(pool["headroom"], json::object());
  EXPECT_EQ(status["suspects"][0]["tag"], "Thre");
  EXPECT_EQ(status["processes"][0]["handles"], 500);
  EXPECT_TRUE(status["processes"][0]["paged_pool_bytes"].is_null());
  EXPECT_EQ(status["processes"][0]["nonpaged_pool_bytes"], 77);
  EXPECT_EQ(
      status["collectors"][0],
      (json{{"collector", "pool_tags"}, {"state", "partial"}, {"reason", "2 rows"}, {"seconds", 0.25}, {"skipped_rows", 2}}));
  EXPECT_EQ(status["failure_events"][0]["last"], "2025-11-29T23:59:59Z");
}

TEST(Json, TagsHaveDerivedFiguresAndNullForWhatIsNotKnown) {
  View view = calm_view();
  view.tags = {test::row_of(Pool::kPaged, "Aaaa", 1000), test::row_of(Pool::kPaged, "Bbbb", 10)};
  view.tags[0].outstanding = 8;
  view.tags[0].growth_per_second = 2;
  view.tags[0].course[55] = 900;
  view.tags_total = 40;
  view.tags_matched = 3;
  TagQuery query;
  query.limit = 2;
  query.course = true;
  const json tags = json::parse(tags_json(view, query));
  EXPECT_EQ(tags["total"], 40);
  EXPECT_EQ(tags["matched"], 3);
  EXPECT_EQ(tags["limit"], 2);
  const json& row = tags["tags"][0];
  EXPECT_EQ(row["bytes_per_allocation"], 125);
  EXPECT_EQ(row["growth_bytes_per_day"], 172'800);
  EXPECT_TRUE(row["allocations_per_second"].is_null());
  EXPECT_EQ(row["daily_floor_bytes"].size(), 56U);
  EXPECT_TRUE(row["daily_floor_bytes"][54].is_null());
  EXPECT_EQ(row["daily_floor_bytes"][55], 900);
  EXPECT_TRUE(tags["tags"][1]["outstanding"].is_null());
  query.course = false;
  EXPECT_FALSE(json::parse(tags_json(view, query))["tags"][0].contains("daily_floor_bytes"));
}

TEST(Json, TheGrowthBehindASurgeIsTheSurges) {
  View view = calm_view();
  view.chosen = leak_of(Pool::kNonpaged, "Irp");
  trend::SubjectReport& report = view.chosen->report;
  report.surge.emplace();
  report.surge->pace_per_second = 50 * kMiB / 3600;
  EXPECT_NEAR(json::parse(trend_json(view))["subject"]["growth_per_day"], 3.1 * kMiB, 1) << "of the leak's weeks";
  report.verdict = trend::Verdict::kSurge;
  const json subject = json::parse(trend_json(view))["subject"];
  EXPECT_NEAR(subject["growth_per_day"], 24 * 50 * kMiB, 1);
  EXPECT_NEAR(subject["surge"]["growth_per_hour"], 50 * kMiB, 1);
}

TEST(Json, ATrendIsTheHistoryItself) {
  View view = calm_view();
  view.chosen = leak_of(Pool::kNonpaged, "Irp \\xff");
  view.chosen->course->floors[0] = trend::kNothing;
  view.boots = {kNow - 30 * kDayMs};
  const json trend = json::parse(trend_json(view));
  const json& subject = trend["subject"];
  EXPECT_EQ(subject["history"], "/api/v1/trends/nonpaged/Irp%20%5Cxff");
  EXPECT_EQ(subject["verdict"], "leak");
  EXPECT_NEAR(subject["growth_per_day"], 3.1 * kMiB, 1);
  EXPECT_EQ(subject["since"], "2025-11-04T00:00:00Z");
  EXPECT_EQ(subject["exhaustion_seconds"], 41 * 86'400);
  EXPECT_EQ(subject["exhaustion_seconds_lower"], 33 * 86'400);
  EXPECT_EQ(subject["exhaustion_seconds_upper"], 52 * 86'400);
  EXPECT_EQ(trend["floors"]["interval_seconds"], 14'400);
  EXPECT_EQ(trend["floors"]["start"], "2025-10-05T00:00:00Z");
  ASSERT_EQ(trend["floors"]["amount"].size(), 336U);
  EXPECT_TRUE(trend["floors"]["amount"][0].is_null());
  EXPECT_EQ(trend["floors"]["amount"][1], 20 * 1024 * 1024);
  EXPECT_EQ(trend["floors"]["outstanding"][5], 7);
  EXPECT_EQ(trend["recent"]["interval_seconds"], 3600);
  EXPECT_EQ(trend["recent"]["amount"].size(), 96U);
  EXPECT_EQ(trend["boots"][0], "2025-10-31T00:00:00Z");
  EXPECT_EQ(trend["trend"].size(), 1U);
  EXPECT_TRUE(trend["steps"].empty());
}

TEST(Json, TrendsAreAPageOfThem) {
  const View view = calm_view();
  TagQuery query;
  query.offset = 3;
  const json trends = json::parse(trends_json(view, {leak_of(Pool::kPaged, "A")}, 17, query));
  EXPECT_EQ(trends["matched"], 17);
  EXPECT_EQ(trends["offset"], 3);
  EXPECT_EQ(trends["subjects"].size(), 1U);
  EXPECT_EQ(trends["subjects"][0]["kind"], "tag");
}

TEST(Json, AnyBytesBecomeLegalText) {
  View view = calm_view();
  const std::string hostile = "\"\\</script>\x01\xff\n";
  view.tags = {test::row_of(Pool::kPaged, hostile, 1)};
  view.parts = {{"a", PartState::kFailed, hostile, 0, 0}};
  const json tags = json::parse(tags_json(view, {}));
  EXPECT_EQ(tags["tags"][0]["tag"], "\"\\</script>\x01\xEF\xBF\xBD\n");
  EXPECT_EQ(json::parse(status_json(view))["collectors"][0]["reason"], tags["tags"][0]["tag"]);
  EXPECT_EQ(json::parse(error_json(400, hostile))["error"]["message"], tags["tags"][0]["tag"]);
  EXPECT_EQ(json::parse(error_json(400, hostile))["error"]["status"], 400);
}

}  // namespace
}  // namespace kmem::page
