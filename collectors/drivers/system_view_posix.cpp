#include <sys/resource.h>

#include "collectors/drivers/driver_watch.h"

namespace kmem::drivers {
namespace {

/// Linux names its modules itself: KernelModules.
class PosixView final : public SystemView {
 public:
  std::vector<WantedImage> images(base::FileSystem&) override { return {}; }
  std::vector<std::string> pooltag_files() override { return {}; }
};

}  // namespace

std::unique_ptr<SystemView> make_system_view() { return std::make_unique<PosixView>(); }

void lower_thread_priority() {
  // On Linux this is the calling thread's alone.
  (void)::setpriority(PRIO_PROCESS, 0, 19);
}

}  // namespace kmem::drivers
