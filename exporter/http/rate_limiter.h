// Stage 6: a bucket of requests that fills up again at an even pace. Thread: one. Failure: none.
#pragma once

#include <algorithm>
#include <chrono>

#include "config/web_security.h"

namespace kmem::http {

class RateLimiter {
 public:
  explicit RateLimiter(const config::RateLimit& limit)
      : full_(limit.burst * std::chrono::nanoseconds(limit.interval)), interval_(limit.interval), left_(full_) {}

  bool allow(std::chrono::nanoseconds now) {
    if (has_begun_) left_ = std::min(full_, left_ + (now - last_));
    has_begun_ = true;
    last_ = now;
    if (left_ < interval_) return false;
    left_ -= interval_;
    return true;
  }

 private:
  // Counted in the time that they take to come back.
  std::chrono::nanoseconds full_, interval_, left_;
  std::chrono::nanoseconds last_{};
  bool has_begun_ = false;
};

}  // namespace kmem::http
