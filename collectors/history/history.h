// STAGE 1 from elsewhere: recorded history -> Snapshots in time order, whatever wrote it. Each file's format is told
// by its content (format.cpp). Times rise strictly a host; snapshots of one time from several files are one, in which
// the file that began first wins where both say something.
// Files are streamed, so memory does not depend on their sizes. Each file that overlaps others in time keeps a few
// snapshots a host (CSV of many hosts: some 65,536 rows, 10 MB), and 32 files that wait 1 MB read ahead each. One whose
// newest readings stand first is read as often as turning it round takes (sorted_reader.h).
// Thread: one. Failure: what cannot be used is skipped, counted and listed; an Error only when a file cannot be opened
// or none has anything usable.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
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

/// A row of a host's list that was not listed for a while, and whose counts prove that it was there: at all times between, what
/// the list lacks is unknown.
struct LostRow {
  std::string host;
  std::size_t list = 0;  // list_cuts.h
  base::UnixMillis after = 0, before = 0;

  auto operator<=>(const LostRow&) const = default;
};

/// Readings: file, host as the file names it, time.
using Strangers = std::set<std::tuple<std::string, std::string, base::UnixMillis>>;

/// What a whole look at the files finds out too late for its beginning: another look that is told it from the start is right
/// throughout.
struct Learned {
  std::set<std::string> unsorted;                        // files to be read in order of time
  std::set<std::pair<std::string, std::size_t>> ragged;  // hosts and their lists (list_cuts.h)
  std::set<LostRow> lost;
  std::set<std::string> with_host_lines;              // files that tell hosts in lines above their dates (host_lines.h)
  std::set<std::string> sums;                         // names of rows that are sums of the others
  std::map<std::string, std::string> year_day_month;  // files whose dates are so, and one that proves it
  std::map<std::string, std::string> named_hosts;     // by file: hosts that its name alone tells (hosts_by_name.h)
  std::map<std::string, std::string> of_two;          // files of two hosts, and what shows it (two_hosts.h)

  Strangers strangers;  // readings of another host amid one's (two_hosts.h)

  bool operator==(const Learned&) const = default;
};
/// Looks until nothing new is learned; one more is of no use.
inline constexpr int kMostLooks = 4;

struct HistoryOptions {
  bool all_hosts = false;                    // else one's: the first of the history, the others named in warnings
  std::string host = {};                     // only this one's; case does not matter
  std::optional<DateOrder> date_order = {};  // of dates like 05/11/2026; none: each file's dates decide
  Learned learned = {};                      // by an earlier look
};

/// read gives the current snapshot, advance moves on; at the end the last one stays.
class HistorySource : public KernelSource {
 public:
  /// Whose the current snapshot is; empty: no file says. Files that name none are the only host's that others name.
  [[nodiscard]] virtual const std::string& host() const = 0;
  /// When it changes, nothing more comes of the hosts so far, and the next one's times begin anew.
  [[nodiscard]] virtual std::uint64_t group() const { return 0; }
  /// At the end; what the options told is in it, too.
  [[nodiscard]] virtual const Learned& learned() const;
  /// So far; the first kMaxSkippedListed of them, skipped_count() has them all.
  [[nodiscard]] virtual const std::vector<Skipped>& skipped() const = 0;
  [[nodiscard]] virtual std::uint64_t skipped_count() const = 0;
  /// What had to be assumed, one a line, each beginning with the file's name.
  [[nodiscard]] virtual const std::vector<std::string>& warnings() const = 0;
  /// How each file was read, so far.
  [[nodiscard]] virtual const std::deque<FileReading>& readings() const = 0;
  [[nodiscard]] virtual Progress progress() const = 0;
};

/// `files` outlives the source. Every file is opened here and read up to its first snapshot.
[[nodiscard]] base::Result<std::unique_ptr<HistorySource>> open_history(base::FileSystem& files,
                                                                        const std::vector<std::string>& paths,
                                                                        const HistoryOptions& options = {});

}  // namespace kmem::history
