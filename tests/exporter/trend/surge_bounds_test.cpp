// Each bound of surge.cpp: one history just inside and one just outside, made by hand and looked at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "exporter/trend/surge.h"

namespace kmem::trend {
namespace {

constexpr double kMinutesOfOneDay = 1440;

/// A subject whose amount is known for every age in minutes; of 1 in all, at the end of a day.
struct Past {
  explicit Past(std::function<double(double age)> amount) : at(std::move(amount)) {}
  std::function<double(double age)> at;
  double known_minutes = 30 * kMinutesOfOneDay;
  std::vector<float> highs;  // of days, oldest first; empty = as the amount was
  double least = 0.005;
  double whole = 1;
};

/// By the bounds alone; `weighed`: and how likely a line is, odds.h.
std::optional<SurgeSigns> look(const Past& past, bool weighed = false) {
  const auto low = [&past](double newest_age, double minutes) {
    if (newest_age + minutes > past.known_minutes) return std::numeric_limits<float>::quiet_NaN();
    double least = past.at(newest_age);
    for (double age = newest_age; age <= newest_age + minutes; age += std::max(1.0, minutes / 60))
      least = std::min(least, past.at(age));
    return static_cast<float>(std::min(least, past.at(newest_age + minutes)));
  };
  SurgeView view;
  std::vector<float> hours(96), coarse(336), highs(56, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < Recent::kMinutes; ++i)
    view.recent.minutes[i] = low(static_cast<double>(Recent::kMinutes - 1 - i), 1);
  for (std::size_t i = 0; i < Recent::kFives; ++i)
    view.recent.fives[i] = low(static_cast<double>(Recent::kFives - 1 - i) * 5, 5);
  for (std::size_t i = 0; i < hours.size(); ++i) hours[i] = low(static_cast<double>(hours.size() - 1 - i) * 60, 60);
  for (std::size_t i = 0; i < coarse.size(); ++i) coarse[i] = low(static_cast<double>(coarse.size() - 1 - i) * 240, 240);
  view.recent.minutes[Recent::kMinutes] = view.recent.fives[Recent::kFives] = static_cast<float>(past.at(0));
  for (std::size_t day = 0; day < 55 && past.highs.empty(); ++day) {  // the last of them has just begun
    const double newest = static_cast<double>(54 - day) * kMinutesOfOneDay;
    for (double age = newest; age < newest + kMinutesOfOneDay; age += 30)
      if (const float half_hour = low(age, 30); !(highs[day] >= half_hour)) highs[day] = half_hour;
  }
  std::copy(past.highs.begin(), past.highs.end(), highs.end() - 1 - static_cast<std::ptrdiff_t>(past.highs.size()));
  view.hours = hours, view.coarse = coarse, view.highs = highs;
  view.now = past.at(0), view.left = past.whole - view.now, view.whole = past.whole;
  view.least = past.least, view.known_minutes = past.known_minutes, view.told = !weighed;
  return find_surge(view);
}

/// Flat at a level, then a line for so many minutes until so much of what is left has been used.
Past line(double minutes, double used_over_left, double level = 0.5) {
  const double growth = (1 - level) * used_over_left / (1 + used_over_left);
  return Past([=](double age) { return level + growth * std::max(0.0, 1 - age / minutes); });
}
/// As it, but the last third of it at so many times the pace of all.
Past bent(double minutes, double used_over_left, double last_third, double level = 0.5) {
  const double growth = (1 - level) * used_over_left / (1 + used_over_left);
  return Past([=](double age) {
    const double done = std::clamp(1 - age / minutes, 0.0, 1.0), knee = 1 - last_third / 3;
    return level + growth * (done < 2.0 / 3 ? done * 1.5 * knee : knee + (done - 2.0 / 3) * last_third);
  });
}
double paced(const Past& past, double minutes) { return (past.at(0) - past.at(minutes)) / minutes * kMinutesOfOneDay; }

void expect_told(const Past& past, double minutes, bool soon = true) {
  const auto signs = look(past);
  ASSERT_TRUE(signs.has_value());
  EXPECT_EQ(signs->ends_soon, soon);
  EXPECT_NEAR(signs->minutes, minutes, 0.2 * minutes);
  EXPECT_NEAR(signs->pace_per_day, paced(past, minutes / 3), 0.15 * paced(past, minutes / 3));
  EXPECT_NEAR(signs->growth, past.at(0) - past.at(minutes), 0.12 * (past.at(0) - past.at(minutes)));
}

TEST(SurgeBounds, HowLongToWaitFollowsFromWhatIsLeft) {
  struct {
    double minutes, wait;
  } const waits[] = {{30, 1.07}, {62, 1.0}, {110, 0.865}, {255, 0.67}, {600, 0.624}, {1200, 0.585}, {1500, 0.57}};
  for (const auto& [minutes, wait] : waits) {
    SCOPED_TRACE(minutes);
    expect_told(line(minutes, 1.1 * wait), minutes);
    EXPECT_FALSE(look(line(minutes, 0.9 * wait)).has_value());
  }
}

TEST(SurgeBounds, WithinADayOfABootOneWaitsLonger) {
  Past young = line(110, 1.05 * 0.865), old = young;
  young.known_minutes = 110 + 0.9 * kMinutesOfOneDay, old.known_minutes = 110 + 1.1 * kMinutesOfOneDay;
  expect_told(old, 110);
  EXPECT_FALSE(look(young).has_value());
  Past further = line(110, 1.4 * 0.865);
  further.known_minutes = young.known_minutes;
  expect_told(further, 110);
}

TEST(SurgeBounds, AnEndIsNearWithinThreeDays) {
  // Minutes over what is used of what is left: 2.8 and 3.3 days.
  expect_told(line(2.8 * 0.62 * kMinutesOfOneDay, 0.62), 2.8 * 0.62 * kMinutesOfOneDay);
  EXPECT_FALSE(look(line(3.3 * 0.62 * kMinutesOfOneDay, 0.62)).has_value());
}

TEST(SurgeBounds, WhatWasBeforeIsNothingNewUnlessTheEndIsFarNearer) {
  const auto after = [](double used_over_left, double beyond, std::size_t days) {
    Past past = line(110, used_over_left);
    const double growth = past.at(0) - 0.5;
    past.highs.assign(days, static_cast<float>(past.at(0) - beyond * growth));
    return past;
  };
  // 0.05 and 0.4 over the days that are known; the newest of them is no past.
  expect_told(after(1.2, 0.09, 21), 110);
  EXPECT_FALSE(look(after(1.2, 0.05, 21)).has_value());
  expect_told(after(1.2, 0.27, 3), 110);
  EXPECT_FALSE(look(after(1.2, 0.22, 3)).has_value());
  expect_told(after(1.2, 0.47, 2), 110);
  EXPECT_FALSE(look(after(1.2, 0.42, 2)).has_value());
  // Twice the wait of 0.865.
  expect_told(after(1.85, -0.5, 21), 110);
  EXPECT_FALSE(look(after(1.70, -0.5, 21)).has_value());
}

TEST(SurgeBounds, OneOfTenDaysMayHaveBeenHigher) {
  const auto after = [](std::size_t rare) {
    Past past = line(110, 1.0);
    past.highs.assign(40, 0.52F);
    for (std::size_t i = 0; i < rare; ++i) past.highs[i * 5] = 0.9F;
    return past;
  };
  expect_told(after(3), 110);
  EXPECT_FALSE(look(after(5)).has_value());
}

TEST(SurgeBounds, TheLastThirdGoesOn) {
  // Below what a cache of half of the room can take.
  EXPECT_TRUE(look(bent(480, 0.85, 0.92)).has_value());
  EXPECT_FALSE(look(bent(480, 0.85, 0.80)).has_value());
  // Beyond it.
  EXPECT_TRUE(look(bent(110, 1.5, 0.66)).has_value());
  EXPECT_FALSE(look(bent(110, 1.5, 0.54)).has_value());
  // What speeds up began later.
  EXPECT_TRUE(look(bent(480, 0.85, 2.0)).has_value());
  EXPECT_FALSE(look(bent(480, 0.85, 2.2)).has_value());
}

TEST(SurgeBounds, TheHourOfTheDayIsNoGrowth) {
  // Eight hours that use half of what is left, while a cycle that is known rises by a third as much again.
  const auto grown = [](double used_over_left) {
    Past past = line(480, used_over_left);
    past.at = [at = past.at](double age) { return at(age) + 0.03 * std::cos(age / kMinutesOfOneDay * 2 * 3.14159265); };
    return past;
  };
  EXPECT_TRUE(look(grown(0.75)).has_value());
  EXPECT_FALSE(look(grown(0.55)).has_value());
}

TEST(SurgeBounds, ACacheOfHalfOfTheRoomIsNoneAtAnyTime) {
  for (const double tau : {60.0, 240.0, 1440.0}) {
    for (const double times : {0.7, 1.0, 1.4, 1.7, 2.0, 2.5, 3.0, 4.0}) {
      const Past cache([=](double age) { return 0.4 + 0.3 * std::max(0.0, 1 - std::exp(-(times * tau - age) / tau)); });
      EXPECT_FALSE(look(cache).has_value()) << tau << " minutes, " << times << " times";
    }
  }
}

TEST(SurgeBounds, ANarrowWidthThatSawNoBeginHasNoWordForWiderOnes) {
  // The newer half of a line of ten hours bends a little; blocks that lie in that half alone see something fill.
  const double growth = 0.5 * 0.75 / 1.75;
  const Past past([=](double age) {
    const double done = std::max(0.0, 1 - age / 600), newer = std::max(0.0, 2 * done - 1);
    return 0.5 + growth * (done + 0.2 * newer * (1 - newer));
  });
  EXPECT_TRUE(look(past).has_value());
}

TEST(SurgeBounds, WhatIsGivenBackOnTheWay) {
  const auto drops = [](double of_growth) {
    Past past = line(480, 1.3);
    const double back = of_growth * (past.at(0) - 0.5);
    past.at = [at = past.at, back](double age) { return at(age) - (age < 240 ? back : 0); };
    return past;
  };
  EXPECT_TRUE(look(drops(0.20)).has_value());
  EXPECT_FALSE(look(drops(0.25)).has_value());
  // On the whole a line is far likelier than a cache.
  EXPECT_TRUE(look(drops(0.25), true).has_value());
  EXPECT_FALSE(look(drops(0.75), true).has_value());
}

TEST(SurgeBounds, AStepInTheGrowth) {
  const auto steps = [](double minutes, double used_over_left, double of_growth) {
    const double growth = 0.5 * used_over_left / (1 + used_over_left);
    return Past([=](double age) {
      return 0.5 + growth * ((1 - of_growth) * std::max(0.0, 1 - age / minutes) + (age < minutes * 0.45 ? of_growth : 0));
    });
  };
  EXPECT_TRUE(look(steps(255, 0.8, 0.10)).has_value());
  EXPECT_FALSE(look(steps(255, 0.8, 0.14)).has_value());
  // Beyond what a cache can take short growth may be less even.
  EXPECT_TRUE(look(steps(255, 1.3, 0.18)).has_value());
  EXPECT_FALSE(look(steps(255, 1.3, 0.22)).has_value());
}

TEST(SurgeBounds, MuchMoreThanBeforeWithNoEndNear) {
  const auto grown = [](double times, double share_of_whole, double hours) {
    Past past = line(hours * 60, 0.0);
    past.whole = 1;
    const double level = share_of_whole / times;
    past.at = [=](double age) { return level * (1 + (times - 1) * std::max(0.0, 1 - age / (hours * 60))); };
    past.least = 0.001;
    return past;
  };
  // 1.5 times, 5 % of all, for 17 hours.
  expect_told(grown(1.54, 0.06, 20), 20 * 60, false);
  EXPECT_FALSE(look(grown(1.47, 0.06, 20)).has_value());
  EXPECT_FALSE(look(grown(1.6, 0.048, 20)).has_value());
  EXPECT_TRUE(look(grown(1.6, 0.052, 20)).has_value());
  EXPECT_FALSE(look(grown(1.6, 0.06, 15)).has_value());
}

TEST(SurgeBounds, MuchMoreIsNewForMostOfIt) {
  const auto after = [](double beyond) {  // days that came so near
    Past past([](double age) { return 0.06 / 1.7 * (1 + 0.7 * std::max(0.0, 1 - age / 1200)); });
    past.least = 0.001;
    past.highs.assign(20, static_cast<float>(0.06 - beyond * (0.06 - 0.06 / 1.7)));
    return past;
  };
  EXPECT_TRUE(look(after(0.65)).has_value());
  EXPECT_FALSE(look(after(0.55)).has_value());
}

TEST(SurgeBounds, MuchMoreGoesOnToo) {
  const auto grown = [](double last_third) {
    const Past shape = bent(1200, 1.0, last_third);
    Past past([at = shape.at](double age) { return 0.06 / 1.7 * (1 + 0.7 * (at(age) - 0.5) / 0.25); });
    past.least = 0.001;
    return past;
  };
  EXPECT_TRUE(look(grown(0.94)).has_value());
  EXPECT_FALSE(look(grown(0.84)).has_value());
  EXPECT_TRUE(look(grown(1.48)).has_value());
  EXPECT_FALSE(look(grown(1.64)).has_value());
}

TEST(SurgeBounds, ItsNewerHalfGrowsAsTheOlder) {
  const auto grown = [](double newer_over_older) {
    const double newer = newer_over_older / (1 + newer_over_older);
    Past past([=](double age) {
      const double done = std::max(0.0, 1 - age / (4 * kMinutesOfOneDay));
      return 0.06 / 1.6 * (1 + 0.6 * (done < 0.5 ? 2 * done * (1 - newer) : 1 - newer + (2 * done - 1) * newer));
    });
    past.least = 0.001;
    return past;
  };
  EXPECT_TRUE(look(grown(0.70)).has_value());
  EXPECT_FALSE(look(grown(0.55)).has_value());
}

TEST(SurgeBounds, OnTheFirstDayBeyondTheHoursBefore) {
  const auto after = [](double beyond) {
    Past past = line(110, 1.46);
    past.known_minutes = 500;
    past.highs.assign(1, std::numeric_limits<float>::quiet_NaN());
    const double before = past.at(0) - beyond * (past.at(0) - 0.5);
    past.at = [at = past.at, before](double age) { return age > 200 ? before : at(age); };
    return past;
  };
  EXPECT_TRUE(look(after(0.34)).has_value());
  EXPECT_FALSE(look(after(0.26)).has_value());
}

TEST(SurgeBounds, GrowthOverDaysAtTheSameTimeOfEach) {
  const auto grown = [](double times, double days) {
    Past past(
        [=](double age) { return 0.06 / times * (1 + (times - 1) * std::max(0.0, 1 - age / (days * kMinutesOfOneDay))); });
    past.least = 0.001;
    return past;
  };
  for (const auto& [days, times] : {std::pair{3.0, 1.5}, std::pair{4.0, 1.37}, std::pair{8.0, 1.28}}) {
    SCOPED_TRACE(days);
    const auto signs = look(grown(times + 0.03, days));
    ASSERT_TRUE(signs.has_value());
    EXPECT_FALSE(signs->ends_soon);
    EXPECT_NEAR(signs->pace_per_day, paced(grown(times + 0.03, days), days * kMinutesOfOneDay), 0.1 * signs->pace_per_day);
    EXPECT_FALSE(look(grown(times - 0.02, days)).has_value());
  }
}

TEST(SurgeBounds, FullIsToldWhereverItGoes) { EXPECT_TRUE(look(line(110, 500)).has_value()); }

}  // namespace
}  // namespace kmem::trend
