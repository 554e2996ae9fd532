// What must not be hushed: growth spread over many tags, a commit limit that falls, what is young after a long silence; and
// what must be told once: a hill.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/trend/engine.h"
#include "exporter/trend/sampler.h"
#include "tests/exporter/trend/start.h"

namespace kmem::trend {
namespace {

constexpr double kMebi = 1024.0 * 1024, kGibi = 1024 * kMebi;
constexpr double kCalmHours = 10 * 24;

std::string label_and_claim(const Readiness::Growth& growth) {
  return std::string(growth_label(growth)) + std::string(kind_name(growth.kind)) + growth_claim(growth);
}

/// A pool of 1 GiB in which 200 tags hold 1 MiB each and one more, "Big", 60 MiB.
class ManyTags : public testing::Test {
 protected:
  static constexpr std::size_t kTags = 200;

  /// Up to so many hours after the calm ones: `each` MiB that every tag has gained by then, `big` those of the other.
  void run_to(double hours, const std::function<double(double)>& each, const std::function<double(double)>& big) {
    for (; hour_ <= kCalmHours + hours; hour_ += hour_ < kCalmHours ? 0.5 : 1.0 / 12) {
      const double grown = std::max(0.0, hour_ - kCalmHours);
      std::vector<Sample> samples(kTags + 2);
      double sum = 0;
      for (std::size_t i = 0; i <= kTags; ++i) {
        Sample& tag = samples[i + 1];
        tag.pool = Pool::kNonpaged, tag.text = names_[i];
        const double held = i == kTags ? 60 + big(grown) : 1 + each(grown);
        tag.amount = static_cast<std::uint64_t>(held * kMebi);
        sum += held * kMebi;
      }
      samples[0].kind = Kind::kPool, samples[0].pool = Pool::kNonpaged;
      samples[0].amount = static_cast<std::uint64_t>(sum), samples[0].limit = kGibi, samples[0].bound = Bound::kPoolLimit;
      engine_.observe({kStart + std::llround(hour_ * kHourMs), kStart - 30 * kDayMs, samples});
    }
  }
  [[nodiscard]] SubjectReport pool() const { return *engine_.find(Kind::kPool, Pool::kNonpaged, ""); }

  TrendEngine engine_;
  double hour_ = 0;
  std::vector<std::string> names_ = [] {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < kTags; ++i) names.push_back("T" + std::to_string(100 + i));
    names.emplace_back("Big");
    return names;
  }();
};

TEST_F(ManyTags, TheirPoolIsToldAndThatTheyAreMany) {
  const auto each = [](double hours) { return 0.1 * hours; };
  const auto none = [](double) { return 0.0; };
  run_to(5, each, none);
  ASSERT_TRUE(engine_.readiness().largest);
  const Readiness::Growth growth = *engine_.readiness().largest;
  EXPECT_EQ(label_and_claim(growth),
            "Grows now: pool, in many tags (half of it in 101), not long enough to tell a surge from a step");
  EXPECT_NEAR(growth.amount / kMebi, 100, 5);
  EXPECT_NEAR(growth.seconds_left / 3600, (1024 - 260 - 100) / 20.0, 2);
  EXPECT_TRUE(growth.ends_first);

  run_to(22, each, none);
  const SubjectReport surge = pool();
  EXPECT_EQ(surge.verdict, Verdict::kSurge);
  EXPECT_TRUE(surge.growers.empty());
  EXPECT_NEAR(static_cast<double>(surge.spread_over), 100, 2);
  EXPECT_THAT(grower_words(surge, nullptr), testing::StartsWith("in many tags, half of it in "));
  EXPECT_NEAR(surge.surge->times, (260 + 20 * 22) / 260.0, 0.1);
}

TEST_F(ManyTags, AreNotHushedByASmallOneThatIsToldItself) {
  const auto big = [](double hours) { return 2 * hours; };
  const auto late = [](double hours) { return 0.2 * std::max(0.0, hours - 30); };
  run_to(30, late, big);
  ASSERT_EQ(engine_.find(Kind::kTag, Pool::kNonpaged, "Big")->verdict, Verdict::kSurge);
  ASSERT_FALSE(engine_.readiness().largest && engine_.readiness().largest->is_large) << "it makes all of the pool's growth";
  run_to(33, late, big);
  ASSERT_TRUE(engine_.readiness().largest);
  EXPECT_THAT(label_and_claim(*engine_.readiness().largest),
              testing::StartsWith("Grows now: pool, in many tags (half of it in "));
}

TEST(GrowthBesideALeak, OfItsPoolIsNotHushedByIt) {
  constexpr double kHours = 24 * 24;
  for (const bool limited : {true, false}) {
    TrendEngine engine;
    const auto at = [&](double hour) {
      std::vector<Sample> samples(3);
      const double leak = 50 + 0.3 * hour, fast = 5 + 200 * std::max(0.0, hour - kHours);
      const std::vector<std::pair<std::string_view, double>> held = {{"", 100 + leak + fast}, {"Leak", leak}, {"Fast", fast}};
      for (std::size_t i = 0; i < held.size(); ++i) {
        samples[i].kind = i == 0 ? Kind::kPool : Kind::kTag, samples[i].pool = Pool::kNonpaged;
        samples[i].text = held[i].first, samples[i].amount = static_cast<std::uint64_t>(held[i].second * kMebi);
        if (limited && i == 0) samples[i].limit = 8 * kGibi, samples[i].bound = Bound::kPoolLimit;
      }
      engine.observe({kStart + std::llround(hour * kHourMs), kStart - 30 * kDayMs, samples});
    };
    for (int hour = 0; hour <= kHours; ++hour) at(hour);
    ASSERT_EQ(engine.find(Kind::kPool, Pool::kNonpaged, "")->verdict, Verdict::kLeak);
    EXPECT_FALSE(engine.readiness().largest);
    for (int five = 1; five <= 48; ++five) at(kHours + five / 12.0);
    const auto largest = engine.readiness().largest;
    ASSERT_TRUE(largest) << limited;
    EXPECT_EQ(largest->text, "Fast");
    EXPECT_TRUE(largest->is_large);
    EXPECT_NEAR(largest->amount / kMebi, 800, 20);
  }
}

/// Tags that leak slowly for weeks beside others that rest; then what `fast` adds, by the hour since.
struct SlowLeaks {
  static constexpr double kHours = 24 * 24;
  TrendEngine engine;
  std::size_t leaks;
  std::function<double(std::string_view, double)> fast;

