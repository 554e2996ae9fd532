// STAGE 3, the judgement: floors of one subject within one boot -> how fast it grows and whether that is a leak.
// A leak is growth that is large enough, lasts, and stands out of its own noise (autocorrelation counted). It is not made
// of one or two jumps, does not slow down, and goes beyond all that was seen before. evidence.h weighs those signs.
// Thread: pure functions; no allocation. Failure: too little to say gives score 0.
#pragma once

#include <limits>
#include <optional>
#include <span>

#include "exporter/trend/evidence.h"

namespace kmem::trend {

inline constexpr int kBucketsPerDay = 6;  // a floor every 4 hours
inline constexpr int kHistoryDays = 56;
inline constexpr int kCoarseBuckets = kHistoryDays * kBucketsPerDay;

struct EstimatorOptions {
  double min_per_day = 32.0 * 1024;                         // less is no leak
  double limit = std::numeric_limits<double>::quiet_NaN();  // where it runs out: fast growth close to it cannot wait
  bool young_boot = false;                                  // not long after a reboot: a warm-up is likelier than elsewhere
  double told_days_ago = 0;                                 // the begin that was told before; 0 = none
};

struct Assessment {
  double slope_per_day = 0;
  double slope_error_per_day = 0;  // one standard error
  double onset_days_ago = 0;       // where the growth begins, before the end of the floors
  double level = 0;                // fitted floor at the end
  double leak_score = 0;           // >= 1: a leak, and by 0.1 more for each point of evidence beyond
  double watch_score = 0;          // the same for a watch
  std::optional<Signs> signs;      // what was weighed, where there was enough growth for that
  double strength = 0;             // 1 = just enough for a leak; e times that for every two points of evidence
  double rest_days = 0;            // since the rise has clearly been over; 0: it goes on, or that is not sure
  bool other_begin = false;        // than was told, clearly; never of what rests
};

/// The newest part of growth whose pace has changed.
struct Lately {
  double slope_per_day = 0;
  double slope_error_per_day = 0;  // one standard error
  bool stands = false;             // it has clearly not grown any more for more than a week
  bool gradual = false;            // a course that bends fits as well: what the pace is now is not sure
};
/// floors: from the begin of the growth on. nullopt: it goes on as it always did, as far as that can be said.
[[nodiscard]] std::optional<Lately> changed_pace(std::span<const float> floors);

/// Growth of days or weeks that is over and of which nothing was given back.
struct EndedRise {
  double growth = 0, days = 0;
  double rest_days = 0;     // since it ended
  double level = 0;         // since then
  double high = 0;          // before it
  bool from_begin = false;  // of what is known: what was before it was not seen
};
/// floors: as below. nullopt: it goes on, or nothing grew, or not clearly.
[[nodiscard]] std::optional<EndedRise> ended_rise(std::span<const float> floors);

/// floors: oldest first, NaN where nothing was seen; the last one closes the newest bucket.
[[nodiscard]] Assessment assess(std::span<const float> floors, const EstimatorOptions& options);

}  // namespace kmem::trend
