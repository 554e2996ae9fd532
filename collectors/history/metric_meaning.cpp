#include "collectors/history/metric_meaning.h"

#include <algorithm>
#include <iterator>

namespace kmem::history {
namespace {

using enum Quantity;
using enum System;

constexpr MetricMeaning plain(std::string_view name, Quantity quantity, System system, bool highest = false) {
  return {name, quantity, system, Pool::kPaged, {}, {}, {}, highest};
}
constexpr MetricMeaning of_pool(std::string_view name, Quantity quantity, System system, Pool pool) {
  return {name, quantity, system, pool};
}
constexpr MetricMeaning own_pool(std::string_view name, Quantity quantity) {
  return {name, quantity, kLinux, Pool::kPaged, "pool"};
}
constexpr MetricMeaning own_tag(std::string_view name, Quantity quantity) {
  return {name, quantity, kLinux, Pool::kPaged, "pool", "tag"};
}
constexpr MetricMeaning cache(std::string_view name, Quantity quantity) {
  return {name, quantity, kLinux, Pool::kSlabUnreclaimable, {}, "slab"};
}
constexpr MetricMeaning process(std::string_view name, Quantity quantity) {
  return {name, quantity, kWindows, Pool::kPaged, quantity == kProcessPool ? "pool" : "", "process", "process_id"};
}

// Our own first: where two tell the same of one time, the first is taken.
constexpr MetricMeaning kMeanings[] = {
    own_pool("kmem_pool_bytes", kPoolBytes),
    own_pool("kmem_pool_resident_bytes", kPoolResident),
    own_pool("kmem_pool_limit_bytes", kPoolLimit),
    own_pool("kmem_pool_allocations_total", kPoolAllocations),
    own_pool("kmem_pool_frees_total", kPoolFrees),
    own_tag("kmem_pool_tag_bytes", kTagBytes),
    own_tag("kmem_pool_tag_outstanding_allocations", kTagOutstanding),
    own_tag("kmem_pool_tag_allocations_total", kTagAllocations),
    own_tag("kmem_pool_tag_frees_total", kTagFrees),
    plain("kmem_system_ptes_free", kFreePtes, kWindows, true),
    plain("kmem_commit_bytes", kCommit, kLinux),
    plain("kmem_commit_limit_bytes", kCommitLimit, kLinux),
    plain("kmem_commit_peak_bytes", kCommitPeak, kLinux),
    plain("kmem_physical_memory_bytes", kPhysical, kLinux),
    plain("kmem_available_bytes", kAvailable, kLinux),
    plain("kmem_file_cache_bytes", kFileCache, kLinux),
    plain("kmem_file_cache_peak_bytes", kFileCachePeak, kLinux),
    plain("kmem_kernel_stack_bytes", kKernelStack, kLinux),
    plain("kmem_page_table_bytes", kPageTables, kLinux),
    {"kmem_process_handles", kHandles, kLinux, Pool::kPaged, {}, "process", "pid"},
    {"kmem_process_pool_bytes", kProcessPool, kWindows, Pool::kPaged, "pool", "process", "pid"},
    plain("kmem_boot_time_seconds", kBootSeconds, kLinux, true),

    of_pool("windows_memory_pool_nonpaged_bytes", kPoolBytes, kWindows, Pool::kNonpaged),
    of_pool("windows_memory_pool_paged_bytes", kPoolBytes, kWindows, Pool::kPaged),
    of_pool("windows_memory_pool_paged_resident_bytes", kPoolResident, kWindows, Pool::kPaged),
    of_pool("windows_memory_pool_nonpaged_allocs", kPoolAllocations, kWindows, Pool::kNonpaged),
    of_pool("windows_memory_pool_paged_allocs", kPoolAllocations, kWindows, Pool::kPaged),
    plain("windows_memory_free_system_page_table_entries", kFreePtes, kWindows, true),
    plain("windows_memory_committed_bytes", kCommit, kWindows),
    plain("windows_memory_commit_limit", kCommitLimit, kWindows),
    plain("windows_memory_commit_limit_bytes", kCommitLimit, kWindows),
    plain("windows_memory_available_bytes", kAvailable, kWindows),
    plain("windows_memory_cache_bytes", kFileCache, kWindows),
    plain("windows_memory_cache_bytes_peak", kFileCachePeak, kWindows),
    plain("windows_memory_physical_total_bytes", kPhysical, kWindows),
    plain("windows_cs_physical_memory_bytes", kPhysical, kWindows),
    plain("windows_os_visible_memory_bytes", kPhysical, kWindows),
    plain("windows_system_boot_time_timestamp_seconds", kBootSeconds, kWindows, true),
    plain("windows_system_boot_time_timestamp", kBootSeconds, kWindows, true),
    plain("windows_system_system_up_time", kBootSeconds, kWindows, true),
    process("windows_process_handles", kHandles),
    process("windows_process_handle_count", kHandles),
    process("windows_process_pool_bytes", kProcessPool),

    of_pool("node_memory_SUnreclaim_bytes", kPoolBytes, kLinux, Pool::kSlabUnreclaimable),
    of_pool("node_memory_SReclaimable_bytes", kPoolBytes, kLinux, Pool::kSlabReclaimable),
    of_pool("node_memory_VmallocUsed_bytes", kPoolBytes, kLinux, Pool::kVmalloc),
    of_pool("node_memory_Percpu_bytes", kPoolBytes, kLinux, Pool::kPercpu),
    plain("node_memory_Committed_AS_bytes", kCommit, kLinux),
    plain("node_memory_CommitLimit_bytes", kCommitLimit, kLinux),
    plain("node_memory_MemTotal_bytes", kPhysical, kLinux),
    plain("node_memory_MemAvailable_bytes", kAvailable, kLinux),
    plain("node_memory_Cached_bytes", kFileCache, kLinux),
    plain("node_memory_KernelStack_bytes", kKernelStack, kLinux),
    plain("node_memory_PageTables_bytes", kPageTables, kLinux),
    plain("node_boot_time_seconds", kBootSeconds, kLinux, true),
    plain("node_boot_time", kBootSeconds, kLinux, true),
    cache("node_slabinfo_active_objects", kSlabActive),
    cache("node_slabinfo_objects", kSlabObjects),
    cache("node_slabinfo_object_size_bytes", kSlabObjectBytes),
    cache("node_slabinfo_objects_per_slab", kSlabObjectsPerSlab),
    cache("node_slabinfo_pages_per_slab", kSlabPagesPerSlab),
};

const MetricMeaning* exactly(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kMeanings), std::end(kMeanings), [&](const MetricMeaning& one) { return one.name == name; });
  return found != std::end(kMeanings) ? found : nullptr;
}

