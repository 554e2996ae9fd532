// The columns of `top`: which there are for these rows, and a row as text in them. Widths follow the rows, so that
// nothing is cut that fits; a narrow screen gets short numbers, and columns that do not fit any more are left out at
// the right. Pure. Thread: value type. Failure: none.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "exporter/top/usage_table.h"

namespace kmem::top {

/// How wide the columns were: what is drawn again and again should not jump.
struct Layout {
  bool exact = true;                // numbers in full
  std::vector<std::size_t> widths;  // as wanted; empty = not drawn yet
};

struct ColumnOptions {
  bool deltas = true;
  bool growth = false;
  bool marks = true;             // of leaks, in the first character
  std::size_t width = 80;        // 0 = as wide as it takes
  std::size_t first_column = 0;  // of those behind tag and type
  Layout layout;                 // of the frame before: columns are as wide at least
};

class Columns {
 public:
  Columns(const std::vector<const UsageRow*>& rows, const ColumnOptions& options);

  [[nodiscard]] std::string title() const;
  [[nodiscard]] std::string text(const UsageRow& row) const;
  /// Behind tag and type, shown or not.
  [[nodiscard]] std::size_t count() const { return columns_.size() - 2; }
  [[nodiscard]] const Layout& layout() const { return layout_; }

  struct Column;

 private:
  [[nodiscard]] std::string line(const std::vector<std::string>& cells) const;

  ColumnOptions options_;
  Layout layout_;
  std::vector<const Column*> columns_;
  std::vector<std::size_t> widths_;  // of columns_, 0 = not shown
};

/// "Nonp", "Paged" as poolmon has them; likewise short ones for the pools of Linux.
[[nodiscard]] std::string_view type_word(Pool pool);

}  // namespace kmem::top
