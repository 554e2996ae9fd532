#include "exporter/metrics/build_info.h"

namespace kmem::metrics {

BuildInfo build_info() { return {KMEM_VERSION, KMEM_REVISION, KMEM_COMPILER}; }

}  // namespace kmem::metrics
