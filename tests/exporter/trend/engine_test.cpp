#include "exporter/trend/engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "tests/exporter/trend/sim/generator.h"
#include "tests/exporter/trend/start.h"

namespace kmem::trend {
namespace {

constexpr double kMegabyte = 1e6;

Sample tag(std::string_view text, double bytes) {
  Sample sample;
  sample.pool = Pool::kNonpaged;
  sample.text = text;
  sample.amount = static_cast<std::uint64_t>(bytes);
  return sample;
}

/// Feeds hours [from, to) of bytes(day) as one tag, with noise of 0.3 %.
class Feed {
 public:
  explicit Feed(TrendEngine& engine) : engine_(engine) {}
  void run(int from_hour, int to_hour, const std::function<double(double)>& megabytes, std::int64_t clock_shift_ms = 0,
           std::int64_t boot_ms = kStart - 10 * kDayMs) {
    for (int hour = from_hour; hour < to_hour; ++hour) {
      const double bytes = kMegabyte * megabytes(hour / 24.0) * (1 + 0.003 * random_.normal());
      const std::vector<Sample> samples = {tag("Leak", bytes), tag("Calm", 5e6 * (1 + 0.003 * random_.normal()))};
      engine_.observe({kStart + hour * kHourMs + clock_shift_ms, boot_ms + clock_shift_ms, samples});
    }
  }

