// links: kmem_windows
// An event as XML: what is understood has legal, bounded words.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/windows/logged_event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kmem::windows;
  const auto event = parse_event_xml({reinterpret_cast<const char*>(data), size});
  if (!event) return 0;
  if (event->provider.empty() || event->event_id > 0xFFFF || event->time < 0) std::abort();
  if (failure_kind(event->provider, event->event_id) == nullptr && !event->detail.empty()) std::abort();
  if (event->detail.size() > 4096) std::abort();
  for (const char c : event->detail)
    if (c < 0x20 || c > 0x7e) std::abort();
  return 0;
}
