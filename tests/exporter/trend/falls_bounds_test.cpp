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

using ByTheDay = std::function<double(int day)>;

std::vector<float> floors_by_day(const ByTheDay& mib) {
  std::vector<float> floors;
  for (int day = 0; day < kDaysKept; ++day)
    floors.insert(floors.end(), kBucketsPerDay, static_cast<float>(mib(day) * kByDayMiB));
  return floors;
}

/// 40 MiB over 20 days, given back on day `begin`, and a rise from 60 MiB on that is `rise` of the days since.
ByTheDay rise_after_fall(int begin, const std::function<double(int days)>& rise, double fall = 40, double earlier = 40,
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

bool is_newest_rise(const ByTheDay& mib, double least = kLeastByDay) {
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
    return [step](int days) { return 24 * ((1 - step) / 7 * (days > 4 ? days - 1 : days) + (days > 4 ? step : 0)); };
  };
  EXPECT_TRUE(is_newest_rise(rise_after_fall(kLastDay - 8, with_step(0.37))));
  EXPECT_FALSE(is_newest_rise(rise_after_fall(kLastDay - 8, with_step(0.4))));
  // As straight as six treads are, in half the time.
  const auto uneven = [](int days) {
    return 24 * std::vector<double>{0, 0.05, 0.35, 0.38, 0.68, 0.98, 1}[static_cast<std::size_t>(days)];
  };
  EXPECT_FALSE(is_newest_rise(rise_after_fall(kLastDay - 6, uneven)));
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
      return 100 - 40 * ((1 - step) * before / 20.0 + (before > 3 ? step : 0));
    };
  };
  EXPECT_TRUE(is_newest_rise(at_once(0.3)));
  EXPECT_FALSE(is_newest_rise(at_once(0.45)));
}

TEST(FallsBounds, WhatRoseBeforeTheRiseThatWasGivenBackIsNoneOfIt) {
  // 45 MiB in 20 days, 15 of them given back, and 20 in five days: those alone came before the fall.
  EXPECT_FALSE(is_newest_rise([](int day) {
    if (day >= kTwelve) return 60 + 2.0 * (day - kTwelve);
    if (day >= kTwelve - 6) return 100 - 4.0 * (kTwelve - 1 - day);
    return 95 - 2.25 * std::min(20, kTwelve - 7 - day);
  }));
}

TEST(FallsBounds, ARestIsOfSixDaysAndStill) {
  const auto rested = [](int days, double wobble) {
    return [days, wobble](int day) {
      if (day >= kTwelve) return 90 + 3.0 * (day - kTwelve);
      if (day >= kTwelve - days) return 90 + wobble * (day % 2);
      return 90 - 2.0 * std::min(20, kTwelve - days - day);
    };
  };
  EXPECT_TRUE(is_newest_rise(rested(4, 0)));
  EXPECT_FALSE(is_newest_rise(rested(3, 0)));
  EXPECT_TRUE(is_newest_rise(rested(9, 4)));
  EXPECT_FALSE(is_newest_rise(rested(9, 10)));
}

struct DaysOfPeaks {
  int days = 20;
  ByTheDay high = [](int day) { return 130 + 10.0 * day; };
  ByTheDay floor = [](int) { return 30.0; };
  double least = kLeastByDay;

  [[nodiscard]] std::vector<float> highs() const {
    std::vector<float> highs;
    for (int day = 0; day < days; ++day) highs.push_back(static_cast<float>(high(day) * kByDayMiB));
    return highs;
  }
  [[nodiscard]] std::vector<float> floors() const {
    std::vector<float> floors;
    for (int day = 0; day < days; ++day)
      floors.insert(floors.end(), kBucketsPerDay, static_cast<float>(floor(day) * kByDayMiB));
    return floors;
  }
  [[nodiscard]] std::optional<Falls> by_day() const { return find_fast_peaks(highs(), floors(), least); }
  [[nodiscard]] std::optional<Falls> by_week() const { return find_rising_peaks(highs(), floors(), least); }
};
bool grow_by_day(const DaysOfPeaks& peaks) { return peaks.by_day().has_value(); }
bool grow_by_week(const DaysOfPeaks& peaks) { return peaks.by_week().has_value(); }

