// One thread sleeps until another rings. What a condition variable does in six system calls for a question and its
// answer (its mutex comes back as one that others wait for, so that each unlock calls the kernel) is four here.
// Thread: one waits at a time, any may ring. Failure: none; rings that nobody waited for are one ring.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace kmem::base {

class Bell {
 public:
  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  /// Its caller writes before what the one that wakes shall see.
  void ring();
  /// Until it rings or has rung; false: it is later than `until` and has not.
  bool wait_until(std::chrono::steady_clock::time_point until);
  void wait() {
    while (!wait_until(std::chrono::steady_clock::time_point::max())) {}
  }

 private:
#ifdef _WIN32
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;
#else
  std::atomic<std::uint32_t> state_{0};
#endif
};

}  // namespace kmem::base
