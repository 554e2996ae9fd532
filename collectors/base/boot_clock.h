// The one rule that tells a reboot from a clock that was set: wall and boot time of two readings -> same boot or not.
// Uptime decides. When the clock is set, wall and boot time move together, and their difference goes on as it was; a boot
// begins it anew, after the reading before. Both may be possible: a clock set forward by more than the uptime, or a boot
// that is up for longer than the one before was. Then it is no boot within one process, nor where uptime went on by the
// usual interval. Thread: value type. Failure: none; every pair of times gives an answer.
#pragma once

#include <cstdint>
#include <optional>

#include "collectors/base/clock.h"

namespace kmem::base {

/// One reading's times, and what whoever reads the kernel was told of its boot.
struct BootReading {
  UnixMillis time = 0;
  std::optional<UnixMillis> boot_time = {};
  std::uint64_t number = 0;  // of the boot, as the component that tells everyone counts them; 0: nobody told
};

class BootClock {
 public:
  struct News {
    bool new_boot = false;
    std::int64_t clock_step_ms = 0;  // by how much the clock was set, as far as boot times show it
  };

  BootClock() = default;
  /// Goes on after `last`, a reading that an earlier run has kept.
  explicit BootClock(const BootReading& last);

  /// `one_process`: this reading and the last were made by one process of the kernel's own, which no boot outlives.
  News advance(const BootReading& reading, bool one_process = false);

  /// The last reading that had a boot time, of this boot.
  [[nodiscard]] const std::optional<BootReading>& timed() const { return timed_; }

 private:
  [[nodiscard]] bool is_reboot(const BootReading& now) const;

  std::uint64_t number_ = 0;
  std::optional<BootReading> timed_;
  std::optional<std::int64_t> interval_ms_;  // between the last two readings of one boot, by its uptime
};

}  // namespace kmem::base
