#include "collectors/base/log.h"
#include "collectors/drivers/driver_watch.h"
#include "exporter/commands/analysis.h"
#include "exporter/commands/commands.h"
#include "exporter/service/terminal.h"

namespace kmem {

int analyze(const Options& options, Environment& environment) {
  const auto resolved = resolve_or_explain(options, environment);
  if (!resolved) return kExitUnusable;
  AnalysisOptions analysis_of = analysis_options(resolved->config);
  analysis_of.all = options.report_all;
  analysis_of.history = options.history;
  // The history may be another system's: only what the configuration names is asked.
  drivers::Attribution owners;
  drivers::DriverWatch(resolved->config, nullptr, owners, environment.files, environment.clock).load();
  if (resolved->config.drivers.enabled) analysis_of.owners = &owners;
  ProgressMeter progress = ProgressMeter::on_stderr(environment.clock);
  const auto analysis = analyze_history(environment.files, options.files, analysis_of, progress);
  if (!analysis) {
    base::log_error("nothing to analyze", {{"error", analysis.error().message}});
    return kExitUnusable;
  }
  const std::string report = options.report_format == ReportFormat::kJson
                                 ? analysis_json(*analysis)
                                 : analysis_text(*analysis, service::shows_utf8());
  return write_stdout(report) ? kExitFine : kExitFailed;
}

}  // namespace kmem
