#include "exporter/service/control.h"

namespace kmem::service {
namespace {

const base::Error kElsewhere{base::ErrorCode::kUnsupported,
                             "services are made so on Windows only; here systemd runs the exporter: "
                             "systemctl start kmem_exporter, once the package is installed"};

}  // namespace

base::Result<Places> default_places() { return kElsewhere; }

base::Result<void> prepare(const Places&) { return kElsewhere; }

std::string absolute_path(const std::string& path) { return path; }

base::Result<Outcome> control(const Request&) { return kElsewhere; }

}  // namespace kmem::service
