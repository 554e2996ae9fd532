#include "collectors/history/text_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include "collectors/base/label_text.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/snapshot_builder.h"

namespace kmem::history {
namespace {

constexpr std::size_t kTagBytes = 4;
constexpr std::size_t kTypeColumn = 6;  // of poolmon: a blank, the tag, a blank
constexpr std::size_t kLongestName = 256;
constexpr std::int64_t kWrap = std::int64_t{1} << 32;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view after_blanks(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}

// A whole number, blanks before it; takes it off `text`.
template <typename T>
std::optional<T> take_number(std::string_view& text) {
  const std::string_view rest = after_blanks(text);
  T value{};
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text = rest.substr(static_cast<std::size_t>(end - rest.data()));
  return value;
}

// A number that ends where a cell may end.
template <typename T>
std::optional<T> take_cell(std::string_view& text) {
  std::string_view rest = text;
  const auto value = take_number<T>(rest);
  if (!value || (!rest.empty() && !is_blank(rest.front()) && rest.front() != '(' && rest.front() != '['))
    return std::nullopt;
  text = rest;
  return value;
}

// " ( 120)": what changed since the last screen.
void drop_delta(std::string_view& text) {
  const std::string_view rest = after_blanks(text);
  if (!rest.starts_with('(')) return;
  const std::size_t close = rest.find(')');
  if (close != std::string_view::npos && rest.find_first_not_of(" -0123456789", 1) == close)
    text = rest.substr(close + 1);
}

std::string tag_text(std::string_view raw) {
  std::string padded(raw);
  padded.resize(kTagBytes, ' ');
  return base::label_text(padded);
}

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
      if (line.substr(1, kTagBytes).find_first_not_of(' ') != std::string_view::npos)
        return TagAndPool{line.substr(1, kTagBytes), *pool, behind(kTypeColumn)};
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  for (std::size_t at = begin + 2; at < line.size() && at <= begin + kTypeColumn + 2; ++at) {
    if (!is_blank(line[at - 1])) continue;
    const auto pool = type_at(line, at);
    if (!pool) continue;
    const std::string_view tag = trimmed(line.substr(begin, at - begin));
    if (tag.size() > kTagBytes) return std::nullopt;
    return TagAndPool{tag, *pool, behind(at)};
  }
  return std::nullopt;
}

std::string cannot_read(std::string_view rest, std::string_view column) {
  const std::string name(column);
  return after_blanks(rest).empty() ? "the row ends before " + name : name + " is not a number that fits";
}

}  // namespace

RowKind parse_poolmon_row(std::string_view line, TagUsage& row, std::string& reason) {
  const auto found = find_tag(line);
  if (!found) return RowKind::kOther;
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
  if (!take_cell<std::int64_t>(rest)) return broken("Diff");
  const auto bytes = take_cell<std::int64_t>(rest);
  if (!bytes) return broken("Bytes");
  drop_delta(rest);
  if (!take_cell<std::int64_t>(rest)) return broken("Per Alloc");

  row = {};
  row.pool = found->pool;
  row.tag = tag_text(found->tag);
  row.counter_bits = std::max(*allocations, *frees) > std::numeric_limits<std::uint32_t>::max() ? 64 : 32;
  set_counters(row, *allocations, *frees);
  // Printed signed: below 0 are 2 to 4 GiB, or nothing when nothing is alive.
  const std::int64_t mended = *bytes >= 0 ? *bytes : row.outstanding > 0 ? *bytes + kWrap : 0;
  if (mended < 0) {
    reason = "Bytes is not a number that fits";
    return RowKind::kBroken;
  }
  row.bytes = static_cast<std::uint64_t>(mended);
  return RowKind::kRow;
}

