// Whether silence means anything: what the history suffices for, and what it lacks.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "exporter/trend/engine.h"

namespace kmem::trend {
namespace {

constexpr std::int64_t kReadingsStart = 1'767'225'600'000;
constexpr std::int64_t kLongUp = kReadingsStart - 30 * kDayMs;

/// One reading: a tag that holds so much, and a reclaimable cache that holds a hundred times that.
void look(TrendEngine& engine, double hour, double megabytes = 100, std::int64_t boot_ms = kLongUp) {
  Sample leak, cache;
  leak.pool = Pool::kNonpaged;
  leak.text = "Leak";
  leak.amount = static_cast<std::uint64_t>(megabytes * 1e6);
  cache.pool = Pool::kSlabReclaimable;
  cache.text = "dentry";
  cache.amount = 100 * leak.amount;
  const std::vector<Sample> samples = {leak, cache};
  engine.observe({kReadingsStart + std::llround(hour * kHourMs), boot_ms, samples});
}
Readiness after(double hours, double every = 1) {
  TrendEngine engine;
  for (double hour = 0; hour <= hours; hour += every) look(engine, hour);
  return engine.readiness();
}

TEST(Readiness, NothingSeenLacksAWeek) {
  const Readiness none = TrendEngine().readiness();
  EXPECT_FALSE(none.judged);
  EXPECT_EQ(none.days_lacking, 7);
  EXPECT_EQ(readiness_words(none), "telling a leak takes 7 more days of readings");
}

TEST(Readiness, CountsDownInDaysAndThenInHours) {
  EXPECT_EQ(readiness_words(after(0)), "telling a leak takes 7 more days of readings");
  EXPECT_EQ(readiness_words(after(3 * 24)), "telling a leak takes 4 more days of readings");
  EXPECT_EQ(readiness_words(after(6 * 24)), "telling a leak takes 24 more hours of readings");
  EXPECT_EQ(readiness_words(after(7 * 24 - 1)), "telling a leak takes 4 more hours of readings");
  const Readiness week = after(7 * 24);
  EXPECT_TRUE(week.judged);
  EXPECT_EQ(week.days_lacking, 0);
  EXPECT_EQ(readiness_words(week), "");
  EXPECT_FALSE(week.largest);
}

TEST(Readiness, FewReadingsLackInNumber) {
  EXPECT_FALSE(after(14 * 24, 7 * 24).judged);
  EXPECT_EQ(readiness_words(after(14 * 24, 7 * 24)), "telling a leak takes readings on 6 days, there are 3");
  EXPECT_TRUE(after(5 * 7 * 24 + 1, 7 * 24).judged);
  EXPECT_TRUE(after(9 * 24, 24).judged);
}

TEST(Readiness, TheDayAfterABootSaysNothing) {
  TrendEngine engine;
  for (int hour = 0; hour <= 24; ++hour) look(engine, hour, 100, kReadingsStart);
  EXPECT_EQ(engine.readiness().days, 0);
  EXPECT_EQ(readiness_words(engine.readiness()), "telling a leak takes 7 more days of readings");
  for (int hour = 25; hour <= 7 * 24; ++hour) look(engine, hour, 100, kReadingsStart);
  EXPECT_FALSE(engine.readiness().judged);
  for (int hour = 7 * 24 + 1; hour <= 8 * 24; ++hour) look(engine, hour, 100, kReadingsStart);
  EXPECT_TRUE(engine.readiness().judged);
}

TEST(Readiness, WhatAnEarlierBootHasShownStays) {
  TrendEngine engine;
  for (int hour = 0; hour <= 10 * 24; ++hour) look(engine, hour);
  for (int hour = 10 * 24 + 1; hour <= 11 * 24; ++hour) look(engine, hour, 100, kReadingsStart + 10 * kDayMs + kHourMs / 2);
  EXPECT_TRUE(engine.readiness().judged);
}

TEST(Readiness, ShortBootsSufficeTogether) {
  TrendEngine engine;
  const auto up_to = [&](int from_day, int to_day) {
    for (int hour = from_day * 24; hour < to_day * 24; ++hour)
      look(engine, hour, 100, kReadingsStart + hour / (6 * 24) * 6 * kDayMs);
  };
  up_to(0, 30);
  EXPECT_FALSE(engine.readiness().judged) << "five boots of six days, of which one does not count: 25 days";
  up_to(30, 36);
  EXPECT_TRUE(engine.readiness().judged);
}

TEST(Readiness, NamesWhatGrewMostOfWhatMayLeak) {
  TrendEngine engine;
  for (int hour = 0; hour <= 72; ++hour) look(engine, hour, 100 + hour);
  const Readiness young = engine.readiness();
  ASSERT_TRUE(young.largest);
  EXPECT_EQ(young.largest->text, "Leak");
  EXPECT_EQ(young.largest->pool, Pool::kNonpaged);
  EXPECT_NEAR(young.largest->amount, 52e6, 100);  // the lowest of the last 24 hours, to the bucket, over the first reading
  EXPECT_NEAR(young.largest->seconds, 72 * 3600, 1);
}

TEST(Readiness, ADailyCycleIsNoGrowth) {
  TrendEngine engine;
  for (int hour = 0; hour <= 66; ++hour) look(engine, hour, 100 + 20 * std::sin(hour * 3.14159265 / 12));
  EXPECT_FALSE(engine.readiness().largest && engine.readiness().largest->amount > 1e6);
}

TEST(Readiness, WhatGrewFastIsNamedThoughTheWeekIsOver) {
  TrendEngine engine;
  for (int day = 0; day <= 8; ++day) look(engine, day * 24, 100 + 20.0 * day);
  EXPECT_TRUE(engine.readiness().judged);
  const SubjectReport leak = *engine.find(Kind::kTag, Pool::kNonpaged, "Leak");
  EXPECT_TRUE(leak.verdict != Verdict::kOk || engine.readiness().largest) << "either way it is told";
}

TEST(Readiness, OfAJudgedHostTheNewTagsAreNamed) {
  TrendEngine engine;
  for (int hour = 0; hour <= 40 * 24; ++hour) {
    Sample old, late;
    old.text = "Old ", late.text = "Late";
    old.amount = 50'000'000;
    late.amount = 300'000'000;
    std::vector<Sample> samples = {old};
    if (hour > 38 * 24) samples.push_back(late);
    engine.observe({kReadingsStart + hour * kHourMs, kLongUp, samples});
  }
  const Readiness readiness = engine.readiness();
  EXPECT_TRUE(readiness.judged);
  ASSERT_TRUE(readiness.largest);
  EXPECT_EQ(readiness.largest->text, "Late");
  EXPECT_NEAR(readiness.largest->amount, 300e6, 100) << "it held nothing before";
}

TEST(Readiness, WhatGrewIsNamedForTwoWeeksAndTenDaysOfReadings) {
  const auto named_after = [](int days, int every_days) {
    TrendEngine engine;
    for (int hour = 0; hour <= days * 24; hour += every_days == 1 ? 1 : 24 * every_days)
      look(engine, hour, 100 + hour / 2400.0);
    EXPECT_TRUE(engine.readiness().judged);
    EXPECT_EQ(engine.find(Kind::kTag, Pool::kNonpaged, "Leak")->verdict, Verdict::kOk) << "too little to matter";
    return engine.readiness().largest.has_value();
  };
  EXPECT_TRUE(named_after(8, 1));
  EXPECT_TRUE(named_after(13, 1));
  EXPECT_FALSE(named_after(15, 1));
  EXPECT_TRUE(named_after(16, 2)) << "eight readings";
  EXPECT_FALSE(named_after(24, 2)) << "twelve";
}

TEST(Readiness, WithinTheFirstHoursGrowthIsOverTheirLowest) {
  TrendEngine engine;
  for (const int hour : {1, 2, 3}) look(engine, hour, 100 + hour);
  const Readiness::Growth growth = engine.readiness().largest.value();
  EXPECT_NEAR(growth.amount, 2e6, 100);
  EXPECT_EQ(growth.seconds, 2 * 3600) << "from the first reading on, not from the begin of its four hours";
  for (int hour = 4; hour <= 49; ++hour) look(engine, hour, 100 + hour);
  EXPECT_EQ(engine.readiness().largest->seconds, 48 * 3600);
}

TEST(Readiness, ATotalIsNamedByTheTagThatMakesUpHalfOfIt) {
  for (const double share : {0.4, 0.6}) {
    TrendEngine engine;
    for (int hour = 0; hour <= 48; ++hour) {
      Sample pool, part;
      pool.kind = Kind::kPool, pool.pool = part.pool = Pool::kNonpaged, part.text = "Part";
      pool.amount = 900'000'000 + 1'000'000U * static_cast<unsigned>(hour);
      part.amount = 100'000'000 + static_cast<std::uint64_t>(share * 1e6 * hour);
      const std::vector<Sample> samples = {pool, part};
      engine.observe({kReadingsStart + hour * kHourMs, kLongUp, samples});
    }
    EXPECT_EQ(engine.readiness().largest->kind, share < 0.5 ? Kind::kPool : Kind::kTag);
  }
}

TEST(Readiness, WhatHasAVerdictIsToldByThat) {
  TrendEngine engine;
  for (int hour = 0; hour <= 11 * 24; ++hour) look(engine, hour, 100 + hour / 12.0);
  ASSERT_NE(engine.find(Kind::kTag, Pool::kNonpaged, "Leak")->verdict, Verdict::kOk);
  EXPECT_FALSE(engine.readiness().largest);
}

TEST(Readiness, NothingThatGrowsIsNotNamed) { EXPECT_FALSE(after(48).largest); }

}  // namespace
}  // namespace kmem::trend
