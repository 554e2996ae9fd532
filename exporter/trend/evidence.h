// STAGE 3, helper of the judgement: the signs of growth in one subject's floors -> how much they speak for a leak.
// Evidence is a sum: each sign adds what its curve says of it. The curves are fitted to simulated histories, so that
// leaks are found in time and the fewest of what is none passes for one (tests/exporter/trend/sim/fit.cpp). Most can
// only rise or only fall, so that a stronger sign never counts less, however far it lies from what they were fitted to.
// Thread: pure functions; no allocation.
#pragma once

#include <array>
#include <cstddef>

namespace kmem::trend {

struct Signs {
  double span_days = 0;      // how long it has grown
  double known_days = 0;     // how many days of floors there are in all
  bool after_quiet = false;  // began after a quiet time or a reboot; else it has grown for as long as anything is known
  double rate = 0;           // of the level, a day
  double clear = 0;          // slope over its error
  double beyond_walk = 0;    // growth over what a random walk of the same roughness does
  double unjumped = 0;       // share of the growth that is left when the two largest jumps are taken out
  double bend = 0;           // change of the slope over the span, as a share of the slope
  double bend_error = 0;     // one standard error of that
  double above_past = 0;     // how far it went beyond what was seen before it, over 0.3 of the growth
  double ended = 0;          // log of how much worse it fits than growth that came to an end, by the squares
  double rise_days = 0;      // how long that growth took
};

/// Evidence at the knots of evidence.cpp; straight between them, level beyond the outermost.
struct Curves {
  using Age = std::array<std::array<double, 7>, 7>;    // by days of growth, by rate
  using Bends = std::array<std::array<double, 4>, 6>;  // by the bend over its error, by days of growth
  Age age, age_after_quiet;
  Bends bends, bends_after_quiet;
  std::array<double, 8> clear, beyond_walk, unjumped, bend;
  std::array<double, 7> above_past;
  std::array<double, 8> ended, rise_days, known_days;
};

/// A knot next to what the signs are, and how much of its value counts: the evidence is the sum of value x weight.
struct Knot {
  const double* value;
  double weight;
};
[[nodiscard]] std::array<Knot, 24> knots_of(const Curves& curves, const Signs& signs);

[[nodiscard]] const Curves& fitted_curves();
/// From 0 on: a leak. About -10 to 5.
[[nodiscard]] double evidence_of(const Signs& signs);

}  // namespace kmem::trend
