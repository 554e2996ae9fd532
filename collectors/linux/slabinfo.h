// STAGE 1: text of /proc/slabinfo 2.x -> one tag a cache: bytes = num_slabs x pagesperslab x page size, outstanding =
// active objects. Pool by `reclaim` (part "kmem/slab_reclaim", may be empty), else by a table of names.
// Thread: pure. Failure: kMalformed for another version or when no row can be understood; single bad rows are
// skipped and counted in the result.
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::linux {

struct SlabRow {
  std::string_view cache;
  std::uint64_t active_objects = 0;
  std::uint64_t pages_per_slab = 0;
  std::uint64_t slabs = 0;
};

/// False for the version line, the column heading and empty lines.
[[nodiscard]] bool is_slab_row(std::string_view line);
[[nodiscard]] bool parse_slab_row(std::string_view line, SlabRow& row);
/// False when they are more than can be told.
[[nodiscard]] bool slab_bytes(const SlabRow& row, std::uint64_t page_bytes, std::uint64_t& bytes);

/// Gives the number of refused rows.
base::Result<std::uint64_t> parse_slabinfo(std::string_view text, std::string_view reclaim, std::uint32_t page_bytes,
                                           Snapshot& out);

}  // namespace kmem::linux
