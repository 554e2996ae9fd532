// links: kmem_windows
#include <cstdint>
#include <cstdlib>
#include <span>

#include "collectors/windows/performance_info.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto info = kmem::windows::parse_performance(std::as_bytes(std::span(data, size)));
  if (info.ok() != (size >= 312)) std::abort();
  if (info && (info->paged.pages == 0u || info->free_system_ptes == 0u || info->commit_peak_pages == 0u)) std::abort();
  if (info && !info->has_pools && (info->paged.allocations || info->nonpaged.lookaside_hits)) std::abort();
  return 0;
}
