// STAGE 1: kernel or recording -> Snapshot.
// FrameSource gives raw frames (a live kernel, a capture); KernelSource gives Snapshots. Thread: one caller at a time.
// Failure: a part that fails is a PartStatus inside the Snapshot; an Error means that nothing at all could be read.
#pragma once

#include <memory>

#include "collectors/base/result.h"
#include "collectors/raw_frame.h"
#include "collectors/snapshot.h"

namespace kmem {

class FrameSource {
 public:
  virtual ~FrameSource() = default;
  /// Fills `frame` with the kernel's answers as of now (a capture: with the current frame). Buffers are reused.
  virtual base::Result<void> acquire(RawFrame& frame) = 0;
  /// Moves a recording on by one frame; false at its end, where the last frame stays. A live kernel: always true.
  virtual bool advance() { return true; }
  /// Where in an event log an earlier run has got to. Before the first acquire.
  virtual void resume_events(const EventCursor&) {}
  /// The kernel that this program runs on: all its readings are of one boot.
  [[nodiscard]] virtual bool is_live() const { return false; }
};

class KernelSource {
 public:
  virtual ~KernelSource() = default;
  virtual base::Result<void> read(Snapshot& out) = 0;
  virtual bool advance() { return true; }
  virtual void resume_events(const EventCursor&) {}
  [[nodiscard]] virtual bool is_live() const { return false; }
};

/// The raw frame's parsers for its system. Any bytes in, no crash; parts that cannot be understood are said so.
void parse_frame(const RawFrame& frame, Snapshot& out);

/// acquire, then parse_frame.
[[nodiscard]] std::unique_ptr<KernelSource> make_frame_backed_source(std::unique_ptr<FrameSource> frames);

}  // namespace kmem
