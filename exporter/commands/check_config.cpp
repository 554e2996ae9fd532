#include <cstdio>
#include <string>

#include "collectors/drivers/named_files.h"
#include "config/profile.h"
#include "config/web_config.h"
#include "exporter/commands/commands.h"

namespace kmem {

int check_config(const Options& options, Environment& environment) {
  const auto resolved = resolve_or_explain(options, environment);
  if (!resolved) return kExitUnusable;
  // The program would run without them.
  const auto faults = drivers::faults_of_named_files(resolved->config.drivers, environment.files);
  for (const std::string& fault : faults) std::fprintf(stderr, "%s: %s\n", options.config_file.c_str(), fault.c_str());
  if (!faults.empty()) return kExitUnusable;
  if (const std::string doubt = config::doubtful(resolved->config); !doubt.empty())
    std::fprintf(stderr, "%s: warning: %s\n", options.config_file.c_str(), doubt.c_str());
  if (const std::string doubt = config::doubtful(resolved->web_security); !doubt.empty())
    std::fprintf(stderr, "%s: warning: %s\n", resolved->config.web.config_file.c_str(), doubt.c_str());
  return write_stdout(options.config_file + ": fine\n") ? kExitFine : kExitFailed;
}

}  // namespace kmem
