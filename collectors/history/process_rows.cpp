// memsnap prints "%p%20ws" and then cells of 10 characters: what fills its cell touches what stands before it.
#include <charconv>
#include <string>

#include "collectors/history/csv_fields.h"
#include "collectors/history/row_text.h"
#include "collectors/history/text_rows.h"

namespace kmem::history {
namespace {

constexpr std::size_t kLongestProcessName = 256;
constexpr std::size_t kNameWidth = 20;
constexpr std::size_t kMostDigits = 12;  // a terabyte

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

using Values = std::vector<std::uint64_t>;

bool to_number(std::string_view digits, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return !digits.empty() && error == std::errc{} && end == digits.data() + digits.size();
}

/// Cells from `text`'s beginning to its end. One that begins with a blank is as wide as its column; digits that fill
/// theirs are one cell up to the next blank, or two or more if each of them is just full.
bool take_cells(std::string_view text, const std::vector<std::size_t>& widths, Values& values) {
  values.clear();
  for (std::size_t i = 0; i < widths.size();) {
    const std::size_t width = widths[i];
    if (text.size() < width) return false;
    if (text.front() == ' ') {
      std::uint64_t value = 0;
      const std::string_view cell = after_blanks(text.substr(0, width));
      if (!to_number(cell, value)) return false;
      values.push_back(value);
      text.remove_prefix(width);
      ++i;
      continue;
    }
    const std::size_t run = std::min(text.find_first_not_of("0123456789"), text.size());
    if (run == 0) return false;
    std::size_t cells = 0, wide = 0;
    while (i + cells < widths.size() && wide < run) wide += widths[i + cells++];
    if (wide != run && !(cells > 0 && wide - widths[i + cells - 1] == widths[i] && run <= kMostDigits)) return false;
    if (wide != run) cells = 1;  // wider than its column
    for (std::size_t k = 0; k < cells; ++k) {
      const std::size_t length = cells == 1 ? run : widths[i + k];
      std::uint64_t value = 0;
      if (!to_number(text.substr(0, length), value)) return false;
      values.push_back(value);
      text.remove_prefix(length);
    }
    i += cells;
  }
  return trimmed(text).empty();
}

/// "sqlservr.exe1437696000": a cell that fills its column stands behind the name.
bool touches_number(std::string_view name) {
  constexpr std::size_t kColumn = 10;
  const std::size_t letters = name.find_last_not_of("0123456789") + 1;
  return name.size() - letters >= kColumn;
}

}  // namespace

std::optional<ProcessColumns> parse_process_header(std::string_view line) {
  constexpr std::string_view kName = "Proc.Name";
  const std::string_view text = trimmed(line);
  const std::size_t name = text.find(kName);
  if (name == std::string_view::npos || text.find("Process ID") > name) return std::nullopt;
  ProcessColumns columns;
  std::size_t at = name + kName.size();
  while (at < text.size()) {
    const std::size_t begin = text.find_first_not_of(" \t", at);
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(text.find_first_of(" \t", begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (same_word(word, "Wrkng.Set")) columns.working_set = columns.count;
    if (same_word(word, "PagedPool")) columns.paged_pool = columns.count;
    if (same_word(word, "NonPgdPl")) columns.nonpaged_pool = columns.count;
    if (same_word(word, "Handles")) columns.handles = columns.count;
    columns.widths.push_back(end - at);
    ++columns.count;
    at = end;
  }
  return columns.count > 0 ? std::optional(std::move(columns)) : std::nullopt;
}

RowKind parse_process_row(std::string_view line, const ProcessColumns& columns, ProcessUsage& row, std::string& reason,
                          std::uint64_t* working_set) {
  std::string_view rest = trimmed(line);
  if (rest.starts_with("0x") || rest.starts_with("0X")) rest.remove_prefix(2);
  std::size_t digits = 0;
  while (digits < rest.size() && is_hex(rest[digits])) ++digits;
  const bool apart = digits < rest.size() && is_blank(rest[digits]);
  // Pointers have 8 or 16 digits, and a name may follow at once.
  if (!apart || (digits > 8 && digits < 16)) digits = digits >= 16 && rest.starts_with("00000000") ? 16 : 8;
  if (digits == 0 || rest.size() <= digits ||
      !std::all_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(digits), is_hex))
    return RowKind::kOther;
  if (digits > 16) return RowKind::kOther;
  std::uint64_t pid = 0;
  (void)std::from_chars(rest.data(), rest.data() + digits, pid, 16);
  rest.remove_prefix(digits);
  row = {};
  row.pid = pid;
  // As far as it can be told of a row that is broken.
  const std::string_view cell = trimmed(rest.substr(0, kNameWidth)), words = trimmed(rest);
  row.name = base::label_text(words.size() < kNameWidth ? words.substr(0, words.find(' ')) : cell);

  Values values;
  std::string_view name;
  // As printed: the name is right-aligned, or longer than its cell, and then any end of it may be the right one.
  std::size_t fits = 0;
  std::size_t full = 0;
  for (const std::size_t width : columns.widths) full += width;
  for (std::size_t end = kNameWidth; end + full <= rest.size() && fits < 2; ++end) {
    if (end > kNameWidth && is_blank(rest.front())) break;
    Values found;
    if (is_blank(rest[end - 1]) || !take_cells(rest.substr(end), columns.widths, found)) continue;
    ++fits;
    values = std::move(found);
    name = trimmed(rest.substr(0, end));
  }
  if (fits > 1) {
    reason = "name and numbers touch and cannot be told apart";
    return RowKind::kBroken;
  }
  if (fits == 0) {  // blanks were lost: words from the end, for the name may have blanks
    const auto broken = [&] {
      reason = "the process has not the " + std::to_string(columns.count) + " numbers of the header";
      return RowKind::kBroken;
    };
    values.assign(columns.count, 0);
    rest = trimmed(rest);
    for (std::size_t left = columns.count; left > 0; --left) {
      const std::size_t blank = rest.find_last_of(" \t");
      const std::string_view word = blank == std::string_view::npos ? std::string_view() : rest.substr(blank + 1);
      // Longer than its column it is two that touch.
      if (!to_number(word, values[left - 1]) || (columns.widths[left - 1] == 10 && word.size() > 10)) return broken();
      rest = trimmed(rest.substr(0, blank));
    }
    name = rest;
    const std::size_t blank = name.find_last_of(" \t");
    std::uint64_t unused = 0;
    // One number too many could be a cell that was taken for the name's end.
    if (name.empty() || touches_number(name) || (blank != std::string_view::npos && to_number(name.substr(blank + 1), unused)))
      return broken();
  }
  row.name = base::label_text(name.substr(0, kLongestProcessName));
  const auto value = [&](const std::optional<std::size_t>& column) {
    return column ? std::optional(values[*column]) : std::nullopt;
  };
  row.paged_pool_bytes = value(columns.paged_pool);
  row.nonpaged_pool_bytes = value(columns.nonpaged_pool);
  row.handles = value(columns.handles);
  if (working_set != nullptr) *working_set = value(columns.working_set).value_or(0);
  return RowKind::kRow;
}

}  // namespace kmem::history
