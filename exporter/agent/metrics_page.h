// STAGES 4 and 5 in the agent: what the monitor knows -> the bytes of a metrics page. Keeps of the page before what
// stands still. Thread: none of its own; whoever holds the monitor. Failure: none; series that no page may have are left
// out and counted.
#pragma once

#include <string>
#include <vector>

#include "collectors/self/self.h"
#include "exporter/agent/keeper.h"
#include "exporter/agent/monitor.h"
#include "exporter/encode/encode.h"
#include "exporter/metrics/collect.h"
#include "exporter/metrics/families.h"
#include "exporter/metrics/self_metrics.h"

namespace kmem {

class MetricsPage {
 public:
  /// Both outlive this.
  MetricsPage(const Keeper& keeper, metrics::SelfMetrics& self_metrics) : keeper_(keeper), self_metrics_(self_metrics) {}

  /// Of what is known, and of `usage`. The page stays until the next is made.
  const std::string& make(Monitor::Hold& hold, encode::Format format, const self::SelfUsage& usage,
                          const metrics::Collect& collect = {});

 private:
  const Keeper& keeper_;
  metrics::SelfMetrics& self_metrics_;
  std::vector<prometheus::MetricFamily> families_, self_families_;
  metrics::LabelStamps family_stamps_, self_family_stamps_;
  encode::PageEncoder encoder_;
  std::string text_;
};

}  // namespace kmem