RowKind parse_poolused_row(std::string_view line, TagUsage& nonpaged, TagUsage& paged, std::string& reason) {
  const bool in_place = line.starts_with(' ') && line.size() > kTypeColumn && is_blank(line[kTypeColumn - 1]) &&
                        !is_blank(line[1]);
  std::string_view rest = in_place ? line.substr(1) : after_blanks(line);
  const std::size_t length = in_place ? kTagBytes : std::min(rest.find_first_of(" \t"), rest.size());
  if (length == 0 || length > kTagBytes || length == rest.size()) return RowKind::kOther;
  const std::string_view tag = rest.substr(0, length);
  rest.remove_prefix(length);
  if (after_blanks(rest).empty() || !is_digit(after_blanks(rest).front())) return RowKind::kOther;
  constexpr std::array<std::string_view, 4> kColumns = {"nonpaged Allocs", "nonpaged Used", "paged Allocs",
                                                        "paged Used"};
  std::array<std::uint64_t, kColumns.size()> values{};
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    const auto value = take_number<std::uint64_t>(rest);
    if (!value) {
      reason = cannot_read(rest, kColumns[i]);
      return RowKind::kBroken;
    }
    values[i] = *value;
  }
  nonpaged = paged = {};
  nonpaged.pool = Pool::kNonpaged;
  paged.pool = Pool::kPaged;
  nonpaged.tag = paged.tag = tag_text(tag);
  nonpaged.outstanding = values[0];
  nonpaged.bytes = values[1];
  paged.outstanding = values[2];
  paged.bytes = values[3];
  return RowKind::kRow;
}

std::optional<ProcessColumns> parse_process_header(std::string_view line) {
  const std::size_t name = line.find("Proc.Name");
  if (name == std::string_view::npos || line.find("Process ID") > name) return std::nullopt;
  ProcessColumns columns;
  std::string_view rest = after_blanks(line.substr(name + std::string_view("Proc.Name").size()));
  for (; !rest.empty(); ++columns.count) {
    const std::size_t length = std::min(rest.find_first_of(" \t"), rest.size());
    const std::string_view word = rest.substr(0, length);
    if (same_word(word, "PagedPool")) columns.paged_pool = columns.count;
    if (same_word(word, "NonPgdPl")) columns.nonpaged_pool = columns.count;
    if (same_word(word, "Handles")) columns.handles = columns.count;
    rest = after_blanks(rest.substr(length));
  }
  return columns.count > 0 ? std::optional(columns) : std::nullopt;
}

RowKind parse_process_row(std::string_view line, const ProcessColumns& columns, ProcessUsage& row,
                          std::string& reason) {
  std::string_view rest = trimmed(line);
  if (rest.starts_with("0x") || rest.starts_with("0X")) rest.remove_prefix(2);
  std::uint64_t pid = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), pid, 16);
  if (error != std::errc{} || end == rest.data() + rest.size() || !is_blank(*end)) return RowKind::kOther;
  rest = after_blanks(rest.substr(static_cast<std::size_t>(end - rest.data())));
  // From the end: the name may have blanks.
  std::vector<std::uint64_t> values(columns.count);
  for (std::size_t left = columns.count; left > 0; --left) {
    const std::size_t blank = rest.find_last_of(" \t");
    const std::string_view word = blank == std::string_view::npos ? std::string_view() : rest.substr(blank + 1);
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), values[left - 1]);
    if (word.empty() || parsed.ec != std::errc{} || parsed.ptr != word.data() + word.size()) {
      reason = "the process has not the " + std::to_string(columns.count) + " numbers of the header";
      return RowKind::kBroken;
    }
    rest = trimmed(rest.substr(0, blank));
  }
  row = {};
  row.pid = pid;
  row.name = base::label_text(rest.substr(0, kLongestName));
  const auto value = [&](const std::optional<std::size_t>& column) {
    return column ? std::optional(values[*column]) : std::nullopt;
  };
  row.paged_pool_bytes = value(columns.paged_pool);
  row.nonpaged_pool_bytes = value(columns.nonpaged_pool);
  row.handles = value(columns.handles);
  return RowKind::kRow;
}

}  // namespace kmem::history