 private:
  TrendEngine& engine_;
  sim::Random random_{3};
};

SubjectReport leak_of(const TrendEngine& engine) { return *engine.find(Kind::kTag, Pool::kNonpaged, "Leak"); }
SubjectReport calm_of(const TrendEngine& engine) { return *engine.find(Kind::kTag, Pool::kNonpaged, "Calm"); }

double growing(double day) { return 100 + 2 * day; }
double flat(double) { return 100; }

TEST(Engine, KnowsNothingAtFirst) {
  const TrendEngine engine;
  EXPECT_FALSE(engine.summary().time);
  EXPECT_TRUE(engine.report(true).empty());
  EXPECT_FALSE(engine.find(Kind::kTag, Pool::kPaged, "None"));
}

// A list that was torn when it was read says nothing of what it does not name; a whole one says that it is gone.
TEST(Engine, WhatATornListDoesNotNameIsNotGone) {
  for (const bool is_torn : {true, false}) {
    TrendEngine engine;
    sim::Random random{3};
    for (int hour = 0; hour < 20 * 24; ++hour) {
      std::vector<Sample> samples = {tag("Calm", 5e6 * (1 + 0.003 * random.normal()))};
      const bool is_missing = hour % 5 == 4;
      if (!is_missing) samples.push_back(tag("Leak", kMegabyte * growing(hour / 24.0)));
      Observation seen{kStart + hour * kHourMs, kStart - 10 * kDayMs, samples};
      if (is_missing && is_torn) seen.gaps.add(Pool::kNonpaged);
      engine.observe(seen);
    }
    EXPECT_EQ(leak_of(engine).verdict == Verdict::kLeak, is_torn);
  }
}

TEST(Engine, FindsALeakAndSaysHowFastAndSinceWhen) {
  TrendEngine engine;
  Feed(engine).run(0, 20 * 24, growing);
  const SubjectReport leak = leak_of(engine);
  EXPECT_EQ(leak.verdict, Verdict::kLeak);
  EXPECT_GE(leak.confidence, 0.5);
  EXPECT_NEAR(leak.credible_slope_per_second * 86400, 2e6, 0.1e6);
  EXPECT_NEAR(*leak.slope_7d_per_second * 86400, 2e6, 0.2e6);
  EXPECT_NEAR(*leak.slope_28d_per_second * 86400, 2e6, 0.1e6);
  EXPECT_NEAR(*leak.slope_1d_per_second * 86400, 2e6, 0.5e6);
  ASSERT_TRUE(leak.first_detected);
  const double detected_day = static_cast<double>(*leak.first_detected - kStart) / kDayMs;
  EXPECT_GT(detected_day, 6.8);
  EXPECT_LT(detected_day, 9);
  EXPECT_NEAR(static_cast<double>(*leak.since - kStart) / kDayMs, 0, 2);
  EXPECT_EQ(calm_of(engine).verdict, Verdict::kOk);
  EXPECT_LT(calm_of(engine).confidence, 0.2);
  EXPECT_EQ(calm_of(engine).credible_slope_per_second, 0);
}

TEST(Engine, ReportsWorstFirstAndOkOnlyWhenAsked) {
  TrendEngine engine;
  Feed(engine).run(0, 20 * 24, growing);
  ASSERT_EQ(engine.report(false).size(), 1U);
  EXPECT_EQ(engine.report(false)[0].text, "Leak");
  ASSERT_EQ(engine.report(true).size(), 2U);
  EXPECT_EQ(engine.report(true)[1].text, "Calm");
}

TEST(Engine, WatchesBeforeItCallsItALeak) {
  TrendEngine engine;
  Feed(engine).run(0, 7 * 24, growing);
  EXPECT_EQ(leak_of(engine).verdict, Verdict::kWatch);
  EXPECT_FALSE(leak_of(engine).first_detected);
  EXPECT_LT(leak_of(engine).confidence, 0.5);
}

TEST(Engine, LeakEndsOnlyAfterAWeekWithoutGrowthAndIsRemembered) {
  TrendEngine engine;
  Feed feed(engine);
  feed.run(0, 20 * 24, growing);
  feed.run(20 * 24, 24 * 24, [](double) { return growing(20); });
  EXPECT_EQ(leak_of(engine).verdict, Verdict::kLeak);
  feed.run(24 * 24, 45 * 24, [](double) { return growing(20); });
  EXPECT_EQ(leak_of(engine).verdict, Verdict::kOk);
  EXPECT_TRUE(leak_of(engine).first_detected);
}

TEST(Engine, SamplingIntervalDoesNotChangeTheVerdict) {
  for (const std::int64_t minutes : {10, 60, 360}) {
    TrendEngine engine;
    sim::Random random(5);
    for (std::int64_t at = 0; at < 20 * kDayMs; at += minutes * 60'000) {
      const double day = static_cast<double>(at) / kDayMs;
      const Sample sample = tag("Leak", kMegabyte * growing(day) * (1 + 0.003 * random.normal()));
      engine.observe({kStart + at, kStart - kDayMs, {&sample, 1}});
    }
    EXPECT_EQ(leak_of(engine).verdict, Verdict::kLeak) << minutes;
  }
}

TEST(Engine, ClockThatJumpsAndComesBackDoesNoHarm) {
  TrendEngine engine;
  Feed feed(engine);
  feed.run(0, 5 * 24, growing);
  feed.run(5 * 24, 6 * 24, growing, 400 * kDayMs);
  feed.run(6 * 24, 7 * 24, growing, -200 * kDayMs);
  feed.run(7 * 24, 20 * 24, growing);
  EXPECT_EQ(leak_of(engine).verdict, Verdict::kLeak);
  EXPECT_NEAR(leak_of(engine).credible_slope_per_second * 86400, 2e6, 0.1e6);
  EXPECT_EQ(calm_of(engine).verdict, Verdict::kOk);
  EXPECT_EQ(engine.summary().clock_jumps_total, 3U);
  EXPECT_EQ(engine.summary().boots, 1U);
}

TEST(Engine, LeakClearedByWeeklyRebootsIsFound) {
  TrendEngine engine;
  Feed feed(engine);
  for (int week = 0; week < 8; ++week) {
    const int hour = week * 7 * 24;
    feed.run(
        hour, hour + 7 * 24, [week](double day) { return 100 + 2 * (day - 7 * week); }, 0, kStart + hour * kHourMs);
  }
  EXPECT_EQ(engine.summary().boots, 8U);
  EXPECT_EQ(leak_of(engine).verdict, Verdict::kLeak);
  EXPECT_NEAR(leak_of(engine).credible_slope_per_second * 86400, 2e6, 0.4e6);
  EXPECT_EQ(calm_of(engine).verdict, Verdict::kOk);
}

TEST(Engine, SinceNeverLiesAfterFirstDetected) {
  TrendEngine engine;
  Feed feed(engine);
  feed.run(0, 25 * 24, growing);
  ASSERT_TRUE(leak_of(engine).first_detected);
  const base::UnixMillis detected = *leak_of(engine).first_detected;
  for (int day = 25; day < 50; ++day) {  // a reboot, and the leak goes on from little
    feed.run(
        day * 24, (day + 1) * 24, [](double now) { return 60 + 2 * (now - 25); }, 0, kStart + 25 * kDayMs);
    const SubjectReport leak = leak_of(engine);
    EXPECT_EQ(leak.verdict, Verdict::kLeak) << day;
    EXPECT_EQ(leak.first_detected, detected) << day;
    ASSERT_TRUE(leak.since) << day;
    EXPECT_LE(*leak.since, detected) << day;
    EXPECT_NEAR(static_cast<double>(*leak.since - kStart) / kDayMs, 0, 3) << day;
  }
}

TEST(Engine, ALeakThatComesAgainIsAnother) {
  TrendEngine engine;
  Feed feed(engine);
  feed.run(0, 20 * 24, growing);
  const base::UnixMillis first = *leak_of(engine).first_detected;
  feed.run(20 * 24, 45 * 24, [](double) { return growing(20); });
  ASSERT_EQ(leak_of(engine).verdict, Verdict::kOk);
  feed.run(45 * 24, 75 * 24, [](double day) { return growing(20) + 3 * (day - 45); });
  const SubjectReport again = leak_of(engine);
  ASSERT_EQ(again.verdict, Verdict::kLeak);
  ASSERT_TRUE(again.first_detected && again.since);
  EXPECT_GT(*again.first_detected, first + 25 * kDayMs);
  EXPECT_LE(*again.since, *again.first_detected);
}

TEST(Engine, GapIsNoEvidence) {
  TrendEngine engine;
  Feed feed(engine);
  feed.run(0, 3 * 24, flat);
  feed.run(10 * 24, 20 * 24, [](double) { return 150; });  // a step while nobody looked
  EXPECT_NE(leak_of(engine).verdict, Verdict::kLeak);
  EXPECT_FALSE(leak_of(engine).first_detected);
}

TEST(Engine, AbsentTagHoldsNothingWhereItsPoolWasListed) {
  TrendEngine engine;
  const std::vector<Sample> both = {tag("A", 1000), tag("B", 2000)};
  engine.observe({kStart, std::nullopt, both});
  engine.observe({kStart + 60'000, std::nullopt, {both.data(), 1}});
  EXPECT_EQ(engine.find(Kind::kTag, Pool::kNonpaged, "B")->last_amount, 0);
  engine.observe({kStart + 120'000, std::nullopt, {}});  // the part failed
  EXPECT_EQ(engine.find(Kind::kTag, Pool::kNonpaged, "A")->last_amount, 1000);
}

TEST(Engine, DailyCourseHasTheLowestOfEachDay) {
  TrendEngine engine;
  for (int hour = 0; hour < 49; ++hour) {
    const Sample sample = tag("A", 1000 + hour % 24 + (hour < 24 ? 0 : 500));
    engine.observe({kStart + hour * kHourMs, std::nullopt, {&sample, 1}});
  }
  const auto course = engine.daily_course(Kind::kTag, Pool::kNonpaged, "A");
  EXPECT_EQ(course[kHistoryDays - 1], 1500);
  EXPECT_EQ(course[kHistoryDays - 2], 1000);
  EXPECT_TRUE(std::isnan(course[kHistoryDays - 3]));
}

TEST(Engine, FullTableForgetsTheLongestAbsentThenTheSmallest) {
  TrendEngine engine({.max_subjects = 2});
  const std::vector<Sample> first = {tag("A", 1000), tag("B", 9000)};
  engine.observe({kStart, std::nullopt, first});
  std::vector<Sample> next = {tag("B", 9000), tag("C", 1500)};
  engine.observe({kStart + 60'000, std::nullopt, {&next[0], 1}});
  engine.observe({kStart + kHourMs, std::nullopt, next});  // A is gone: C takes its place
  EXPECT_FALSE(engine.find(Kind::kTag, Pool::kNonpaged, "A"));
  EXPECT_TRUE(engine.find(Kind::kTag, Pool::kNonpaged, "C"));
  next.push_back(tag("D", 2000));  // not twice the smallest
  engine.observe({kStart + 2 * kHourMs, std::nullopt, next});
  EXPECT_FALSE(engine.find(Kind::kTag, Pool::kNonpaged, "D"));
  EXPECT_EQ(engine.summary().refused_total, 1U);
  next.back() = tag("E", 4000);
  engine.observe({kStart + 3 * kHourMs, std::nullopt, next});
  EXPECT_TRUE(engine.find(Kind::kTag, Pool::kNonpaged, "E"));
  EXPECT_TRUE(engine.find(Kind::kTag, Pool::kNonpaged, "B"));
  EXPECT_EQ(engine.summary().subjects, 2U);
  EXPECT_EQ(engine.summary().forgotten_total, 2U);
}

TEST(Engine, FullTableKeepsTotalsAndLetsHandlesGoFirst) {
  TrendEngine engine({.max_subjects = 5});
  std::vector<Sample> subjects(4);
  constexpr std::array kKinds = {Kind::kPool, Kind::kSystemPtes, Kind::kCommit, Kind::kHandles};
  for (std::size_t i = 0; i < kKinds.size(); ++i) subjects[i].kind = kKinds[i], subjects[i].amount = 2000;
  subjects[3].text = "process (1)";
  for (const Sample& more : {tag("A", 3000), tag("B", 9000)}) subjects.push_back(more);
  engine.observe({kStart, std::nullopt, subjects});
  EXPECT_EQ(engine.summary().refused_total, 0U);
  EXPECT_FALSE(engine.find(Kind::kHandles, Pool::kPaged, "process (1)"));
  subjects.erase(subjects.begin() + 3);
  subjects.push_back(tag("C", 20'000));
  engine.observe({kStart + kHourMs, std::nullopt, subjects});
  EXPECT_FALSE(engine.find(Kind::kTag, Pool::kNonpaged, "A"));
  EXPECT_TRUE(engine.find(Kind::kTag, Pool::kNonpaged, "B"));
  EXPECT_TRUE(engine.find(Kind::kTag, Pool::kNonpaged, "C"));
  for (const Kind kind : {Kind::kPool, Kind::kSystemPtes, Kind::kCommit})
    EXPECT_TRUE(engine.find(kind, subjects[0].pool, {})) << static_cast<int>(kind);
}

TEST(Engine, TooLongATextIsRefused) {
  TrendEngine engine;
  const std::string text(TrendEngine::kMaxTextBytes + 1, 'x');
  const Sample sample = tag(text, 1);
  engine.observe({kStart, std::nullopt, {&sample, 1}});
  EXPECT_EQ(engine.summary().subjects, 0U);
  EXPECT_EQ(engine.summary().refused_total, 1U);
}

std::vector<Sample> resources(double day, double noise) {
  Sample pool, ptes, commit, handles;
  pool.kind = Kind::kPool;
  pool.pool = Pool::kNonpaged;
  pool.amount = static_cast<std::uint64_t>((500 + 2 * day) * kMegabyte * (1 + noise));
  pool.limit = 640 * kMegabyte;
  ptes.kind = Kind::kSystemPtes;
  ptes.amount = static_cast<std::uint64_t>(200'000 - 3000 * day + 300 * noise);
  ptes.limit = 20'000;
  commit.kind = Kind::kCommit;
  commit.amount = static_cast<std::uint64_t>(4e9 * (1 + noise));
  commit.limit = 8e9;
  handles.kind = Kind::kHandles;
  handles.text = "lsass.exe";
  handles.amount = static_cast<std::uint64_t>(5000 + 100 * day + 30 * noise);
  return {pool, ptes, commit, handles, tag("Leak", (100 + 2 * day) * kMegabyte * (1 + noise))};
}

TEST(Engine, SaysWhenResourcesRunOut) {
  TrendEngine engine;
  sim::Random random(9);
  for (int hour = 0; hour <= 20 * 24; ++hour) {
    engine.observe({kStart + hour * kHourMs, std::nullopt, resources(hour / 24.0, 0.002 * random.normal())});
  }
  const SubjectReport pool = *engine.find(Kind::kPool, Pool::kNonpaged, "");
  EXPECT_EQ(pool.verdict, Verdict::kLeak);
  EXPECT_NEAR(pool.exhaustion->seconds / 86400, (640 - 540) / 2, 5);
  EXPECT_LT(pool.exhaustion->soonest_seconds, pool.exhaustion->seconds);
  EXPECT_GT(pool.exhaustion->latest_seconds, pool.exhaustion->seconds);
  EXPECT_NEAR(leak_of(engine).exhaustion->seconds / 86400, (640 - 540) / 2, 5);  // its pool's room
  const SubjectReport ptes = *engine.find(Kind::kSystemPtes, Pool::kPaged, "");
  EXPECT_EQ(ptes.verdict, Verdict::kLeak);
  EXPECT_NEAR(ptes.credible_slope_per_second * 86400, 3000, 100);
  EXPECT_NEAR(ptes.exhaustion->seconds / 86400, (200'000 - 60'000 - 20'000) / 3000.0, 3);
  EXPECT_NEAR(ptes.last_amount, 140'000, 10);
  const SubjectReport commit = *engine.find(Kind::kCommit, Pool::kPaged, "");
  EXPECT_EQ(commit.verdict, Verdict::kOk);
  // The pool that leaks is charged to it.
  EXPECT_NEAR(commit.exhaustion->pace_per_second, pool.exhaustion->pace_per_second, 1e-6 * pool.exhaustion->pace_per_second);
  const SubjectReport handles = *engine.find(Kind::kHandles, Pool::kPaged, "lsass.exe");
  EXPECT_EQ(handles.verdict, Verdict::kLeak);
  EXPECT_FALSE(handles.exhaustion);
}

TEST(Engine, FollowsOutstandingAllocations) {
  TrendEngine engine;
  for (int hour = 0; hour <= 20 * 24; ++hour) {
    Sample sample = tag("Leak", 1e8);
    sample.outstanding = static_cast<std::uint64_t>(1000 + 10 * hour);
    engine.observe({kStart + hour * kHourMs, std::nullopt, {&sample, 1}});
  }
  EXPECT_NEAR(*leak_of(engine).outstanding_per_day, 240, 3);
}

void expect_same(const TrendEngine& a, const TrendEngine& b) {
  const std::vector<SubjectReport> first = a.report(true), second = b.report(true);
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].text, second[i].text);
    EXPECT_EQ(first[i].verdict, second[i].verdict);
    EXPECT_EQ(first[i].confidence, second[i].confidence);
    EXPECT_EQ(first[i].credible_slope_per_second, second[i].credible_slope_per_second);
    EXPECT_EQ(first[i].slope_1d_per_second, second[i].slope_1d_per_second);
    EXPECT_EQ(first[i].slope_28d_per_second, second[i].slope_28d_per_second);
    EXPECT_EQ(first[i].first_detected, second[i].first_detected);
    EXPECT_EQ(first[i].since, second[i].since);
  }
}

TEST(EngineState, RestartChangesNothing) {
  TrendEngine steady, stopped;
  Feed(steady).run(0, 20 * 24, growing);
  Feed feed(stopped);
  feed.run(0, 7 * 24 + 5, growing);
  TrendEngine restarted;
  ASSERT_TRUE(restarted.load(stopped.save()).ok());
  expect_same(stopped, restarted);
  EXPECT_EQ(restarted.save(), stopped.save());
  // The same noise goes on in the other two.
  Feed quiet_feed(restarted);
  TrendEngine twin;
  ASSERT_TRUE(twin.load(stopped.save()).ok());
  Feed(twin).run(7 * 24 + 5, 20 * 24, growing);
  quiet_feed.run(7 * 24 + 5, 20 * 24, growing);
  expect_same(twin, restarted);
  EXPECT_EQ(leak_of(restarted).verdict, Verdict::kLeak);
}

TEST(Engine, TheCourseIsTheHistoryItselfAndKnowsItsDates) {
  TrendEngine engine;
  for (int hour = 0; hour < 10 * 24; ++hour) {
    Sample ptes;
    ptes.kind = Kind::kSystemPtes;
    ptes.amount = 50'000 - static_cast<std::uint64_t>(hour);
    Sample leak = tag("Leak", 1e6 + 1000 * hour);
    leak.outstanding = 40 + static_cast<std::uint64_t>(hour);
    const std::vector<Sample> samples = {leak, ptes};
    engine.observe({kStart + hour * kHourMs, kStart - kDayMs, samples});
  }
  EXPECT_FALSE(engine.course(Kind::kTag, Pool::kPaged, "Leak"));
  const auto course = engine.course(Kind::kTag, Pool::kNonpaged, "Leak");
  ASSERT_TRUE(course);
  // The last observation is of hour 239, so that the newest closed bucket is of hours 232 to 235.
  EXPECT_EQ(course->floors.back(), 1e6F + 232'000);
  EXPECT_EQ(course->outstanding.back(), 272);
  EXPECT_EQ(course->recent.back(), 1e6F + 238'000);
  EXPECT_EQ(course->floors_start + kCoarseBuckets * kCoarseMs, kStart + 236 * kHourMs);
  EXPECT_EQ(course->recent_start + static_cast<std::int64_t>(kFineBuckets) * kHourMs, kStart + 239 * kHourMs);
  EXPECT_TRUE(std::isnan(course->floors[0]));
  EXPECT_EQ(course->floors[kCoarseBuckets - 59], 1e6F);
  EXPECT_EQ(engine.course(Kind::kSystemPtes, {}, {})->recent.back(), 50'000 - 238);
  EXPECT_EQ(engine.boot_times(), std::vector<base::UnixMillis>{kStart - kDayMs});
}

TEST(Engine, OutlinesSayWhatTheReportsSay) {
  TrendEngine engine;
  EXPECT_TRUE(engine.outlines().empty());
  Feed feed(engine);
  // Again and again: what was worked out for one moment is not said at the next.
  int from = 0;
  for (const int hours : {9 * 24, 9 * 24 + 3, 9 * 24 + 8, 12 * 24, 40 * 24}) {
    feed.run(std::exchange(from, hours), hours, growing);
    for (int look = 0; look < 2; ++look) {
      std::size_t leaks = 0;
      for (const Outline& outline : engine.outlines()) {
        const auto report = engine.find(outline.kind, outline.pool, outline.text);
        ASSERT_TRUE(report);
        EXPECT_EQ(outline.verdict, report->verdict);
        EXPECT_EQ(outline.last_amount, report->last_amount);
        const bool ok = report->verdict == Verdict::kOk;
        leaks += ok ? 0 : 1;
        EXPECT_EQ(outline.growth_per_second, ok ? report->slope_7d_per_second : report->credible_slope_per_second);
      }
      EXPECT_EQ(leaks, 1U);
    }
  }
}

TEST(Engine, AGapIsNoHistory) {
  TrendEngine engine;
  base::UnixMillis at = kStart;
  // 10 s, then a clock that is set four times by two weeks and more, 10 s after each.
  for (int jump = 0; jump < 5; ++jump, at += 20 * kDayMs) {
    for (int second = 0; second <= 10; ++second, at += 1'000) {
      const Sample sample = tag("Leak", kMegabyte);
      engine.observe({at, std::nullopt, {&sample, 1}});
      EXPECT_EQ(engine.summary().gap_seconds > 0, jump > 0 && second == 0);
    }
  }
  EXPECT_EQ(engine.summary().history_seconds, 50);
  TrendEngine again;
  ASSERT_TRUE(again.load(engine.save()).ok());
  EXPECT_EQ(again.summary().history_seconds, 50) << "buckets of 4 hours hold a few seconds each";
}

TEST(Engine, HistoryThatFellOutOfTheRingsIsNoHistory) {
  TrendEngine engine;
  Feed feed(engine);
  feed.run(0, 30 * 24, flat);
  EXPECT_NEAR(engine.summary().history_seconds, 30 * 86'400, 7200);
  feed.run(44 * 24, 50 * 24, flat);
  EXPECT_NEAR(engine.summary().history_seconds, 36 * 86'400, 7200) << "two weeks in which nobody watched";
  feed.run(50 * 24, 100 * 24, flat);
  EXPECT_NEAR(engine.summary().history_seconds, 56 * 86'400, 7200);
}

TEST(EngineState, NamesOfEveryScriptAreTakenUpAndNoOtherBytes) {
  const auto loads = [](const std::string& name) {
    TrendEngine engine;
    const Sample sample{Kind::kHandles, {}, name, 100, {}, {}};
    engine.observe({kStart, kStart - kDayMs, {&sample, 1}});
    return TrendEngine().load(engine.save()).ok();
  };
  for (const char* good :
       {"svchost.exe (4)", "gr\xC3\xBC\xC3\x9F.exe (7)", "\xE6\x97\xA5\xE6\x9C\xAC (9)", "\xF0\x9F\x98\x80", ""})
    EXPECT_TRUE(loads(good)) << good;
  for (const char* bad : {"\xFF", "\xC3", "a\x01", "\x7F", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE0\x80\x80"})
    EXPECT_FALSE(loads(bad)) << bad;
}

TEST(Engine, CountsNearTheEndOf64BitsAreKept) {
  TrendEngine engine;
  for (int hour = 0; hour < 12; ++hour) {
    Sample sample = tag("Leak", kMegabyte);
    sample.amount = UINT64_MAX;
    sample.outstanding = UINT64_MAX - 1;
    engine.observe({kStart + hour * kHourMs, kStart - kDayMs, {&sample, 1}});
  }
  const auto course = engine.course(Kind::kTag, Pool::kNonpaged, "Leak");
  ASSERT_TRUE(course);
  EXPECT_GT(course->outstanding.back(), 1e12F);
}

TEST(EngineState, AnotherHostsStateIsRefused) {
  TrendEngine here({.host_identity = "here"}), there({.host_identity = "there"});
  Feed(here).run(0, 48, growing);
  const base::Result<void> loaded = there.load(here.save());
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, base::ErrorCode::kInvalid);
  EXPECT_EQ(there.summary().subjects, 0U);
}

TEST(EngineState, DamagedStateIsRefusedAndChangesNothing) {
  TrendEngine engine, victim;
  Feed(engine).run(0, 48, growing);
  Feed(victim).run(0, 24, flat);
  const std::string good = engine.save(), before = victim.save();
  for (std::size_t length = 0; length < good.size(); length += 7) {
    EXPECT_FALSE(victim.load(std::string_view(good).substr(0, length)).ok()) << length;
  }
  EXPECT_FALSE(victim.load(good + "x").ok());
  EXPECT_EQ(victim.save(), before);
}

TEST(EngineState, AnyByteOffDoesNotCrash) {
  TrendEngine engine;
  Feed(engine).run(0, 30, growing);
  const std::string good = engine.save();
  for (std::size_t at = 0; at < good.size(); at += at < 300 ? 1 : 37) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x81);
    TrendEngine other;
    if (!other.load(bad).ok()) continue;
    Feed(other).run(30, 40, growing);
    EXPECT_LE(other.summary().subjects, 4U);
  }
}

TEST(EngineState, OtherVersionIsUnsupported) {
  TrendEngine engine;
  std::string payload = engine.save();
  payload[0] = 99;
  EXPECT_EQ(engine.load(payload).error().code, base::ErrorCode::kUnsupported);
}

TEST(EngineState, EmptyStateLoads) {
  TrendEngine engine;
  EXPECT_TRUE(engine.load(TrendEngine().save()).ok());
}

}  // namespace
}  // namespace kmem::trend
