#include "collectors/windows/performance_info.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "collectors/windows/nt_layout.h"

namespace kmem::windows {

namespace {

std::optional<std::uint64_t> nonzero(std::uint64_t value) {
  return value == 0 ? std::nullopt : std::optional(value);
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
    return base::Error{base::ErrorCode::kMalformed,
                       "performance information of " + std::to_string(bytes.size()) + " bytes"};
  NtPerformance nt{};  // what this kernel does not have stays 0
  const std::size_t filled = std::min(bytes.size(), sizeof(nt));
  std::memcpy(&nt, bytes.data(), filled);

  PerformanceInfo info;
  if (nt.commit_limit != 0) {
    info.available_pages = nt.available_pages;
    info.committed_pages = nt.committed_pages;
    info.commit_limit_pages = nt.commit_limit;
  }
  const std::uint32_t hits = nt.paged_lookaside_hits | nt.nonpaged_lookaside_hits;
  info.has_pools = (nt.paged_pool_pages | nt.nonpaged_pool_pages | nt.paged_pool_allocs | nt.paged_pool_frees |
                    nt.nonpaged_pool_allocs | nt.nonpaged_pool_frees | nt.free_system_ptes | nt.peak_commitment |
                    nt.resident_paged_pool_page | hits) != 0;
  if (!info.has_pools) return info;

  info.commit_peak_pages = nonzero(nt.peak_commitment);
  info.free_system_ptes = nonzero(nt.free_system_ptes);
  constexpr std::size_t kPageTableEnd =
      offsetof(NtPerformance, system_page_table_committed_pages) + sizeof(std::uint64_t);
  if (filled >= kPageTableEnd) info.system_page_table_pages = nonzero(nt.system_page_table_committed_pages);
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
