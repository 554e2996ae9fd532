// STAGE 3, inside: wall and boot time -> the history's own time, which never runs backwards and is cut into boots.
// BootClock says what a boot is. A clock that was set is no time gone by; one that was set back stands still until told
// otherwise. A silence of more than six weeks counts as two weeks and a new boot, so that one absurd date cannot flush
// the history. Thread: value type. Failure: none; every pair of times gives a moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "collectors/base/boot_clock.h"
#include "collectors/base/clock.h"
#include "collectors/base/result.h"
#include "collectors/base/wire.h"

namespace kmem::trend {

inline constexpr std::int64_t kHourMs = base::kHourMillis;
inline constexpr std::int64_t kCoarseMs = 4 * kHourMs;
inline constexpr std::int64_t kDayMs = base::kDayMillis;

class Timeline {
 public:
  struct Boot {
    std::int64_t start_ms = 0;      // history's time
    std::int64_t first_bucket = 0;  // coarse bucket in which its floors begin
    bool start_known = false;       // else it was up before the history began, or nobody said
  };
  static constexpr std::size_t kMaxBoots = 128;
  static constexpr std::int64_t kEarliestMs = -(std::int64_t{1} << 55);  // no moment of a history lies before
  static constexpr std::int64_t kLongestSilenceMs = 42 * kDayMs;         // people look once a month
  static constexpr std::int64_t kAbsurdSilenceMs = 14 * kDayMs;          // what a longer one counts as

  struct Moment {
    std::int64_t at_ms = 0;
    bool new_boot = false;
  };
  /// `boot_start`: about when the boot began, where it has no boot time.
  Moment advance(const base::BootReading& reading, std::optional<base::UnixMillis> boot_start = {});
  Moment advance(base::UnixMillis wall, std::optional<base::UnixMillis> boot_time) { return advance({wall, boot_time, 0}); }

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] std::int64_t now_ms() const { return now_ms_; }
  [[nodiscard]] base::UnixMillis to_wall(std::int64_t at_ms) const { return at_ms + offset_ms_; }
  [[nodiscard]] const std::vector<Boot>& boots() const { return boots_; }
  [[nodiscard]] std::uint64_t clock_jumps_total() const { return clock_jumps_total_; }

  void save(base::WireWriter& out) const;
  [[nodiscard]] static std::optional<Timeline> load(base::WireReader& in);

 private:
  void begin_boot(std::optional<base::UnixMillis> start);

  bool started_ = false;
  std::int64_t now_ms_ = 0;
  std::int64_t offset_ms_ = 0;  // wall - history's time
  base::UnixMillis last_wall_ = 0;
  base::BootClock boot_clock_;
  std::vector<Boot> boots_;
  std::uint64_t clock_jumps_total_ = 0;
};

}  // namespace kmem::trend
