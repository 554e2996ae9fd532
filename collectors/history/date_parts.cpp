#include "collectors/history/date_parts.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <utility>

#include "collectors/base/clock.h"
#include "collectors/base/digit.h"
#include "collectors/history/date_words.h"
#include "collectors/history/time_text.h"

namespace kmem::history {
namespace {

using base::is_digit;
using base::UnixMillis;

bool take_text(std::string_view& text, std::string_view wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(wanted.size());
  return true;
}

// "180000" or "1800" of a compact time, with a fraction behind the seconds.
std::optional<std::int64_t> take_compact_time(std::string_view& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits != 4 && digits != 6) return std::nullopt;
  std::string_view rest = text;
  const int hour = *take_digits(rest, 2, 2);
  const int minute = *take_digits(rest, 2, 2);
  const int second = digits == 6 ? *take_digits(rest, 2, 2) : 0;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  std::int64_t millis = (hour * 60 + minute) * base::kMinuteMillis + second * base::kSecondMillis;
  if (digits == 6) millis += take_fraction_millis(rest);
  text = rest;
  return millis;
}

bool is_separator(char c) { return c == '/' || c == '-' || c == '.' || c == '\\' || c == '_'; }

}  // namespace

int full_year(int year, bool is_short) { return is_short ? year + (year < 70 ? 2000 : 1900) : year; }

std::optional<std::int64_t> take_any_time(std::string_view& text) {
  if (const auto plain = take_time_of_day(text)) return plain;
  if (const auto compact = take_compact_time(text)) return compact;
  std::string_view rest = text;
  const auto hour = take_digits(rest, 1, 2);
  if (!hour || *hour > 23 || rest.size() < 3) return std::nullopt;
  const char separator = rest.front();
  if (separator != '.' && separator != '-' && separator != '_' && separator != 'h') return std::nullopt;
  rest.remove_prefix(1);
  const auto minute = take_digits(rest, 2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t millis = (*hour * 60 + *minute) * base::kMinuteMillis;
  if (separator != 'h' && rest.size() > 2 && is_digit(rest[1]) && take_char(rest, separator)) {
    const auto second = take_digits(rest, 2, 2);
    if (!second || *second > 60) return std::nullopt;
    millis += *second * base::kSecondMillis;
    if (rest.size() > 1 && (rest.front() == ',' || rest.front() == '.') && is_digit(rest[1]))
      millis += take_fraction_millis(rest);
  }
  text = rest;
  return millis;
}

std::optional<std::int64_t> take_hour_words(std::string_view& text) {
  std::string_view rest = text;
  const auto hour = take_digits(rest, 1, 2);
  if (!hour || *hour > 23) return std::nullopt;
  const auto any = [&rest](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return take_text(rest, word); });
  };
  int minute = 0, second = 0;
  if (any({"時", "时", "시", "点", "點"})) {
    if (const auto minutes = take_digits(rest, 1, 2)) {
      minute = *minutes;
      if (minute > 59 || !any({"分", "분"})) return std::nullopt;
    }
    if (const auto seconds = take_digits(rest, 1, 2)) {
      second = *seconds;
      if (second > 60 || !any({"秒", "초"})) return std::nullopt;
    }
  } else if (rest != "h" && rest != "H" && !half_of_day(rest)) {
    return std::nullopt;
  }
  if (rest == "h" || rest == "H") rest = {};
  text = rest;
  return (*hour * 60 + minute) * base::kMinuteMillis + second * base::kSecondMillis;
}

