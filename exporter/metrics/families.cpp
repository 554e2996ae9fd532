#include "exporter/metrics/families.h"

#include "exporter/metrics/catalogue.h"
#include "exporter/metrics/samples.h"

namespace kmem::metrics {

void build_families(const MetricsInput& in, std::vector<prometheus::MetricFamily>& out) {
  std::size_t used = 0;
  for (const MetricRow& row : catalogue()) {
    if (row.fill == nullptr) continue;
    if (used == out.size()) out.emplace_back();
    Samples samples(row, out[used]);
    row.fill(in, samples);
    if (!samples.empty()) ++used;
  }
  out.resize(used);
}

}  // namespace kmem::metrics
