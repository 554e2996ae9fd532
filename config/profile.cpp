#include "config/profile.h"

#include <algorithm>

namespace kmem::config {

Exported exported(const Config& config) {
  Exported out{config.tags, config.processes};
  Tags& tags = out.tags;
  if (config.metrics.profile == MetricsProfile::kLean) {
    // Suspects and tags.include are forced in whatever their rank, and go with the verdict, which is slow itself.
    tags.top_bytes = tags.top_outstanding = tags.top_growth = tags.top_session = 0;
    tags.dwell = std::chrono::hours(0);
    tags.counters = tags.all = false;
    out.processes.top = 0;
    out.max_suspects = kLeanSuspects;
    out.only_lean = true;
  } else if (config.metrics.profile == MetricsProfile::kFull) {
    tags.top_bytes = std::max(tags.top_bytes, tags.max_exported);
  }
  return out;
}

}  // namespace kmem::config
