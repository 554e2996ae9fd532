// The bench of surges: kmem_surge_sim [--runs N] [--first-run N] [--narrow-noise] [--sessions] [--only NAME] [--misses] [--spread] [--hosts N [--grows-now]]
// Prints a table; exits 1 when a row misses what is wanted of it. With --spread each row has what of it was told by how much the
// load varies by itself, of what is left of the limit.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/exporter/trend/sim/surges.h"

int main(int argc, char** argv) {
  using namespace kmem::trend::sim;
  int runs = 300, hosts = 0;
  std::uint64_t first_run = 100'000;
  NoiseKind noise = NoiseKind::kWide;
  bool misses = false, grows_now = false, by_spread = false, missed = false;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--narrow-noise") {
      noise = NoiseKind::kNarrow;
    } else if (argument == "--sessions") {
      noise = NoiseKind::kSessions;
    } else if (argument == "--misses") {
      misses = true;
    } else if (argument == "--grows-now") {
      grows_now = true;
    } else if (argument == "--spread") {
      by_spread = true;
    } else if (i + 1 < argc && argument == "--runs") {
      runs = std::atoi(argv[++i]);
    } else if (i + 1 < argc && argument == "--hosts") {
      hosts = std::atoi(argv[++i]);
    } else if (i + 1 < argc && argument == "--first-run") {
      first_run = std::strtoull(argv[++i], nullptr, 10);
    } else if (i + 1 < argc && argument == "--only") {
      only = argv[++i];
    } else {
      std::fprintf(stderr, "unknown argument: %s\n", argument.c_str());
      return 2;
    }
  }
  if (grows_now) {
    std::printf("| host of 100 tags | looks that say so | episodes a host-week |\n|---|---|---|\n");
    const auto print = [&](const MinutesForm* form, const char* name) {
      GrowsNow sum;
      for (int i = 0; i < hosts; ++i) count_grows_now(form, first_run + static_cast<std::uint64_t>(i), 100, noise, sum);
      std::printf("| %s | %.2f %% | %.3f |\n", name, 100.0 * static_cast<double>(sum.told) / static_cast<double>(sum.looks),
                  sum.episodes / sum.weeks);
      std::fflush(stdout);
    };
    if (only.empty() || only == "calm") print(nullptr, "calm");
    for (const MinutesForm& form : minute_forms())
      if (form.most_percent_told < 100 && form.name.find(only) != std::string_view::npos)
        print(&form, std::string(form.name).c_str());
    return 0;
  }
  if (hosts > 0) {
    int told = 0;
    for (int i = 0; i < hosts; ++i) told += false_surges(first_run + static_cast<std::uint64_t>(i), 300, noise);
    std::printf("%d false surges in %d host-weeks\n", told, hosts * 8);
    return told * 100 > hosts * 8;
  }
  std::printf(
      "| history | wanted | told in time | time left of the worst of 50 / median | median days |\n|---|---|---|---|---|\n");
  for (const MinutesForm& form : minute_forms()) {
    if (form.name.find(only) == std::string_view::npos) continue;
    const MinutesScore score = score_minutes(form, first_run, runs, noise, misses);
    const bool quiet = form.most_percent_told < 100;
    const bool bad = quiet ? score.told_percent > form.most_percent_told : score.told_percent < form.fewest_percent_told;
    missed = missed || bad;
    std::printf("| %s | %s %.0f %% | %.1f %% | %.0f / %.0f %% | %.2f |%s\n", std::string(form.name).c_str(),
                quiet ? "<=" : ">=", quiet ? form.most_percent_told : form.fewest_percent_told, score.told_percent,
                score.left_percent_of_worst_tenth, score.left_percent_median, score.days_median, bad ? " MISSED" : "");
    for (std::size_t i = 0; by_spread && i < score.by_spread.size(); ++i) {
      const MinutesScore::Part& part = score.by_spread[i];
      std::printf("  spread %s %.0f %%: %d of %d\n", i < kSpreads.size() ? "below" : "from",
                  100 * kSpreads[std::min(i, kSpreads.size() - 1)], part.told, part.runs);
    }
    std::fflush(stdout);
  }
  return missed ? 1 : 0;
}
