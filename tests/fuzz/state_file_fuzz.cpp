// links: kmem_base
#include <cstdint>

#include "collectors/base/state_file.h"
#include "collectors/base/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto state = kmem::base::decode_state(bytes, "SELM");
  if (state && kmem::base::encode_state("SELM", state->version, state->payload) != bytes) __builtin_trap();
  kmem::base::WireReader in(bytes);
  for (std::size_t left = in.count(2, 1000); left > 0 && in.ok(); --left) {
    (void)in.string(64);
    (void)in.fixed<std::uint32_t>();
    (void)in.varint();
  }
  if (in.finish().ok() && in.offset() != size) __builtin_trap();
  return 0;
}
