#include "exporter/trend/evidence.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "tests/exporter/trend/sim/generator.h"

namespace kmem::trend {
namespace {

/// A leak of 1 % a day, seen for 20 days.
Signs leak() {
  Signs signs;
  signs.span_days = 20, signs.known_days = 20, signs.rate = 0.01, signs.clear = 15, signs.beyond_walk = 4;
  signs.unjumped = 0.6, signs.bend = 0.02, signs.bend_error = 0.2, signs.above_past = 9, signs.ended = 0.01;
  signs.rise_days = 19;
  return signs;
}

Signs any(sim::Random& random) {
  Signs signs;
  signs.span_days = random.uniform(5, 56), signs.known_days = random.uniform(signs.span_days, 56);
  signs.after_quiet = random.chance(0.5);
  signs.rate = random.log_uniform(0.001, 0.2), signs.clear = random.log_uniform(2, 50);
  signs.beyond_walk = random.log_uniform(1, 20), signs.unjumped = random.uniform(-0.5, 1);
  signs.bend = random.uniform(-2, 2), signs.bend_error = random.log_uniform(0.01, 3);
  signs.above_past = random.uniform(0.4, 9), signs.ended = random.uniform(0, 2), signs.rise_days = random.uniform(1, 55);
  return signs;
}

TEST(Evidence, SteadyGrowthIsALeakAndWhatLooksLikeAStepIsNot) {
  EXPECT_GT(evidence_of(leak()), 0.5);
  Signs step = leak();
  step.unjumped = 0.05, step.ended = 1, step.rise_days = 2, step.bend = -0.8, step.clear = 5;
  EXPECT_LT(evidence_of(step), -0.5);
}

TEST(Evidence, YoungFastGrowthMustShowThatItDoesNotEnd) {
  const auto at = [](double rate, double days) {
    Signs signs = leak();
    signs.rate = rate, signs.span_days = days;
    return evidence_of(signs);
  };
  EXPECT_LT(at(0.05, 8) + 2, at(0.018, 8));
  EXPECT_LT(at(0.05, 8) + 0.3, at(0.05, 16));
}

TEST(Evidence, StrongerSignsNeverCountLess) {
  sim::Random random(3);
  constexpr std::array rising = {&Signs::clear, &Signs::beyond_walk, &Signs::unjumped, &Signs::above_past, &Signs::rise_days};
  for (int i = 0; i < 20'000; ++i) {
    const Signs signs = any(random);
    for (const auto sign : rising) {
      Signs stronger = signs;
      stronger.*sign *= stronger.*sign < 0 ? 0.7 : 1.3;
      ASSERT_GE(evidence_of(stronger), evidence_of(signs) - 1e-12) << i;
    }
    Signs more_ended = signs;
    more_ended.ended += 0.2;
    ASSERT_LE(evidence_of(more_ended), evidence_of(signs) + 1e-12) << i;
  }
}

TEST(Evidence, WhatLiesBeyondTheCurvesCountsAsTheirEnds) {
  const double huge = std::numeric_limits<double>::max();
  Signs signs = leak();
  signs.clear = 100;
  Signs beyond = signs;
  beyond.clear = huge;
  EXPECT_EQ(evidence_of(beyond), evidence_of(signs));
  signs.rate = 0.0001, beyond.rate = 0;
  EXPECT_EQ(evidence_of(beyond), evidence_of(signs));
  signs.bend_error = 0, signs.bend = 5, beyond.bend_error = 0, beyond.bend = huge;
  EXPECT_EQ(evidence_of(beyond), evidence_of(signs));
}

TEST(Evidence, HasNoCliffs) {
  sim::Random random(4);
  for (int i = 0; i < 20'000; ++i) {
    const Signs signs = any(random);
    Signs near = signs;
    near.span_days *= 1.0001, near.rate *= 1.0001, near.clear *= 1.0001, near.bend += 1e-5;
    ASSERT_NEAR(evidence_of(near), evidence_of(signs), 0.02) << i;
  }
}

}  // namespace
}  // namespace kmem::trend
