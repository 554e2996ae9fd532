#include "exporter/trend/falls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "exporter/trend/engine.h"
#include "tests/exporter/trend/sim/score.h"
#include "tests/exporter/trend/start.h"

namespace kmem::trend {
namespace {

constexpr double kFallsMiB = 1024.0 * 1024;
constexpr double kLeastOfFalls = 32.0 * 1024;

/// Floors of 56 days, with a little that comes and goes from day to day.
std::vector<float> floors_of(const std::function<double(double day)>& mib) {
  std::vector<float> floors;
  for (int i = 0; i < kCoarseBuckets; ++i) {
    const double day = static_cast<double>(i) / kBucketsPerDay;
    floors.push_back(static_cast<float>((mib(day) + 0.2 * std::sin(5 * day)) * kFallsMiB));
  }
  return floors;
}

std::size_t falls_of(const std::function<double(double day)>& mib) {
  const auto found = find_falls(floors_of(mib), kLeastOfFalls);
  return found ? found->count : 0;
}

double since(double day, double period, double phase) { return std::fmod(day + phase, period); }

TEST(Falls, AreThoseOfALeakWhoseServiceRestarts) {
  const auto found = find_falls(floors_of([](double day) { return 30 + 2 * since(day, 28, 14); }), kLeastOfFalls);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->count, 2U);
  EXPECT_NEAR(found->slope_per_day / kFallsMiB, 2, 0.05);
  EXPECT_NEAR(found->given_back / kFallsMiB, 54, 3);
  EXPECT_NEAR(found->growth / kFallsMiB, 26, 3);
  EXPECT_NEAR(found->days, 14, 1);
  EXPECT_EQ(falls_of([](double day) { return 30 + 2 * since(day, 28, 0.3); }), 1U) << "one restart, amid the history";
  EXPECT_EQ(falls_of([](double day) { return 5 + 2 * since(day, 7, 0.3); }), 7U) << "each week, beyond what load does";
  EXPECT_EQ(falls_of([](double day) { return 60 + 2 * since(day, 7, 0.3); }), 7U) << "by day and night, week's ends too";
  EXPECT_EQ(falls_of([](double day) { return 60 + 2 * since(day, 7, 3.6); }), 8U) << "whenever it restarts";
}

TEST(Falls, AreNoneOfWhatOnlyComesAndGoes) {
  const std::vector<std::pair<std::string, std::function<double(double)>>> forms = {
      {"calm", [](double) { return 30.0; }},
      {"a leak", [](double day) { return 30 + 2 * day; }},
      {"a step down", [](double day) { return day < 30 ? 60.0 : 30.0; }},
      {"steps up, a fall, steps up", [](double day) { return 30 + 20 * std::floor(since(day, 28, 0) / 14); }},
      {"a nightly batch", [](double day) { return 30 + (since(day, 1, 0) < 0.2 ? 40.0 : 0.0); }},
      {"a weekly batch", [](double day) { return 30 + (since(day, 7, 0) < 1.5 ? 40.0 : 0.0); }},
      {"month's end", [](double day) { return 30 + 10 * std::max(0.0, since(day, 30, 5) - 24); }},
      {"a cache that is full before it is trimmed",
       [](double day) { return 30 + 60 * (1 - std::exp(-since(day, 28, 14) / 4)); }},
      {"load from Monday to Friday, less than what is there",
       [](double day) {
         const double in_week = since(day, 7, 0.3);
         return 60 + (in_week < 5 ? 2 * in_week : 0.0);
       }},
      {"load that rises by day, and rests at the week's end",
       [](double day) {
         const double in_week = since(day, 7, 0.6), in_day = in_week - std::floor(in_week);
         return 60 + (in_week < 5 ? 2 * std::floor(in_week) + 2 * std::clamp(2 * in_day - 0.5, 0.0, 1.0) : 0.0);
       }},
      {"each Monday from the base, over five days",
       [](double day) { return 5 + 3 * std::floor(std::min(since(day, 7, 0), 4.0)) * (since(day, 7, 0) < 5 ? 1 : 0); }},
      {"growth that went on for one restart and is mended",
       [](double day) {
         return 30 + (day < 28 ? 2 * day : day < 40 ? 2 * (day - 28) : 0.0);
       }},
      {"less than matters", [](double day) { return 30 + 0.02 * since(day, 28, 14); }},
  };
  for (const auto& [name, form] : forms) EXPECT_EQ(falls_of(form), 0U) << name;
}

TEST(Falls, OfPacesOrBasesThatDifferAreNoneInCommon) {
  EXPECT_EQ(falls_of([](double day) { return day < 28 ? 30 + 4 * day : 30 + 1.0 * (day - 28); }), 0U)
      << "a quarter of the pace";
  EXPECT_EQ(falls_of([](double day) { return day < 28 ? 30 + 2 * day : 66 + 2 * (day - 28); }), 0U)
      << "a third of it is given back";
}

std::optional<Falls> newest_rise_of(const std::function<double(double day)>& mib) {
  return find_newest_rise(floors_of(mib), kLeastOfFalls);
}

TEST(Falls, TheNewestRiseIsToldByItself) {
  const auto half = newest_rise_of([](double day) { return day < 46 ? 20 + 2 * day : 66 + 2 * (day - 46); });
  ASSERT_TRUE(half.has_value()) << "half was given back ten days ago";
  EXPECT_TRUE(half->again);
  EXPECT_EQ(half->count, 0U);
  EXPECT_NEAR(half->slope_per_day / kFallsMiB, 2, 0.1);
  EXPECT_NEAR(half->days, 9, 1);
  EXPECT_NEAR(half->growth / kFallsMiB, 18, 2);
  const auto slower = newest_rise_of([](double day) { return day < 36 ? 30 + 4 * day : 30 + 1.2 * (day - 36); });
  ASSERT_TRUE(slower.has_value()) << "all of it, then at 0.3 times the pace";
  EXPECT_NEAR(slower->slope_per_day / kFallsMiB, 1.2, 0.1);
  const auto rested = newest_rise_of([](double day) { return 30 + 2 * std::min(day, 34.0) + 5 * std::max(0.0, day - 46); });
  ASSERT_TRUE(rested.has_value()) << "a rest of twelve days";
  EXPECT_NEAR(rested->slope_per_day / kFallsMiB, 5, 0.6);
}

TEST(Falls, TheNewestRiseIsNoneOfLoadAndWhatFills) {
  const std::vector<std::pair<std::string, std::function<double(double)>>> forms = {
      {"calm", [](double) { return 30.0; }},
      {"the first rise", [](double day) { return 30 + 2 * std::max(0.0, day - 46); }},
      {"a wave of a fortnight", [](double day) { return 60 - 30 * std::cos(day / 14 * 6.2832); }},
      {"a wave of four weeks", [](double day) { return 60 - 30 * std::cos((day - 4) / 28 * 6.2832); }},
      {"given back, then a step", [](double day) { return day < 40   ? 30 + 2 * day
                                                          : day < 50 ? 30.0
                                                                     : 60.0; }},
      {"a cache that fills again", [](double day) { return 30 + 60 * (1 - std::exp(-since(day, 28, 14) / 4)); }},
      {"five days ago", [](double day) { return day < 51 ? 30 + 2 * day : 70 + 4 * (day - 51); }},
      {"little of what is there", [](double day) { return day < 46 ? 300 + 2 * day : 346 + 2 * (day - 46); }},
  };
  for (const auto& [name, form] : forms) EXPECT_FALSE(newest_rise_of(form).has_value()) << name;
}

TEST(Falls, OfFewReadingsAndGapsAreNone) {
  std::vector<float> floors = floors_of([](double day) { return 30 + 2 * since(day, 28, 14); });
  EXPECT_FALSE(find_falls(std::span(floors).first(15 * kBucketsPerDay), kLeastOfFalls).has_value());
  std::fill(floors.begin(), floors.end(), std::numeric_limits<float>::quiet_NaN());
  EXPECT_FALSE(find_falls(floors, kLeastOfFalls).has_value());
  EXPECT_FALSE(find_falls({}, kLeastOfFalls).has_value());
}

/// A tag that grows 2 MiB a day and is given back every 20 days, and its pool; by the hour.
void observe_days(TrendEngine& engine, double from, double to) {
  for (int hour = static_cast<int>(from * 24); hour < static_cast<int>(to * 24); ++hour) {
    const double day = hour / 24.0;
    const double bytes = (30 + 2 * since(day, 20, 0) + 0.2 * std::sin(5 * day)) * kFallsMiB;
    Sample pool, tag;
    pool.kind = Kind::kPool, pool.pool = tag.pool = Pool::kNonpaged;
    pool.amount = static_cast<std::uint64_t>(bytes + 50 * kFallsMiB);
    tag.text = "Svc", tag.amount = static_cast<std::uint64_t>(bytes);
    const std::array<Sample, 2> samples = {pool, tag};
    engine.observe({kStart + static_cast<std::int64_t>(hour) * kHourMs, kStart - 30 * kDayMs, samples});
  }
}

TEST(Falls, ThePaceIsThatOfNow) {
  const auto falls =
      find_falls(floors_of([](double day) { return day < 40 ? 30 + 2 * day : 30 + 3.6 * (day - 40); }), kLeastOfFalls);
  ASSERT_TRUE(falls);
  EXPECT_NEAR(falls->slope_per_day / kFallsMiB, 3.6, 0.1) << "since the fall";
}

TEST(Falls, AreToldWhereNothingElseIs) {
  TrendEngine engine;
  observe_days(engine, 0, 19);
  EXPECT_EQ(engine.find(Kind::kTag, Pool::kNonpaged, "Svc")->verdict, Verdict::kLeak);
  observe_days(engine, 19, 50);
  engine.settle();
  EXPECT_EQ(engine.find(Kind::kTag, Pool::kNonpaged, "Svc")->verdict, Verdict::kOk);
  const auto growth = engine.readiness().largest;
  ASSERT_TRUE(growth.has_value());
  EXPECT_EQ(growth->text, "Svc") << "the tag, not its pool";
  EXPECT_EQ(growth->falls, 2U);
  EXPECT_FALSE(growth->is_large);
  EXPECT_NEAR(growth->amount / kFallsMiB, 2, 0.1);
  EXPECT_EQ(growth->seconds, 86400);
  EXPECT_EQ(growth_label(*growth), "Grows between falls: ");
  EXPECT_EQ(growth_claim(*growth), ", given back 2 times, the last " + std::to_string(std::llround(growth->days_since_fall)) +
                                       " days ago: a leak that a restart of its owner frees, or a cache that is trimmed");
  EXPECT_TRUE(growth->is_pace());
  EXPECT_FALSE(growth->room) << "no limit is known";
  EXPECT_TRUE(std::isinf(growth->seconds_left));
  // What is saved tells it again at once; a boot begins anew.
  TrendEngine taken;
  ASSERT_TRUE(taken.load(engine.save()).ok());
  taken.look_for_falls();
  ASSERT_TRUE(taken.readiness().largest.has_value());
  EXPECT_EQ(taken.readiness().largest->falls, 2U);
  Sample tag;
  tag.pool = Pool::kNonpaged, tag.text = "Svc", tag.amount = 30 << 20;
  engine.observe({kStart + 50 * kDayMs, kStart + 50 * kDayMs - kHourMs, {&tag, 1}});
  EXPECT_EQ(engine.readiness().largest ? engine.readiness().largest->falls : 0, 0U);
}

/// A peak each working day, of `peak(day)` MiB above a floor that stays.
Readiness::Growth after_peaks(int days, const std::function<double(int day)>& peak) {
  TrendEngine engine;
  sim::Random random(11);
  for (int hour = 0; hour < days * 24; ++hour) {
    const int day = hour / 24;
    const bool busy = hour % 24 >= 9 && hour % 24 < 17 && day % 7 < 5;
    Sample tag;
    tag.pool = Pool::kNonpaged, tag.text = "Busy";
    const double above = 30 + (busy ? peak(day) : 0) + 0.1 * random.normal();
    tag.amount = static_cast<std::uint64_t>(kFallsMiB * std::max(0.0, above));
    Sample pool = tag;
    pool.kind = Kind::kPool, pool.text = {}, pool.amount += 200 << 20, pool.limit = 8e9;
    const std::vector<Sample> samples = {pool, tag};
    engine.observe({kStart + hour * kHourMs, kStart - kDayMs, samples});
  }
  engine.settle();
  EXPECT_EQ(engine.find(Kind::kTag, Pool::kNonpaged, "Busy")->verdict, Verdict::kOk);
  return engine.readiness().largest.value_or(Readiness::Growth{});
}

TEST(Falls, PeaksThatGrowAboveAFloorThatDoesNotAreNamed) {
  const Readiness::Growth growth = after_peaks(44, [](int day) { return 60 + 3.0 * day; });
  EXPECT_TRUE(growth.of_peaks);
  EXPECT_TRUE(growth.is_told_first());
  EXPECT_EQ(growth.text, "Busy");
  EXPECT_EQ(growth_label(growth), "Peaks grow: ");
  EXPECT_NEAR(growth.room.value() / kFallsMiB, 8e9 / kFallsMiB - 200 - 30 - (60 + 3 * 43), 12) << "above the newest";
  EXPECT_NEAR(growth.seconds_left, *growth.room / growth.amount * growth.seconds, 1);
  EXPECT_EQ(growth_claim(growth),
            ", from week to week, while its floor does not grow; what is left above the newest, used up in about " +
                std::to_string(std::llround(growth.seconds_left / 86400)) + " days at that pace");
  EXPECT_NEAR(growth.amount / kFallsMiB, 3 * growth.seconds / 86400, 3) << "3 MiB a day";
  EXPECT_EQ(growth.seconds, 5 * 7 * 86400) << "six weeks, from the middle of the first to that of the last";
  for (const auto& peak :
       std::vector<std::function<double(int)>>{[](int) { return 60; },                                  // the same
                                               [](int day) { return 60 + 0.3 * day; },                  // less than load varies
                                               [](int day) { return day < 22 ? 60 : 160; },             // a step
                                               [](int day) { return 60 + std::min(3.0 * day, 60.0); },  // no more
                                               [](int day) { return 60 + 120 * std::sin(day / 7 * 2.4); }})  // as it comes
    EXPECT_FALSE(after_peaks(44, peak).of_peaks);
  EXPECT_FALSE(after_peaks(30, [](int day) { return 60 + 3.0 * day; }).of_peaks) << "four weeks";
}

TEST(Falls, PeaksThatGrowByMuchFromDayToDayAreNamedWithinAFortnight) {
  const Readiness::Growth growth = after_peaks(16, [](int day) { return 100 + 60.0 * day; });
  EXPECT_TRUE(growth.of_peaks);
  EXPECT_TRUE(growth.by_day);
  EXPECT_EQ(growth.text, "Busy");
  EXPECT_EQ(growth_label(growth), "Peaks grow: ");
  EXPECT_NEAR(growth.room.value() / kFallsMiB, 8e9 / kFallsMiB - 200 - 30 - 1000, 70);
  EXPECT_NEAR(growth.seconds_left / 86400, *growth.room / (60 * kFallsMiB), 4);
  const auto words = [](double bytes) { return std::to_string(std::llround(bytes / 1e9)) + " GB"; };
  EXPECT_EQ(growth_claim(growth, words),
            ", from day to day, while its floor does not grow; 7 GB left above the newest, used up in about " +
                std::to_string(std::llround(growth.seconds_left / 86400)) + " days at that pace");
  EXPECT_NEAR(growth.amount / kFallsMiB, 60 * growth.seconds / 86400, 10) << "60 MiB a day";
  for (const auto& peak :
       std::vector<std::function<double(int)>>{[](int) { return 600; },                      // the same
                                               [](int day) { return 60 + 3.0 * day; },       // little of the limit
                                               [](int day) { return day < 8 ? 100 : 900; },  // a step
                                               [](int day) { return 100 + std::min(60.0 * day, 420.0); },  // no more
                                               [](int day) { return 100 + 400.0 * (day % 3); }})           // as it comes
    EXPECT_FALSE(after_peaks(16, peak).of_peaks);
}

TEST(Falls, PeaksOfHandlesThatGrowAreNamed) {
  for (const double more : {600.0, 100.0}) {
    TrendEngine engine;
    for (int hour = 0; hour < 28 * 24; ++hour) {
      const int day = hour / 24;
      const bool busy = hour % 24 >= 9 && hour % 24 < 17 && day % 7 < 5;
      Sample handles;
      handles.kind = Kind::kHandles, handles.text = "svc (1)";
      handles.amount = static_cast<std::uint64_t>(4000 + (busy ? more * day : 0) + hour % 7);
      engine.observe({kStart + hour * kHourMs, kStart - kDayMs, {&handles, 1}});
    }
    engine.settle();
    const Readiness::Growth growth = engine.readiness().largest.value_or(Readiness::Growth{});
    EXPECT_EQ(growth.of_peaks, more == 600) << "less than 5,000 are few";
    if (!growth.of_peaks) continue;
    EXPECT_EQ(growth.text, "svc (1)");
    EXPECT_NEAR(growth.amount, 600 * growth.seconds / 86400, 300);
    EXPECT_FALSE(growth.room) << "of handles no limit is known";
  }
}

TEST(Falls, AreToldOfTheBenchsRestartsAndOfLittleElse) {
  for (const sim::Scenario& scenario : sim::fall_scenarios()) {
    if (scenario.name.find("every 28 d") == std::string_view::npos && scenario.name != "weekly batch") continue;
    const sim::FallsTold told = sim::score_falls(scenario, 40'000, 2, sim::NoiseKind::kWide);
    if (scenario.goal == sim::Goal::kDetect) EXPECT_GT(told.ever_percent, 0) << scenario.name;
    else EXPECT_EQ(told.ever_percent, 0) << scenario.name;
  }
}

}  // namespace
}  // namespace kmem::trend