  void at(double hour) {
    std::vector<std::string> names(leaks);
    for (std::size_t i = 0; i < leaks; ++i) names[i] = "Leak" + std::to_string(i);
    for (int i = 0; i < 60; ++i) names.push_back("Rest" + std::to_string(i));
    std::vector<Sample> samples(names.size() + 1);
    double sum = 100;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const double grown = hour > kHours ? fast(names[i], hour - kHours) : 0;
      const double held = (names[i][0] == 'L' ? 20 + 0.3 * hour : 4) + grown;
      samples[i + 1].pool = Pool::kNonpaged, samples[i + 1].text = names[i];
      samples[i + 1].amount = static_cast<std::uint64_t>(held * kMebi);
      sum += held;
    }
    samples[0].kind = Kind::kPool, samples[0].pool = Pool::kNonpaged;
    samples[0].amount = static_cast<std::uint64_t>(sum * kMebi);
    engine.observe({kStart + std::llround(hour * kHourMs), kStart - 30 * kDayMs, samples});
  }
  /// The pace a day that is told: of the pool's row or of what grows now.
  [[nodiscard]] double told_mebi_a_day() const {
    const auto pool = engine.find(Kind::kPool, Pool::kNonpaged, "");
    double told = pool->growth_per_second() * 86'400;
    if (const auto largest = engine.readiness().largest; largest && largest->is_large)
      told = std::max(told, largest->amount / largest->seconds * 86'400);
    return told / kMebi;
  }
  void expect_never_silent(double mebi_an_hour, int first_hours) {
    for (int hour = 0; hour <= kHours; ++hour) at(hour);
    ASSERT_EQ(engine.find(Kind::kPool, Pool::kNonpaged, "")->verdict, Verdict::kLeak);
    EXPECT_LT(told_mebi_a_day(), 0.3 * static_cast<double>(leaks) * 24 * 1.1);
    for (int hour = 1; hour <= 120; ++hour) {
      at(kHours + hour);
      if (hour < first_hours) continue;
      EXPECT_GT(told_mebi_a_day(), 0.5 * 24 * mebi_an_hour) << "after " << hour << " hours, " << leaks << " leaks";
    }
  }
};

TEST(GrowthBesideLeaks, OfManyTagsIsToldByPaceAtEveryHour) {
  for (const std::size_t leaks : {1U, 3U, 4U}) {
    SlowLeaks host{.engine = TrendEngine(), .leaks = leaks, .fast = [](std::string_view tag, double hour) {
                     return tag[0] == 'R' ? 2.0 * hour : 0.0;
                   }};
    host.expect_never_silent(120, 8);
  }
}

TEST(GrowthBesideLeaks, OfALeakItselfIsToldByPaceAtEveryHour) {
  for (const double mebi_an_hour : {30.0, 100.0}) {
    SlowLeaks host{.engine = TrendEngine(), .leaks = 1, .fast = [mebi_an_hour](std::string_view tag, double hour) {
                     return tag[0] == 'L' ? mebi_an_hour * hour : 0.0;
                   }};
    host.expect_never_silent(mebi_an_hour, mebi_an_hour < 50 ? 10 : 6);
  }
}

TEST(FollowsTags, ThreeThatMakeHalfOfItsPace) {
  SubjectReport pool, tag, other;
  pool.kind = Kind::kPool, pool.pool = tag.pool = Pool::kNonpaged, other.pool = Pool::kPaged;
  pool.credible_slope_per_second = 10, tag.credible_slope_per_second = 1.6, other.credible_slope_per_second = 10;
  for (SubjectReport* one : {&pool, &tag, &other}) one->verdict = Verdict::kLeak;
  EXPECT_FALSE(follows_tags(pool, {}));
  EXPECT_FALSE(follows_tags(pool, {&other})) << "of another pool";
  EXPECT_FALSE(follows_tags(pool, {&tag, &tag, &tag, &tag, &tag, &tag})) << "4.8 of 10 in three";
  tag.credible_slope_per_second = 1.7;
  EXPECT_TRUE(follows_tags(pool, {&tag, &tag, &tag}));
  EXPECT_FALSE(follows_tags(tag, {&tag})) << "no pool";
}

TEST(ToldEnd, OfASurgeWithoutAKnownEndIsThreeDays) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  SubjectReport report;
  report.exhaustion.emplace().seconds = 5e5;
  EXPECT_EQ(told_end(report), kNever) << "nothing is told";
  report.verdict = Verdict::kLeak;
  EXPECT_EQ(told_end(report), 5e5);
  report.surge.emplace().seconds_left = 4e5;
  EXPECT_EQ(told_end(report), 4e5);
  report.surge->seconds_left = kNever, report.exhaustion.reset();
  EXPECT_EQ(told_end(report), 3 * 86'400);
}

/// Windows of which 8 GiB are charged, by hours the commit limit.
class CommitLimit : public testing::Test {
 protected:
  void run_to(double hours, const std::function<double(double)>& gibi) {
    for (; hour_ <= hours; hour_ += 0.25) {
      Snapshot snapshot;
      snapshot.system = System::kWindows;
      snapshot.time = kStart + std::llround(hour_ * kHourMs);
      snapshot.boot_time = kStart - 30 * kDayMs;
      const double leaked = leaked_ ? leaked_(hour_) : 0;
      snapshot.commit_bytes = static_cast<std::uint64_t>((8 + 0.2 * std::sin(hour_) + leaked) * kGibi);
      if (leaked > 0) {
        PoolTotals& pool = snapshot.pools.emplace_back();
        TagUsage& tag = snapshot.tags.emplace_back();
        pool.pool = tag.pool = Pool::kNonpaged, tag.tag = "Leak";
        tag.bytes = static_cast<std::uint64_t>((0.01 + leaked) * kGibi), pool.bytes = tag.bytes + (100 << 20);
      }
      snapshot.commit_limit_bytes = static_cast<std::uint64_t>(gibi(hour_) * kGibi);
      engine_.observe(sampler_.take(snapshot));
    }
  }
  [[nodiscard]] std::string told() const {
    const auto growth = engine_.readiness().largest;
    return growth ? label_and_claim(*growth) : "";
  }

