// Files that stand beside each other, one a day say, are written by one machine: the order of day and month that one of them
// decides holds for those of its format that decide nothing. A file's own dates come first, then the date in its name, the
// other files, and times that rise from name to name. Each file's dates are read once, and only when one needs it.
// Thread: one. Failure: files that contradict each other decide nothing for a third; the ruling names both.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/file_io.h"
#include "collectors/history/date_order.h"
#include "collectors/history/file_dates.h"
#include "collectors/history/line_reader.h"
#include "collectors/history/notes.h"

namespace kmem::history {

/// What may be a date in a line of the file, in its order.
using DateText = std::function<std::string(std::string_view line)>;

/// How a file's dates are found.
struct DateLook {
  std::string format;  // files of one stand beside each other
  DateText date_in;
  std::size_t longest_line = kMaxLineBytes;
};

class BesideDates {
 public:
  using Looker = std::function<std::optional<DateLook>(const std::string& path)>;
  BesideDates(base::FileSystem& files, std::vector<std::string> paths, Looker look)
      : files_(files), paths_(std::move(paths)), look_(std::move(look)) {}

  /// Of the dates in the file. What it was by goes to its notes.
  [[nodiscard]] DateRuling of_text(FileNotes& notes);
  /// Whether no date in the file denies it.
  [[nodiscard]] bool month_first_fits(const std::string& path) { return seen(path).votes.fits(DateOrder::kMonthDayYear); }
  /// As of DateOrderVotes.
  [[nodiscard]] std::string denial(const std::string& path, DateOrder order) { return seen(path).votes.denial(order); }
  /// Another file without a date in its name, or its folder's, was modified at the same time, or some seconds before or after.
  [[nodiscard]] bool shares_modified(const std::string& path);
  /// Its date by its name, beside those of the others.
  [[nodiscard]] FileDate date_of_name(const std::string& path, const DateOptions& options);
  /// Of those in the files' names.
  [[nodiscard]] DateRuling of_names();

 private:
  [[nodiscard]] const FileDates& names(const DateOptions& options);
  struct Seen {
    std::string format;  // empty: it has no such dates, or can be read only once
    DateOrderVotes votes;
    std::optional<DateOrder> by_name;
  };
  struct Decided {
    DateOrder order;
    std::string path;
  };
  /// What all files of a format say together.
  struct Beside {
    std::vector<Decided> decided;  // each order once
    std::optional<DateOrder> rising;
  };

  [[nodiscard]] const Seen& seen(const std::string& path);
  [[nodiscard]] const Beside& beside(const std::string& format);
  [[nodiscard]] std::optional<DateOrder> rising_by_name(const std::string& format);

  base::FileSystem& files_;
  std::vector<std::string> paths_;
  Looker look_;
  std::map<std::string, Seen> seen_;
  std::map<std::string, Beside> beside_;
  std::optional<FileDates> names_;
  std::optional<std::map<base::UnixMillis, std::size_t>> modified_;  // how many files
};

}  // namespace kmem::history
