// Dates that stand below their tables: `cat /proc/slabinfo; date` or `poolmon; date` in a loop. Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "collectors/history/snapshot_reader.h"

namespace kmem::history {

/// Of a file that begins with a table and ends with a date, found by reading it once more before anything of it is given.
struct DatesBelow {
  bool are_proven = false;       // each table has one date below it
  std::uint64_t table_line = 0;  // the first
  std::uint64_t date_line = 0;   // the last
  std::uint64_t doubt_line = 0;  // a table or a date too many; 0: none

  [[nodiscard]] std::string told() const;
  [[nodiscard]] std::string doubt() const;
};

/// Reads the file once more, with a reader that `make_probe` makes and that itself does not look. True: each date is that of
/// the table above it, which is warned of. `fault`: why nothing of the file can be used; is left where it can.
[[nodiscard]] bool look_for_dates_below(
    const TextOptions& options, FileNotes& notes, std::string& fault,
    const std::function<std::unique_ptr<SnapshotReader>(LineReader, FileNotes)>& make_probe);

}  // namespace kmem::history
