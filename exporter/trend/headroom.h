// STAGE 3, beside the engine: what is left for a pool, and which bound ends it first. A pool ends with its own limit;
// every pool of Windows also with the commit limit; what never leaves physical memory also with available memory.
// On Linux kernel memory is not charged to Committed_AS, so the commit limit ends commit there and no pool.
// Thread: value types and pure functions. Failure: none; what is not known is left out, never 0.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "collectors/base/wire.h"
#include "collectors/snapshot.h"

namespace kmem::trend {

enum class Bound : std::uint8_t { kUnknown, kPoolLimit, kCommitLimit, kAvailableMemory, kFewestEntries };
/// "pool_limit", "commit_limit", "available_memory", "fewest_entries"; empty for kUnknown.
[[nodiscard]] std::string_view bound_name(Bound bound);
/// For people: "pool limit", "commit limit", "available memory", "lowest allowed number".
[[nodiscard]] std::string_view bound_words(Bound bound);

/// How much more a subject can take, in its own unit, before the bound. Negative: it is beyond.
struct Room {
  double amount = std::numeric_limits<double>::quiet_NaN();
  Bound bound = Bound::kUnknown;

  [[nodiscard]] bool known() const { return !std::isnan(amount); }
};

/// Whether what the pool holds is part of commit. Linux charges no kernel memory to Committed_AS.
[[nodiscard]] bool is_charged_to_commit(Pool pool);
/// A source that does not know a limit may say 0.
[[nodiscard]] inline bool is_limit(const std::optional<std::uint64_t>& bytes) { return bytes.value_or(0) > 0; }

inline constexpr std::size_t kPoolBounds = 3;
/// At this moment: pool limit, commit limit, available memory; those that do not count for the pool are not known.
/// Reclaimable slab has none: the kernel takes it back when memory is short.
[[nodiscard]] std::array<Room, kPoolBounds> headrooms_of(const PoolTotals& pool, const Snapshot& snapshot);
[[nodiscard]] Room smallest(const std::array<Room, kPoolBounds>& rooms);

/// The least that was left at any moment of the last day, the running hour included. A projection over days begins
/// there: memory runs out at a peak of load, not at its mean. Available memory swings with caches and bursts, and a
/// value of this moment would flap. A day holds every hour of the daily cycle once. A surge over minutes
/// reckons from this moment instead: what was short last night says nothing of the next hour. A reboot begins anew.
class DayOfRoom {
 public:
  DayOfRoom() { forget(); }
  void note(std::int64_t hour, Room room);
  void forget();
  [[nodiscard]] Room least(std::int64_t hour) const;

  void save(base::WireWriter& out) const;
  /// `hour`: the newest that the history has.
  void load(base::WireReader& in, std::int64_t hour);

 private:
  static constexpr std::int64_t kHours = 24;
  static constexpr std::int64_t kNever = -(std::int64_t{1} << 60);
  std::array<float, kHours> low_{};  // by hour modulo 24; NaN = nothing seen
  std::array<Bound, kHours> bound_{};
  std::int64_t newest_hour_ = kNever;
};

}  // namespace kmem::trend
