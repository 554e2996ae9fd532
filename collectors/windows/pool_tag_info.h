// STAGE 1: class 22 or 255 (SystemPoolTagInformation) -> one row a (pool, tag). Thread: pure.
// The table is not a snapshot in time, and its 32-bit counters wrap. Rows that differ only in the protected-pool bit
// are one tag and are summed. A row with neither bytes nor live allocations is dead and left out. Live allocations are
// allocations minus frees, modulo the counter's width. A result in the upper half is torn (a free was counted before its
// allocation): then 0 are live, the row's bytes stay, and the row counts as skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::windows {

inline constexpr std::size_t kMaxTagRows = 65'536;  // a busy Windows has 3,000

/// `info_class` is kPoolTagClass or kPoolTag2Class. Appends to `out`; gives the number of rows skipped, of which are
/// also those that the table claims but does not hold.
[[nodiscard]] base::Result<std::uint64_t> parse_pool_tags(std::span<const std::byte> bytes, std::uint32_t info_class,
                                                          std::uint8_t pointer_bytes, std::vector<TagUsage>& out);

/// The same for bare rows of class 22, without their count; gives how many were torn.
std::uint64_t append_tag_rows(std::span<const std::byte> bytes, std::uint8_t pointer_bytes, std::vector<TagUsage>& out);

}  // namespace kmem::windows
