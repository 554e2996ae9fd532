// STAGE 3, helper of the judgement: 4-hourly floors -> floors of whole days counted back from the end, so that every
// day holds every hour of the day once; and the day-of-week pattern taken out where there is enough history. Where most
// days were seen in part only (somebody looks once a day, or in office hours), the same hours of each are compared, and
// what a day lacks in looks its neighbours give.
// Thread: pure functions; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "exporter/trend/estimator.h"

namespace kmem::trend {

struct Points {
  std::array<double, kHistoryDays> x{};  // days; the newest whole day has x = kHistoryDays - 1
  std::array<double, kHistoryDays> y{};
  std::size_t count = 0;
  double spacing = 1;  // days from one to the next on average; 1 where most days were seen whole
  double seen = 1;     // share of the time from the first to the last that was seen; 1 where most days were seen whole

  [[nodiscard]] double span_days() const { return count < 2 ? 0 : x[count - 1] - x[0]; }
};

/// The mean of the lowest 4 of a day's 6 floors; NaN where fewer were seen.
[[nodiscard]] double day_floor(std::span<const float> buckets);
/// NaN where nothing was seen.
[[nodiscard]] double lowest_of(std::span<const float> floors);
[[nodiscard]] Points daily_floors(std::span<const float> floors);
void remove_weekly_cycle(Points& points);

/// Reorders the values. Mean of the middle two when there is an even number; 0 when empty.
[[nodiscard]] double median(std::span<double> values);
[[nodiscard]] double quantile(std::span<double> values, double share);

struct Line {
  double slope = 0;
  double intercept = 0;  // at x = 0
  double error = 0;      // of the slope, autocorrelation counted
  double sigma = 0;      // residuals
  double bend = 0;       // change of slope from begin to end of the span, by a parabola
  double bend_error = 0;
  double squares = 0;      // that the parabola leaves
  double correlation = 0;  // of what it leaves, from one to the next
};
/// Needs 4 points or more.
[[nodiscard]] Line fit_line(std::span<const double> x, std::span<const double> y);
/// Theil-Sen.
[[nodiscard]] double median_slope(std::span<const double> x, std::span<const double> y);

}  // namespace kmem::trend
