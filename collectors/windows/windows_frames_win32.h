// STAGE 1: this machine's kernel as a FrameSource.
#pragma once

#include <memory>

#include "collectors/base/clock.h"
#include "collectors/frame_source.h"
#include "config/config.h"

namespace kmem::windows {

/// `clock` must outlive the source.
[[nodiscard]] std::unique_ptr<FrameSource> make_windows_frames(const config::Source& source, const base::Clock& clock);

}  // namespace kmem::windows
