#include "collectors/windows/unaccounted.h"

#include <algorithm>

namespace kmem::windows {

namespace {

/// Asked for, and not answered this time. A kernel that refuses the lists to this account or has none does so always.
bool lacks_lists(const Snapshot& snapshot) {
  return snapshot.memory_lists.empty() && std::any_of(snapshot.parts.begin(), snapshot.parts.end(), [](const PartStatus& part) {
           return part.collector == "memory_lists" && part.state == PartState::kFailed;
         });
}

}  // namespace

std::optional<std::uint64_t> unaccounted_bytes(const Snapshot& snapshot, const PerformanceInfo& info,
                                               std::uint64_t page_bytes) {
  const bool known = snapshot.physical_memory_bytes && snapshot.available_bytes.value_or(0) != 0 &&
                     !snapshot.processes.empty() && info.nonpaged.pages.value_or(0) != 0 && info.paged.resident_pages &&
                     info.resident_cache_pages && !snapshot.gaps.processes && !lacks_lists(snapshot);
  if (!known) return std::nullopt;
  std::uint64_t named = *snapshot.available_bytes;
  for (const ProcessUsage& process : snapshot.processes) named += process.working_set_bytes.value_or(0);
  for (const MemoryList& list : snapshot.memory_lists)
    if (list.name == "modified" || list.name == "modified_no_write") named += list.bytes;
  for (const auto& pages : {info.nonpaged.pages, info.paged.resident_pages, info.resident_cache_pages,
                            info.resident_driver_pages, info.resident_code_pages})
    named += pages.value_or(0) * page_bytes;
  return named < *snapshot.physical_memory_bytes ? *snapshot.physical_memory_bytes - named : 0;
}

}  // namespace kmem::windows
