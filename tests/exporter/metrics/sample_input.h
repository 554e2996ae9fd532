// A hand-built reading of each system with every field set that the system can give, and what selection makes of it.
#pragma once

#include "exporter/metrics/families.h"

namespace kmem::metrics {

struct SampleInput {
  Snapshot snapshot;
  select::Selection selection;
  TrendView trend;
  TagOwners owners;
  std::vector<std::string_view> findings = {};

  [[nodiscard]] std::vector<prometheus::MetricFamily> families(bool tag_counters = true) const;
};

SampleInput linux_input();
SampleInput windows_input();

/// nullptr if there is no such family.
const prometheus::MetricFamily* find(const std::vector<prometheus::MetricFamily>& families, std::string_view name);

/// "a=x b=y value" of every sample, in order.
std::vector<std::string> lines(const std::vector<prometheus::MetricFamily>& families, std::string_view name);

}  // namespace kmem::metrics
