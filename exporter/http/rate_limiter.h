// Stage 6: a bucket of requests that fills up again at an even pace. Thread: one. Failure: none.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "config/web_security.h"

namespace kmem::http {

class RateLimiter {
 public:
  explicit RateLimiter(const config::RateLimit& limit)
      : interval_(std::min(limit.interval, kMost)),
        full_(std::min<std::int64_t>(static_cast<std::int64_t>(limit.burst), kMost / interval_) * interval_), left_(full_) {}

  bool allow(std::chrono::nanoseconds now) {
    if (has_begun_) left_ = std::min(full_, left_ + std::min(now - last_, kMost));
    has_begun_ = true;
    last_ = now;
    if (left_ < interval_) return false;
    left_ -= interval_;
    return true;
  }

 private:
  // Counted in the time that they take to come back.
  static constexpr std::chrono::nanoseconds kMost = std::chrono::hours(24 * 365 * 100);  // sums of two of them fit
  std::chrono::nanoseconds interval_, full_, left_;
  std::chrono::nanoseconds last_{};
  bool has_begun_ = false;
};

}  // namespace kmem::http
