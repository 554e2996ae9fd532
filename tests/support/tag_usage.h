// A tag's usage, of a kernel that counts no allocations.
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/snapshot.h"

namespace kmem::test {

inline TagUsage tag_usage(Pool pool, std::string_view tag, std::uint64_t bytes, std::uint64_t outstanding = 1) {
  TagUsage usage;
  usage.pool = pool;
  usage.tag = tag;
  usage.key = tag_key(pool, tag);
  usage.bytes = bytes;
  usage.outstanding = outstanding;
  return usage;
}

}  // namespace kmem::test
