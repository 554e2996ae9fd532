// One line of text with separators, as RFC 4180 quotes it, -> its fields. A field does not go over the line's end:
// none of these formats has such, and a lost quote would swallow the lines behind it. Thread: one; buffers are reused.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/ascii_case.h"
#include "collectors/base/result.h"
#include "collectors/history/line_reader.h"
#include "collectors/history/notes.h"

namespace kmem::history {

inline constexpr std::size_t kMaxFields = 32'768;

class CsvFields {
 public:
  explicit CsvFields(char separator = ',') : separator_(separator) {}

  /// nullptr, or why the line cannot be taken apart.
  const char* split(std::string_view line);
  [[nodiscard]] char separator() const { return separator_; }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const std::string& operator[](std::size_t i) const { return fields_[i]; }

 private:
  std::vector<std::string> fields_;
  std::size_t size_ = 0;
  char separator_;
};

/// What spreadsheets part fields by; the comma first.
inline constexpr std::string_view kSeparators = ",;\t";
/// "sep=;", which they put above the header.
[[nodiscard]] bool names_separator(std::string_view line);

/// CSV in a mail, a wiki or a page: without quote marks, and a table of bars or of HTML's rows with tabs. False: a fence or a
/// table's rule.
[[nodiscard]] bool take_unwrapped(std::string& line);
/// A web page's blanks stand in it; take_unwrapped() makes them plain.
[[nodiscard]] bool has_web_blanks(std::string_view text);
[[nodiscard]] bool is_wrapped(std::string_view line);

/// The first line that is not blank is for `take`, which says why it is no header row, or nothing.
[[nodiscard]] base::Result<void> read_header_row(LineReader& lines, const FileNotes& notes,
                                                 const std::function<std::string()>& take);

/// Without blanks and tabs at both ends. Every field of every line goes through here.
[[nodiscard]] inline std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}
/// Letters' case apart.
[[nodiscard]] inline bool same_word(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i] && base::ascii_lower(a[i]) != base::ascii_lower(b[i])) return false;
  return true;
}

}  // namespace kmem::history
