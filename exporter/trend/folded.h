// STAGE 3, the judgement over reboots: floors of several boots -> growth with uptime that every boot clears. A leak
// when growth explains the floors of all boots better than a warm-up after each and a pattern of the week do without.
// Weekly reboots hide which part of a rise is the week's and which is uptime's, so patterns are tried by their shape.
// Thread: pure functions; no allocation.
#pragma once

#include <cstddef>
#include <span>

#include "exporter/trend/estimator.h"

namespace kmem::trend {

// Fewer say nothing.
inline constexpr std::size_t kFewestBoots = 3;
inline constexpr double kFewestDaysOfABoot = 4, kFewestDaysInAll = 28;

/// One boot's floors. The first bucket begins first_age_days after the boot.
struct BootFloors {
  std::span<const float> floors;
  double first_age_days = 0;
  std::size_t first_bucket = 0;  // on the calendar: buckets since a common beginning
};

/// boots: oldest first.
[[nodiscard]] Assessment assess_boots(std::span<const BootFloors> boots, const EstimatorOptions& options);

}  // namespace kmem::trend
