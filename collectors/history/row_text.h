// Words and numbers of a table's row, taken off its beginning. For the files that read rows only. Thread: pure.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/digit.h"
#include "collectors/base/label_text.h"

namespace kmem::history {

inline constexpr std::size_t kTagLength = 4;
inline constexpr std::size_t kTypeColumn = 6;  // of poolmon: a blank, the tag, a blank

inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
using base::is_digit;

inline std::string_view after_blanks(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}

/// A whole number, blanks before it; takes it off `text`.
template <typename T>
std::optional<T> take_number(std::string_view& text) {
  const std::string_view rest = after_blanks(text);
  T value{};
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text = rest.substr(static_cast<std::size_t>(end - rest.data()));
  return value;
}

/// No machine has more: what is above is a number below 0 that was printed without its sign.
inline constexpr std::uint64_t kMostPoolBytes = std::uint64_t{1} << 62;

/// "1,234,567": where each group but the first has three digits; else as take_number, and nothing where marks stand
/// otherwise.
inline std::optional<std::uint64_t> take_grouped(std::string_view& text) {
  std::string_view rest = after_blanks(text);
  std::string digits;
  char mark = 0;
  for (;;) {
    const std::size_t count = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (count == 0 || (mark != 0 && count != 3)) return std::nullopt;
    digits.append(rest.substr(0, count));
    rest.remove_prefix(count);
    if (rest.size() < 2 || (rest.front() != ',' && rest.front() != '.' && rest.front() != '\'') || !is_digit(rest[1])) break;
    if (mark == 0 ? count > 3 : rest.front() != mark) return std::nullopt;
    mark = rest.front();
    rest.remove_prefix(1);
  }
  std::string_view all = digits;
  const auto value = take_number<std::uint64_t>(all);
  if (value) text = rest;
  return value;
}

/// A number that ends where a cell may end; marks may part its thousands.
template <typename T>
std::optional<T> take_cell(std::string_view& text) {
  std::string_view rest = text;
  auto value = take_number<T>(rest);
  if (value && !rest.empty() && (rest.front() == ',' || rest.front() == '.' || rest.front() == '\'')) {
    const bool is_below = after_blanks(text).starts_with('-');
    rest = is_below ? after_blanks(text).substr(1) : text;
    const auto grouped = take_grouped(rest);
    if (!grouped || *grouped > kMostPoolBytes) return std::nullopt;
    value = static_cast<T>(is_below ? 0 - *grouped : *grouped);
  }
  if (!value || (!rest.empty() && !is_blank(rest.front()) && rest.front() != '(' && rest.front() != '[')) return std::nullopt;
  text = rest;
  return value;
}

/// " ( 120)": what changed since the last screen.
inline void drop_delta(std::string_view& text) {
  const std::string_view rest = after_blanks(text);
  if (!rest.starts_with('(')) return;
  const std::size_t close = rest.find(')');
  if (close != std::string_view::npos && rest.find_first_not_of(" \t-0123456789", 1) == close) text = rest.substr(close + 1);
}

/// "TOTAL", "Summe:": in no kernel's tag, which has four letters.
inline bool is_sum_row(std::string_view tag) {
  std::string word;
  for (const char c : tag)
    if (c >= 'A' && c <= 'Z') word.push_back(static_cast<char>(c - 'A' + 'a'));
    else if (c >= 'a' && c <= 'z') word.push_back(c);
  constexpr std::string_view kSums[] = {"total", "totals", "subtotal", "grandtotal", "overall", "summe",    "gesamt",
                                        "somme", "totaal", "totale",   "totalt",     "alltags", "pooltotal"};
  return tag.size() > kTagLength && std::find(std::begin(kSums), std::end(kSums), word) != std::end(kSums);
}

/// A row of numbers, one behind the other, behind another row's end: the line between them was lost.
inline bool has_numbers_behind(std::string_view rest, std::size_t at_least) {
  std::size_t numbers = 0;
  while (numbers < at_least && !(rest = after_blanks(rest)).empty()) {
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    numbers = word.find_first_not_of("0123456789,.%") == std::string_view::npos ? numbers + 1 : 0;
    rest.remove_prefix(word.size());
  }
  return numbers >= at_least;
}

/// A date that stands right behind a row whose end was lost: the end of `text` that is written as the date before was. Empty:
/// there is none, or nothing stands before it.
inline std::string_view date_behind_row(std::string_view text, std::string_view date_before) {
  constexpr std::size_t kFewest = 8;
  if (date_before.size() < kFewest || text.size() <= date_before.size()) return {};
  const std::string_view end = text.substr(text.size() - date_before.size());
  std::size_t digits = 0;
  for (std::size_t i = 0; i < end.size(); ++i) {
    const auto kind = [](char c) {
      const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      return is_digit(c) ? '0' : is_letter ? 'a' : c;
    };
    const char one = kind(end[i]), other = kind(date_before[i]);
    const bool is_day = (one == '0' && other == ' ') || (one == ' ' && other == '0');  // "Nov  5"
    if (one != other && !is_day) return {};
    digits += one == '0' ? 1 : 0;
  }
  return digits * 2 >= kFewest ? end : std::string_view();
}

inline std::string tag_text(std::string_view raw) {
  std::string padded(raw);
  padded.resize(kTagLength, ' ');
  return base::label_text(padded);
}

inline std::string cannot_read(std::string_view rest, std::string_view column) {
  const std::string name(column);
  return after_blanks(rest).empty() ? "the row ends before " + name : name + " is not a number that fits";
}

}  // namespace kmem::history
