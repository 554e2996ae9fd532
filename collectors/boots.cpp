#include "collectors/boots.h"

#include <algorithm>
#include <limits>

#include "collectors/base/clock.h"

namespace kmem {
namespace {

constexpr std::int64_t kLongestGuessMs = base::kHourMillis;  // how long before the first reading a boot is taken to have begun
constexpr std::int64_t kJitterMs = 5'000;
constexpr std::size_t kFewestTags = 16;  // for a guess by memory
constexpr std::size_t kFewestOfAll = 3;  // tags, pools and commit, of which nearly all must fall
constexpr std::uint64_t kTagBytes = 4096;

/// Calls `visit(before, now)` for each key in both lists.
template <typename Held, typename Visit>
void for_each_in_both(const std::vector<Held>& before, const std::vector<Held>& now, Visit visit) {
  auto known = before.begin();
  for (const Held& one : now) {
    while (known != before.end() && known->key < one.key) ++known;
    if (known != before.end() && known->key == one.key) visit(known->amount, one.amount);
  }
}

template <typename Held>
void sort_by_key(std::vector<Held>& list) {
  const auto before = [](const Held& a, const Held& b) { return a.key < b.key; };
  if (!std::is_sorted(list.begin(), list.end(), before)) std::sort(list.begin(), list.end(), before);
}

}  // namespace

void Boots::resume(const base::BootReading& last, std::optional<std::uint64_t> system_ptes_max) {
  clock_ = base::BootClock({last.time, last.boot_time, 0});
  boot_.system_ptes_max = system_ptes_max;
  was_live_ = false;
}

bool Boots::counters_fell(const Snapshot& snapshot) {
  fresh_.clear();
  for (const TagUsage& tag : snapshot.tags)
    if (tag.counter_bits != 0) fresh_.push_back({tag.key, tag.allocations});
  if (fresh_.empty()) return false;  // not counted just now: what was stays the last known
  counted_ = true;
  sort_by_key(fresh_);
  std::size_t common = 0, changed = 0, fell = 0, no_wrap = 0;
  for_each_in_both(counters_, fresh_, [&](std::uint64_t before, std::uint64_t now) {
    constexpr std::uint64_t kHalf = std::uint64_t{1} << 31;
    ++common;
    changed += now != before ? 1 : 0;
    fell += now < before ? 1 : 0;
    no_wrap += now < before && (before < kHalf || before > std::numeric_limits<std::uint32_t>::max() || now >= kHalf) ? 1 : 0;
  });
  counters_.swap(fresh_);
  return no_wrap > 0 && 2 * fell > changed && fell >= std::min<std::size_t>(common, 3);
}

bool Boots::memory_fell(const Snapshot& snapshot) {
  struct Fall {
    std::size_t common = 0, fell = 0, rose = 0;
    double before = 0, now = 0;
    [[nodiscard]] bool far() const { return now < 0.7 * before; }
  };
  const auto compare = [](const std::vector<Held>& before_list, const std::vector<Held>& now_list) {
    Fall fall;
    for_each_in_both(before_list, now_list, [&](std::uint64_t before, std::uint64_t now) {
      if (before < kTagBytes) return;
      ++fall.common;
      fall.fell += static_cast<double>(now) < 0.9 * static_cast<double>(before) ? 1 : 0;
      fall.rose += static_cast<double>(now) > 1.1 * static_cast<double>(before) ? 1 : 0;
      fall.before += static_cast<double>(before);
      fall.now += static_cast<double>(now);
    });
    return fall;
  };
  fresh_.clear();
  for (const PoolTotals& pool : snapshot.pools)
    if (pool.bytes && pool.pool != Pool::kSlabReclaimable)
      fresh_.push_back({static_cast<std::uint64_t>(pool.pool), *pool.bytes});
  const Fall pools = compare(totals_, fresh_);
  if (snapshot.commit_bytes) fresh_.push_back({kPoolCount, *snapshot.commit_bytes});
  sort_by_key(fresh_);
  const Fall totals = compare(totals_, fresh_);
  if (!fresh_.empty()) totals_.swap(fresh_);
  fresh_.clear();
  for (const TagUsage& tag : snapshot.tags)
    if (tag.pool != Pool::kSlabReclaimable && tag.pool != Pool::kAllocinfo) fresh_.push_back({tag.key, tag.bytes});
  sort_by_key(fresh_);
  const Fall tags = compare(bytes_, fresh_);
  if (!fresh_.empty()) bytes_.swap(fresh_);
  most_compared_ = std::max(most_compared_, tags.common);
  if (tags.common >= kFewestTags) return 3 * tags.fell >= 2 * tags.common && 10 * tags.rose <= tags.common && tags.far();
  // Of few, nearly all that there is: each tag, each pool, commit.
  const std::size_t all = tags.common + totals.common, fell = tags.fell + totals.fell;
  return all >= kFewestOfAll && 8 * (all - fell) <= all && (tags.common > pools.common ? tags : pools).far();
}

const Boot& Boots::note(const Snapshot& snapshot, bool live) {
  const bool one_process = live && was_live_;
  const bool first_timed = snapshot.boot_time && !clock_.timed();
  const base::BootClock::News news = clock_.advance({snapshot.time, snapshot.boot_time, 0}, one_process);
  bool is_new = news.new_boot;
  // Recordings that tell of a boot only once they have seen one.
  if (!live && first_timed && last_time_ && *snapshot.boot_time > *last_time_) is_new = true;
  boot_.start = snapshot.boot_time ? snapshot.boot_time : is_new ? std::nullopt : boot_.start;
  if (is_new && inferred_at_ && *snapshot.boot_time <= *inferred_at_ + kJitterMs) is_new = false;  // seen already
  if (snapshot.boot_time) inferred_at_.reset();
  if (snapshot.boot_time) {
    ++timed_;
    counters_.clear();
    bytes_.clear();
    totals_.clear();
  } else if (!live) {
    ++untimed_;
    const bool by_counters = counters_fell(snapshot);
    const bool by_memory = !counted_ && memory_fell(snapshot);
    if (by_counters || by_memory) {
      is_new = true;
      (by_counters ? by_counters_ : by_memory_) += 1;
      const std::int64_t gap = last_time_ ? std::max<std::int64_t>(snapshot.time - *last_time_, 0) : 0;
      boot_.start = snapshot.time - std::min({gap / 2, interval_ms_ > 0 ? interval_ms_ : gap, kLongestGuessMs});
      inferred_at_ = snapshot.time;
    }
  }
  if (last_time_ && snapshot.time > *last_time_ && !is_new) interval_ms_ = snapshot.time - *last_time_;
  last_time_ = snapshot.time;
  if (is_new || boot_.reading.number == 0) ++boot_.reading.number;
  if (is_new) boot_.system_ptes_max.reset();
  if (snapshot.system_ptes_free)
    boot_.system_ptes_max = std::max(boot_.system_ptes_max.value_or(0), *snapshot.system_ptes_free);
  boot_.is_new = is_new;
  boot_.reading.time = snapshot.time;
  boot_.reading.boot_time = snapshot.boot_time;
  was_live_ = live;
  return boot_;
}

bool Boots::is_blind() const { return untimed_ > 1 && !counted_ && by_memory_ == 0 && most_compared_ < kFewestTags; }

std::string Boots::how_words() const {
  if (untimed_ == 0) return {};
  const auto seen = [](std::uint64_t count) {
    return count == 0 ? std::string("none was seen") : "seen " + (count == 1 ? "once" : std::to_string(count) + " times");
  };
  const std::string given = timed_ == 0 ? "no boot times are given" : "boot times are not given everywhere";
  if (counted_) return given + ": a reboot is where most counters of allocations fell together, " + seen(by_counters_);
  if (is_blind())
    return given + ", nor are allocations counted, and there are too few tags (" + std::to_string(most_compared_) + " of " +
           std::to_string(kFewestTags) + ") to see a reboot by their memory: one is taken for growth given back";
  return given + ", nor are allocations counted: that most tags fall far together is taken for a reboot and may be none, " +
         seen(by_memory_);
}

}  // namespace kmem
