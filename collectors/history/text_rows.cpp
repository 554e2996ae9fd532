#include "collectors/history/text_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

#include "collectors/history/csv_fields.h"
#include "collectors/history/row_text.h"
#include "collectors/history/snapshot_builder.h"

namespace kmem::history {
namespace {

constexpr std::int64_t kWrap = std::int64_t{1} << 32;

std::optional<Pool> type_at(std::string_view line, std::size_t at) {
  // A number that fills its cell follows at once.
  const auto is = [&](std::string_view name) {
    const std::size_t end = at + name.size();
    return same_word(line.substr(std::min(at, line.size()), name.size()), name) &&
           (end == line.size() || is_blank(line[end]) || is_digit(line[end]));
  };
  if (is("Nonp")) return Pool::kNonpaged;
  if (is("Paged")) return Pool::kPaged;
  return std::nullopt;
}

struct TagAndPool {
  std::string_view tag;
  Pool pool = Pool::kPaged;
  std::string_view rest;
};

std::optional<TagAndPool> find_tag(std::string_view line) {
  const auto behind = [&](std::size_t at) {
    return line.substr(std::min(line.find_first_of(" \t0123456789", at), line.size()));
  };
  // In its place, or without the blank behind a tag of four letters.
  if (line.starts_with(' '))
    for (const std::size_t at : {kTypeColumn, kTypeColumn - 1}) {
      const auto pool = type_at(line, at);
      if (!pool || (at == kTypeColumn && line[at - 1] != ' ')) continue;
      const std::string_view tag = line.substr(1, kTagLength);
      if (at == kTypeColumn ? tag.find_first_not_of(' ') != std::string_view::npos : !is_blank(tag.back()))
        return TagAndPool{tag, *pool, behind(at)};
    }
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  for (std::size_t at = begin + 2; at < line.size() && at <= begin + kTypeColumn + 2; ++at) {
    if (!is_blank(line[at - 1])) continue;
    const auto pool = type_at(line, at);
    if (!pool) continue;
    const std::string_view tag = trimmed(line.substr(begin, at - begin));
    if (tag.size() > kTagLength) return std::nullopt;
    return TagAndPool{tag, *pool, behind(at)};
  }
  return std::nullopt;
}

// "(   -)" as well, where nothing is known from before.
void drop_top_delta(std::string_view& text) {
  const std::string_view rest = after_blanks(text);
  if (rest.starts_with('(') && rest.find(')') != std::string_view::npos) text = rest.substr(rest.find(')') + 1);
}

}  // namespace

namespace {

/// Another row's type and numbers behind this one's.
bool has_second_row(std::string_view rest) {
  for (const std::string_view type : {" Nonp ", " Paged "})
    if (const std::size_t at = rest.find(type); at != std::string_view::npos) {
      const std::string_view behind = after_blanks(rest.substr(at + type.size()));
      if (!behind.empty() && is_digit(behind.front())) return true;
    }
  return false;
}

constexpr const char* kTwoRows = "two rows in one line";

/// poolmon's cells behind the type.
struct PoolmonCells {
  std::uint64_t allocations = 0, frees = 0;
  std::int64_t diff = 0, bytes = 0, each = 0;

