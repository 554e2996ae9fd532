// STAGE 1: what is known of a machine -> how large its pools can become, by one table of rules (limits.cpp), NT 4 to
// Windows 11 and Server 2025. No counter tells it; the kernel decides at boot from version, width, memory and registry.
// A limit does not move with the load, so that its series stays: what is free of commit right now is not in it.
// Thread: pure. Failure: what no rule covers has no limit.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string_view>

#include "collectors/snapshot.h"
#include "collectors/windows/system_facts.h"

namespace kmem::windows {

/// Session Manager\Memory Management, as far as it shapes the pools.
struct LimitSettings {
  std::optional<std::uint32_t> paged_pool_size;      // bytes, 0xFFFFFFFF = as much as can be
  std::optional<std::uint32_t> nonpaged_pool_size;   // bytes
  std::optional<std::uint32_t> paged_pool_limit_mb;  // x86 from 6.0 SP1 on
  std::optional<std::uint32_t> nonpaged_pool_limit_mb;
  std::optional<std::uint32_t> pool_usage_maximum;  // percent
};

[[nodiscard]] LimitSettings limit_settings(std::span<const Setting> settings);

struct LimitFacts {
  SystemFacts system;
  std::uint64_t physical_bytes = 0;
  std::uint64_t user_bytes = std::uint64_t{2} << 30;  // x86: what /3GB and /USERVA leave to programs
  std::optional<std::uint64_t> commit_limit_bytes;
  std::optional<std::uint64_t> paged_bytes;  // in use: an estimate below it is refuted
  std::optional<std::uint64_t> nonpaged_bytes;
  std::optional<std::uint64_t> quota_paged_bytes;  // class 37
  LimitSettings settings;
};

struct PoolLimits {
  std::optional<PoolLimit> paged, nonpaged;
  std::optional<std::uint64_t> paged_trim_bytes;
};

[[nodiscard]] PoolLimits pool_limits(const LimitFacts& facts);

/// Limits and trim threshold of a parsed Snapshot, as they are by other settings than it has read. What the kernel told
/// itself stays, and so does a pool without a limit: none of that hangs on settings.
void limit_by_settings(Snapshot& snapshot, std::span<const Setting> settings);

/// The names of the table's rows, for the README's test.
[[nodiscard]] std::set<std::string_view> limit_rules();

/// Page table entries that map so much address space, one each page of 4 KiB.
[[nodiscard]] constexpr std::uint64_t page_table_entries(std::uint64_t address_space_bytes) {
  return address_space_bytes / 4096;
}

}  // namespace kmem::windows
