// The date of a file by its name, or by its folder's: where the files have several of a day, the numbers behind their dates tell
// together whether they are hours or count the day's files, which are given no hours then. Thread: one.
// Failure: none; what cannot be an hour for sure is none.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/history/date_line.h"
#include "collectors/history/date_order.h"

namespace kmem::history {

struct FileDate {
  DateLine date;
  std::string rule = "the file's name";  // by which it was read
  bool is_of_folder = false;
};

class FileDates {
 public:
  /// `order`: of dates in names, where it is known.
  FileDates(const std::vector<std::string>& paths, std::optional<DateOrder> order);

  /// Of one of the paths. `options` as of date_in_name().
  [[nodiscard]] FileDate of(const std::string& path, const DateOptions& options) const;
  /// Neither its name nor its folder's has a date.
  [[nodiscard]] bool is_dateless(const std::string& path) const;

 private:
  struct Place {
    bool is_counted = false;  // the number behind its date counts files
    std::size_t rank = 0;     // among those of its day
    std::string like;         // that was said of this one already
    std::string folder;       // whose name is its date; empty: none
    bool has_date = false;    // in its name
  };
  std::map<std::string, Place> places_;  // by path
  std::string first_counted_;
};

}  // namespace kmem::history
