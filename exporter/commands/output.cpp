#include <cstdio>

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

#include "exporter/commands/commands.h"
#include "exporter/service/supervisor.h"

namespace kmem {

std::optional<Resolved> resolve_or_explain(const Options& options, Environment& environment) {
  Resolved resolved = resolve(options, environment.files);
  if (!resolved.ok()) {
    for (const std::string& fault : resolved.faults) {
      if (service::is_windows_service()) base::log_error("the configuration cannot be used", {{"error", fault}});
      else std::fprintf(stderr, "%s\n", fault.c_str());
    }
    return std::nullopt;
  }
  base::set_log(resolved.config.log.level, resolved.config.log.format);
  return resolved;
}

base::Result<void> write_stdout(std::string_view bytes) {
#ifdef _WIN32
  if (_fileno(stdout) >= 0) _setmode(_fileno(stdout), _O_BINARY);  // negative: a program without output
#endif
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size() || std::fflush(stdout) != 0)
    return base::Error{base::ErrorCode::kIo, "standard output cannot be written"};
  return {};
}

}  // namespace kmem
