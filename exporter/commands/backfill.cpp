#include "exporter/commands/backfill.h"

#include <algorithm>

#include "collectors/base/log.h"
#include "exporter/commands/commands.h"
#include "exporter/service/command_line.h"

namespace kmem {

int backfill(const Options& options, Environment& environment) {
  const auto resolved = resolve_or_explain(options, environment);
  if (!resolved) return kExitUnusable;
  BackfillOptions backfill_of{analysis_options(resolved->config), resolved->config.tags, resolved->config.processes};
  backfill_of.labels = options.labels;
  backfill_of.analysis.history = options.history;
  ProgressMeter progress = ProgressMeter::on_stderr(environment.clock);
  const auto done = backfill_history(environment.files, options.files, options.output, backfill_of, progress);
  if (!done) {
    base::log_error("nothing is backfilled", {{"error", done.error().message}});
    return done.error().code == base::ErrorCode::kInvalid ? kExitUnusable : kExitFailed;
  }
  constexpr std::size_t kMostShown = 10;
  for (std::size_t i = 0; i < std::min(done->skipped.size(), kMostShown); ++i) {
    const history::Skipped& skipped = done->skipped[i];
    base::log_warn("skipped", {{"file", skipped.file}, {"line", std::to_string(skipped.line)}, {"reason", skipped.reason}});
  }
  for (std::size_t i = 0; i < std::min(done->warnings.size(), kMostShown); ++i)
    base::log_warn("assumed", {{"what", done->warnings[i]}});
  base::log_info("backfilled", {{"path", options.output},
                                {"snapshots", std::to_string(done->snapshots)},
                                {"series", std::to_string(done->series)},
                                {"samples", std::to_string(done->samples)},
                                {"skipped", std::to_string(done->skipped_count)}});
  // Left to itself promtool makes blocks of two hours and reads its input once for each.
  base::log_info("to import it in seconds, where Prometheus is stopped or its retention is on",
                 {{"command", "promtool tsdb create-blocks-from --max-block-duration=500h openmetrics " +
                                  service::quoted_argument(options.output) + " PROMETHEUS_DATA_FOLDER"}});
  return kExitFine;
}

}  // namespace kmem
