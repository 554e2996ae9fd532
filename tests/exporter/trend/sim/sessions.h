// The noise of a third generator, of which nothing was fitted or chosen: memory that sessions hold. They come as a
// Poisson process whose rate follows the day and the week, stay for log-normal times and hold log-normal amounts, so
// that cycles, autocorrelation and tails are what such a load has and are drawn nowhere. Besides: a nightly backup,
// a service that restarts once a week, bursts. Growth may follow the work that is done instead of the clock.
// Thread: value types.
#pragma once

#include <vector>

#include "tests/exporter/trend/sim/generator.h"

namespace kmem::trend::sim {

class Sessions {
 public:
  Sessions(Random& random, double step_minutes);
  /// Levels to add at the given day; to be asked once a step.
  double next(double day);
  /// Days of work done by then: as many as days over a week, more of them at noon than at night.
  [[nodiscard]] double worked(double day) const;

 private:
  [[nodiscard]] double rate(double day) const;  // 1 on average
  [[nodiscard]] int arrivals(double expected);

  Random& random_;
  double step_days_, share_, alive_, spread_, stay_days_, stay_spread_, day_swing_, weekend_, noon_, phase_days_;
  double backup_ = 0, backup_at_ = 0, backup_days_ = 0;
  double restart_ = 0, restart_at_ = 0, regained_days_ = 0;
  double bursts_a_day_, burst_size_, burst_days_, burst_ = 0;
  bool by_work_;
  std::vector<double> ends_;  // what is given back in which of the coming steps
  std::size_t step_ = 0;
  double held_ = 0;
};

}  // namespace kmem::trend::sim
