// STAGE 6 in, of the page: the kernel's allocation counters of two ticks -> allocations a second of every tag.
// Thread: none of its own; the caller serialises. Failure: none; a tag that was not there before, or whose kernel keeps
// no counter, has no rate.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "collectors/boots.h"
#include "collectors/snapshot.h"

namespace kmem::page {

class Rates {
 public:
  /// At every tick.
  void note(const Snapshot& snapshot, const Boot& boot);
  void note(const Snapshot& snapshot) { note(snapshot, untold_boot(snapshot)); }
  /// `key` as TagUsage's.
  [[nodiscard]] std::optional<double> per_second(std::uint64_t key) const;

 private:
  struct Counted {
    std::uint64_t key = 0;
    std::uint64_t allocations = 0;
    float per_second = -1;  // not known
    std::uint8_t bits = 0;  // of the counter
  };
  std::vector<Counted> counted_, fresh_;  // by key
  base::UnixMillis time_ = 0;
  base::BootClock boot_clock_;
};

}  // namespace kmem::page
