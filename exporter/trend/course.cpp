#include <algorithm>
#include <cmath>

#include "exporter/trend/engine.h"

namespace kmem::trend {

std::optional<Course> TrendEngine::course(Kind kind, Pool pool, std::string_view text) const {
  const std::uint32_t slot = find_slot(kind, pool, text);
  if (slot == base::FlatIndex::kNone) return std::nullopt;
  const History& history = state_.subjects[slot]->history;
  Course course;
  const std::int64_t coarse_first = state_.judged_bucket - kCoarseBuckets + 1;
  const std::int64_t fine_first = state_.fine_bucket - static_cast<std::int64_t>(kFineBuckets);
  course.floors_start = state_.timeline.to_wall(coarse_first * kCoarseMs);
  course.recent_start = state_.timeline.to_wall(fine_first * kHourMs);
  unroll(history.coarse, state_.judged_bucket, course.floors);
  unroll(history.fine, state_.fine_bucket - 1, course.recent);
  std::array<std::uint16_t, kCoarseBuckets> counts;
  unroll_counts(history.coarse, state_.judged_bucket, counts);
  std::transform(counts.begin(), counts.end(), course.outstanding.begin(), ShortCount::unpack);
  for (float& floor : course.floors) floor = std::abs(floor);
  for (float& floor : course.recent) floor = std::abs(floor);
  course.fives = state_.recent.lines(slot).fives;
  const std::int64_t open_five = state_.timeline.now_ms() / Recent::kFiveMs;
  course.fives_start = state_.timeline.to_wall((open_five - static_cast<std::int64_t>(Recent::kFives)) * Recent::kFiveMs);
  for (float& floor : course.fives) floor = std::abs(floor);
  return course;
}

std::vector<base::UnixMillis> TrendEngine::boot_times() const {
  std::vector<base::UnixMillis> times;
  for (const Timeline::Boot& boot : state_.timeline.boots())
    if (boot.start_known) times.push_back(state_.timeline.to_wall(boot.start_ms));
  return times;
}

}  // namespace kmem::trend
