// STAGE 4, beside the kernel's families: what the exporter tells about itself. Every label set is bounded:
// handlers are named at construction, codes and reasons are fixed lists, the rest is "other".
// Thread: any, all at once. Failure: none.
#pragma once

#include <prometheus/metric_family.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/self/self.h"
#include "exporter/metrics/families.h"

namespace kmem::metrics {

class FamilyList;

class SelfMetrics {
 public:
  /// Series at most. Of requests kMostRequests pairs of handler and code are told, each the first of its kind; what else
  /// comes, as who tries everything makes it, is "other".
  static constexpr std::size_t kMostRequests = 16, kMostSeries = 56;

  /// `handlers` are the possible values of the label handler; any other becomes "other".
  explicit SelfMetrics(const std::vector<std::string>& handlers);
  ~SelfMetrics();
  SelfMetrics(const SelfMetrics&) = delete;
  SelfMetrics& operator=(const SelfMetrics&) = delete;

  void observe_request(std::string_view handler, int code, double duration_seconds);
  void count_rejection(std::string_view reason);
  void count_left_out(std::size_t series);
  void set_config_reload(bool successful, base::UnixMillis now);

  /// Appends to `out`, in the catalogue's order.
  void collect(const self::SelfUsage& usage, std::vector<prometheus::MetricFamily>& out) const;
  /// Replaces `out`, as build_families() does.
  void collect(const self::SelfUsage& usage, std::vector<prometheus::MetricFamily>& out, LabelStamps& stamps,
               bool only_lean = false) const;

 private:
  void fill(const self::SelfUsage& usage, FamilyList& list, bool only_lean) const;

  struct Counted;
  std::unique_ptr<Counted> counted_;
};

}  // namespace kmem::metrics