TEST(FallsBounds, PeaksByDayAreOfNineDaysToFiveWeeks) {
  EXPECT_TRUE(grow_by_day({.days = 10}));
  EXPECT_FALSE(grow_by_day({.days = 9}));
  const auto found = DaysOfPeaks{.days = 56}.by_day();
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->of_peaks && found->by_day);
  EXPECT_EQ(found->days, 35);
  EXPECT_NEAR(found->growth / kByDayMiB, 350, 0.1);
  EXPECT_NEAR(found->slope_per_day / kByDayMiB, 10, 0.01);
  const auto until = [](int last) {
    return [last](int day) { return day <= last ? 130 + 10.0 * day : std::numeric_limits<double>::quiet_NaN(); };
  };
  EXPECT_TRUE(grow_by_day({.high = until(16)})) << "three days that nobody saw";
  EXPECT_FALSE(grow_by_day({.high = until(15)}));
}

TEST(FallsBounds, PeaksByDayGrowByMuchAndStraight) {
  const auto from = [](double first) { return [first](int day) { return first + 190.0 * day / 19; }; };
  EXPECT_TRUE(grow_by_day({.high = from(700)}));
  EXPECT_FALSE(grow_by_day({.high = from(790)})) << "less than a quarter of the first one";
  EXPECT_TRUE(grow_by_day({.least = 189 * kByDayMiB}));
  EXPECT_FALSE(grow_by_day({.least = 191 * kByDayMiB}));
  const auto days_off = [](double share) {
    return [share](int day) { return 30 + (100 + 10.0 * day) * (day % 4 == 3 ? share : 1); };
  };
  EXPECT_TRUE(grow_by_day({.high = days_off(0.4)})) << "a day off is no peak";
  EXPECT_FALSE(grow_by_day({.high = days_off(0.65)}));
  const auto with_step = [](double step) {
    return [step](int day) { return 130 + 190 * ((1 - step) * (day > 11 ? day - 1 : day) / 18 + (day > 11 ? step : 0)); };
  };
  EXPECT_TRUE(grow_by_day({.high = with_step(0.27)}));
  EXPECT_FALSE(grow_by_day({.high = with_step(0.36)}));
  const auto with_fall = [](double fall) { return [fall](int day) { return 130 + 10.0 * day - (day == 12 ? 10 + fall : 0); }; };
  EXPECT_TRUE(grow_by_day({.high = with_fall(15)}));
  EXPECT_FALSE(grow_by_day({.high = with_fall(22)})) << "a tenth of the growth";
  const auto treads = [](int day) {
    return 130 + 190 * (day < 6 ? 0 : day < 7 ? 0.25 : day < 13 ? 0.5 : day < 14 ? 0.75 : 1) + 0.1 * day;
  };
  EXPECT_FALSE(grow_by_day({.high = treads}));
}

TEST(FallsBounds, PeaksByDayStandOnAFloorThatDoesNotGrow) {
  const auto grows = [](double by) { return [by](int day) { return 30 + by * day / 19; }; };
  EXPECT_TRUE(grow_by_day({.floor = grows(50)}));
  EXPECT_FALSE(grow_by_day({.floor = grows(62)})) << "a third of 190 MiB";
  // A day on which it was given back hides nothing; growth in the middle of the time does not count.
  EXPECT_FALSE(grow_by_day({.floor = [](int day) { return day == 18 ? 30 : 30 + 5.0 * day; }}));
  EXPECT_TRUE(grow_by_day({.floor = [](int day) { return day > 8 && day < 14 ? 100.0 : 30.0; }, .least = 150 * kByDayMiB}));
}

/// 100 MiB in the first of six weeks, 150 in the last.
DaysOfPeaks weeks_of(
    const std::vector<double>& shares, ByTheDay floor = [](int) { return 30.0; }) {
  DaysOfPeaks peaks;
  peaks.days = static_cast<int>(7 * shares.size());
  peaks.high = [shares](int day) { return 100 + 50 * shares[static_cast<std::size_t>(day / 7)]; };
  peaks.floor = std::move(floor);
  return peaks;
}
const std::vector<double> kSixWeeks = {0, 0.2, 0.4, 0.6, 0.8, 1};

