// STAGE 1: physical memory that is in use and that no counter names: locked by drivers (MDLs), AWE and large pages, page
// tables, kernel stacks, mapped files; what RAMMap shows as driver locked and the like. Pure. Thread: any.
//
//   unaccounted = physical - available - modified - working sets - nonpaged pool - resident paged pool
//                 - resident system cache - resident drivers - resident kernel code
//
// Working sets are the private ones where the kernel tells them (6.0 and later): what processes share then stays in the
// sum, once. Before, they are whole ones, and a shared page is taken off once for each process. Modified pages are left
// out where the lists are refused or unknown to the kernel (class 80), drivers and code where they are 0.
#pragma once

#include <cstdint>
#include <optional>

#include "collectors/snapshot.h"
#include "collectors/windows/performance_info.h"

namespace kmem::windows {

/// nullopt: physical or available memory, processes, a pool or the cache is not known, the list of processes is torn,
/// or class 80 failed this time: without them the sum would jump. Never below 0.
[[nodiscard]] std::optional<std::uint64_t> unaccounted_bytes(const Snapshot& snapshot, const PerformanceInfo& info,
                                                             std::uint64_t page_bytes);

}  // namespace kmem::windows
