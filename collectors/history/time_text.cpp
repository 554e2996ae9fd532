#include "collectors/history/time_text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "collectors/base/digit.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/notes.h"

namespace kmem::history {
namespace {

using base::Error;
using base::ErrorCode;
using base::UnixMillis;

constexpr std::int64_t kMinuteMillis = 60'000;
constexpr std::int64_t kMinUnixSeconds = 631'152'000;    // 1990: before that nobody recorded, and a number is something else
constexpr std::int64_t kMaxUnixSeconds = 4'102'444'799;  // the year 2099's last: a digit too many is no time
constexpr std::int64_t kEndOfSeconds = 2'000'000'000;    // 2033: "2611121800" is a date in digits, and no recording of 2052

using base::is_digit;

std::optional<UnixMillis> unix_seconds(std::string_view text) {
  std::int64_t seconds = 0;
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
    seconds = seconds * 10 + (text.front() - '0');
    if (seconds > kMaxUnixSeconds) return std::nullopt;
  }
  const std::int64_t millis = take_char(text, '.') ? take_fraction_millis(text) : 0;
  return text.empty() ? std::optional(seconds * 1000 + millis) : std::nullopt;
}

}  // namespace

std::int64_t take_fraction_millis(std::string_view& text) {
  if (text.size() > 1 && (text.front() == '.' || text.front() == ',') && is_digit(text[1])) text.remove_prefix(1);
  std::int64_t millis = 0;
  for (std::int64_t unit = 100; !text.empty() && is_digit(text.front()); unit /= 10, text.remove_prefix(1))
    millis += unit * (text.front() - '0');
  return millis;
}

std::optional<int> take_digits(std::string_view& text, std::size_t min_digits, std::size_t max_digits) {
  int value = 0;
  std::size_t length = 0;
  for (; length < text.size() && length < max_digits && is_digit(text[length]); ++length)
    value = value * 10 + (text[length] - '0');
  if (length < min_digits) return std::nullopt;
  text.remove_prefix(length);
  return value;
}

std::string_view behind_time_name(std::string_view line) {
  const std::string_view text = trimmed(line);
  for (const std::string_view name : {"epoch", "unix", "unixtime", "timestamp", "time", "ts"})
    if (text.size() > name.size() && same_word(text.substr(0, name.size()), name) &&
        (text[name.size()] == '=' || text[name.size()] == ':'))
      return trimmed(text.substr(name.size() + 1));
  return text;
}