  Sampler sampler_;
  TrendEngine engine_;
  double hour_ = 0;
  std::function<double(double)> leaked_;  // GiB, by a tag of the nonpaged pool, by the hour
};

TEST_F(CommitLimit, ThatFallsOverHoursIsToldAndThenThatItStays) {
  const auto limit = [](double hour) { return 40 - std::clamp(std::floor(hour - 400), 0.0, 10.0); };
  run_to(400, limit);
  EXPECT_EQ(told(), "");
  EXPECT_EQ(engine_.summary().subjects, 1U) << "commit";
  EXPECT_EQ(engine_.report(true).size(), 1U);
  run_to(408, limit);
  // 24 GiB of 32 are left above what is charged, at 1 GiB an hour.
  EXPECT_EQ(told(), "Falls now: commit_limit, at that pace it meets what is charged in 24 hours");
  EXPECT_NEAR(engine_.readiness().largest->amount / kGibi, 8, 0.1);
  EXPECT_NEAR(engine_.readiness().largest->seconds / 3600, 8, 1);
  TrendEngine restarted;
  ASSERT_TRUE(restarted.load(engine_.save()).ok());
  EXPECT_EQ(restarted.readiness().largest->kind, Kind::kCommitLimit);
  run_to(440, limit);
  EXPECT_EQ(told(), "Fell and stays: commit_limit, 30 hours ago");
  EXPECT_NEAR(engine_.readiness().largest->amount / kGibi, 10, 0.1);
}

TEST_F(CommitLimit, ThatFallsOverDaysOrAtOnceIsTold) {
  const auto by_days = [](double hour) { return 40 - 0.5 * std::max(0.0, (hour - 400) / 24); };
  run_to(400 + 12 * 24, by_days);
  EXPECT_EQ(told(), "Falls now: commit_limit, at that pace it meets what is charged in 52 days");
  EXPECT_NEAR(engine_.readiness().largest->seconds / 86'400, 12, 0.5);
}

TEST_F(CommitLimit, ThatFallsAtOnceStays) {
  run_to(403, [](double hour) { return hour < 400 ? 40.0 : 30.0; });
  EXPECT_EQ(told(), "Fell and stays: commit_limit, 3 hours ago");
}

TEST_F(CommitLimit, ThatFallsBesideALeakBringsTheEndNearer) {
  leaked_ = [](double hour) { return 0.25 * hour / 24; };
  const auto limit = [](double hour) { return 40 - 0.25 * std::max(0.0, (hour - 400) / 24); };
  const auto days_left = [this](Kind kind, bool soonest) {
    const auto report = kind == Kind::kCommit ? engine_.find(kind, {}, "")
                                              : engine_.find(kind, Pool::kNonpaged, kind == Kind::kTag ? "Leak" : "");
    return (soonest ? report->exhaustion->soonest_seconds : report->exhaustion->seconds) / 86'400;
  };
  // 2.5 of 40 GiB have gone and 6.7 leaked: 22.6 are left, for 90 days by the leak and for 45 by both.
  run_to(400 + 10 * 24, limit);
  EXPECT_EQ(told(), "Falls now: commit_limit, at that pace and that of what is charged they meet in 46 days");
  for (const Kind kind : {Kind::kTag, Kind::kPool, Kind::kCommit}) {
    EXPECT_NEAR(days_left(kind, false), 90, 4) << kind_name(kind);
    EXPECT_NEAR(days_left(kind, true), 45, 2) << kind_name(kind);
  }
  // 13.6 are left, and both have gone on for weeks.
  run_to(400 + 28 * 24, limit);
  for (const Kind kind : {Kind::kTag, Kind::kPool, Kind::kCommit})
    EXPECT_NEAR(days_left(kind, false), 27.2, 1.5) << kind_name(kind);
}

TEST_F(CommitLimit, ThatFallsBesideASurgeBringsItsSoonestEndNearer) {
  leaked_ = [](double hour) { return 0.2 * std::max(0.0, hour - 400); };
  run_to(416, [](double hour) { return 18 - 0.2 * std::max(0.0, hour - 400); });
  const auto tag = engine_.find(Kind::kTag, Pool::kNonpaged, "Leak");
  ASSERT_TRUE(tag->surge);
  EXPECT_NEAR(tag->exhaustion->seconds / 3600, 18, 2);
  EXPECT_NEAR(tag->exhaustion->soonest_seconds / 3600, 9, 1);
}

TEST(AvailableMemory, ThatRunsOutIsToldBeforeCommitThatGrowsWithIt) {
  Sampler sampler;
  TrendEngine engine;
  for (double hour = 0; hour <= 14 * 24 + 15; hour += 0.25) {
    const double taken = 200 * std::max(0.0, hour - 14 * 24);
    Snapshot snapshot;
    snapshot.time = kStart + std::llround(hour * kHourMs), snapshot.boot_time = kStart - 30 * kDayMs;
    snapshot.physical_memory_bytes = static_cast<std::uint64_t>(8 * kGibi);
    snapshot.available_bytes = static_cast<std::uint64_t>((5 * 1024 + 20 * std::sin(hour) - taken) * kMebi);
    snapshot.commit_bytes = static_cast<std::uint64_t>((3 * 1024 + 20 * std::sin(hour) + 1.1 * taken) * kMebi);
    engine.observe(sampler.take(snapshot));
  }
  const auto largest = engine.readiness().largest;
  ASSERT_TRUE(largest);
  EXPECT_EQ(largest->kind, Kind::kAvailable);
  EXPECT_TRUE(largest->is_large);
  EXPECT_NEAR(largest->seconds_left / 3600, (5 * 1024 - 3000) / 200.0, 0.7);
}

/// 100 hours of steady growth to three times, and then none.
TEST(Hill, IsToldOnce) {
  TrendEngine engine;
  const double begin = 5 * 24, end = begin + 100;
  std::size_t times = 0;
  bool was = false;
  for (double hour = 0; hour < end + 4 * 24; hour += hour < begin ? 0.5 : 1.0 / 6) {
    const double share = std::clamp((hour - begin) / (end - begin), 0.0, 1.0);
    Sample pool, tag;
    tag.pool = pool.pool = Pool::kNonpaged, tag.text = "Leak", pool.kind = Kind::kPool;
    tag.amount = static_cast<std::uint64_t>((60 * (1 + 0.004 * std::sin(hour * 7)) + 600 * share) * kMebi);
    pool.amount = static_cast<std::uint64_t>(100 * kMebi) + tag.amount;
    pool.limit = kGibi;
    const std::vector<Sample> samples = {pool, tag};
    engine.observe({kStart + std::llround(hour * kHourMs), kStart - 30 * kDayMs, samples});
    const bool surges = engine.find(Kind::kTag, Pool::kNonpaged, "Leak")->surge.has_value();
    times += surges && !was;
    was = surges;
  }
  EXPECT_EQ(times, 1U);
}

TEST(Silence, OfWeeksLeavesNothingThatSpeaksOfNow) {
  const auto after = [](double pause_days) {
    TrendEngine engine;
    const auto look = [&engine](double day) {
      Sample tag;
      tag.pool = Pool::kNonpaged, tag.text = "Leak", tag.amount = static_cast<std::uint64_t>(100e6 + 1e6 * day);
      engine.observe({kStart + std::llround(day * kDayMs), std::nullopt, {&tag, 1}});
    };
    for (int hour = 0; hour < 10 * 24; ++hour) look(hour / 24.0);
    for (int day = 0; day < 3; ++day) look(10 + pause_days + day);
    engine.settle();
    return engine.readiness();
  };
  EXPECT_TRUE(after(20).judged) << "one boot, before and after";
  EXPECT_FALSE(after(60).judged);
  EXPECT_EQ(readiness_words(after(60)), "telling a leak takes 5 more days of readings");
}

TEST(Silence, WhatGrewMeanwhileIsToldAsHeld) {
  for (const double pause_days : {5.0, 8.0, 13.0, 20.0}) {
    for (const int hours : {2, 6, 24, 72}) {
      TrendEngine engine;
      const auto look = [&engine](double day, double mebi) {
        std::vector<Sample> samples(2);
        samples[1].kind = Kind::kPool, samples[1].limit = 4 * kGibi, samples[1].bound = Bound::kPoolLimit;
        samples[0].pool = samples[1].pool = Pool::kNonpaged, samples[0].text = "Leak";
        samples[0].amount = static_cast<std::uint64_t>((mebi + 0.02 * std::sin(40 * day)) * kMebi);
        samples[1].amount = samples[0].amount + static_cast<std::uint64_t>(200 * kMebi);
        engine.observe({kStart + std::llround(day * kDayMs), kStart - 30 * kDayMs, samples});
      };
      for (int hour = 0; hour < 14 * 24; ++hour) look(hour / 24.0, 5);
      for (int hour = 0; hour < hours; ++hour) look(14 + pause_days + hour / 24.0, 2048);
      const auto largest = engine.readiness().largest;
      ASSERT_TRUE(largest) << pause_days << " days, " << hours << " hours";
      EXPECT_TRUE(largest->is_held());
      EXPECT_EQ(largest->text, "Leak");
      EXPECT_NEAR(largest->amount / kMebi, 2043, 1);
      EXPECT_NEAR(largest->seconds / 86'400, pause_days, 0.4);
    }
  }
}

}  // namespace
}  // namespace kmem::trend
