// What the service manager should know about the service beyond its command line. Thread: any. Failure: settings that
// came after Server 2003 are refused there, and a service that lacks one of them still runs: each refusal is a warning.
#pragma once

#include <string>
#include <vector>

namespace kmem::service {

struct AppliedSettings {
  bool has_own_sid = false;  // NT SERVICE\kmem_exporter is in the service's token
};

/// `service`: an SC_HANDLE that may change the configuration and start the service.
[[nodiscard]] AppliedSettings apply_settings(void* service, std::vector<std::string>& warnings);

}  // namespace kmem::service
