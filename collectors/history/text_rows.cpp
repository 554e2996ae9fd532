#include "collectors/history/text_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "collectors/history/csv_fields.h"
#include "collectors/history/row_text.h"
#include "collectors/history/snapshot_builder.h"

namespace kmem::history {
namespace {

constexpr std::int64_t kWrap = std::int64_t{1} << 32;
constexpr std::uint64_t kMaxU32 = std::numeric_limits<std::uint32_t>::max();

std::optional<Pool> type_at(std::string_view line, std::size_t at) {
  const auto is = [&](std::string_view name) {
    return same_word(line.substr(std::min(at, line.size()), name.size()), name) &&
           (at + name.size() == line.size() || is_blank(line[at + name.size()]));
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
  const auto behind = [&](std::size_t at) { return line.substr(std::min(line.find_first_of(" \t", at), line.size())); };
  if (line.starts_with(' '))
    if (const auto pool = type_at(line, kTypeColumn); pool && line[kTypeColumn - 1] == ' ')
      if (line.substr(1, kTagLength).find_first_not_of(' ') != std::string_view::npos)
        return TagAndPool{line.substr(1, kTagLength), *pool, behind(kTypeColumn)};
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

}  // namespace

RowKind parse_poolmon_row(std::string_view line, TagUsage& row, std::string& reason, PerAlloc* per_alloc) {
  const auto found = find_tag(line);
  if (!found) return RowKind::kOther;
  row = {};
  row.pool = found->pool;
  row.tag = tag_text(found->tag);
  std::string_view rest = found->rest;
  const auto broken = [&](std::string_view column) {
    reason = cannot_read(rest, column);
    return RowKind::kBroken;
  };
  const auto allocations = take_cell<std::uint64_t>(rest);
  if (!allocations) return broken("Allocs");
  drop_delta(rest);
  const auto frees = take_cell<std::uint64_t>(rest);
  if (!frees) return broken("Frees");
  drop_delta(rest);
  const auto diff = take_cell<std::int64_t>(rest);
  if (!diff) return broken("Diff");
  const auto bytes = take_cell<std::int64_t>(rest);
  if (!bytes) return broken("Bytes");
  drop_delta(rest);
  const auto each = take_cell<std::int64_t>(rest);
  if (!each) return broken("Per Alloc");
  if (take_cell<std::int64_t>(rest)) {
    reason = "more numbers than columns, as of blanks between thousands";
    return RowKind::kBroken;
  }
  if (has_second_row(rest)) {
    reason = kTwoRows;
    return RowKind::kBroken;
  }
  // Of 32 bits where the counters are.
  if (static_cast<std::uint32_t>(*diff) != static_cast<std::uint32_t>(*allocations - *frees)) {
    reason = "Diff is not Allocs less Frees";
    return RowKind::kBroken;
  }

  row.counter_bits = std::max(*allocations, *frees) > kMaxU32 ? 64 : 32;
  set_counters(row, *allocations, *frees);
  // Printed signed: below 0 are 2 to 4 GiB, or nothing when nothing is alive.
  const std::int64_t mended = *bytes >= 0 ? *bytes : row.outstanding > 0 ? *bytes + kWrap : 0;
  if (mended < 0) {
    reason = "Bytes is not a number that fits";
    return RowKind::kBroken;
  }
  // A digit that was lost is a tenth. The quotient of what was printed below 0 may be printed so, too.
  const auto contradicts = [&](std::int64_t all) {
    const double quotient = static_cast<double>(all) / static_cast<double>(std::max<std::uint64_t>(row.outstanding, 1));
    const double printed = static_cast<double>(*each);
    constexpr double kMuch = 5, kRounded = 2;
    return std::abs(quotient) > std::abs(printed) * kMuch + kRounded ||
           std::abs(printed) > std::abs(quotient) * kMuch + kRounded;
  };
  const bool is_told = row.outstanding > 0 && *each != 0;
  const double off = static_cast<double>(mended) / static_cast<double>(std::max<std::uint64_t>(row.outstanding, 1)) -
                     static_cast<double>(*each);
  if (per_alloc != nullptr)
    *per_alloc = !is_told                             ? PerAlloc::kLoose
                 : contradicts(mended) && *bytes >= 0 ? PerAlloc::kContradicts
                 : std::abs(off) < 1                  ? PerAlloc::kExact
                                                      : PerAlloc::kLoose;
  if (*bytes < 0 && is_told && contradicts(mended) && contradicts(*bytes)) {
    reason = "Bytes is not Diff times Per Alloc";
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
