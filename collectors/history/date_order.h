// All dates of a file -> the one order of day, month and year that fits them: by a part that can be no month, by the
// weekdays beside them, and by times that have to rise; a year of two digits by moving least. Thread: value type.
// Failure: decide() gives nothing when several orders fit as well.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/history/date_line.h"

namespace kmem::history {

class DateOrderVotes {
 public:
  /// In the order of the file.
  void see(const DateLine& line);
  /// Any order will do when no date needed one.
  [[nodiscard]] std::optional<DateOrder> decide() const;

 private:
  struct Fit {
    std::uint64_t wrong = 0;      // no such day, or another weekday
    std::uint64_t weekdays = 0;   // that are right
    std::uint64_t falls = 0;      // times that go back
    std::optional<base::UnixMillis> first, last;

    [[nodiscard]] base::UnixMillis span() const { return first ? *last - *first : 0; }
  };
  std::array<Fit, 3> fits_;
  bool all_dotted_ = true;
  bool any_long_year_ = false;
  bool differ_ = false;  // whether the order matters at all
};

struct DateOptions {
  std::optional<DateOrder> order = {};                     // given by the user
  std::function<std::optional<DateOrder>()> decide = {};  // by all of the file's dates; asked once, if ever
};

/// A file's dates, all read in one order.
class OrderedDates {
 public:
  explicit OrderedDates(DateOptions options) : options_(std::move(options)) {}

  /// As parse_date_line(); `problem` where the date can be two days and nothing says which.
  [[nodiscard]] DateLine parse(std::string_view text);
  /// Asked, and nothing says.
  [[nodiscard]] bool undecided() const { return asked_ && !options_.order; }
  [[nodiscard]] static std::string two_days(std::string_view date);

 private:
  DateOptions options_;
  bool asked_ = false;
};

}  // namespace kmem::history
