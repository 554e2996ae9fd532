// All dates of a file -> the one order of day, month and year that fits them: by a part that can be no month, by the
// weekdays beside them, and by times that have to rise; a year of two digits by moving least. Thread: value type.
// Failure: decide() gives nothing when several orders fit as well.
#pragma once

#include <array>
#include <optional>
#include <string_view>

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

}  // namespace kmem::history
