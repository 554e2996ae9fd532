// Whether a header row is one of a PowerShell script. Thread: pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/history/csv_fields.h"

namespace kmem::history {

enum class ScriptCsv : std::uint8_t {
  kTags,       // pool tags
  kCounters,   // samples of Get-Counter, one a row
  kReadings,   // Get-Counter's own objects: Timestamp, Readings
  kProcesses,  // Get-Process with a time: Name, Id, Handles, NPM
  kTotals,     // of the pools, a column each
};
[[nodiscard]] std::optional<ScriptCsv> script_csv_kind(std::string_view header);
/// A column of that name says whose a row is, here and in our own CSV.
[[nodiscard]] bool names_host(std::string_view column);
/// It is one, with a column of times.
[[nodiscard]] bool has_script_times(std::string_view header);

/// The times in a file of that kind, as they are written. Lines in the file's order.
class ScriptTimes {
 public:
  /// Of this row; empty: it has none, or that of the row above.
  [[nodiscard]] std::string time_in(std::string_view line);

 private:
  CsvFields fields_;
  std::optional<ScriptCsv> kind_;
  std::array<std::size_t, 3> at_{};  // of time, date and clock
  std::string header_, last_;
};

}  // namespace kmem::history
