// A clock that stands until the test moves it. Thread: one moves it, any reads it.
#pragma once

#include <atomic>
#include <chrono>

#include "collectors/base/clock.h"

namespace kmem::test {

class ManualClock final : public base::Clock {
 public:
  explicit ManualClock(base::UnixMillis wall = 1'700'000'000'000) : start_(wall), wall_(wall) {}
  [[nodiscard]] base::UnixMillis wall() const override { return wall_; }
  [[nodiscard]] std::chrono::nanoseconds steady() const override { return steady_; }
  /// As an administrator sets it; intervals are not touched.
  void set_wall(std::chrono::nanoseconds by) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(by).count();
    start_ += ms;
    wall_ += ms;
  }
  void advance(std::chrono::nanoseconds by) {
    steady_ = steady() + by;
    wall_ = start_ + std::chrono::duration_cast<std::chrono::milliseconds>(steady() - kStart).count();
  }

 private:
  static constexpr std::chrono::nanoseconds kStart = std::chrono::hours(1);
  base::UnixMillis start_;
  std::atomic<base::UnixMillis> wall_;
  std::atomic<std::chrono::nanoseconds> steady_ = kStart;
};

}  // namespace kmem::test
