#include "exporter/service/control.h"

#include <cstdio>

#include "collectors/drivers/named_files.h"
#include "config/knobs.h"
#include "exporter/commands/commands.h"

namespace kmem {
namespace {

int explain(const base::Error& error) {
  std::fprintf(stderr, "kmem_exporter: service: %s\n", error.message.c_str());
  const bool unusable = error.code == base::ErrorCode::kUnsupported || error.code == base::ErrorCode::kInvalid;
  return unusable ? kExitUnusable : kExitFailed;
}

/// The default configuration, made where there is none.
base::Result<std::string> default_config_file(base::FileSystem& files) {
  const auto places = service::default_places();
  if (!places) return places.error();
  if (const auto prepared = service::prepare(*places); !prepared) return prepared.error();
  if (files.open(places->config_file, base::OpenMode::kRead)) return places->config_file;
  if (const auto written = base::replace_file(files, places->config_file, places->config_text); !written)
    return written.error();
  return places->config_file;
}

/// What is relative to this command's folder would not be found from the service's.
void make_paths_absolute(Options& options) {
  if (!options.config_file.empty()) options.config_file = service::absolute_path(options.config_file);
  for (Override& change : options.overrides)
    for (std::string& value : change.values)
      if (const std::size_t at = config::path_at(*change.knob, value); at != std::string::npos)
        value.replace(at, std::string::npos, service::absolute_path(value.substr(at)));
}

}  // namespace

int service_control(const Options& options, Environment& environment) {
  service::Request request;
  request.action = options.service_action;
  if (request.action == service::Action::kInstall || request.action == service::Action::kConfigure) {
    Options running = options;
    if (running.config_file.empty()) {
      auto file = default_config_file(environment.files);
      if (!file) return explain(file.error());
      running.config_file = *file;
    }
    make_paths_absolute(running);
    const auto resolved = resolve_or_explain(running, environment);
    if (!resolved) return kExitUnusable;
    // As check-config has it. An upgrade is not held up: the service runs without them.
    const auto faults = drivers::faults_of_named_files(resolved->config.drivers, environment.files);
    const bool refuses = request.action == service::Action::kInstall && !faults.empty();
    for (const std::string& fault : faults)
      std::fprintf(stderr, "kmem_exporter: service: %s%s\n", refuses ? "" : "warning: ", fault.c_str());
    if (refuses) return kExitUnusable;
    request.state_folder = resolved->config.storage.path;
    request.arguments = common_arguments(running);
    request.arguments.insert(request.arguments.begin(), "serve");
  }
  const auto outcome = service::control(request);
  if (!outcome) return explain(outcome.error());
  for (const std::string& warning : outcome->warnings)
    std::fprintf(stderr, "kmem_exporter: service: warning: %s\n", warning.c_str());
  std::string text;
  for (const std::string& line : outcome->lines) text += line + "\n";
  (void)write_stdout(text);  // an installer that runs this may give it no output; what was asked for is done
  return kExitFine;
}

}  // namespace kmem
