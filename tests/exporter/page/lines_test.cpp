#include "exporter/page/lines.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/exporter/page/views.h"

namespace kmem::page {
namespace {

using test::course_of;
using test::kDayMs;
using test::kMiB;
using test::kNow;

constexpr base::UnixMillis kStart = kNow - 56 * kDayMs;

TEST(Lines, AJumpThatStaysIsAStep) {
  const auto course = course_of([](double day) { return (day < 20 ? 10 : 14) * kMiB + 1e4 * std::sin(day * 20); });
  const auto steps = find_steps(course, {});
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].time, kStart + 20 * kDayMs);
  EXPECT_NEAR(steps[0].change, 4 * kMiB, 5e4);
}

TEST(Lines, WhatComesBackOrComesEveryDayIsNone) {
  const auto peak = course_of([](double day) { return (day > 20 && day < 20.5 ? 14 : 10) * kMiB + 1e4 * std::sin(day * 20); });
  EXPECT_TRUE(find_steps(peak, {}).empty());
  const auto daily = course_of([](double day) { return (day - std::floor(day) < 0.4 ? 14 : 10) * kMiB; });
  EXPECT_TRUE(find_steps(daily, {}).empty());
  const auto rising = course_of([](double day) { return day * kMiB; });
  EXPECT_TRUE(find_steps(rising, {}).empty());
}

TEST(Lines, ARebootIsNoStep) {
  const auto course = course_of([](double day) { return (day < 20 ? 10 : 2) * kMiB + 1e4 * std::sin(day * 20); });
  EXPECT_EQ(find_steps(course, {}).size(), 1U);
  EXPECT_TRUE(find_steps(course, {kStart + 20 * kDayMs}).empty());
}

TEST(Lines, GapsAreNoEvidence) {
  auto course = course_of([](double day) { return (day < 20 ? 10 : 14) * kMiB; });
  for (std::size_t i = 100; i < 140; ++i) course.floors[i] = trend::kNothing;
  EXPECT_TRUE(find_steps(course, {}).empty());
  course.floors.fill(trend::kNothing);
  EXPECT_TRUE(find_steps(course, {}).empty());
}

TEST(Lines, TheTrendLineLiesOnTheGrowth) {
  const Subject leak = test::leak_of(Pool::kNonpaged, "Thre");
  const auto pieces = trend_pieces(leak, {});
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_NEAR(static_cast<double>(pieces[0].from), static_cast<double>(*leak.report.since), kDayMs / 6.0);
  EXPECT_NEAR(pieces[0].from_amount, 20 * kMiB, 1.5 * kMiB);
  EXPECT_NEAR(pieces[0].to_amount, (20 + 3.1 * 26) * kMiB, 1.5 * kMiB);
}

TEST(Lines, EveryBootHasItsOwnPiece) {
  Subject leak = test::leak_of(Pool::kNonpaged, "Thre");
  leak.course = course_of([](double day) { return kMiB * (20 + 3.1 * std::fmod(day, 14)); });
  leak.report.since = kStart;
  const auto pieces = trend_pieces(leak, {kStart + 14 * kDayMs, kStart + 28 * kDayMs, kStart + 42 * kDayMs});
  ASSERT_EQ(pieces.size(), 4U);
  for (const Piece& piece : pieces) {
    EXPECT_NEAR(piece.from_amount, 20 * kMiB, kMiB);
    EXPECT_NEAR(piece.to_amount, (20 + 3.1 * 14) * kMiB, kMiB);
  }
}

TEST(Lines, WithoutAVerdictThereIsNoLine) {
  Subject calm = test::leak_of(Pool::kNonpaged, "Thre");
  calm.report.since.reset();
  EXPECT_TRUE(trend_pieces(calm, {}).empty());
}

}  // namespace
}  // namespace kmem::page
