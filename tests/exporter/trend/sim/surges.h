// Histories by the minute for the search for surges: what runs out within minutes to days, what only looks like it, and
// hosts of many calm tags. Samples come one by one, so that weeks by the minute need no memory. Same run, same history.
// Thread: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "tests/exporter/trend/sim/generator.h"

namespace kmem::trend::sim {

struct Minutes {
  double days = 0;         // how long it is
  double onset_days = -1;  // of growth that is to be told; -1 = none is
  double end_days = -1;    // when that would use up everything; -1 = no end near
  double limit_bytes = 0;
  double boot_days = -30;                   // the last boot, from the first sample
  std::function<double(double day)> shape;  // bytes over the level
  double note = 0;
};

struct MinutesForm {
  std::string_view name;
  double most_percent_told = 100;  // of what is to stay quiet
  double fewest_percent_told = 0;  // of what is to be told in time ...
  double least_left_percent = 0;   // ... while so much of the time is left, or ...
  double within_days = 0;          // ... so soon after it began
  Minutes (*make)(Random& random, double level);
};
[[nodiscard]] std::span<const MinutesForm> minute_forms();

// How much the load varies by itself, of what it leaves of the limit: below these, and above.
inline constexpr std::array kSpreads = {0.01, 0.03, 0.06};
struct MinutesScore {
  struct Part {
    int runs = 0, told = 0;
  };
  std::array<Part, kSpreads.size() + 1> by_spread{};
  double told_percent = 0;
  double left_percent_of_worst_tenth = 0, left_percent_median = 0, days_median = 0;
};
[[nodiscard]] MinutesScore score_minutes(const MinutesForm& form, std::uint64_t first_run, int runs, NoiseKind noise,
                                         bool print_misses);

/// False surges of one host with calm tags over 8 weeks.
[[nodiscard]] int false_surges(std::uint64_t run, int tags, NoiseKind noise);

/// How often a host says "Grows now", asked each quarter of an hour from its second week on.
struct GrowsNow {
  long looks = 0, told = 0;  // looks that found it
  int episodes = 0;          // with six hours without it between them
  double weeks = 0;
};
/// Of 4 weeks of a host with so many tags, one of which has the form; nullptr: none has.
void count_grows_now(const MinutesForm* form, std::uint64_t run, int tags, NoiseKind noise, GrowsNow& sum);

}  // namespace kmem::trend::sim
