// The visible table of sources: a name of the configuration -> where frames come from. Adding a source = a row.
//   auto          the kernel this program runs on
//   linux         /proc and /sys, on Linux
//   windows       NtQuerySystemInformation, on Windows
//   replay:FILE   a capture of either, on both; for make_kernel_source any recorded history (collectors/history)
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
[[nodiscard]] base::Result<std::unique_ptr<FrameSource>> make_frames(const config::Source& source, const base::Clock& clock);

/// The same table, as Snapshots. What a history skips and assumes is logged: assumptions at once, skips at its end.
[[nodiscard]] base::Result<std::unique_ptr<KernelSource>> make_kernel_source(const config::Source& source,
                                                                             const base::Clock& clock);

}  // namespace kmem
