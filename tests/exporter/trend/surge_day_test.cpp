// Surges beside a day's cycle, of one reading a day, of a tag whose pool's total nobody wrote down; and growth that was as
// high before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/trend/engine.h"
#include "tests/exporter/trend/start.h"

namespace kmem::trend {
namespace {

constexpr double kMebi = 1024.0 * 1024;

/// A tag, "Leak", by days, and beside it a calm one of 100 MiB.
class SurgeOfATag : public testing::Test {
 protected:
  double step_days_ = 1.0 / 24;
  double limit_mebi_ = 0;  // of their pool; 0: nobody knows its total
  std::function<double(double)> mebi_;

  /// Up to and with that day; `look` after each reading.
  void run_to(double days, const std::function<void()>& look = nullptr) {
    for (; day_ <= days + step_days_ / 10; day_ += step_days_) {
      std::vector<Sample> samples(limit_mebi_ > 0 ? 3 : 2);
      for (Sample& sample : samples) sample.pool = Pool::kNonpaged;
      const double noise = 1 + 0.005 * std::sin(day_ * 1000);
      samples[0].text = "Leak", samples[0].amount = static_cast<std::uint64_t>(mebi_(day_) * noise * kMebi);
      samples[1].text = "Calm", samples[1].amount = static_cast<std::uint64_t>(100 * kMebi);
      if (samples.size() == 3) {
        samples[2].kind = Kind::kPool, samples[2].amount = samples[0].amount + samples[1].amount;
        samples[2].limit = static_cast<std::uint64_t>(limit_mebi_ * kMebi), samples[2].bound = Bound::kPoolLimit;
      }
      engine_.observe({kStart + std::llround(day_ * kDayMs), kStart - 30 * kDayMs, samples});
      if (look) look();
    }
  }
  [[nodiscard]] SubjectReport tag() const { return *engine_.find(Kind::kTag, Pool::kNonpaged, "Leak"); }
  [[nodiscard]] static double cycle(double day) { return std::sin(2 * std::numbers::pi * day); }

  TrendEngine engine_;
  double day_ = 0;
};

TEST_F(SurgeOfATag, HasItsPaceBesideTheDaysCycle) {
  constexpr double kPace = 187, kBegin = 14;
  limit_mebi_ = 500 + 6 * kPace;
  for (const double phase : {0.0, 0.25, 0.5, 0.75}) {
    engine_ = TrendEngine(), day_ = 0;
    mebi_ = [&](double day) { return 400 * (1 + 0.1 * cycle(day + phase)) + kPace * std::max(0.0, day - kBegin); };
    run_to(kBegin + 2);
    std::size_t told = 0;
    run_to(kBegin + 5, [&] {
      const SubjectReport report = tag();
      if (!report.surge) return;
      ++told;
      EXPECT_NEAR(report.surge->pace_per_second * 86'400 / kMebi, kPace, 0.2 * kPace) << phase << ", day " << day_;
    });
    EXPECT_GE(told, 70U) << phase << ": from its second day on, at every hour";
  }
}

TEST_F(SurgeOfATag, IsNotEndedByTheFallOfTheDaysCycle) {
  mebi_ = [](double day) { return 40 * (1 + 0.15 * cycle(day)) + 4 * std::max(0.0, day - 20); };
  run_to(25);
  run_to(30, [this] { EXPECT_TRUE(tag().surge) << "day " << day_; });
  // It stands still, and is none any more.
  const auto grew = mebi_;
  mebi_ = [grew](double day) { return grew(std::min(day, 30 + day - std::floor(day))); };
  run_to(35);
  EXPECT_FALSE(tag().surge);
}

TEST_F(SurgeOfATag, IsToldOfALogThatHasNoTotals) {
  mebi_ = [](double day) { return 20 + 30 * 24 * std::max(0.0, day - 10); };
  run_to(11);
  run_to(20, [this] { EXPECT_EQ(tag().verdict, Verdict::kSurge) << "day " << day_; });
  EXPECT_NEAR(tag().surge->pace_per_second * 3600 / kMebi, 30, 2);
  EXPECT_TRUE(engine_.readiness().largest == std::nullopt || !engine_.readiness().largest->is_told_first());
}

TEST_F(SurgeOfATag, IsSeenByOneReadingADay) {
  constexpr double kPace = 800, kBegin = 28;
  step_days_ = 1, limit_mebi_ = 130 + 6 * kPace;
  mebi_ = [](double day) { return 30 + kPace * std::max(0.0, day - kBegin); };
  run_to(kBegin);
  EXPECT_FALSE(tag().surge);
  run_to(kBegin + 4);
  ASSERT_TRUE(tag().surge);
  EXPECT_EQ(tag().verdict, Verdict::kSurge);
  EXPECT_NEAR(tag().surge->pace_per_second * 86'400 / kMebi, kPace, 0.1 * kPace);
  EXPECT_NEAR(tag().surge->seconds_left / 86'400, 2, 0.3);
}

TEST_F(SurgeOfATag, IsNoneOfOneReadingADayThatFoundALoadOrAStep) {
  step_days_ = 1, limit_mebi_ = 5000;
  // A month's end of three days, seen before; and a service that started.
  mebi_ = [](double day) { return 300 + 200 * std::max(0.0, std::fmod(day, 28) - 25) + (day > 40 ? 900 : 0); };
  run_to(28);
  run_to(50, [this] { EXPECT_FALSE(tag().surge) << "day " << day_; });
}

TEST_F(SurgeOfATag, GrowthThatWasAsHighBeforeIsStillTheLargestSoFar) {
  // 200 MiB an hour for 12 hours, given back, and again.
  mebi_ = [](double day) {
    const double hour = (day - 10) * 24;
    return 30 + (hour < 20 ? 200 * std::clamp(hour, 0.0, 12.0) : 200 * std::max(0.0, hour - 30));
  };
  limit_mebi_ = 6000;
  run_to(10 + 41.0 / 24);
  const auto largest = engine_.readiness().largest;
  ASSERT_TRUE(largest);
  EXPECT_EQ(growth_label(*largest), "Largest growth so far: ");
  EXPECT_NEAR(largest->amount / kMebi, 2200, 100);
  EXPECT_NEAR(largest->seconds / 3600, 11, 1.5);
}

}  // namespace
}  // namespace kmem::trend
