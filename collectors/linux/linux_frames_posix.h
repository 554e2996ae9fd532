// STAGE 1: this machine's kernel -> raw frames, parts by config::Collectors. Files that are read at every scrape stay
// open; what hardly ever changes (boot time, vm.* settings) is read once a minute; the count of descriptors takes at
// most a thousandth of one CPU. Thread: one caller at a time. Failure: an Error when procfs is not there, else the
// part's errno.
#pragma once

#include <memory>

#include "collectors/base/clock.h"
#include "collectors/frame_source.h"
#include "collectors/linux/proc_root.h"
#include "config/config.h"

namespace kmem::linux {

/// The roots are config.procfs and config.sysfs. The clock has to outlive the source.
[[nodiscard]] std::unique_ptr<FrameSource> make_linux_frames(const config::Source& config, const base::Clock& clock);

/// The same over given roots.
[[nodiscard]] std::unique_ptr<FrameSource> make_linux_frames(const config::Source& config, const base::Clock& clock,
                                                             std::unique_ptr<ProcRoot> procfs, std::unique_ptr<ProcRoot> sysfs);

}  // namespace kmem::linux