  bool operator==(const PoolmonCells&) const = default;
};
constexpr std::array<std::string_view, 5> kPoolmonColumns = {"Allocs", "Frees", "Diff", "Bytes", "Per Alloc"};

/// Of 32 bits where the counters are.
bool is_difference(std::int64_t diff, std::uint64_t allocations, std::uint64_t frees) {
  return static_cast<std::uint32_t>(diff) == static_cast<std::uint32_t>(allocations - frees);
}

/// Off `rest`; or why not.
std::optional<std::string> take_cells(std::string_view& rest, PoolmonCells& cells) {
  const auto take = [&](auto& into, std::size_t column, bool has_delta) -> std::optional<std::string> {
    const auto value = take_cell<std::remove_reference_t<decltype(into)>>(rest);
    if (!value) return cannot_read(rest, kPoolmonColumns[column]);
    into = *value;
    if (has_delta) drop_delta(rest);
    return std::nullopt;
  };
  if (auto why = take(cells.allocations, 0, true)) return why;
  if (auto why = take(cells.frees, 1, true)) return why;
  if (auto why = take(cells.diff, 2, false)) return why;
  if (auto why = take(cells.bytes, 3, true)) return why;
  if (auto why = take(cells.each, 4, false)) return why;
  if (take_cell<std::int64_t>(rest)) return "more numbers than columns, as of blanks between thousands";
  return std::nullopt;
}

/// Numbers that fill their cells touch what stands before them. What they are follows from Diff = Allocs - Frees and
/// Per Alloc = Bytes / Diff, both of which a number that is cut or parted elsewhere does not keep.
class TouchingCells {
 public:
  explicit TouchingCells(std::string_view rest) {
    while (!(rest = after_blanks(rest)).empty() && runs_.size() < kPoolmonColumns.size()) {
      const bool is_below = rest.front() == '-';
      const std::size_t end = std::min(rest.find_first_not_of("0123456789", is_below ? 1 : 0), rest.size());
      if (end == (is_below ? 1 : 0) || end > kMostDigits) break;
      Run run{rest.substr(0, end), false};
      rest.remove_prefix(end);
      if (!rest.empty() && !is_blank(rest.front()) && std::string_view("-([").find(rest.front()) == std::string_view::npos)
        break;
      const std::size_t before = rest.size();
      drop_delta(rest);
      run.has_delta = rest.size() != before;
      runs_.push_back(run);
    }
    is_legal_ = !runs_.empty() && runs_.size() < kPoolmonColumns.size();
  }

  /// The only way to part them; nullopt: there is none, or several.
  [[nodiscard]] std::optional<PoolmonCells> only() {
    if (is_legal_) part(0, 0, 0);
    return ways_ == 1 ? std::optional(found_) : std::nullopt;
  }
  [[nodiscard]] bool are_several() const { return ways_ > 1; }

 private:
  static constexpr std::size_t kMostDigits = 40;
  static constexpr std::size_t kLeastDigits = 6;  // of what touches: poolmon's narrowest cell

  struct Run {
    std::string_view digits;  // perhaps with a sign
    bool has_delta = false;
  };

  void part(std::size_t column, std::size_t run, std::size_t at) {
    const bool is_over = column == kPoolmonColumns.size();
    if (is_over || run == runs_.size()) {
      if (is_over && run == runs_.size() && keeps_quotient() && (ways_ == 0 || !(found_ == cells_))) {
        found_ = cells_;
        ++ways_;
      }
      return;
    }
    const std::string_view digits = runs_[run].digits.substr(at);
    const std::size_t left = kPoolmonColumns.size() - column;
    if (runs_.size() - run > left || ways_ > 1) return;
    for (std::size_t length = 1; length <= digits.size(); ++length) {
      const bool is_rest = length == digits.size();
      // What changed stands behind Allocs, Frees and Bytes alone.
      if (is_rest && runs_[run].has_delta && (column == 2 || column == 4)) continue;
      if (!is_rest && (digits[length] == '0' || digits.size() - length < kLeastDigits)) continue;
      if ((at > 0 && length < kLeastDigits) || (length > 1 && digits.front() == '0')) continue;
      if (!set(column, digits.substr(0, length))) continue;
      if (column == 2 && !is_difference(cells_.diff, cells_.allocations, cells_.frees)) continue;
      part(column + 1, is_rest ? run + 1 : run, is_rest ? 0 : at + length);
    }
  }

  bool set(std::size_t column, std::string_view digits) {
    const auto to = [&](auto& into) {
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
      return error == std::errc{} && end == digits.data() + digits.size();
    };
    switch (column) {
      case 0: return to(cells_.allocations);
      case 1: return to(cells_.frees);
      case 2: return to(cells_.diff);
      case 3: return to(cells_.bytes);
      default: return to(cells_.each);
    }
  }

