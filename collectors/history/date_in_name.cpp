#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "collectors/base/clock.h"
#include "collectors/base/digit.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_line.h"
#include "collectors/history/date_parts.h"
#include "collectors/history/date_words.h"
#include "collectors/history/notes.h"
#include "collectors/history/time_text.h"

namespace kmem::history {

namespace {

using base::is_digit;
using base::kDayMillis;
using base::UnixMillis;

// "2026110518".
std::optional<UnixMillis> take_compact_hour(std::string_view& text) {
  if (std::min(text.find_first_not_of("0123456789"), text.size()) != 10) return std::nullopt;
  std::string_view day = text.substr(0, 8), hour = text.substr(8);
  const auto midnight = take_compact_date(day);
  const auto of_day = take_digits(hour, 2, 2);
  if (!midnight || !of_day || *of_day > 23) return std::nullopt;
  text = hour;
  return *midnight + *of_day * kHourMillis;
}

// "08Nov2026": in names alone.
std::optional<UnixMillis> take_glued_date(std::string_view& text) {
  std::string_view rest = text;
  const auto day = take_digits(rest, 1, 2);
  std::size_t letters = 0;
  while (letters < rest.size() && is_letter(rest[letters])) ++letters;
  const int month = month_of(rest.substr(0, letters));
  rest.remove_prefix(letters);
  const auto year = take_digits(rest, 4, 4);
  if (!day || month == 0 || !year || *year < kFirstYear || *year > kLastYear || (!rest.empty() && is_digit(rest.front())))
    return std::nullopt;
  const auto midnight = day_millis(*year, month, *day);
  if (midnight) text = rest;
  return midnight;
}

// "1762300800": of Unix, from 2001 to 2099.
std::optional<UnixMillis> take_unix_seconds(std::string_view& text) {
  if (std::min(text.find_first_not_of("0123456789"), text.size()) != 10) return std::nullopt;
  const auto time = parse_timestamp(text.substr(0, 10));
  if (!time || *time < 1'000'000'000'000 || *time >= 4'102'444'800'000) return std::nullopt;
  text.remove_prefix(10);
  return *time;
}

// "05092026" where it cannot begin with a year, "05_09_2026".
std::optional<NumericDate> take_year_last(std::string_view& text) {
  std::string_view rest = text;
  const bool is_glued = std::min(text.find_first_not_of("0123456789"), text.size()) == 8;
  const auto part = [&](std::size_t fewest, std::size_t most) {
    const auto value = take_digits(rest, fewest, most);
    if (!is_glued && most == 2 && !take_char(rest, '_')) rest = {};
    return value.value_or(0);
  };
  const int first = part(is_glued ? 2 : 1, 2);
  const int second = part(is_glued ? 2 : 1, 2);
  const int year = part(4, 4);
  if (year < kFirstYear || year > kLastYear || (!rest.empty() && is_digit(rest.front()))) return std::nullopt;
  NumericDate date{{first, second, year}, false, false, std::string(text.substr(0, text.size() - rest.size()))};
  if (!date.is_a_day()) return std::nullopt;
  text = rest;
  return date;
}

/// Where only one order gives a day of the calendar.
std::optional<UnixMillis> only_day(const NumericDate& date) {
  std::optional<UnixMillis> found;
  for (const DateOrder order : {DateOrder::kMonthDayYear, DateOrder::kDayMonthYear, DateOrder::kYearMonthDay}) {
    if (order == DateOrder::kYearMonthDay && !date.short_year) continue;
    const auto day = date.in(order);
    if (day && found && *day != *found) return std::nullopt;
    if (day) found = day;
  }
  return found;
}

// "2610030600": the year in two digits, where Unix seconds would lie beyond 2033.
std::optional<UnixMillis> take_short_minute(std::string_view& text) {
  if (std::min(text.find_first_not_of("0123456789"), text.size()) != 10 || text.front() < '2') return std::nullopt;
  std::string_view rest = text;
  std::array<int, 5> parts{};
  for (int& part : parts) part = *take_digits(rest, 2, 2);
  const auto midnight = parts[0] < 40 ? day_millis(2000 + parts[0], parts[1], parts[2]) : std::nullopt;
  if (!midnight || parts[3] > 23 || parts[4] > 59) return std::nullopt;
  text = rest;
  return *midnight + (parts[3] * 60 + parts[4]) * std::int64_t{60'000};
}

/// "PM" behind a name's time; what follows is no letter.
std::optional<bool> half_in_name(std::string_view rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" _-."), rest.size()));
  if (rest.size() < 2 || (rest.size() > 2 && is_letter(rest[2]))) return std::nullopt;
  if (same_word(rest.substr(0, 2), "AM")) return false;
  return same_word(rest.substr(0, 2), "PM") ? std::optional(true) : std::nullopt;
}

/// A number of a name that may count files: of as many digits as one has.
std::optional<DateLine::Number> count_at(std::string_view text) {
  constexpr std::size_t kMostDigits = 6;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > kMostDigits) return std::nullopt;
  DateLine::Number number{0, digits, false};
  for (const char c : text.substr(0, digits)) number.value = number.value * 10 + static_cast<std::uint64_t>(c - '0');
  return number;
}

