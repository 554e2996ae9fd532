#include "exporter/page/rates.h"

#include <algorithm>

namespace kmem::page {

void Rates::note(const Snapshot& snapshot, const Boot& boot) {
  if (!counted_.empty() && snapshot.time == time_) return;  // a recording at its end
  fresh_.clear();
  const base::BootClock::News news = boot_clock_.advance(boot.reading);
  const double seconds = news.new_boot ? 0 : static_cast<double>(snapshot.time - time_ - news.clock_step_ms) / 1000;
  auto known = counted_.begin();
  for (const TagUsage& tag : snapshot.tags)
    if (tag.counter_bits != 0) fresh_.push_back({tag.key, tag.allocations, -1, tag.counter_bits});
  std::sort(fresh_.begin(), fresh_.end(), [](const Counted& a, const Counted& b) { return a.key < b.key; });
  for (Counted& counted : fresh_) {
    while (known != counted_.end() && known->key < counted.key) ++known;
    if (known == counted_.end() || known->key != counted.key || seconds <= 0) continue;
    const std::uint64_t change = counted.allocations - known->allocations;
    const auto allocations = static_cast<double>(counted.bits == 32 ? change & 0xFFFF'FFFF : change);
    counted.per_second = static_cast<float>(allocations / seconds);
  }
  counted_.swap(fresh_);
  time_ = snapshot.time;
}

std::optional<double> Rates::per_second(std::uint64_t key) const {
  const auto found = std::lower_bound(counted_.begin(), counted_.end(), key,
                                      [](const Counted& counted, std::uint64_t wanted) { return counted.key < wanted; });
  if (found == counted_.end() || found->key != key || found->per_second < 0) return std::nullopt;
  return static_cast<double>(found->per_second);
}

}  // namespace kmem::page
