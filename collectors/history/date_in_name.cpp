#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

constexpr std::string_view kNameGaps = " _-.";

std::string_view behind_gaps(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kNameGaps), text.size()));
  return text;
}

std::string_view letters_at(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && is_letter(text[end])) ++end;
  return text.substr(0, end);
}

/// A year, month and day begin here, or such a date's eight digits.
bool begins_date(std::string_view text) {
  if (take_compact_date(text)) return true;
  const auto parted = take_parted_date(text, std::nullopt);
  return parted && (!parted->numeric || !parted->numeric->short_year);
}

/// "1800MB" is a size.
bool is_size_unit(std::string_view word) {
  constexpr auto kUnits = std::to_array<std::string_view>({"B", "K", "M", "G", "KB", "MB", "GB", "KiB", "MiB", "GiB", "TB"});
  return std::any_of(kUnits.begin(), kUnits.end(), [&](std::string_view unit) { return same_word(unit, word); });
}

/// Of the name, but for what tells the file's type; "22H2" goes on.
bool is_end(std::string_view text) { return text.empty() || (text.front() == '.' && text.find('.', 1) == text.npos); }

/// "1800s" is how long it took.
bool is_unit_of_time(std::string_view word) {
  constexpr auto kUnits = std::to_array<std::string_view>({"s", "ms", "us", "ns", "sec", "secs", "min", "mins", "d", "days"});
  return std::any_of(kUnits.begin(), kUnits.end(), [&](std::string_view unit) { return same_word(unit, word); });
}

/// "Europe-Berlin", "America_New_York": a zone of the tz database as names of files can have it; empty: something else.
std::string_view tz_place(std::string_view text) {
  constexpr auto kAreas = std::to_array<std::string_view>(
      {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Etc", "Europe", "Indian", "Pacific"});
  const std::string_view area = letters_at(text);
  const std::string_view behind = text.substr(area.size());
  const bool is_place = std::any_of(kAreas.begin(), kAreas.end(), [&](std::string_view one) { return same_word(one, area); }) &&
                        behind.size() > 2 && kNameGaps.find(behind.front()) != std::string_view::npos && is_letter(behind[1]);
  return is_place ? text.substr(0, text.find('.', area.size() + 1)) : std::string_view();
}

std::optional<Zone> zone_of_place(std::string_view place) {
  std::string name(place);
  const std::size_t area = letters_at(name).size();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == ' ' || c == '-' || c == '.'; }, '_');
  name[area] = '/';
  return zone_named(name);
}

/// "CET", "UTC+02", "+0100" behind a name's time. `problem` where it may be one of several, or none.
void take_zone_in_name(std::string_view rest, DateLine& found) {
  if (!rest.empty() && (rest.front() == 'Z' || rest.front() == '+')) {
    if (const auto minutes = take_zone_minutes(rest)) found.zone = Zone{*minutes}, found.number.reset();
    return;
  }
  const auto refuse = [&found](std::string_view zone) {
    found.problem =
        in_quotes(zone) + " behind the time in the file's name may be its zone, which is not known or one of several";
  };
  if (rest.size() >= 5 && rest.front() == '-' && (rest.size() == 5 || !is_digit(rest[5]))) {
    std::string_view west = rest;
    constexpr int kQuarter = 15, kFarthestWest = -12 * 60;
    const auto minutes = std::all_of(rest.begin() + 1, rest.begin() + 5, is_digit) ? take_zone_minutes(west) : std::nullopt;
    if (minutes && *minutes >= kFarthestWest && *minutes != 0 && *minutes % kQuarter == 0) return refuse(rest.substr(0, 5));
  }
  std::string words(rest.substr(0, rest.rfind('.')));
  std::replace(words.begin(), words.end(), '_', ' ');
  if (const std::string_view whole = trimmed(words); whole.size() > 5)
    if (const auto zone = zone_named(whole)) return void(found.zone = zone);
  rest = behind_gaps(rest);
  if (const std::string_view place = tz_place(rest); !place.empty()) {
    if (const auto zone = zone_of_place(place)) return void(found.zone = zone);
    return refuse(place);
  }
  const std::string_view word = letters_at(rest);
  const bool is_universal = same_word(word, "UTC") || same_word(word, "GMT");
  const bool is_upper = std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (word.size() < 2 || !(is_upper || is_universal)) return;
  const std::string_view behind = rest.substr(word.size());
  if (is_universal && behind.size() > 1 && (behind.front() == '+' || behind.front() == '-') && is_digit(behind[1])) {
    std::string_view minutes_text = behind;
    const std::size_t digits = std::min(behind.find_first_not_of("0123456789", 1), behind.size()) - 1;
    const auto hours = [&]() -> std::optional<int> {
      std::string_view number = behind.substr(1, digits);
      const auto value = digits <= 2 ? take_digits(number, 1, 2) : std::nullopt;
      constexpr int kMost = 14;
      return value && *value <= kMost ? std::optional(*value * (behind.front() == '-' ? -60 : 60)) : std::nullopt;
    };
    const bool is_hours = digits <= 2 && (behind.size() == digits + 1 || behind[digits + 1] != ':');
    if (const auto minutes = is_hours ? hours() : take_zone_minutes(minutes_text)) return void(found.zone = Zone{*minutes});
    return refuse(rest.substr(0, word.size() + 1 + digits));
  }
  constexpr auto kSeveral = std::to_array<std::string_view>(
      {"IST", "CST", "AST", "ADT", "NST", "NDT", "GST", "CLT", "CLST", "TRT", "COT", "WITA", "ICT", "PHT"});
  if (const auto zone = zone_named(word)) found.zone = zone;
  else if (std::find(kSeveral.begin(), kSeveral.end(), word) != kSeveral.end()) refuse(word);
}

