// Local times without a zone, beside an uptime -> the same without the hour that summer time puts in at its beginning
// and takes out at its end. Uptime goes on evenly: a clock that moves by half an hour or an hour against it has changed
// its zone. Thread: one. Failure: none; where there is no uptime the last shift holds.
#pragma once

#include <cstdint>
#include <optional>

#include "collectors/base/clock.h"

namespace kmem::history {

class UptimeShift {
 public:
  /// `time` as its zone was at first.
  [[nodiscard]] base::UnixMillis place(base::UnixMillis time, std::optional<std::int64_t> uptime_ms);
  /// Where nothing tells an uptime and readings come in even steps: a clock that goes back by an hour but for a step, in the
  /// first hours of a Sunday; or, of steps above an hour, one over these hours that is an hour shorter or longer than the one
  /// before it. `local`: the same time as it is written.
  [[nodiscard]] base::UnixMillis place_in_steps(base::UnixMillis time, base::UnixMillis local);
  [[nodiscard]] bool any() const { return any_; }
  /// What comes has its zone told anew.
  void begin_anew() { shift_ms_ = 0; }

 private:
  std::int64_t shift_ms_ = 0;
  base::UnixMillis last_time_ = 0;
  std::int64_t step_ms_ = 0, step_before_ms_ = 0;
  std::optional<std::int64_t> last_uptime_ms_;
  bool any_ = false;
};

/// For the notes.
inline constexpr const char* kStepShiftNote =
    "a step of its clock is an hour shorter or longer than the one before it, early on a Sunday, as where summer time ends or "
    "begins: what follows is placed as if it were as long";
inline constexpr const char* kUptimeShiftNote =
    "its clock moved by a half or a whole hour against the uptime, as at the end of summer time: times are placed by the uptime";

}  // namespace kmem::history
