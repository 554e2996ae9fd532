#include "exporter/trend/estimator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "exporter/trend/history.h"
#include "tests/exporter/trend/sim/generator.h"

namespace kmem::trend {
namespace {

constexpr double kLevel = 100e6;

/// Floors over so many days of kLevel x course(day), with white noise of 0.3 %.
std::vector<float> floors(double days, const std::function<double(double)>& course, double noise = 0.003,
                          std::uint64_t run = 7) {
  sim::Random random(run);
  std::vector<float> result;
  for (int i = 0; i < days * kBucketsPerDay; ++i) {
    const double day = static_cast<double>(i) / kBucketsPerDay;
    result.push_back(static_cast<float>(kLevel * (course(day) + noise * random.normal())));
  }
  return result;
}

bool is_leak(const Assessment& assessment) { return assessment.leak_score >= 1; }

Assessment judge(double days, const std::function<double(double)>& course) { return assess(floors(days, course), {}); }

TEST(Estimator, TooFewDaysSayNothing) {
  EXPECT_EQ(judge(4, [](double day) { return 1 + day; }).watch_score, 0);
  EXPECT_EQ(assess({}, {}).leak_score, 0);
}

TEST(Estimator, FlatIsNoLeak) {
  EXPECT_LT(judge(40, [](double) { return 1.0; }).leak_score, 0.5);
}

TEST(Estimator, SteadyGrowthIsALeakOfThatSlope) {
  const Assessment assessment = judge(20, [](double day) { return 1 + 0.01 * day; });
  EXPECT_TRUE(is_leak(assessment));
  EXPECT_NEAR(assessment.slope_per_day, 0.01 * kLevel, 0.0005 * kLevel);
  EXPECT_NEAR(assessment.onset_days_ago, 20, 2);
  EXPECT_NEAR(assessment.level, 1.2 * kLevel, 0.01 * kLevel);
}

TEST(Estimator, GrowthMustLastAWeekAndGrowthInNoiseLonger) {
  EXPECT_TRUE(is_leak(judge(8.2, [](double day) { return 1 + 0.02 * day; })));
  EXPECT_FALSE(is_leak(judge(6.2, [](double day) { return 1 + 0.02 * day; })));
  const auto slow = [](double day) { return 1 + 0.005 * day; };
  EXPECT_FALSE(is_leak(assess(floors(10.2, slow, 0.02), {})));
  EXPECT_TRUE(is_leak(assess(floors(24, slow, 0.02), {})));
  EXPECT_TRUE(is_leak(judge(24, [](double day) { return 1 + 0.003 * day; })));
}

TEST(Estimator, ShortGrowthIsWatched) {
  EXPECT_GE(judge(6.2, [](double day) { return 1 + 0.02 * day; }).watch_score, 1);
}

TEST(Estimator, FastGrowthAfterAQuietTimeWaitsUnlessTheLimitIsNear) {
  const auto course = [](double day) { return 1 + 0.05 * std::max(0.0, day - 12); };
  EXPECT_FALSE(is_leak(judge(23, course)));
  EXPECT_TRUE(is_leak(judge(32, course)));
  EXPECT_TRUE(is_leak(assess(floors(23, course), {.limit = 1.7 * kLevel})));
}

TEST(Estimator, FastStraightGrowthIsALeakWithinAFortnight) {
  for (const double rate : {0.03, 0.04, 0.08}) {
    EXPECT_TRUE(is_leak(judge(12.2, [=](double day) { return 1 + rate * day; }))) << rate;
    EXPECT_FALSE(is_leak(judge(12.2, [=](double day) { return 1 + rate * 7 * (1 - std::exp(-day / 7)); }))) << rate;
  }
}

TEST(Estimator, OnsetIsWhereGrowthBegins) {
  const Assessment assessment = judge(40, [](double day) { return 1 + 0.01 * std::max(0.0, day - 20); });
  EXPECT_TRUE(is_leak(assessment));
  EXPECT_NEAR(assessment.onset_days_ago, 20, 3);
  EXPECT_NEAR(assessment.slope_per_day, 0.01 * kLevel, 0.001 * kLevel);
}

TEST(Estimator, ARiseThatIsOverRestsAndItsBeginIsTold) {
  const auto ended = [](double day) { return 1 + 0.02 * std::clamp(day - 10, 0.0, 12.0); };
  EXPECT_EQ(judge(22, ended).rest_days, 0);
  EXPECT_EQ(judge(24, ended).rest_days, 0) << "a week's end may be as long";
  EXPECT_NEAR(judge(28, ended).rest_days, 6, 1);
  EXPECT_NEAR(judge(34, ended).rest_days, 12, 1);
  EXPECT_EQ(judge(34, [](double day) { return 1 + 0.02 * std::max(0.0, day - 10); }).rest_days, 0);
  EXPECT_EQ(judge(34, [](double day) { return 1 + 0.02 * std::min(day, 22.0) + 0.008 * std::max(0.0, day - 22); }).rest_days, 0)
      << "it goes on, at another pace";
  const auto other = [](double told, double begin) {
    return assess(floors(40, [begin](double day) { return 1 + 0.01 * std::max(0.0, day - begin); }), {.told_days_ago = told})
        .other_begin;
  };
  EXPECT_FALSE(other(20, 20));
  EXPECT_FALSE(other(21, 20)) << "so little is not clear";
  EXPECT_TRUE(other(30, 20));
  EXPECT_TRUE(other(12, 20));
  EXPECT_FALSE(other(0, 20)) << "none was told";
  EXPECT_FALSE(assess(floors(34, ended), {.told_days_ago = 14}).other_begin) << "nor of what rests";
}

TEST(Estimator, ARiseThatEndedAndHoldsIsAFact) {
  const auto rise = ended_rise(floors(40, [](double day) { return 1 + 0.02 * std::clamp(day - 10, 0.0, 12.0); }));
  ASSERT_TRUE(rise);
  EXPECT_NEAR(rise->growth / kLevel, 0.24, 0.01);
  EXPECT_NEAR(rise->days, 12, 1);
  EXPECT_NEAR(rise->rest_days, 18, 1.5);
  EXPECT_NEAR(rise->level / kLevel, 1.24, 0.01);
  EXPECT_NEAR(rise->high / kLevel, 1.01, 0.02);
  EXPECT_FALSE(rise->from_begin);
  for (const auto& course : std::vector<std::function<double(double)>>{
           [](double) { return 1.0; }, [](double day) { return 1 + 0.01 * day; },
           [](double day) { return day < 20 ? 1 : 1.3; },                                             // within a day
           [](double day) { return 1 + (day < 30 ? 0.02 * std::clamp(day - 10, 0.0, 12.0) : 0); },    // given back
           [](double day) { return 1 + 0.3 * (day < 8) + 0.02 * std::clamp(day - 10, 0.0, 12.0); }})  // had been there
    EXPECT_FALSE(ended_rise(floors(40, course)).has_value());
}

TEST(Estimator, OneStepIsNoLeak) {
  for (double days = 14; days <= 40; days += 2) {
    EXPECT_FALSE(is_leak(judge(days, [](double day) { return day < 12 ? 1 : 1.3; }))) << days;
  }
}

TEST(Estimator, TwoStepsAreNoLeak) {
  for (double days = 14; days <= 40; days += 2) {
    EXPECT_FALSE(is_leak(judge(days, [](double day) { return 1 + 0.1 * (day > 8) + 0.12 * (day > 18); }))) << days;
  }
}

TEST(Estimator, TwoStepsThatNoiseSmoothsAreHardlyEverALeak) {
  const auto course = [](double day) { return 1 + 0.06 * (day > 10) + 0.06 * (day > 18); };
  int leaks = 0, judged = 0;
  for (std::uint64_t run = 1; run <= 12; ++run) {
    for (double days = 20; days <= 40; days += 1) {
      leaks += is_leak(assess(floors(days, course, 0.02, run), {}));
      ++judged;
    }
  }
  EXPECT_LE(leaks, judged * 7 / 100);
}

TEST(Estimator, FiveStepsAWeekApartAreALeak) {
  EXPECT_TRUE(is_leak(judge(42, [](double day) { return 1 + 0.07 * std::floor(day / 7); })));
}

TEST(Estimator, FillingThatSlowsDownIsNoLeak) {
  for (double days = 10; days <= 50; days += 4) {
    EXPECT_FALSE(is_leak(judge(days, [](double day) { return 1 + 0.4 * (1 - std::exp(-day / 7)); }))) << days;
  }
}

TEST(Estimator, GrowthThatSpeedsUpIsALeakOfTheSlopeAtItsEnd) {
  const Assessment assessment = judge(50, [](double day) { return 1 + 0.0002 * day * day; });
  EXPECT_TRUE(is_leak(assessment));
  EXPECT_NEAR(assessment.slope_per_day, 0.02 * kLevel, 0.002 * kLevel);
}

TEST(Estimator, ToothThatHasBeenHigherBeforeIsNoLeak) {
  const auto tooth = [](double day) { return 1 + 0.02 * std::fmod(day, 9.5); };
  EXPECT_FALSE(is_leak(judge(27.5, tooth)));
}

TEST(Estimator, GrowthBelowTheSmallestThatMattersIsNoLeak) {
  const std::vector<float> series = floors(30, [](double day) { return 1 + 0.01 * day; });
  EXPECT_TRUE(is_leak(assess(series, {.min_per_day = 0.9e6})));
  EXPECT_FALSE(is_leak(assess(series, {.min_per_day = 1.2e6})));
}

TEST(Estimator, WeekOfNothingInAGrowingSeriesDoesNotHideTheLeak) {
  std::vector<float> series = floors(30, [](double day) { return 1 + 0.01 * day; });
  std::fill(series.begin() + 60, series.begin() + 102, kNothing);
  const Assessment assessment = assess(series, {});
  EXPECT_TRUE(is_leak(assessment));
  EXPECT_NEAR(assessment.slope_per_day, 0.01 * kLevel, 0.0005 * kLevel);
}

TEST(Estimator, MostlyNothingIsNoEvidence) {
  std::vector<float> series = floors(30, [](double day) { return 1 + 0.01 * day; });
  std::fill(series.begin() + 24, series.end() - 12, kNothing);
  EXPECT_FALSE(is_leak(assess(series, {})));
}

TEST(Estimator, NegativeValuesOfFreeEntriesWorkTheSame) {
  std::vector<float> series = floors(20, [](double day) { return -2 + 0.01 * day; });
  EXPECT_TRUE(is_leak(assess(series, {})));
}

}  // namespace
}  // namespace kmem::trend
