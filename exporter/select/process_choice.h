// STAGE 2, inside: which processes are exported: the top N by handles and by each pool quota. One that is in stays
// until it is out of twice N in all of them; at most 3 N. All processes in -> the chosen, in order of admission.
// Thread: one writer. Failure: none; an empty list (a failed reading) changes nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "collectors/snapshot.h"
#include "exporter/select/flat_index.h"
#include "exporter/select/top_ranks.h"

namespace kmem::select {

class ProcessChoice {
 public:
  explicit ProcessChoice(std::size_t top) : top_(top) {}

  void update(const std::vector<ProcessUsage>& processes);
  void fill(const std::vector<ProcessUsage>& processes, std::vector<ProcessUsage>& out);

 private:
  // Process ids are used again, mostly by another program.
  struct Chosen {
    std::uint64_t pid = 0;
    std::string name;
  };
  struct Candidate {
    std::uint32_t process = 0;  // index in the list
    std::uint32_t best_rank = 0;
    std::uint32_t position = FlatIndex::kNone;  // in chosen_, when it is in
  };

  [[nodiscard]] std::uint32_t position_of(const ProcessUsage& process) const;

  std::size_t top_;
  std::vector<Chosen> chosen_;
  FlatIndex index_;
  TopRanks by_handles_, by_paged_, by_nonpaged_;
  std::vector<Candidate> candidates_;
  std::vector<const ProcessUsage*> found_;
};

}  // namespace kmem::select
