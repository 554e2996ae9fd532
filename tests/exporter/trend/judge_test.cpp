// The rule by which judgements become verdicts, kept beside the engine on the same floors and compared after each of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "exporter/trend/engine.h"
#include "tests/exporter/trend/sim/generator.h"
#include "tests/exporter/trend/start.h"

namespace kmem::trend {
namespace {

constexpr int kDays = 54;  // within the ring

struct JudgedAt {
  std::int64_t now = 0, newest_bucket = 0;
  bool unknown = false;  // too early in a boot, or too little seen, to say that a leak is over
};

/// A leak by a day of six judgements that come to 1 on the mean, each cut to 0.7 ... 1.2; it holds on 0.7 and ends after
/// seven days of less in a row. Watched from the third judgement in a row on, till twelve in a row say no. What all boots say
/// together makes a leak at once, and holds it on half. What rests for days becomes no leak, nor stays one that it became since, and a begin that was told stays,
/// unless another is clear. A pace that has changed ends it after a day where nothing grows any
/// more, holds it where growth goes on, and is the one that is told.
class Rule {
 public:
  /// The bucket from which on a change of pace is looked for; nullopt: nothing grows.
  [[nodiscard]] std::optional<std::int64_t> grows_from(const Assessment& now, std::int64_t newest) const {
    if (verdict != Verdict::kOk) return (since - kStart) / kCoarseMs;
    if (now.leak_score < 1 && now.watch_score < 1) return std::nullopt;
    return newest - static_cast<std::int64_t>(now.onset_days_ago * kBucketsPerDay);
  }
  /// What the estimator is told of the begin.
  [[nodiscard]] double told_days_ago(std::int64_t newest) const {
    return verdict == Verdict::kLeak ? std::max(static_cast<double>(kStart + newest * kCoarseMs - since) / kDayMs, 1.0) : 0;
  }
  void judge(const Assessment& now, int buckets, const std::optional<Lately>& lately, const Assessment& folded = {},
             const JudgedAt& at = {}) {
    const bool was_over = verdict == Verdict::kLeak && detected &&
                          now.rest_days * static_cast<double>(kDayMs) > static_cast<double>(at.newest_bucket - *detected);
    const bool ended = (lately && lately->stands) || was_over;
    const bool goes_on =
        lately && !ended && lately->slope_per_day >= 32 * 1024 && lately->slope_per_day > 3 * lately->slope_error_per_day;
    scores_.push_front(std::clamp(static_cast<float>(now.leak_score), 0.7F, 1.2F));
    if (scores_.size() > 6) scores_.pop_back();
    float sum = 0.7F * static_cast<float>(6 - scores_.size());
    for (const float score : scores_) sum += score;
    strength_ += (static_cast<float>(std::min(std::max(now.strength, folded.strength), 4.0)) - strength_) / 6;
    const bool watched = (now.watch_score >= 1 && !ended && now.rest_days == 0) || folded.watch_score >= 1;
    const bool was_ok = verdict == Verdict::kOk, was_leak = verdict == Verdict::kLeak;
    watched_for_ = watched ? watched_for_ + buckets : 0;
    if ((!ended && (was_leak || now.rest_days == 0) && now.leak_score >= 1 && sum >= 6) || folded.leak_score >= 1) {
      verdict = Verdict::kLeak, weak_ = 0;
      if (!detected || was_ok) detected = at.now;
    } else if (verdict == Verdict::kLeak) {
      if ((now.leak_score >= 0.7 && !ended) || goes_on || folded.leak_score >= 0.5) weak_ = 0;
      else if (!at.unknown || ended) ++weak_;
      if (ended && weak_ > 0) weak_ = std::max(weak_, 37);
      if (weak_ == 42) verdict = watched ? Verdict::kWatch : Verdict::kOk, weak_ = 0;
    } else if (watched_for_ >= 3) {
      verdict = Verdict::kWatch, weak_ = 0;
      if (was_ok) detected.reset();
    } else if (verdict == Verdict::kWatch && !watched && ++weak_ == 12) {
      verdict = Verdict::kOk, weak_ = 0;
    }
    if (verdict == Verdict::kOk) {
      slope = 0;
      return;
    }
    const bool own = now.leak_score >= 0.7 || (now.watch_score >= 1 && slope <= 0);
    const bool surer = now.leak_score < 1 || folded.slope_error_per_day < now.slope_error_per_day;
    const bool of_all = folded.leak_score >= 0.5 && (!own || surer);
    const Assessment& best = of_all ? folded : now;
    if (own || of_all) slope = best.slope_per_day, error = best.slope_error_per_day;
    if (lately && !of_all) {
      const double apart = std::abs(lately->slope_per_day - slope);
      const bool other = apart >= 0.03 * slope && apart >= 2 * lately->slope_error_per_day;
      if (other && (lately->gradual || lately->slope_per_day <= 0)) error = std::max(error, apart / 1.645);
      else if (other) slope = lately->slope_per_day, error = lately->slope_error_per_day;
    }
    if (!own && !of_all) return;
    if (!of_all && ((was_leak && !now.other_begin) || (!was_ok && now.rest_days > 0))) return;
    const auto begun = std::max(kStart, at.newest_bucket - static_cast<std::int64_t>(best.onset_days_ago * kDayMs));
    if (!detected || begun <= *detected) since = begun;
    else since = std::min(since, *detected);
  }
  [[nodiscard]] double confidence() const {
    const auto squared = static_cast<double>(strength_) * static_cast<double>(strength_);
    const double part = squared / (1 + squared);
    return verdict == Verdict::kLeak ? std::max(0.5, part) : std::min(0.49, part);
  }
  Verdict verdict = Verdict::kOk;
  double slope = 0, error = 0;
  std::optional<std::int64_t> detected;
  std::int64_t since = 0;

