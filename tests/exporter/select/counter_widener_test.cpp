#include "exporter/select/counter_widener.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace kmem::select {
namespace {

constexpr std::uint64_t k2To32 = std::uint64_t{1} << 32;

TEST(CounterWidener, FirstSightIsTheRawValue) {
  CounterWidener widener;
  EXPECT_FALSE(widener.state().has_value());
  EXPECT_EQ(widener.update(4'000'000'000U, true), 4'000'000'000U);
  EXPECT_EQ(widener.state(), (CounterWidener::State{4'000'000'000U, 4'000'000'000U}));
}

TEST(CounterWidener, AddsStepsAndStandsStill) {
  CounterWidener widener;
  widener.update(10, true);
  EXPECT_EQ(widener.update(10, true), 10U);
  EXPECT_EQ(widener.update(25, true), 25U);
}

TEST(CounterWidener, CountsThroughTheWrapToTheUnit) {
  CounterWidener widener;
  widener.update(0xffffffffU, true);
  EXPECT_EQ(widener.update(0, true), k2To32);
  EXPECT_EQ(widener.update(1, true), k2To32 + 1);
}

TEST(CounterWidener, TheBorderBetweenAheadAndBackIsHalfTheRange) {
  CounterWidener ahead;
  ahead.update(5, true);
  EXPECT_EQ(ahead.update(5 + 0x7fffffffU, true), 5U + 0x7fffffffU);
  CounterWidener back;
  back.update(5, true);
  EXPECT_EQ(back.update(5 + 0x80000000U, true), 5U);
}

TEST(CounterWidener, FollowsTheTruthPastManyWraps) {
  std::mt19937_64 random(7);
  std::uint64_t truth = 3'000'000'000U;
  CounterWidener widener;
  widener.update(static_cast<std::uint32_t>(truth), true);
  while (truth < 50 * k2To32) {
    truth += random() % 0x80000000U;
    ASSERT_EQ(widener.update(static_cast<std::uint32_t>(truth), true), truth);
  }
}

TEST(CounterWidener, HoldsAnOutOfOrderReadAndCountsNothingTwice) {
  CounterWidener widener;
  widener.update(1'000, true);
  EXPECT_EQ(widener.update(990, true), 1'000U);
  EXPECT_EQ(widener.update(1'010, true), 1'010U);
}

TEST(CounterWidener, HoldsAnOutOfOrderReadAcrossTheWrap) {
  CounterWidener widener;
  widener.update(0xfffffff0U, true);
  EXPECT_EQ(widener.update(5, true), k2To32 + 5);
  EXPECT_EQ(widener.update(0xfffffffaU, true), k2To32 + 5);
  EXPECT_EQ(widener.update(9, true), k2To32 + 9);
}

TEST(CounterWidener, NeverFallsWhileEverySecondReadIsLate) {
  std::uint64_t truth = k2To32 - 5'000;
  CounterWidener widener;
  widener.update(static_cast<std::uint32_t>(truth), true);
  for (int i = 0; i < 1'000; ++i) {
    truth += 100;
    ASSERT_EQ(widener.update(static_cast<std::uint32_t>(truth), true), truth);
    ASSERT_EQ(widener.update(static_cast<std::uint32_t>(truth - 70), true), truth);
  }
}

TEST(CounterWidener, TornReadsThatDisagreeAreAllHeld) {
  CounterWidener widener;
  widener.update(1'000'000, true);
  for (const std::uint32_t torn : {900'000U, 800'000U, 700'000U, 600'000U, 500'000U})
    ASSERT_EQ(widener.update(torn, true), 1'000'000U) << torn;
  EXPECT_EQ(widener.update(1'000'001, true), 1'000'001U);
}

TEST(CounterWidener, ThreeAgreeingReadsBackAreARestart) {
  CounterWidener widener;
  widener.update(0xfffffff0U, true);
  widener.update(1'000, true);  // wide is now past 2^32
  EXPECT_EQ(widener.update(3, true), k2To32 + 1'000);
  EXPECT_EQ(widener.update(4, true), k2To32 + 1'000);
  EXPECT_EQ(widener.update(4, true), 4U);
  EXPECT_EQ(widener.update(10, true), 10U);
}

TEST(CounterWidener, AReadAheadEndsTheSuspicionOfARestart) {
  CounterWidener widener;
  widener.update(1'000, true);
  widener.update(3, true);
  widener.update(4, true);
  EXPECT_EQ(widener.update(1'001, true), 1'001U);
  EXPECT_EQ(widener.update(5, true), 1'001U);
  EXPECT_EQ(widener.update(6, true), 1'001U);
}

TEST(CounterWidener, ANewBootRestartsAtTheRawValueEvenIfItIsAhead) {
  CounterWidener widener;
  widener.update(0xffffffffU, true);
  widener.update(7, true);
  EXPECT_EQ(widener.update(2'000, false), 2'000U);
  EXPECT_EQ(widener.update(2'001, true), 2'001U);
}

TEST(CounterWidener, ASavedStateGoesOnWithinTheBoot) {
  CounterWidener before;
  before.update(0xffffffffU, true);
  before.update(10, true);
  CounterWidener after(*before.state());
  EXPECT_EQ(after.update(30, true), k2To32 + 30);
  CounterWidener rebooted(*before.state());
  EXPECT_EQ(rebooted.update(30, false), 30U);
}

TEST(CounterWidener, SixtyFourBitCountersPassAndHoldStepsBack) {
  CounterWidener widener;
  EXPECT_EQ(widener.update_64(k2To32 - 1, true), k2To32 - 1);
  EXPECT_EQ(widener.update_64(9 * k2To32, true), 9 * k2To32);
  // Torn: the low word from before the carry, the high word too. A 32-bit widener would have counted this.
  EXPECT_EQ(widener.update_64(8 * k2To32 + 5, true), 9 * k2To32);
  EXPECT_EQ(widener.update_64(9 * k2To32 + 1, true), 9 * k2To32 + 1);
  EXPECT_EQ(widener.update_64(1, true), 9 * k2To32 + 1);
  EXPECT_EQ(widener.update_64(2, true), 9 * k2To32 + 1);
  EXPECT_EQ(widener.update_64(3, true), 3U);
  EXPECT_EQ(widener.update_64(2, false), 2U);
}

}  // namespace
}  // namespace kmem::select
