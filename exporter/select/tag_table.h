// STAGE 2, inside: every tag that is followed, exported or not (the wide half of selection). Slots are stable while a
// record lives. At most `limit` records; who goes when it is full is decided in tracked_set.cpp.
// Thread: one writer. Failure: insert() asks for room first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/flat_index.h"
#include "collectors/snapshot.h"
#include "exporter/select/daily_floor.h"

namespace kmem::select {

using base::FlatIndex;

inline constexpr base::UnixMillis kNever = std::numeric_limits<base::UnixMillis>::min();

/// A time of before, by a clock that was set since: intervals stay as long as they were.
constexpr void move_time(base::UnixMillis& time, std::int64_t step_ms) {
  constexpr base::UnixMillis kFarthest = base::UnixMillis{1} << 60;
  if (time != kNever) time = std::clamp(time, -kFarthest, kFarthest) + std::clamp(step_ms, -kFarthest, kFarthest);
}

/// later - earlier, whatever a clock or a state file claims.
[[nodiscard]] inline base::UnixMillis elapsed(base::UnixMillis earlier, base::UnixMillis later) {
  if (later <= earlier) return 0;
  const auto difference = static_cast<std::uint64_t>(later) - static_cast<std::uint64_t>(earlier);
  return static_cast<base::UnixMillis>(std::min<std::uint64_t>(difference, std::numeric_limits<base::UnixMillis>::max()));
}

struct TagRecord {
  std::uint64_t key = 0;
  Pool pool = Pool::kPaged;
  bool used = false;
  bool member = false;
  std::string tag;
  std::uint64_t bytes = 0;  // when last seen
  base::UnixMillis last_seen = kNever;
  base::UnixMillis ranked_since = kNever;  // entered a rank then, and within twice its limit ever since
  DailyFloor floor;
  // Marks of the tick (update) that bears the number; never saved.
  std::uint64_t seen_tick = 0;
  std::uint64_t held_tick = 0;     // within twice the limit of some rank
  std::uint64_t entered_tick = 0;  // within the limit
  std::uint64_t forced_tick = 0;   // by `include` or suspicion
  std::uint32_t best_rank = 0;     // over bytes, outstanding and growth; 0 is best
};

class TagTable {
 public:
  explicit TagTable(std::size_t limit) : limit_(limit) {}

  [[nodiscard]] std::uint32_t find(Pool pool, std::uint64_t key, std::string_view tag) const {
    return index_.find(key, [&](std::uint32_t slot) {
      const TagRecord& record = records_[slot];
      return record.key == key && record.used && record.pool == pool && record.tag == tag;
    });
  }
  [[nodiscard]] bool full() const { return size_ >= limit_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t limit() const { return limit_; }

  /// Wants !full() and the tag not to be there.
  std::uint32_t insert(Pool pool, std::uint64_t key, std::string_view tag);
  /// The slot becomes free. Its index entry stays, without effect, until reindex(): call that after a batch.
  void erase(std::uint32_t slot);
  void reindex();

  [[nodiscard]] TagRecord& operator[](std::uint32_t slot) { return records_[slot]; }
  [[nodiscard]] const TagRecord& operator[](std::uint32_t slot) const { return records_[slot]; }
  /// All slots, also free ones (used is false).
  [[nodiscard]] std::vector<TagRecord>& records() { return records_; }
  [[nodiscard]] const std::vector<TagRecord>& records() const { return records_; }

 private:
  std::size_t limit_;
  std::size_t size_ = 0;
  std::vector<TagRecord> records_;
  std::vector<std::uint32_t> free_;
  FlatIndex index_;
};

}  // namespace kmem::select
