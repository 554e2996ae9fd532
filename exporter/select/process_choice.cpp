#include "exporter/select/process_choice.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace kmem::select {

std::uint32_t ProcessChoice::position_of(const ProcessUsage& process) const {
  return index_.find(process.pid, [&](std::uint32_t at) {
    return chosen_[at].pid == process.pid && chosen_[at].name == process.name;
  });
}

void ProcessChoice::update(const std::vector<ProcessUsage>& processes) {
  if (processes.empty() || top_ == 0) return;
  for (TopRanks* ranks : {&by_handles_, &by_paged_, &by_nonpaged_}) ranks->reset(2 * top_);
  for (std::uint32_t i = 0; i < processes.size(); ++i) {
    const ProcessUsage& process = processes[i];
    by_handles_.offer(process.handles.value_or(0), process.pid, i);
    by_paged_.offer(process.paged_pool_bytes.value_or(0), process.pid, i);
    by_nonpaged_.offer(process.nonpaged_pool_bytes.value_or(0), process.pid, i);
  }

  candidates_.clear();
  for (TopRanks* ranks : {&by_handles_, &by_paged_, &by_nonpaged_}) {
    std::uint32_t rank = 0;
    for (const TopRanks::Entry& entry : ranks->ranked()) candidates_.push_back({entry.item, rank++, FlatIndex::kNone});
  }
  std::sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.process, a.best_rank) < std::tie(b.process, b.best_rank);
  });
  const auto same = [](const Candidate& a, const Candidate& b) { return a.process == b.process; };
  candidates_.erase(std::unique(candidates_.begin(), candidates_.end(), same), candidates_.end());
  for (Candidate& candidate : candidates_) candidate.position = position_of(processes[candidate.process]);

  // The top N always fit into 3 N; the room they leave goes to the best of those that are in already.
  const auto wanted = [&](const Candidate& candidate) {
    return candidate.best_rank < top_ || candidate.position != FlatIndex::kNone;
  };
  std::erase_if(candidates_, [&](const Candidate& candidate) { return !wanted(candidate); });
  std::sort(candidates_.begin(), candidates_.end(), [&](const Candidate& a, const Candidate& b) {
    return std::tie(a.best_rank, processes[a.process].pid) < std::tie(b.best_rank, processes[b.process].pid);
  });
  if (candidates_.size() > 3 * top_) candidates_.resize(3 * top_);
  std::stable_sort(candidates_.begin(), candidates_.end(),
                   [](const Candidate& a, const Candidate& b) { return a.position < b.position; });

  std::vector<Chosen> chosen;
  index_.clear();
  for (const Candidate& candidate : candidates_) {
    const ProcessUsage& process = processes[candidate.process];
    index_.insert(process.pid, static_cast<std::uint32_t>(chosen.size()));
    chosen.push_back({process.pid, process.name});
  }
  chosen_ = std::move(chosen);
}

void ProcessChoice::fill(const std::vector<ProcessUsage>& processes, std::vector<ProcessUsage>& out) {
  found_.assign(chosen_.size(), nullptr);
  if (!chosen_.empty()) {
    for (const ProcessUsage& process : processes) {
      const std::uint32_t at = position_of(process);
      if (at != FlatIndex::kNone) found_[at] = &process;
    }
  }
  std::size_t count = 0;
  for (const ProcessUsage* process : found_) {
    if (process == nullptr) continue;
    if (count < out.size()) out[count] = *process;
    else out.push_back(*process);
    ++count;
  }
  out.resize(count);
}

}  // namespace kmem::select
