// Recorded history -> OpenMetrics with a time on every sample, series by series, for promtool tsdb create-blocks-from
// openmetrics. Tags are those that `serve` would export at the history's end and the suspects, from where they first
// appear: no series begins in the middle only because its tag was small before.
// Memory: max_points samples; a longer history is read again for the series that did not fit. So files, no pipes.
// Thread: one. Failure: the old output stays; kInvalid: the input cannot be used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "exporter/commands/analysis.h"

namespace kmem {

struct BackfillOptions {
  AnalysisOptions analysis;
  config::Tags tags;
  config::Processes processes;
  std::size_t max_points = 3'000'000;                            // 16 bytes each
  std::vector<std::pair<std::string, std::string>> labels = {};  // of every series, behind its own
};

struct BackfillDone {
  std::uint64_t snapshots = 0;
  std::uint64_t series = 0;
  std::uint64_t samples = 0;
  std::uint64_t readings = 0;  // of the whole history
  std::vector<history::Skipped> skipped;
  std::uint64_t skipped_count = 0;
  std::vector<std::string> warnings;
  history::Learned learned;
};

[[nodiscard]] base::Result<BackfillDone> backfill_history(base::FileSystem& files, const std::vector<std::string>& paths,
                                                          const std::string& output, const BackfillOptions& options,
                                                          ProgressMeter& progress);

}  // namespace kmem
