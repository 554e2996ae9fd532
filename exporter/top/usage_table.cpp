#include "exporter/top/usage_table.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "collectors/base/ascii_case.h"

namespace kmem::top {
namespace {

std::int64_t gained(std::uint64_t now, std::uint64_t before, std::uint8_t counter_bits) {
  const std::uint64_t difference = now - before;
  // A 32-bit counter only goes up, through 0.
  return counter_bits == 32 ? static_cast<std::int64_t>(difference & 0xFFFF'FFFF) : static_cast<std::int64_t>(difference);
}

bool holds(std::string_view text, std::string_view lower_part) {
  return std::search(text.begin(), text.end(), lower_part.begin(), lower_part.end(),
                     [](char a, char b) { return base::ascii_lower(a) == b; }) != text.end();
}

std::int64_t sort_value(const UsageRow& row, SortBy sort) {
  switch (sort) {
    case SortBy::kBytes: return static_cast<std::int64_t>(row.bytes);
    case SortBy::kOutstanding: return static_cast<std::int64_t>(row.outstanding);
    case SortBy::kRate: return (row.counted ? row.allocations_delta : row.outstanding_delta).value_or(0);
    case SortBy::kGrowth: return row.growth_bytes;
    case SortBy::kAllocations: return static_cast<std::int64_t>(row.allocations);
    case SortBy::kFrees: return static_cast<std::int64_t>(row.frees);
    case SortBy::kPerAllocation: return static_cast<std::int64_t>(row.bytes_per_allocation());
    case SortBy::kTag: break;
  }
  return 0;
}

}  // namespace

void UsageTable::update(const Snapshot& snapshot, const Boot& boot) {
  if (boot_clock_.advance(boot.reading).new_boot) {
    known_.clear();
    readings_ = 0;
  }
  ++readings_;
  rows_.resize(snapshot.tags.size());
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const TagUsage& tag = snapshot.tags[i];
    UsageRow& row = rows_[i] = {};
    row.pool = tag.pool;
    row.tag = tag.tag;
    row.counted = tag.counter_bits != 0;
    row.has_outstanding = tag.has_outstanding;
    row.allocations = tag.allocations;
    row.frees = tag.frees;
    row.outstanding = tag.outstanding;
    row.bytes = tag.bytes;

    // A tag that was not listed held nothing; how often it was allocated nobody said.
    const auto [known, is_new] = known_.try_emplace(tag.key);
    Known& before = known->second;
    if (is_new && readings_ == 1) before.first_bytes = tag.bytes;
    row.growth_bytes = gained(tag.bytes, before.first_bytes, 0);
    if (readings_ > 1) {
      const bool listed = before.reading + 1 == readings_;
      row.bytes_delta = gained(tag.bytes, listed ? before.bytes : 0, 0);
      row.outstanding_delta = gained(tag.outstanding, listed ? before.outstanding : 0, 0);
      if (row.counted && before.reading > 0) {
        row.allocations_delta = gained(tag.allocations, before.allocations, tag.counter_bits);
        row.frees_delta = gained(tag.frees, before.frees, tag.counter_bits);
      }
    }
    before = {tag.allocations, tag.frees, tag.outstanding, tag.bytes, before.first_bytes, readings_};
  }
}

std::vector<const UsageRow*> chosen_rows(const std::vector<UsageRow>& rows, const RowChoice& choice) {
  std::string filter = choice.filter;
  std::transform(filter.begin(), filter.end(), filter.begin(), base::ascii_lower);
  std::vector<const UsageRow*> out;
  for (const UsageRow& row : rows) {
    if (choice.pool && row.pool != *choice.pool) continue;
    if (!filter.empty() && !holds(row.tag, filter) && !holds(row.driver, filter)) continue;
    out.push_back(&row);
  }
  std::sort(out.begin(), out.end(), [&](const UsageRow* a, const UsageRow* b) {
    const std::int64_t first = sort_value(*a, choice.sort), second = sort_value(*b, choice.sort);
    if (first != second) return first > second;
    if (a->bytes != b->bytes && choice.sort != SortBy::kTag) return a->bytes > b->bytes;
    return std::tie(a->tag, a->pool) < std::tie(b->tag, b->pool);
  });
  return out;
}

}  // namespace kmem::top
