// The second opinion on growth: a line against a cache of half of the room, in noise.
#include "exporter/trend/odds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace kmem::trend {
namespace {

constexpr UsualQuarters kNoUsual{};

/// Noise that lasts for an hour or two, the same for every test: three waves whose lengths have nothing in common.
double waves(double age) { return (std::sin(age / 41) + std::sin(age / 67 + 1) + std::sin(age / 149 + 2)) / 3; }

/// Of 1 in all, half of it used before it grew; known for every age in minutes.
class OddsOf {
 public:
  explicit OddsOf(const std::function<double(double age)>& amount, double whole = 1) {
    const auto floors = [&amount](std::vector<float>& line, double width) {
      for (std::size_t i = 0; i < line.size(); ++i) {
        double low = std::numeric_limits<double>::infinity();
        const double newest = width * static_cast<double>(line.size() - 1 - i);
        for (double age = newest; age <= newest + width; age += std::max(1.0, width / 12)) low = std::min(low, amount(age));
        line[i] = static_cast<float>(low);
      }
    };
    std::vector<float> fives(Recent::kFives);
    floors(fives, 5), floors(hours_, 60), floors(coarse_, 240);
    std::copy(fives.begin(), fives.end(), view_.recent.fives.begin());
    view_.hours = hours_, view_.coarse = coarse_;
    view_.now = amount(0), view_.left = whole - view_.now, view_.whole = whole;
  }
  [[nodiscard]] Odds weighed(double minutes) const { return {view_, minutes, kNoUsual}; }

 private:
  std::vector<float> hours_ = std::vector<float>(96), coarse_ = std::vector<float>(336);
  SurgeView view_;
};

std::function<double(double)> line(double minutes, double growth, double noise) {
  return [=](double age) { return 0.5 + noise * waves(age) + growth * std::max(0.0, 1 - age / minutes); };
}
/// A cache of half of the room that has filled for so many of its own times.
std::function<double(double)> cache(double minutes, double times, double noise) {
  return [=](double age) {
    return 0.5 + noise * waves(age) + (age >= minutes ? 0 : 0.25 * (1 - std::exp(-times * (1 - age / minutes))));
  };
}

TEST(Odds, ALineIsFarLikelierThanACacheOfHalfOfTheRoom) {
  for (const double minutes : {80.0, 300.0, 1200.0}) {
    SCOPED_TRACE(minutes);
    const OddsOf subject(line(minutes, 0.22, 0.004));
    const Odds odds = subject.weighed(1.2 * minutes);
    const auto& best = odds.line();
    ASSERT_TRUE(best.has_value());
    EXPECT_TRUE(odds.are_of_line_by(5));
    EXPECT_NEAR(best->minutes, minutes, 0.12 * minutes);
    EXPECT_NEAR(best->growth, 0.22, 0.03);
    EXPECT_NEAR(best->used_over_left, 0.22 / 0.28, 0.12);
    EXPECT_LT(best->misfit, 1);
  }
}

TEST(Odds, WhatFillsIsLikelierACache) {
  for (const double minutes : {80.0, 300.0, 1200.0}) {
    SCOPED_TRACE(minutes);
    const OddsOf subject(cache(minutes, 1.8, 0.004));
    const Odds odds = subject.weighed(1.2 * minutes);
    ASSERT_TRUE(odds.line().has_value());
    EXPECT_FALSE(odds.are_of_line_by(-5));
  }
}

TEST(Odds, MuchNoiseLeavesBothPossible) {
  const OddsOf subject(line(300, 0.18, 0.08));
  const Odds odds = subject.weighed(360);
  ASSERT_TRUE(odds.line().has_value());
  EXPECT_TRUE(odds.are_of_line_by(-5));
  EXPECT_FALSE(odds.are_of_line_by(5));
}

TEST(Odds, TooLittleToSayIsNothing) {
  const auto amount = line(300, 0.2, 0.004);
  EXPECT_FALSE(OddsOf(amount, std::numeric_limits<double>::quiet_NaN()).weighed(360).line().has_value());
  const auto unseen = [](double) { return std::numeric_limits<double>::quiet_NaN(); };
  EXPECT_FALSE(OddsOf(unseen).weighed(360).line().has_value());
}

}  // namespace
}  // namespace kmem::trend
