// STAGE 1 from elsewhere: recorded history -> Snapshots in time order, whatever wrote it. Each file's format is told
// by its content: a capture, CSV, poolmon/memsnap/debugger text, perfmon CSV. Times rise strictly; snapshots of one
// time from several files are one, in which the file that began first wins where both say something.
// Files are streamed: memory is bounded by one snapshot a file that overlaps in time, not by the files' sizes.
// Thread: one. Failure: what cannot be used is skipped, counted and listed; an Error only when a file cannot be opened
// or none has anything usable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/file_io.h"
#include "collectors/base/result.h"
#include "collectors/history/date_line.h"
#include "collectors/history/notes.h"
#include "collectors/source.h"

namespace kmem::history {

struct Progress {
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_total = 0;  // 0: not known (a pipe)
};

/// read gives the current snapshot, advance moves on; at the end the last one stays.
class HistorySource : public KernelSource {
 public:
  /// So far; the first kMaxSkippedListed of them, skipped_count() has them all.
  [[nodiscard]] virtual const std::vector<Skipped>& skipped() const = 0;
  [[nodiscard]] virtual std::uint64_t skipped_count() const = 0;
  /// What had to be assumed, one a line, each beginning with the file's name.
  [[nodiscard]] virtual const std::vector<std::string>& warnings() const = 0;
  [[nodiscard]] virtual Progress progress() const = 0;
};

struct HistoryOptions {
  std::optional<DateOrder> date_order;  // of dates like 05/11/2026; none: each file's dates decide
};

/// `files` outlives the source. Every file is opened here and read up to its first snapshot.
[[nodiscard]] base::Result<std::unique_ptr<HistorySource>> open_history(base::FileSystem& files,
                                                                        const std::vector<std::string>& paths,
                                                                        const HistoryOptions& options = {});

}  // namespace kmem::history
