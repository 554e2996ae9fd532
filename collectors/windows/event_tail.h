// STAGE 1: the System event log -> the bytes of part "kmem/events": what came since the last look and says that memory
// ran out. Looks once a minute, newest record first, down to the cursor, so nothing is read twice, even over restarts. The
// cursor is record id and time: where the log was cleared ids begin anew, but no old record has a later time.
// Thread: one caller at a time. Failure: the status of the part; what could not be read is read the next time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/base/result.h"
#include "collectors/snapshot.h"
#include "collectors/windows/nt_status.h"

namespace kmem::windows {

enum class EventForm : std::uint8_t { kRecord = 0, kXml = 1 };  // EVENTLOGRECORD, or XML as UTF-8

/// The seam: this machine's System log.
class SystemLog {
 public:
  virtual ~SystemLog() = default;
  /// The form of what read_back gives; may change from one call to the next.
  [[nodiscard]] virtual EventForm form() const = 0;
  /// Newest first, until `take` says false. `only_failures`: records of other kinds may be left out.
  virtual NtStatus read_back(bool only_failures, const std::function<bool(std::string_view record)>& take) = 0;
};

inline constexpr std::size_t kMaxShippedEvents = 256;
inline constexpr std::size_t kMaxShippedBytes = 512 << 10;

class EventTail {
 public:
  /// `clock` outlives this.
  EventTail(std::unique_ptr<SystemLog> log, const base::Clock& clock);

  /// Where an earlier run has got to; before the first read.
  void resume(const EventCursor& cursor) { cursor_ = cursor; }
  NtStatus read(std::string& part);

 private:
  struct Look;
  NtStatus look(Look& found);
  NtStatus scan(bool only_failures, std::size_t most, Look& found, bool& finished);

  std::unique_ptr<SystemLog> log_;
  const base::Clock& clock_;
  std::uint64_t origin_;
  std::uint64_t shipped_ = 0;
  std::optional<EventCursor> cursor_;
  std::optional<std::chrono::nanoseconds> looked_at_;
  NtStatus status_ = kStatusOk;
};

/// Bytes of "kmem/events" -> Snapshot::event_log and the kinds that this log could tell. Gives the number of records
/// that were left out or not understood.
[[nodiscard]] base::Result<std::uint64_t> parse_events(std::string_view part, Snapshot& out);

}  // namespace kmem::windows
