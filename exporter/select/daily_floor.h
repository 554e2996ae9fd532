// STAGE 2, inside: the lowest bytes of a tag on each of the last eight days (UTC), and its growth by them. Troughs are
// compared with troughs: a tag that swings by day or bursts has a high peak and a flat floor, a leak lifts its floor.
// Thread: value type. Failure: none; a clock set back is absorbed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "collectors/base/clock.h"

namespace kmem::select {

class DailyFloor {
 public:
  static constexpr std::size_t kDays = 8;
  static constexpr std::uint64_t kNoData = std::numeric_limits<std::uint64_t>::max();

  [[nodiscard]] static std::int32_t day_of(base::UnixMillis time) {
    using base::kDayMillis;
    return static_cast<std::int32_t>(std::clamp<base::UnixMillis>(time / kDayMillis - (time % kDayMillis < 0),
                                                                  std::numeric_limits<std::int32_t>::min(),
                                                                  std::numeric_limits<std::int32_t>::max()));
  }

  DailyFloor() { lowest_.fill(kNoData); }

  /// `was_absent`: the reading before did not list the tag, so it has held nothing in between.
  void note(std::int32_t day, std::uint64_t bytes, bool was_absent) {
    if (!empty() && day > newest_day_) advance(day, was_absent ? 0 : kNoData);
    if (empty()) newest_day_ = day;
    lowest_[0] = std::min({lowest_[0], was_absent ? 0 : bytes, kNoData - 1});
  }

  /// Bytes that the floor of yesterday and today lies above that of the oldest known day, at most a week back. From the
  /// third day on: a shorter look cannot tell a leak from the way up of a daily swing.
  [[nodiscard]] std::uint64_t growth() const {
    if (oldest_ < 2) return 0;
    const std::uint64_t floor = std::min(lowest_[0], lowest_[1]);
    return floor > lowest_[oldest_] ? floor - lowest_[oldest_] : 0;
  }

  /// The clock was set back to `day`: what was noted under later dates happened by then.
  void not_after(std::int32_t day) { newest_day_ = std::min(newest_day_, day); }

  [[nodiscard]] bool empty() const { return lowest_[0] == kNoData; }
  [[nodiscard]] std::int32_t newest_day() const { return newest_day_; }
  [[nodiscard]] const std::array<std::uint64_t, kDays>& lowest() const { return lowest_; }  // [i] = i days before

  static DailyFloor restored(std::int32_t newest_day, const std::array<std::uint64_t, kDays>& lowest) {
    DailyFloor floor;
    floor.newest_day_ = newest_day;
    floor.lowest_ = lowest;
    floor.find_oldest();
    return floor;
  }

 private:
  void advance(std::int32_t day, std::uint64_t between) {
    const auto days = static_cast<std::size_t>(std::min<std::int64_t>(std::int64_t{day} - newest_day_, kDays));
    std::move_backward(lowest_.begin(), lowest_.end() - static_cast<std::ptrdiff_t>(days), lowest_.end());
    std::fill_n(lowest_.begin(), days, between);
    lowest_[0] = kNoData;
    newest_day_ = day;
    find_oldest();
  }

  void find_oldest() {
    oldest_ = kDays - 1;
    while (oldest_ > 0 && lowest_[oldest_] == kNoData) --oldest_;
  }

  std::int32_t newest_day_ = 0;
  std::size_t oldest_ = 0;
  std::array<std::uint64_t, kDays> lowest_;
};

}  // namespace kmem::select