TEST(FallsBounds, PeaksByWeekAreOfFiveWeeksToEight) {
  EXPECT_TRUE(grow_by_week(weeks_of({0, 0.25, 0.5, 0.75, 1})));
  EXPECT_FALSE(grow_by_week(weeks_of({0, 0.33, 0.67, 1})));
  const auto found = weeks_of(kSixWeeks).by_week();
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->of_peaks && !found->by_day);
  EXPECT_EQ(found->days, 35);
  EXPECT_NEAR(found->growth / kByDayMiB, 50, 0.1);
  EXPECT_NEAR(found->slope_per_day / kByDayMiB, 50 / 35.0, 0.01);
  DaysOfPeaks seen = weeks_of(kSixWeeks);
  const auto only = [](std::size_t days) {
    std::vector<float> highs = weeks_of(kSixWeeks).highs();
    for (std::size_t day = 14 + days; day < 21; ++day) highs[day] = std::numeric_limits<float>::quiet_NaN();
    return find_rising_peaks(highs, weeks_of(kSixWeeks).floors(), kLeastByDay).has_value();
  };
  EXPECT_TRUE(only(3));
  EXPECT_FALSE(only(2)) << "of a week too little was seen";
  const std::vector<float> floors = seen.floors();
  EXPECT_FALSE(find_rising_peaks(seen.highs(), std::span(floors).first(floors.size() - 1), kLeastByDay).has_value());
}

TEST(FallsBounds, PeaksByWeekGrowByMuchAndStraight) {
  const auto times = [](double factor) {
    std::vector<double> shares = kSixWeeks;
    for (double& share : shares) share *= factor;
    return shares;
  };
  EXPECT_TRUE(grow_by_week(weeks_of(times(0.52))));
  EXPECT_FALSE(grow_by_week(weeks_of(times(0.48)))) << "less than a quarter";
  DaysOfPeaks little = weeks_of(kSixWeeks);
  little.least = 1.4 * kByDayMiB;
  EXPECT_TRUE(grow_by_week(little));
  little.least = 1.5 * kByDayMiB;
  EXPECT_FALSE(grow_by_week(little));
  EXPECT_TRUE(grow_by_week(weeks_of({0, 0.1, 0.2, 0.6, 0.8, 1}))) << "a step of 0.4";
  EXPECT_FALSE(grow_by_week(weeks_of({0, 0.05, 0.1, 0.66, 0.83, 1}))) << "one of 0.56";
  EXPECT_TRUE(grow_by_week(weeks_of({0, 0.3, 0.5, 0.72, 0.9, 1})));
  EXPECT_FALSE(grow_by_week(weeks_of({0, 0.3, 0.55, 0.85, 0.95, 1}))) << "0.15 in the second half";
  EXPECT_FALSE(grow_by_week(weeks_of({0, 0.2, 0.4, 0.6, 1, 0.98}))) << "the last is lower";
  EXPECT_TRUE(grow_by_week(weeks_of({0, 0.2, 0.4, 0.39, 0.8, 1})));
  EXPECT_FALSE(grow_by_week(weeks_of({0, 0.25, 0.45, 0.38, 0.7, 1}))) << "one falls";
  EXPECT_FALSE(grow_by_week(weeks_of({0, 0, 0, 0.33, 0.67, 1}))) << "no line";
}

TEST(FallsBounds, PeaksByWeekStandOnAFloorThatDoesNotGrow) {
  const auto grows = [](double by) { return [by](int day) { return 30 + by * (day / 7) / 5; }; };
  EXPECT_TRUE(grow_by_week(weeks_of(kSixWeeks, grows(23))));
  EXPECT_FALSE(grow_by_week(weeks_of(kSixWeeks, grows(27))));
}

}  // namespace
}  // namespace kmem::trend
