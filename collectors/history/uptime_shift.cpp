#include "collectors/history/uptime_shift.h"

#include <algorithm>
#include <cstdlib>

#include "collectors/base/clock.h"
#include "collectors/history/date_line.h"

namespace kmem::history {
namespace {

constexpr std::int64_t kHalfHourMs = base::kHourMillis / 2;
constexpr std::int64_t kSlackMs = 90'000;  // some uptimes tell minutes
constexpr std::int64_t kMostHalfHours = 2;

}  // namespace

base::UnixMillis UptimeShift::place(base::UnixMillis time, std::optional<std::int64_t> uptime_ms) {
  time += shift_ms_;
  if (!uptime_ms) return time;
  if (last_uptime_ms_ && *uptime_ms >= *last_uptime_ms_) {
    const std::int64_t ahead = (time - last_time_) - (*uptime_ms - *last_uptime_ms_);
    const std::int64_t halves = (ahead + (ahead < 0 ? -kHalfHourMs : kHalfHourMs) / 2) / kHalfHourMs;
    if (halves != 0 && std::abs(halves) <= kMostHalfHours && std::abs(ahead - halves * kHalfHourMs) <= kSlackMs) {
      shift_ms_ -= halves * kHalfHourMs;
      time -= halves * kHalfHourMs;
      any_ = true;
    }
  }
  last_time_ = time;
  last_uptime_ms_ = uptime_ms;
  return time;
}

base::UnixMillis UptimeShift::place_in_steps(base::UnixMillis time, base::UnixMillis local) {
  time += shift_ms_;
  const std::int64_t step = time - last_time_;
  constexpr std::int64_t kLatestMs = 8 * kHalfHourMs;
  const bool may_change =
      weekday_at(local) == 0 && (local % base::kDayMillis + base::kDayMillis) % base::kDayMillis < kLatestMs;
  if (may_change && last_time_ != 0 && step <= 0 && step_ms_ > 0 &&
      std::abs(step + 2 * kHalfHourMs - step_ms_) <= std::min(step_ms_ / 2, kSlackMs)) {
    shift_ms_ += 2 * kHalfHourMs;
    time += 2 * kHalfHourMs;
    any_ = true;
  }
  if (last_time_ != 0 && time > last_time_) step_ms_ = time - last_time_;
  last_time_ = time;
  return time;
}

}  // namespace kmem::history
