#include "exporter/trend/daily.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "exporter/trend/history.h"

namespace kmem::trend {
namespace {

TEST(ShortCount, IsExactWhenSmallAndCloseWhenLarge) {
  for (const std::uint64_t count : {0U, 1U, 4095U, 4096U}) {
    EXPECT_EQ(ShortCount::unpack(ShortCount::pack(count)), static_cast<float>(count));
  }
  EXPECT_EQ(ShortCount::unpack(ShortCount::pack(100'001)), 99'968.0F + 32.0F);
  EXPECT_NEAR(ShortCount::unpack(ShortCount::pack(std::uint64_t{1} << 40)), std::pow(2.0, 40), 1);
  EXPECT_TRUE(std::isnan(ShortCount::unpack(ShortCount::kMissing)));
  EXPECT_NE(ShortCount::pack(~std::uint64_t{0}), ShortCount::kMissing);
}

TEST(Ring, UnrollsToTheGivenNewestBucket) {
  std::array<float, 4> ring{}, line{};
  for (std::int64_t bucket = -3; bucket <= 2; ++bucket) ring[ring_slot(bucket, 4)] = static_cast<float>(bucket);
  unroll(ring, 2, line);
  EXPECT_EQ(line, (std::array<float, 4>{-1, 0, 1, 2}));
}

TEST(DayFloor, IsTheMeanOfTheFourLowest) {
  const std::array<float, 6> day = {10, 900, 20, 800, 40, 30};
  EXPECT_DOUBLE_EQ(day_floor(day), 25);
}

TEST(DayFloor, NeedsFourOfSix) {
  EXPECT_DOUBLE_EQ(day_floor(std::array<float, 6>{4, kNothing, 8, kNothing, 4, 8}), 6);
  EXPECT_TRUE(std::isnan(day_floor(std::array<float, 6>{4, kNothing, 8, kNothing, 4, kNothing})));
}

TEST(DailyFloors, CountBackFromTheEndAndLeaveGapsOut) {
  std::vector<float> floors(6 * 4 + 3, 7);
  for (std::size_t i = 9; i < 15; ++i) floors[i] = kNothing;  // the second of the four whole days
  const Points points = daily_floors(floors);
  ASSERT_EQ(points.count, 3U);
  EXPECT_EQ(points.x[0], kHistoryDays - 4);
  EXPECT_EQ(points.x[1], kHistoryDays - 2);
  EXPECT_EQ(points.x[2], kHistoryDays - 1);
}

/// A day has six floors; those that the mask does not have were not seen.
std::vector<float> seen_at(std::size_t days, const std::vector<std::size_t>& hours, double a_day, std::size_t every = 1) {
  std::vector<float> floors(days * kBucketsPerDay, kNothing);
  for (std::size_t day = 0; day < days; day += every)
    for (const std::size_t hour : hours)
      floors[day * kBucketsPerDay + hour] =
          static_cast<float>(1000 + a_day * static_cast<double>(day) + 100 * static_cast<double>(hour));
  return floors;
}

TEST(DailyFloors, OfOneLookADayAreThoseLooksQuietedByTheirNeighbours) {
  const Points points = daily_floors(seen_at(10, {2}, 30));
  ASSERT_EQ(points.count, 10U);
  EXPECT_EQ(points.spacing, 1);
  EXPECT_NEAR(points.seen, 1.0 / 6, 1e-9);
  for (std::size_t i = 1; i + 1 < 10; ++i) EXPECT_DOUBLE_EQ(points.y[i], 1200 + 30 * (static_cast<double>(i) - 0.5)) << i;
}

TEST(DailyFloors, OfADayInTenThatIsABurstGoByWithoutIt) {
  std::vector<float> floors = seen_at(10, {2}, 0);
  floors[4 * kBucketsPerDay + 2] = 90'000;
  const Points points = daily_floors(floors);
  ASSERT_EQ(points.count, 10U);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_DOUBLE_EQ(points.y[i], 1200) << i;
}

TEST(DailyFloors, OfOfficeHoursCompareTheSameHours) {
  // A third bucket of the day is seen now and then only: it would lift or lower those days by the daily cycle.
  std::vector<float> floors = seen_at(12, {2, 3}, 0);
  for (const std::size_t day : {1U, 5U, 9U}) floors[day * kBucketsPerDay + 5] = 100;
  const Points points = daily_floors(floors);
  ASSERT_EQ(points.count, 12U);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_DOUBLE_EQ(points.y[i], 1250) << i;
}

TEST(DailyFloors, KnowHowFarApartTheyAre) {
  const Points points = daily_floors(seen_at(22, {0}, 7, 7));
  ASSERT_EQ(points.count, 4U);
  EXPECT_DOUBLE_EQ(points.spacing, 7);
  EXPECT_NEAR(points.seen, 1.0 / 42, 1e-9);
}

TEST(DailyFloors, OfMostDaysWholeLeaveTheOthersOut) {
  std::vector<float> floors(kBucketsPerDay * 6, 7);
  for (std::size_t i = 6; i < 11; ++i) floors[i] = kNothing;
  const Points points = daily_floors(floors);
  EXPECT_EQ(points.count, 5U);
  EXPECT_EQ(points.seen, 1);
  EXPECT_EQ(points.spacing, 1);
}

TEST(Median, OfOddAndEvenCounts) {
  std::vector<double> odd = {9, 1, 5}, even = {9, 1, 5, 7};
  EXPECT_EQ(median(odd), 5);
  EXPECT_EQ(median(even), 6);
  EXPECT_EQ(median({}), 0);
}

Points line(std::size_t count, double slope) {
  Points points;
  points.count = count;
  for (std::size_t i = 0; i < count; ++i) {
    points.x[i] = static_cast<double>(i);
    points.y[i] = 100 + slope * static_cast<double>(i);
  }
  return points;
}

TEST(FitLine, FindsSlopeAndBend) {
  Points points = line(20, 3);
  Line fit = fit_line({points.x.data(), 20}, {points.y.data(), 20});
  EXPECT_NEAR(fit.slope, 3, 1e-9);
  EXPECT_NEAR(fit.intercept, 100, 1e-9);
  EXPECT_NEAR(fit.bend, 0, 1e-9);
  for (std::size_t i = 0; i < 20; ++i) points.y[i] = points.x[i] * points.x[i];  // slope 0 at the begin, 38 at the end
  fit = fit_line({points.x.data(), 20}, {points.y.data(), 20});
  EXPECT_NEAR(fit.slope, 19, 1e-9);
  EXPECT_NEAR(fit.bend, 38, 1e-9);
}

TEST(FitLine, CountsAutocorrelationAgainstTheSlope) {
  Points quick = line(28, 0), slow = line(28, 0);
  for (std::size_t i = 0; i < 28; ++i) {
    quick.y[i] += i % 2 == 0 ? 1 : -1;
    slow.y[i] += i / 4 % 2 == 0 ? 1 : -1;
  }
  const Line fast = fit_line({quick.x.data(), 28}, {quick.y.data(), 28});
  const Line lazy = fit_line({slow.x.data(), 28}, {slow.y.data(), 28});
  EXPECT_GT(lazy.error, 1.5 * fast.error);
}

TEST(MedianSlope, IgnoresAQuarterOfWildPoints) {
  Points points = line(20, 2);
  for (std::size_t i = 0; i < 20; i += 4) points.y[i] += 1e6;
  EXPECT_NEAR(median_slope({points.x.data(), 20}, {points.y.data(), 20}), 2, 0.5);
}

TEST(WeeklyCycle, IsTakenOutWhenItRepeats) {
  Points points = line(28, 1);
  const std::array<double, 7> cycle = {30, 30, 30, 30, 30, 0, 0};
  for (std::size_t i = 0; i < 28; ++i) points.y[i] += cycle[i % 7];
  remove_weekly_cycle(points);
  const Line fit = fit_line({points.x.data(), 28}, {points.y.data(), 28});
  EXPECT_NEAR(fit.slope, 1, 0.02);
  EXPECT_LT(fit.sigma, 0.5);
}

TEST(WeeklyCycle, TwoFreeDaysAreTakenOutWithinTwoWeeks) {
  Points points = line(11, 2);
  for (const std::size_t free : {3U, 4U, 10U}) points.y[free] -= 40;
  remove_weekly_cycle(points);
  EXPECT_NEAR(fit_line({points.x.data(), 11}, {points.y.data(), 11}).slope, 2, 0.01);
}

TEST(WeeklyCycle, OneOffIsNoCycle) {
  Points points = line(28, 0);
  points.y[10] += 50;
  const Points before = points;
  remove_weekly_cycle(points);
  for (std::size_t i = 0; i < 28; ++i) EXPECT_NEAR(points.y[i], before.y[i], 8) << i;
}

}  // namespace
}  // namespace kmem::trend
