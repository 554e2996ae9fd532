// STAGE 3, beside the judgement: growth that is given back and comes again within one boot, as a leak does whose service
// restarts now and then. It says no more than what is seen: a cache that is trimmed looks the same. So it is no verdict,
// and is told where nothing else is.
// Thread: pure functions; no allocation. Failure: nullopt.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace kmem::trend {

struct Falls {
  std::size_t count = 0;     // that gave the growth back; 0: there is none, the last weeks alone are a leak's
  double given_back = 0;     // by the newest of them
  double growth = 0;         // since then
  double days = 0;           // since then, before the end of the floors
  double slope_per_day = 0;  // of now: since the newest fall, or, where that is too short, of what they have in common
  double peak = 0;           // of the peaks: the newest
  double peak_days = 0;      // since then
  bool of_peaks = false;     // growth is that of the highest of each week, over `days`
  bool by_day = false;       // of the peaks: of those of each day or working day
  double rest_days = 0;      // since it ended and was held: no growth of now
  bool again = false;        // one straight rise, behind a fall or a rest that an earlier one had come to
};

/// floors: of one boot, oldest first, NaN where nothing was seen; the last one closes the newest bucket. Told of growth that
/// goes on now, as before each fall.
[[nodiscard]] std::optional<Falls> find_falls(std::span<const float> floors, double min_per_day);

/// The newest rise alone, of seven days or more: straight, behind a sudden fall or a rest, and not the first one. Neither its
/// pace nor what it began from has to be that of the one before.
[[nodiscard]] std::optional<Falls> find_newest_rise(std::span<const float> floors, double min_per_day);

/// Where the peaks of each day, or of each working day, grow from one to the next for ten days or more, above floors that do
/// not. least: of that growth. highs and floors as below.
[[nodiscard]] std::optional<Falls> find_fast_peaks(std::span<const float> highs, std::span<const float> floors, double least);

/// Where the peaks of load grow from week to week above floors that do not: memory ends at a peak. highs: the highest of each
/// whole day of one boot, oldest first; floors as above, of the same days.
[[nodiscard]] std::optional<Falls> find_rising_peaks(std::span<const float> highs, std::span<const float> floors,
                                                     double min_per_day);

}  // namespace kmem::trend
