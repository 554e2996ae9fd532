#include "exporter/select/pool_members.h"

#include <algorithm>

namespace kmem::select {
namespace {

// Suspects may pass the budget, so the list of the departed needs a bound of its own, in caps.
constexpr std::size_t kMaxDepartedCaps = 8;
constexpr std::uint32_t kNoRank = 0xFFFF'FFFF;

}  // namespace

void PoolMembers::revise(TagTable& table, const Rules& rules, base::UnixMillis now, std::uint64_t tick,
                         std::span<const std::uint32_t> forced, std::span<const std::uint32_t> candidates) {
  std::erase_if(departed_, [&](const Departed& gone) { return elapsed(gone.at, now) >= kBudgetSpan; });

  for (const std::uint32_t slot : forced) table[slot].forced_tick = tick;
  for (Seat& seat : seats_) {
    const TagRecord& record = table[seat.slot];
    seat.forced = record.forced_tick == tick;
    if (seat.forced || record.held_tick == tick || (rules.all && record.seen_tick == tick)) seat.last_held = now;
  }
  for (std::size_t i = seats_.size(); i-- > 0;) {
    if (!seats_[i].forced && elapsed(seats_[i].last_held, now) >= rules.dwell) free_seat(table, i, now);
  }

  trim(table, rules.cap, tick);

  for (const std::uint32_t slot : forced) {
    if (table[slot].member || table[slot].seen_tick != tick) continue;
    if (seats_.size() >= rules.cap && displace_weakest(table, now, tick) == FlatIndex::kNone) break;
    admit(table, slot, now, true);
  }
  for (const std::uint32_t slot : candidates) {
    const TagRecord& record = table[slot];
    if (record.member || (!rules.all && !within_budget(record.key, rules.cap))) continue;
    if (seats_.size() >= rules.cap) {
      if (elapsed(record.ranked_since, now) < kSettle) continue;
      if (displace_weakest(table, now, tick, kSettle) == FlatIndex::kNone) break;
    }
    admit(table, slot, now, false);
  }
  // In the mode that exports all there is no budget to account for.
  const std::size_t most = rules.all ? 0 : rules.cap * kMaxDepartedCaps;
  if (departed_.size() > most) departed_.erase(departed_.begin(), departed_.end() - static_cast<std::ptrdiff_t>(most));
}

void PoolMembers::admit(TagTable& table, std::uint32_t slot, base::UnixMillis now, bool forced) {
  std::erase_if(departed_, [&](const Departed& gone) { return gone.key == table[slot].key; });
  table[slot].member = true;
  Seat seat;
  seat.slot = slot;
  seat.admitted = seat.last_held = now;
  seat.forced = forced;
  seats_.push_back(seat);
}

void PoolMembers::free_seat(TagTable& table, std::size_t seat, base::UnixMillis now) {
  TagRecord& record = table[seats_[seat].slot];
  record.member = false;
  departed_.push_back({record.key, now});
  seats_.erase(seats_.begin() + static_cast<std::ptrdiff_t>(seat));
}

bool PoolMembers::within_budget(std::uint64_t key, std::size_t cap) const {
  return seats_.size() + departed_.size() < 2 * cap ||
         std::any_of(departed_.begin(), departed_.end(), [&](const Departed& gone) { return gone.key == key; });
}

// Longest out of rank; then, among those that hold one at this tick, the worst rank; then the smallest; then by key.
bool PoolMembers::weaker(const TagTable& table, std::uint64_t tick, const Seat& a, const Seat& b) {
  if (a.forced != b.forced) return b.forced;
  if (a.last_held != b.last_held) return a.last_held < b.last_held;
  const TagRecord& left = table[a.slot];
  const TagRecord& right = table[b.slot];
  const auto rank = [&](const TagRecord& record) { return record.held_tick == tick ? record.best_rank : kNoRank; };
  if (rank(left) != rank(right)) return rank(left) > rank(right);
  if (left.bytes != right.bytes) return left.bytes < right.bytes;
  return left.key > right.key;
}

std::uint32_t PoolMembers::displace_weakest(TagTable& table, base::UnixMillis now, std::uint64_t tick,
                                            base::UnixMillis out_for) {
  const auto weakest =
      std::min_element(seats_.begin(), seats_.end(), [&](const Seat& a, const Seat& b) { return weaker(table, tick, a, b); });
  if (weakest == seats_.end() || weakest->forced || elapsed(weakest->last_held, now) < out_for) { return FlatIndex::kNone; }
  const std::uint32_t slot = weakest->slot;
  free_seat(table, static_cast<std::size_t>(weakest - seats_.begin()), now);
  ++evictions_total_;
  return slot;
}

void PoolMembers::evict(TagTable& table, std::uint32_t slot, base::UnixMillis now) {
  const auto seat = std::find_if(seats_.begin(), seats_.end(), [&](const Seat& each) { return each.slot == slot; });
  if (seat == seats_.end()) return;
  free_seat(table, static_cast<std::size_t>(seat - seats_.begin()), now);
  ++evictions_total_;
}

void PoolMembers::trim(TagTable& table, std::size_t cap, std::uint64_t tick) {
  if (seats_.size() <= cap) return;
  std::vector<Seat> by_weakness = seats_;
  const auto stays = by_weakness.begin() + static_cast<std::ptrdiff_t>(seats_.size() - cap);
  std::sort(by_weakness.begin(), by_weakness.end(), [&](const Seat& a, const Seat& b) { return weaker(table, tick, a, b); });
  std::for_each(by_weakness.begin(), stays, [&](const Seat& seat) { table[seat.slot].member = false; });
  std::erase_if(seats_, [&](const Seat& seat) { return !table[seat.slot].member; });
  evictions_total_ += by_weakness.size() - cap;
}

void PoolMembers::clock_was_set(std::int64_t step_ms) {
  for (Seat& seat : seats_) {
    move_time(seat.admitted, step_ms);
    move_time(seat.last_held, step_ms);
  }
  for (Departed& gone : departed_) move_time(gone.at, step_ms);
}

void PoolMembers::not_after(base::UnixMillis now) {
  for (Seat& seat : seats_) {
    seat.admitted = std::min(seat.admitted, now);
    seat.last_held = std::min(seat.last_held, now);
  }
  for (Departed& gone : departed_) gone.at = std::min(gone.at, now);
}

}  // namespace kmem::select
