// STAGE 1: class 66 (SystemBigPoolInformation), every allocation of a page and more -> sums by pool and tag, as text in a
// RawFrame ("kmem/big_pool"), because the table may have a hundred thousand rows. The text is "rows=N", "skipped=N", then
// lines "POOL TAG ALLOCATIONS BYTES", most bytes first: POOL is p, n or ?, TAG the eight hexadecimal digits of its bytes.
// A row's lowest bit of address says nonpaged. Windows 11 24H2 gives no addresses to who has not SeDebugPrivilege
// enabled: where all are 0 the pool is not told (?), and the tags' own table decides, if it has the tag in one pool only.
// Thread: pure. Failure: shorter than its head is kMalformed; rows beyond the bytes and freed ones are passed over, those
// that are claimed and not there are counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::windows {

inline constexpr std::size_t kMaxBigPoolTags = 4096;

[[nodiscard]] base::Result<std::string> sum_big_pool(std::span<const std::byte> bytes, std::uint8_t pointer_bytes);

/// Appends to `out`; `tags` tell the pool of rows that do not. Gives the rows skipped.
[[nodiscard]] base::Result<std::uint64_t> parse_big_pool(std::string_view text, std::span<const TagUsage> tags,
                                                         std::vector<BigPoolUsage>& out);

}  // namespace kmem::windows
