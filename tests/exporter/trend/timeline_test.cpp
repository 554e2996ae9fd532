#include "exporter/trend/timeline.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace kmem::trend {
namespace {

constexpr std::int64_t kLineStart = 1'767'225'600'000;

TEST(Timeline, BootBeforeTheFirstLookIsKnown) {
  Timeline timeline;
  const Timeline::Moment moment = timeline.advance(kLineStart, kLineStart - 3 * kDayMs);
  EXPECT_EQ(moment.at_ms, kLineStart);
  EXPECT_TRUE(moment.new_boot);
  ASSERT_EQ(timeline.boots().size(), 1U);
  EXPECT_EQ(timeline.boots()[0].start_ms, kLineStart - 3 * kDayMs);
  EXPECT_TRUE(timeline.boots()[0].start_known);
}

TEST(Timeline, LaterBootTimeIsAReboot) {
  Timeline timeline;
  timeline.advance(kLineStart, kLineStart - kDayMs);
  const Timeline::Moment moment = timeline.advance(kLineStart + kHourMs, kLineStart + kHourMs / 2);
  EXPECT_TRUE(moment.new_boot);
  ASSERT_EQ(timeline.boots().size(), 2U);
  EXPECT_EQ(timeline.boots()[1].start_ms, kLineStart + kHourMs / 2);
  EXPECT_EQ(timeline.clock_jumps_total(), 0U);
}

TEST(Timeline, BootTimeThatWobblesIsNoReboot) {
  Timeline timeline;
  timeline.advance(kLineStart, kLineStart - kDayMs);
  EXPECT_FALSE(timeline.advance(kLineStart + kHourMs, kLineStart - kDayMs + 9 * 60'000).new_boot);
  EXPECT_EQ(timeline.boots().size(), 1U);
}

TEST(Timeline, ClockSetForwardMovesBothTimesAndNothingElse) {
  Timeline timeline;
  timeline.advance(kLineStart, kLineStart - kDayMs);
  const std::int64_t year = 365 * kDayMs;
  const Timeline::Moment moment = timeline.advance(kLineStart + year + 60'000, kLineStart - kDayMs + year);
  EXPECT_EQ(moment.at_ms, kLineStart + 60'000);
  EXPECT_FALSE(moment.new_boot);
  EXPECT_EQ(timeline.clock_jumps_total(), 1U);
  EXPECT_EQ(timeline.to_wall(moment.at_ms), kLineStart + year + 60'000);
}

TEST(Timeline, ClockSetBackMovesBothTimesAndNothingElse) {
  Timeline timeline;
  timeline.advance(kLineStart, kLineStart - kDayMs);
  const Timeline::Moment moment = timeline.advance(kLineStart - 5 * kDayMs + 60'000, kLineStart - 6 * kDayMs);
  EXPECT_EQ(moment.at_ms, kLineStart + 60'000);
  EXPECT_FALSE(moment.new_boot);
}

TEST(Timeline, ClockSetBackWithoutBootTimeGoesOnFromNow) {
  Timeline timeline;
  timeline.advance(kLineStart, std::nullopt);
  EXPECT_EQ(timeline.advance(kLineStart - 30 * kDayMs, std::nullopt).at_ms, kLineStart);
  EXPECT_EQ(timeline.advance(kLineStart - 30 * kDayMs + kHourMs, std::nullopt).at_ms, kLineStart + kHourMs);
  EXPECT_EQ(timeline.boots().size(), 1U);
}

TEST(Timeline, SmallStepBackStandsStill) {
  Timeline timeline;
  timeline.advance(kLineStart, std::nullopt);
  EXPECT_EQ(timeline.advance(kLineStart - kHourMs, std::nullopt).at_ms, kLineStart);
  EXPECT_EQ(timeline.advance(kLineStart + 60'000, std::nullopt).at_ms, kLineStart + 60'000);
  EXPECT_EQ(timeline.clock_jumps_total(), 0U);
}

TEST(Timeline, AStepBackOfUpToTwoHoursStandsStillAndALongerOneIsFollowed) {
  for (const int minutes : {110, 130}) {
    Timeline timeline;
    timeline.advance(kLineStart, std::nullopt);
    EXPECT_EQ(timeline.advance(kLineStart - minutes * 60'000, std::nullopt).at_ms, kLineStart);
    EXPECT_EQ(timeline.clock_jumps_total(), minutes == 110 ? 0U : 1U);
  }
}

TEST(Timeline, AStepOfMoreThanTenMinutesIsFollowed) {
  for (const int minutes : {9, 15}) {
    Timeline timeline;
    timeline.advance(kLineStart, kLineStart - kDayMs);
    const std::int64_t step = minutes * 60'000;
    const Timeline::Moment moment = timeline.advance(kLineStart + 60'000 + step, kLineStart - kDayMs + step);
    EXPECT_EQ(moment.at_ms, kLineStart + 60'000 + (minutes == 9 ? step : 0));
    EXPECT_EQ(timeline.clock_jumps_total(), minutes == 9 ? 0U : 1U);
  }
}

TEST(Timeline, ABootLaterThanTheReadingIsOfThatMoment) {
  Timeline timeline;
  timeline.advance(kLineStart, kLineStart + kHourMs);
  EXPECT_EQ(timeline.boots()[0].start_ms, kLineStart);
}

TEST(Timeline, SilenceOfWeeksIsNoBoot) {
  Timeline timeline;
  timeline.advance(kLineStart, std::nullopt);
  for (const int day : {16, 39, 81}) {
    const Timeline::Moment moment = timeline.advance(kLineStart + day * kDayMs, std::nullopt);
    EXPECT_EQ(moment.at_ms, kLineStart + day * kDayMs);
    EXPECT_FALSE(moment.new_boot) << day;
  }
}

TEST(Timeline, LongSilenceCountsAsTwoWeeksAndANewBoot) {
  Timeline timeline;
  timeline.advance(kLineStart, std::nullopt);
  const Timeline::Moment moment = timeline.advance(kLineStart + 4000 * kDayMs, std::nullopt);
  EXPECT_EQ(moment.at_ms, kLineStart + 14 * kDayMs);
  EXPECT_TRUE(moment.new_boot);
  EXPECT_FALSE(timeline.boots().back().start_known);
}

TEST(Timeline, AbsurdTimesDoNotOverflow) {
  Timeline timeline;
  for (const std::int64_t wall :
       {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(), std::int64_t{0}, kLineStart}) {
    timeline.advance(wall, std::numeric_limits<std::int64_t>::max());
    timeline.advance(wall, std::numeric_limits<std::int64_t>::min());
  }
  EXPECT_LE(timeline.boots().size(), Timeline::kMaxBoots);
}

TEST(Timeline, KeepsTheNewestBoots) {
  Timeline timeline;
  for (int i = 0; i < 200; ++i) timeline.advance(kLineStart + i * kDayMs, kLineStart + i * kDayMs - kHourMs);
  ASSERT_EQ(timeline.boots().size(), Timeline::kMaxBoots);
  for (std::size_t i = 0; i < Timeline::kMaxBoots; ++i)
    EXPECT_EQ(timeline.boots()[Timeline::kMaxBoots - 1 - i].start_ms,
              kLineStart + (199 - static_cast<std::int64_t>(i)) * kDayMs - kHourMs);
}

TEST(Timeline, ASilenceOfMoreThanSixWeeksIsTheShortestThatCountsAsTwo) {
  Timeline timeline;
  timeline.advance(kLineStart, std::nullopt);
  const Timeline::Moment moment = timeline.advance(kLineStart + 43 * kDayMs, std::nullopt);
  EXPECT_EQ(moment.at_ms, kLineStart + 14 * kDayMs);
  EXPECT_TRUE(moment.new_boot);
  EXPECT_EQ(timeline.to_wall(moment.at_ms), kLineStart + 43 * kDayMs);
  // It goes on from there.
  EXPECT_EQ(timeline.advance(kLineStart + 44 * kDayMs, std::nullopt).at_ms, kLineStart + 15 * kDayMs);
}

TEST(Timeline, ABootAfterTheClockWasSetBeganInTheHistorysTime) {
  for (const std::int64_t step : {365 * kDayMs, -5 * kDayMs}) {
    Timeline timeline;
    timeline.advance(kLineStart, kLineStart - kDayMs);
    timeline.advance(kLineStart + step + kHourMs, kLineStart - kDayMs + step);
    ASSERT_EQ(timeline.boots().size(), 1U);
    const std::int64_t boot = kLineStart + 3 * kHourMs;
    EXPECT_TRUE(timeline.advance(boot + step + kHourMs / 2, boot + step).new_boot);
    ASSERT_EQ(timeline.boots().size(), 2U);
    EXPECT_EQ(timeline.boots()[1].start_ms, boot);
    EXPECT_EQ(timeline.now_ms(), boot + kHourMs / 2);
    EXPECT_EQ(timeline.clock_jumps_total(), 1U);
  }
}

TEST(Timeline, WithoutABootTimeTheBootBeganAboutWhenItIsSaid) {
  Timeline timeline;
  timeline.advance({kLineStart, std::nullopt, 1}, kLineStart - 2 * kHourMs);
  timeline.advance({kLineStart + kDayMs, std::nullopt, 2}, kLineStart + kDayMs - 20 * 60'000);
  timeline.advance({kLineStart + 2 * kDayMs, kLineStart + 2 * kDayMs - kHourMs, 3}, kLineStart + kDayMs);
  ASSERT_EQ(timeline.boots().size(), 3U);
  EXPECT_EQ(timeline.boots()[0].start_ms, kLineStart - 2 * kHourMs);
  EXPECT_EQ(timeline.boots()[1].start_ms, kLineStart + kDayMs - 20 * 60'000);
  EXPECT_EQ(timeline.boots()[2].start_ms, kLineStart + 2 * kDayMs - kHourMs) << "its boot time is more exact";
  for (const Timeline::Boot& boot : timeline.boots()) EXPECT_TRUE(boot.start_known);
}

std::optional<Timeline> restarted(const Timeline& timeline) {
  std::string bytes;
  base::WireWriter out(bytes);
  timeline.save(out);
  base::WireReader in(bytes);
  return Timeline::load(in);
}

TEST(Timeline, ARebootOrAClockThatWasSetIsSeenAcrossARestart) {
  Timeline timeline;
  timeline.advance(kLineStart, kLineStart - kDayMs);
  std::optional<Timeline> rebooted = restarted(timeline), set = restarted(timeline);
  ASSERT_TRUE(rebooted && set);
  EXPECT_TRUE(rebooted->advance(kLineStart + kHourMs, kLineStart + kHourMs / 2).new_boot);
  const Timeline::Moment moment = set->advance(kLineStart - 5 * kDayMs + kHourMs, kLineStart - 6 * kDayMs);
  EXPECT_FALSE(moment.new_boot);
  EXPECT_EQ(moment.at_ms, kLineStart + kHourMs);
  EXPECT_EQ(set->clock_jumps_total(), 1U);
}

TEST(Timeline, SurvivesSaveAndLoad) {
  Timeline timeline;
  timeline.advance(kLineStart, kLineStart - kDayMs);
  timeline.advance(kLineStart + kDayMs, kLineStart + kHourMs);
  std::string bytes;
  base::WireWriter out(bytes);
  timeline.save(out);
  base::WireReader in(bytes);
  std::optional<Timeline> loaded = Timeline::load(in);
  ASSERT_TRUE(loaded);
  ASSERT_TRUE(in.finish().ok());
  EXPECT_EQ(loaded->boots().size(), 2U);
  EXPECT_EQ(loaded->advance(kLineStart + 2 * kDayMs, kLineStart + kHourMs).at_ms, kLineStart + 2 * kDayMs);
  EXPECT_EQ(loaded->boots().size(), 2U);
}

}  // namespace
}  // namespace kmem::trend
