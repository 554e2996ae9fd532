#include "exporter/select/process_choice.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace kmem::select {

std::uint32_t ProcessChoice::position_of(const ProcessUsage& process) const {
  return index_.find(process.pid, [&](std::uint32_t at) {
    const Id& id = chosen_.members()[at].id;
    return id.pid == process.pid && id.name == process.name && id.started == process.started;
  });
}

void ProcessChoice::update(const std::vector<ProcessUsage>& processes, base::UnixMillis now) {
  if (processes.empty() || top_ == 0) return;
  for (TopRanks* ranks : {&by_handles_, &by_paged_, &by_nonpaged_}) ranks->reset(2 * top_);
  std::vector<bool> present(chosen_.members().size());
  for (std::uint32_t i = 0; i < processes.size(); ++i) {
    const ProcessUsage& process = processes[i];
    by_handles_.offer(process.handles.value_or(0), process.pid, i);
    by_paged_.offer(process.paged_pool_bytes.value_or(0), process.pid, i);
    by_nonpaged_.offer(process.nonpaged_pool_bytes.value_or(0), process.pid, i);
    if (const std::uint32_t at = position_of(process); at != FlatIndex::kNone) present[at] = true;
  }

  struct Ranked {
    std::uint32_t process = 0;  // index in the list
    std::uint32_t rank = 0;
  };
  std::vector<Ranked> ranked;
  for (TopRanks* ranks : {&by_handles_, &by_paged_, &by_nonpaged_}) {
    std::uint32_t rank = 0;
    for (const TopRanks::Entry& entry : ranks->ranked()) ranked.push_back({entry.item, rank++});
  }
  std::sort(ranked.begin(), ranked.end(),
            [](const Ranked& a, const Ranked& b) { return std::tie(a.process, a.rank) < std::tie(b.process, b.rank); });
  const auto same = [](const Ranked& a, const Ranked& b) { return a.process == b.process; };
  ranked.erase(std::unique(ranked.begin(), ranked.end(), same), ranked.end());
  std::sort(ranked.begin(), ranked.end(), [&](const Ranked& a, const Ranked& b) {
    return std::tie(a.rank, processes[a.process].pid) < std::tie(b.rank, processes[b.process].pid);
  });
  std::vector<StickyTop<Id>::Candidate> candidates;
  for (const Ranked& one : ranked) {
    const ProcessUsage& process = processes[one.process];
    candidates.push_back({{process.pid, process.name, process.started}, one.rank, position_of(process)});
  }
  chosen_.update(std::move(candidates), present, now);

  index_.clear();
  std::uint32_t position = 0;
  for (const StickyTop<Id>::Member& member : chosen_.members()) index_.insert(member.id.pid, position++);
}

void ProcessChoice::fill(const std::vector<ProcessUsage>& processes, std::vector<ProcessUsage>& out) {
  found_.assign(chosen_.members().size(), nullptr);
  if (!found_.empty()) {
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
