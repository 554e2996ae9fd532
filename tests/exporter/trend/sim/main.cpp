// The simulation bench: kmem_trend_sim [--runs N] [--first-run N] [--narrow-noise] [--sessions] [--other] [--no-peers]
//   [--reboots] [--falls] [--hide-boots] [--readings once-a-day|twice-a-week|office-hours|no-nights|any-time] [--only NAME]
// Prints a table; exits 1 when a scenario misses what is wanted of it. `kmem_trend_sim readme` prints that of exporter/trend/README.md.
// With --falls: how many are told to grow between falls, of all rows and of those made for it.
// The same run number gives the same history, so fresh numbers are histories that the curves were not fitted to: the
// fit used runs below 10,000.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/exporter/trend/sim/score.h"

int main(int argc, char** argv) {
  using namespace kmem::trend::sim;
  int runs = 300;
  std::uint64_t first_run = 100'000;
  NoiseKind noise = NoiseKind::kWide;
  bool other = false, reboots = false, falls = false, peers = true, readme = false;
  std::string only;
  BootTimes boot_times = BootTimes::kGiven;
  Readings readings = Readings::kAll;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--narrow-noise") {
      noise = NoiseKind::kNarrow;
    } else if (argument == "--sessions") {
      noise = NoiseKind::kSessions;
    } else if (argument == "--hide-boots") {
      boot_times = BootTimes::kHidden;
    } else if (argument == "--reboots") {
      reboots = true;
    } else if (argument == "--falls") {
      falls = true;
    } else if (argument == "--other") {
      other = true;
    } else if (argument == "readme") {
      readme = true;
      first_run = 400'000;
    } else if (argument == "--no-peers") {
      peers = false;
    } else if (i + 1 < argc && argument == "--runs") {
      runs = std::atoi(argv[++i]);
    } else if (i + 1 < argc && argument == "--first-run") {
      first_run = std::strtoull(argv[++i], nullptr, 10);
    } else if (i + 1 < argc && argument == "--readings") {
      const std::string name = argv[++i];
      const auto found =
          std::find_if(kReadingsNames.begin(), kReadingsNames.end(), [&](const auto& each) { return each.name == name; });
      if (found == kReadingsNames.end()) return 2;
      readings = found->readings;
    } else if (i + 1 < argc && argument == "--only") {
      only = argv[++i];
    } else {
      std::fprintf(stderr, "unknown argument: %s\n", argument.c_str());
      return 2;
    }
  }
  if (runs < 1) return 2;
  if (readme) return std::printf("%s", readme_table(first_run, runs).c_str()) < 0;
  if (falls) {
    std::printf("| history | told on any day | on the last | a leak on the last |\n|---|---|---|---|\n");
    for (const auto rows : {fall_scenarios(), other ? other_scenarios() : scenarios()}) {
      for (const Scenario& scenario : rows) {
        if (scenario.name.find(only) == std::string_view::npos) continue;
        const FallsTold told = score_falls(scenario, first_run, runs, noise);
        std::printf("| %s | %.1f %% | %.1f %% | %.1f %% |\n", std::string(scenario.name).c_str(), told.ever_percent,
                    told.at_end_percent, told.leak_percent);
        std::fflush(stdout);
      }
    }
    return 0;
  }
  std::printf("%s\n", table_head().c_str());
  bool missed = false;
  for (const Scenario& scenario : reboots ? reboot_scenarios() : other ? other_scenarios() : scenarios()) {
    if (scenario.name.find(only) == std::string_view::npos) continue;
    const Row row = score(scenario, first_run, runs, noise, peers, boot_times, readings);
    const bool bad = scenario.goal == Goal::kQuiet ? row.flagged_percent > scenario.limit_percent
                                                   : row.flagged_percent < scenario.limit_percent ||
                                                         (scenario.limit_days && !(row.median_days <= *scenario.limit_days));
    missed = missed || bad;
    std::printf("%s%s\n", table_line(row).c_str(), bad ? " MISSED" : "");
    std::fflush(stdout);
  }
  return missed ? 1 : 0;
}
