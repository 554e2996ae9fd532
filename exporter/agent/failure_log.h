// STAGE 2 in the agent: what event logs gained -> counters that go on over restarts, and words in the log.
// Windows: every record is counted once, whoever reads it again. Linux: the kernel's own counters since boot; when one
// rose is what is remembered. Thread: none of its own; the caller serialises.
// Failure: load() refuses a damaged payload (kMalformed) or another host's (kInvalid) and changes nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem {

class FailureLog {
 public:
  static constexpr std::uint32_t kStateVersion = 1;

  explicit FailureLog(std::string host_identity) : host_identity_(std::move(host_identity)) {}

  /// Counts what is new in `snapshot` and completes its failure_events.
  void observe(Snapshot& snapshot, bool new_boot = false);

  /// How far the event log was read; none = never.
  [[nodiscard]] const std::optional<EventCursor>& cursor() const { return cursor_; }
  /// Whether anything was counted since the last save().
  [[nodiscard]] bool is_unsaved() const { return unsaved_; }

  [[nodiscard]] std::string save();
  base::Result<void> load(std::string_view payload);

 private:
  using Key = std::pair<std::string, std::uint32_t>;  // provider and event id
  struct Count {
    std::uint64_t count = 0;
    std::optional<base::UnixMillis> last;
  };

  void take(const EventLogReading& reading);
  void follow_kernel(Snapshot& snapshot, bool new_boot);

  const std::string host_identity_;
  std::map<Key, Count> counts_;
  std::optional<EventCursor> cursor_, counted_before_;  // before: by an earlier run
  std::uint64_t origin_ = 0, taken_ = 0;
  bool unsaved_ = false;
};

}  // namespace kmem
