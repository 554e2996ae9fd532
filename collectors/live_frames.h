// The kernel this program runs on, one definition a system: its name in the configuration and its frames.
// Thread: one. Failure: the source's own.
#pragma once

#include <memory>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/base/result.h"
#include "collectors/frame_source.h"
#include "config/config.h"

namespace kmem {

[[nodiscard]] std::string_view live_kernel();
[[nodiscard]] base::Result<std::unique_ptr<FrameSource>> make_live_frames(const config::Source& source,
                                                                          const base::Clock& clock);

}  // namespace kmem
