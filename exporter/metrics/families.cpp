#include "exporter/metrics/families.h"

#include "exporter/metrics/catalogue.h"
#include "exporter/metrics/family_list.h"

namespace kmem::metrics {

void build_families(const MetricsInput& in, std::vector<prometheus::MetricFamily>& out, LabelStamps* stamps) {
  FamilyList list(out, stamps, 0);
  for (const MetricRow& row : catalogue())
    if (row.fill != nullptr && (row.lean || !in.only_lean)) list.fill(row, [&](Samples& samples) { row.fill(in, samples); });
}

}  // namespace kmem::metrics
