#include <algorithm>
#include <array>

#include "collectors/base/digit.h"
#include "collectors/history/date_line.h"

namespace kmem::history {
namespace {

using base::is_digit;
bool is_separator(char c) { return c == '/' || c == '-' || c == '.' || c == '\\' || c == '_'; }

}  // namespace

bool may_be_date(std::string_view line) {
  constexpr std::size_t kMostWords = 4;
  bool has_year = false, has_clock = false, is_parted = false;
  std::size_t words = 0;
  for (std::string_view rest = line; !rest.empty();) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t[](),#*="), rest.size()));
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t[](),#*="));
    rest.remove_prefix(word.size());
    words += word.empty() ? 0 : 1;
    std::array<std::size_t, 3> digits{};
    std::size_t part = 0;
    for (std::size_t at = 0; at < word.size(); ++at) {
      const bool begins = is_digit(word[at]) && (at == 0 || !is_digit(word[at - 1]));
      const std::size_t count = begins ? std::min(word.find_first_not_of("0123456789", at), word.size()) - at : 0;
      const bool is_year = count == 4 && (word.substr(at, 2) == "19" || word.substr(at, 2) == "20");
      has_year |= is_year;
      has_clock |= count == 2 && at > 1 && word[at - 1] == ':' && is_digit(word[at - 2]);
      // From the word's beginning on, parted by one mark.
      const bool goes_on = at == 0 || (is_separator(word[at - 1]) && part < 3 && word[at - 1] == word[digits[0]]);
      if (begins && goes_on && part < 3) digits[part++] = count;
    }
    const bool has_long = digits[0] == 4 || digits[2] == 4;
    is_parted |= part == 3 && has_long && digits[1] <= 2 && digits[0] + digits[2] <= 6;
  }
  return words <= kMostWords && has_year && (has_clock || is_parted);
}

}  // namespace kmem::history
