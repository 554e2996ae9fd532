#include "config/profile.h"

#include <algorithm>

namespace kmem::config {
namespace {

/// A knob that is raised above its default asks for more than the bound.
SeriesBudget budget_of(const Config& config) {
  const Tags usual;
  SeriesBudget budget;
  const bool full = config.metrics.profile == MetricsProfile::kFull;
  budget.sessions = full ? 8 : 4;
  if (config.tags.all || config.tags.max_exported > usual.max_exported) return budget;
  budget.series = full ? kFullSeriesBound : kSeriesBound;
  // Bytes, live allocations, driver, slope of 7 days; with full those of 1 and 28 days and three verdicts, which otherwise only
  // a suspect has. That also has slopes of hours and a holder.
  budget.a_tag = full ? 9 : 4;
  (full ? budget.a_tag_windows : budget.a_forced_windows) = config.tags.counters ? 2 : 0;
  budget.a_suspect = full ? 5 : 10;
  budget.processes = 9 * Processes{}.top;  // three lists of three series
  budget.session_tags = budget.sessions * 2 * (1 + 4 * usual.top_session);
  return budget;
}

}  // namespace

Exported exported(const Config& config) {
  Exported out;
  out.tags = config.tags;
  out.processes = config.processes;
  Tags& tags = out.tags;
  if (config.metrics.profile == MetricsProfile::kLean) {
    // Suspects and tags.include are forced in whatever their rank, and go with the verdict, which is slow itself.
    tags.top_bytes = tags.top_outstanding = tags.top_growth = tags.top_session = 0;
    tags.dwell = std::chrono::hours(0);
    tags.counters = tags.all = false;
    out.processes.top = 0;
    out.max_suspects = kLeanSuspects;
    out.only_lean = true;
    return out;
  }
  out.budget = budget_of(config);
  if (config.metrics.profile == MetricsProfile::kFull) {
    tags.top_bytes = std::max(tags.top_bytes, tags.max_exported);
    out.whole_tags = true;
  }
  return out;
}

}  // namespace kmem::config
