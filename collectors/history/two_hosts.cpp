#include "collectors/history/two_hosts.h"

#include <algorithm>
#include <cstdlib>

namespace kmem::history {
namespace {

constexpr std::size_t kMostSeen = 1000;
constexpr std::size_t kManyTags = 256, kOneOf = 16;  // of many tags some are enough
constexpr std::uint64_t kFewestBytesThatTell = 4096;
constexpr std::size_t kFewestCounted = 3, kFewestSized = 3, kFewestDiffering = 3;
constexpr std::size_t kFewestOfStranger = 4, kFewOfRising = 10, kMostStrangers = 8, kFewOfAll = 4;
constexpr std::uint64_t kTimesFarther = 2;
constexpr base::UnixMillis kSameBootOfTwoMs = 5 * base::kMinuteMillis;

bool is_half_above(std::uint64_t high, std::uint64_t low) { return high / 3 > low / 2; }

}  // namespace

void TwoHosts::see(const std::string& path, const std::string& host, std::uint64_t line, const Snapshot& look) {
  const bool is_of_tags = !look.tags.empty();
  if (!is_of_tags && look.pools.empty()) return;
  if (seen_.size() >= kMostSeen && !seen_.contains({path, host})) return;
  Seen& seen = seen_[{path, host}];
  if (is_of_tags != seen.is_of_tags) {
    if (!is_of_tags) return;  // totals beside tags tell nothing more
    seen = {};
    seen.is_of_tags = true;
  }
  Reading now{look.time, line, look.boot_time, {}};
  for (const TagUsage& tag : look.tags)
    if (look.tags.size() < kManyTags || tag.key % kOneOf == 0)
      now.values.push_back({tag.key, tag.counter_bits != 0 ? tag.allocations : tag.bytes, tag.counter_bits != 0});
  for (const PoolTotals& pool : look.pools)
    if (!is_of_tags && pool.bytes) now.values.push_back({static_cast<std::uint64_t>(pool.pool), *pool.bytes, false});
  std::sort(now.values.begin(), now.values.end(), [](const Value& a, const Value& b) { return a.key < b.key; });
  if (now.time < seen.last.time) return;
  if (now.time == seen.last.time && seen.times > 0) {
    if (!is_far(seen.last, now)) return;
    if (seen.differing++ == 0 && seen.first_line == 0) seen.first_line = line;
    return;
  }
  if (seen.times > 1) judge(seen, now);
  seen.before = std::move(seen.last);
  seen.last = std::move(now);
  ++seen.times;
}

bool TwoHosts::is_far(const Reading& one, const Reading& other) {
  std::size_t shared = 0, far = 0;
  auto b = other.values.begin();
  for (const Value& a : one.values) {
    while (b != other.values.end() && b->key < a.key) ++b;
    if (b == other.values.end() || b->key != a.key) continue;
    const auto [low, high] = std::minmax(a.amount, b->amount);
    if (!a.is_counter && high < kFewestBytesThatTell) continue;
    ++shared;
    far += high - low > high / 10 ? 1 : 0;
  }
  return far * 2 > shared;
}

void TwoHosts::judge(Seen& seen, const Reading& now) {
  const Reading &first = seen.before, &mid = seen.last;
  if (first.boot && now.boot && std::abs(*first.boot - *now.boot) > kSameBootOfTwoMs) return;
  std::size_t shared = 0, outside = 0, counters = 0, fallen = 0;
  auto a = first.values.begin(), b = mid.values.begin();
  for (const Value& c : now.values) {
    while (a != first.values.end() && a->key < c.key) ++a;
    while (b != mid.values.end() && b->key < c.key) ++b;
    if (a == first.values.end() || b == mid.values.end() || a->key != c.key || b->key != c.key) continue;
    const std::uint64_t low = std::min(a->amount, c.amount), high = std::max(a->amount, c.amount);
    const bool is_counter = a->is_counter && b->is_counter && c.is_counter;
    fallen += is_counter && c.amount < a->amount ? 1 : 0;
    if (is_counter ? c.amount < a->amount || (low == high && b->amount == low)  // a restart; what never moves
                   : std::max(high, b->amount) < kFewestBytesThatTell)
      continue;
    ++shared;
    counters += is_counter ? 1 : 0;
    // Much farther away than the two are from each other: what scripts call counters may go up and down a little.
    const std::uint64_t away = b->amount > high ? b->amount - high : b->amount < low ? low - b->amount : 0;
    const bool is_other = is_counter || is_half_above(b->amount, high) || is_half_above(low, b->amount);
    outside += is_other && away / kTimesFarther > high - low ? 1 : 0;
  }
  if (shared == 0) return;
  ++seen.between;
  const bool is_counted = counters * 2 > shared;
  const bool rises = is_counted && fallen * kFewOfRising <= counters;
  seen.rising += rises ? 1 : 0;
  if (outside * 2 <= shared) return;
  if (seen.astray++ == 0 && seen.differing == 0) seen.first_line = mid.line;
  seen.counted_astray += is_counted ? 1 : 0;
  // Behind a reboot counters do not come back to where they were.
  if (rises && counters >= kFewestOfStranger && outside * 5 >= shared * 4) {
    if (seen.strangers++ == 0) seen.first_line = mid.line;
    if (seen.times_of_strangers.size() < kMostStrangers) seen.times_of_strangers.push_back(mid.time);
  }
}

TwoHosts::Found TwoHosts::found() const {
  Found found;
  for (const auto& [of, seen] : seen_) {
    // An amount may rise and fall every day; a counter does not, but for a slip.
    const bool counted = seen.counted_astray >= kFewestCounted && seen.counted_astray * 2 > seen.between;
    const bool at_once = seen.differing >= kFewestDiffering && seen.differing * 2 > seen.times;
    const bool amid =
        seen.strangers > 0 && (seen.rising + 2 * seen.strangers) * kFewOfRising >= seen.between * (kFewOfRising - 1);
    const bool sized = seen.astray >= kFewestSized && seen.astray * 4 > seen.between * 3;
    if (amid && !counted && !at_once && seen.strangers <= kMostStrangers && seen.strangers * kFewOfAll <= seen.between) {
      for (const base::UnixMillis time : seen.times_of_strangers) found.strangers.insert({of.first, of.second, time});
      continue;
    }
    if (!counted && !sized && !at_once && !amid) continue;
    const bool is_proven = counted || at_once || amid;
    const std::string where = seen.first_line > 0 ? "line " + std::to_string(seen.first_line) + ": " : "";
    const std::string what = at_once   ? "at the same times nearly all values are others"
                             : counted ? "counters fall and rise again from reading to reading"
                             : amid    ? "the counters of one reading lie far from those before and behind it, which go on"
                                       : "values go up and down by half from reading to reading";
    if (!of.second.empty() || !is_proven)
      found.doubts.emplace(of.first, where + what + ", as where readings of two hosts are mixed; all are taken as one host's");
    else
      found.faults.emplace(
          of.first,
          where + "readings of two hosts, or of two machines' tools, stand in it, and which is whose is not clear: " + what +
              "; give each host's readings in a file of its own, or its name in a column Computer or in a line "
              "\"Computer: NAME\" above each date; if all are one host's, one such line above them says so");
  }
  return found;
}

}  // namespace kmem::history
