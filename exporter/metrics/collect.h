// STAGE 4: a scrape's collect[]= and exclude[]=, as node_exporter has them -> the families of those collectors alone.
// What the exporter says of itself and of its history's state stays. Thread: pure.
// Failure: kInvalid with a message for the client.
#pragma once

#include <prometheus/metric_family.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::metrics {

struct Collect {
  std::vector<std::string> only, without;
  [[nodiscard]] bool all() const { return only.empty() && without.empty(); }
};

/// Of a URL's query; other parameters are the scraper's own.
[[nodiscard]] base::Result<Collect> parse_collect(std::string_view query);
/// kInvalid where a collector is asked for that no part is of.
[[nodiscard]] base::Result<void> check_collect(const Collect& collect, std::span<const PartStatus> parts);
void keep_collected(const Collect& collect, std::vector<prometheus::MetricFamily>& families);

/// Whose figures a family has; none: the exporter's own. `pool`: of a sample that has that label.
[[nodiscard]] std::span<const std::string_view> collectors_of(std::string_view family, std::string_view pool);

}  // namespace kmem::metrics
