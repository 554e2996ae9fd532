// One file's snapshots, in whichever format; formats of lines are rows of the table below. Thread: one.
// Failure: what cannot be used goes to the file's notes; an Error ends the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/base/file_io.h"
#include "collectors/base/result.h"
#include "collectors/history/beside_dates.h"
#include "collectors/history/date_order.h"
#include "collectors/history/history.h"
#include "collectors/history/line_reader.h"
#include "collectors/history/notes.h"
#include "collectors/snapshot.h"

namespace kmem::history {

/// What is kept of each host is little, of so many hosts in all.
inline constexpr std::size_t kMostHosts = 65'536;

struct DatesBelow;

class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  /// False at the end. Times are as the file has them and may go back.
  virtual base::Result<bool> next(Snapshot& out) = 0;
  /// Where the last one began; 0 when the file has no lines.
  [[nodiscard]] virtual std::uint64_t line() const { return 0; }
  /// Whose the last one is; empty: the file does not say.
  [[nodiscard]] virtual const std::string& host() const;
  /// After one of the first: what it has of later ones shows that they go back.
  [[nodiscard]] virtual bool is_newest_first() const { return false; }
  /// Rows that it had to pass over show that the file is not in order of time.
  [[nodiscard]] virtual bool is_unsorted() const { return false; }
  /// Lines above its dates seem to tell hosts, which were not asked for.
  [[nodiscard]] virtual bool has_host_lines() const { return false; }
  /// They tell one host, and no other.
  [[nodiscard]] virtual bool has_one_host_line() const { return false; }
  /// After the end: a date that proves that the day stands between year and month; empty: none does, or the file was refused.
  [[nodiscard]] virtual std::string year_day_month() const { return {}; }
  /// After the end: why none of the times that it gave is the right one; nullptr: nothing says so.
  [[nodiscard]] virtual const char* fault_of_order() const { return nullptr; }
  /// After the end: whether its dates stand below their tables; nullptr: the format has none.
  [[nodiscard]] virtual const DatesBelow* dates_below() const { return nullptr; }
};

inline constexpr const char* kLinesInReverse =
    "a table stands above the first date, none below the last one, and dates fall: its lines stand in reverse, and each table "
    "above its date; turn them round with: tac FILE";

inline constexpr const char* kTakenAsMidnight = "a date without a time is taken as its midnight";
inline constexpr const char* kDateLostItsTime =
    "a date without a time, where others have one: it may be cut; the table below is passed over";

using Reader = base::Result<std::unique_ptr<SnapshotReader>>;

/// kMalformed when its header names no usable columns. `any_order`: its times may go back, and come again.
[[nodiscard]] Reader make_csv_history(LineReader lines, FileNotes notes, char separator, bool any_order);
struct PerfmonOptions {
  char separator = ',';
  DateOptions dates;  // of times that a spreadsheet has rewritten
};
[[nodiscard]] Reader make_perfmon_history(LineReader lines, FileNotes notes, PerfmonOptions options);
struct TextOptions {
  std::optional<base::UnixMillis> modified;  // of the file, for its last or only table when there is no time at all
  DateOptions dates;
  std::function<bool()> modified_is_shared = {};  // by another file without a date in its name: copies, which it does not date
  bool lines_tell_hosts = false;                  // those above the dates
  std::function<base::Result<LineReader>()> again = {};  // the file's lines from the first on, once more
  std::function<FileDate()> of_name = {};                // the file's date by its name, beside those of others; none: by itself

  [[nodiscard]] FileDate date_of_name(const std::string& path) const {
    return of_name ? of_name() : FileDate{date_in_name(path, dates)};
  }
};
[[nodiscard]] Reader make_text_history(LineReader lines, FileNotes notes, TextOptions options);

/// An answer of Prometheus' HTTP API.
[[nodiscard]] Reader make_prometheus_json(std::unique_ptr<base::File> file, FileNotes notes);
/// Lines of `promtool tsdb dump`, or of OpenMetrics with times.
[[nodiscard]] Reader make_prometheus_lines(LineReader lines, FileNotes notes);

/// Of the only table of a file without dates: by the file's name or its folder's, else when it was modified. Warns of what was
/// taken.
[[nodiscard]] std::optional<base::UnixMillis> time_of_only_table(const TextOptions& options, FileNotes& notes);

/// /proc files, slabtop and vmstat -m below dates.
[[nodiscard]] Reader make_linux_history(LineReader lines, FileNotes notes, TextOptions options);
[[nodiscard]] Reader make_sar_history(LineReader lines, FileNotes notes, DateOptions dates);
[[nodiscard]] Reader make_sadf_json(std::unique_ptr<base::File> file, FileNotes notes);
/// kMalformed when its header names no usable columns.
[[nodiscard]] Reader make_script_history(LineReader lines, FileNotes notes, TextOptions options);

enum class Format : std::uint8_t { kOther, kPrometheusJson, kPrometheusLines, kSadfJson, kSar, kLinux, kScriptCsv };

/// Whether a line shows that the file has the format. `is_first`: only blank lines stand above it.
[[nodiscard]] bool begins_prometheus_lines(std::string_view line, bool is_first);
[[nodiscard]] bool begins_sar(std::string_view line, bool is_first);
[[nodiscard]] bool begins_script_csv(std::string_view line, bool is_first);
[[nodiscard]] bool begins_linux(std::string_view line, bool is_first);

struct LineFormat {
  Format format = Format::kOther;
  std::string_view name;  // in reports
  bool (*begins)(std::string_view line, bool is_first) = nullptr;
  bool has_day_and_month = false;  // dates whose order may have to be found out; see date_look in format.cpp
  Reader (*make)(LineReader lines, FileNotes notes, TextOptions options) = nullptr;
};
/// The first that a line of the file's head begins has it. perfmon's and our own CSV, and the text of Windows' tools, are
/// what is left.
inline constexpr LineFormat kLineFormats[] = {
    {Format::kPrometheusLines, "Prometheus' samples in lines", begins_prometheus_lines, false,
     [](LineReader lines, FileNotes notes, TextOptions) {  // NOLINT(performance-unnecessary-value-param): as the others
       return make_prometheus_lines(std::move(lines), std::move(notes));
     }},
    {Format::kSar, "sar or sadf -d", begins_sar, true,
     [](LineReader lines, FileNotes notes, TextOptions options) {
       return make_sar_history(std::move(lines), std::move(notes), std::move(options.dates));
     }},
    {Format::kScriptCsv, "CSV of a PowerShell script", begins_script_csv, true, make_script_history},
    {Format::kLinux, "Linux tables below dates", begins_linux, true, make_linux_history},
};
/// Null: none of them.
[[nodiscard]] constexpr const LineFormat* line_format(Format format) {
  for (const LineFormat& row : kLineFormats)
    if (row.format == format) return &row;
  return nullptr;
}

/// What parts a header line that has at least two of the CSV format's columns.
[[nodiscard]] std::optional<char> csv_separator(std::string_view line);
/// Those that it needs.
[[nodiscard]] bool has_all_columns(std::string_view line);

/// By the file's first bytes. `bytes_read` counts up as the file is read and outlives the reader. `any_order`: no time is
/// refused because it goes back.
[[nodiscard]] Reader open_reader(base::FileSystem& files, const std::string& path, const HistoryOptions& options,
                                 BesideDates& beside, Notes& notes, std::uint64_t& bytes_read, bool any_order = false);
/// Where the file may have dates whose order its lines do not tell; nullopt: nowhere.
[[nodiscard]] std::optional<DateLook> look_for_dates(base::FileSystem& files, const std::string& path);

}  // namespace kmem::history
