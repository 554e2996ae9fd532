// STAGE 2, inside: which tags of one pool are exported (the narrow half of selection), and the rules by which they
// come and go. Seats are in order of admission. The cap holds after every call; a tag that has a seat keeps it until it
// was out of twice every rank for the whole dwell, or a stronger claim finds the pool full.
// Thread: one writer. Failure: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "collectors/base/clock.h"
#include "exporter/select/counter_widener.h"
#include "exporter/select/tag_table.h"

namespace kmem::select {

struct Seat {
  std::uint32_t slot = FlatIndex::kNone;  // in TagTable
  base::UnixMillis admitted = 0;
  base::UnixMillis last_held = 0;  // last within twice a rank's limit, or forced
  bool forced = false;             // by `include` or suspicion, as of the last tick
  bool rebooted = false;           // since the counters were last read
  CounterWidener allocations;
  CounterWidener frees;
  // the latest reading
  bool present = false;
  std::uint64_t bytes = 0;
  std::uint64_t outstanding = 0;
};

class PoolMembers {
 public:
  struct Rules {
    std::size_t cap = 0;
    base::UnixMillis dwell = 0;
    bool all = false;  // every live tag is a member; no budget
  };
  struct Departed {
    std::uint64_t key = 0;
    base::UnixMillis at = 0;
  };

  /// A newcomer to a full pool, and the member that has to go for it, both show for this long that they mean it.
  static constexpr base::UnixMillis kSettle = base::kDayMillis;
  /// Within any such span at most twice the cap of distinct tags are exported, forced ones aside.
  static constexpr base::UnixMillis kBudgetSpan = 56 * kSettle;

  /// `forced` in order of precedence; `candidates` (in a rank, unforced ones too) strongest first.
  void revise(TagTable& table, const Rules& rules, base::UnixMillis now, std::uint64_t tick,
              std::span<const std::uint32_t> forced, std::span<const std::uint32_t> candidates);

  /// Frees the weakest seat that is not forced, counts an eviction and tells the slot; kNone when there is none.
  std::uint32_t displace_weakest(TagTable& table, base::UnixMillis now, std::uint64_t tick, base::UnixMillis out_for = 0);
  /// The seat of `slot` is freed and counted as an eviction.
  void evict(TagTable& table, std::uint32_t slot, base::UnixMillis now);
  /// For a cap that was lowered: the weakest go, forced ones last. Evictions, but no tag's own doing, so they leave the budget
  /// alone. Between two runs nobody has a rank.
  static constexpr std::uint64_t kNoTick = 0xFFFF'FFFF'FFFF'FFFF;
  void trim(TagTable& table, std::size_t cap, std::uint64_t tick = kNoTick);
  /// No time of before is later than now.
  void not_after(base::UnixMillis now);
  void clock_was_set(std::int64_t step_ms);

  [[nodiscard]] std::vector<Seat>& seats() { return seats_; }
  [[nodiscard]] const std::vector<Seat>& seats() const { return seats_; }
  [[nodiscard]] std::vector<Departed>& departed() { return departed_; }
  [[nodiscard]] const std::vector<Departed>& departed() const { return departed_; }
  [[nodiscard]] std::uint64_t evictions_total() const { return evictions_total_; }
  void restore_evictions(std::uint64_t total) { evictions_total_ = total; }

 private:
  void admit(TagTable& table, std::uint32_t slot, base::UnixMillis now, bool forced);
  void free_seat(TagTable& table, std::size_t seat, base::UnixMillis now);
  [[nodiscard]] static bool weaker(const TagTable& table, std::uint64_t tick, const Seat& a, const Seat& b);
  [[nodiscard]] bool within_budget(std::uint64_t key, std::size_t cap) const;

  std::vector<Seat> seats_;
  std::vector<Departed> departed_;  // exported within kBudgetSpan and not now, oldest first
  std::uint64_t evictions_total_ = 0;
};

}  // namespace kmem::select
