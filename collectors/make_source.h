// The visible table of sources: a name of the configuration -> where frames come from. Adding a source = a row.
//   auto          the kernel this program runs on
//   linux         /proc and /sys, on Linux
//   windows       NtQuerySystemInformation, on Windows
//   replay:FILE   a capture of either, on both
// Thread: one. Failure: kInvalid with the names this build knows and the nearest one, kUnsupported for the other
// system's kernel, else the source's own Error.
#pragma once

#include <memory>

#include "collectors/base/clock.h"
#include "collectors/base/result.h"
#include "collectors/source.h"
#include "config/config.h"

namespace kmem {

/// `clock` outlives the source.
[[nodiscard]] base::Result<std::unique_ptr<FrameSource>> make_frames(const config::Source& source,
                                                                     const base::Clock& clock);

}  // namespace kmem
