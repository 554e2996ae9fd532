#include <algorithm>
#include <limits>

#include "collectors/history/csv_fields.h"
#include "collectors/history/row_text.h"
#include "collectors/history/snapshot_builder.h"
#include "collectors/history/text_rows.h"

namespace kmem::history {

std::optional<PoolusedColumns> parse_poolused_header(std::string_view line, std::string_view titles) {
  std::string_view rest = trimmed(line);
  std::vector<std::string_view> words;
  while (!rest.empty()) {
    const std::size_t length = std::min(rest.find_first_of(" \t"), rest.size());
    words.push_back(rest.substr(0, length));
    rest = after_blanks(rest.substr(length));
  }
  if (words.empty() || !same_word(words.front(), "Tag")) return std::nullopt;
  words.erase(words.begin());
  constexpr std::array<std::string_view, 2> kBrief = {"Allocs", "Used"};
  constexpr std::array<std::string_view, 4> kVerbose = {"Allocs", "Frees", "Diff", "Used"};
  PoolusedColumns columns;
  columns.verbose = words.size() > 1 && same_word(words[1], kVerbose[1]);
  const std::size_t width = columns.verbose ? kVerbose.size() : kBrief.size();
  if (words.size() != width && words.size() != 2 * width) return std::nullopt;
  for (std::size_t i = 0; i < words.size(); ++i)
    if (!same_word(words[i], columns.verbose ? kVerbose[i % width] : kBrief[i % width])) return std::nullopt;

  for (rest = after_blanks(titles); !rest.empty();) {
    const std::size_t length = std::min(rest.find_first_of(" \t"), rest.size());
    const std::string_view word = rest.substr(0, length);
    if (same_word(word, "NonPaged") || same_word(word, "NonPagedNx")) columns.pools.push_back(Pool::kNonpaged);
    if (same_word(word, "Paged")) columns.pools.push_back(Pool::kPaged);
    rest = after_blanks(rest.substr(length));
  }
  const std::size_t groups = words.size() / width;
  const bool twice = columns.pools.size() == 2 && columns.pools[0] == columns.pools[1];
  if (columns.pools.size() != groups || twice) columns.pools.clear();
  // Two groups whose titles were cut off: the debugger knows but one order.
  if (columns.pools.empty() && groups == 2 && !twice) columns.pools = {Pool::kNonpaged, Pool::kPaged};
  return columns;
}

RowKind parse_poolused_row(std::string_view line, const PoolusedColumns& columns, std::vector<TagUsage>& rows,
                           std::string& reason) {
  const bool in_place =
      line.starts_with(' ') && line.size() > kTypeColumn && is_blank(line[kTypeColumn - 1]) && !is_blank(line[1]);
  std::string_view rest = in_place ? line.substr(1) : after_blanks(line);
  const std::size_t length = in_place ? kTagLength : std::min(rest.find_first_of(" \t"), rest.size());
  if (length == 0 || length > kTagLength || length == rest.size()) return RowKind::kOther;
  const std::string_view tag = rest.substr(0, length);
  rest.remove_prefix(length);
  if (after_blanks(rest).empty() || !is_digit(after_blanks(rest).front())) return RowKind::kOther;
  rows.clear();
  for (const Pool pool : columns.pools) {
    const std::string before(pool == Pool::kNonpaged ? "nonpaged " : "paged ");
    const auto broken = [&](std::string_view name) {
      reason = cannot_read(rest, before + std::string(name));
      return RowKind::kBroken;
    };
    TagUsage row;
    row.pool = pool;
    row.tag = tag_text(tag);
    const auto allocations = take_cell<std::uint64_t>(rest);
    if (!allocations) return broken("Allocs");
    row.outstanding = *allocations;
    if (columns.verbose) {
      const auto frees = take_cell<std::uint64_t>(rest);
      if (!frees) return broken("Frees");
      const auto diff = take_cell<std::int64_t>(rest);
      if (!diff) return broken("Diff");
      row.counter_bits = std::max(*allocations, *frees) > std::numeric_limits<std::uint32_t>::max() ? 64 : 32;
      set_counters(row, *allocations, *frees);
      // Printed with or without a sign. Columns that were taken for others would not agree.
      if (static_cast<std::uint32_t>(*diff) != static_cast<std::uint32_t>(*allocations - *frees)) {
        reason = before + "Diff is not Allocs less Frees";
        return RowKind::kBroken;
      }
    }
    const auto bytes = take_grouped(rest);  // a description may stand close behind
    if (!bytes) return broken("Used");
    if (*bytes > kMostPoolBytes) return broken("Used");
    row.bytes = *bytes;
    // Cells that touch are one number, and what stands behind them is taken for the next one.
    if (!columns.verbose && row.bytes < row.outstanding) {
      reason = before + "Used is less than a byte an allocation, as where cells touch";
      return RowKind::kBroken;
    }
    rows.push_back(std::move(row));
  }
  constexpr std::size_t kFewest = 3;
  const std::size_t cells = columns.pools.size() * (columns.verbose ? 4 : 2);
  if (!columns.pools.empty() && has_numbers_behind(rest, std::max(cells, kFewest))) {
    reason = "two rows in one line";
    return RowKind::kBroken;
  }
  return RowKind::kRow;
}

}  // namespace kmem::history
