#include "config/profile.h"

#include <algorithm>
#include <string_view>

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

std::string doubtful(const Config& config) {
  if (config.metrics.profile != MetricsProfile::kLean) return {};
  const Tags usual;
  std::string names;
  const auto add = [&names](bool asked, std::string_view knob) {
    if (asked) names.append(names.empty() ? "" : ", ").append(knob);
  };
  add(config.tags.all, "tags.all");
  add(config.tags.top_bytes > usual.top_bytes, "tags.top_bytes");
  add(config.tags.top_outstanding > usual.top_outstanding, "tags.top_outstanding");
  add(config.tags.top_growth > usual.top_growth, "tags.top_growth");
  add(config.tags.top_session > usual.top_session, "tags.top_session");
  add(config.tags.max_exported > usual.max_exported && config.tags.include.empty(), "tags.max_exported");
  add(config.processes.top > Processes{}.top, "processes.top");
  if (names.empty()) return {};
  return "metrics.profile lean exports suspects and tags.include only, so these do nothing: " + names;
}

}  // namespace kmem::config
