#include "exporter/trend/sampler.h"

#include <algorithm>
#include <optional>

#include "collectors/made_up_pid.h"

namespace kmem::trend {
namespace {

std::optional<double> as_limit(const std::optional<std::uint64_t>& bytes) {
  if (!is_limit(bytes)) return std::nullopt;
  return static_cast<double>(*bytes);
}

/// Linux lets Committed_AS go beyond CommitLimit in every mode but 2.
std::optional<double> commit_limit(const Snapshot& snapshot) {
  if (snapshot.system == System::kLinux && setting_in(snapshot.settings, "vm.overcommit_memory") != 2) return std::nullopt;
  return as_limit(snapshot.commit_limit_bytes);
}

}  // namespace

void Sampler::add_processes(const Snapshot& snapshot) {
  const auto& processes = snapshot.processes;
  by_handles_.clear();
  for (std::uint32_t i = 0; i < processes.size(); ++i)
    if (processes[i].handles.value_or(0) > 0) by_handles_.push_back(i);
  std::sort(by_handles_.begin(), by_handles_.end(), [&processes](std::uint32_t a, std::uint32_t b) {
    if (processes[a].handles != processes[b].handles) return *processes[a].handles > *processes[b].handles;
    return processes[a].pid < processes[b].pid;
  });
  // Who once led stays: a rank lost for an hour would read as handles given back.
  std::size_t kept = 0;
  for (std::size_t rank = 0; rank < by_handles_.size() && kept < options_.max_processes; ++rank) {
    const std::uint64_t pid = processes[by_handles_[rank]].pid;
    if (rank < options_.top_processes || std::binary_search(followed_.begin(), followed_.end(), pid))
      by_handles_[kept++] = by_handles_[rank];
  }
  by_handles_.resize(kept);
  std::sort(by_handles_.begin(), by_handles_.end(),
            [&processes](std::uint32_t a, std::uint32_t b) { return processes[a].pid < processes[b].pid; });
  followed_.clear();
  names_.resize(kept);
  for (std::size_t i = 0; i < kept; ++i) {
    const ProcessUsage& process = processes[by_handles_[i]];
    followed_.push_back(process.pid);
    names_[i] = process.name;
    if (process.pid < kMadeUpPids) names_[i].append(" (").append(std::to_string(process.pid)).append(")");
    samples_.push_back({Kind::kHandles, {}, names_[i], *process.handles, {}, {}});
  }
}

double Sampler::ptes_floor(std::uint64_t boot_max) const {
  if (boot_max <= options_.most_ptes_of_x86) return static_cast<double>(options_.system_ptes_floor);
  return options_.system_ptes_share * static_cast<double>(boot_max);
}

void Sampler::add_pool(const PoolTotals& pool, Room room) {
  std::optional<double> limit;
  if (room.known()) limit = static_cast<double>(*pool.bytes) + room.amount;
  samples_.push_back({Kind::kPool, pool.pool, {}, *pool.bytes, {}, limit, room.bound});
}

Observation Sampler::take(const Snapshot& snapshot, const Boot& boot) {
  samples_.clear();
  if (boot.is_new) followed_.clear();  // its process ids mean others
  for (const PoolTotals& pool : snapshot.pools)
    if (pool.bytes) add_pool(pool, smallest(headrooms_of(pool, snapshot)));
  if (snapshot.system_ptes_free)
    samples_.push_back({Kind::kSystemPtes,
                        {},
                        {},
                        *snapshot.system_ptes_free,
                        {},
                        ptes_floor(boot.system_ptes_max.value_or(*snapshot.system_ptes_free)),
                        Bound::kFewestEntries});
  if (snapshot.commit_bytes)
    samples_.push_back({Kind::kCommit, {}, {}, *snapshot.commit_bytes, {}, commit_limit(snapshot), Bound::kCommitLimit});
  if (snapshot.unaccounted_bytes) {
    std::optional<double> limit;
    if (snapshot.available_bytes)
      limit = static_cast<double>(*snapshot.unaccounted_bytes) + static_cast<double>(*snapshot.available_bytes);
    samples_.push_back({Kind::kUnaccounted, {}, {}, *snapshot.unaccounted_bytes, {}, limit, Bound::kAvailableMemory});
  }
  add_processes(snapshot);
  for (const bool second_view : {false, true}) {
    for (const TagUsage& tag : snapshot.tags) {
      if ((tag.pool == Pool::kAllocinfo) != second_view) continue;
      samples_.push_back({Kind::kTag, tag.pool, tag.tag, tag.bytes, std::nullopt, std::nullopt});
      if (tag.has_outstanding) samples_.back().outstanding = tag.outstanding;
    }
  }
  // After all that has a place of its own.
  if (snapshot.available_bytes) samples_.push_back({Kind::kAvailable, {}, {}, *snapshot.available_bytes, {}, {}});
  if (const auto limit = commit_limit(snapshot); limit && snapshot.commit_bytes)
    samples_.push_back({Kind::kCommitLimit, {}, {}, *snapshot.commit_limit_bytes, {}, {}});
  return {snapshot.time, snapshot.boot_time, samples_, boot.reading.number, boot.start, snapshot.gaps};
}

}  // namespace kmem::trend
