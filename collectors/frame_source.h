// STAGE 1, inside: a live kernel or a capture -> raw frames. Thread: one caller at a time.
// Failure: a part that fails is told inside the frame; an Error means that nothing at all could be read.
#pragma once

#include <chrono>
#include <string_view>

#include "collectors/base/result.h"
#include "collectors/raw_frame.h"
#include "collectors/snapshot.h"

namespace kmem {

/// How long a caller waits for a reading, which goes on without him.
struct Patience {
  std::chrono::nanoseconds whole{std::chrono::seconds(2)};  // for an answer, whatever is missing in it
  std::chrono::nanoseconds part{std::chrono::seconds(1)};   // after which a part counts as stuck
  bool come_back = false;                                   // when `whole` has passed: kBusy, and nothing counts as stuck
};

/// Asked by a live source on the thread that reads.
class PartGate {
 public:
  virtual ~PartGate() = default;
  /// Before each collector: whether to read it. `part` is the one that tells how it went; both are literals.
  virtual bool enter(std::string_view collector, std::string_view part) = 0;
};

class FrameSource {
 public:
  virtual ~FrameSource() = default;
  virtual void set_gate(PartGate*) {}
  /// Fills `frame` with the kernel's answers as of now (a capture: with the current frame). Buffers are reused.
  virtual base::Result<void> acquire(RawFrame& frame) = 0;
  /// The same within bounded time, where the source can: see guarded_frames.h.
  virtual base::Result<void> acquire_within(RawFrame& frame, const Patience&) { return acquire(frame); }
  /// Those who wait get their answer now; from any thread.
  virtual void stop_waiting() {}
  /// Moves a recording on by one frame; false at its end, where the last frame stays. A live kernel: always true.
  virtual bool advance() { return true; }
  /// Where in an event log an earlier run has got to. Before the first acquire.
  virtual void resume_events(const EventCursor&) {}
  /// Whether handles by type are asked for, which costs some milliseconds every 10 minutes. Of the caller of acquire.
  virtual void want_object_handles(bool) {}
  /// The kernel that this program runs on: all its readings are of one boot.
  [[nodiscard]] virtual bool is_live() const { return false; }
};

}  // namespace kmem
