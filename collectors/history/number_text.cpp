#include "collectors/history/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "collectors/base/digit.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/row_text.h"

namespace kmem::history {
namespace {

constexpr std::size_t kLongest = 64;

using base::is_digit;

/// "1.234.567": one to three digits, then three each.
bool is_grouped(std::string_view digits, char mark) {
  std::size_t length = 0;
  bool first = true;
  for (std::size_t i = 0; i <= digits.size(); ++i) {
    if (i < digits.size() && digits[i] != mark) {
      if (!is_digit(digits[i])) return false;
      ++length;
      continue;
    }
    if (first ? length == 0 || length > 3 : length != 3) return false;
    first = false;
    length = 0;
  }
  return true;
}

}  // namespace

NumberText parse_number(std::string_view text, bool point_is_decimal) {
  constexpr NumberText kNo{std::nullopt, NumberFault::kNoNumber};
  text = trimmed(text);
  if (text.empty() || text.size() > kLongest) return kNo;
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    // Blanks of any kind, and the mark of Swiss thousands, between digits.
    if (text[i] == ' ' || text[i] == '\'' || text[i] == '\xa0') continue;
    if (text.substr(i).starts_with("\xc2\xa0") || text.substr(i).starts_with("\xe2\x80\xaf")) {
      i += text[i] == '\xc2' ? 1 : 2;
      continue;
    }
    plain.push_back(text[i]);
  }
  if (plain.size() != text.size()) {
    std::string grouped;  // what was left out parted thousands, or it is no number
    bool in_gap = false;
    for (const char c : text.substr(0, std::min(text.find_first_of(".,"), text.size()))) {
      if (is_digit(c)) grouped.push_back(c);
      else if (!in_gap) grouped.push_back(' ');
      in_gap = !is_digit(c);
    }
    if (!is_grouped(grouped, ' ')) return kNo;
  }
  const std::size_t exponent = std::min(plain.find_first_of("eE"), plain.size());
  std::string mantissa = plain.substr(0, exponent);
  const std::size_t comma = mantissa.rfind(',');
  const std::size_t point = mantissa.rfind('.');
  const auto count = [&](char mark) { return std::count(mantissa.begin(), mantissa.end(), mark); };
  const auto drop = [&](char mark) { mantissa.erase(std::remove(mantissa.begin(), mantissa.end(), mark), mantissa.end()); };
  if (comma != std::string::npos && point != std::string::npos) {
    const char thousands = comma < point ? ',' : '.';
    const std::size_t decimal = std::max(comma, point);
    if (count(thousands == ',' ? '.' : ',') != 1 || !is_grouped(mantissa.substr(0, decimal), thousands)) return kNo;
    mantissa[decimal] = 'd';
    drop(thousands);
    std::replace(mantissa.begin(), mantissa.end(), 'd', '.');
  } else if (comma != std::string::npos || point != std::string::npos) {
    const char mark = comma != std::string::npos ? ',' : '.';
    const bool grouped = exponent == plain.size() && is_grouped(mantissa, mark);
    if (count(mark) > 1) {
      if (!grouped) return kNo;
      drop(mark);
    } else if (grouped && mantissa[0] != '0' && !(mark == '.' && point_is_decimal)) {
      return {std::nullopt, NumberFault::kTwoValues};
    }
    std::replace(mantissa.begin(), mantissa.end(), ',', '.');
  }
  const std::string number = mantissa + plain.substr(exponent);
  std::string_view digits = number;
  if (const std::size_t plus = digits.find('+'); plus == exponent + 1 || plus == 0) {
    // from_chars takes "e+09", but no sign in front.
    if (plus == 0) digits.remove_prefix(1);
  }
  double value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) return kNo;
  return {value, NumberFault::kNone};
}

double worth_of_last_digit(std::string_view number) {
  number = trimmed(number);
  const std::size_t exponent = number.find_first_of("eE");
  if (exponent == std::string_view::npos) return 1;
  std::string_view power = number.substr(exponent + 1);
  if (power.starts_with('+')) power.remove_prefix(1);
  const std::string_view mantissa = number.substr(0, exponent);
  int tens = 0;
  const auto parsed = std::from_chars(power.data(), power.data() + power.size(), tens);
  if (parsed.ec != std::errc{} || mantissa.find_first_of("123456789") == std::string_view::npos) return 1;
  const std::size_t mark = mantissa.find_last_of(".,");
  const int decimals = mark == std::string_view::npos ? 0 : static_cast<int>(mantissa.size() - mark - 1);
  constexpr int kMost = 18, kEnough = 5;  // perfmon's own numbers have six digits and more
  tens -= decimals;
  return tens > 0 && decimals < kEnough ? std::pow(10.0, std::min(tens, kMost)) : 1;
}

std::string words_of_lost_digits(std::string_view number) {
  const double worth = worth_of_last_digit(number);
  if (worth <= 1) return {};
  return "has lost its last digits, as a spreadsheet saves a narrow column: what changes by less than " +
         std::to_string(static_cast<std::uint64_t>(worth)) + " is not seen; write the numbers out";
}

std::optional<std::uint64_t> parse_amount(std::string_view text) {
  text = trimmed(text);
  std::string digits;
  std::size_t group = 0;
  char separator = 0;
  constexpr std::string_view kBlanks[] = {"\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89"};  // as spreadsheets part thousands
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c >= '0' && c <= '9') {
      digits.push_back(c);
      ++group;
      continue;
    }
    for (const std::string_view blank : kBlanks)
      if (text.substr(i).starts_with(blank)) c = ' ', i += blank.size() - 1;
    const bool fits = separator == 0 ? group >= 1 && group <= 3 : group == 3 && c == separator;
    if ((c != ',' && c != '.' && c != ' ' && c != '\'') || !fits) return std::nullopt;
    separator = c;
    group = 0;
  }
  if (separator != 0 && (group != 3 || digits.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return !digits.empty() && parsed.ec == std::errc{} && value <= kMostPoolBytes ? std::optional(value) : std::nullopt;
}

}  // namespace kmem::history
