// One file's snapshots, in whichever format; the table of formats is in format.cpp. Thread: one.
// Failure: what cannot be used goes to the file's notes; an Error ends the file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "collectors/base/file_io.h"
#include "collectors/base/result.h"
#include "collectors/history/line_reader.h"
#include "collectors/history/notes.h"
#include "collectors/snapshot.h"

namespace kmem::history {

class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  /// False at the end. Times are as the file has them and may go back.
  virtual base::Result<bool> next(Snapshot& out) = 0;
  /// Where the last one began; 0 when the file has no lines.
  [[nodiscard]] virtual std::uint64_t line() const { return 0; }
};

using Reader = base::Result<std::unique_ptr<SnapshotReader>>;

/// kMalformed when its header names no usable columns.
[[nodiscard]] Reader make_csv_history(LineReader lines, FileNotes notes);
[[nodiscard]] Reader make_perfmon_history(LineReader lines, FileNotes notes);
/// `modified`: the time of the last table when the text has no time at all.
[[nodiscard]] Reader make_text_history(LineReader lines, FileNotes notes, std::optional<base::UnixMillis> modified);

/// Whether a header line has at least two of the CSV format's columns.
[[nodiscard]] bool is_csv_header(std::string_view line);

/// By the file's first bytes. `bytes_read` counts up as the file is read and outlives the reader.
[[nodiscard]] Reader open_reader(base::FileSystem& files, const std::string& path, Notes& notes,
                                 std::uint64_t& bytes_read);

}  // namespace kmem::history
