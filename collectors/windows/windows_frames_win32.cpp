#include "collectors/windows/windows_frames_win32.h"

#include "collectors/windows/nt_query_win32.h"
#include "collectors/windows/registry_win32.h"
#include "collectors/windows/system_facts_win32.h"
#include "collectors/windows/system_log_win32.h"
#include "collectors/windows/windows_frames.h"

namespace kmem::windows {

std::unique_ptr<FrameSource> make_windows_frames(const config::Source& source, const base::Clock& clock) {
  auto frames =
      std::make_unique<WindowsFrames>(make_nt_query(), make_registry(), source.collectors, clock, std::uint8_t{sizeof(void*)});
  frames->add_system(make_system_probe(), make_system_log());
  return frames;
}

}  // namespace kmem::windows
