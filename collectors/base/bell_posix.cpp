#include "collectors/base/bell.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <thread>

namespace kmem::base {
namespace {

constexpr std::chrono::milliseconds kRefusedPause{1};  // between looks, where the kernel refuses to wait
constexpr std::uint32_t kSilent = 0, kRung = 1, kAwaited = 2;

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t) && std::atomic<std::uint32_t>::is_always_lock_free);

// Where long has 32 bits and time_t 64, SYS_futex would take the words of this timespec for those of the old one.
#ifdef SYS_futex_time64
constexpr long kFutex = sizeof(time_t) > sizeof(long) ? SYS_futex_time64 : SYS_futex;
#else
constexpr long kFutex = SYS_futex;
static_assert(sizeof(time_t) <= sizeof(long), "these headers know no futex for this timespec");
#endif

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* until) {
  return ::syscall(kFutex, &word, operation | FUTEX_PRIVATE_FLAG, value, until, nullptr, FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

void Bell::ring() {
  if (state_.exchange(kRung) == kAwaited) futex(state_, FUTEX_WAKE, 1, nullptr);
}

bool Bell::wait_until(std::chrono::steady_clock::time_point until) {
  using std::chrono::steady_clock;
  // libstdc++'s and libc++'s steady clock is CLOCK_MONOTONIC, by which this call of the futex measures.
  // A time before the boot, which the kernel refuses, has been as one at the boot has.
  const auto since_boot =
      std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::nanoseconds>(until.time_since_epoch()).count());
  timespec end{};
  end.tv_sec = static_cast<time_t>(since_boot / 1'000'000'000);
  end.tv_nsec = static_cast<long>(since_boot % 1'000'000'000);
  const bool for_ever = until == steady_clock::time_point::max();
  for (;;) {
    std::uint32_t silent = kSilent;
    if (!state_.compare_exchange_strong(silent, kAwaited) && silent == kRung) {
      state_ = kSilent;
      return true;
    }
    const long woken = futex(state_, FUTEX_WAIT_BITSET, kAwaited, for_ever ? nullptr : &end);
    const int error = woken == 0 ? 0 : errno;
    if (state_.exchange(kSilent) == kRung) return true;
    if (error == ETIMEDOUT) return false;
    // EAGAIN: it rang before the wait. A kernel or a filter of calls that refuses the call would have this loop spin.
    if (error != 0 && error != EINTR && error != EAGAIN) std::this_thread::sleep_for(kRefusedPause);
    if (error != 0 && !for_ever && steady_clock::now() >= until) return false;
  }
}

}  // namespace kmem::base
