// STAGE 1 from a recording: captures -> the frames in them, file after file in the order of their first frames' times.
// acquire gives the current frame, advance moves on; at the end the last frame stays. Thread: one.
// Failure: damage is logged once and ends that file's history there, the next file goes on; an Error only when a file
// cannot be opened or no file has a whole frame.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collectors/base/file_io.h"
#include "collectors/base/result.h"
#include "collectors/frame_source.h"

namespace kmem::replay {

[[nodiscard]] base::Result<std::unique_ptr<FrameSource>> make_replay_frames(base::FileSystem& files,
                                                                            const std::vector<std::string>& paths);

}  // namespace kmem::replay
