// How much growth of an hour has to be to be named, just below each bound and just above it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "exporter/trend/engine.h"
#include "tests/exporter/trend/start.h"

namespace kmem::trend {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

/// Ten calm days by the hour, then by the five minutes; in MB. One tag makes all growth of its pool.
struct Calm {
  double tag = 20, pool = 260, limit = 4260;  // of the pool
  double night = 0;                           // what the tag held beyond that at three o'clock
  double up_hours = 40 * 24;                  // at the end of the calm days

  [[nodiscard]] static constexpr int hours() { return 240; }
  void at(double hour, double grown, double handles = 1000) {
    std::array<Sample, 3> samples;
    samples[0].kind = Kind::kPool, samples[0].pool = samples[1].pool = Pool::kNonpaged;
    samples[0].amount = static_cast<std::uint64_t>((pool + grown) * 1e6);
    if (limit < kNoLimit) samples[0].limit = limit * 1e6;
    samples[1].text = "Fast", samples[1].amount = static_cast<std::uint64_t>((tag + grown) * 1e6);
    samples[2].kind = Kind::kHandles, samples[2].text = "svc (1)", samples[2].amount = static_cast<std::uint64_t>(handles);
    const std::int64_t boot_ms = kStart + std::llround((hours() - up_hours) * kHourMs);
    engine.observe({kStart + std::llround(hour * kHourMs), hour < hours() - up_hours ? kStart - kDayMs : boot_ms, samples});
  }
  void stay() {
    for (int hour = 0; hour <= hours(); ++hour) at(hour, hour % 24 == 3 ? night : 0);
  }
  /// Evenly, to so much within an hour.
  std::optional<Readiness::Growth> grow(double megabytes, double handles = 0) {
    stay();
    for (int five = 1; five <= 12; ++five) at(hours() + five / 12.0, megabytes * five / 12, 1000 + handles * five / 12);
    return engine.readiness().largest;
  }
  TrendEngine engine;
};

/// "much", "beyond" or nothing.
std::string_view words(const std::optional<Readiness::Growth>& growth) {
  if (!growth) return "";
  return growth->is_large ? "much" : growth->is_beyond ? "beyond" : "";
}
std::string_view told(double tag, double pool, double limit, double megabytes, double handles = 0) {
  Calm host;
  host.tag = tag, host.pool = pool, host.limit = limit;
  return words(host.grow(megabytes, handles));
}

TEST(GrowthBounds, MuchIsATwentiethOfTheRoom) {
  EXPECT_EQ(told(500, 1000, 5000, 195), "") << "200 of 4,000 that were left";
  EXPECT_EQ(told(500, 1000, 5000, 205), "much");
}

TEST(GrowthBounds, WithoutALimitItIsHalfAsMuchAgainAndATwentiethOfThePool) {
  EXPECT_EQ(told(100, 300, kNoLimit, 48), "");
  EXPECT_EQ(told(100, 300, kNoLimit, 52), "much");
  EXPECT_EQ(told(20, 300, kNoLimit, 15), "beyond") << "15 of 315";
  EXPECT_EQ(told(20, 300, kNoLimit, 16.5), "much");
}

TEST(GrowthBounds, BeyondIsALittleOfTheLimitOrOfThePoolAndHalfAsMuchAgain) {
  EXPECT_EQ(told(20, 260, 4800, 11), "") << "a quarter of a hundredth of 4,560";
  EXPECT_EQ(told(20, 260, 4800, 11.8), "beyond");
  EXPECT_EQ(told(40, 260, 4000, 19), "");
  EXPECT_EQ(told(40, 260, 4000, 21), "beyond");
  EXPECT_EQ(told(4, 260, kNoLimit, 2.5), "") << "a hundredth of the pool";
  EXPECT_EQ(told(4, 260, kNoLimit, 2.8), "beyond");
}

TEST(GrowthBounds, HandlesCountByTheThousandAndAreMuchByFive) {
  EXPECT_EQ(told(20, 260, 4260, 0, 950), "");
  EXPECT_EQ(told(20, 260, 4260, 0, 1050), "beyond");
  EXPECT_EQ(told(20, 260, 4260, 0, 4800), "beyond");
  EXPECT_EQ(told(20, 260, 4260, 0, 5200), "much");
}

TEST(GrowthBounds, HalfOfItLiesAboveAllBefore) {
  for (const double night : {300.0, 340.0}) {  // below the top by 160, half of what the last 40 minutes gained
    Calm host;
    host.night = night;
    EXPECT_EQ(words(host.grow(480)), night < 320 ? "much" : "") << night;
  }
}

TEST(GrowthBounds, GrowthThatSlowedDownToATenthIsAStep) {
  for (const double last : {0.06, 0.16}) {  // of it over the last third of the time
    Calm host;
    host.stay();
    for (int five = 1; five <= 12; ++five)
      host.at(Calm::hours() + five / 12.0, 480 * (five <= 8 ? (1 - last) * five / 8 : 1 - last * (12 - five) / 4));
    EXPECT_EQ(words(host.engine.readiness().largest), last > 0.1 ? "much" : "") << last;
  }
}

TEST(GrowthBounds, ABurstOnTopOfNoiseIsNone) {
  for (const double burst : {0.3, 0.5}) {  // of it within five of sixty minutes
    Calm host;
    host.stay();
    for (int five = 1; five <= 12; ++five)
      host.at(Calm::hours() + five / 12.0, 480 * ((1 - burst) * five / 12 + (five >= 7 ? burst : 0)));
    EXPECT_EQ(words(host.engine.readiness().largest), burst < 0.4 ? "much" : "") << burst;
  }
}

/// 480 MB of an hour, seen from so many hours after the boot on and so long ago.
bool is_held(double up_hours, double days_ago) {
  Calm host;
  host.up_hours = up_hours;
  host.stay();
  for (int five = 1; five <= 36; ++five) host.at(Calm::hours() + five / 12.0, 40 * std::min(five, 12));
  for (double hour = Calm::hours() + 4; hour <= Calm::hours() + 1 + 24 * days_ago; ++hour) host.at(hour, 480);
  const auto growth = host.engine.readiness().largest;
  return growth && growth->is_held();
}

TEST(GrowthBounds, WhatIsHeldIsToldForAWeekAndNotOfAWarmUp) {
  EXPECT_TRUE(is_held(960, 6.8));
  EXPECT_FALSE(is_held(960, 7.5));
  EXPECT_TRUE(is_held(7, 0));
  EXPECT_FALSE(is_held(5, 0)) << "of the six hours that a boot may warm up";
}

/// One tag makes so much of a pool's growth of 480 MB.
TEST(GrowthBounds, ATotalIsNamedUnlessATagMakesHalfOfIt) {
  for (const double share : {0.45, 0.55}) {
    TrendEngine engine;
    const auto at = [&](double hour, double grown) {
      std::array<Sample, 2> samples;
      samples[0].kind = Kind::kPool, samples[0].limit = 4.26e9, samples[0].amount = static_cast<std::uint64_t>(260e6 + grown);
      samples[1].text = "Part", samples[1].amount = static_cast<std::uint64_t>(20e6 + share * grown);
      engine.observe({kStart + std::llround(hour * kHourMs), kStart - 30 * kDayMs, samples});
    };
    for (int hour = 0; hour <= 240; ++hour) at(hour, 0);
    for (int five = 1; five <= 12; ++five) at(240 + five / 12.0, 40e6 * five);
    const auto growth = engine.readiness().largest;
    ASSERT_TRUE(growth && growth->is_large) << share;
    EXPECT_EQ(growth->kind, share < 0.5 ? Kind::kPool : Kind::kTag) << share;
  }
}

}  // namespace
}  // namespace kmem::trend
