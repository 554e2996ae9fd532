// links: kmem_history
#include "tests/fuzz/history_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kmem::fuzz::read_whole_history("", data, size);
  return 0;
}
