// The only way to know the time. Wall time is for what users see and what survives a restart; steady time is for
// intervals and never jumps. Thread: implementations are safe from any thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace kmem::base {

/// Milliseconds since 1970-01-01 UTC.
using UnixMillis = std::int64_t;
inline constexpr UnixMillis kSecondMillis = 1'000, kMinuteMillis = 60 * kSecondMillis, kHourMillis = 60 * kMinuteMillis,
                            kDayMillis = 24 * kHourMillis;
inline constexpr double kSecondsPerHour = 3'600, kSecondsPerDay = 24 * kSecondsPerHour;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual UnixMillis wall() const = 0;
  [[nodiscard]] virtual std::chrono::nanoseconds steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] UnixMillis wall() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  [[nodiscard]] std::chrono::nanoseconds steady() const override { return std::chrono::steady_clock::now().time_since_epoch(); }
};

}  // namespace kmem::base
