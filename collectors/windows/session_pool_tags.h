// STAGE 1: class 67 (SystemSessionPoolTagInformation) -> one row a (session, pool, tag). Thread: pure.
// Blocks are chained by relative offsets that only go forward; what follows a broken link is counted as one skipped
// row. Some builds are said to answer without the offset in front of each block: bytes that are no chain but are
// exactly such blocks, end to end, are read so. A session that comes twice is refused and counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::windows {

inline constexpr std::size_t kMaxSessions = 1024;

/// Appends to `out`; gives the number of rows skipped.
[[nodiscard]] base::Result<std::uint64_t> parse_session_pool_tags(std::span<const std::byte> bytes, std::uint8_t pointer_bytes,
                                                                  std::vector<SessionTagUsage>& out);

}  // namespace kmem::windows