// One name less a part, or with another before it, as other versions have it.
bool is_older_name(std::string_view name, std::string_view now) {
  constexpr std::string_view kWindowsPrefix = "windows_";
  constexpr std::string_view kWmiPrefix = "wmi_";
  if (name.starts_with(kWmiPrefix) && now.starts_with(kWindowsPrefix)) {
    name.remove_prefix(kWmiPrefix.size());
    now.remove_prefix(kWindowsPrefix.size());
  }
  if (name == now) return true;
  constexpr std::string_view kTotal = "_total";
  if (name.ends_with(kTotal) && name.substr(0, name.size() - kTotal.size()) == now) return true;
  constexpr std::string_view kBytes = "_bytes";  // node_exporter before 0.16
  return now.starts_with("node_memory_") && now.ends_with(kBytes) && now.substr(0, now.size() - kBytes.size()) == name;
}

}  // namespace

std::span<const MetricMeaning> metric_meanings() { return kMeanings; }

const MetricMeaning* find_meaning(std::string_view name) {
  if (const MetricMeaning* const found = exactly(name)) return found;
  if (!name.starts_with("windows_") && !name.starts_with("wmi_") && !name.starts_with("node_memory_")) return nullptr;
  const auto* const found = std::find_if(std::begin(kMeanings), std::end(kMeanings),
                                         [&](const MetricMeaning& one) { return is_older_name(name, one.name); });
  return found != std::end(kMeanings) ? found : nullptr;
}

}  // namespace kmem::history