 private:
  std::deque<float> scores_;
  float strength_ = 0;
  int weak_ = 0, watched_for_ = 0;
};

struct Seen {
  int changes = 0, leaks = 0, watches = 0, ends = 0;
  int folded_leaks = 0, folded_halves = 0;  // judgements of all boots that make a leak, and that only hold one
  int stands = 0, other_paces = 0;          // judgements with a pace that has changed
  int watched_again = 0;                    // what had been a leak and was ok
  int folded_watches = 0;                   // judgements in which all boots alone hold what is watched
  int weakened = 0;                         // leaks that are only watched any more
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
      options.told_days_ago = rule.told_days_ago(at - 1);
      const Verdict before = rule.verdict;
      const bool had_leaked = rule.detected.has_value() && rule.verdict == Verdict::kOk;
      const auto part = [&](std::size_t from) { return std::span(floors).subspan(std::min(from, floors.size())); };
      const Assessment now = assess(part(warm), options);
      std::optional<Lately> lately;
      if (const auto from = rule.grows_from(now, at - 1))
        lately = changed_pace(part(std::max(warm, static_cast<std::size_t>(std::max<std::int64_t>(*from, 0)))));
      seen.stands += lately && lately->stands, seen.other_paces += lately && !lately->stands && !lately->gradual;
      // Of the bucket just closed nothing was seen, where readings are a day apart.
      rule.judge(now, every, lately, {}, {kStart + at * kCoarseMs, kStart + (at - 1) * kCoarseMs, every > 1});
      const SubjectReport report = *engine.find(Kind::kTag, Pool::kPaged, "Leak");
      ASSERT_EQ(report.verdict, rule.verdict) << "day " << day;
      ASSERT_NEAR(report.confidence, rule.confidence(), 1e-6) << "day " << day;
      ASSERT_NEAR(report.credible_slope_per_second * 86400, rule.slope, 1e-6 * rule.slope) << "day " << day;
      ASSERT_NEAR(report.exhaustion->pace_per_second * 86400, rule.slope, 1e-6 * rule.slope) << "day " << day;
      ASSERT_EQ(report.first_detected, rule.detected) << "day " << day;
      if (rule.verdict != Verdict::kOk) { ASSERT_EQ(report.since, rule.since) << "day " << day; }
      seen.watched_again += had_leaked && rule.verdict == Verdict::kWatch;
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
  EXPECT_GT(seen.watched_again, 3);
  EXPECT_GT(seen.stands, 30);
  EXPECT_GT(seen.other_paces, 30);
}

struct Noise {
  double size = 0;
  std::uint64_t seed = 0;
};
struct BootOf {
  double days = 7;
  bool is_timed = true;             // it is known when it began
  double seen_after = 25.0 / 1440;  // days
};

/// A host whose boots are as given, the first of them up for 26 hours, from a reading every 4 hours; bytes by the days since
/// the boot and since the begin. `before`: how many tags stand before it, which decides when boots are judged together.
void follow_boots(const std::vector<BootOf>& lengths, const std::function<double(double, double)>& bytes, const Noise& noise,
                  unsigned before, Seen& seen) {
  struct Begun {
    std::int64_t start = 0, first = 0;
    bool is_timed = true;
  };
  constexpr double limit = 1e12;
  constexpr auto first_bucket = kStart / kCoarseMs;
  const std::vector<std::string> names = {"A", "B", "C", "D", "E"};
  TrendEngine engine;
  Rule rule;
  sim::Random random(noise.seed);
  std::vector<float> floors;
  std::vector<Begun> boots;
  std::int64_t next = 0;
  for (std::int64_t at = 0; boots.size() < lengths.size() || at < next; ++at) {
    if (at == next) {
      const BootOf& length = lengths[boots.size()];
      boots.push_back(
          {kStart + at * kCoarseMs - (at == 0 ? 26 * kHourMs : std::llround(length.seen_after * kDayMs)), at, length.is_timed});
      next += static_cast<std::int64_t>(length.days * kBucketsPerDay);
    }
    const Begun& boot = boots.back();
    const std::int64_t now_ms = kStart + at * kCoarseMs;
    const double age = static_cast<double>(now_ms - boot.start) / kDayMs, day = static_cast<double>(at) / kBucketsPerDay;
    std::vector<Sample> samples(before + 1);
    for (unsigned i = 0; i < before; ++i) samples[i].text = names[i], samples[i].amount = 1000;
    samples[before].text = "Leak", samples[before].limit = limit;
    samples[before].amount = static_cast<std::uint64_t>(bytes(age, day) * 1e6 * (1 + noise.size * random.normal()));
    Observation seen_now{now_ms, std::nullopt, samples, boots.size()};
    if (boot.is_timed) seen_now.boot_time = boot.start;
    engine.observe(seen_now);
    if (at > 0) {
      const std::int64_t newest = kStart + (at - 1) * kCoarseMs, oldest = std::max<std::int64_t>(0, at - kCoarseBuckets);
      const auto part = [&](std::int64_t from, std::int64_t to) {
        from = std::min(std::max(from, oldest), at);
        return std::span<const float>(floors).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
      };
      const double up = boot.is_timed ? static_cast<double>(newest - boot.start) / kDayMs : 56;
      const double unseen = static_cast<double>(kStart + boot.first * kCoarseMs - boot.start) / kDayMs;
      EstimatorOptions options;
      options.limit = limit;
      options.young_boot = up < 16 && (boots.size() > 1 || unseen < 1);
      options.told_days_ago = rule.told_days_ago(at - 1);
      std::int64_t warm = boot.first;  // a day of warm-up is left out, to the whole bucket
      if (boot.is_timed)
        while (kStart + warm * kCoarseMs < boot.start + kDayMs) ++warm;
      const Assessment own = assess(part(warm, at), options);
      Assessment folded;
      if (boots.size() >= 3 && ((first_bucket + at - 1 + before) % 6 == 0 || rule.verdict != Verdict::kOk)) {
        std::vector<BootFloors> parts;
        for (std::size_t i = 0; i < boots.size(); ++i) {
          const std::int64_t begin = std::max(boots[i].first, oldest), end = i + 1 < boots.size() ? boots[i + 1].first : at;
          if (!boots[i].is_timed || end <= begin) continue;
          const double begin_age = static_cast<double>(kStart + begin * kCoarseMs - boots[i].start) / kDayMs;
          parts.push_back({part(begin, end), begin_age, static_cast<std::size_t>(first_bucket + begin)});
        }
        folded = assess_boots(parts, options);
        seen.folded_leaks += folded.leak_score >= 1;
        seen.folded_halves += folded.leak_score >= 0.5 && folded.leak_score < 1;
      }
      const Verdict verdict_before = rule.verdict;
      std::optional<Lately> lately;
      if (const auto from = rule.grows_from(own, at - 1)) lately = changed_pace(part(std::max(warm, *from), at));
      seen.folded_watches += rule.verdict == Verdict::kWatch && own.watch_score < 1 && folded.watch_score >= 1;
      rule.judge(own, 1, lately, folded, {now_ms, newest, up < 9});
      const SubjectReport report = *engine.find(Kind::kTag, Pool::kPaged, "Leak");
      ASSERT_EQ(report.verdict, rule.verdict) << "day " << day;
      ASSERT_NEAR(report.confidence, rule.confidence(), 1e-6) << "day " << day;
      ASSERT_NEAR(report.credible_slope_per_second * 86400, rule.slope, 1e-6 * rule.slope) << "day " << day;
      ASSERT_EQ(report.first_detected, rule.detected) << "day " << day;
      if (rule.verdict != Verdict::kOk) {
        ASSERT_NEAR(report.credible_slope_error_per_second * 86400, rule.error, 1e-6 * rule.error) << "day " << day;
        ASSERT_EQ(report.since, rule.since) << "day " << day;
      }
      seen.changes += rule.verdict != verdict_before;
      seen.leaks += rule.verdict == Verdict::kLeak && verdict_before != Verdict::kLeak;
      seen.ends += rule.verdict != Verdict::kLeak && verdict_before == Verdict::kLeak;
      seen.weakened += rule.verdict == Verdict::kWatch && verdict_before == Verdict::kLeak;
    }
    floors.push_back(static_cast<float>(samples[before].amount));
  }
}

TEST(Judge, BootsAreJudgedTogether) {
  Seen seen;
  const auto grows = [](double rate) { return [rate](double age, double) { return 100 + rate * age; }; };
  // Weeks, for longer than the rings hold.
  follow_boots(std::vector<BootOf>(10), grows(1.5), {0.003, 33}, 0, seen);
  // Of one it is not known when it began, one is short, and in the last it ends.
  follow_boots(
      {{7}, {7}, {7, false}, {7}, {0.5}, {7}, {7}, {7}, {19}},
      [](double age, double day) { return 100 + (day < 49 ? 1.5 * age : 0); }, {0.004, 33}, 2, seen);
  // Growth that warms up.
  follow_boots(
      {{12}, {12}, {12}, {6}, {14}}, [](double age, double) { return 100 + age - 20 * std::exp(-age); }, {0.006, 33}, 4, seen);
  // Growth that ends with a boot: too early to say so for nine days, or while all boots together still speak for it.
  for (const std::vector<BootOf>& lengths : {std::vector<BootOf>{{30}, {25}}, std::vector<BootOf>{{12}, {12}, {12}, {30}}}) {
    const double end = lengths.size() == 2 ? 30 : 36;
    follow_boots(
        lengths, [end](double age, double day) { return 100 + (day < end ? 1.2 * age : 0); }, {0.004, 33}, 1, seen);
  }
  EXPECT_GE(seen.ends, 3);
  // Noise in which it is just one or just none, by all boots or by the last alone.
  follow_boots({{9}, {9}, {9}, {9}, {9}}, grows(0.6), {0.012, 33}, 1, seen);
  follow_boots({{9}, {9}, {9}, {9}, {9}, {9}}, grows(0.6), {0.012, 2}, 1, seen);
  follow_boots(std::vector<BootOf>(9), grows(0.6), {0.02, 2}, 1, seen);
  for (const double rate : {0.8, 1.0}) follow_boots({{12}, {12}, {12}, {12}, {9.5}}, grows(rate), {0.02, 1}, 1, seen);
  // Nobody watched the boot's first days: it is young all the same, for another went before it.
  for (const double rate : {0.5, 1.0, 2.0}) follow_boots({{12}, {16, true, 3}}, grows(rate), {0.008, 33}, 1, seen);
  EXPECT_GE(seen.leaks, 8);
  EXPECT_GT(seen.changes, 40);
  EXPECT_GT(seen.folded_leaks, 300);
  EXPECT_GT(seen.folded_halves, 100);
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

/// What is told after 56 days of a leak whose pace changes on a day: its pace, MB a day, and whether the truth is in the range.
std::string told_of(double early_a_day, double late_a_day, double bend_day) {
  TrendEngine engine;
  sim::Random random(5);
  for (int at = 0; at <= 56 * kBucketsPerDay; ++at) {
    const double day = static_cast<double>(at) / kBucketsPerDay;
    const double grown = early_a_day * std::min(day, bend_day) + late_a_day * std::max(0.0, day - bend_day);
    Sample sample;
    sample.text = "Leak", sample.limit = 1e10;
    sample.amount = static_cast<std::uint64_t>(1e6 * (50 + 0.4 * random.normal() + grown));
    engine.observe({kStart + at * kCoarseMs, std::nullopt, {&sample, 1}});
  }
  engine.settle();
  const SubjectReport report = *engine.find(Kind::kTag, Pool::kPaged, "Leak");
  if (report.verdict != Verdict::kLeak) return "none";
  const double truth = report.exhaustion->room / (late_a_day * 1e6) * 86400;
  const bool within = report.exhaustion->soonest_seconds <= truth && truth <= report.exhaustion->latest_seconds;
  return std::to_string(std::lround(report.credible_slope_per_second * 86400 / 1e5)) + (within ? " within" : " beyond");
}

// Tenths of a MB a day.
TEST(Judge, ALeakIsToldWithThePaceOfNow) {
  EXPECT_EQ(told_of(10, 10, 42), "100 within");
  EXPECT_EQ(told_of(10, 2, 42), "20 within");
  EXPECT_EQ(told_of(10, 5, 42), "50 within");
  EXPECT_EQ(told_of(2, 10, 42), "100 within");
  EXPECT_EQ(told_of(0.5, 4, 40), "40 within");
  EXPECT_EQ(told_of(10, 2, 28), "20 within") << "slower, and no cache";
}

TEST(Judge, ALeakEndsWithItsGrowth) {
  EXPECT_EQ(told_of(2, 0, 51), "11 within") << "five days may be a pause, or its end";
  EXPECT_EQ(told_of(2, 0, 42), "none");
  EXPECT_EQ(told_of(10, 0, 42), "none");
  EXPECT_EQ(told_of(0.5, 0, 40), "none");
}

// It is told by what grows anew: when it was found stays.
TEST(Judge, ALeakThatEndsWhileItGrowsAnewIsWatched) {
  Seen seen;
  for (const double rest : {10.5, 11.0, 11.5})
    for (const double rate : {1.0, 2.5})
      follow_boots(
          {{30}, {25}},
          [rest, rate](double age, double day) { return day < 30 ? 100 + 1.2 * age : 100 + rate * std::max(0.0, age - rest); },
          {0.004, 33}, 1, seen);
  EXPECT_EQ(seen.weakened, 6);
}

// What a boot alone has let begin.
TEST(Judge, WhatAllBootsTogetherHoldStaysWatched) {
  Seen seen;
  follow_boots(
      std::vector<BootOf>(8, {7}), [](double age, double) { return 100 + 0.6 * age; }, {0.01, 1}, 1, seen);
  EXPECT_GT(seen.folded_watches, 12);
}

// Boots too short to be watched each by itself, around one that is flat: what had ended is called a leak anew at once.
TEST(Judge, ALeakOverBootsThatComesAgainIsAnother) {
  Seen seen;
  std::vector<BootOf> boots(20, {5.5});
  boots[8].days = 30;
  follow_boots(
      boots, [](double age, double day) { return 100 + (day < 44 || day > 74 ? 1.5 * age : 0); }, {0.003, 33}, 1, seen);
  EXPECT_EQ(seen.leaks, 2);
  EXPECT_EQ(seen.ends, 1);
}

}  // namespace
}  // namespace kmem::trend