std::string_view behind_count_word(std::string_view text) {
  for (const std::string_view word : {"run", "part", "snap", "sample", "no", "nr", "copy"}) {
    const std::string_view behind = text.substr(std::min(word.size(), text.size()));
    const std::size_t digit = behind.find_first_not_of(" _-.#");
    if (same_word(text.substr(0, word.size()), word) && digit != std::string_view::npos && is_digit(behind[digit]))
      return behind.substr(digit);
  }
  return text;
}

void take_time_in_name(std::string_view rest, DateLine& found) {
  const bool is_parted = !rest.empty() && std::string_view("_-T. ,@").find(rest.front()) != std::string_view::npos;
  const bool by_point = is_parted && (rest.front() == '.' || rest.front() == ',');
  const bool by_letter = is_parted && rest.front() == 'T';
  if (const std::size_t begin = rest.find_first_not_of(" _-.,(#"); begin != std::string_view::npos)
    found.number = count_at(behind_count_word(rest.substr(begin)));  // "2026-09-01 (2).log", "2026-09-01_run2.log"
  if (is_parted && rest.find_first_of("0123456789") == 1) rest.remove_prefix(1);
  if (rest.empty() || !is_digit(rest.front())) return;
  const std::size_t behind_number = rest.size() - (found.number ? found.number->digits : 0);
  const auto is_number_alone = [&] { return found.number && !by_letter && rest.size() == behind_number; };
  found.time_of_day = take_any_time(rest);
  if (!found.time_of_day) {  // the hour alone
    const auto hour = take_digits(rest, 1, 2);
    const bool ends = rest.empty() || !is_digit(rest.front());
    const bool is_hour = hour && *hour < 24 && ends &&
                         (half_in_name(rest) || (is_parted && !by_point && (rest.empty() || !is_letter(rest.front()))));
    if (!is_hour) return;
    found.time_of_day = *hour * kHourMillis;
  }
  if (is_number_alone()) found.number->is_time = true;
  else found.number.reset();
  if (half_in_name(rest)) found.number.reset();
  if (const auto half = half_in_name(rest); half && *found.time_of_day < 13 * kHourMillis)
    *found.time_of_day = *found.time_of_day % (12 * kHourMillis) + (*half ? 12 * kHourMillis : 0);
  if (!rest.empty() && (rest.front() == 'Z' || rest.front() == '+')) {
    if (const auto minutes = take_zone_minutes(rest)) found.zone = Zone{*minutes}, found.number.reset();
  }
}

}  // namespace

std::string_view name_in(std::string_view path) {
  const std::size_t slash = path.find_last_of("/\\");
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

DateLine date_in_name(std::string_view path, std::optional<DateOrder> order) {
  const std::string_view name = name_in(path);
  std::optional<DateLine> first;
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (!is_digit(name[at]) || (at > 0 && is_digit(name[at - 1]))) continue;
    std::string_view rest = name.substr(at);
    DateLine found;
    if (const auto compact = take_compact_date(rest)) {
      found.midnight = compact;
    } else if (const auto hour = take_compact_hour(rest); hour) {
      found.midnight = *hour / kDayMillis * kDayMillis;
      found.time_of_day = *hour % kDayMillis;
      found.number = DateLine::Number{static_cast<std::uint64_t>(*found.time_of_day / kHourMillis), 2, true};
      return found;
    } else if (const auto minute = take_short_minute(rest)) {
      found.midnight = *minute / kDayMillis * kDayMillis;
      found.time_of_day = *minute % kDayMillis;
      return found;
    } else if (const auto unix_time = at > 0 && is_letter(name[at - 1]) ? std::nullopt : take_unix_seconds(rest)) {
      found.midnight = *unix_time / kDayMillis * kDayMillis;
      found.time_of_day = *unix_time % kDayMillis;
      found.zone = Zone{};
      return found;
    } else if (const auto glued = take_glued_date(rest)) {
      found.midnight = glued;
    } else if (auto year_last = take_year_last(rest)) {
      found.numeric = std::move(year_last);
      if (order) found.midnight = found.numeric->in(*order);
    } else if (auto parted = take_parted_date(rest, order); parted) {
      found.midnight = parted->midnight;
      found.numeric = std::move(parted->numeric);
    }
    if (found.numeric) {
      if (!order) found.midnight = only_day(*found.numeric);
      if (!found.midnight)
        found.problem = in_quotes(found.numeric->text) +
                        (order ? " in the file's name is no day of the calendar, read as was said"
                               : " in the file's name can be two days; --date-order=dmy or --date-order=mdy says which");
    }
    if (!found.midnight && found.problem.empty()) continue;
    take_time_in_name(rest, found);
    if (found.time_of_day) return found;
    if (!first) first = std::move(found);  // "srv20190101_20261003_0600": that with a time beside it
  }
  return first.value_or(DateLine{});
}

}  // namespace kmem::history
