// One history through the engine, sample by sample as live, and many of them into a row of the table.
// Thread: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/exporter/trend/sim/generator.h"
#include "tests/exporter/trend/sim/peers.h"

namespace kmem::trend::sim {

struct Outcome {
  bool flagged = false, watched = false;
  double days_to_detection = 0;  // from the onset
  bool leak_at_end = false;
  double slope_error = 0;       // |estimate / truth - 1| at the end; of true leaks
  double exhaustion_error = 0;  // the same
  double confidence = 0;
};
/// Whether the recorder wrote down boot times, or only what poolmon shows: counters of allocations.
enum class BootTimes { kGiven, kHidden };
[[nodiscard]] Outcome run_engine(const History& history, BootTimes boot_times = BootTimes::kGiven);

/// When somebody, or a task, looked: all of the generator's samples, or only those next to such times.
enum class Readings { kAll, kOnceADay, kTwiceAWeek, kOfficeHours, kNoNights, kAnyTime };
struct ReadingsName {
  std::string_view name;
  Readings readings;
};
inline constexpr std::array kReadingsNames = {
    ReadingsName{"all", Readings::kAll},
    ReadingsName{"once-a-day", Readings::kOnceADay},       // give or take 20 minutes
    ReadingsName{"twice-a-week", Readings::kTwiceAWeek},   // the same two days, about the same hour
    ReadingsName{"office-hours", Readings::kOfficeHours},  // 9 to 17 from Monday to Friday
    ReadingsName{"no-nights", Readings::kNoNights},        // hourly, off for 9 to 15 hours
    ReadingsName{"any-time", Readings::kAnyTime},          // once a day on average, at no hour in particular
};
/// Keeps of the history what such readings see.
void thin_out(History& history, Readings readings, Random& random);

struct Row {
  const Scenario* scenario = nullptr;
  int runs = 0;
  double flagged_percent = 0, watched_percent = 0;
  double median_days = 0;  // NaN when nothing was flagged
  double slope_within_20_percent = 0, exhaustion_within_25_percent = 0;
  std::array<double, kPeerNames.size()> peer_percent{}, peer_days{};
};
/// Runs first_run .. first_run + runs - 1. The noise is of scenarios() alone.
[[nodiscard]] Row score(const Scenario& scenario, std::uint64_t first_run, int runs, NoiseKind noise, bool with_peers,
                        BootTimes boot_times = BootTimes::kGiven, Readings readings = Readings::kAll);

/// Of so many runs, those of which growth between falls was told where no leak was: on any day, and on the last.
struct FallsTold {
  double ever_percent = 0, at_end_percent = 0, leak_percent = 0;
};
[[nodiscard]] FallsTold score_falls(const Scenario& scenario, std::uint64_t first_run, int runs, NoiseKind noise);

[[nodiscard]] std::string table_head();
[[nodiscard]] std::string table_line(const Row& row);
/// The table of exporter/trend/README.md: every history under wide noise, narrow noise, of the other generator and under sessions; the peers under wide noise.
[[nodiscard]] std::string readme_table(std::uint64_t first_run, int runs);

}  // namespace kmem::trend::sim
