#include "collectors/history/dates_below.h"

#include <utility>

namespace kmem::history {

std::string DatesBelow::told() const {
  return "it begins with a table (line " + std::to_string(table_line) + ") and ends with a date (line " +
         std::to_string(date_line) + "): each date is taken as that of the table above it, and boots as not told";
}

std::string DatesBelow::doubt() const {
  return "it begins with a table (line " + std::to_string(table_line) + ") and ends with a date (line " +
         std::to_string(date_line) + "), so its dates may stand below their tables, but " +
         (doubt_line == 0 ? std::string("not each table has one")
                          : "line " + std::to_string(doubt_line) + " begins one too many") +
         "; if they stand above, take away the first table and the last date";
}

bool look_for_dates_below(const TextOptions& options, FileNotes& notes, std::string& fault,
                          const std::function<std::unique_ptr<SnapshotReader>(LineReader, FileNotes)>& make_probe) {
  auto again = options.again && !options.lines_tell_hosts ? options.again()
                                                          : base::Result<LineReader>(base::Error{base::ErrorCode::kIo, {}});
  if (!again) return false;
  Notes unheard;
  const std::unique_ptr<SnapshotReader> probe = make_probe(std::move(*again), FileNotes(unheard, notes.path()));
  Snapshot unused;
  for (auto more = probe->next(unused); more && *more; more = probe->next(unused)) {}
  if (const char* const reversed = probe->fault_of_order()) fault = reversed;
  const DatesBelow& seen = *probe->dates_below();
  if (seen.date_line == 0) return false;
  if (seen.are_proven) notes.warn(seen.told());
  else fault = seen.doubt();
  return seen.are_proven;
}

}  // namespace kmem::history
