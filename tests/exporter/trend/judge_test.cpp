// The rule by which judgements become verdicts, kept beside the engine on the same floors and compared after each of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "exporter/trend/engine.h"
#include "tests/exporter/trend/sim/generator.h"
#include "tests/exporter/trend/start.h"

namespace kmem::trend {
namespace {

constexpr int kDays = 54;  // within the ring

/// A leak by a day of six judgements that come to 1 on the mean, each cut to 0.7 ... 1.2; it holds on 0.7 and ends after
/// seven days of less in a row. Watched from the third judgement in a row on, till twelve in a row say no.
class Rule {
 public:
  void judge(const Assessment& now, int buckets) {
    scores_.push_front(std::clamp(static_cast<float>(now.leak_score), 0.7F, 1.2F));
    if (scores_.size() > 6) scores_.pop_back();
    float sum = 0.7F * static_cast<float>(6 - scores_.size());
    for (const float score : scores_) sum += score;
    strength_ += (static_cast<float>(std::min(now.strength, 4.0)) - strength_) / 6;
    const bool watched = now.watch_score >= 1;
    watched_for_ = watched ? watched_for_ + buckets : 0;
    if (now.leak_score >= 1 && sum >= 6) {
      verdict = Verdict::kLeak, weak_ = 0;
    } else if (verdict == Verdict::kLeak) {
      weak_ = now.leak_score >= 0.7 ? 0 : weak_ + 1;
      if (weak_ == 42) verdict = watched ? Verdict::kWatch : Verdict::kOk, weak_ = 0;
    } else if (watched_for_ >= 3) {
      verdict = Verdict::kWatch, weak_ = 0;
    } else if (verdict == Verdict::kWatch && !watched && ++weak_ == 12) {
      verdict = Verdict::kOk, weak_ = 0;
    }
    if (verdict == Verdict::kOk) slope = 0;
    else if (now.leak_score >= 0.7 || (now.watch_score >= 1 && slope <= 0)) slope = now.slope_per_day;
  }
  [[nodiscard]] double confidence() const {
    const auto squared = static_cast<double>(strength_) * static_cast<double>(strength_);
    const double part = squared / (1 + squared);
    return verdict == Verdict::kLeak ? std::max(0.5, part) : std::min(0.49, part);
  }
  Verdict verdict = Verdict::kOk;
  double slope = 0;

 private:
  std::deque<float> scores_;
  float strength_ = 0;
  int weak_ = 0, watched_for_ = 0;
};

struct Seen {
  int changes = 0, leaks = 0, watches = 0;
};

/// bytes: by the day; a reading every so many buckets of 4 hours; of a host that has booted half an hour before the first,
/// or nobody knows when.
void follow(const std::function<double(double)>& bytes, double noise, int every, bool booted, Seen& seen) {
  const std::int64_t boot = kStart - kHourMs / 2;
  // A day of warm-up is left out, to the whole bucket.
  const std::size_t warm = booted ? kBucketsPerDay : 0;
  TrendEngine engine;
  Rule rule;
  sim::Random random(21);
  std::vector<float> floors;
  constexpr double limit = 1e12;  // far enough that nothing is a surge
  for (int at = 0; at < kDays * kBucketsPerDay; at += every) {
    const double day = static_cast<double>(at) / kBucketsPerDay;
    Sample sample;
    sample.text = "Leak";
    sample.amount = static_cast<std::uint64_t>(bytes(day) * 1e6 * (1 + noise * random.normal()));
    sample.limit = limit;
    engine.observe({kStart + at * kCoarseMs, booted ? std::optional(boot) : std::nullopt, {&sample, 1}});
    if (at > 0) {
      EstimatorOptions options;
      options.limit = limit;
      options.young_boot = booted && (at - 1) * kCoarseMs + kHourMs / 2 < 16 * kDayMs;
      const Verdict before = rule.verdict;
      rule.judge(assess(std::span(floors).subspan(std::min(warm, floors.size())), options), every);
      const SubjectReport report = *engine.find(Kind::kTag, Pool::kPaged, "Leak");
      ASSERT_EQ(report.verdict, rule.verdict) << "day " << day;
      ASSERT_NEAR(report.confidence, rule.confidence(), 1e-6) << "day " << day;
      ASSERT_NEAR(report.credible_slope_per_second * 86400, rule.slope, 1e-6 * rule.slope) << "day " << day;
      ASSERT_NEAR(report.exhaustion->pace_per_second * 86400, rule.slope, 1e-6 * rule.slope) << "day " << day;
      seen.changes += rule.verdict != before;
      seen.leaks += rule.verdict == Verdict::kLeak && before != Verdict::kLeak;
      seen.watches += rule.verdict == Verdict::kWatch && before == Verdict::kOk;
    }
    floors.push_back(static_cast<float>(sample.amount));
    for (int gap = 1; gap < every; ++gap) floors.push_back(kNothing);
  }
}

TEST(Judge, VerdictsFollowTheRule) {
  Seen seen;
  for (const int every : {1, 6}) {
    for (const double noise : {0.002, 0.01}) {
      for (const double rate : {0.4, 1.0, 2.5}) {
        const bool booted = rate > 0.5 && every == 1;
        follow([rate](double day) { return 100 + rate * std::max(0.0, day - 8); }, noise, every, booted, seen);
        // Growth that stops, comes back down and begins again.
        follow(
            [rate](double day) {
              return 100 + 2 * rate * (day < 18 ? day : day < 24 ? 18 : day < 34 ? 0 : day - 34);
            },
            noise, every, booted, seen);
        // A week in which it is given back, in the middle of a leak.
        follow([rate](double day) { return day > 24 && day < 27 ? 100 : 100 + rate * day; }, noise, every, booted, seen);
        follow([rate](double day) { return 100 + 12 * rate * (1 - std::exp(-day / 10)); }, noise, every, booted, seen);
      }
    }
  }
  EXPECT_GT(seen.leaks, 30);
  EXPECT_GT(seen.watches, 30);
  EXPECT_GT(seen.changes, 100);
}

// What is not seen neither holds nor ends a leak.
TEST(Judge, ALeakIsNotOverWhileNobodySeesIt) {
  TrendEngine engine;
  const auto run = [&engine](int from_day, int to_day, std::optional<double> megabytes) {
    for (int at = from_day * 24; at < to_day * 24; ++at) {
      std::vector<Sample> samples(1);
      samples[0].kind = Kind::kCommit, samples[0].amount = 5'000'000'000;
      if (megabytes) {
        samples.emplace_back();
        samples[1].text = "Leak";
        samples[1].amount = static_cast<std::uint64_t>(1e6 * (*megabytes > 0 ? *megabytes : 100 + at / 24.0));
      }
      engine.observe({kStart + at * kHourMs, std::nullopt, samples});
    }
    return engine.find(Kind::kTag, Pool::kPaged, "Leak")->verdict;
  };
  EXPECT_EQ(run(0, 20, 0.0), Verdict::kLeak);
  EXPECT_EQ(run(20, 25, 50.0), Verdict::kLeak) << "flat for less than a week";
  EXPECT_EQ(run(25, 35, std::nullopt), Verdict::kLeak);
  EXPECT_EQ(run(35, 36, 50.0), Verdict::kLeak);
  EXPECT_EQ(run(36, 40, 50.0), Verdict::kOk);
}

}  // namespace
}  // namespace kmem::trend
