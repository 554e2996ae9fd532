// STAGE 4: the one list of everything that is exported. A row carries name, type, unit, labels, HELP and how it is
// filled; adding a gauge is a field in collectors/snapshot.h, a parser line and a row here.
// Thread: constant data.
#pragma once

#include <prometheus/metric_type.h>

#include <array>
#include <span>
#include <string_view>

namespace kmem::metrics {

struct MetricsInput;
class Samples;

struct MetricRow {
  std::string_view name;
  prometheus::MetricType type;
  std::string_view unit;                        // the name's suffix; empty for counts
  std::array<std::string_view, 5> labels;       // unused ones are empty
  std::string_view help;                        // names the original source
  void (*fill)(const MetricsInput&, Samples&);  // nullptr: self_metrics.cpp makes it
  bool lean = false;                            // told with metrics.profile lean, too
  std::string_view collector = {};              // whose figure it is, where collect.cpp does not know by the name
};

[[nodiscard]] std::span<const MetricRow> catalogue();

/// The row of that name, which must exist.
[[nodiscard]] const MetricRow& catalogue_row(std::string_view name);

}  // namespace kmem::metrics
