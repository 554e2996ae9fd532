#include "collectors/guarded_frames.h"
#include "collectors/live_frames.h"
#include "collectors/windows/windows_frames_win32.h"

namespace kmem {

std::string_view live_kernel() { return "windows"; }

base::Result<std::unique_ptr<FrameSource>> make_live_frames(const config::Source& source, const base::Clock& clock) {
  return make_guarded_frames([source, &clock] { return windows::make_windows_frames(source, clock); }, System::kWindows);
}

}  // namespace kmem
