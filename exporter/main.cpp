// Arguments -> the command's function. exporter/agent/agent.h is where the work is wired together.
#include "exporter/main.h"

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "collectors/base/left_thread.h"
#include "collectors/base/log.h"
#include "exporter/commands/commands.h"
#include "exporter/commands/wildcards.h"
#include "exporter/service/supervisor.h"

namespace kmem {
namespace {

int refused(const ParseOutcome& parsed) {
  std::fputs(parsed.err.c_str(), stderr);
  if (service::is_windows_service()) base::log_error("the command line cannot be used", {{"error", parsed.err}});
  return parsed.exit_code;
}

int run(int argc, const char* const* argv, bool shell_expands) {
  ParseOutcome parsed = parse_arguments(argc, argv);
  // A service manager that waits for this process hears of bad arguments, too.
  if (!parsed.err.empty()) return service::run_hosted([&] { return refused(parsed); });
  if (!parsed.options) return write_stdout(parsed.out) ? parsed.exit_code : kExitFailed;
  static const base::SystemClock clock;  // also for threads that hang when this ends
  Environment environment{clock, base::os_file_system()};
  if (!shell_expands) {
    auto expanded = expand_wildcards(parsed.options->files, environment.files);
    if (!expanded) return refused({std::nullopt, "", "kmem_exporter: " + expanded.error().message + "\n", kExitUnusable});
    parsed.options->files = std::move(*expanded);
  }
  switch (parsed.options->command) {
    case Command::kServe: return service::run_hosted([&] { return serve(*parsed.options, environment); });
    case Command::kOnce: return once(*parsed.options, environment);
    case Command::kRecord: return record(*parsed.options, environment);
    case Command::kAnalyze: return analyze(*parsed.options, environment);
    case Command::kBackfill: return backfill(*parsed.options, environment);
    case Command::kCheckConfig: return check_config(*parsed.options, environment);
    case Command::kAttribute: return attribute(*parsed.options, environment);
    case Command::kTop: return show_top(*parsed.options, environment);
    case Command::kCompletion: return print_completions(*parsed.options, environment);
    case Command::kManual: return print_manual(*parsed.options, environment);
    case Command::kService: return service_control(*parsed.options, environment);
  }
  return kExitUnusable;
}

}  // namespace

int program(int argc, const char* const* argv, bool shell_expands) {
  const int code = run(argc, argv, shell_expands);
  // A thread that hangs in the kernel may come back at any moment, and must not find the program half taken down.
  if (base::LeftThread::count() > 0) {
    std::fflush(nullptr);
    std::_Exit(code);
  }
  return code;
}

}  // namespace kmem