bool take_char(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<UnixMillis> day_millis(int year, int month, int day) {
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (year < 1970 || year > 9999 || month < 1 || day < 1 || !date.ok()) return std::nullopt;
  return std::chrono::milliseconds(std::chrono::sys_days(date).time_since_epoch()).count();
}

std::optional<UnixMillis> take_short_minute(std::string_view& text) {
  if (std::min(text.find_first_not_of("0123456789"), text.size()) != 10 || text.front() < '2') return std::nullopt;
  std::string_view rest = text;
  std::array<int, 5> parts{};
  for (int& part : parts) part = *take_digits(rest, 2, 2);
  const auto midnight = parts[0] < 40 ? day_millis(2000 + parts[0], parts[1], parts[2]) : std::nullopt;
  if (!midnight || parts[3] > 23 || parts[4] > 59) return std::nullopt;
  text = rest;
  return *midnight + (parts[3] * 60 + parts[4]) * kMinuteMillis;
}

std::optional<std::int64_t> take_time_of_day(std::string_view& text) {
  std::string_view rest = text;
  const auto hour = take_digits(rest, 1, 2);
  if (!hour || *hour > 23 || !take_char(rest, ':')) return std::nullopt;
  const auto minute = take_digits(rest, 2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t millis = (*hour * 60 + *minute) * kMinuteMillis;
  if (take_char(rest, ':')) {
    const auto second = take_digits(rest, 2, 2);
    if (!second || *second > 60) return std::nullopt;  // 60: a leap second
    millis += *second * base::kSecondMillis;
    if (rest.size() > 1 && (rest.front() == '.' || rest.front() == ',') && is_digit(rest[1])) {
      rest.remove_prefix(1);
      millis += take_fraction_millis(rest);
    }
  }
  text = rest;
  return millis;
}

std::optional<int> take_zone_minutes(std::string_view& text) {
  std::string_view rest = text;
  if (take_char(rest, 'Z') || take_char(rest, 'z')) {
    text = rest;
    return 0;
  }
  const bool west = take_char(rest, '-');
  if (!west && !take_char(rest, '+')) return std::nullopt;
  const auto hours = take_digits(rest, 1, 2);
  if (!hours || *hours > 23) return std::nullopt;
  (void)take_char(rest, ':');
  const auto minutes = take_digits(rest, 2, 2);
  if (minutes && *minutes > 59) return std::nullopt;
  text = rest;
  const int east = *hours * 60 + minutes.value_or(0);
  return west ? -east : east;
}

base::Result<UnixMillis> parse_timestamp(std::string_view text) {
  text = trimmed(text);
  const auto refuse = [&](const std::string& why) { return Error{ErrorCode::kMalformed, in_quotes(text) + why}; };
  if (const auto seconds = unix_seconds(text)) {
    if (*seconds >= kEndOfSeconds * 1000) return refuse(" is no Unix time, for it would be after 2033");
    if (*seconds >= kMinUnixSeconds * 1000) return *seconds;
    return refuse(" is no Unix time, for it would be before 1990; Excel's days since 1900 are to be formatted as times");
  }
  std::string_view rest = text;
  const auto year = take_digits(rest, 4, 4);
  const bool begun = year && take_char(rest, '-');
  const auto month = take_digits(rest, 2, 2);
  const bool going = begun && month && take_char(rest, '-');
  const auto day = take_digits(rest, 2, 2);
  if (!going || !day || !(take_char(rest, 'T') || take_char(rest, 't') || take_char(rest, ' ')))
    return refuse(" is neither RFC 3339 nor Unix seconds");
  const auto midnight = day_millis(*year, *month, *day);
  const auto of_day = take_time_of_day(rest);
  if (!midnight || !of_day) return refuse(" is no time that exists");
  if (*midnight < kMinUnixSeconds * 1000 || *midnight > kMaxUnixSeconds * 1000)
    return refuse(" is no time at which this was recorded");
  if (trimmed(rest).empty()) return refuse(" has no zone; write Z or an offset behind it");
  const auto zone = take_zone_minutes(rest);
  if (!zone || !rest.empty()) return refuse(" has a zone that is not understood");
  return *midnight + *of_day - *zone * kMinuteMillis;
}

bool is_of_pdh(std::string_view text) {
  constexpr std::string_view kForm = "00/00/0000 00:00:00.000";
  return std::equal(text.begin(), text.end(), kForm.begin(), kForm.end(),
                    [](char c, char form) { return form == '0' ? c >= '0' && c <= '9' : c == form; });
}

std::optional<UnixMillis> parse_us_time(std::string_view text) {
  text = trimmed(text);
  const auto part = [&](std::size_t digits) {
    const auto value = take_digits(text, 1, digits);
    return value && (take_char(text, '/') || take_char(text, '\\')) ? value : std::nullopt;
  };
  const auto month = part(2);
  const auto day = month ? part(2) : std::nullopt;
  const auto year = take_digits(text, 4, 4);
  if (!day || !year || !take_char(text, ' ')) return std::nullopt;
  const auto midnight = day_millis(*year, *month, *day);
  // memsnap fills the milliseconds up to four digits: they are a number, not a fraction.
  std::string_view behind = text.substr(std::min(text.find('.'), text.size()));
  text.remove_suffix(behind.size());
  const auto of_day = take_time_of_day(text);
  const int millis = take_char(behind, '.') ? take_digits(behind, 1, 4).value_or(0) : 0;
  return midnight && of_day ? std::optional(*midnight + *of_day + millis) : std::nullopt;
}

}  // namespace kmem::history