/// `rest` becomes what stands behind it.
void take_time_in_name(std::string_view& rest, DateLine& found) {
  const bool is_parted = !rest.empty() && std::string_view("_-T. ,@").find(rest.front()) != std::string_view::npos;
  const bool by_point = is_parted && (rest.front() == '.' || rest.front() == ',');
  const bool by_letter = is_parted && rest.front() == 'T';
  if (rest.starts_with(" at ")) rest.remove_prefix(3);  // as macOS names its pictures
  if (begins_date(behind_gaps(rest))) return;
  if (const std::size_t begin = rest.find_first_not_of(" _-.,(#"); begin != std::string_view::npos)
    found.number = count_at(behind_count_word(rest.substr(begin)));  // "2026-09-01 (2).log", "2026-09-01_run2.log"
  if (is_parted && rest.find_first_of("0123456789") == 1) rest.remove_prefix(1);
  if (rest.empty() || !is_digit(rest.front())) return;
  const std::string_view whole = rest;
  const std::size_t behind_number = rest.size() - (found.number ? found.number->digits : 0);
  const auto is_number_alone = [&] { return found.number && !by_letter && rest.size() == behind_number; };
  const auto is_no_time = [&] {
    found.time_of_day.reset();
    found.number.reset();
    rest = whole;
  };
  found.time_of_day = take_any_time(rest);
  if (!found.time_of_day) {  // the hour alone
    const auto hour = take_digits(rest, 1, 2);
    const bool ends = rest.empty() || !is_digit(rest.front());
    if (rest.size() > 1 && rest.front() == '.' && is_digit(rest[1])) return is_no_time();  // "10.0.19045"
    const std::string_view unit = letters_at(rest);
    const bool is_told = (same_word(unit, "h") || same_word(unit, "Uhr")) && is_end(rest.substr(unit.size()));  // "18h"
    const bool is_of_two = whole.size() - rest.size() == 2;  // "2026-11-14.1" is a count
    const bool is_hour = hour && *hour < 24 && ends &&
                         (half_in_name(rest) || is_told ||
                          (is_parted && (!by_point || is_of_two) && (rest.empty() || !is_letter(rest.front()))));
    if (!is_hour) return;
    if (is_told) found.number.reset();
    if (is_told) rest.remove_prefix(unit.size());
    found.time_of_day = *hour * kHourMillis;
  }
  const std::string_view time = whole.substr(0, whole.size() - rest.size());
  if (is_size_unit(letters_at(rest))) return is_no_time();
  const bool is_in_digits = time.find_first_not_of("0123456789") == std::string_view::npos;
  if (is_in_digits && time.size() > 2 && is_unit_of_time(letters_at(rest))) return is_no_time();  // "1800s"
  if (std::count(time.begin(), time.end(), '.') == 3 && time.find_first_not_of("0123456789.") == std::string_view::npos) {
    // "10.20.30.40"; an address's last number, or milliseconds.
    if (time.size() - time.rfind('.') <= 3) return is_no_time();
    found.problem = in_quotes(time) + " in the file's name may be a time, or an address; write 18-30-00 for a time";
    return;
  }
  // "10.22.19045"
  if (time.find('.') != std::string_view::npos && rest.size() > 1 && rest.front() == '.' && is_digit(rest[1]))
    return is_no_time();
  if (time.size() == 4 && time[1] == '.') {
    found.problem = in_quotes(time) + " in the file's name may be a time, or a version; write 03.10 for a time";
    return;
  }
  // Of Windows; a time ends the name, or has seconds or a zone behind it.
  constexpr auto kReleases = std::to_array<std::string_view>({"2003", "2008", "2012", "2016", "2019", "2022", "2025"});
  if (std::find(kReleases.begin(), kReleases.end(), time) != kReleases.end() && !rest.empty() && rest.front() != '.' &&
      !half_in_name(rest) && !letters_at(behind_gaps(rest)).empty() && !zone_named(letters_at(behind_gaps(rest)))) {
    found.problem = in_quotes(time) + " in the file's name may be a time, or a year that its host is named by";
    return;
  }
  if (is_number_alone()) found.number->is_time = true;
  else found.number.reset();
  if (half_in_name(rest)) found.number.reset();
  if (const auto half = half_in_name(rest); half && *found.time_of_day < 13 * kHourMillis)
    *found.time_of_day = *found.time_of_day % (12 * kHourMillis) + (*half ? 12 * kHourMillis : 0);
  take_zone_in_name(rest, found);
}

