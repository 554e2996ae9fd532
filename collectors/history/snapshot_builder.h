// Rows of a recording -> one Snapshot: no (pool, tag) twice, dead tags left out, at most kMaxRows of each kind.
// Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/history/key_set.h"
#include "collectors/snapshot.h"

namespace kmem::history {

inline constexpr std::size_t kMaxRows = 65'536;
/// Above it a count is none of a kernel's 32 bits.
inline constexpr std::uint64_t kMaxU32 = std::numeric_limits<std::uint32_t>::max();

/// Values that two recordings of one time do not agree on.
struct Contradictions {
  std::uint64_t count = 0;
  std::string subject, used, other;  // of the first one: nonpaged "Leak", 64, 96
};

class SnapshotBuilder {
 public:
  /// nullptr, or why the row was left out.
  const char* add(TagUsage&& row);
  const char* add(ProcessUsage&& row);
  const char* add(SessionTagUsage&& row);
  [[nodiscard]] bool has(Pool pool, const std::string& tag) const { return seen_tags_.contains(tag_key(pool, tag)); }
  [[nodiscard]] bool has_process(std::uint64_t pid) const { return seen_processes_.contains(pid); }
  /// The pool's totals, made if needed.
  [[nodiscard]] PoolTotals& totals(Pool pool);
  /// What is not there yet is taken over; false when some of it was there already, with the same value or another.
  bool merge(Snapshot&& other, Contradictions* contradictions = nullptr);

  [[nodiscard]] Snapshot& snapshot() { return snapshot_; }
  [[nodiscard]] const Snapshot& snapshot() const { return snapshot_; }
  /// Gives it away and begins an empty one.
  [[nodiscard]] Snapshot take();

 private:
  Snapshot snapshot_;
  KeySet seen_tags_;
  KeySet seen_processes_;
  std::set<std::pair<std::uint32_t, std::uint64_t>> seen_session_tags_;
};

/// Live allocations by the kernel's counters. Of 32 bits each they wrap; more frees than allocations otherwise (what
/// was allocated under another tag) are none alive.
[[nodiscard]] std::uint64_t live_allocations(std::uint64_t allocations, std::uint64_t frees);

/// Fills the row's counters and what is alive by them.
void set_counters(TagUsage& row, std::uint64_t allocations, std::uint64_t frees);

}  // namespace kmem::history
