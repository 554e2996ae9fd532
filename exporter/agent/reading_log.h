// What the log is told of readings: the kernel that stops or begins to answer, a collector that changes, each once, and
// how often where they go to and fro. Also remembers when each part was read last.
// Thread: none of its own; the caller serialises. Failure: none.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "collectors/base/clock.h"
#include "collectors/base/flapping.h"
#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem {

class ReadingLog {
 public:
  /// Once a reading, at `now` of the steady clock. Where it succeeded, its parts' last_success is filled in.
  void note(const base::Result<void>& read, Snapshot& snapshot, std::chrono::nanoseconds now);
  /// Another source has other parts.
  void forget_parts() { parts_.clear(); }

 private:
  struct Part {
    PartState state = PartState::kOk;
    base::Flapping flapping;
    std::optional<base::UnixMillis> last_success;
  };
  void note_parts(Snapshot& snapshot, std::chrono::nanoseconds now);

  std::string last_error_;  // of the whole source; empty when it answers
  base::Flapping flapping_;
  std::map<std::string, Part, std::less<>> parts_;
};

}  // namespace kmem
