// One function a command: Options -> exit code. Output goes to stdout, everything else to the log and stderr.
// Thread: the main one. Failure: 1 the work failed, 2 the arguments or the configuration cannot be used.
#pragma once

#include <optional>

#include "collectors/base/clock.h"
#include "collectors/base/file_io.h"
#include "exporter/commands/options.h"

namespace kmem {

/// What a command has of the outside.
struct Environment {
  const base::Clock& clock;
  base::FileSystem& files;
};

[[nodiscard]] int serve(const Options& options, Environment& environment);
[[nodiscard]] int once(const Options& options, Environment& environment);
[[nodiscard]] int show_top(const Options& options, Environment& environment);
[[nodiscard]] int record(const Options& options, Environment& environment);
[[nodiscard]] int analyze(const Options& options, Environment& environment);
[[nodiscard]] int backfill(const Options& options, Environment& environment);
[[nodiscard]] int attribute(const Options& options, Environment& environment);
[[nodiscard]] int check_config(const Options& options, Environment& environment);
[[nodiscard]] int print_completions(const Options& options, Environment& environment);
[[nodiscard]] int print_manual(const Options& options, Environment& environment);
[[nodiscard]] int service_control(const Options& options, Environment& environment);

/// The configuration that the options name; every fault is on stderr when there is none. Sets the log.
[[nodiscard]] std::optional<Resolved> resolve_or_explain(const Options& options, Environment& environment);

/// Bytes to stdout as they are: no CR is added on Windows.
[[nodiscard]] base::Result<void> write_stdout(std::string_view bytes);

}  // namespace kmem
