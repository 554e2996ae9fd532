// STAGE 1: class 80 (SystemMemoryListInformation): physical pages by list; and MEMORYSTATUSEX of GlobalMemoryStatusEx.
// Class 80 asks for SeProfileSingleProcessPrivilege, which administrators and LocalSystem can enable; it is since Vista.
// Thread: pure. Failure: kMalformed where it is too short.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::windows {

/// In bytes: zero, free, modified, modified_no_write, bad, and standby with its priority 0 to 7.
[[nodiscard]] base::Result<std::vector<MemoryList>> parse_memory_lists(std::span<const std::byte> bytes,
                                                                       std::uint8_t pointer_bytes, std::uint32_t page_bytes);

struct MemoryStatus {
  std::uint64_t physical_bytes = 0, available_bytes = 0;
  std::uint64_t commit_limit_bytes = 0, commit_left_bytes = 0;
};
[[nodiscard]] base::Result<MemoryStatus> parse_memory_status(std::span<const std::byte> bytes);

}  // namespace kmem::windows
