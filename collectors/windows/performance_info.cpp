#include "collectors/windows/performance_info.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "collectors/windows/nt_layout.h"

namespace kmem::windows {

namespace {

/// No kernel has so many pages; a count that fell below 0 is none.
constexpr std::uint64_t kTooMany = std::uint64_t{1} << 52;

std::optional<std::uint64_t> nonzero(std::uint64_t value) {
  return value == 0 || value >= kTooMany ? std::nullopt : std::optional(value);
}

PoolPages pool_pages(std::uint32_t pages, std::uint32_t allocations, std::uint32_t frees) {
  PoolPages pool;
  pool.pages = nonzero(pages);
  if (allocations != 0 || frees != 0) {
    pool.allocations = allocations;
    pool.frees = frees;
  }
  return pool;
}

}  // namespace

base::Result<PerformanceInfo> parse_performance(std::span<const std::byte> bytes) {
  if (bytes.size() < kPerformanceMinimumBytes)
    return base::Error{base::ErrorCode::kMalformed, "performance information of " + std::to_string(bytes.size()) + " bytes"};
  NtPerformance nt{};  // what this kernel does not have stays 0
  // A field that the answer ends in is none.
  std::memcpy(&nt, bytes.data(), std::min(bytes.size(), sizeof(nt)) & ~(sizeof(std::uint64_t) - 1));

  PerformanceInfo info;
  if (nt.commit_limit != 0) {
    info.available_pages = nt.available_pages;
    info.committed_pages = nt.committed_pages;
    info.commit_limit_pages = nt.commit_limit;
  }
  const std::uint32_t hits = nt.paged_lookaside_hits | nt.nonpaged_lookaside_hits;
  info.has_pools =
      (nt.paged_pool_pages | nt.nonpaged_pool_pages | nt.paged_pool_allocs | nt.paged_pool_frees | nt.nonpaged_pool_allocs |
       nt.nonpaged_pool_frees | nt.free_system_ptes | nt.peak_commitment | nt.resident_paged_pool_page | hits) != 0;
  if (!info.has_pools) return info;

  info.commit_peak_pages = nonzero(nt.peak_commitment);
  info.free_system_ptes = nonzero(nt.free_system_ptes);
  info.system_page_table_pages = nonzero(nt.system_page_table_committed_pages);
  info.resident_cache_pages = nonzero(nt.resident_system_cache_page);
  info.resident_code_pages = nonzero(nt.resident_system_code_page);
  info.resident_driver_pages = nonzero(nt.resident_system_driver_page);
  info.driver_pages = nonzero(nt.total_system_driver_pages);
  info.dirty_cache_pages = nonzero(nt.cache_dirty_pages[0]);
  info.resident_available_pages = nonzero(nt.resident_available_pages);
  info.shared_commit_pages = nonzero(nt.shared_committed_pages);
  info.mdl_pages = nonzero(nt.mdl_pages_allocated);
  info.pfn_database_pages = nonzero(nt.pfn_database_committed_pages);
  info.contiguous_pages = nonzero(nt.contiguous_pages_allocated);
  info.paged = pool_pages(nt.paged_pool_pages, nt.paged_pool_allocs, nt.paged_pool_frees);
  info.nonpaged = pool_pages(nt.nonpaged_pool_pages, nt.nonpaged_pool_allocs, nt.nonpaged_pool_frees);
  info.paged.resident_pages = nonzero(nt.resident_paged_pool_page);
  if (hits != 0) {
    info.paged.lookaside_hits = nt.paged_lookaside_hits;
    info.nonpaged.lookaside_hits = nt.nonpaged_lookaside_hits;
  }
  return info;
}

}  // namespace kmem::windows
