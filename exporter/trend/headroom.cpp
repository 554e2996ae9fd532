#include "exporter/trend/headroom.h"

#include <algorithm>
#include <bit>
#include <optional>

namespace kmem::trend {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"", "pool_limit", "commit_limit", "available_memory", "fewest_entries"};
constexpr std::array<std::string_view, 5> kWords = {"limit", "pool limit", "commit limit", "available memory",
                                                    "lowest allowed number"};

/// Beyond its limit nothing is left, and no less than that.
double left(std::uint64_t limit, std::uint64_t used) { return used < limit ? static_cast<double>(limit - used) : 0; }

bool is_resident(Pool pool) {
  return pool == Pool::kNonpaged || pool == Pool::kSlabUnreclaimable || pool == Pool::kVmalloc || pool == Pool::kPercpu;
}

std::size_t slot_of(std::int64_t hour) { return static_cast<std::size_t>((hour % 24 + 24) % 24); }

}  // namespace

bool is_charged_to_commit(Pool pool) { return pool == Pool::kPaged || pool == Pool::kNonpaged; }

std::string_view bound_name(Bound bound) { return kNames[static_cast<std::size_t>(bound)]; }
std::string_view bound_words(Bound bound) { return kWords[static_cast<std::size_t>(bound)]; }

std::array<Room, kPoolBounds> headrooms_of(const PoolTotals& pool, const Snapshot& snapshot) {
  std::array<Room, kPoolBounds> rooms;
  if (!pool.bytes || pool.pool == Pool::kSlabReclaimable) return rooms;
  // Recorded histories may know the memory's size and not how large a pool can get.
  std::optional<std::uint64_t> limit;
  if (pool.limit) limit = pool.limit->bytes;
  if (!is_limit(limit) && pool.pool == Pool::kSlabUnreclaimable) limit = snapshot.physical_memory_bytes;
  if (is_limit(limit)) rooms[0] = {left(*limit, *pool.bytes), Bound::kPoolLimit};
  if (is_charged_to_commit(pool.pool) && snapshot.commit_bytes && is_limit(snapshot.commit_limit_bytes))
    rooms[1] = {left(*snapshot.commit_limit_bytes, *snapshot.commit_bytes), Bound::kCommitLimit};
  if (is_resident(pool.pool) && snapshot.available_bytes)
    rooms[2] = {static_cast<double>(*snapshot.available_bytes), Bound::kAvailableMemory};
  return rooms;
}

Room smallest(const std::array<Room, kPoolBounds>& rooms) {
  Room least;
  for (const Room& room : rooms)
    if (room.known() && !(least.amount <= room.amount)) least = room;
  return least;
}

void DayOfRoom::forget() {
  low_.fill(std::numeric_limits<float>::quiet_NaN());
  bound_.fill(Bound::kUnknown);
}

void DayOfRoom::note(std::int64_t hour, Room room) {
  if (hour - newest_hour_ >= kHours) forget();
  for (std::int64_t passed = std::max(newest_hour_ + 1, hour - kHours + 1); passed <= hour; ++passed)
    low_[slot_of(passed)] = std::numeric_limits<float>::quiet_NaN();
  newest_hour_ = std::max(newest_hour_, hour);
  float& low = low_[slot_of(newest_hour_)];
  const auto amount = static_cast<float>(room.amount);
  if (!room.known() || low <= amount) return;
  low = amount;
  bound_[slot_of(newest_hour_)] = room.bound;
}

Room DayOfRoom::least(std::int64_t hour) const {
  Room least;
  for (std::int64_t at = std::max(hour - kHours + 1, newest_hour_ - kHours + 1); at <= newest_hour_; ++at) {
    const auto low = static_cast<double>(low_[slot_of(at)]);
    if (!std::isnan(low) && !(least.amount <= low)) least = {low, bound_[slot_of(at)]};
  }
  return least;
}

void DayOfRoom::save(base::WireWriter& out) const {
  out.fixed(newest_hour_);
  for (std::size_t i = 0; i < low_.size(); ++i) {
    out.fixed(std::bit_cast<std::uint32_t>(low_[i]));
    out.fixed(static_cast<std::uint8_t>(bound_[i]));
  }
}

void DayOfRoom::load(base::WireReader& in, std::int64_t hour) {
  newest_hour_ = in.fixed<std::int64_t>();
  if (newest_hour_ < kNever || newest_hour_ > hour) in.fail();
  for (std::size_t i = 0; i < low_.size(); ++i) {
    low_[i] = std::bit_cast<float>(in.fixed<std::uint32_t>());
    const auto bound = in.fixed<std::uint8_t>();
    if (bound >= kNames.size() || std::isinf(low_[i])) in.fail();
    bound_[i] = bound < kNames.size() ? static_cast<Bound>(bound) : Bound::kUnknown;
  }
}

}  // namespace kmem::trend
