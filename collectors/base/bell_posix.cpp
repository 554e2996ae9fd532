#include "collectors/base/bell.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace kmem::base {
namespace {

constexpr std::uint32_t kSilent = 0, kRung = 1, kAwaited = 2;

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t) && std::atomic<std::uint32_t>::is_always_lock_free);

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* until) {
  return ::syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, until, nullptr, FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

void Bell::ring() {
  if (state_.exchange(kRung) == kAwaited) futex(state_, FUTEX_WAKE, 1, nullptr);
}

bool Bell::wait_until(std::chrono::steady_clock::time_point until) {
  using std::chrono::steady_clock;
  // libstdc++'s and libc++'s steady clock is CLOCK_MONOTONIC, by which this call of the futex measures.
  const auto since_boot = std::chrono::duration_cast<std::chrono::nanoseconds>(until.time_since_epoch()).count();
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
    const bool is_late = woken != 0 && errno == ETIMEDOUT;
    if (state_.exchange(kSilent) == kRung) return true;
    if (is_late) return false;
  }
}

}  // namespace kmem::base
