// Figures of a report, each from a history of which they can be reckoned by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "exporter/trend/engine.h"
#include "tests/exporter/trend/sim/generator.h"
#include "tests/exporter/trend/start.h"

namespace kmem::trend {
namespace {

constexpr double kDay = 86'400;

Sample tag(std::string_view text, double bytes, Pool pool = Pool::kNonpaged) {
  Sample sample;
  sample.pool = pool;
  sample.text = text;
  sample.amount = static_cast<std::uint64_t>(bytes);
  return sample;
}
SubjectReport report_of(const TrendEngine& engine, std::string_view text) {
  return *engine.find(Kind::kTag, Pool::kNonpaged, text);
}
/// Of hours up to but without `hours`.
SubjectReport after(int hours, const std::function<double(double day)>& bytes) {
  TrendEngine engine;
  for (int hour = 0; hour < hours; ++hour) {
    const Sample sample = tag("A", bytes(hour / 24.0));
    engine.observe({kStart + hour * kHourMs, std::nullopt, {&sample, 1}});
  }
  return report_of(engine, "A");
}

TEST(Reports, TheSlopeOfADayTakesHalfADayOfPairs) {
  const auto grows = [](double day) { return 1e6 * (100 + day); };
  EXPECT_FALSE(after(24 + 12, grows).slope_1d_per_second);
  const auto slope = after(24 + 13, grows).slope_1d_per_second;
  ASSERT_TRUE(slope);
  EXPECT_NEAR(*slope * kDay, 1e6, 100);
}

TEST(Reports, TheSlopeOfAWeekIsAgainstTheWeekBeforeOnceFiveDaysHaveOne) {
  // Grows by 1 a day, and by 10 over Saturday and Sunday of the clock's own weeks.
  const auto weekly = [](double day) { return 1e6 * (100 + std::floor(day) + (std::fmod(day, 7) < 2 ? 10 : 0)); };
  EXPECT_NEAR(*after(12 * 24 + 1, weekly).slope_7d_per_second * kDay, 1e6, 100);
  // Before that over the days there are, of seven at most: what was flat before does not count.
  const auto late = [](double day) { return 1e6 * (100 + std::max(0.0, std::floor(day) - 3)); };
  EXPECT_NEAR(*after(10 * 24 + 1, late).slope_7d_per_second * kDay, 1e6, 100);
}

TEST(Reports, AnEndLiesBetweenNineOfTenOfTheErrors) {
  TrendEngine engine;
  sim::Random random(5);
  for (int hour = 0; hour < 30 * 24; ++hour) {
    Sample sample = tag("A", 1e6 * (100 + hour / 24.0) * (1 + 0.01 * random.normal()));
    sample.limit = 1e9;
    engine.observe({kStart + hour * kHourMs, std::nullopt, {&sample, 1}});
  }
  const SubjectReport report = report_of(engine, "A");
  ASSERT_EQ(report.verdict, Verdict::kLeak);
  const Exhaustion& end = *report.exhaustion;
  const double pace = report.credible_slope_per_second, error = report.credible_slope_error_per_second;
  EXPECT_NEAR(end.pace_per_second, pace, 1e-9 * pace);
  EXPECT_NEAR(end.seconds, end.room / pace, 1e-9 * end.seconds);
  EXPECT_NEAR(end.soonest_seconds, end.room / (pace + 1.645 * error), 1e-6 * end.seconds);
  EXPECT_NEAR(end.latest_seconds, end.room / (pace - 1.645 * error), 1e-6 * end.seconds);
}

TEST(Reports, APoolGrowsAtLeastAsItsLeakingTagsDo) {
  TrendEngine engine;
  sim::Random random(5);
  for (int hour = 0; hour < 25 * 24; ++hour) {
    const double day = hour / 24.0;
    Sample pool;
    pool.kind = Kind::kPool, pool.pool = Pool::kNonpaged, pool.amount = 500'000'000, pool.limit = 900e6;
    const auto noise = [&random] { return 1 + 0.002 * random.normal(); };
    const std::vector<Sample> samples = {pool, tag("A", 1e6 * (100 + day) * noise()), tag("B", 1e6 * (100 + 2 * day) * noise()),
                                         tag("C", 1e6 * (100 + 3 * day) * noise(), Pool::kPaged)};
    engine.observe({kStart + hour * kHourMs, std::nullopt, samples});
  }
  ASSERT_EQ(report_of(engine, "A").verdict, Verdict::kLeak);
  const SubjectReport pool = *engine.find(Kind::kPool, Pool::kNonpaged, "");
  EXPECT_EQ(pool.verdict, Verdict::kOk);
  const double both = report_of(engine, "A").credible_slope_per_second + report_of(engine, "B").credible_slope_per_second;
  EXPECT_NEAR(both * kDay, 3e6, 0.1e6);
  EXPECT_NEAR(pool.exhaustion->pace_per_second, both, 1e-6 * both);
  EXPECT_NEAR(pool.exhaustion->seconds, 400e6 / both, 1e-6 * pool.exhaustion->seconds);
}

TEST(Reports, OfThoseThatAreOkTheLargestFirst) {
  TrendEngine engine;
  const std::vector<Sample> samples = {tag("A", 200), tag("B", 900), tag("C", 500)};
  engine.observe({kStart, std::nullopt, samples});
  std::string order;
  for (const SubjectReport& report : engine.report(true)) order += report.text;
  EXPECT_EQ(order, "BCA");
}

TEST(Reports, AnOutlineIsOfThisBootAndOfWhoHasThePlaceNow) {
  TrendEngine engine({.max_subjects = 2});
  const auto growth_of = [&engine](std::string_view text) {
    for (const Outline& outline : engine.outlines())
      if (outline.text == text) return outline.growth_per_second;
    return std::optional<double>(-1);
  };
  const auto look = [&engine](int minute, std::string_view second, std::optional<base::UnixMillis> boot) {
    const std::vector<Sample> samples = {tag("A", 5e6 + minute), tag(second, 5e6 + 10.0 * minute)};
    engine.observe({kStart + minute * 60'000, boot, samples});
  };
  const base::UnixMillis boot = kStart - 9 * kDayMs;
  const int now = 5 * 24 * 60;
  for (int minute = 0; minute <= now; minute += 60) look(minute, "B", boot);
  ASSERT_TRUE(growth_of("B"));
  EXPECT_NEAR(*growth_of("B") * kDay, 14'400, 1);
  const Sample alone = tag("A", 5e6);
  engine.observe({kStart + (now + 60) * 60'000, boot, {&alone, 1}});
  engine.observe({kStart + (now + 120) * 60'000, boot, {&alone, 1}});
  ASSERT_TRUE(growth_of("A"));
  look(now + 121, "C", boot);
  EXPECT_FALSE(growth_of("C")) << "that was B's";
  ASSERT_TRUE(growth_of("A"));
  look(now + 130, "C", kStart + (now + 129) * 60'000);
  EXPECT_FALSE(growth_of("A")) << "that was of the boot before";
}

TEST(Reports, ACourseOfFreeEntriesIsPositiveAndKnowsWhereItsFivesBegin) {
  TrendEngine engine;
  for (int minute = 0; minute <= 33; ++minute) {
    Sample ptes;
    ptes.kind = Kind::kSystemPtes, ptes.amount = 9000 - static_cast<std::uint64_t>(minute);
    engine.observe({kStart + minute * 60'000, std::nullopt, {&ptes, 1}});
  }
  const Course course = *engine.course(Kind::kSystemPtes, Pool::kPaged, "");
  EXPECT_EQ(course.fives[Recent::kFives], 8970) << "the most that were free from minute 30 on";
  EXPECT_EQ(course.fives[Recent::kFives - 1], 8975);
  EXPECT_EQ(course.fives_start, kStart + 30 * 60'000 - static_cast<std::int64_t>(Recent::kFives) * 300'000);
  EXPECT_TRUE(engine.boot_times().empty()) << "nobody told when it booted";
}

}  // namespace
}  // namespace kmem::trend
