// STAGE 3 in: Snapshot -> Observation: what of a reading the trend follows, and where it runs out. Pools' totals, free
// PTEs, commit, the processes that lead by handles, then every tag; allocation sites last, for they are a second view
// of memory that the other pools hold, and have no total. What memory is left comes after them.
// Thread: none of its own; the caller serialises. Failure: none; what the kernel did not give is left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/boots.h"
#include "collectors/snapshot.h"
#include "exporter/trend/engine.h"
#include "exporter/trend/headroom.h"

namespace kmem::trend {

/// Free page table entries below which x86 is unwell.
inline constexpr std::uint64_t kFewestPtesOfX86 = 12'000;

struct SamplerOptions {
  std::size_t top_processes = 10;  // by handles
  std::size_t max_processes = 40;  // followed at a time: a leader stays while it lives
  // A 64-bit kernel has millions of free page table entries and no number below which it is unwell; half of the most
  // since boot stands in. More entries than map 3 GB are no x86's.
  std::uint64_t system_ptes_floor = kFewestPtesOfX86;
  std::uint64_t most_ptes_of_x86 = 786'432;
  double system_ptes_share = 0.5;
};

class Sampler {
 public:
  explicit Sampler(SamplerOptions options = {}) : options_(options) {}

  /// The Observation holds until the next take(), and no longer than `snapshot`.
  [[nodiscard]] Observation take(const Snapshot& snapshot, const Boot& boot);
  [[nodiscard]] Observation take(const Snapshot& snapshot) { return take(snapshot, untold_boot(snapshot)); }

 private:
  void add_pool(const PoolTotals& pool, Room room);
  void add_processes(const Snapshot& snapshot);
  [[nodiscard]] double ptes_floor(std::uint64_t boot_max) const;

  SamplerOptions options_;
  std::vector<Sample> samples_;
  std::vector<std::uint64_t> followed_;    // pids, ascending
  std::vector<std::uint32_t> by_handles_;  // indices in Snapshot::processes
  std::vector<std::string> names_;         // of processes; never longer than max_processes
};

}  // namespace kmem::trend
