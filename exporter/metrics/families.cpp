#include "exporter/metrics/families.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <vector>

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

/// Rows that are told of the host, whichever tags, processes and sessions are; slopes are counted apart.
std::span<const MetricRow* const> rows_beside_tags() {
  static const std::vector<const MetricRow*> rows = [] {
    std::vector<const MetricRow*> found;
    for (const MetricRow& row : catalogue()) {
      const auto has = [&row](std::string_view label) { return has_label(row, label); };
      if (row.fill != nullptr && !has("tag") && !has("process") && !has("session") && !has("window")) found.push_back(&row);
    }
    return found;
  }();
  return rows;
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
  prometheus::MetricFamily nowhere;
  nowhere.metric.emplace_back();
  for (const MetricRow* const row : rows_beside_tags()) {
    if (in.only_lean && !row->lean) continue;
    Samples samples(*row, nowhere, Samples::Counting{});
    row->fill(in, samples);
    series += samples.count();
  }
  return series;
}

}  // namespace kmem::metrics
