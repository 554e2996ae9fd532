// The units in which a report for people tells paces, rooms and what is left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "exporter/commands/analysis.h"

namespace kmem {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using trend::Bound;
using trend::Exhaustion;
using trend::Kind;
using trend::Verdict;

constexpr double kMiBs = 1024.0 * 1024, kDaySeconds = 86'400, kHourSeconds = 3600;

trend::SubjectReport leak_of(double mib_a_day) {
  trend::SubjectReport leak;
  leak.pool = Pool::kNonpaged, leak.text = "Leak";
  leak.verdict = Verdict::kLeak;
  leak.credible_slope_per_second = mib_a_day * kMiBs / kDaySeconds;
  leak.since = 1'767'225'600'000;
  return leak;
}

std::string said_of(const trend::SubjectReport& report) {
  Analysis analysis;
  analysis.start = 1'767'225'600'000, analysis.end = analysis.start + 28 * 86'400'000LL;
  analysis.snapshots = 673;
  analysis.summary.subjects = 1;
  analysis.readiness.judged = true;
  analysis.subjects.push_back({report, {}, {}});
  return analysis_text(analysis, false);
}

Exhaustion end_of(double left, double room, double pace_a_day, bool of_now = false) {
  return {left, left, left, room, pace_a_day / kDaySeconds, Bound::kPoolLimit, of_now};
}

TEST(RatesText, ARoomsPaceIsByTheHourOnlyWhereASurgeEndsItWithinTwoDays) {
  trend::SubjectReport leak = leak_of(1);
  leak.exhaustion = end_of(20 * kHourSeconds, 40 * kMiBs, 48 * kMiBs);
  EXPECT_THAT(said_of(leak), HasSubstr("40.0 MiB to the pool limit at +48.0 MiB  ")) << "of weeks, though little is left";
  leak.exhaustion = end_of(20 * kHourSeconds, 40 * kMiBs, 48 * kMiBs, true);
  EXPECT_THAT(said_of(leak), HasSubstr("40.0 MiB to the pool limit at +2.00 MiB/h  "));
  leak.exhaustion = end_of(49 * kHourSeconds, 98 * kMiBs, 48 * kMiBs, true);
  EXPECT_THAT(said_of(leak), HasSubstr("98.0 MiB to the pool limit at +48.0 MiB  ")) << "more than two days";
  leak.exhaustion = end_of(40 * kDaySeconds, 40 * kMiBs, 1.004 * kMiBs);
  EXPECT_THAT(said_of(leak), HasSubstr("40.0 MiB to the pool limit  ")) << "the growth in the row";
  leak.exhaustion = end_of(40 * kDaySeconds, 40 * kMiBs, 1.01 * kMiBs);
  EXPECT_THAT(said_of(leak), HasSubstr("40.0 MiB to the pool limit at +1.01 MiB  "));
}

TEST(RatesText, FreeEntriesAreNoBytes) {
  trend::SubjectReport entries = leak_of(0);
  entries.kind = Kind::kSystemPtes, entries.text.clear();
  entries.credible_slope_per_second = 2048 / kDaySeconds;
  entries.last_amount = 40'960;
  entries.exhaustion = end_of(10 * kDaySeconds, 40'960, 4096);
  EXPECT_THAT(said_of(entries), AllOf(HasSubstr(" -2048 "), HasSubstr("40960 to the pool limit at -4096  ")));
}

TEST(RatesText, ALeaksSecondPaceIsByTheHourWhileItsEndIsTwoDaysAway) {
  trend::SubjectReport leak = leak_of(1);
  leak.surge.emplace();
  leak.surge->pace_per_second = 2 * kMiBs / kHourSeconds;
  leak.surge->seconds_left = 47 * kHourSeconds;
  EXPECT_THAT(said_of(leak), HasSubstr("+1.00 MiB, now +2.00 MiB/h "));
  leak.surge->seconds_left = 49 * kHourSeconds;
  EXPECT_THAT(said_of(leak), HasSubstr("+1.00 MiB, now +48.0 MiB "));
}

TEST(RatesText, WhatIsLeftIsInMinutesHoursOrDays) {
  trend::SubjectReport leak = leak_of(1);
  const auto left = [&leak](double hours) {
    leak.exhaustion = end_of(hours * kHourSeconds, 1, kMiBs);
    return said_of(leak);
  };
  EXPECT_THAT(left(1.9), HasSubstr("  114 min  "));
  EXPECT_THAT(left(2.1), HasSubstr("  2.1 h  "));
  EXPECT_THAT(left(47), HasSubstr("  47 h  "));
  EXPECT_THAT(left(49), AllOf(HasSubstr("  2.0  "), Not(HasSubstr(" h  "))));
  EXPECT_THAT(left(24 * 12), HasSubstr("  12  "));
  EXPECT_THAT(left(24 * 126), HasSubstr("  126  "));
  // A surge does not go on for weeks.
  leak.exhaustion->of_now = true;
  EXPECT_THAT(said_of(leak), AllOf(HasSubstr("  > 14  "), Not(HasSubstr("126"))));
  leak.exhaustion = end_of(10 * kHourSeconds, 1, kMiBs);
  leak.exhaustion->soonest_seconds = 1.5 * kHourSeconds, leak.exhaustion->latest_seconds = 60 * kHourSeconds;
  EXPECT_THAT(said_of(leak), HasSubstr("  10 h (90 min to 60 h)  "));
}

}  // namespace
}  // namespace kmem
