#include "collectors/base/bell.h"

namespace kmem::base {

void Bell::ring() {
  {
    const std::scoped_lock lock(mutex_);
    rung_ = true;
  }
  changed_.notify_one();
}

bool Bell::wait_until(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  const auto has_rung = [this] { return rung_; };
  // To wait until the end of time overflows in some libraries, and winpthreads waits for ever for a time below 0.
  if (until == std::chrono::steady_clock::time_point::max()) changed_.wait(lock, has_rung);
  else if (until > std::chrono::steady_clock::now()) changed_.wait_until(lock, until, has_rung);
  const bool rung = rung_;
  rung_ = false;
  return rung;
}

}  // namespace kmem::base
