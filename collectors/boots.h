// STAGE 1 to 2: the one component that says which boot a reading belongs to. It is asked once a reading, and trend,
// selection, rates, the failure log and top all get that answer: a reboot is one for all of them or for none.
// By boot times where the reading has one (base/boot_clock.h). Else by the kernel's counters of allocations, which only
// a boot begins anew: most of them fell together (one that wraps is none, nor are tags that vanished). Where nothing is
// counted, as on Linux, by memory: two tags of three and the whole far below what they held; where there are few tags or
// totals alone, nearly all of them. That is a guess, and how_words() says what was used.
// Thread: none of its own; the caller serialises. Failure: none; what nothing tells of is one boot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/boot_clock.h"
#include "collectors/snapshot.h"

namespace kmem {

struct Boot {
  base::BootReading reading;                     // whose number tells boots apart
  bool is_new = false;                           // began since the reading before, or since what was kept
  std::optional<base::UnixMillis> start;         // its boot time; where none is given, about when an inferred one began
  std::optional<std::uint64_t> system_ptes_max;  // most that were free in it
};
/// A reading that nobody has placed: its times alone speak.
[[nodiscard]] inline Boot untold_boot(const Snapshot& snapshot) {
  return {{snapshot.time, snapshot.boot_time}, false, snapshot.boot_time, snapshot.system_ptes_free};
}

class Boots {
 public:
  /// Goes on after what an earlier run has kept: the last reading, and the most free PTEs of its boot.
  void resume(const base::BootReading& last, std::optional<std::uint64_t> system_ptes_max);

  /// `live`: read by this process from the kernel that it runs on.
  const Boot& note(const Snapshot& snapshot, bool live = false);
  [[nodiscard]] const Boot& now() const { return boot_; }

  /// Nothing in the history can show a reboot: what grows may have been given back by one.
  [[nodiscard]] bool is_blind() const;
  /// What told the boots of a history without boot times: "" where none was needed.
  [[nodiscard]] std::string how_words() const;

 private:
  struct Held {
    std::uint64_t key = 0;
    std::uint64_t amount = 0;  // allocations so far, or bytes
  };
  [[nodiscard]] bool counters_fell(const Snapshot& snapshot);
  [[nodiscard]] bool memory_fell(const Snapshot& snapshot);

  base::BootClock clock_;
  Boot boot_;
  bool was_live_ = false;
  std::vector<Held> counters_, bytes_, totals_, fresh_;  // of the reading before, by key
  std::optional<base::UnixMillis> last_time_;
  std::int64_t interval_ms_ = 0;  // between the two readings before
  std::optional<base::UnixMillis> inferred_at_;
  std::uint64_t by_counters_ = 0, by_memory_ = 0, timed_ = 0, untimed_ = 0;
  bool counted_ = false;
  std::size_t most_compared_ = 0;  // tags of which the memory told, at most
};

}  // namespace kmem
