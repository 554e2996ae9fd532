// The command line: arguments -> Options, then Options + configuration file -> Config. The only CLI11 user.
// Flags that set knobs come from the knobs' table (config/knobs.h), commands from the one in command_table.cpp.
// Arguments are UTF-8; on Windows the caller converts. Thread: pure but for `files`.
// Failure: every fault at once, worded like those of the file; exit code 2.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/base/file_io.h"
#include "collectors/history/history.h"
#include "config/config.h"
#include "config/knobs.h"
#include "config/web_security.h"
#include "exporter/service/control.h"
#include "exporter/top/usage_table.h"

namespace kmem {

enum ExitCode : int { kExitFine = 0, kExitFailed = 1, kExitUnusable = 2 };

enum class Command : std::uint8_t {
  kServe,
  kOnce,
  kRecord,
  kAnalyze,
  kBackfill,
  kCheckConfig,
  kService,
  kTop,
  kAttribute,
  kCompletion,
  kManual
};

enum class Shell : std::uint8_t { kBash, kZsh, kFish, kPowershell };

enum class ReportFormat : std::uint8_t { kText, kJson };

/// A knob set by a flag. `values` has one value, or for a list all of them in order.
struct Override {
  const config::KnobInfo* knob = nullptr;
  std::vector<std::string> values;
};

struct Options {
  Command command = Command::kServe;
  std::string config_file;                  // empty = defaults only; check-config: its FILE
  bool disable_default_collectors = false;  // collectors are off unless the file or a flag turns them on
  std::vector<Override> overrides;
  // Of single commands:
  std::string output;  // once: empty = stdout; record, backfill: always set
  std::chrono::milliseconds record_interval{60'000};
  std::optional<std::chrono::milliseconds> record_duration;    // none = until stopped
  std::vector<std::string> files;                              // analyze, backfill: the history; attribute: images
  std::vector<std::pair<std::string, std::string>> labels;     // backfill: of every series
  std::vector<std::string> tags;                               // attribute: only these
  history::HistoryOptions history;                             // analyze, backfill: how it is read
  ReportFormat report_format = ReportFormat::kText;            // analyze, attribute
  bool report_all = false;                                     // analyze: also what does not grow
  bool explain = false;                                        // analyze: how each file was read
  std::string prometheus_url, prometheus_config;               // analyze: a server instead of files
  std::vector<std::pair<std::string, std::string>> selectors;  // analyze: of that server's series; "~x" is a pattern
  std::chrono::milliseconds range{std::chrono::hours(24 * 56)};
  bool top_once = false;  // top: one text instead of a screen
  top::RowChoice top_choice;
  std::chrono::milliseconds top_interval{5'000};
  service::Action service_action = service::Action::kStart;
  Shell shell = Shell::kBash;  // completion
};

struct ParseOutcome {
  std::optional<Options> options;  // none: print what follows and exit
  std::string out;                 // for stdout: help, version
  std::string err;                 // for stderr
  int exit_code = kExitFine;
};

/// argv[0] is the program's name.
[[nodiscard]] ParseOutcome parse_arguments(int argc, const char* const* argv);

struct Resolved {
  config::Config config;
  config::WebSecurity web_security;  // of web.config_file
  std::vector<std::string> faults;   // one a line; not empty = the rest is not to be used

  [[nodiscard]] bool ok() const { return faults.empty(); }
};

/// The flags that give another command the same configuration: --config.file and all that set knobs.
[[nodiscard]] std::vector<std::string> common_arguments(const Options& options);

/// Reads the files that the options name. Called again at a reload.
[[nodiscard]] Resolved resolve(const Options& options, base::FileSystem& files);

[[nodiscard]] std::string version_text();

}  // namespace kmem
