#include "collectors/guarded_frames.h"
#include "collectors/linux/linux_frames_posix.h"
#include "collectors/live_frames.h"

namespace kmem {

std::string_view live_kernel() { return "linux"; }

base::Result<std::unique_ptr<FrameSource>> make_live_frames(const config::Source& source, const base::Clock& clock) {
  return make_guarded_frames([source, &clock] { return linux::make_linux_frames(source, clock); }, System::kLinux);
}

}  // namespace kmem
