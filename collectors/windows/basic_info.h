// STAGE 1: class 0 (SystemBasicInformation) -> page size and installed memory. Thread: pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "collectors/base/result.h"

namespace kmem::windows {

struct BasicInfo {
  std::uint32_t page_bytes = 0;
  std::uint64_t physical_pages = 0;
  std::uint64_t maximum_user_address = 0;  // 0 = not told
};

/// The width of pointers shows in the length; what comes first lies at the same place for both. A page size that no NT
/// has is kMalformed.
[[nodiscard]] base::Result<BasicInfo> parse_basic(std::span<const std::byte> bytes);

[[nodiscard]] constexpr bool is_page_size(std::uint32_t bytes) {
  return bytes >= 4096 && bytes <= 65536 && (bytes & (bytes - 1)) == 0;
}

}  // namespace kmem::windows
