#include "exporter/trend/folded.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "exporter/trend/history.h"
#include "tests/exporter/trend/sim/generator.h"

namespace kmem::trend {
namespace {

constexpr double kFoldedLevel = 100e6;

struct Fixture {
  std::vector<std::vector<float>> series;
  std::vector<BootFloors> boots;
};

/// Boots of so many days each: kFoldedLevel x course(age, day).
Fixture boots_of(int count, double days, const std::function<double(double, double)>& course) {
  sim::Random random(11);
  Fixture fixture;
  const int buckets = static_cast<int>(days * kBucketsPerDay);
  for (int boot = 0; boot < count; ++boot) {
    std::vector<float> floors;
    for (int i = 0; i < buckets; ++i) {
      const double age = static_cast<double>(i) / kBucketsPerDay, day = age + boot * days;
      floors.push_back(static_cast<float>(kFoldedLevel * (course(age, day) + 0.005 * random.normal())));
    }
    fixture.series.push_back(std::move(floors));
  }
  for (int boot = 0; boot < count; ++boot) {
    const auto at = static_cast<std::size_t>(boot);
    fixture.boots.push_back({fixture.series[at], 0.0, at * static_cast<std::size_t>(buckets)});
  }
  return fixture;
}

TEST(Folded, GrowthThatEveryRebootClearsIsALeak) {
  const Fixture fixture = boots_of(7, 7, [](double age, double) { return 1 + 0.015 * age; });
  const Assessment assessment = assess_boots(fixture.boots, {});
  EXPECT_GE(assessment.leak_score, 1);
  EXPECT_NEAR(assessment.slope_per_day, 0.015 * kFoldedLevel, 0.003 * kFoldedLevel);
}

TEST(Folded, GrowthBehindAWarmUpIsALeak) {
  const Fixture fixture = boots_of(7, 7, [](double age, double) { return 1 + 0.015 * age - 0.2 * std::exp(-age / 0.5); });
  const Assessment assessment = assess_boots(fixture.boots, {});
  EXPECT_GE(assessment.leak_score, 1);
  EXPECT_NEAR(assessment.slope_per_day, 0.015 * kFoldedLevel, 0.005 * kFoldedLevel);
}

// Watched from less on: by four parts of ten more, but never by more than a half.
TEST(Folded, AWatchTakesLessThanALeak) {
  int small = 0, large = 0;
  for (const double rate : {0.0, 0.001, 0.002, 0.0045, 0.005, 0.0055, 0.02}) {
    const Assessment assessment = assess_boots(boots_of(7, 7, [=](double age, double) { return 1 + rate * age; }).boots, {});
    const bool is_small = assessment.leak_score < 1.25;
    EXPECT_DOUBLE_EQ(assessment.watch_score, is_small ? 1.4 * assessment.leak_score : assessment.leak_score + 0.5) << rate;
    (is_small ? small : large) += assessment.leak_score > 0;
  }
  EXPECT_GT(small, 0);
  EXPECT_GT(large, 0);
}

TEST(Folded, WarmUpAloneIsNoLeak) {
  for (const double tau : {0.3, 0.7, 1.0, 1.8}) {
    const Fixture fixture = boots_of(8, 7, [=](double age, double) { return 1 - 0.25 * std::exp(-age / tau); });
    EXPECT_LT(assess_boots(fixture.boots, {}).leak_score, 1) << tau;
  }
}

TEST(Folded, LongWarmUpAloneIsNoLeak) {
  const Fixture fixture = boots_of(8, 7, [](double age, double) { return 1 - 0.25 * std::exp(-age / 2.0); });
  EXPECT_LT(assess_boots(fixture.boots, {}).leak_score, 1);
}

TEST(Folded, GrowthUnderAWeekThatFollowsTheRebootsIsALeak) {
  const Fixture fixture =
      boots_of(8, 7, [](double age, double day) { return 1 + 0.015 * age - (std::fmod(day, 7) < 5 ? 0 : 0.08); });
  const Assessment assessment = assess_boots(fixture.boots, {});
  EXPECT_GE(assessment.leak_score, 1);
  EXPECT_NEAR(assessment.slope_per_day, 0.015 * kFoldedLevel, 0.003 * kFoldedLevel);
}

TEST(Folded, FlatBootsAreNoLeak) {
  EXPECT_LT(assess_boots(boots_of(8, 7, [](double, double) { return 1.0; }).boots, {}).leak_score, 0.7);
}

TEST(Folded, WeekThatFollowsTheRebootsIsNoLeak) {
  const Fixture fixture = boots_of(8, 7, [](double, double day) { return std::fmod(day, 7) < 3 ? 1.0 : 1.1; });
  EXPECT_LT(assess_boots(fixture.boots, {}).leak_score, 1);
}

TEST(Folded, TwoBootsSayNothing) {
  const Fixture fixture = boots_of(2, 20, [](double age, double) { return 1 + 0.01 * age; });
  EXPECT_EQ(assess_boots(fixture.boots, {}).leak_score, 0);
  EXPECT_EQ(assess_boots({}, {}).leak_score, 0);
}

TEST(Folded, GrowthInOneBootOnlyIsNoLeak) {
  const Fixture fixture = boots_of(7, 7, [](double age, double day) { return 1 + (day > 42 ? 0.03 * age : 0); });
  EXPECT_LT(assess_boots(fixture.boots, {}).leak_score, 1);
}

}  // namespace
}  // namespace kmem::trend