// "20261114183015123" with milliseconds, "1794679200123" of Unix.
std::optional<UnixMillis> take_with_millis(std::string_view& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  constexpr std::size_t kOfUnix = 13, kOfDate = 17;
  if (digits != kOfUnix && digits != kOfDate) return std::nullopt;
  std::string_view seconds = text.substr(0, digits - 3), millis = text.substr(digits - 3, 3);
  std::optional<UnixMillis> time;
  if (digits == kOfUnix) {
    time = take_unix_seconds(seconds);
  } else if (const auto midnight = take_compact_date(seconds)) {
    if (const auto of_day = take_any_time(seconds)) time = *midnight + *of_day;
  }
  if (!time) return std::nullopt;
  text.remove_prefix(digits);
  return *time + *take_digits(millis, 3, 3);
}

/// "Nov-14-2026", "14. November 2026": three words of a name, the year of four digits.
std::optional<UnixMillis> take_worded_date(std::string_view& text) {
  std::string_view rest = text;
  std::string words;
  bool has_month = false;
  for (int i = 0; i < 3; ++i) {
    const std::string_view word = rest.substr(0, rest.find_first_of(" _-.,"));
    has_month |= month_of(word) != 0;
    if (word.empty()) return std::nullopt;
    words.append(words.empty() ? "" : " ").append(word);
    rest.remove_prefix(word.size());
    if (i < 2) rest = rest.substr(std::min(rest.find_first_not_of(" _-.,"), rest.size()));
  }
  if (!has_month || !is_digit(words[words.size() - 1]) || words.size() < 4 ||
      words.substr(words.size() - 4).find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  const DateLine found = parse_date_line(words);
  if (found.midnight) text = rest;
  return found.midnight;
}

/// What is plainly meant as a date, and is none that is read; empty: nothing.
std::string_view strange_date(std::string_view name) {
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (!is_digit(name[at]) || (at > 0 && (is_digit(name[at - 1]) || is_letter(name[at - 1])))) continue;
    const std::string_view text = name.substr(at);
    std::string_view rest = text;
    const auto part = [&](std::size_t fewest, std::size_t most) {
      const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
      return digits >= fewest && digits <= most ? take_digits(rest, fewest, most) : std::nullopt;
    };
    const auto told = [&] { return text.substr(0, text.size() - rest.size()); };
    constexpr int kFirst = 2000, kLast = 2039, kMonths = 12, kDays = 31, kDaysOfAYear = 366;
    const auto year = part(4, 4);
    if (year && *year >= kFirst && *year <= kLast && !rest.empty() && kNameGaps.find(rest.front()) != std::string_view::npos) {
      const char mark = rest.front();
      rest.remove_prefix(1);
      const std::string_view behind_year = rest;
      if (const auto day = part(3, 3); day && *day >= 1 && *day <= kDaysOfAYear && mark == '-') return told();
      rest = behind_year;
      const auto month = part(1, 2);
      if (month && *month <= kDays && take_char(rest, mark))
        if (const auto day = part(2, 2); day && *day <= kDays) return told();
    }
    rest = text;
    if (std::min(rest.find_first_not_of("0123456789"), rest.size()) == 8) {  // "20260230"
      const int begins = *take_digits(rest, 4, 4), month = *take_digits(rest, 2, 2), day = *take_digits(rest, 2, 2);
      if (begins >= kFirst && begins <= kLast && month >= 1 && month <= kMonths && day >= 1 && day <= kDays) return told();
    }
    rest = text;
    // "2026-W46-6"
    if (const auto of_weeks = part(4, 4); of_weeks && *of_weeks >= kFirst && *of_weeks <= kLast) {
      (void)(take_char(rest, '-') || take_char(rest, '_') || take_char(rest, '.'));
      constexpr int kWeeks = 53;
      if (take_char(rest, 'W') || take_char(rest, 'w'))
        if (const auto week = part(2, 3); week && (*week > 99 ? *week / 10 : *week) <= kWeeks) return told();
    }
    rest = text;
    // "261114_1800": a day and a time behind it.
    if (std::min(rest.find_first_not_of("0123456789"), rest.size()) == 6) {
      const int begins = *take_digits(rest, 2, 2), month = *take_digits(rest, 2, 2), day = *take_digits(rest, 2, 2);
      const bool is_day = day_millis(2000 + begins, month, day) || day_millis(2000 + day, month, begins) ||
                          day_millis(2000 + day, begins, month);
      if (!rest.empty()) rest.remove_prefix(1);
      const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
      if (is_day && (digits == 4 || digits == 6) && take_any_time(rest)) return told();
    }
    rest = text;
    if (part(1, 2)) {  // "14Nov26"
      const std::string_view month = letters_at(rest);
      rest.remove_prefix(month.size());
      if (month.size() >= 3 && month_of(month) != 0 && part(2, 2)) return told();
    }
  }
  return {};
}

}  // namespace

