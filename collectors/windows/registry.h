// STAGE 1, the seam to the registry, and the text in which its values travel in a RawFrame ("kmem/registry"): one
// `Name=value` line each, decimal. Thread: one caller at a time. Failure: an NTSTATUS (Win32 codes as 0xC007nnnn).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/snapshot.h"
#include "collectors/windows/nt_status.h"

namespace kmem::windows {

/// The one value of HKLM\SYSTEM\CurrentControlSet\Control itself.
inline constexpr std::string_view kRegistrySizeLimit = "RegistrySizeLimit";
/// REG_DWORD values of HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management that shape the pools.
inline constexpr std::array<std::string_view, 15> kMemoryManagementValues = {
    "PagedPoolSize",  "NonPagedPoolSize",  "PoolUsageMaximum",  "PagedPoolQuota",   "NonPagedPoolQuota",
    "PagedPoolLimit", "NonPagedPoolLimit", "SessionSpaceLimit", "SystemCacheLimit", "SystemPtesLimit",
    "SystemPages",    "SessionViewSize",   "SessionPoolSize",   "LargeSystemCache", kRegistrySizeLimit};

class Registry {
 public:
  virtual ~Registry() = default;
  /// Opens the Memory Management key; value() may be called until the next open().
  virtual NtStatus open() = 0;
  /// nullopt: no such value, or not a REG_DWORD.
  virtual std::optional<std::uint32_t> value(std::string_view name) = 0;
};

/// Writes the values that exist into `text`.
NtStatus read_memory_management(Registry& registry, std::string& text);

/// Appends to `out`; gives the number of lines that are not `Name=value`.
[[nodiscard]] std::uint64_t parse_registry_text(std::string_view text, std::vector<Setting>& out);

}  // namespace kmem::windows
