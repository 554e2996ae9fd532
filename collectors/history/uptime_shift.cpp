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
  constexpr std::int64_t kHour = base::kHourMillis, kLatestMs = 4 * kHour;
  const base::UnixMillis before = local - (time + shift_ms_ - last_time_);  // the last one, as it would be written now
  time += shift_ms_;
  const std::int64_t step = time - last_time_;
  const auto is_near = [&](std::int64_t wanted) { return std::abs(step - wanted) <= std::min(step_ms_ / 2, kSlackMs); };
  const base::UnixMillis sunday = local - ((local % base::kDayMillis) + base::kDayMillis) % base::kDayMillis;
  const bool is_sunday = weekday_at(local) == 0;
  // Two steps that are alike: behind a missed reading the usual one is no shorter one.
  const bool is_even = step_before_ms_ != 0 && std::abs(step_ms_ - step_before_ms_) <= std::min(step_ms_ / 2, kSlackMs);
  if (last_time_ != 0 && step_ms_ > 0 && is_sunday) {
    const bool goes_back = step <= 0 && local - sunday < kLatestMs && is_near(step_ms_ - kHour);
    // Longer steps go over the hour. One of two hours may as well lack a reading between.
    const bool goes_over = step_ms_ > kHour + kSlackMs && step > 0 && step < base::kDayMillis && before < sunday + kLatestMs;
    const std::int64_t shift = goes_back || (goes_over && is_even && is_near(step_ms_ - kHour)) ? kHour
                               : goes_over && is_near(step_ms_ + kHour)                         ? -kHour
                                                                                                : 0;
    shift_ms_ += shift;
    time += shift;
    any_ |= shift != 0;
  }
  if (last_time_ != 0 && time > last_time_) {
    step_before_ms_ = step_ms_;
    step_ms_ = time - last_time_;
  }
  last_time_ = time;
  return time;
}

}  // namespace kmem::history
