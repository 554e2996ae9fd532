// A line that a script or a console put above a table -> the date, time and zone in it. It may come from `echo %date%
// %time%`, `date /t`, Get-Date, `date`, WMI or the debugger (session time), be ISO, be in a language of date_words.h, and
// stand between rules such as "=====". Whether 05/11 is in May or November the whole file says (date_order.h).
// Thread: pure. Failure: nothing is set when the line has other things than a date in it; `problem` when it has one that
// no calendar or zone knows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/history/zone_names.h"

namespace kmem::history {

enum class DateOrder : std::uint8_t { kMonthDayYear, kDayMonthYear, kYearMonthDay };
/// "mdy" | "dmy" | "ymd", and words for them.
[[nodiscard]] std::optional<DateOrder> parse_date_order(std::string_view word);

/// Three numbers whose order the line does not tell: no year of four digits stands first.
struct NumericDate {
  std::array<int, 3> parts{};
  bool short_year = false;  // two digits: it may even stand first
  bool dotted = false;      // 5.11.2026, in most countries day first
  std::string text;

  /// Midnight; nullopt: no day of the calendar in that order.
  [[nodiscard]] std::optional<base::UnixMillis> in(DateOrder order) const;
  /// In any order.
  [[nodiscard]] bool is_a_day() const;
};

struct DateLine {
  std::optional<base::UnixMillis> midnight;  // of the date, as if it were UTC
  std::optional<std::int64_t> time_of_day;   // milliseconds
  std::optional<Zone> zone;
  std::optional<NumericDate> numeric;  // what midnight was read from
  std::optional<int> weekday;          // 0 is Sunday
  bool or_saturday = false;            // "so", which is Sunday in German and Saturday in Czech and Polish
  struct Yearless {
    int month = 0, day = 0;  // 0: the weekday is all that is told
  };
  std::optional<Yearless> yearless;        // in place of midnight
  std::string problem;                     // why the date in this line is of no use
  int words_before = 0, words_behind = 0;  // that are no part of a date, nor go with one
  /// In a file's name, right behind its date: an hour, hours and minutes, or a count of the day's files (file_dates.h).
  struct Number {
    std::uint64_t value = 0;
    std::size_t digits = 0;
    bool is_time = false;  // time_of_day is read from it
  };
  std::optional<Number> number;

  [[nodiscard]] bool empty() const { return !midnight && !time_of_day && problem.empty(); }
  /// Whether the weekday, if there is one, is that of this day.
  [[nodiscard]] bool fits_weekday(base::UnixMillis day) const;
  [[nodiscard]] bool is_bare() const { return words_before + words_behind == 0; }
};

/// Without an order month first, and day first where a month cannot be.
[[nodiscard]] DateLine parse_date_line(std::string_view line, std::optional<DateOrder> order = std::nullopt);

/// A mail's own times are not those of what is in it.
[[nodiscard]] bool is_of_a_mail(std::string_view line);

/// A date below another one, an earlier one, and no table between: the nearest to the table is its own.
enum class SecondDate : std::uint8_t {
  kHolds,
  kIsOther,   // of a file or an installation, say: the one above holds
  kDoubtful,  // none does
};
/// `is_above_bare`: the date above is a stamp and nothing else. `does_rise`: it lies behind the table above both.
[[nodiscard]] SecondDate judge_earlier(const DateLine& found, bool is_above_bare, bool does_rise);
/// A mail's `Date:` is of the mail.
[[nodiscard]] bool is_bare_stamp(std::string_view line, const DateLine& found);
/// `date -u; date`: a local time beside the one with its zone.
[[nodiscard]] bool is_same_moment(base::UnixMillis with_zone, const DateLine& below);
[[nodiscard]] std::string earlier_than_above(std::uint64_t line_above);
inline constexpr const char* kEarlierThanAbove =
    "an earlier time than the one above it, without a table between: the later one is used";

/// Whether somebody may have meant a date by what is none to parse_date_line: a table below it is not undated.
[[nodiscard]] bool may_be_date(std::string_view line);

/// Midnight of a day without a year: the first one on which the time of the line does not lie before that one, or the last
/// one on which it does not lie behind. nullopt: none is on its weekday.
[[nodiscard]] std::optional<base::UnixMillis> first_day_after(const DateLine& line, base::UnixMillis local);
[[nodiscard]] std::optional<base::UnixMillis> last_day_before(const DateLine& line, base::UnixMillis local);

/// 0 is Sunday.
[[nodiscard]] int weekday_at(base::UnixMillis midnight);

/// A date without a time is its midnight, one without a zone in UTC; nothing where there is no date.
[[nodiscard]] std::optional<base::UnixMillis> utc_of(const DateLine& line);

/// Without the folders before it.
[[nodiscard]] std::string_view name_in(std::string_view path);
/// "poolmon-2026-09-01_0000.log" -> its date, and time if there is one. The year first, a month's name, or Unix
/// seconds; else `problem` may say why it is of no use.
[[nodiscard]] DateLine date_in_name(std::string_view path, std::optional<DateOrder> order);

}  // namespace kmem::history
