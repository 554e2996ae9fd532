// What the page says beside an end and of a surge, in the unit of what grows.
#include <gtest/gtest.h>

#include "exporter/page/verdict.h"

namespace kmem::page {
namespace {

constexpr double kMiBOfEnd = 1024.0 * 1024, kHourOfEnd = 3600;

trend::Exhaustion end_at(double room, double pace_a_day, bool of_now = false) {
  trend::Exhaustion end;
  end.room = room, end.pace_per_second = pace_a_day / 86'400, end.seconds = room / end.pace_per_second;
  end.bound = trend::Bound::kPoolLimit;
  end.of_now = of_now;
  return end;
}

TEST(EndWords, ThePaceIsSaidWhereItIsAnother) {
  const double a_day = 2 * kMiBOfEnd;
  const auto beside = [&](double factor, bool of_now = false) {
    return left_words(end_at(40 * kMiBOfEnd, factor * a_day, of_now), trend::Kind::kTag, a_day / 86'400);
  };
  EXPECT_EQ(beside(1.004), "40.0 MiB left at the day's peak");
  EXPECT_EQ(beside(1.01), "40.0 MiB left at the day's peak, +2.02 MiB/day");
  EXPECT_EQ(beside(2, true), "40.0 MiB left, +4.00 MiB/day");
  EXPECT_EQ(left_words(end_at(8000, 400), trend::Kind::kSystemPtes, std::nullopt), "8,000 left at the day's peak, -400/day");
}

TEST(EndWords, ASurgeOfFreeEntriesTakesThemAwayAndIsNoBytes) {
  Subject surging;
  trend::SubjectReport& report = surging.report;
  report.kind = trend::Kind::kSystemPtes, report.verdict = trend::Verdict::kSurge;
  report.surge.emplace();
  report.surge->pace_per_second = 500 / kHourOfEnd;
  report.surge->room = 8000, report.surge->seconds_left = 16 * kHourOfEnd;
  EXPECT_EQ(surge_words(surging, 6 * 3'600'000),
            "free system PTEs, -500/hour for about 6 hours; 8,000 left would last about 16 hours");
  report.surge->seconds_left = 8 * kHourOfEnd;
  EXPECT_EQ(surge_words(surging, 6 * 3'600'000),
            "free system PTEs, -500/hour for about 6 hours; 8,000 left would last about 8 hours with what else grows");
}

}  // namespace
}  // namespace kmem::page
