// STAGE 2 out: what of a Snapshot is exported, with values filled in. For every pool: the sum of its members plus
// other_* equals the sum over all tags of the pool in the Snapshot. Thread: value type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/snapshot.h"

namespace kmem::select {

/// Names one tag from outside the kernel's list: a suspect of the trend.
struct TagId {
  Pool pool = Pool::kPaged;
  std::string tag;
  bool operator==(const TagId&) const = default;
};

/// An exported tag. Absent from the Snapshot: bytes and outstanding are 0, the counters keep their last value; left out
/// where the Snapshot has gaps in the pool.
struct Member {
  Pool pool = Pool::kPaged;
  std::string tag;
  std::uint64_t key = 0;
  bool present = false;
  bool forced = false;  // a suspect, or of tags.include
  std::uint64_t bytes = 0;
  std::uint64_t outstanding = 0;
  std::optional<std::uint64_t> allocations_total;  // widened to 64 bit
  std::optional<std::uint64_t> frees_total;
};

struct PoolSelection {
  Pool pool = Pool::kPaged;
  std::uint64_t live_tags = 0;
  std::uint64_t other_bytes = 0;
  std::uint64_t other_outstanding = 0;
  std::uint64_t evictions_total = 0;
  // PoolTotals' raw counters, widened
  std::optional<std::uint64_t> allocations_total;
  std::optional<std::uint64_t> frees_total;
  std::optional<std::uint64_t> lookaside_hits_total;
  bool lists_all = true;  // else live_tags and other_* are of some tags only
};

/// A tag of a session's own pool; what is absent reads 0.
struct SessionMember {
  std::uint32_t session = 0;
  Pool pool = Pool::kPaged;
  std::string tag;
  std::uint64_t bytes = 0;
  std::uint64_t outstanding = 0;
};

struct SessionPool {
  std::uint32_t session = 0;
  Pool pool = Pool::kPaged;
  std::uint64_t bytes = 0;  // of all its tags
};

/// A pool without a single tag in the Snapshot was not read. Its members are left out, for what is missing is absent and
/// never 0. Its PoolSelection, if it has totals, has live_tags 0, and other_* then mean nothing.
struct Selection {
  std::vector<Member> members;       // grouped by pool, then in order of admission: stable from scrape to scrape
  std::vector<PoolSelection> pools;  // pools that have totals or tags
  std::vector<ProcessUsage> processes;
  std::vector<SessionPool> session_pools;
  std::vector<SessionMember> session_members;
  std::optional<std::uint64_t> system_ptes_free_boot_max;
};

}  // namespace kmem::select
