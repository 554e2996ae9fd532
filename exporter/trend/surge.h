// STAGE 3, the judgement over minutes, hours and days: what grows now, beyond all that it held before, for longer and
// more steadily than a step or a burst, and towards an end. A surge is no fault: load can do this, too.
// How long to wait follows from what is left. Growth that goes on has by then used up some share of what there was: a
// leak told with 60 % left, 0.67 times what is left; a cache that fills half of the room slows down on the way there.
// Thread: pure functions; no allocation. Failure: too little to say is no surge.
#pragma once

#include <limits>
#include <optional>
#include <span>

#include "exporter/trend/history.h"
#include "exporter/trend/recent.h"

namespace kmem::trend {

inline constexpr double kMinutesPerDay = 1440;
inline constexpr double kSoonDays = 3;  // growth that ends within them ends soon

/// One subject at this moment. Floors: oldest first, NaN where nothing was seen; of the running boot, but for the last two.
struct SurgeView {
  Recent::Lines recent;
  std::span<const float> hours;   // closed ones
  double minutes_of_hour = 0;     // since the last of them ended
  std::span<const float> coarse;  // closed ones of 4 hours, before the boot too
  double minutes_of_coarse = 0;
  std::span<const float> highs;  // by day, the highest floor of a half hour, the open day last; before the boot too
  double minutes_of_day = 0;
  double now = 0;                                           // the newest value
  double left = std::numeric_limits<double>::quiet_NaN();   // until the end; NaN = unknown
  double whole = std::numeric_limits<double>::quiet_NaN();  // what 5 % are of: the limit or the memory
  double least = 0;                                         // growth that matters
  double waits = 1;                                         // times what has to be used: less for what is told already
  bool told = false;                                        // as one that goes on: it is weighed no more
  double known_minutes = 0;                                 // of the running boot, or since it was first seen
};

struct SurgeSigns {
  double pace_per_day = 0;  // over the last third of the growth
  double growth = 0;        // since it began
  double minutes = 0;       // for how long it has grown
  bool ends_soon = false;   // uses up what is left within kSoonDays; else it is 1.5 times what was held before
};
[[nodiscard]] std::optional<SurgeSigns> find_surge(const SurgeView& view);

/// Whether what grows by these signs is a surge of its own within one that has grown by `growth` in so many minutes: newer,
/// and steeper than that was before. Where its end is known it has to be near.
[[nodiscard]] bool is_steeper(const SurgeSigns& signs, double growth, double minutes, bool end_is_known);

/// How fast it grows over the last third of so many minutes, a day, by floors of one width; nullopt where too few were seen.
[[nodiscard]] std::optional<double> present_pace(const SurgeView& view, double minutes);

/// What the hour of the day adds at this moment, by the days before so many minutes ago; 0 where none shows it.
[[nodiscard]] double usual_now(const SurgeView& view, double minutes);

/// Slope of evenly spaced floors, a day; nullopt where fewer than three or less than half were seen.
[[nodiscard]] std::optional<double> slope_per_day(std::span<const float> floors, double minutes_apart);

}  // namespace kmem::trend
