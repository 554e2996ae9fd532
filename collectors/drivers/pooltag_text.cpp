#include "collectors/drivers/pooltag_text.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace kmem::drivers {
namespace {

std::uint32_t key_of(const char* tag) {
  std::uint32_t key = 0;
  std::memcpy(&key, tag, sizeof key);
  return key;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// "rem words", but not "rem - binary": that is a tag.
bool is_remark(std::string_view line) {
  if (line.starts_with("//")) return true;
  const auto is = [&line](std::size_t at, char c) { return (line[at] | 0x20) == c; };
  return line.size() >= 3 && is(0, 'r') && is(1, 'e') && is(2, 'm') &&
         (line.size() == 3 || line[3] == ' ' || line[3] == '\t') && !trimmed(line.substr(3)).starts_with('-');
}

}  // namespace

bool PoolTagText::Row::matches(std::string_view of) const {
  return std::equal(tag.begin(), tag.end(), of.begin(), of.end(), [](char own, char c) { return own == '?' || own == c; });
}

PoolTagText::PoolTagText(std::string text) : text_(std::move(text)) {
  std::string_view rest = text_;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  for (std::uint32_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (trimmed(line).empty() || is_remark(line)) continue;
    take(line, number);
  }
}

void PoolTagText::take(std::string_view line, std::uint32_t number) {
  // Some lines have a tag of three characters and the dash in its place: "Fsb -  netio.sys".
  const std::size_t dash = line.find('-', std::min<std::size_t>(line.size(), 3));
  const std::string_view columns = line.substr(0, std::min<std::size_t>(dash, 4));
  const bool only_blanks_between =
      dash != std::string_view::npos && dash <= 8 && (dash <= columns.size() || trimmed(line.substr(4, dash - 4)).empty());
  const bool printable = std::all_of(columns.begin(), columns.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
  if (!only_blanks_between || !printable || trimmed(columns).empty() || rows_.size() == kMaxRows) {
    ++skipped_;
    if (skipped_lines_.size() < kMostLinesTold) skipped_lines_.push_back(number);
    return;
  }
  Row row;
  row.line = number;
  row.tag.fill(' ');
  std::copy(columns.begin(), columns.end(), row.tag.begin());
  const std::string_view rest = trimmed(line.substr(dash + 1));
  const std::size_t split = rest.find(" - ");
  row.driver = trimmed(rest.substr(0, split));
  if (split != std::string_view::npos) row.description = trimmed(rest.substr(split + 3));
  if (row.driver.starts_with('<')) row.driver = {};
  const bool is_pattern = std::find(row.tag.begin(), row.tag.end(), '?') != row.tag.end();
  if (is_pattern) {
    patterns_.push_back(rows_.size());
  } else {
    exact_.emplace(key_of(row.tag.data()), rows_.size());
  }
  rows_.push_back(row);
}

std::vector<PoolTagText::Row> PoolTagText::find(std::string_view tag) const {
  if (tag.size() != 4) return {};
  std::vector<std::size_t> found;
  const auto [first, last] = exact_.equal_range(key_of(tag.data()));
  for (auto row = first; row != last; ++row) found.push_back(row->second);
  if (found.empty()) {
    std::ptrdiff_t fewest = 5;
    for (const std::size_t index : patterns_) {
      const Row& row = rows_[index];
      const std::ptrdiff_t wild = std::count(row.tag.begin(), row.tag.end(), '?');
      if (wild > fewest || wild == 4 || !row.matches(tag)) continue;
      if (wild < fewest) found.clear();
      fewest = wild;
      found.push_back(index);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<Row> rows;
  rows.reserve(found.size());
  for (const std::size_t index : found) rows.push_back(rows_[index]);
  return rows;
}

}  // namespace kmem::drivers
