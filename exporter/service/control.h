// The program as a service of Windows: made, set up, started, stopped, removed. Thread: any, one at a time.
// Failure: kUnsupported where the system has no such services, kInvalid for what cannot be used, else what the service
// manager said. A setting that this version of Windows does not know is a warning.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collectors/base/result.h"

namespace kmem::service {

/// kInstall: again, it sets up anew what this program installed. kConfigure: everything of kInstall but making the service, for one
/// that an installer has made.
/// Where it fails, the command line is the one before.
enum class Action : std::uint8_t { kInstall, kConfigure, kUninstall, kStart, kStop, kReload, kStatus };

/// Where a service's files are when nobody says otherwise.
struct Places {
  std::string folder;
  std::string config_file;
  std::string config_text;  // of the file, where there is none yet
};
[[nodiscard]] base::Result<Places> default_places();
/// Makes the folder, with rights such that only administrators change what is in it, or checks an existing one.
[[nodiscard]] base::Result<void> prepare(const Places& places);

[[nodiscard]] std::string absolute_path(const std::string& path);

struct Request {
  Action action = Action::kStart;
  std::vector<std::string> arguments;  // kInstall, kConfigure: of the service's command line, without the program
  std::string state_folder;            // kInstall, kConfigure: where the service writes; empty: nowhere
};

/// What was done, in sentences.
struct Outcome {
  std::vector<std::string> lines;
  std::vector<std::string> warnings;
};
[[nodiscard]] base::Result<Outcome> control(const Request& request);

}  // namespace kmem::service
