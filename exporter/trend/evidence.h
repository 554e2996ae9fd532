// STAGE 3, helper of the judgement: the signs of growth in one subject's floors -> how much they speak for a leak.
// Evidence is a sum: each sign adds what its curve says of it. The curves are fitted to simulated histories, so that
// leaks are found in time and the fewest of what is none passes for one (tests/exporter/trend/sim). Most can only rise
// or only fall, so that a stronger sign never counts less, however far it lies from what they were fitted to.
// Thread: pure function; no allocation.
#pragma once

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

/// From 0 on: a leak. About -10 to 5.
[[nodiscard]] double evidence_of(const Signs& signs);

}  // namespace kmem::trend
