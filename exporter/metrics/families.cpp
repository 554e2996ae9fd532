#include "exporter/metrics/families.h"

#include <algorithm>
#include <array>

#include "exporter/metrics/catalogue.h"
#include "exporter/metrics/family_list.h"

namespace kmem::metrics {
namespace {

bool has_label(const MetricRow& row, std::string_view label) {
  return std::find(row.labels.begin(), row.labels.end(), label) != row.labels.end();
}

std::size_t slopes_of_totals(const MetricsInput& in) {
  if (in.trend == nullptr) return 0;
  // They come with the weeks; their place is theirs from the start.
  std::size_t totals = in.trend->pools.size();
  for (const auto& number : {in.snapshot.unaccounted_bytes, in.snapshot.commit_bytes, in.snapshot.system_ptes_free})
    totals += number ? 1 : 0;
  return totals * kTrendWindows.size();
}

std::size_t big_tags(const MetricsInput& in) {
  std::array<std::size_t, kPoolCount> tags{};
  for (const BigPoolUsage& row : in.snapshot.big_pool) ++tags[static_cast<std::size_t>(row.pool)];
  std::size_t told = 0;
  for (const std::size_t count : tags) told += std::min(count, kMostBigTags);
  return told;
}

}  // namespace

void build_families(const MetricsInput& in, std::vector<prometheus::MetricFamily>& out, LabelStamps* stamps) {
  FamilyList list(out, stamps, 0);
  for (const MetricRow& row : catalogue())
    if (row.fill != nullptr && (row.lean || !in.only_lean)) list.fill(row, [&](Samples& samples) { row.fill(in, samples); });
}

std::size_t series_beside_tags(const MetricsInput& in) {
  constexpr std::size_t kOfABigTag = 2;
  std::size_t series = slopes_of_totals(in) + kOfABigTag * big_tags(in);
  prometheus::MetricFamily family;
  for (const MetricRow& row : catalogue()) {
    if (row.fill == nullptr || (in.only_lean && !row.lean)) continue;
    if (has_label(row, "tag") || has_label(row, "process") || has_label(row, "session") || has_label(row, "window")) continue;
    Samples samples(row, family);
    row.fill(in, samples);
    samples.end();
    if (!samples.empty()) series += family.metric.size();
  }
  return series;
}

}  // namespace kmem::metrics
