// Growth of minutes and hours through the engine, by the minute as live.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "exporter/trend/engine.h"
#include "tests/exporter/trend/sim/surges.h"

namespace kmem::trend {
namespace {

constexpr std::int64_t kSurgeStart = 1'767'225'600'000;
constexpr double kMiB = 1024.0 * 1024;
constexpr double kLimit = 1024 * kMiB;

/// A host of 1 GiB with one slab cache; bytes by minutes since the begin.
class Surges : public testing::Test {
 protected:
  void run(double minutes, const std::function<double(double minute)>& cache) {
    for (const double end = minute_ + minutes; minute_ < end; minute_ += step_) {
      const double bytes = cache(minute_);
      Sample samples[2];
      samples[0].kind = Kind::kPool, samples[0].pool = Pool::kSlabUnreclaimable;
      samples[0].amount = static_cast<std::uint64_t>(100 * kMiB + bytes), samples[0].limit = kLimit;
      samples[1].pool = Pool::kSlabUnreclaimable, samples[1].text = "cache",
      samples[1].amount = static_cast<std::uint64_t>(bytes);
      engine_.observe({kSurgeStart + static_cast<std::int64_t>(minute_ * 60'000), kSurgeStart - 30 * kDayMs, samples});
      const bool surges = report().verdict == Verdict::kSurge;
      if (surges && told_ < 0) told_ = minute_;
    }
  }
  [[nodiscard]] SubjectReport report() const { return *engine_.find(Kind::kTag, Pool::kSlabUnreclaimable, "cache"); }
  [[nodiscard]] static double calm(double minute) {
    return 20 * kMiB * (1 + 0.05 * std::sin(minute / 1440 * 2 * 3.14159265) + 0.002 * std::sin(minute * 1.7));
  }

  TrendEngine engine_;
  double minute_ = 0, told_ = -1, step_ = 1;
};

TEST_F(Surges, AreToldWhileMostOfTheTimeIsLeft) {
  run(3 * 1440, calm);
  const double begin = minute_;
  run(45 * 60 * 0.45, [begin](double minute) { return calm(minute) + (minute - begin) / 60 * 20 * kMiB; });
  // 904 MiB at 20 MiB an hour: 45 hours.
  ASSERT_GE(told_, begin);
  EXPECT_LE(told_ - begin, 45 * 60 * 0.42);
  const SubjectReport now = report();
  ASSERT_TRUE(now.surge.has_value());
  EXPECT_EQ(now.verdict, Verdict::kSurge);
  EXPECT_TRUE(now.surge->ends_soon);
  EXPECT_NEAR(now.surge->pace_per_second * 3600 / kMiB, 20, 2);
  EXPECT_NEAR(now.surge->seconds_left, *now.surge->room / now.surge->pace_per_second, 1);
  EXPECT_NEAR(static_cast<double>(now.surge->since - kSurgeStart) / 60'000, begin, 6 * 60);
  // The pool ends with it, and says so.
  const SubjectReport pool = *engine_.find(Kind::kPool, Pool::kSlabUnreclaimable, {});
  ASSERT_TRUE(pool.exhaustion.has_value());
  EXPECT_LT(pool.exhaustion->seconds, 3 * 86'400.0);
  EXPECT_NEAR(*now.slope_1h_per_second * 3600 / kMiB, 20, 3);

  // It outlives a restart, and ends when the growth has ended.
  TrendEngine restarted;
  ASSERT_TRUE(restarted.load(engine_.save()).ok());
  EXPECT_EQ(restarted.find(Kind::kTag, Pool::kSlabUnreclaimable, "cache")->surge->since, now.surge->since);
  EXPECT_EQ(restarted.save(), engine_.save());
  const double top = calm(minute_) + (minute_ - begin) / 60 * 20 * kMiB;
  run(24 * 60, [top](double) { return top; });
  EXPECT_FALSE(report().surge.has_value());
}

/// Two that fill one room, and a pool beside them that takes from the same memory.
TEST(SurgesTogether, TakeFromOneRoomAndEndWithIt) {
  constexpr double kRoom = 3000 * kMiB;
  TrendEngine engine;
  auto run = [&engine, minute = 0.0](double minutes, double big_an_hour, double small_an_hour) mutable {
    for (const double begin = minute, end = minute + minutes; minute < end; ++minute) {
      const double hours = (minute - begin) / 60, big = 20 * kMiB + big_an_hour * hours,
                   small = 20 * kMiB + small_an_hour * hours;
      const double left = kRoom - 2 * (big + small - 40 * kMiB);
      std::array<Sample, 4> samples;
      samples[0].kind = samples[1].kind = Kind::kPool;
      samples[0].pool = samples[2].pool = samples[3].pool = Pool::kSlabUnreclaimable, samples[1].pool = Pool::kVmalloc;
      samples[2].text = "big", samples[3].text = "small";
      for (const std::size_t pool : {std::size_t{0}, std::size_t{1}}) {
        const double bytes = 60 * kMiB + big + small;
        samples[pool].amount = static_cast<std::uint64_t>(bytes);
        samples[pool].limit = bytes + left, samples[pool].bound = Bound::kAvailableMemory;
      }
      samples[2].amount = static_cast<std::uint64_t>(big), samples[3].amount = static_cast<std::uint64_t>(small);
      engine.observe({kSurgeStart + static_cast<std::int64_t>(minute * 60'000), kSurgeStart - 30 * kDayMs, samples});
    }
  };
  run(3 * 1440, 0, 0);
  run(7 * 60, 100 * kMiB, 80 * kMiB);
  const double left = kRoom - 2 * 7 * 180 * kMiB, hours_left = left / (360 * kMiB);
  const auto of = [&engine](Kind kind, Pool pool, const char* text) { return *engine.find(kind, pool, text); };
  const SubjectReport big = of(Kind::kTag, Pool::kSlabUnreclaimable, "big"),
                      small = of(Kind::kTag, Pool::kSlabUnreclaimable, "small"),
                      slab = of(Kind::kPool, Pool::kSlabUnreclaimable, ""), vmalloc = of(Kind::kPool, Pool::kVmalloc, "");
  for (const SubjectReport& one : {big, small, slab, vmalloc}) {
    ASSERT_TRUE(one.surge && one.exhaustion) << one.text;
    EXPECT_NEAR(one.surge->seconds_left / 3600, hours_left, 0.1 * hours_left) << one.text;
    EXPECT_EQ(one.surge->seconds_left, one.exhaustion->seconds) << one.text;
    EXPECT_NEAR(*one.surge->room, left, 20 * kMiB) << one.text;
    EXPECT_TRUE(one.surge->shares_room()) << one.text;
    EXPECT_TRUE(one.exhaustion->of_now);
  }
  // Its own pace stays its own; a pool's is at least that of its tags.
  EXPECT_NEAR(big.surge->pace_per_second * 3600 / kMiB, 100, 5);
  EXPECT_NEAR(small.surge->pace_per_second * 3600 / kMiB, 80, 5);
  EXPECT_NEAR(slab.surge->pace_per_second * 3600 / kMiB, 180, 5);
  EXPECT_NEAR(slab.exhaustion->pace_per_second * 3600 / kMiB, 360, 10);
  const std::vector<SubjectReport> reports = engine.report(false);
  ASSERT_EQ(reports.size(), 4U);
  EXPECT_EQ(reports[0].text + " " + reports[1].text, "big small") << "by pace, where all end together, tags before pools";
}

TEST_F(Surges, ThatEndInHalfAnHourAreToldByTheMinute) {
  run(2 * 1440, calm);
  const double begin = minute_;
  run(22, [begin](double minute) { return calm(minute) + (minute - begin) / 30 * 904 * kMiB; });
  ASSERT_GE(told_, begin);
  EXPECT_LE(told_ - begin, 22);
}

/// What is told, while so much of the time is left, when slow growth, of a leak or of a surge, becomes fast.
class SurgesOfWhatGrew : public Surges {
 protected:
  void expect_at(double left, double slow_days, double slow_a_day, double hours) {
    step_ = 20;
    run(5 * 1440, calm);
    const double slow = minute_;
    run(slow_days * 1440, [=](double minute) { return calm(minute) + (minute - slow) / 1440 * slow_a_day; });
    const double begin = minute_, grown = slow_days * slow_a_day, room = kLimit - 120 * kMiB - grown;
    step_ = 1;
    run(hours * 60 * (1 - left), [=](double minute) { return calm(minute) + grown + (minute - begin) / (hours * 60) * room; });
    for (const SubjectReport& told : {report(), *engine_.find(Kind::kPool, Pool::kSlabUnreclaimable, {})}) {
      EXPECT_EQ(told.verdict, Verdict::kSurge);
      ASSERT_TRUE(told.surge && told.exhaustion);
      EXPECT_NEAR(std::log(told.surge->seconds_left / (hours * 3600 * left)), 0, std::log(1.5));
      EXPECT_NEAR(std::log(told.exhaustion->seconds / (hours * 3600 * left)), 0, std::log(1.5));
      EXPECT_NEAR(static_cast<double>(told.surge->since - kSurgeStart) / 60'000, begin, 6 * hours);
    }
    EXPECT_EQ(engine_.report(false).front().verdict, Verdict::kSurge);
  }
};
TEST_F(SurgesOfWhatGrew, ALeakThatEndsIn2Hours) { expect_at(0.55, 20, 8 * kMiB, 2); }
TEST_F(SurgesOfWhatGrew, ALeakThatEndsIn24Hours) { expect_at(0.5, 20, 8 * kMiB, 24); }
TEST_F(SurgesOfWhatGrew, ASlowSurgeThatEndsIn2Hours) { expect_at(0.45, 5, 40 * kMiB, 2); }
TEST_F(SurgesOfWhatGrew, ASlowSurgeThatEndsIn10Hours) { expect_at(0.5, 5, 40 * kMiB, 10); }

class SurgesThatEnd : public Surges {
 protected:
  void grow() {
    run(2 * 1440, calm);
    begin_ = minute_;
    run(200, [this](double minute) { return calm(minute) + (minute - begin_) / 250 * 904 * kMiB; });
    growth_ = (minute_ - begin_) / 250 * 904 * kMiB;
    ASSERT_TRUE(report().surge.has_value());
    begin_told_ = static_cast<double>(report().surge->since - kSurgeStart) / 60'000;
  }
  /// Minutes until it is over, at most so many, while so much of the growth remains.
  double over_after(double most, double remains) {
    const double from = minute_;
    while (minute_ < from + most && report().surge.has_value())
      run(1, [&](double minute) { return calm(minute) + remains * growth_; });
    return minute_ - from;
  }
  double begin_ = 0, begin_told_ = 0, growth_ = 0;
};

TEST_F(SurgesThatEnd, AfterHalfAsLongWithoutGrowth) {
  grow();
  const double grown = minute_ - begin_told_;
  EXPECT_NEAR(over_after(600, 1), 0.4 * grown, 0.06 * grown);
}

TEST_F(SurgesThatEnd, NotWithinAQuarterOfAnHour) {
  run(2 * 1440, calm);
  begin_ = minute_;
  run(20, [this](double minute) { return calm(minute) + (minute - begin_) / 30 * 904 * kMiB; });
  growth_ = (minute_ - begin_) / 30 * 904 * kMiB;
  ASSERT_TRUE(report().surge.has_value());
  EXPECT_NEAR(over_after(100, 1), 16, 3);
}

TEST_F(SurgesThatEnd, AtOnceWhenAThirdWasGivenBack) {
  grow();
  EXPECT_LE(over_after(30, 0.66), 2);
}

TEST_F(SurgesThatEnd, NotWhenAQuarterWasGivenBack) {
  grow();
  EXPECT_EQ(over_after(30, 0.76), 30);
}

/// A reading every quarter of an hour, and none while `unseen` says so; returns whether a surge was told after minute `from`.
class SurgesSeldomSeen : public Surges {
 protected:
  bool told_after(
      double from, double until, const std::function<double(double)>& cache,
      const std::function<bool(double)>& unseen = [](double) { return false; }) {
    for (; minute_ < until; minute_ += 15) {
      if (unseen(minute_)) continue;
      const double now = minute_;
      run(1, cache);
      minute_ = now;
      last_ = report().surge;
      told_since_ = told_since_ || (minute_ >= from && last_.has_value());
    }
    return told_since_;
  }
  bool told_since_ = false;
  decltype(SubjectReport::surge) last_;
};

TEST_F(SurgesSeldomSeen, ALevelThatRoseUnseenIsNone) {
  for (const double days : {1.0, 2.0, 3.0, 4.0}) {
    engine_ = TrendEngine();
    minute_ = 0, told_since_ = false;
    const double gone = 14 * 1440, back = gone + days * 1440;
    EXPECT_FALSE(told_after(
        gone, back + 4 * 1440, [back](double minute) { return calm(minute) + (minute >= back ? 300 * kMiB : 0); },
        [gone, back](double minute) { return minute >= gone && minute < back; }))
        << days << " days";
  }
}

TEST_F(SurgesSeldomSeen, WhatWasHeldForHoursBeforeIsNoneUntilItIsPassed) {
  // Up for two days to 400 MiB, a month ago; then the same again, and beyond.
  const auto ramp = [](double minute, double from) {
    return minute >= from && minute < from + 2 * 1440 ? (minute - from) / (2 * 1440) * 400 * kMiB : 0;
  };
  const double again = 44 * 1440;
  EXPECT_FALSE(told_after(20 * 1440, again + 1.6 * 1440,
                          [&](double minute) { return calm(minute) + ramp(minute, 14 * 1440) + ramp(minute, again); }));
  EXPECT_TRUE(told_after(again, again + 4 * 1440,
                         [&](double minute) { return calm(minute) + (minute - again) / (2 * 1440) * 400 * kMiB; }));
}

TEST_F(SurgesSeldomSeen, WhatFillsForDaysIsToldWithThePaceOfNowAndEnds) {
  constexpr double kTau = 3 * 1440;
  const double begin = 20 * 1440;
  const auto fills = [&](double minute) {
    return calm(minute) + (minute > begin ? 450 * kMiB * (1 - std::exp(-(minute - begin) / kTau)) : 0);
  };
  ASSERT_TRUE(told_after(begin, begin + 6 * 1440, fills));
  ASSERT_TRUE(last_.has_value());
  const double pace = 450 / 3.0 * std::exp(-6 / 3.0);  // 20 MiB a day, 150 in the beginning
  EXPECT_LT(last_->pace_per_second * 86'400 / kMiB, 2.2 * pace);
  told_after(begin, begin + 12 * 1440, fills);
  EXPECT_FALSE(last_.has_value());
}

TEST_F(Surges, AStepIsNone) {
  run(2 * 1440, calm);
  const double begin = minute_;
  run(3 * 1440, [begin](double minute) { return calm(minute) + std::min(1.0, (minute - begin) / 9) * 450 * kMiB; });
  EXPECT_LT(told_, 0);
}

TEST_F(Surges, WhatFillsIsNone) {
  run(2 * 1440, calm);
  const double begin = minute_;
  run(3 * 1440, [begin](double minute) { return calm(minute) + 450 * kMiB * (1 - std::exp(-(minute - begin) / 300)); });
  EXPECT_LT(told_, 0);
}

TEST_F(Surges, ABatchThatIsGivenBackIsNone) {
  run(10 * 1440, [](double minute) {
    const double at = std::fmod(minute, 1440);
    return calm(minute) + 400 * kMiB * std::clamp(std::min(at / 40, (160 - at) / 20), 0.0, 1.0);
  });
  EXPECT_LT(told_, 0);
}

TEST(SurgesOfCaches, ThatTheKernelTakesBackAreNone) {
  TrendEngine engine;
  for (int minute = 0; minute < 3000; ++minute) {
    Sample sample;
    sample.kind = Kind::kPool, sample.pool = Pool::kSlabReclaimable, sample.limit = kLimit;
    sample.amount = static_cast<std::uint64_t>(kMiB * (20 + std::max(0, minute - 2000)));
    engine.observe({kSurgeStart + minute * 60'000LL, kSurgeStart, {&sample, 1}});
  }
  EXPECT_EQ(engine.find(Kind::kPool, Pool::kSlabReclaimable, {})->verdict, Verdict::kOk);
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Each is a sound state of a surge with one value exchanged; see what the names say.
TEST(StateOfSurges, ValuesThatNoEngineWritesAreRefused) {
  const auto load = [](TrendEngine& engine, const std::string& name) {
    const std::string bytes = bytes_of("fuzz/corpus/trend_state/" + name);
    EXPECT_EQ(bytes.size(), 7632U) << name;
    return engine.load(bytes).ok();
  };
  TrendEngine sound({.max_subjects = 8});
  ASSERT_TRUE(load(sound, "v2_surging"));
  EXPECT_TRUE(sound.find(Kind::kTag, Pool::kPaged, "Surg")->surge.has_value());
  for (const char* name : {"v2_surge_since_lowest", "v2_surge_told_lowest", "v2_surge_high_at_lowest",
                           "v2_surge_high_at_highest", "v2_surge_high_largest", "v2_surge_growth_largest",
                           "v2_surge_growth_nan", "v2_surge_pace_largest", "v2_room_lowest_hour", "v2_room_highest_hour",
                           "v2_room_bound", "v2_room_infinite", "v2_minute_lowest", "v2_minute_of_none", "v2_limit_largest"}) {
    TrendEngine engine({.max_subjects = 8});
    EXPECT_FALSE(load(engine, name)) << name;
    EXPECT_EQ(engine.summary().subjects, 0U) << name;
  }
  for (const char* name : {"v2_low_lowest", "v2_floors_largest", "v2_highs_infinite", "v2_highs_largest", "v2_minutes_largest",
                           "v2_columns_infinite"}) {
    TrendEngine engine({.max_subjects = 8});
    EXPECT_TRUE(load(engine, name)) << name << ": what cannot be is as if nobody had seen it";
    for (const float day : engine.daily_course(Kind::kTag, Pool::kPaged, "Surg")) EXPECT_FALSE(std::abs(day) > 0x1p64F) << name;
  }
}

TEST(StateOfAnOlderProgram, IsTakenUp) {
  const std::string older = bytes_of("fixtures/trend/state_version_1.bin");
  ASSERT_EQ(older.size(), 7631U);
  TrendEngine engine({.max_subjects = 16, .host_identity = "host"});
  const auto taken = engine.load(older);
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  const SubjectReport leak = *engine.find(Kind::kTag, Pool::kPaged, "Leak");
  EXPECT_EQ(leak.verdict, Verdict::kLeak);
  EXPECT_NEAR(leak.credible_slope_per_second * 86'400, 960'000, 48'000);
  EXPECT_FALSE(leak.surge.has_value());
  EXPECT_EQ(engine.find(Kind::kTag, Pool::kPaged, "Calm")->verdict, Verdict::kOk);
  EXPECT_TRUE(TrendEngine({.max_subjects = 16, .host_identity = "host"}).load(engine.save()).ok());
}

/// Few histories of each row of the bench: what luck allows beyond its promise is two standard deviations and one miss.
TEST(SurgesBench, FewHistoriesOfEachRow) {
  constexpr int kRuns = 10;
  for (const sim::MinutesForm& form : sim::minute_forms()) {
    const sim::MinutesScore score = sim::score_minutes(form, 900'000, kRuns, sim::NoiseKind::kWide, false);
    if (form.most_percent_told < 100) {
      EXPECT_LE(score.told_percent, 30) << form.name;
    } else {
      EXPECT_GE(score.told_percent, 70) << form.name;
    }
  }
}

/// A block of twenty minutes has the reading of each half hour at its begin, its middle, or not at all.
TEST(PaceOfASurge, IsThatOfTheReadingsHoweverFarApart) {
  for (const int every : {5, 10, 12, 15, 20, 25, 30, 40, 45, 60}) {
    TrendEngine engine;
    const auto at = [&](double hour) {
      Sample pool;
      pool.kind = Kind::kPool, pool.pool = Pool::kNonpaged, pool.limit = 1.6e9;
      pool.amount = 300'000'000 + static_cast<std::uint64_t>(40e6 * std::max(0.0, hour - 240));
      engine.observe({kSurgeStart + std::llround(hour * kHourMs), kSurgeStart - 30 * kDayMs, {&pool, 1}});
    };
    for (int minute = 0; minute <= 264 * 60; minute += every) at(minute / 60.0);
    const SubjectReport report = *engine.find(Kind::kPool, Pool::kNonpaged, "");
    ASSERT_TRUE(report.verdict == Verdict::kSurge && report.surge) << every;
    EXPECT_NEAR(report.surge->pace_per_second * 3600, 40e6, 1.2e6) << every;
  }
}

/// A pool of 1 GB gains 30 MB an hour, with no end that is known; `by_tag`: one tag makes that, which held as much last week.
Verdict verdict_on_pool(bool by_tag) {
  TrendEngine engine;
  const auto at = [&](double hour) {
    const bool held = hour >= 48 && hour < 72;
    const auto grown = static_cast<std::uint64_t>(30e6 * std::max(0.0, hour - 240));
    Sample pool, tag, other;
    pool.kind = Kind::kPool;
    pool.amount = 1'000'000'000 + grown;
    tag.text = "Cach", tag.amount = (held ? 950'000'000 : 50'000'000) + grown;
    other.text = "Rest", other.amount = held ? 50'000'000 : 950'000'000;
    const std::array<Sample, 3> samples = {pool, tag, other};
    engine.observe(
        {kSurgeStart + std::llround(hour * kHourMs), kSurgeStart - 5 * kDayMs, std::span(samples).first(by_tag ? 3 : 1)});
  };
  for (int hour = 0; hour < 240; ++hour) at(hour);
  for (int five = 0; five <= 26 * 12; ++five) at(240 + five / 12.0);
  if (by_tag) { EXPECT_EQ(engine.find(Kind::kTag, Pool::kPaged, "Cach")->verdict, Verdict::kOk); }
  return engine.find(Kind::kPool, Pool::kPaged, "")->verdict;
}

TEST(SurgesOfPools, SayNoMoreThanTheTagThatMakesThem) {
  EXPECT_EQ(verdict_on_pool(false), Verdict::kSurge);
  EXPECT_EQ(verdict_on_pool(true), Verdict::kOk);
}

}  // namespace
}  // namespace kmem::trend
