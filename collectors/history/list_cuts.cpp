#include "collectors/history/list_cuts.h"

#include <algorithm>
#include <limits>

namespace kmem::history {
namespace {

constexpr std::size_t kFewestRows = 3;
constexpr std::uint64_t kLittleMore = 2;  // times the smallest
constexpr std::size_t kMostMissing = 256;
constexpr std::uint64_t kFewestBytes = 4096, kSmallPart = 8;
constexpr int kProof = 2, kEnoughEvidence = 4, kEnoughOfOneTag = 8;

/// The same; or much, and nearly the same, before and after one look without it.
bool is_as_much(std::uint64_t before, std::uint64_t after) {
  constexpr std::uint64_t kMuch = std::uint64_t{1} << 20;
  return before == after || (before >= kMuch && std::max(before, after) - std::min(before, after) <= before / kSmallPart);
}

std::size_t list_of(Pool pool) {
  if (pool <= Pool::kNonpaged) return 0;
  if (pool <= Pool::kSlabUnreclaimable) return 1;
  return pool == Pool::kAllocinfo ? 3 : 2;
}

}  // namespace

ListCuts::Between ListCuts::was_there(const Row& before, const Row& now) {
  if (before.is_counted && now.is_counted) {
    // Counters that fall are of another boot.
    if (now.allocations < before.allocations || now.frees < before.frees) return Between::kNo;
    if (now.frees - before.frees < before.outstanding) return Between::kSurely;
  }
  const std::uint64_t differ = std::max(before.bytes, now.bytes) - std::min(before.bytes, now.bytes);
  return before.bytes >= kFewestBytes && differ <= before.bytes / kSmallPart ? Between::kLikely : Between::kNo;
}

// `there` by key.
void ListCuts::look_for_missing(List& list, const std::vector<Row>& there) {
  for (auto one = list.missing.begin(); one != list.missing.end();) {
    const auto found =
        std::lower_bound(there.begin(), there.end(), one->second, [](const Row& a, const Row& b) { return a.key < b.key; });
    if (found == there.end() || found->key != one->first) {
      ++one;
      continue;
    }
    Between between = was_there(one->second, *found);
    list.is_proved |= between == Between::kSurely;
    // Without counts: tags stamped one by one replace each other, all of them; and what lacks in one list only was lost there.
    if (between == Between::kNo && one->second.was_with_all && !found->is_counted && found->bytes > 0)
      between = Between::kLikely;
    const bool is_lost_once = between == Between::kLikely && !found->is_counted && !one->second.was_with_all &&
                              one->second.gone + 1 == list.looks && is_as_much(one->second.bytes, found->bytes);
    const auto is_it = [&](const Row& row) { return row.key == one->first; };
    if ((between == Between::kSurely || is_lost_once) && std::none_of(list.rows.begin(), list.rows.end(), is_it))
      back_.push_back({static_cast<std::size_t>(&list - lists_.data()), one->second.time});
    list.evidence = std::max(0, list.evidence + (between == Between::kSurely ? kProof : between == Between::kLikely ? 1 : -1));
    if (between != Between::kNo && list.back.size() < kMostMissing) list.back.insert(one->first);
    one = list.missing.erase(one);
  }
  list.is_ragged |=
      (list.evidence >= kEnoughEvidence && (list.is_proved || list.back.size() > 1)) || list.evidence >= kEnoughOfOneTag;
}

ListCuts::Change ListCuts::change(List& list, const std::vector<Row>& now) {
  const std::vector<Row>& before = list.rows;
  const auto by_key = [](const Row& a, const Row& b) { return a.key < b.key; };
  const auto sorted = [&](std::vector<Row> rows) {
    std::sort(rows.begin(), rows.end(), by_key);
    return rows;
  };
  const std::vector<Row> there = sorted(now), known = sorted(before);
  const auto has = [&](const std::vector<Row>& rows, const Row& row) {
    return std::binary_search(rows.begin(), rows.end(), row, by_key);
  };
  Row least{0, std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max()};
  for (const Row& row : now) {
    least.bytes = std::min(least.bytes, row.bytes);
    least.outstanding = std::min(least.outstanding, row.outstanding);
  }
  const auto is_little = [](std::uint64_t amount, std::uint64_t smallest) { return amount / kLittleMore <= smallest; };
  Change seen;
  bool is_behind = true, by_bytes = true, by_count = true;
  for (const Row& row : before) {
    if (has(there, row)) {
      ++seen.kept;
      is_behind &= seen.lost == 0;
      continue;
    }
    ++seen.lost;
    if (list.missing.size() < kMostMissing) {
      Row& gone = list.missing.insert_or_assign(row.key, row).first->second;
      gone.gone = list.looks;
      gone.was_with_all = false;
    }
    by_bytes &= is_little(row.bytes, least.bytes);
    by_count &= is_little(row.outstanding, least.outstanding) && row.outstanding > 0;
  }
  for (const Row& row : before)
    if (const auto gone = list.missing.find(row.key); seen.kept == 0 && gone != list.missing.end())
      gone->second.was_with_all = true;
  if (!list.is_ragged && list.cut_at == 0) look_for_missing(list, there);
  seen.is_behind = is_behind && has(known, now.back());
  seen.is_below = (by_bytes && least.bytes > 0) || (by_count && least.outstanding > 0);
  return seen;
}

bool ListCuts::is_cut(List& list, const std::vector<Row>& now, bool ends_file) {
  const std::vector<Row>& before = list.rows;
  if (now.size() > list.cut_at) list.cut_at = 0;
  const bool was_cut = list.cut_at != 0;
  const bool same = before.size() == now.size() && std::equal(before.begin(), before.end(), now.begin(),
                                                              [](const Row& a, const Row& b) { return a.key == b.key; });
  if (same || before.empty() || now.empty()) return was_cut && now.size() == list.cut_at;
  const Change seen = change(list, now);
  if (seen.kept == 0 || seen.lost == 0) return was_cut && now.size() == list.cut_at;
  const bool is_beyond = seen.is_behind || seen.is_below;
  if (is_beyond && now.size() >= kFewestRows && (now.size() == before.size() || was_cut)) {
    list.cut_at = now.size();
    return true;
  }
  return (was_cut && now.size() == list.cut_at) || (ends_file && seen.is_behind && seen.lost > 1 && now.size() < before.size());
}

void ListCuts::add_gaps(Snapshot& snapshot, std::size_t list) {
  for (std::size_t pool = 0; pool < kPoolCount; ++pool)
    if (list_of(static_cast<Pool>(pool)) == list) snapshot.gaps.add(static_cast<Pool>(pool));
}

void ListCuts::see_totals(const Snapshot& snapshot) {
  beside_before_ = beside_;
  beside_ = {};
  for (const PoolTotals& totals : snapshot.pools)
    if (totals.bytes) beside_[static_cast<std::size_t>(totals.pool)] = static_cast<std::int64_t>(*totals.bytes);
  for (const TagUsage& tag : snapshot.tags)
    if (auto& beside = beside_[static_cast<std::size_t>(tag.pool)]) *beside -= static_cast<std::int64_t>(tag.bytes);
}

// In a list of whom most rows are still there. A total that fell by as much as a tag had shows that it is gone.
bool ListCuts::is_without_much(const List& list, const std::vector<Row>& now) const {
  constexpr std::uint64_t kMuch = 65'536;
  constexpr std::size_t kMost = 8;  // one in eight rows
  std::vector<std::uint64_t> keys;
  keys.reserve(now.size());
  for (const Row& row : now) keys.push_back(row.key);
  std::sort(keys.begin(), keys.end());
  std::array<std::uint64_t, kPoolCount> gone{};
  std::size_t rows = 0;
  for (const Row& row : list.rows)
    if (!std::binary_search(keys.begin(), keys.end(), row.key)) gone[static_cast<std::size_t>(row.pool)] += row.bytes, ++rows;
  if (rows == 0 || rows * kMost > list.rows.size()) return false;
  for (std::size_t i = 0; i < kPoolCount; ++i) {
    if (gone[i] < kMuch) continue;
    if (!beside_[i] || !beside_before_[i]) return true;
    if (*beside_[i] - *beside_before_[i] >= static_cast<std::int64_t>(gone[i] / 2)) return true;
  }
  return false;
}

void ListCuts::note(Snapshot& snapshot, bool ends_file) {
  for (auto& rows : now_) rows.clear();
  back_.clear();
  is_last_cut_ = false;
  for (const TagUsage& tag : snapshot.tags)
    now_[list_of(tag.pool)].push_back({tag.key, tag.bytes, tag.has_outstanding ? tag.outstanding : 0, tag.counter_bits != 0,
                                       tag.allocations, tag.frees, snapshot.time, 0, false, tag.pool});
  see_totals(snapshot);
  is_last_without_ = false;
  for (std::size_t i = 0; i < kLists; ++i) {
    if (now_[i].empty()) continue;
    ++lists_[i].looks;
    const bool cut = is_cut(lists_[i], now_[i], ends_file);
    const bool is_without = ends_file && !cut && !lists_[i].is_ragged && is_without_much(lists_[i], now_[i]);
    is_last_without_ |= is_without;
    if (cut || lists_[i].is_ragged || is_without) add_gaps(snapshot, i);
    is_last_cut_ |= ends_file && cut && lists_[i].cut_at == 0;
    lists_[i].rows.swap(now_[i]);
  }
}

}  // namespace kmem::history
