// Names of Windows' performance counters -> where their values belong in a Snapshot: for perfmon's CSV, typeperf and
// Get-Counter. Processes without "ID Process" among the counters get a made-up id of their instance's name.
// Thread: pure; CounterRow belongs to one. Failure: nullopt for a counter that means nothing here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/history/number_text.h"
#include "collectors/history/snapshot_builder.h"

namespace kmem::history {

struct CounterPath {
  std::string_view host;  // empty: the machine itself
  std::string_view path;  // "Memory\Pool Paged Bytes"
};
/// "\\HOST\Object(Instance)\Counter", also without the host.
[[nodiscard]] CounterPath split_counter_path(std::string_view column);

enum class ProcessCounter : std::uint8_t { kNone, kId, kHandles, kPagedPool, kNonpagedPool };

struct KnownCounter {
  std::string_view name;  // as the table has it
  void (*set)(SnapshotBuilder& out, std::uint64_t value) = nullptr;
  bool is_uptime = false;  // seconds
  double unit = 1;         // bytes, of amounts
  ProcessCounter process = ProcessCounter::kNone;
  std::string instance = {};              // of the process
  std::optional<std::uint64_t> pid = {};  // in its instance's name
  std::size_t order = 0;                  // counters that are the same have the same
};
/// In English, or in the languages of counter_names.h.
[[nodiscard]] std::optional<KnownCounter> find_counter(std::string_view path);

/// "12.5", " 1.5e+009", "12,5" where the comma is the decimal point. PDH writes -1 for what it could not read.
[[nodiscard]] NumberText parse_counter_value(std::string_view text, char separator);

/// Boot times of one host: time and uptime are read one after the other, so their difference jitters.
class UptimeClock {
 public:
  [[nodiscard]] base::UnixMillis boot_time(base::UnixMillis time, double uptime_seconds);

 private:
  std::optional<base::UnixMillis> boot_time_;
};

/// One host's counters of one time.
class CounterRow {
 public:
  void add(const KnownCounter& counter, double value);
  /// A value of that counter there was, which cannot be read.
  void lose(const KnownCounter& counter);
  [[nodiscard]] bool empty() const { return !any_; }
  [[nodiscard]] std::optional<std::int64_t> uptime_ms() const;
  /// Once a process had no id.
  [[nodiscard]] bool any_made_up() const { return any_made_up_; }
  /// Gives the snapshot away and begins an empty one.
  [[nodiscard]] Snapshot take(base::UnixMillis time, UptimeClock& uptime);

 private:
  struct Process {
    std::optional<std::uint64_t> id, handles, paged, nonpaged;
  };
  SnapshotBuilder builder_;
  std::map<std::string, Process, std::less<>> processes_;
  std::optional<double> uptime_seconds_;
  bool any_ = false;
  bool any_made_up_ = false;
};

/// Why pids are what they are, for the notes.
inline constexpr const char* kMadeUpPidsNote =
    "processes without the counter ID Process have numbers of their own in place of pids, above 1000000000000, one for each instance";

}  // namespace kmem::history
