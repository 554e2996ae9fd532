// The columns of the CSV that PowerShell scripts write, by their many names. For the files that read it only.
// Thread: pure. Failure: nullopt when a name is none of them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/history/csv_fields.h"
#include "collectors/history/script_csv.h"
#include "collectors/history/zone_names.h"

namespace kmem::history {

inline constexpr std::size_t kNowhere = kMaxFields;

enum Column : std::size_t {
  kTime,
  kDate,
  kClock,
  kHost,
  kTag,
  kType,
  kBytes,
  kAllocs,
  kFrees,
  kDiff,
  kPagedBytes,
  kPagedAllocs,
  kPagedFrees,
  kPagedDiff,
  kNonpagedBytes,
  kNonpagedAllocs,
  kNonpagedFrees,
  kNonpagedDiff,
  kPath,
  kValue,
  kStatus,
  kReadings,
  kProcessName,  // of a process
  kProcessId,
  kProcessHandles,
  kProcessPaged,
  kProcessNonpaged,
  kCommitBytes,
  kCommitMost,
  kAvailableBytes,
  kZone,  // of the time beside it
  kColumnCount
};

struct Meaning {
  Column column;
  double unit = 1;  // bytes; of amounts alone
  bool tells_unit = true;
};
[[nodiscard]] std::optional<Meaning> column_of(std::string_view name);
/// Whether a column that is not known may tell of pools. Differences, sums and means are left out with purpose.
[[nodiscard]] bool may_be_amount(std::string_view name);

struct Places : std::array<std::size_t, kColumnCount> {
  std::array<double, kColumnCount> units;
  std::array<bool, kColumnCount> tell_unit;
  bool any_pool = false;  // a column of totals says "pool", or its unit
};
[[nodiscard]] Places places_of(const CsvFields& fields);
[[nodiscard]] bool has_time(const Places& at);
/// "Memory\\Pool Paged Bytes" of kPagedBytes in a table of totals, "Handle Count" of kProcessHandles; empty: none.
[[nodiscard]] std::string_view counter_of(Column column);
/// What a table with such columns is; nullopt: none that is known.
[[nodiscard]] std::optional<ScriptCsv> kind_of(const Places& at);
/// Cheap, for every row: a header is as the one before or begins with a name that is known.
[[nodiscard]] bool may_be_header(const CsvFields& fields, std::string_view line, std::string_view header);
/// Export-Csv -UseCulture has the semicolon where the comma is the decimal point.
[[nodiscard]] std::optional<char> separator_of(std::string_view header);

[[nodiscard]] std::string row_time_text(const CsvFields& fields, std::size_t time, std::size_t date, std::size_t clock);
/// "+02:00", "UTC-5", "02:00:00", or a zone's name; nullopt: none that is known.
[[nodiscard]] std::optional<Zone> zone_in_cell(std::string_view cell);
/// What stands before the path of a line of Readings; empty: nothing.
[[nodiscard]] std::string reading_time_text(std::string_view line);

}  // namespace kmem::history
