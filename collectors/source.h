// STAGE 1: kernel or recording -> Snapshot, by the parsers of the frame's system. Thread: one caller at a time.
// Failure: a part that fails is a PartStatus inside the Snapshot; an Error means that nothing at all could be read.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "collectors/base/result.h"
#include "collectors/frame_source.h"
#include "collectors/raw_frame.h"
#include "collectors/snapshot.h"

namespace kmem {

class KernelSource {
 public:
  virtual ~KernelSource() = default;
  virtual base::Result<void> read(Snapshot& out) = 0;
  /// The same within bounded time, where the source can.
  virtual base::Result<void> read_within(Snapshot& out, const Patience&) { return read(out); }
  /// What was read last, without the old figures of parts that do not answer now. After a reading that gave some.
  virtual void last_without_old(Snapshot& out) { out.clear(); }
  virtual bool advance() { return true; }
  virtual void resume_events(const EventCursor&) {}
  virtual void want_object_handles(bool) {}
  [[nodiscard]] virtual bool is_live() const { return false; }
  /// Those who wait get their answer now; from any thread.
  virtual void stop_waiting() {}
};

/// The raw frame's parsers for its system. Any bytes in, no crash; parts that cannot be understood are said so.
void parse_frame(const RawFrame& frame, Snapshot& out);

/// The pools' limits and the trim threshold, as far as settings of the system make them, anew by these. What has no limit
/// gets none.
void limit_by_settings(Snapshot& snapshot, std::span<const Setting> settings);

/// "Windows 5.2 (x86)", "Linux (x86_64)"; updates of a kernel are no other one.
[[nodiscard]] std::string system_words(const Snapshot& snapshot);
/// Whether two readings are hardly of one host, as far as they tell.
[[nodiscard]] bool is_other_system(const Snapshot& one, const Snapshot& other);

/// acquire, then parse_frame.
[[nodiscard]] std::unique_ptr<KernelSource> make_frame_backed_source(std::unique_ptr<FrameSource> frames);

}  // namespace kmem
