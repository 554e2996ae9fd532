#include "collectors/drivers/tag_calls.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace kmem::drivers {
namespace {

struct Row {
  std::string_view name;
  std::uint8_t argument, word, words;
};
constexpr std::array kTagged = {
    Row{"EngAllocMem", 2, 2, 3},
    Row{"EngAllocUserMem", 1, 1, 2},
    Row{"ExAllocateCacheAwareRundownProtection", 1, 1, 2},
    Row{"ExAllocatePool2", 2, 3, 4},
    Row{"ExAllocatePool3", 2, 3, 6},
    Row{"ExAllocatePoolWithQuotaTag", 2, 2, 3},
    Row{"ExAllocatePoolWithTag", 2, 2, 3},
    Row{"ExAllocatePoolWithTagPriority", 2, 2, 4},
    Row{"ExFreePool2", 1, 1, 4},
    Row{"ExFreePoolWithTag", 1, 1, 2},
    Row{"ExInitializeLookasideListEx", 6, 6, 8},
    Row{"ExInitializeNPagedLookasideList", 5, 5, 7},
    Row{"ExInitializePagedLookasideList", 5, 5, 7},
    Row{"FltAllocatePoolAlignedWithTag", 3, 3, 4},
    Row{"FltFreePoolAlignedWithTag", 2, 2, 3},
    Row{"FsRtlAllocateExtraCreateParameter", 4, 4, 6},
    Row{"FsRtlAllocatePoolWithQuotaTag", 2, 2, 3},
    Row{"FsRtlAllocatePoolWithTag", 2, 2, 3},
    Row{"FsRtlInitExtraCreateParameterLookasideList", 3, 3, 4},
    Row{"IoInitializeRemoveLockEx", 1, 1, 5},
    Row{"MmAllocateMappingAddress", 1, 1, 2},
    Row{"MmAllocateMappingAddressEx", 1, 1, 3},
    Row{"MmFreeMappingAddress", 1, 1, 2},
    Row{"MmMapLockedPagesWithReservedMapping", 1, 1, 4},
    Row{"MmUnmapReservedMapping", 1, 1, 3},
    Row{"NdisAllocateGenericObject", 1, 1, 3},
    Row{"NdisAllocateMemoryWithTag", 2, 2, 3},
    Row{"NdisAllocateMemoryWithTagPriority", 2, 2, 4},
    Row{"NdisInitializeNPagedLookasideList", 5, 5, 7},
    Row{"StorPortAllocatePool", 2, 2, 4},
    Row{"VideoPortAllocatePool", 3, 3, 4},
};
static_assert(std::is_sorted(kTagged.begin(), kTagged.end(), [](const Row& a, const Row& b) { return a.name < b.name; }));

constexpr std::array<std::string_view, 3> kTagless = {"ExAllocatePool", "ExAllocatePoolWithQuota", "ExFreePool"};

}  // namespace

TagCall tag_call(const PeImport* import) {
  if (import == nullptr) return {};
  const auto row = std::lower_bound(kTagged.begin(), kTagged.end(), import->name,
                                    [](const Row& one, std::string_view name) { return one.name < name; });
  if (row != kTagged.end() && row->name == import->name) return {TagCall::kTagged, row->argument, row->word, row->words};
  if (!import->of_kernel) return {};
  if (std::find(kTagless.begin(), kTagless.end(), import->name) != kTagless.end()) return {TagCall::kNoTag};
  // Tags of references to objects are the object manager's own. What a later kernel adds may be handed one of pools.
  const auto has = [&](std::string_view part) { return import->name.find(part) != import->name.npos; };
  if (!import->name.starts_with("Ob") && (has("Tag") || has("Pool") || has("Lookaside"))) return {};
  return {TagCall::kNoTag};
}

}  // namespace kmem::drivers
