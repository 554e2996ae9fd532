#include "exporter/commands/commands.h"

namespace kmem {

int check_config(const Options& options, Environment& environment) {
  if (!resolve_or_explain(options, environment)) return kExitUnusable;
  return write_stdout(options.config_file + ": fine\n") ? kExitFine : kExitFailed;
}

}  // namespace kmem
