// STAGE 3, inside: the last minutes and hours of every subject: the lowest value of each of 40 minutes and of each of 72
// times five minutes. They lie by time, not by subject, so that the end of a minute writes one run of memory and a tick
// over thousands of subjects stays in the cache. Fives whose minutes are all there yet are worked out from these.
// NaN = nothing seen.
// Thread: value type. Failure: none; load() of anything but its own bytes fails the reader.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/wire.h"

namespace kmem::trend {

class Recent {
 public:
  static constexpr std::size_t kMinutes = 40;
  static constexpr std::size_t kFives = 72;
  static constexpr std::int64_t kMinuteMs = base::kMinuteMillis, kFiveMs = 5 * kMinuteMs;

  /// Oldest first; the last one is the open one.
  struct Lines {
    std::array<float, kMinutes + 1> minutes;
    std::array<float, kFives + 1> fives;
  };

  void add_subject();
  void clear_subject(std::size_t slot);
  /// After a reboot: what was before it is no begin of what comes.
  void clear();
  /// Closes what has ended by the given moment. Never goes back.
  void advance(std::int64_t at_ms);
  void note(std::size_t slot, float value) {
    float& low = open_[slot];
    if (!(low <= value)) low = value;  // also when it is NaN
  }
  void set(std::size_t slot, float value) { open_[slot] = value; }
  [[nodiscard]] Lines lines(std::size_t slot) const;
  /// The highest floor of a half hour since the last take; NaN where none was seen whole.
  [[nodiscard]] float take_high(std::size_t slot);

  /// Written as the head, and then every column by its number: minutes, fives, the open minute, five and half hour, highs.
  static constexpr std::size_t kSavedColumns = kMinutes + kFives + 4;
  static constexpr std::size_t kSavedBytesPerSubject = kSavedColumns * sizeof(float);
  void save_head(base::WireWriter& out) const;
  void save_column(base::WireWriter& out, std::size_t number) const;
  void load(base::WireReader& in, std::size_t subjects, std::int64_t now_ms);

 private:
  [[nodiscard]] float* column(std::size_t at) { return columns_.data() + at * room_; }
  [[nodiscard]] const float* column(std::size_t at) const { return columns_.data() + at * room_; }
  void empty(std::size_t at);
  /// The lowest of each subject in the minutes [from, to), which the ring has.
  void lowest_of(std::int64_t from, std::int64_t to, float* low) const;
  void keep_five(std::int64_t five);

  std::size_t count_ = 0, room_ = 0;  // subjects, and for how many there is room in a column
  std::int64_t minute_ = 0;           // the open one
  bool started_ = false;
  static constexpr std::size_t kFivesInMinutes = 7;  // the newest closed ones, whatever minute of a five is open
  static_assert(kFivesInMinutes * 5 + 4 <= kMinutes);
  static constexpr std::size_t kFivesKept = kFives - kFivesInMinutes;

  std::vector<float> columns_;                        // kMinutes of minutes, then kFivesKept of fives, each `room_` long
  std::array<bool, kMinutes + kFivesKept> filled_{};  // by column: anything was seen
  std::vector<float> open_;                           // of the open minute
  std::vector<float> high_;                           // of the closed half hours since the last take
};

}  // namespace kmem::trend
