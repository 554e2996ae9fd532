// Arguments -> the command's function. exporter/agent.h is where the work is wired together.
#include "exporter/main.h"

#include <cstdio>

#include "exporter/commands/commands.h"

namespace kmem {

int program(int argc, const char* const* argv) {
  const ParseOutcome parsed = parse_arguments(argc, argv);
  if (!parsed.err.empty()) std::fputs(parsed.err.c_str(), stderr);
  if (!parsed.options) {
    const bool printed = parsed.out.empty() || write_stdout(parsed.out).ok();
    return printed ? parsed.exit_code : kExitFailed;
  }
  const base::SystemClock clock;
  Environment environment{clock, base::os_file_system()};
  switch (parsed.options->command) {
    case Command::kServe: return serve(*parsed.options, environment);
    case Command::kOnce: return once(*parsed.options, environment);
    case Command::kRecord: return record(*parsed.options, environment);
    case Command::kAnalyze: return analyze(*parsed.options, environment);
    case Command::kBackfill: return backfill(*parsed.options, environment);
    case Command::kCheckConfig: return check_config(*parsed.options, environment);
  }
  return kExitUnusable;
}

}  // namespace kmem
