#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "exporter/trend/daily.h"
#include "exporter/trend/engine.h"

namespace kmem::trend {
namespace {

std::string count_words(double count, std::string_view one) {
  const auto whole = static_cast<std::uint64_t>(std::ceil(count - 1e-9));
  return std::to_string(whole) + " more " + std::string(one) + (whole == 1 ? "" : "s");
}

}  // namespace

/// Above its own lowest in this boot, of what may leak.
std::optional<Readiness::Growth> TrendEngine::largest_growth() const {
  std::optional<Readiness::Growth> largest;
  const std::int64_t now_ms = state_.timeline.now_ms(), boot = state_.timeline.boots().back().first_bucket;
  for (std::size_t slot = 0; slot < state_.open.size(); ++slot) {
    const Subject& subject = *state_.subjects[slot];
    // A pool is named by its tags.
    if (!subject.may_leak() || (subject.kind != Kind::kTag && subject.kind != Kind::kCommit)) continue;
    const Open& open = state_.open[slot];
    float low = open.coarse;
    std::int64_t low_bucket = state_.coarse_bucket;
    for (std::int64_t bucket = std::max(boot, state_.coarse_bucket - kCoarseBuckets + 1); bucket < state_.coarse_bucket; ++bucket) {
      const float floor = subject.history.coarse[ring_slot(bucket, kCoarseBuckets)];
      if (floor < low || std::isnan(low)) low = floor, low_bucket = bucket;
    }
    const double amount = static_cast<double>(open.last) - static_cast<double>(low);
    if (!(amount > 0) || (largest && amount <= largest->amount)) continue;
    const std::int64_t since_ms = std::max(low_bucket * kCoarseMs, subject.first_seen_ms);
    largest = {subject.kind, subject.pool, subject.text, amount, static_cast<double>(now_ms - since_ms) / 1000};
  }
  return largest;
}

Readiness TrendEngine::readiness() const {
  Readiness readiness;
  readiness.days_lacking = Readiness::kNeededDays;
  if (!state_.timeline.started()) return readiness;
  const std::int64_t first_bucket = state_.judged_bucket - kCoarseBuckets + 1;
  std::array<float, kCoarseBuckets> seen;  // 0, or NaN where nothing was
  for (std::int64_t i = 0; i < kCoarseBuckets; ++i) {
    const std::size_t at = ring_slot(first_bucket + i, kCoarseBuckets);
    const bool any = std::any_of(state_.subjects.begin(), state_.subjects.end(),
                                 [at](const auto& subject) { return !std::isnan(subject->history.coarse[at]); });
    seen[static_cast<std::size_t>(i)] = any ? 0 : kNothing;
  }
  const std::vector<Timeline::Boot>& boots = state_.timeline.boots();
  std::size_t long_boots = 0, buckets_in_all = 0;
  for (std::size_t i = 0; i < boots.size(); ++i) {
    const bool running = i + 1 == boots.size();
    const std::int64_t end = running ? state_.judged_bucket + 1 : boots[i + 1].first_bucket;
    const std::int64_t from = std::clamp(judged_from(boots[i]), first_bucket, std::max(first_bucket, end));
    const std::span<const float> floors =
        std::span(seen).subspan(static_cast<std::size_t>(from - first_bucket), static_cast<std::size_t>(std::max<std::int64_t>(end - from, 0)));
    const auto is_seen = [](float floor) { return !std::isnan(floor); };
    const auto begin = std::find_if(floors.begin(), floors.end(), is_seen);
    const auto known = static_cast<std::size_t>(std::count_if(begin, floors.end(), is_seen));
    const Points points = daily_floors(floors);
    const double whole_days = points.count == 0 ? 0 : points.span_days() + 1;
    readiness.judged = readiness.judged || (points.count >= Readiness::kNeededReadings && whole_days >= Readiness::kNeededDays);
    if (static_cast<double>(known) >= kFewestDaysOfABoot * kBucketsPerDay) ++long_boots, buckets_in_all += known;
    if (!running) continue;
    readiness.readings = points.count;
    readiness.days = static_cast<double>(floors.end() - begin) / kBucketsPerDay;
    const double readings_lacking = static_cast<double>(Readiness::kNeededReadings) - static_cast<double>(points.count);
    readiness.days_lacking = std::max({Readiness::kNeededDays - readiness.days, readings_lacking * points.spacing, 1.0 / kBucketsPerDay});
    if (begin == floors.end())  // the warm-up goes on
      readiness.days_lacking += static_cast<double>(std::max<std::int64_t>(judged_from(boots[i]) - state_.judged_bucket - 1, 0)) / kBucketsPerDay;
  }
  readiness.judged = readiness.judged || (long_boots >= kFewestBoots &&
                                          static_cast<double>(buckets_in_all) >= kFewestDaysInAll * kBucketsPerDay);
  if (readiness.judged) readiness.days_lacking = 0;
  else readiness.largest = largest_growth();
  return readiness;
}

std::string readiness_words(const Readiness& readiness) {
  if (readiness.judged) return {};
  const double days = readiness.days_lacking;
  // Readings that come once a week lack in number, not in days.
  if (readiness.days >= Readiness::kNeededDays && readiness.readings < Readiness::kNeededReadings)
    return "telling a leak takes readings on " + std::to_string(Readiness::kNeededReadings) + " days, there " +
           (readiness.readings == 1 ? "is " : "are ") + std::to_string(readiness.readings);
  const bool in_hours = days < 2;
  return "telling a leak takes " + count_words(in_hours ? days * 24 : days, in_hours ? "hour" : "day") + " of readings";
}

}  // namespace kmem::trend
