#include <algorithm>
#include <array>
#include <string>

#include "collectors/base/digit.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_line.h"
#include "collectors/history/date_words.h"

namespace kmem::history {
namespace {

using base::is_digit;
bool is_separator(char c) { return c == '/' || c == '-' || c == '.' || c == '\\' || c == '_'; }

}  // namespace

bool may_be_date(std::string_view raw) {
  constexpr std::size_t kMostWords = 4, kMostWithTime = 9;
  const std::string plain = with_plain_blanks(raw);
  const std::string_view line = trimmed(plain);
  if (is_of_a_mail(line)) return false;
  const auto has = [&](std::string_view text) { return line.find(text) != std::string_view::npos; };
  bool has_year = false, has_clock = false, is_parted = false, in_two = false, has_month = false;
  std::size_t words = 0, with_digits = 0;
  for (std::string_view rest = line; !rest.empty();) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t[](),#*="), rest.size()));
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t[](),#*="));
    rest.remove_prefix(word.size());
    words += word.empty() ? 0 : 1;
    with_digits += word.find_first_of("0123456789") == std::string_view::npos ? 0 : 1;
    has_month |= month_of(word.substr(word.starts_with("d'") ? 2 : 0)) != 0;
    std::array<std::size_t, 3> digits{};
    std::size_t part = 0;
    for (std::size_t at = 0; at < word.size(); ++at) {
      const bool begins = is_digit(word[at]) && (at == 0 || !is_digit(word[at - 1]));
      const std::size_t count = begins ? std::min(word.find_first_not_of("0123456789", at), word.size()) - at : 0;
      // Of any calendar, and mistyped ones.
      has_year |= count == 4 && word.substr(at, 2) >= "13" && word.substr(at, 2) <= "29";
      has_clock |= count == 2 && at > 1 && word[at - 1] == ':' && is_digit(word[at - 2]);
      // From the word's beginning on, parted by one mark.
      const bool goes_on = at == 0 || (is_separator(word[at - 1]) && part < 3 && word[at - 1] == word[digits[0]]);
      if (begins && goes_on && part < 3) digits[part++] = count;
    }
    const bool has_long = digits[0] == 4 || digits[2] == 4;
    is_parted |= part == 3 && has_long && digits[1] <= 2 && digits[0] + digits[2] <= 6;
    in_two |= part == 2 && digits[0] <= 2 && digits[1] <= 2 && digits[0] + digits[1] + 1 == word.size();
  }
  if (is_parted && has_clock && is_digit(line.front())) return true;
  if ((has("年") && has("月")) || (has("년") && has("월"))) return with_digits > 0 && words <= kMostWithTime;
  if (in_two && has_clock && words <= 3) return true;
  if (has_month && has_year && with_digits > 1 && words <= kMostWithTime) return true;
  return has_year && ((has_clock && words <= kMostWithTime) || (is_parted && words <= kMostWords));
}

}  // namespace kmem::history
