#include "collectors/history/list_cuts.h"

#include <algorithm>
#include <limits>

namespace kmem::history {
namespace {

constexpr std::size_t kFewestRows = 3;
constexpr std::uint64_t kLittleMore = 2;  // times the smallest

std::size_t list_of(Pool pool) {
  if (pool <= Pool::kNonpaged) return 0;
  if (pool <= Pool::kSlabUnreclaimable) return 1;
  return pool == Pool::kAllocinfo ? 3 : 2;
}

}  // namespace

ListCuts::Change ListCuts::change(const std::vector<Row>& before, const std::vector<Row>& now) {
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
    by_bytes &= is_little(row.bytes, least.bytes);
    by_count &= is_little(row.outstanding, least.outstanding) && row.outstanding > 0;
  }
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
  const Change seen = change(before, now);
  if (seen.kept == 0 || seen.lost == 0) return was_cut && now.size() == list.cut_at;
  const bool is_beyond = seen.is_behind || seen.is_below;
  if (is_beyond && now.size() >= kFewestRows && (now.size() == before.size() || was_cut)) {
    list.cut_at = now.size();
    return true;
  }
  return (was_cut && now.size() == list.cut_at) || (ends_file && seen.is_behind && seen.lost > 1 && now.size() < before.size());
}

void ListCuts::note(Snapshot& snapshot, bool ends_file) {
  for (auto& rows : now_) rows.clear();
  for (const TagUsage& tag : snapshot.tags)
    now_[list_of(tag.pool)].push_back({tag.key, tag.bytes, tag.has_outstanding ? tag.outstanding : 0});
  for (std::size_t i = 0; i < kLists; ++i) {
    if (now_[i].empty()) continue;
    if (is_cut(lists_[i], now_[i], ends_file))
      for (std::size_t pool = 0; pool < kPoolCount; ++pool)
        if (list_of(static_cast<Pool>(pool)) == i) snapshot.gaps.add(static_cast<Pool>(pool));
    lists_[i].rows.swap(now_[i]);
  }
}

}  // namespace kmem::history
