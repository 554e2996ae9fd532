// All dates of a file -> the one order of day, month and year that fits them. A part over 12 is no month; weekdays beside
// dates must be right; times must rise. Where years have two digits, the order that moves least. Thread: value type.
// Failure: decide() gives nothing when several orders fit as well.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "collectors/history/date_line.h"

namespace kmem::history {

class DateOrderVotes {
 public:
  /// In the order of the file.
  void see(const DateLine& line, std::uint64_t number = 0);
  /// Any order will do when no date needed one.
  [[nodiscard]] std::optional<DateOrder> decide() const;
  /// Only where all others fit worse: of use to other files, too.
  [[nodiscard]] std::optional<DateOrder> firmly() const;
  /// Each date is a day of the calendar in that order, on the weekday beside it.
  [[nodiscard]] bool fits(DateOrder order) const { return fits_[static_cast<std::size_t>(order)].wrong == 0; }
  /// Dates that are days of the calendar in one order alone, of day and month, prove both: "line 3 is day first, and line 7
  /// month first". Empty: they do not; a lone one among many is a slip.
  [[nodiscard]] std::string contradiction() const;
  /// What proves that this order cannot be: "line 3 is day first". Empty: nothing, or as much proves that it is.
  [[nodiscard]] std::string denial(DateOrder order) const;
  /// None fits better.
  [[nodiscard]] bool admits(DateOrder order) const;
  /// The first and last time in that order; nullopt: it has a date that is none, or no date at all.
  struct Span {
    base::UnixMillis first = 0, last = 0;
  };
  [[nodiscard]] std::optional<Span> span(DateOrder order) const;

 private:
  struct Fit {
    std::uint64_t wrong = 0;       // no such day, or another weekday
    std::uint64_t weekdays = 0;    // that are right
    std::uint64_t falls = 0;       // times that go back
    std::uint64_t proofs = 0;      // that are days in this order alone, of day and month
    std::uint64_t proof_line = 0;  // the first
    std::optional<base::UnixMillis> first, last;

    [[nodiscard]] base::UnixMillis span() const { return first ? *last - *first : 0; }
  };
  using Rank = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;  // the least is the best
  [[nodiscard]] Rank rank(std::size_t order) const;
  /// Year first is only for years of two digits.
  [[nodiscard]] std::size_t orders() const { return any_long_year_ ? 2 : 3; }
  [[nodiscard]] std::size_t best() const;
  [[nodiscard]] std::size_t as_good_as(std::size_t order) const;
  std::array<Fit, 3> fits_;
  bool all_dotted_ = true;
  bool any_long_year_ = false;
  bool differ_ = false;  // whether the order matters at all
};

struct DateRuling {
  std::optional<DateOrder> order = {};
  std::string why_not = "nothing in the file says which";
  bool is_fault = false;  // no order can be right
};

struct DateOptions {
  std::optional<DateOrder> order = {};                // given by the user
  std::function<DateRuling()> decide = {};            // by all dates of the file and of those beside it; asked once, if ever
  std::function<DateRuling()> of_names = {};          // by the names of the files
  std::function<bool()> month_first_fits = {};        // no date of the file denies it
  std::function<std::string(DateOrder)> denial = {};  // what in the file proves that the one that the user gave is wrong
  std::string year_day_month = {};                    // a date that proves that the day stands behind the year
};

/// That in a file's name; `problem` where it can be two days.
[[nodiscard]] DateLine date_in_name(std::string_view path, const DateOptions& options);

/// A file's dates, all read in one order.
class OrderedDates {
 public:
  explicit OrderedDates(DateOptions options) : options_(std::move(options)) {}

  /// As parse_date_line(); `problem` where the date can be two days and nothing says which.
  [[nodiscard]] DateLine parse(std::string_view text);
  /// Asked, and nothing says.
  [[nodiscard]] bool undecided() const { return asked_ && !options_.order; }
  [[nodiscard]] std::string two_days(std::string_view date) const;
  /// A date so far, "2026-13-11", that proves that the day stands behind the year; empty: none, or others prove a month there.
  [[nodiscard]] std::string year_day_month() const { return is_month_proven_ ? std::string() : day_proof_; }

 private:
  [[nodiscard]] DateLine parse_in_order(std::string_view text);
  /// It has a date with the year first whose day and month the whole file may have otherwise.
  [[nodiscard]] bool see_year_first(std::string_view text);

  DateOptions options_;
  std::string why_not_ = DateRuling{}.why_not;
  bool asked_ = false, is_fault_ = false;
  bool is_month_proven_ = false;  // behind the year
  std::string day_proof_;         // there
};

}  // namespace kmem::history
