// STAGE 1, around a live source: readings on a thread of their own, so that a call of the kernel that does not return
// stops nobody. A collector that is late keeps the thread it holds and reads there from then on, alone; a new source on
// a new thread reads the others. So a source that hangs costs one thread and its own figures, whatever happens to the
// others, and is back with its next answer.
//   source ──lane: all others──►┐
//   source ──lane: slabinfo ───►┴─► RawFrame, late parts with no_answer() and what they answered last
// Thread: one caller of acquire at a time; stop_waiting from any. Failure: an Error only when nothing at all is known.
#pragma once

#include <functional>
#include <memory>

#include "collectors/frame_source.h"

namespace kmem {

using MakeFrames = std::function<std::unique_ptr<FrameSource>()>;

/// What `make` holds outlives every thread that hangs. It is called again for each collector that is late for the first time.
[[nodiscard]] std::unique_ptr<FrameSource> make_guarded_frames(MakeFrames make, System system);

}  // namespace kmem
