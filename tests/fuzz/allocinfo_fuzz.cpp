// links: kmem_linux
// Any bytes as /proc/allocinfo: read or refused, and a sound Snapshot either way.
#include "collectors/linux/allocinfo.h"

#include "tests/fuzz/linux_invariants.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kmem::Snapshot out;
  const auto skipped = kmem::linux::parse_allocinfo(kmem::fuzz::text_of(data, size), out);
  kmem::fuzz::require_sound(out);
  kmem::fuzz::require(skipped ? kmem::fuzz::is_sound_skipped(*skipped, size) : !skipped.error().message.empty());
  return 0;
}
