// Figures of a report, each from a history of which they can be reckoned by hand.
#include <gtest/gtest.h>

#include <algorithm>
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

/// By the minute; bytes grow by the square of the time, so that a slope tells which stretch it is of: that of its middle.
class Windows : public testing::Test {
 protected:
  SubjectReport look(int minute, base::UnixMillis boot = kStart - kDayMs) {
    const Sample sample = tag("A", squared(minute));
    engine_.observe({kStart + minute * 60'000, boot, {&sample, 1}});
    return report_of(engine_, "A");
  }
  SubjectReport run(int from, int to) {
    for (int minute = from; minute < to; ++minute) look(minute);
    return look(to);
  }
  static double squared(double minute) { return 1e5 * minute * minute; }
  /// Of squared(), a second, in the middle of a stretch.
  static double slope_at(double minute) { return 2e5 * minute / 60; }
  TrendEngine engine_;
};

TEST_F(Windows, AreOfTheirMinutesFivesAndHours) {
  const SubjectReport report = run(0, 12 * 60 + 23);
  // The open minute and five before it; of floors of growth, where each begins.
  EXPECT_NEAR(*report.slope_5m_per_second, slope_at(743 - 2.5), 1e-5 * slope_at(743));
  // The open five, of minute 740 on, and twelve before it.
  EXPECT_NEAR(*report.slope_1h_per_second, slope_at(740 - 30), 1e-5 * slope_at(740));
  // Seven closed hours, the last of them from minute 660 on.
  EXPECT_NEAR(*report.slope_6h_per_second, slope_at(660 - 180), 1e-5 * slope_at(660));
}

TEST_F(Windows, NeedThreeValuesAndHalfOfTheStretch) {
  EXPECT_FALSE(run(0, 1).slope_5m_per_second);
  EXPECT_TRUE(look(2).slope_5m_per_second);
  EXPECT_FALSE(run(3, 29).slope_1h_per_second) << "six of thirteen";
  EXPECT_TRUE(look(30).slope_1h_per_second);
  EXPECT_FALSE(run(31, 179).slope_6h_per_second);
  EXPECT_TRUE(look(180).slope_6h_per_second);
  EXPECT_FALSE(look(185).slope_5m_per_second) << "two of six";
  EXPECT_FALSE(look(186).slope_5m_per_second);
  EXPECT_TRUE(look(187).slope_5m_per_second);
}

TEST_F(Windows, OfTheRunningBootAlone) {
  run(0, 12 * 60);
  const SubjectReport report = look(12 * 60 + 1, kStart + 12 * kHourMs + 30'000);
  EXPECT_FALSE(report.slope_5m_per_second);
  EXPECT_FALSE(report.slope_1h_per_second);
  EXPECT_FALSE(report.slope_6h_per_second);
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

/// Two calm days, then hours of growth that would end the pool within a day, by the minute.
class SurgingPool : public testing::Test {
 protected:
  static constexpr int kCalmMinutes = 2 * 1440;
  /// MiB an hour: of the tags A and B, of C in another pool, and of the pool itself.
  void run(double a, double b, double c, double pool, int minutes) {
    for (int minute = 0; minute < kCalmMinutes + minutes; ++minute) {
      const double grown = std::max(0, minute - kCalmMinutes) / 60.0 * 1048576;
      Sample total;
      total.kind = Kind::kPool, total.pool = Pool::kNonpaged;
      total.amount = static_cast<std::uint64_t>(600e6 + pool * grown), total.limit = 1e9;
      Sample other = total;
      other.pool = Pool::kPaged, other.amount = 600'000'000;
      const std::vector<Sample> samples = {total, other, tag("A", 10e6 + a * grown), tag("B", 20e6 + b * grown),
                                           tag("C", 20e6 + c * grown, Pool::kPaged)};
      engine_.observe({kStart + minute * 60'000LL, kStart - 30 * kDayMs, samples});
    }
  }
  [[nodiscard]] double pace(Kind kind, Pool pool, std::string_view text) const {
    const auto report = engine_.find(kind, pool, text);
    return report->surge ? report->surge->pace_per_second * 3600 / 1048576 : 0;
  }
  [[nodiscard]] double pool_pace(Pool pool) const {
    const Exhaustion end = *engine_.find(Kind::kPool, pool, "")->exhaustion;
    EXPECT_NEAR(end.seconds, end.room / end.pace_per_second, 1e-6 * end.seconds);
    return end.pace_per_second * 3600 / 1048576;
  }
  TrendEngine engine_;
};

TEST_F(SurgingPool, GoesAtLeastAsFastAsAllItsSurgingTags) {
  run(50, 60, 70, 0, 7 * 60);
  const double a = pace(Kind::kTag, Pool::kNonpaged, "A"), b = pace(Kind::kTag, Pool::kNonpaged, "B");
  ASSERT_NEAR(a, 50, 1);
  ASSERT_NEAR(b, 60, 1);
  ASSERT_EQ(pace(Kind::kPool, Pool::kNonpaged, ""), 0) << "what grows was somewhere else before";
  EXPECT_NEAR(pool_pace(Pool::kNonpaged), a + b, 1e-4);
  EXPECT_NEAR(pool_pace(Pool::kPaged), pace(Kind::kTag, Pool::kPaged, "C"), 1e-4);
  // A tag ends with its pool.
  EXPECT_NEAR(engine_.find(Kind::kTag, Pool::kNonpaged, "A")->exhaustion->pace_per_second * 3600 / 1048576, a + b, 1e-4);
}

TEST_F(SurgingPool, AsFastAsItselfWhereThatIsMore) {
  run(40, 0, 0, 60, 4 * 60);
  ASSERT_NEAR(pace(Kind::kTag, Pool::kNonpaged, "A"), 40, 1);
  const double own = pace(Kind::kPool, Pool::kNonpaged, "");
  ASSERT_NEAR(own, 60, 1);
  EXPECT_NEAR(pool_pace(Pool::kNonpaged), own, 1e-4);
  EXPECT_EQ(engine_.find(Kind::kPool, Pool::kPaged, "")->exhaustion->pace_per_second, 0);
}

TEST_F(SurgingPool, AsFastAsItsTagsWhereBothSurge) {
  run(50, 40, 0, 60, 4 * 60);
  const double both = pace(Kind::kTag, Pool::kNonpaged, "A") + pace(Kind::kTag, Pool::kNonpaged, "B");
  ASSERT_NEAR(both, 90, 1);
  EXPECT_NEAR(pool_pace(Pool::kNonpaged), both, 1e-4);
  EXPECT_NEAR(pace(Kind::kPool, Pool::kNonpaged, ""), both, 1e-4) << "60 by itself";
}

/// A month of hours in which A leaks by 1 MB a day, then four hours by the minute in which B surges in the same pool.
class LeakAndSurge : public testing::Test {
 protected:
  static constexpr double kRoom = 600e6;
  /// `tight`: what a burst half a day ago left of the room, if there was one. `a_day`: of the leak.
  void run(std::optional<double> tight, double a_day = 1e6) {
    sim::Random random(5);
    for (int hour = 0; hour < kHours; ++hour) {
      const double day = hour / 24.0;
      look(hour * kHourMs, 1e6 * 100 * (1 + 0.002 * random.normal()) + a_day * day, 20e6,
           tight && hour == kHours - 8 ? *tight : kRoom);
    }
    for (int minute = 0; minute <= 4 * 60; ++minute) {
      const double surged = minute / 60.0 * kAnHour;
      look(kHours * kHourMs + minute * 60'000LL, 1e6 * 100 + a_day * kHours / 24.0, 20e6 + surged, kRoom - surged);
    }
  }
  [[nodiscard]] SubjectReport pool() const { return *engine_.find(Kind::kPool, Pool::kNonpaged, ""); }
  [[nodiscard]] SubjectReport commit() const { return *engine_.find(Kind::kCommit, {}, ""); }
  static constexpr double kAnHour = 90e6;
  TrendEngine engine_;

 private:
  static constexpr int kHours = 30 * 24;
  void look(std::int64_t after_ms, double a, double b, double left) {
    Sample pool;
    pool.kind = Kind::kPool, pool.pool = Pool::kNonpaged;
    pool.amount = static_cast<std::uint64_t>(500e6 + a + b), pool.bound = Bound::kCommitLimit;
    pool.limit = static_cast<double>(pool.amount) + left;
    Sample commit = pool;
    commit.kind = Kind::kCommit, commit.pool = {};
    commit.amount = static_cast<std::uint64_t>(3e9 + 1e7 * std::sin(static_cast<double>(after_ms) / kHourMs));
    commit.limit = static_cast<double>(commit.amount) + left;
    const std::vector<Sample> samples = {pool, commit, tag("A", a), tag("B", b)};
    engine_.observe({kStart + after_ms, kStart - 30 * kDayMs, samples});
  }
};

TEST_F(LeakAndSurge, WhatEndsFirstIsTold) {
  run(std::nullopt);
  ASSERT_EQ(report_of(engine_, "A").verdict, Verdict::kLeak);
  ASSERT_EQ(report_of(engine_, "B").verdict, Verdict::kSurge);
  const Exhaustion end = *pool().exhaustion;
  EXPECT_TRUE(end.of_now);
  EXPECT_NEAR(end.room, kRoom - 4 * kAnHour, 1e4);
  EXPECT_NEAR(end.pace_per_second * 3600, kAnHour, 0.02 * kAnHour);
  EXPECT_NEAR(end.seconds, 3600 * (kRoom - 4 * kAnHour) / kAnHour, 300);
  // Commit, which neither leaks nor surges by itself, does not outlast the pool that takes it.
  ASSERT_EQ(commit().verdict, Verdict::kOk);
  EXPECT_TRUE(commit().exhaustion->of_now);
  EXPECT_NEAR(commit().exhaustion->pace_per_second, end.pace_per_second, 0.02 * end.pace_per_second);
  EXPECT_LE(commit().exhaustion->seconds, end.seconds * (1 + 1e-6));
}

TEST_F(LeakAndSurge, TheLeakWhereTheDaysPeakLeftItAlmostNothing) {
  run(5e3);
  ASSERT_EQ(report_of(engine_, "A").verdict, Verdict::kLeak);
  ASSERT_EQ(report_of(engine_, "B").verdict, Verdict::kSurge);
  const Exhaustion end = *pool().exhaustion;
  EXPECT_FALSE(end.of_now);
  EXPECT_NEAR(end.room, 5e3, 100);
  EXPECT_NEAR(end.pace_per_second * kDay, 1e6, 0.1e6);
  EXPECT_FALSE(commit().exhaustion->of_now);
  EXPECT_LE(commit().exhaustion->seconds, end.seconds * (1 + 1e-6));
}

TEST_F(LeakAndSurge, ALeakThatSurgesStandsWithWhatHasHoursAndTheTagBeforeItsPool) {
  run(std::nullopt);
  std::vector<std::string> order;
  for (const SubjectReport& report : engine_.report(false))
    order.push_back(report.text + std::string(kind_name(report.kind)) + (report.surge ? " surges" : ""));
  ASSERT_EQ(order.size(), 3U);
  EXPECT_EQ(order[0], "Btag surges");
  EXPECT_EQ(order[1], "pool surges");
  EXPECT_EQ(order[2], "Atag");
  for (const Outline& outline : engine_.outlines()) {
    const SubjectReport report = *engine_.find(outline.kind, outline.pool, outline.text);
    EXPECT_EQ(outline.verdict, report.verdict);
    if (report.verdict == Verdict::kOk) continue;
    EXPECT_EQ(*outline.growth_per_second, report.growth_per_second()) << outline.text << kind_name(outline.kind);
  }
}

TEST(Reports, CommitGrowsAtLeastAsThePoolsThatAreChargedToIt) {
  TrendEngine engine;
  sim::Random random(5);
  for (int hour = 0; hour < 25 * 24; ++hour) {
    const double day = hour / 24.0;
    std::vector<Sample> samples(4);
    samples[0].kind = Kind::kCommit, samples[0].amount = 800'000'000, samples[0].limit = 2e9;
    for (const Pool pool : {Pool::kPaged, Pool::kNonpaged, Pool::kSlabUnreclaimable}) {
      Sample& total = samples[1 + (pool == Pool::kNonpaged) + 2 * (pool == Pool::kSlabUnreclaimable)];
      total.kind = Kind::kPool, total.pool = pool, total.amount = 300'000'000, total.limit = 900e6;
    }
    const auto noise = [&random] { return 1 + 0.002 * random.normal(); };
    samples.push_back(tag("A", 1e6 * (100 + day) * noise(), Pool::kPaged));
    samples.push_back(tag("B", 1e6 * (100 + 2 * day) * noise(), Pool::kNonpaged));
    samples.push_back(tag("C", 1e6 * (100 + 4 * day) * noise(), Pool::kSlabUnreclaimable));
    engine.observe({kStart + hour * kHourMs, std::nullopt, samples});
  }
  const double paged = engine.find(Kind::kPool, Pool::kPaged, "")->exhaustion->pace_per_second;
  const double nonpaged = engine.find(Kind::kPool, Pool::kNonpaged, "")->exhaustion->pace_per_second;
  ASSERT_NEAR(paged * kDay, 1e6, 0.1e6);
  ASSERT_NEAR(nonpaged * kDay, 2e6, 0.1e6);
  const Exhaustion end = *engine.find(Kind::kCommit, {}, "")->exhaustion;
  EXPECT_NEAR(end.pace_per_second, paged + nonpaged, 1e-6 * paged);
  EXPECT_NEAR(end.seconds, 1.2e9 / (paged + nonpaged), 1e-6 * end.seconds);
  EXPECT_LT(end.soonest_seconds, end.seconds);
  EXPECT_GT(end.latest_seconds, end.seconds);
  EXPECT_FALSE(end.of_now) << "nothing surges";
}

TEST(Reports, ATotalThatGrowsByOneOfItsPartsBeganWithIt) {
  TrendEngine engine;
  sim::Random random(7);
  for (int hour = 0; hour < 40 * 24; ++hour) {
    const double grown = 2e6 * std::max(0.0, hour / 24.0 - 14);
    const auto noise = [&random] { return 1 + 0.002 * random.normal(); };
    std::vector<Sample> samples(2);
    samples[0].kind = Kind::kPool, samples[0].pool = Pool::kPaged;
    samples[0].amount = static_cast<std::uint64_t>(500e6 * noise() + grown);
    samples[1].kind = Kind::kCommit, samples[1].amount = static_cast<std::uint64_t>(700e6 * noise() + grown);
    samples.push_back(tag("A", 50e6 * noise() + grown, Pool::kPaged));
    samples.push_back(tag("B", 50e6 * noise(), Pool::kPaged));
    engine.observe({kStart + hour * kHourMs, std::nullopt, samples});
  }
  const SubjectReport a = *engine.find(Kind::kTag, Pool::kPaged, "A");
  ASSERT_EQ(a.verdict, Verdict::kLeak);
  EXPECT_NEAR(static_cast<double>(*a.since - kStart) / kDayMs, 14, 2);
  for (const SubjectReport& total : {*engine.find(Kind::kPool, Pool::kPaged, ""), *engine.find(Kind::kCommit, {}, "")}) {
    ASSERT_EQ(total.verdict, Verdict::kLeak);
    EXPECT_EQ(total.since, a.since) << kind_name(total.kind);
  }
}

TEST(Reports, ASurgeOfWeeksIsALeak) {
  TrendEngine engine;
  sim::Random random(3);
  for (int hour = 0; hour < 56 * 24; ++hour) {
    const double day = hour / 24.0;
    Sample sample = tag("A", 40e6 + 10e6 * std::min(day, 28.0) + 5e6 * std::max(0.0, day - 28) + 1e5 * random.normal());
    sample.limit = 5e9;
    engine.observe({kStart + hour * kHourMs, std::nullopt, {&sample, 1}});
  }
  engine.settle();
  const SubjectReport report = report_of(engine, "A");
  ASSERT_EQ(report.verdict, Verdict::kLeak);
  EXPECT_GE(report.confidence, 0.5);
  EXPECT_FALSE(report.surge) << "it would not end soon";
  EXPECT_NEAR(report.credible_slope_per_second * kDay, 5e6, 0.3e6);
  EXPECT_NEAR(report.exhaustion->pace_per_second, report.credible_slope_per_second, 1e-9);
  ASSERT_TRUE(report.since && report.first_detected);
  EXPECT_NEAR(static_cast<double>(*report.since - kStart) / kDayMs, 0, 1);
  EXPECT_NEAR(static_cast<double>(*report.first_detected - kStart) / kDayMs, 11, 1) << "it stays one as it slows down";
  EXPECT_EQ(engine.outlines().at(0).verdict, Verdict::kLeak);
  EXPECT_EQ(*engine.outlines().at(0).growth_per_second, report.credible_slope_per_second);
}

TEST(Reports, TheRangeHoldsThePaceOfTheLastDaysWhereThatIsClearlyAnother) {
  for (const double times : {8.0, 2.0, 0.25, 1.0}) {
    for (const int ago : {2, 4, 6}) {
      TrendEngine engine;
      sim::Random random(9);
      double bytes = 0;
      for (int hour = 0; hour < 36 * 24; ++hour) {
        const bool is_late = hour >= (36 - ago) * 24;
        bytes = 60e6 + 30e6 * std::min(hour / 24.0, 36.0 - ago) + (is_late ? 30e6 * times * (hour / 24.0 - 36 + ago) : 0);
        Sample sample = tag("A", bytes + 3e5 * random.normal());
        sample.limit = 9e9;
        engine.observe({kStart + hour * kHourMs, std::nullopt, {&sample, 1}});
      }
      engine.settle();
      const Exhaustion end = report_of(engine, "A").exhaustion.value();
      const double truth = (9e9 - bytes) / (30e6 * times);
      EXPECT_LE(end.soonest_seconds / kDay, 1.02 * truth) << times << " times " << ago << " days ago";
      EXPECT_GE(end.latest_seconds / kDay, 0.98 * truth) << times << " times " << ago << " days ago";
      EXPECT_EQ(end.latest_seconds < 1.05 * end.soonest_seconds, times == 1) << "where it is none the range is narrow";
    }
  }
}

TEST(Reports, TheRangeHoldsAlsoThatWhatGrowsNowGoesOn) {
  for (const double an_hour : {0.0, 400e6}) {
    TrendEngine engine;
    const auto at = [&](double hour) {
      const Sample leak = tag("A", 100e6 + 2e5 * hour + an_hour * std::max(0.0, hour - 960));
      Sample pool = tag("", static_cast<double>(leak.amount) + 100e6);
      pool.kind = Kind::kPool, pool.limit = 4e9;
      const std::array<Sample, 2> samples = {pool, leak};
      engine.observe({kStart + std::llround(hour * kHourMs), kStart - 30 * kDayMs, samples});
    };
    for (int hour = 0; hour <= 960; ++hour) at(hour);
    for (int five = 1; five <= 12; ++five) at(960 + five / 12.0);
    const SubjectReport report = report_of(engine, "A");
    ASSERT_TRUE(report.verdict == Verdict::kLeak && report.exhaustion);
    EXPECT_NEAR(report.exhaustion->seconds / kDay, (4e9 - 392e6 - an_hour) / 4.8e6, 1) << "the pace of weeks";
    if (an_hour == 0) EXPECT_GT(report.exhaustion->soonest_seconds / kDay, 700);
    else EXPECT_NEAR(report.exhaustion->soonest_seconds / 3600, (4e9 - 792e6) / 400e6, 0.1);
  }
}

TEST(Reports, WhatTheLeakItselfExplainsIsNoSoonerEnd) {
  for (const double bump : {0.0, 1.6e6}) {  // over the last day and its leak: a twentieth of what is left
    TrendEngine engine;
    for (int hour = 0; hour <= 960; ++hour) {
      Sample sample = tag("A", 34e6 + 1e5 * hour + bump * std::max(0, hour - 944) / 16);
      sample.limit = 202e6;
      engine.observe({kStart + hour * kHourMs, kStart - 30 * kDayMs, {&sample, 1}});
    }
    const SubjectReport report = report_of(engine, "A");
    ASSERT_TRUE(report.verdict == Verdict::kLeak && report.exhaustion);
    EXPECT_NEAR(report.exhaustion->seconds / kDay, (202e6 - 130e6 - bump) / 2.4e6, 1.2);
    EXPECT_GT(report.exhaustion->soonest_seconds, 0.95 * report.exhaustion->seconds) << bump;
  }
}

TEST(Reports, TheBeginOfALeakStaysAsItEndsAndWhatItHoldsIsNamed) {
  TrendEngine engine;
  sim::Random random(5);
  std::optional<base::UnixMillis> since;
  for (int hour = 0; hour < 56 * 24; ++hour) {
    const double day = hour / 24.0, grown = 6e6 * std::clamp(day - 5, 0.0, 20.0) + 20e6 * std::max(0.0, day - 50);
    std::vector<Sample> samples = {tag("A", 60e6 + grown + 3e5 * random.normal()), tag("", 400e6 + grown)};
    samples[1].kind = Kind::kPool, samples[1].limit = 9e9;
    engine.observe({kStart + hour * kHourMs, std::nullopt, samples});
    if (hour % 24 != 0) continue;
    for (const SubjectReport& told : engine.report(false))
      EXPECT_GE(told.first_detected.value_or(engine.summary().time.value()), told.since.value()) << day << told.text;
    const SubjectReport leak = report_of(engine, "A");
    if (day >= 21 && day <= 50 && leak.verdict == Verdict::kLeak) {
      if (!since) since = leak.since;
      EXPECT_EQ(leak.since, since) << day;
    }
    const auto held = engine.readiness().largest;
    if (day < 38 || day > 50) continue;
    EXPECT_EQ(leak.verdict, Verdict::kOk) << day;
    ASSERT_TRUE(held && held->is_held()) << day;
    EXPECT_EQ(held->text, "A") << "not its pool";
    EXPECT_NEAR(held->amount, 120e6, 4e6) << day;
    EXPECT_NEAR(held->seconds / kDay, 20, 1.5) << day;
    EXPECT_NEAR(held->held_seconds / kDay, day - 25, 2) << day;
    EXPECT_EQ(growth_claim(*held), ", ended " + std::to_string(std::llround(held->held_seconds / kDay)) + " days ago");
    EXPECT_FALSE(held->is_told_first()) << "a fact, and no verdict";
  }
  ASSERT_TRUE(since);
  EXPECT_NEAR(static_cast<double>(*since - kStart) / kDayMs, 5, 1.5);
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
