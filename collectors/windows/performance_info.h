// STAGE 1: class 2 (SystemPerformanceInformation) -> pools, PTEs and commit, in pages. Thread: pure.
//
// When is a 0 no figure? Wine answers with success and leaves every pool, PTE, peak and lookaside field 0; ReactOS
// counts its pools but has FreeSystemPtes and ResidentPagedPool constantly 0. Hence:
// (1) All those fields are 0: the kernel has no pools, has_pools is false.
// (2) Page counts, free PTEs and the commit peak are never 0 on a running kernel: a 0 is absent.
// (3) A single counter may be 0: allocations and frees are absent when both are, lookaside hits when both pools' are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "collectors/base/result.h"

namespace kmem::windows {

struct PoolPages {
  std::optional<std::uint64_t> pages;
  std::optional<std::uint64_t> resident_pages;  // paged pool only
  std::optional<std::uint32_t> allocations;     // raw, wraps
  std::optional<std::uint32_t> frees;           // raw, wraps
  std::optional<std::uint32_t> lookaside_hits;  // raw, wraps
};

struct PerformanceInfo {
  std::optional<std::uint64_t> available_pages;
  std::optional<std::uint64_t> committed_pages;
  std::optional<std::uint64_t> commit_limit_pages;
  std::optional<std::uint64_t> commit_peak_pages;
  std::optional<std::uint64_t> free_system_ptes;
  std::optional<std::uint64_t> system_page_table_pages;  // 24H2 and later
  std::optional<std::uint64_t> resident_cache_pages;     // the system cache's working set
  std::optional<std::uint64_t> resident_code_pages, resident_driver_pages, driver_pages;
  std::optional<std::uint64_t> dirty_cache_pages;                                // 6.1 and later
  std::optional<std::uint64_t> resident_available_pages, shared_commit_pages;    // 6.2
  std::optional<std::uint64_t> mdl_pages, pfn_database_pages, contiguous_pages;  // 24H2
  bool has_pools = false;
  PoolPages paged;
  PoolPages nonpaged;
};

[[nodiscard]] base::Result<PerformanceInfo> parse_performance(std::span<const std::byte> bytes);

}  // namespace kmem::windows
