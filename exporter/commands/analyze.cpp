#include "collectors/base/log.h"
#include "collectors/drivers/driver_watch.h"
#include "config/http_client_config.h"
#include "config/yaml_document.h"
#include "exporter/commands/analysis.h"
#include "exporter/commands/commands.h"
#include "exporter/promapi/prometheus_source.h"
#include "exporter/terminal/terminal.h"

namespace kmem {
namespace {

base::Result<Analysis> analyze_server(const Options& options, Environment& environment, const AnalysisOptions& analysis_of,
                                      ProgressMeter& progress) {
  config::HttpClientConfig access;
  if (const std::string& path = options.prometheus_config; !path.empty()) {
    const auto text = base::read_file(environment.files, path, config::kMaxFileBytes);
    if (!text) return text.error();
    auto loaded = config::load_http_client_config(*text, path, environment.files);
    if (!loaded.ok()) {
      std::string faults;
      for (const config::Fault& fault : loaded.faults) faults += (faults.empty() ? "" : "; ") + fault.text();
      return base::Error{base::ErrorCode::kInvalid, faults};
    }
    access = std::move(loaded.config);
  }
  constexpr std::chrono::seconds kMostWait{150};  // a server gives a query two minutes
  auto http = promapi::make_http_client(options.prometheus_url, access, kMostWait);
  if (!http) return http.error().within("--prometheus.url");
  promapi::Question question;
  question.url = options.prometheus_url;
  question.range = options.range;
  question.now = environment.clock.wall();
  for (const auto& [label, value] : options.selectors) {
    const bool is_pattern = value.starts_with('~');
    question.selectors.push_back({label, is_pattern ? value.substr(1) : value, is_pattern});
  }
  question.host = options.history.host;
  progress.start("asking Prometheus");
  auto source = promapi::ask_prometheus(**http, std::move(question));
  if (!source) return source.error();
  return analyze_history(**source, analysis_of, progress);
}

}  // namespace

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
  const auto analysis = options.prometheus_url.empty()
                            ? analyze_history(environment.files, options.files, analysis_of, progress)
                            : analyze_server(options, environment, analysis_of, progress);
  if (!analysis) {
    base::log_error("nothing to analyze", {{"error", analysis.error().message}});
    return kExitUnusable;
  }
  const std::string report = options.report_format == ReportFormat::kJson
                                 ? analysis_json(*analysis, options.explain)
                                 : analysis_text(*analysis, terminal::shows_utf8(), options.explain);
  if (!write_stdout(report)) return kExitFailed;
  if (!analysis->is_of_nothing()) return kExitFine;
  base::log_error("nothing to analyze", {{"error", nothing_to_judge(analysis->skipped, analysis->skipped_count)}});
  return kExitUnusable;
}

}  // namespace kmem
