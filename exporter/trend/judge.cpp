#include <algorithm>
#include <array>
#include <cmath>

#include "exporter/trend/daily.h"
#include "exporter/trend/engine.h"

namespace kmem::trend {
namespace {

constexpr int kJudgementsPerDay = kBucketsPerDay;
constexpr double kOwnWarmUpDays = 1;                       // of uptime, left out of one boot's own growth
constexpr float kWeakest = 0.7F, kStrongest = 1.2F;        // one judgement cannot outweigh the others of its day
constexpr double kHolds = 0.7;                             // of the score: what keeps a leak one
constexpr int kLeakEndsAfter = 7 * kJudgementsPerDay;      // of clearly no growth
constexpr double kGoesOnSurely = 3;                        // errors of a pace that has changed
constexpr double kOtherPace = 0.03, kOtherPaceSurely = 2;  // of that of the whole; errors
constexpr int kWatchBeginsAfter = 3, kWatchEndsAfter = 2 * kJudgementsPerDay;
constexpr double kYoungDays = 16;    // of uptime: growth may still be the warm-up
constexpr double kTooYoungDays = 9;  // a boot that cannot show a slow leak yet

}  // namespace

/// What an older program has said of a subject that cannot leak is taken back whole.
void TrendEngine::Subject::acquit() {
  verdict = Verdict::kOk;
  scores_used = 0;
  scores = {};
  weak_judgements = watch_judgements = 0;
  first_detected_ms = -1;
  since_ms = 0;
  slope_per_day = slope_error_per_day = strength = 0;
  surging.reset();
}

/// The first bucket that says something of the boot's own growth.
std::int64_t TrendEngine::judged_from(const Timeline::Boot& boot) const {
  if (!boot.start_known) return boot.first_bucket;
  const std::int64_t warm = boot.start_ms + static_cast<std::int64_t>(kOwnWarmUpDays * kDayMs);
  return std::max(boot.first_bucket, (warm + kCoarseMs - 1) / kCoarseMs);
}

/// Judges one subject by the floors up to the newest closed bucket.
void TrendEngine::judge(Subject& subject, std::size_t slot) {
  if (!subject.may_leak()) return;
  const std::vector<Timeline::Boot>& boots = state_.timeline.boots();
  std::array<float, kCoarseBuckets> line;
  unroll(subject.history.coarse, state_.judged_bucket, line);
  const std::int64_t first_bucket = state_.judged_bucket - kCoarseBuckets + 1;
  const auto index_of = [&](std::int64_t bucket) {
    return static_cast<std::size_t>(std::clamp<std::int64_t>(bucket - first_bucket, 0, kCoarseBuckets));
  };
  // Floors before the subject was first seen are no days without it.
  const std::int64_t seen_bucket = subject.first_seen_ms / kCoarseMs;

  const Timeline::Boot& boot = boots.back();
  const std::int64_t from = std::max(judged_from(boot), seen_bucket);
  const double uptime_days = boot.start_known ? static_cast<double>(state_.judged_bucket * kCoarseMs - boot.start_ms) / kDayMs
                                              : static_cast<double>(kHistoryDays);
  const double unseen_days = (static_cast<double>(boot.first_bucket) * kCoarseMs - static_cast<double>(boot.start_ms)) / kDayMs;
  const bool young = uptime_days < kYoungDays && (boots.size() > 1 || unseen_days < kOwnWarmUpDays);
  const double since_days = static_cast<double>(state_.judged_bucket * kCoarseMs - subject.since_ms) / kDayMs;
  const EstimatorOptions options{min_per_day(subject.kind), limit_of(slot), young,
                                 subject.verdict == Verdict::kLeak ? std::max(since_days, 1.0) : 0};
  const Assessment now = assess(std::span(line).subspan(index_of(from)), options);

  Assessment folded;
  // Where readings are few no judgement may fall on a subject's own turn: it came if the turn lies in what is new.
  const bool daily_turn = (state_.judged_bucket + static_cast<std::int64_t>(slot)) % kJudgementsPerDay < judged_steps_;
  if (boots.size() >= 3 && (daily_turn || subject.verdict != Verdict::kOk)) {
    std::array<BootFloors, Timeline::kMaxBoots> parts;
    std::size_t count = 0;
    for (std::size_t i = 0; i < boots.size(); ++i) {
      const std::int64_t begin = std::max({boots[i].first_bucket, seen_bucket, first_bucket});
      const std::int64_t end = i + 1 < boots.size() ? boots[i + 1].first_bucket : state_.judged_bucket + 1;
      if (!boots[i].start_known || end - begin < kBucketsPerDay) continue;
      const double age = static_cast<double>(begin * kCoarseMs - boots[i].start_ms) / kDayMs;
      parts[count++] = {std::span(line).subspan(index_of(begin), index_of(end) - index_of(begin)), std::max(age, 0.0),
                        static_cast<std::size_t>(begin)};
    }
    folded = assess_boots({parts.data(), count}, options);
  }
  std::optional<Lately> lately;
  if (subject.verdict != Verdict::kOk || now.leak_score >= 1 || now.watch_score >= 1) {
    const std::int64_t since = subject.verdict != Verdict::kOk
                                   ? subject.since_ms / kCoarseMs
                                   : state_.judged_bucket - static_cast<std::int64_t>(now.onset_days_ago * kBucketsPerDay);
    lately = changed_pace(std::span(line).subspan(index_of(std::max(from, since))));
  }
  settle_verdict(subject, now, folded, lately, uptime_days);
  if (daily_turn) look_for_falls(slot);
}

/// A leak that slowed down, or was higher before it was given back, has a past that speaks for a cache; its last weeks do not.
std::optional<Falls> TrendEngine::growth_of_last_weeks(std::span<const float> floors, std::size_t slot) const {
  constexpr std::size_t kDays = 28, kBefore = 5, kBuckets = kDays * kBucketsPerDay;
  if (floors.size() < kBuckets + kBefore * kBucketsPerDay) return std::nullopt;
  const std::span<const float> weeks = floors.last(kBuckets);
  const double least = min_per_day(state_.subjects[slot]->kind);
  const auto week = std::size_t{7} * kBucketsPerDay;
  if (!(lowest_of(weeks.last(week)) - lowest_of(weeks.first(week)) >= least * kDays / 2)) return std::nullopt;
  const Assessment alone = assess(weeks, {least, limit_of(slot), false, 0});
  if (alone.leak_score < 1) return std::nullopt;
  Falls found;
  found.slope_per_day = alone.slope_per_day;
  found.days = std::min<double>(kDays, std::max(alone.onset_days_ago, 1.0));
  found.growth = found.slope_per_day * found.days;
  return found;
}

/// Of the days of the running boot that are over; its first may be warm-up.
std::optional<Falls> TrendEngine::rising_peaks_of(std::span<const float> floors, std::size_t slot) const {
  constexpr double kMuchOfLimit = 0.05, kMuchOfPool = 0.1, kMuchOfHandles = 5000;  // what grows by day is told sooner
  const Subject& subject = *state_.subjects[slot];
  std::array<std::uint16_t, kHighDays> packed;
  std::array<float, kHighDays> highs;
  const std::int64_t today = state_.fine_bucket / 24 - (state_.fine_bucket % 24 < 0);
  unroll(subject.history.highs, today - 1, packed);
  std::transform(packed.begin(), packed.end(), highs.begin(), ShortFloat::unpack);
  const std::int64_t first = std::max(state_.timeline.boots().back().start_ms, subject.first_seen_ms) / kDayMs + 1;
  const auto skipped = std::clamp<std::int64_t>(first - (today - static_cast<std::int64_t>(kHighDays)), 0, kHighDays);
  const std::span<const float> known = std::span<const float>(highs).subspan(static_cast<std::size_t>(skipped));
  const auto found = find_rising_peaks(known, floors, min_per_day(subject.kind));
  const Left left = left_of(slot);
  if (!found && subject.kind == Kind::kHandles) return find_fast_peaks(known, floors, kMuchOfHandles);
  if (!found && counts_bytes(subject.kind))
    return find_fast_peaks(known, floors, (left.no_limit ? kMuchOfPool : kMuchOfLimit) * left.whole);
  if (!found || (counts_bytes(subject.kind) && found->growth < little_of(subject.kind, left.no_limit, left.whole)))
    return std::nullopt;
  return found;
}

void TrendEngine::look_for_falls() {
  falls_unlooked_ = false;
  for (std::size_t slot = 0; slot < state_.subjects.size(); ++slot) look_for_falls(slot);
}

void TrendEngine::look_for_falls(std::size_t slot) {
  const Subject& subject = *state_.subjects[slot];
  std::optional<Falls> found;
  if (subject.may_leak()) {
    std::array<float, kCoarseBuckets> line;
    unroll(subject.history.coarse, state_.judged_bucket, line);
    const std::int64_t first_bucket = state_.judged_bucket - kCoarseBuckets + 1;
    const std::int64_t from = std::max(judged_from(state_.timeline.boots().back()), subject.first_seen_ms / kCoarseMs);
    const auto skipped = static_cast<std::size_t>(std::clamp<std::int64_t>(from - first_bucket, 0, kCoarseBuckets));
    const std::span<const float> floors = std::span<const float>(line).subspan(skipped);
    found = find_falls(floors, min_per_day(subject.kind));
    if (!found && subject.verdict == Verdict::kOk) found = growth_of_last_weeks(floors, slot);
    if (!found && subject.verdict == Verdict::kOk) found = find_newest_rise(floors, min_per_day(subject.kind));
    if (!found && subject.verdict != Verdict::kLeak) found = rising_peaks_of(floors, slot);
    if (!found && subject.verdict == Verdict::kOk) found = ended_rise_of(floors, slot);
  }
  if (found) falls_[slot] = *found;
  else falls_.erase(slot);
}

/// The pace of now, where it is another than that of the whole; where that is not sure, what both could be.
void TrendEngine::settle_pace(Subject& subject, const Lately& lately) {
  const auto told = static_cast<double>(subject.slope_per_day);
  const double apart = std::abs(lately.slope_per_day - told);
  if (apart < kOtherPace * told || apart < kOtherPaceSurely * lately.slope_error_per_day) return;
  if (lately.gradual || lately.slope_per_day <= 0) {
    subject.slope_error_per_day = std::max(subject.slope_error_per_day, static_cast<float>(apart / kCredible));
    return;
  }
  subject.slope_per_day = static_cast<float>(lately.slope_per_day);
  subject.slope_error_per_day = static_cast<float>(lately.slope_error_per_day);
}

void TrendEngine::settle_verdict(Subject& subject, const Assessment& now, const Assessment& folded,
                                 const std::optional<Lately>& lately, double uptime_days) {
  const bool was_leak = subject.verdict == Verdict::kLeak;
  const bool was_ok = subject.verdict == Verdict::kOk;
  // What has ended becomes no leak, nor was it one that had ended when it was told; one that was told in time takes longer to end.
  const double told_days = static_cast<double>(state_.judged_bucket * kCoarseMs - subject.first_detected_ms) / kDayMs;
  const bool rests = now.rest_days > 0, was_over = was_leak && now.rest_days > told_days;
  const bool ended = (lately && lately->stands) || was_over;
  const bool goes_on = lately && lately->slope_per_day > kGoesOnSurely * lately->slope_error_per_day &&
                       lately->slope_per_day >= min_per_day(subject.kind);
  // A day of judgements, the newest first. A single one may be lucky.
  std::move_backward(subject.scores.begin(), subject.scores.end() - 1, subject.scores.end());
  subject.scores[0] = std::clamp(static_cast<float>(now.leak_score), kWeakest, kStrongest);
  subject.scores_used = static_cast<std::uint8_t>(std::min<std::size_t>(kScores, subject.scores_used + 1U));
  float sum = kWeakest * static_cast<float>(kScores - subject.scores_used);
  for (std::size_t i = 0; i < subject.scores_used; ++i) sum += subject.scores[i];

  const bool leaks_now = !ended && (was_leak || !rests) && now.leak_score >= 1 && sum >= static_cast<float>(kScores);
  const bool leaks_over_boots = folded.leak_score >= 1;
  const double strength = std::max(now.strength, folded.strength);
  subject.strength += (static_cast<float>(std::min(strength, 4.0)) - subject.strength) / kScores;

  const bool watched = (now.watch_score >= 1 && !ended && !rests) || folded.watch_score >= 1;
  subject.watch_judgements =
      watched ? static_cast<std::uint16_t>(std::min<std::int64_t>(subject.watch_judgements + judged_steps_, 1000)) : 0;

  if (leaks_now || leaks_over_boots) {
    subject.verdict = Verdict::kLeak;
    subject.weak_judgements = 0;
    // Begin and detection are of one leak: what had ended and comes again is another.
    if (subject.first_detected_ms < 0 || was_ok) subject.first_detected_ms = state_.timeline.now_ms();
  } else if (was_leak) {
    const bool holds = (!ended && (now.leak_score >= kHolds || goes_on)) || folded.leak_score >= 0.5;
    const bool unknown =
        uptime_days < kTooYoungDays || std::isnan(subject.history.coarse[ring_slot(state_.judged_bucket, kCoarseBuckets)]);
    if (holds) subject.weak_judgements = 0;
    if (ended) subject.weak_judgements = std::max<std::uint16_t>(subject.weak_judgements, kLeakEndsAfter - kJudgementsPerDay);
    if (!holds && (ended || !unknown) && ++subject.weak_judgements >= kLeakEndsAfter) {
      subject.verdict = watched ? Verdict::kWatch : Verdict::kOk;
      subject.weak_judgements = 0;
    }
  } else if (subject.watch_judgements >= kWatchBeginsAfter) {
    if (was_ok) subject.first_detected_ms = -1;
    subject.verdict = Verdict::kWatch;
    subject.weak_judgements = 0;
  } else if (subject.verdict == Verdict::kWatch && !watched && ++subject.weak_judgements >= kWatchEndsAfter) {
    subject.verdict = Verdict::kOk;
    subject.weak_judgements = 0;
  }
  if (subject.verdict == Verdict::kOk) {
    subject.slope_per_day = subject.slope_error_per_day = 0;
    return;
  }
  // The slope of whichever evidence holds; of both, the surer.
  const Assessment* best = nullptr;
  if (now.leak_score >= kHolds || (now.watch_score >= 1 && subject.slope_per_day <= 0)) best = &now;
  if (folded.leak_score >= 0.5 &&
      (best == nullptr || now.leak_score < 1 || folded.slope_error_per_day < best->slope_error_per_day)) {
    best = &folded;
  }
  if (best != nullptr) {
    subject.slope_per_day = static_cast<float>(best->slope_per_day);
    subject.slope_error_per_day = static_cast<float>(best->slope_error_per_day);
  }
  if (lately && best != &folded) settle_pace(subject, *lately);
  // A begin that was told stays, unless the history clearly says another.
  if (best == nullptr || (best == &now && ((was_leak && !now.other_begin) || (!was_ok && rests)))) return;
  const std::int64_t since = std::max(
      subject.first_seen_ms, state_.judged_bucket * kCoarseMs - static_cast<std::int64_t>(best->onset_days_ago * kDayMs));
  // The evidence of a new boot begins with it, the leak did not.
  if (subject.first_detected_ms < 0 || since <= subject.first_detected_ms) subject.since_ms = since;
  else subject.since_ms = std::min(subject.since_ms, subject.first_detected_ms);
}

}  // namespace kmem::trend
