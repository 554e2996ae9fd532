#include "collectors/base/boot_clock.h"

#include <algorithm>
#include <cstdlib>

namespace kmem::base {
namespace {

constexpr std::int64_t kJitterMs = 5'000;               // kernels and recorders tell boot times to the second
constexpr std::int64_t kWobbleMs = 10 * kMinuteMillis;  // recorders that take the two times apart
constexpr std::int64_t kLongSilenceMs = 14 * kDayMillis, kLongIntervalMs = 7 * kHourMillis;
constexpr std::int64_t kFarthestMs = std::int64_t{1} << 53;

UnixMillis bounded(UnixMillis ms) { return std::clamp(ms, -kFarthestMs, kFarthestMs); }

}  // namespace

BootClock::BootClock(const BootReading& last) {
  if (last.boot_time) timed_ = BootReading{bounded(last.time), bounded(*last.boot_time), 0};
}

bool BootClock::is_reboot(const BootReading& now) const {
  const BootReading& then = *timed_;
  const std::int64_t shift = *now.boot_time - *then.boot_time;
  if (std::abs(shift) <= kJitterMs) return false;
  const std::int64_t uptime = now.time - *now.boot_time, before = then.time - *then.boot_time;
  const std::int64_t gained = uptime - before, wall = now.time - then.time;
  const bool began_later = *now.boot_time >= then.time - kJitterMs;
  if (gained < -kJitterMs)  // what is small and did not begin after the last look is the recorder's
    return began_later || std::abs(gained) > kWobbleMs || std::abs(shift) > kWobbleMs;
  if (!began_later) return false;
  if (gained <= 0) return true;
  if (interval_ms_ && std::abs(gained - *interval_ms_) <= std::max<std::int64_t>(1'000, *interval_ms_ / 20)) return false;
  return wall <= kLongSilenceMs || gained >= kLongIntervalMs;
}

BootClock::News BootClock::advance(const BootReading& given, bool one_process) {
  BootReading now = given;
  now.time = bounded(now.time);
  if (now.boot_time) now.boot_time = bounded(*now.boot_time);
  News news;
  const bool timed = now.boot_time && timed_;
  if (now.number != 0 && number_ != 0) {
    news.new_boot = now.number != number_;
  } else if (timed && !one_process) {
    news.new_boot = is_reboot(now);
  }
  if (news.new_boot) {
    timed_.reset();
    interval_ms_.reset();
  } else if (timed) {
    news.clock_step_ms = *now.boot_time - *timed_->boot_time;
    const std::int64_t gained = now.time - timed_->time - news.clock_step_ms;
    if (gained > 0) interval_ms_ = gained;
  }
  if (now.boot_time) timed_ = now;
  if (now.number != 0) number_ = now.number;
  return news;
}

}  // namespace kmem::base
