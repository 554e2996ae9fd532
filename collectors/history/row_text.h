// Words and numbers of a table's row, taken off its beginning. For the files that read rows only. Thread: pure.
#pragma once

#include <algorithm>
#include <charconv>
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

/// A number that ends where a cell may end.
template <typename T>
std::optional<T> take_cell(std::string_view& text) {
  std::string_view rest = text;
  const auto value = take_number<T>(rest);
  if (!value || (!rest.empty() && !is_blank(rest.front()) && rest.front() != '(' && rest.front() != '['))
    return std::nullopt;
  text = rest;
  return value;
}

/// " ( 120)": what changed since the last screen.
inline void drop_delta(std::string_view& text) {
  const std::string_view rest = after_blanks(text);
  if (!rest.starts_with('(')) return;
  const std::size_t close = rest.find(')');
  if (close != std::string_view::npos && rest.find_first_not_of(" -0123456789", 1) == close)
    text = rest.substr(close + 1);
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