std::string_view name_in(std::string_view path) {
  const std::size_t slash = path.find_last_of("/\\");
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

DateLine date_in_name(std::string_view path, std::optional<DateOrder> order) {
  const std::string_view name = name_in(path);
  std::vector<DateLine> dates;
  const auto instant = [&](UnixMillis time) {
    DateLine found;
    found.midnight = time / kDayMillis * kDayMillis;
    found.time_of_day = time % kDayMillis;
    return found;
  };
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (at > 0 && is_digit(name[at - 1])) continue;
    std::string_view rest = name.substr(at);
    DateLine found;
    if (!is_digit(name[at])) {
      if (at > 0 && is_letter(name[at - 1])) continue;
      const auto worded = is_letter(name[at]) ? take_worded_date(rest) : std::nullopt;
      if (!worded) continue;
      found.midnight = worded;
    } else if (const auto compact = take_compact_date(rest)) {
      found.midnight = compact;
    } else if (const auto hour = take_compact_hour(rest); hour) {
      found = instant(*hour);
      found.number = DateLine::Number{static_cast<std::uint64_t>(*found.time_of_day / kHourMillis), 2, true};
    } else if (const auto minute = take_short_minute(rest)) {
      found = instant(*minute);
    } else if (const auto unix_time = at > 0 && is_letter(name[at - 1]) ? std::nullopt : take_unix_seconds(rest)) {
      if (!dates.empty()) continue;
      found = instant(*unix_time);
      found.zone = Zone{};
    } else if (const bool of_unix = std::min(rest.find_first_not_of("0123456789"), rest.size()) == 13;
               const auto millis = take_with_millis(rest)) {
      found = instant(*millis);
      if (of_unix) found.zone = Zone{};
      if (of_unix && !dates.empty()) continue;
    } else if (const auto glued = take_glued_date(rest)) {
      found.midnight = glued;
    } else if (auto year_last = take_year_last(rest)) {
      found.numeric = std::move(year_last);
      if (order) found.midnight = found.numeric->in(*order);
    } else if (auto parted = take_parted_date(rest, order); parted) {
      found.midnight = parted->midnight;
      found.numeric = std::move(parted->numeric);
      if (found.numeric && found.numeric->short_year && !dates.empty()) continue;  // "10.0.19"
    } else if (const auto worded = take_worded_date(rest)) {
      found.midnight = worded;
    }
    if (found.numeric) {
      if (!order) found.midnight = only_day(*found.numeric);
      if (!found.midnight)
        found.problem = in_quotes(found.numeric->text) +
                        (order ? " in the file's name is no day of the calendar, read as was said"
                               : " in the file's name can be two days; --date-order=dmy or --date-order=mdy says which");
    }
    if (!found.midnight && found.problem.empty()) continue;
    if (!found.time_of_day) take_time_in_name(rest, found);
    if (!found.problem.empty()) found.midnight.reset();
    dates.push_back(std::move(found));
    at = name.size() - rest.size() - 1;
  }
  if (dates.empty()) {
    DateLine strange;
    if (const std::string_view text = strange_date(name); !text.empty())
      strange.problem = in_quotes(text) + " in the file's name looks like a date, but is not understood";
    return strange;
  }
  // "srv20190101_20261003_0600": that with a time beside it.
  const auto timed = std::find_if(dates.begin(), dates.end(), [](const DateLine& one) { return one.time_of_day.has_value(); });
  DateLine& best = timed != dates.end() ? *timed : dates.front();
  const auto contradicts = [&](const DateLine& one) {
    return one.midnight && best.midnight && one.time_of_day.has_value() == best.time_of_day.has_value() &&
           (*one.midnight != *best.midnight || one.time_of_day != best.time_of_day);
  };
  if (std::any_of(dates.begin(), dates.end(), contradicts)) {
    DateLine two;
    two.problem = "the file's name " + in_quotes(name) + " has two dates, and which is that of its table is not known";
    return two;
  }
  return std::move(best);
}

}  // namespace kmem::history
