#include "exporter/agent/metrics_page.h"

namespace kmem {

const std::string& MetricsPage::make(Monitor::Hold& hold, encode::Format format, const self::SelfUsage& usage,
                                     const metrics::Collect& collect) {
  Monitor::Known& known = *hold;
  metrics::TrendView* const trend = known.trend ? &known.trend->view() : nullptr;
  if (trend != nullptr) keeper_.describe(*trend);
  // The families of a whole page keep what need not be copied anew; a part of it leaves them alone.
  std::vector<prometheus::MetricFamily> part;
  const bool same_as_before = known.owners.same_as_before;
  const bool whole = collect.all();
  auto& families = whole ? families_ : part;
  if (!whole) known.owners.same_as_before = false;
  metrics::build_families(known.metrics_input(), families, whole ? &family_stamps_ : nullptr);
  known.owners.same_as_before = whole || same_as_before;
  if (!whole) metrics::keep_collected(collect, families);
  self_metrics_.collect(usage, self_families_, self_family_stamps_, known.exported.only_lean);
  const encode::PageEncoder::Group own{self_families_, self_family_stamps_};
  std::size_t left_out = 0;
  if (whole) {
    left_out = encoder_.encode({{families_, family_stamps_}, own}, format, text_);
  } else {
    left_out = encode::PageEncoder().encode({{part, {}}, own}, format, text_);
  }
  self_metrics_.count_left_out(left_out);
  return text_;
}

}  // namespace kmem
