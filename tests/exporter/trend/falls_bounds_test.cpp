// Each bound of what falls.h finds, from both sides: by the day, without noise, so that what is just enough and what is just
// too little differ in one thing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "exporter/trend/falls.h"
#include "exporter/trend/history.h"

namespace kmem::trend {
namespace {

constexpr double kByDayMiB = 1024.0 * 1024, kLeastByDay = 32.0 * 1024;
constexpr int kDaysKept = 56, kLastDay = kDaysKept - 1;

using Course = std::function<double(int day)>;

std::vector<float> floors_by_day(const Course& mib) {
  std::vector<float> floors;
  for (int day = 0; day < kDaysKept; ++day)
    floors.insert(floors.end(), kBucketsPerDay, static_cast<float>(mib(day) * kByDayMiB));
  return floors;
}

/// 40 MiB over 20 days, given back on day `begin`, and a rise from 60 MiB on that is `rise` of the days since.
Course rise_after_fall(int begin, const std::function<double(int days)>& rise, double fall = 40, double earlier = 40,
                       int earlier_days = 20, double base = 60) {
  return [=](int day) {
    if (day >= begin) return base + rise(day - begin);
    return base + fall - earlier * std::min(1.0, static_cast<double>(begin - 1 - day) / earlier_days);
  };
}
std::function<double(int)> two_a_day() {
  return [](int days) { return 2.0 * days; };
}
constexpr int kTwelve = kLastDay - 12;

bool is_newest_rise(const Course& mib, double least = kLeastByDay) {
  return find_newest_rise(floors_by_day(mib), least).has_value();
}

TEST(FallsBounds, ARiseIsOfSixDaysToFourWeeks) {
  EXPECT_TRUE(is_newest_rise(rise_after_fall(kLastDay - 6, [](int days) { return 4.0 * days; })));
  EXPECT_FALSE(is_newest_rise(rise_after_fall(kLastDay - 5, [](int days) { return 4.0 * days; })));
  EXPECT_TRUE(is_newest_rise(rise_after_fall(kLastDay - 28, two_a_day())));
  EXPECT_FALSE(is_newest_rise(rise_after_fall(kLastDay - 33, two_a_day())));
  const auto found = find_newest_rise(floors_by_day(rise_after_fall(kTwelve, two_a_day())), kLeastByDay);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->days, 12);
  EXPECT_NEAR(found->growth / kByDayMiB, 24, 0.01);
  EXPECT_NEAR(found->slope_per_day / kByDayMiB, 2, 0.001);
}

TEST(FallsBounds, ARiseIsMuchOfWhatItBeganFrom) {
  EXPECT_TRUE(is_newest_rise(rise_after_fall(kTwelve, two_a_day(), 40, 40, 20, 92)));
  EXPECT_FALSE(is_newest_rise(rise_after_fall(kTwelve, two_a_day(), 40, 40, 20, 100)));
  EXPECT_TRUE(is_newest_rise(rise_after_fall(kTwelve, two_a_day()), 1.9 * kByDayMiB));
  EXPECT_FALSE(is_newest_rise(rise_after_fall(kTwelve, two_a_day()), 2.1 * kByDayMiB));
}

TEST(FallsBounds, ARiseIsStraight) {
  const auto stairs = [](int treads) {
    return [treads](int days) { return 24.0 * (std::floor(days * treads / 13.0) / (treads - 1) + 0.001 * days); };
  };
  EXPECT_TRUE(is_newest_rise(rise_after_fall(kTwelve, stairs(6))));
  EXPECT_FALSE(is_newest_rise(rise_after_fall(kTwelve, stairs(4)))) << "three steps";
  const auto with_step = [](double step) {
    return [step](int days) { return 24 * ((1 - step) / 11 * (days > 6 ? days - 1 : days) + (days > 6 ? step : 0)); };
  };
  EXPECT_TRUE(is_newest_rise(rise_after_fall(kTwelve, with_step(0.3))));
  EXPECT_FALSE(is_newest_rise(rise_after_fall(kTwelve, with_step(0.42))));
  const auto rests = [](int every) { return [every](int days) { return 2.0 * (days - days / every); }; };
  EXPECT_TRUE(is_newest_rise(rise_after_fall(kTwelve, rests(6)))) << "ten of twelve days rise";
  EXPECT_FALSE(is_newest_rise(rise_after_fall(kTwelve, rests(4)))) << "nine";
  const auto slows = [](double to) {
    return [to](int days) { return 3.0 * std::min(days, 6) + 3 * to * std::max(0, days - 6); };
  };
  EXPECT_TRUE(is_newest_rise(rise_after_fall(kTwelve, slows(0.7))));
  EXPECT_FALSE(is_newest_rise(rise_after_fall(kTwelve, slows(0.5))));
}

TEST(FallsBounds, WhatIsGivenBackIsMuchAndSudden) {
  EXPECT_TRUE(is_newest_rise(rise_after_fall(kTwelve, two_a_day(), 9)));
  EXPECT_FALSE(is_newest_rise(rise_after_fall(kTwelve, two_a_day(), 6)));
  // Up to 100 MiB, a part of it back, then the rest four days later.
  const auto over_days = [](double first) {
    return [first](int day) {
      if (day >= kTwelve) return 60 + 2.0 * (day - kTwelve);
      if (day >= kTwelve - 4) return 100 - 40 * first;
      const int before = kTwelve - 5 - day;
      return 100 - 8.0 * std::min(4, before) - 0.4 * std::clamp(before - 4, 0, 20);
    };
  };
  EXPECT_TRUE(is_newest_rise(over_days(0.2)));
  EXPECT_FALSE(is_newest_rise(over_days(0.4)));
}

TEST(FallsBounds, WhatIsGivenBackRoseForDaysAndByMuch) {
  EXPECT_TRUE(is_newest_rise(rise_after_fall(kTwelve, two_a_day(), 40, 14)));
  EXPECT_FALSE(is_newest_rise(rise_after_fall(kTwelve, two_a_day(), 40, 9)));
  EXPECT_TRUE(is_newest_rise(rise_after_fall(kTwelve, two_a_day(), 40, 40, 11)));
  EXPECT_FALSE(is_newest_rise(rise_after_fall(kTwelve, two_a_day(), 40, 40, 8)));
  const auto filled = [](double half) {
    return [half](int day) {
      if (day >= kTwelve) return 60 + 2.0 * (day - kTwelve);
      const double before = std::min(20, kTwelve - 1 - day);
      return 100 - 40 * (before < 10 ? half * before / 10 : half + (1 - half) * (before - 10) / 10);
    };
  };
  EXPECT_TRUE(is_newest_rise(filled(0.4)));
  EXPECT_FALSE(is_newest_rise(filled(0.15)));
  const auto at_once = [](double step) {
    return [step](int day) {
      if (day >= kTwelve) return 60 + 2.0 * (day - kTwelve);
      const int before = std::min(20, kTwelve - 1 - day);
      return 100 - 40 * ((1 - step) * before / 20.0 + (before > 10 ? step : 0));
    };
  };
  EXPECT_TRUE(is_newest_rise(at_once(0.3)));
  EXPECT_FALSE(is_newest_rise(at_once(0.45)));
}

TEST(FallsBounds, ARestIsOfSixDaysAndStill) {
  const auto rested = [](int days, double wobble) {
    return [days, wobble](int day) {
      if (day >= kTwelve) return 90 + 3.0 * (day - kTwelve);
      if (day >= kTwelve - days) return 90 + wobble * (day % 2);
      return 90 - 2.0 * std::min(20, kTwelve - days - day);
    };
  };
  EXPECT_TRUE(is_newest_rise(rested(7, 0)));
  EXPECT_FALSE(is_newest_rise(rested(3, 0)));
  EXPECT_TRUE(is_newest_rise(rested(9, 4)));
  EXPECT_FALSE(is_newest_rise(rested(9, 10)));
}

}  // namespace
}  // namespace kmem::trend
