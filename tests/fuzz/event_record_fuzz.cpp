// links: kmem_windows
// An EVENTLOGRECORD: what is understood has legal text, and where a failure has no words, none were in its data.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "collectors/windows/logged_event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kmem::windows;
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto event = parse_event_record(bytes);
  if (event) {
    if (size < 58 || event->event_id > 0xFFFF || event->time < 0 || event->provider.size() > 256) std::abort();
    for (const std::string* text : {&event->provider, &event->detail})
      for (const char c : *text)
        if (c < 0x20 || c > 0x7e) std::abort();
    const FailureKind* const kind = failure_kind(event->provider, event->event_id);
    if (!event->detail.empty() && (kind == nullptr || kind->provider != kSrv)) std::abort();
  }
  if (const auto failure = decode_srv_data(bytes))
    if (size < 16 || failure->event_id < 2017 || failure->event_id > 2020 || srv_detail(bytes).empty()) std::abort();
  return 0;
}
