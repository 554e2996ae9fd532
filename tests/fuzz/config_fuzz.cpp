// links: kmem_config
// Any bytes as configuration and as web configuration: no crash, bounded faults, and what is accepted can be printed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/knobs.h"
#include "config/load.h"
#include "config/web_config.h"
#include "config/yaml_document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kmem::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
#ifdef KMEM_LIBFUZZER
  // The parser costs most, and a file is of one kind; long ones teach it nothing new.
  if (size > 1024) return 0;
  if (size % 2 == 0) {
    if (load_web_config(text, "fuzz.yml").faults.size() > kMaxFaults + 1) std::abort();
    return 0;
  }
  const WebLoadResult web;
#else
  const WebLoadResult web = load_web_config(text, "fuzz.yml");
#endif
  const LoadResult loaded = load(text, "fuzz.yml");
  if (loaded.faults.size() > kMaxFaults + 1 || web.faults.size() > kMaxFaults + 1) std::abort();
  for (const Fault& fault : loaded.faults)
    if (fault.message.size() > 1000 || fault.place.line < 0 || fault.place.column < 0) std::abort();
  // Faults or a value for every knob that the knob itself would take again.
  if (loaded.ok()) {
    for (const KnobInfo& knob : knobs())
      if (knob_text(loaded.config, knob).empty()) std::abort();
  }
  return 0;
}
