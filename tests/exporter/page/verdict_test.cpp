#include "exporter/page/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/exporter/page/views.h"

namespace kmem::page {
namespace {

using test::calm_view;
using test::kDayMs;
using test::kNow;
using test::leak_of;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Verdict, NamesTagDriverGrowthBeginAndEnd) {
  View view = calm_view();
  view.leaks = {leak_of(Pool::kNonpaged, "Thre")};
  view.leaks[0].drivers = {{"xyz.sys", "", "image_scan"}};
  view.leak_count = 1;
  const Verdict verdict = judge(view);
  EXPECT_EQ(verdict.state, Verdict::State::kLeak);
  EXPECT_EQ(verdict.headline,
            "Leak: tag Thre (nonpaged), driver xyz.sys, +3.10 MiB/day since 4 Nov, limit reached in about 41 days");
  EXPECT_THAT(verdict.details, IsEmpty());
}

TEST(Verdict, ShowsSeveralDriversAsSuchAndAComponentWithoutDriver) {
  EXPECT_EQ(driver_words({{"a.sys", "", "image_scan"}, {"b.sys", "", "image_scan"}}), "drivers a.sys, b.sys");
  EXPECT_EQ(driver_words({{"", "thread objects", "builtin"}}), "thread objects");
  EXPECT_EQ(driver_words({}), "");
}

TEST(Verdict, ListsFurtherLeaksUpToABound) {
  View view = calm_view();
  for (int i = 0; i < 9; ++i) view.leaks.push_back(leak_of(Pool::kPaged, "T" + std::to_string(i)));
  view.leak_count = 40;
  const Verdict verdict = judge(view);
  ASSERT_EQ(verdict.details.size(), 5U);
  EXPECT_EQ(verdict.details[3], "Leak: tag T4 (paged), +3.10 MiB/day since 4 Nov, limit reached in about 41 days");
  EXPECT_EQ(verdict.details[4], "and 35 more leaks");
}

TEST(Verdict, APoolThatGrowsByItsTagIsNoSecondLeak) {
  View view = calm_view();
  view.leaks = {leak_of(Pool::kPaged, "MmSt"), leak_of(Pool::kPaged, ""), leak_of(Pool::kNonpaged, "")};
  view.leaks[1].report.kind = view.leaks[2].report.kind = trend::Kind::kPool;
  view.leak_count = 3;
  EXPECT_THAT(judge(view).details,
              ElementsAre("Leak: nonpaged pool, +3.10 MiB/day since 4 Nov, limit reached in about 41 days"));
  view.leak_count = 4;
  EXPECT_EQ(judge(view).details.back(), "and 1 more leak");
}

TEST(Verdict, PtesGoDownAndHandlesUp) {
  View view = calm_view();
  view.leaks = {leak_of({}, ""), leak_of({}, "svc.exe (8)")};
  view.leaks[0].report.kind = trend::Kind::kSystemPtes;
  view.leaks[1].report.kind = trend::Kind::kHandles;
  for (Subject& leak : view.leaks) leak.report.credible_slope_per_second = 120.0 / 86'400;
  view.leaks[1].report.exhaustion.reset();
  const Verdict verdict = judge(view);
  EXPECT_EQ(verdict.headline, "Leak: free system PTEs, -120/day since 4 Nov, limit reached in about 41 days");
  EXPECT_THAT(verdict.details, ElementsAre("Leak: handles of svc.exe (8), +120/day since 4 Nov"));
}

/// 22.1 MiB at 2.7 MiB a day are 8.2 days: a headline once said 9.6.
TEST(Verdict, WhatIsDividedIsSaidAndTheBoundIsNamed) {
  View view = calm_view();
  view.leaks = {leak_of(Pool::kPaged, "MmSt")};
  trend::SubjectReport& report = view.leaks[0].report;
  report.credible_slope_per_second = 2.7 * test::kMiB / 86'400;
  trend::Exhaustion& end = *report.exhaustion;
  end.room = 22.1 * test::kMiB;
  end.pace_per_second = report.credible_slope_per_second;
  end.seconds = end.room / end.pace_per_second;
  const auto headline_of = [&](trend::Bound bound) {
    end.bound = bound;
    return judge(view).headline;
  };
  EXPECT_EQ(headline_of(trend::Bound::kPoolLimit),
            "Leak: tag MmSt (paged), +2.70 MiB/day since 4 Nov, pool limit reached in about 8.2 days (22.1 MiB left at "
            "the day's peak)");
  EXPECT_EQ(headline_of(trend::Bound::kCommitLimit),
            "Leak: tag MmSt (paged), +2.70 MiB/day since 4 Nov, commit limit reached in about 8.2 days (22.1 MiB left at "
            "the day's peak)");
  EXPECT_EQ(headline_of(trend::Bound::kAvailableMemory),
            "Leak: tag MmSt (paged), +2.70 MiB/day since 4 Nov, available memory used up in about 8.2 days (22.1 MiB "
            "left at the day's peak)");
  // A pool ends by all that leaks in it.
  report.kind = trend::Kind::kPool;
  end.pace_per_second *= 2;
  end.seconds /= 2;
  EXPECT_EQ(headline_of(trend::Bound::kPoolLimit),
            "Leak: paged pool, +2.70 MiB/day since 4 Nov, pool limit reached in about 4.1 days (22.1 MiB left at the "
            "day's peak, +5.40 MiB/day)");
  report.kind = trend::Kind::kSystemPtes;
  report.credible_slope_per_second = 3000.0 / 86'400;
  end.room = 120'000;
  end.pace_per_second = report.credible_slope_per_second;
  end.seconds = end.room / end.pace_per_second;
  EXPECT_EQ(headline_of(trend::Bound::kFewestEntries),
            "Leak: free system PTEs, -3,000/day since 4 Nov, lowest allowed number reached in about 40 days (120,000 left "
            "at the day's peak)");
  end.seconds = end.room = 0;
  EXPECT_EQ(headline_of(trend::Bound::kFewestEntries),
            "Leak: free system PTEs, -3,000/day since 4 Nov, lowest allowed number reached");
}

TEST(Verdict, ACalmMachineSaysHowLongItWasWatched) {
  View view = calm_view();
  EXPECT_EQ(judge(view).headline, "No leak seen; 19 days of history");
  EXPECT_EQ(judge(view).state, Verdict::State::kCalm);
  view.history.history_seconds = 1.2 * 86'400;
  EXPECT_EQ(judge(view).headline, "No leak seen; 1 day of history");
  view.history.history_seconds = 6.9 * 86'400;
  EXPECT_EQ(judge(view).headline, "No leak seen; 7 days of history") << "as many as it takes";
  view.trend_enabled = false;
  EXPECT_EQ(judge(view).headline, "Leaks are not looked for: the trend is switched off");
}

TEST(Verdict, AYoungHistorySaysWhatIsMissingAndWhatGrewMost) {
  View view = calm_view();
  view.history.history_seconds = 3600;
  view.readiness = {};
  view.readiness.days = 0.1;
  view.readiness.days_lacking = 6.9;
  view.readiness.largest = {trend::Kind::kTag, Pool::kNonpaged, "Even", 12.0 * (1 << 20), 7200};
  const Verdict verdict = judge(view);
  EXPECT_EQ(verdict.headline, "Too little to judge: telling a leak takes 7 more days of readings");
  EXPECT_EQ(verdict.state, Verdict::State::kUnknown);
  EXPECT_THAT(verdict.details, testing::Contains("Largest growth so far: tag Even (nonpaged), +12.0 MiB in about 2 hours"));
  view.trend_enabled = false;
  EXPECT_EQ(judge(view).headline, "Leaks are not looked for: the trend is switched off");
}

TEST(Verdict, GrowthThatGoesOnComesBeforeThatNoLeakWasSeen) {
  View view = calm_view();
  view.readiness.largest = {trend::Kind::kHandles, {}, "svc (1)", 12'345, 7200, true};
  const Verdict verdict = judge(view);
  EXPECT_EQ(verdict.headline,
            "Grows now: handles of svc (1), +12,345 in about 2 hours, not long enough to tell a surge from a step");
  EXPECT_EQ(verdict.state, Verdict::State::kWarning);
  EXPECT_THAT(verdict.details, ElementsAre("No leak seen; 19 days of history"));
  view.readiness.largest = {trend::Kind::kPool, Pool::kNonpaged, "", 12.0 * (1 << 20), 7200, false, true};
  EXPECT_THAT(judge(view).details,
              ElementsAre("Too new to be judged, of those the largest growth: nonpaged pool, +12.0 MiB in about 2 hours"));
  view.readiness.largest = {trend::Kind::kPool, Pool::kNonpaged, "", 12.0 * (1 << 20), 7200, false, false, true};
  EXPECT_THAT(judge(view).details, ElementsAre("Largest growth of the rest: nonpaged pool, +12.0 MiB in about 2 hours"));
}

TEST(Verdict, PeaksThatEndMemoryBeforeALeakDoesComeFirst) {
  View view = calm_view();
  view.leaks = {leak_of(Pool::kNonpaged, "Thre")}, view.leak_count = 1;
  const Verdict leak = judge(view);
  trend::Readiness::Growth& peaks = view.readiness.largest.emplace(
      trend::Readiness::Growth{trend::Kind::kTag, Pool::kNonpaged, "Busy", 6.0 * (1 << 30), 24 * 86'400});
  peaks.of_peaks = peaks.by_day = true;
  peaks.room = 1.5 * (1 << 30), peaks.seconds_left = 5 * 86'400;
  const std::string said =
      "Peaks grow: tag Busy (nonpaged), +6.00 GiB in about 24 days, from day to day, while its floor does not grow; 1.50 GiB left "
      "above the newest, used up in about 5 days at that pace";
  EXPECT_EQ(judge(view).headline, leak.headline);
  EXPECT_THAT(judge(view).details, testing::Contains(said));
  peaks.ends_first = true;
  EXPECT_EQ(judge(view).headline, said);
  EXPECT_THAT(judge(view).details, testing::Contains(leak.headline));
  EXPECT_EQ(judge(view).state, leak.state);
}

TEST(Verdict, WhatIsShortComesFirstWhenNothingLeaks) {
  View view = calm_view();
  view.resources[0].amount = 372'000'000;
  const Verdict verdict = judge(view);
  EXPECT_EQ(verdict.state, Verdict::State::kWarning);
  EXPECT_EQ(verdict.headline, "Nonpaged pool is at 93 % of its limit");
  EXPECT_THAT(verdict.details, ElementsAre("No leak seen; 19 days of history"));
  view.resources[0].trim_threshold = 320'000'000;
  EXPECT_EQ(judge(view).headline, "Nonpaged pool is beyond 305 MiB, where the kernel trims it");
  view.resources[0].binding = false;
  EXPECT_EQ(judge(view).state, Verdict::State::kCalm);
  view.resources[0].bytes = false;
  view.resources[0].name = "system_ptes";
  view.resources[0].fewest = 400'000'000;
  EXPECT_EQ(judge(view).headline, "Only 372,000,000 free system PTEs are left");
}

TEST(Verdict, RecentRefusalsOfMemoryAreSaid) {
  View view = calm_view();
  view.failure_events = {{"Srv", 2019, 3, kNow - 60'000}, {"Srv", 2020, 9, kNow - 2 * kDayMs}, {"Srv", 2017, 0, {}}};
  const Verdict verdict = judge(view);
  EXPECT_EQ(verdict.headline, "The kernel refused memory: Srv event 2019, last at 2025-11-29 23:59 UTC");
  ASSERT_EQ(verdict.moments.size(), 1U);
  EXPECT_EQ(verdict.moments[0].words, "2025-11-29 23:59 UTC");
  EXPECT_EQ(verdict.moments[0].time, kNow - 60'000);
  EXPECT_THAT(verdict.details, ElementsAre("No leak seen; 19 days of history"));
}

TEST(Verdict, APartThatCannotBeReadIsSaidAndIsNotCalm) {
  View view = calm_view();
  view.parts = {{"pool_tags", PartState::kFailed, "status C0000022", 0, 0}, {"events", PartState::kUnsupported, "no", 0, 0}};
  view.watch_count = 2;
  const Verdict verdict = judge(view);
  EXPECT_EQ(verdict.state, Verdict::State::kWarning);
  EXPECT_EQ(verdict.headline, "No leak seen; 19 days of history");
  EXPECT_THAT(verdict.details,
              ElementsAre("Collector pool_tags cannot be read: status C0000022", "Watched, not yet called leaks: 2"));
}

TEST(Verdict, BesideASurgeOrALeakWhatElseGrowsIsSaidAndAFailedPartTakesNothingBack) {
  View view = calm_view();
  view.parts = {{"pool_tags", PartState::kFailed, "status C0000022", 0, 0}};
  view.readiness.largest = {trend::Kind::kHandles, {}, "svc (1)", 12'345, 7200, true};
  const char* const grows =
      "Grows now: handles of svc (1), +12,345 in about 2 hours, not long enough to tell a surge from a step";
  view.surges = {leak_of(Pool::kNonpaged, "Thre")};
  view.surges[0].report.verdict = trend::Verdict::kSurge;
  view.surges[0].report.surge.emplace();
  view.surge_count = 1;
  EXPECT_EQ(judge(view).state, Verdict::State::kSurge);
  EXPECT_THAT(judge(view).details, testing::Contains(grows));
  view.leaks = {leak_of(Pool::kPaged, "MmSt")};
  view.leak_count = 1;
  EXPECT_EQ(judge(view).state, Verdict::State::kLeak);
  EXPECT_THAT(judge(view).details, testing::Contains(grows));
}

TEST(Verdict, ASurgeWithoutANearEndIsToldForWhatItHasReached) {
  Subject surge = leak_of(Pool::kNonpaged, "Srg");
  trend::SubjectReport& report = surge.report;
  report.verdict = trend::Verdict::kSurge;
  report.exhaustion->bound = trend::Bound::kPoolLimit;
  trend::Surge& now = report.surge.emplace();
  now.since = kNow - 3 * kDayMs;
  now.pace_per_second = 2 * test::kMiB / 3600;
  now.times = 1.62;
  now.room = 6000 * test::kMiB;
  now.seconds_left = 125.0 * 86'400;
  EXPECT_EQ(
      surge_words(surge, kNow),
      "tag Srg (nonpaged), +2.00 MiB/hour for about 3 days, to 1.6 times what it held; 5.86 GiB left (pool limit), so that no "
      "end is near");
  now.seconds_left = 13.0 * 86'400;
  now.room = 624 * test::kMiB;
  EXPECT_EQ(surge_words(surge, kNow),
            "tag Srg (nonpaged), +2.00 MiB/hour for about 3 days; 624 MiB left (pool limit) would last about 13 days");
  now.room.reset();
  now.seconds_left = std::numeric_limits<double>::infinity();
  EXPECT_EQ(surge_words(surge, kNow), "tag Srg (nonpaged), +2.00 MiB/hour for about 3 days, to 1.6 times what it held");
  // Nor do those who tell the pool's end by it.
  report.exhaustion->of_now = true;
  report.exhaustion->seconds = 125.0 * 86'400;
  EXPECT_EQ(end_words(report), "");
}

TEST(Verdict, ALeakThatEndsBeforeASurgeIsTheHeadline) {
  View view = calm_view();
  view.surges = {leak_of(Pool::kPaged, "Srg")};
  view.surges[0].report.verdict = trend::Verdict::kSurge;
  view.surges[0].report.surge.emplace().seconds_left = 20.0 * 86'400;
  view.surges[0].report.exhaustion.reset();
  view.leaks = {leak_of(Pool::kNonpaged, "Thre")};
  view.leak_count = view.surge_count = 1;
  EXPECT_THAT(judge(view).headline, testing::StartsWith("Grows now, beyond all before: tag Srg"));
  view.leaks[0].report.exhaustion->seconds = 2.0 * 86'400;
  EXPECT_THAT(judge(view).headline, testing::StartsWith("Leak: tag Thre"));
  EXPECT_THAT(judge(view).details, testing::Contains(testing::StartsWith("Grows now, beyond all before: tag Srg")));
}

TEST(Verdict, APoolOfManyTagsIsToldBesideThem) {
  View view = calm_view();
  for (int i = 0; i < 5; ++i) view.leaks.push_back(leak_of(Pool::kPaged, "T" + std::to_string(i)));
  view.leaks.insert(view.leaks.begin(), leak_of(Pool::kPaged, ""));
  view.leaks[0].report.kind = trend::Kind::kPool;
  view.leaks[0].report.credible_slope_per_second *= 40;
  view.leaks[0].report.spread_over = 84;
  view.leak_count = 200;
  EXPECT_EQ(judge(view).headline,
            "Leak: paged pool, +124 MiB/day (in many tags, half of it in 84) since 4 Nov, limit reached in about 41 days");
}

TEST(Verdict, WhatIsWatchedIsNotCalm) {
  View view = calm_view();
  view.watched.resize(2);
  trend::SubjectReport& first = view.watched[0].report;
  first.kind = trend::Kind::kTag, first.pool = Pool::kNonpaged, first.text = "Leak";
  first.verdict = trend::Verdict::kWatch, first.credible_slope_per_second = 2.0 * 1024 * 1024 / 86'400;
  view.watch_count = 3;
  const Verdict verdict = judge(view);
  EXPECT_EQ(verdict.state, Verdict::State::kUnknown);
  EXPECT_EQ(verdict.headline,
            "Watched, not yet called leaks: tag Leak (nonpaged), +2.00 MiB/day, and 2 more; 19 days of history");
  EXPECT_THAT(verdict.details, ElementsAre());
  // Beside what is short or cannot be read they are named once, too.
  view.resources[0].amount = 372'000'000;
  view.parts = {{"pool_tags", PartState::kFailed, "status C0000022", 0, 0}};
  const Verdict beside = judge(view);
  EXPECT_EQ(beside.state, Verdict::State::kWarning);
  EXPECT_EQ(beside.headline, "Nonpaged pool is at 93 % of its limit");
  EXPECT_THAT(beside.details,
              ElementsAre("Watched, not yet called leaks: tag Leak (nonpaged), +2.00 MiB/day, and 2 more; 19 days of history",
                          "Collector pool_tags cannot be read: status C0000022"));
}

TEST(Verdict, AKernelThatGivesNothingIsAllThereIsToSay) {
  View view = calm_view();
  view.error = "procfs is gone";
  EXPECT_EQ(judge(view).headline, "The kernel cannot be read: procfs is gone");
  EXPECT_EQ(state_name(judge(view).state), "failed");
}

}  // namespace
}  // namespace kmem::page