  [[nodiscard]] bool keeps_quotient() const {
    if (cells_.bytes < 0 || cells_.diff < 0 || cells_.each < 0) return false;
    return cells_.diff == 0 ? cells_.bytes == 0 && cells_.each == 0 : cells_.bytes / cells_.diff == cells_.each;
  }

  std::vector<Run> runs_;
  PoolmonCells cells_, found_;
  int ways_ = 0;
  bool is_legal_ = false;
};

}  // namespace

RowKind parse_poolmon_row(std::string_view line, TagUsage& row, std::string& reason, PerAlloc* per_alloc) {
  const auto found = find_tag(line);
  if (!found) return RowKind::kOther;
  row = {};
  row.pool = found->pool;
  row.tag = tag_text(found->tag);
  std::string_view rest = found->rest;
  PoolmonCells cells;
  bool are_parted = false;
  if (auto why = take_cells(rest, cells)) {
    TouchingCells touching(found->rest);
    const auto only = touching.only();
    reason = touching.are_several() ? "its cells touch, and can be parted in several ways" : std::move(*why);
    if (!only) return RowKind::kBroken;
    cells = *only;
    are_parted = true;
    reason.clear();
  }
  const std::uint64_t allocations = cells.allocations, frees = cells.frees;
  const std::int64_t diff = cells.diff, bytes = cells.bytes, each = cells.each;
  if (has_second_row(rest)) {
    reason = kTwoRows;
    return RowKind::kBroken;
  }
  if (!is_difference(diff, allocations, frees)) {
    reason = "Diff is not Allocs less Frees";
    return RowKind::kBroken;
  }

  row.counter_bits = std::max(allocations, frees) > kMaxU32 ? 64 : 32;
  set_counters(row, allocations, frees);
  // Printed signed: below 0 are 2 to 4 GiB, or nothing when nothing is alive.
  const std::int64_t mended = bytes >= 0 ? bytes : row.outstanding > 0 ? bytes + kWrap : 0;
  if (mended < 0) {
    reason = "Bytes is not a number that fits";
    return RowKind::kBroken;
  }
  // A digit that was lost is a tenth. The quotient of what was printed below 0 may be printed so, too.
  const auto contradicts = [&](std::int64_t all) {
    const double quotient = static_cast<double>(all) / static_cast<double>(std::max<std::uint64_t>(row.outstanding, 1));
    const double printed = static_cast<double>(each);
    constexpr double kMuch = 5, kRounded = 2;
    return std::abs(quotient) > std::abs(printed) * kMuch + kRounded ||
           std::abs(printed) > std::abs(quotient) * kMuch + kRounded;
  };
  const bool is_told = row.outstanding > 0 && each != 0;
  const double off = static_cast<double>(mended) / static_cast<double>(std::max<std::uint64_t>(row.outstanding, 1)) -
                     static_cast<double>(each);
  if (per_alloc != nullptr)
    *per_alloc = are_parted                          ? PerAlloc::kParted
                 : !is_told                          ? PerAlloc::kLoose
                 : contradicts(mended) && bytes >= 0 ? PerAlloc::kContradicts
                 : std::abs(off) < 1                 ? PerAlloc::kExact
                 : bytes >= 0                        ? PerAlloc::kOff
                                                     : PerAlloc::kLoose;
  if (bytes < 0 && is_told && contradicts(mended) && contradicts(bytes)) {
    reason = "Bytes is not Diff times Per Alloc";
    return RowKind::kBroken;
  }
  // Of a table that somebody made of poolmon's. Rounding a few KB makes more of it.
  constexpr double kKiB = 1024, kFewKiB = 8;
  if (const double all = static_cast<double>(row.outstanding) * static_cast<double>(each) / kKiB;
      is_told && static_cast<double>(bytes) > kFewKiB && std::abs(static_cast<double>(bytes) / all - 1) < 1 / kFewKiB) {
    reason = "Bytes is a 1024th of Diff times Per Alloc, as of KB; take poolmon's own table";
    return RowKind::kBroken;
  }
  row.bytes = static_cast<std::uint64_t>(mended);
  return RowKind::kRow;
}

std::optional<TopColumns> parse_top_header(std::string_view line) {
  std::string_view rest = trimmed(line);
  TopColumns columns;
  for (const std::string_view name : {"Tag", "Type", "Allocs", "Frees", "Diff", "Bytes", "Per Alloc"}) {
    const bool is_there = rest.starts_with(name) && (rest.size() == name.size() || is_blank(rest[name.size()]));
    if (name == "Allocs") columns.counters = is_there;
    if (!is_there && (name == "Tag" || name == "Type" || name == "Diff" || name == "Bytes")) return std::nullopt;
    if (is_there) rest = after_blanks(rest.substr(name.size()));
  }
  return columns;
}

RowKind parse_top_row(std::string_view line, const TopColumns& columns, TagUsage& row, std::string& reason) {
  // Of Pool, as `top` shortens them.
  static constexpr std::array<std::string_view, kPoolCount> kTypes = {"Paged", "Nonp",  "Recl", "Unrec",
                                                                      "Vmall", "Prcpu", "Alloc"};
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  if (line.size() < 3) return RowKind::kOther;
  std::string_view text = line.substr(1);  // a mark or a blank
  std::size_t at = kNone;
  std::size_t type = kPoolCount;
  for (std::size_t i = kTagLength; i < text.size() && at == kNone; ++i) {
    if (is_blank(text[i]) || !is_blank(text[i - 1])) continue;
    const std::string_view word = text.substr(i, text.find(' ', i) - i);
    type = static_cast<std::size_t>(std::find(kTypes.begin(), kTypes.end(), word) - kTypes.begin());
    const std::string_view behind = after_blanks(text.substr(i + word.size()));
    if (type < kPoolCount && !behind.empty() && (is_digit(behind.front()) || behind.front() == '-')) at = i;
  }
  if (at == kNone) return RowKind::kOther;
  row = {};
  row.pool = static_cast<Pool>(type);
  std::string_view tag = text.substr(0, at);
  // Of Windows four bytes, whose blanks are the tag's; else as wide as the longest one.
  const std::size_t last = tag.find_last_not_of(' ');
  tag = tag.substr(0, std::max(last == kNone ? 0 : last + 1, kTagLength));
  if (row.pool <= Pool::kNonpaged && tag.size() > kTagLength) return RowKind::kOther;
  row.tag = row.pool <= Pool::kNonpaged ? tag_text(tag) : base::label_text(trimmed(tag));
  std::string_view rest = text.substr(at + kTypes[type].size());
  const auto cell = [&](std::string_view name, std::optional<std::uint64_t>& into) {
    const std::string_view word = after_blanks(rest);
    if (word.starts_with('-') && (word.size() == 1 || is_blank(word[1]))) {
      rest = word.substr(1);
    } else if (!(into = take_cell<std::uint64_t>(rest))) {
      reason = cannot_read(rest, name);
      return false;
    }
    drop_top_delta(rest);
    return true;
  };
  std::optional<std::uint64_t> allocations, frees, outstanding, bytes;
  if (columns.counters && (!cell("Allocs", allocations) || !cell("Frees", frees))) return RowKind::kBroken;
  if (!cell("Diff", outstanding) || !cell("Bytes", bytes)) return RowKind::kBroken;
  if (!bytes) {
    reason = "Bytes is missing";
    return RowKind::kBroken;
  }
  row.bytes = *bytes;
  if (allocations && frees) {
    row.counter_bits = row.pool <= Pool::kNonpaged && std::max(*allocations, *frees) <= kMaxU32 ? 32 : 64;
    set_counters(row, *allocations, *frees);
  }
  row.has_outstanding = outstanding.has_value();
  row.outstanding = outstanding.value_or(0);
  return RowKind::kRow;
}

}  // namespace kmem::history
