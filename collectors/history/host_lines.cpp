#include "collectors/history/host_lines.h"

#include <algorithm>

#include "collectors/base/digit.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/row_text.h"

namespace kmem::history {
namespace {

constexpr std::size_t kLongestName = 63;
constexpr std::size_t kMostNames = 1000;

bool is_name(std::string_view word) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto may_be = [&](char c) { return is_letter(c) || base::is_digit(c) || c == '-' || c == '_' || c == '.'; };
  return word.size() > 1 && word.size() <= kLongestName && std::all_of(word.begin(), word.end(), may_be) &&
         std::any_of(word.begin(), word.end(), is_letter);
}

}  // namespace

std::string host_in_line(std::string_view line, bool& is_named) {
  is_named = false;
  std::string_view text = trimmed(line);
  const std::size_t begin = text.find_first_not_of("=-#*[<> "), end = text.find_last_not_of("=-#*]<> :");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return {};
  const bool is_marked = begin > 1 || (begin == 1 && text.front() == '[');
  text = text.substr(begin, end - begin + 1);
  for (const std::string_view word :
       {"Computer", "ComputerName", "Computer name", "Host", "Hostname", "Host name", "Server", "Node"})
    if (text.size() > word.size() && same_word(text.substr(0, word.size()), word) &&
        (text[word.size()] == ':' || text[word.size()] == '=')) {
      text = trimmed(text.substr(word.size() + 1));
      is_named = is_name(text);
      return is_named ? std::string(text) : std::string();
    }
  if (!is_name(text) || (!is_marked && std::none_of(text.begin(), text.end(), base::is_digit))) return {};
  return std::string(text);
}

void HostLines::see(std::string_view line) {
  bool is_named = false;
  std::string name = host_in_line(line, is_named);
  if (name.empty()) return;
  ++seen_;
  is_named_ |= is_named;
  if (names_.size() < kMostNames || names_.contains(name)) ++names_[name];
}

}  // namespace kmem::history
