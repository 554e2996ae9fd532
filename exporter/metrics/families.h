// STAGE 4: Snapshot and Selection -> metric families, by the catalogue. Pure; any thread. Failure: none. What the
// kernel did not give is left out, and so is a family without samples.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "collectors/snapshot.h"
#include "exporter/metrics/tag_owners.h"
#include "exporter/metrics/trend_view.h"
#include "exporter/select/selection.h"

namespace kmem::metrics {

struct MetricsInput {
  const Snapshot& snapshot;
  const select::Selection& selection;
  bool tag_counters = true;  // config::Tags::counters
  const TrendView* trend = nullptr;
  const TagOwners* owners = nullptr;
  std::span<const std::string_view> findings = {};  // names of those that are raised, each once
  bool only_lean = false;                           // rows of the lean profile
  bool whole_tags = true;                           // verdicts and counters of tags that are no suspects, too
};

/// One a family: another number than ever before when its name, its series or a label of them is not as it was.
using LabelStamps = std::vector<std::uint64_t>;

/// Replaces `out`, reusing the families that are already there. `stamps` are those of the same `out`.
void build_families(const MetricsInput& in, std::vector<prometheus::MetricFamily>& out, LabelStamps* stamps = nullptr);

/// Of an exported pool's tags, those with the most memory in large allocations are told so.
inline constexpr std::size_t kMostBigTags = 8;

/// Series that the host has whichever tags, processes and sessions are exported; of slopes all that may still come.
/// What the exporter tells about itself is not among them.
[[nodiscard]] std::size_t series_beside_tags(const MetricsInput& in);

}  // namespace kmem::metrics
