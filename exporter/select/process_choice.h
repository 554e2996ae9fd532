// STAGE 2, inside: which processes are exported: the top N by handles and by each pool quota, sticky as StickyTop says;
// at most 3 N. All processes in -> the chosen, in order of admission. A process that has ended leaves at once.
// Thread: one writer. Failure: none; an empty list (a failed reading) changes nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/flat_index.h"
#include "collectors/snapshot.h"
#include "exporter/select/sticky_top.h"
#include "exporter/select/top_ranks.h"

namespace kmem::select {

class ProcessChoice {
 public:
  explicit ProcessChoice(std::size_t top) : top_(top), chosen_(top, 3 * top) {}

  void update(const std::vector<ProcessUsage>& processes, base::UnixMillis now);
  void clock_was_set(std::int64_t step_ms) { chosen_.clock_was_set(step_ms); }
  void fill(const std::vector<ProcessUsage>& processes, std::vector<ProcessUsage>& out);

 private:
  // Process ids are used again, mostly by another program; by the same one the start tells, where it is known.
  struct Id {
    std::uint64_t pid = 0;
    std::string name;
    std::optional<base::UnixMillis> started;
  };

  [[nodiscard]] std::uint32_t position_of(const ProcessUsage& process) const;

  std::size_t top_;
  StickyTop<Id> chosen_;
  FlatIndex index_;  // pid -> position in chosen_
  TopRanks by_handles_, by_paged_, by_nonpaged_;
  std::vector<const ProcessUsage*> found_;
};

}  // namespace kmem::select
