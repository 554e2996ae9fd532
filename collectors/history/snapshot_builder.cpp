#include "collectors/history/snapshot_builder.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace kmem::history {
namespace {

constexpr std::uint64_t kMaxU32 = std::numeric_limits<std::uint32_t>::max();

template <typename T>
bool fill(std::optional<T>& mine, const std::optional<T>& theirs) {
  if (!theirs) return true;
  if (mine) return *mine == *theirs;
  mine = theirs;
  return true;
}

}  // namespace

const char* SnapshotBuilder::add(TagUsage&& row) {
  row.key = tag_key(row.pool, row.tag);
  if (seen_tags_.size() >= kMaxRows) return "too many rows in one snapshot";
  if (!seen_tags_.insert(row.key).second) return "the snapshot has this tag already";
  if (row.bytes != 0 || (row.has_outstanding && row.outstanding != 0)) snapshot_.tags.push_back(std::move(row));
  return nullptr;
}

const char* SnapshotBuilder::add(ProcessUsage&& row) {
  if (seen_processes_.size() >= kMaxRows) return "too many processes in one snapshot";
  if (!seen_processes_.insert(row.pid).second) return "the snapshot has this process already";
  snapshot_.processes.push_back(std::move(row));
  return nullptr;
}

PoolTotals& SnapshotBuilder::totals(Pool pool) {
  const auto found = std::find_if(snapshot_.pools.begin(), snapshot_.pools.end(),
                                  [&](const PoolTotals& totals) { return totals.pool == pool; });
  if (found != snapshot_.pools.end()) return *found;
  snapshot_.pools.push_back({pool, {}, {}, {}, {}, {}});
  return snapshot_.pools.back();
}

bool SnapshotBuilder::merge(Snapshot&& other) {
  bool all = true;
  for (TagUsage& row : other.tags) all &= add(std::move(row)) == nullptr;
  for (ProcessUsage& row : other.processes) all &= add(std::move(row)) == nullptr;
  for (const PoolTotals& theirs : other.pools) {
    PoolTotals& mine = totals(theirs.pool);
    all &= fill(mine.bytes, theirs.bytes);
    all &= fill(mine.resident_bytes, theirs.resident_bytes);
    all &= fill(mine.allocations, theirs.allocations);
    all &= fill(mine.frees, theirs.frees);
    all &= fill(mine.lookaside_hits, theirs.lookaside_hits);
  }
  Snapshot& mine = snapshot_;
  if (mine.time == 0) {
    mine.time = other.time;
    mine.system = other.system;
  }
  if (mine.settings.empty()) mine.settings = std::move(other.settings);
  for (PartStatus& part : other.parts) mine.parts.push_back(std::move(part));
  all &= fill(mine.system_ptes_free, other.system_ptes_free);
  all &= fill(mine.commit_bytes, other.commit_bytes);
  all &= fill(mine.commit_limit_bytes, other.commit_limit_bytes);
  all &= fill(mine.commit_peak_bytes, other.commit_peak_bytes);
  all &= fill(mine.physical_memory_bytes, other.physical_memory_bytes);
  all &= fill(mine.available_bytes, other.available_bytes);
  all &= fill(mine.file_cache_bytes, other.file_cache_bytes);
  all &= fill(mine.file_cache_peak_bytes, other.file_cache_peak_bytes);
  all &= fill(mine.kernel_stack_bytes, other.kernel_stack_bytes);
  all &= fill(mine.page_table_bytes, other.page_table_bytes);
  if (!mine.boot_time) mine.boot_time = other.boot_time;
  return all;
}

Snapshot SnapshotBuilder::take() {
  seen_tags_.clear();
  seen_processes_.clear();
  return std::exchange(snapshot_, Snapshot{});
}

std::uint64_t live_allocations(std::uint64_t allocations, std::uint64_t frees) {
  if (allocations >= frees) return allocations - frees;
  const auto wrapped = static_cast<std::uint32_t>(allocations - frees);
  return allocations <= kMaxU32 && frees <= kMaxU32 && wrapped <= kMaxU32 / 2 ? wrapped : 0;
}

void set_counters(TagUsage& row, std::uint64_t allocations, std::uint64_t frees) {
  row.allocations = allocations;
  row.frees = frees;
  row.outstanding = live_allocations(allocations, frees);
  row.has_outstanding = true;
}

}  // namespace kmem::history
