// STAGE 3, the judgement over minutes, hours and days, a second opinion: how much likelier a line is than a cache of half of
// the room, over four days of hours and six hours of quarters, in noise that varies and lasts as the load itself did. It
// takes about a millisecond, so only growth that has used up 0.4 of what is left is weighed.
// Thread: pure functions; no allocation. Failure: too little to say is nullopt.
#pragma once

#include <array>
#include <optional>

#include "exporter/trend/surge.h"

namespace kmem::trend {

inline constexpr double kCacheOfRoom = 0.5;  // a cache takes so much of the room at most; what takes more is told

/// What the hour of the day adds, by the quarter of an hour so long ago, modulo a day.
using UsualQuarters = std::array<double, 96>;

struct Odds {
  double of_line = 0;  // log of how much likelier a line is than what fills, each the mean over all begins and paces
  double growth = 0, minutes = 0, used_over_left = 0;  // of the best line
  double misfit = 0;                                   // about 0.5 to 0.8 where its noise is as the load's was
};
/// `minutes` is about how long it has grown: what is older tells the noise.
[[nodiscard]] std::optional<Odds> weigh(const SurgeView& view, double minutes, const UsualQuarters& usual);

}  // namespace kmem::trend
