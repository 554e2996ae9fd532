// links: kmem_history
#include "tests/fuzz/history_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // What has a header of its own keeps it.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool has_one = text.starts_with("(PDH-");
  kmem::fuzz::read_whole_history(has_one ? "" : "\"(PDH-CSV 4.0) (GMT)(0)\",", data, size);
  return 0;
}