std::optional<DateFound> take_parted_date(std::string_view& text, std::optional<DateOrder> order) {
  std::string_view rest = text;
  std::array<int, 3> parts{};
  std::array<std::size_t, 3> widths{};
  int month = 0;
  std::size_t month_at = 3;
  char separator = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    if (i > 0) {
      if (rest.empty() || !is_separator(rest.front()) || (i == 2 && rest.front() != separator)) return std::nullopt;
      separator = rest.front();
      rest.remove_prefix(1);
    }
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const auto number = take_digits(rest, 1, 4);
    if (number && digits <= 4) {
      parts[i] = *number;
      widths[i] = digits;
      continue;
    }
    std::size_t letters = 0;
    while (letters < rest.size() && is_letter(rest[letters])) ++letters;
    if (number || i == 2 || (month = month_of(rest.substr(0, letters))) == 0 || month_at != 3) return std::nullopt;
    month_at = i;
    rest.remove_prefix(letters);
    if (separator != '.') (void)take_char(rest, '.');
  }
  // Versions have three numbers, too: 6.1.7601.
  const std::size_t year_at = widths[0] == 4 ? 0 : 2;
  if (widths[year_at] == 4 && (parts[year_at] < kFirstYear || parts[year_at] > kLastYear)) return std::nullopt;
  DateFound found;
  if (month_at == 3) {
    if (widths[0] == 4 && widths[1] <= 2 && widths[2] <= 2) {
      found.midnight = day_millis(parts[0], parts[1], parts[2]);
    } else if (separator == '_' || widths[0] > 2 || widths[1] > 2 || (widths[2] != 2 && widths[2] != 4)) {
      return std::nullopt;
    } else {
      NumericDate numeric{parts, widths[2] == 2, separator == '.', std::string(text.substr(0, text.size() - rest.size()))};
      if (order) {
        found.midnight = numeric.in(*order);
      } else {
        found.midnight = numeric.in(numeric.dotted ? DateOrder::kDayMonthYear : DateOrder::kMonthDayYear);
        if (!found.midnight && !numeric.dotted) found.midnight = numeric.in(DateOrder::kDayMonthYear);
      }
      found.numeric = std::move(numeric);
    }
  } else if (month_at == 1 && widths[0] == 4) {
    found.midnight = day_millis(parts[0], month, parts[2]);
  } else if (widths[2] == 2 || widths[2] == 4) {
    found.midnight = day_millis(full_year(parts[2], widths[2] == 2), month, parts[month_at == 0 ? 1 : 0]);
  }
  if (!found.midnight && !found.numeric) return std::nullopt;
  if (!found.midnight && found.numeric->dotted && found.numeric->short_year && !found.numeric->is_a_day()) return std::nullopt;
  text = rest;
  return found;
}

std::optional<UnixMillis> take_compact_date(std::string_view& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits != 8 && digits != 12 && digits != 14) return std::nullopt;
  std::string_view rest = text;
  const int year = *take_digits(rest, 4, 4);
  const int month = *take_digits(rest, 2, 2);
  const int day = *take_digits(rest, 2, 2);
  if (year < kFirstYear || year > kLastYear) return std::nullopt;
  const auto midnight = day_millis(year, month, day);
  if (midnight) text = rest;
  return midnight;
}

std::optional<UnixMillis> take_east_date(std::string_view& text) {
  std::string_view rest = text;
  constexpr int kBeforeReiwa = 2018;
  auto year = take_text(rest, "令和") ? take_digits(rest, 1, 2) : take_digits(rest, 4, 4);
  if (year && *year < 100) *year += kBeforeReiwa;
  if (!year || !(take_text(rest, "年") || take_text(rest, "년"))) return std::nullopt;
  const auto month = take_digits(rest, 1, 2);
  if (!month || !(take_text(rest, "月") || take_text(rest, "월"))) return std::nullopt;
  const auto day = take_digits(rest, 1, 2);
  if (!day || !(take_text(rest, "日") || take_text(rest, "일"))) return std::nullopt;
  const auto midnight = day_millis(*year, *month, *day);
  if (midnight) text = rest;
  return midnight;
}

std::optional<UnixMillis> NumericDate::in(DateOrder order) const {
  const auto [first, second, third] = parts;
  switch (order) {
    case DateOrder::kMonthDayYear: return day_millis(full_year(third, short_year), first, second);
    case DateOrder::kDayMonthYear: return day_millis(full_year(third, short_year), second, first);
    case DateOrder::kYearMonthDay:
      // A year of four digits stands last: what is left is as in the countries that write so.
      return short_year ? day_millis(full_year(first, true), second, third) : std::nullopt;
  }
  return std::nullopt;
}

bool NumericDate::is_a_day() const {
  return in(DateOrder::kMonthDayYear) || in(DateOrder::kDayMonthYear) || in(DateOrder::kYearMonthDay);
}

}  // namespace kmem::history
