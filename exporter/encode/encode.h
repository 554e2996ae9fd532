// STAGE 5: metric families -> the bytes of a page, in Prometheus text 0.0.4 or OpenMetrics 1.0.0.
// Counters without _total, gauges named *_info and units in names are turned into what OpenMetrics asks for.
// Pure; any thread. Failure: nothing makes a page illegal. Bytes that no parser takes (bad UTF-8, control characters)
// become \xNN text; families and series with illegal or repeated names are left out and counted.
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "exporter/encode/negotiate.h"

namespace kmem::encode {

/// Replaces `out`, keeping its memory. Returns how many families and series were left out.
std::size_t encode(const std::vector<prometheus::MetricFamily>& families, Format format, std::string& out);

/// As encode(), page after page: what a family's lines begin with is kept, and only values are written while its stamp
/// stays. Thread: one caller at a time.
class PageEncoder {
 public:
  struct Group {
    std::span<const prometheus::MetricFamily> families;
    /// One a family, or none: while it is the same and not 0, so are the family's name, help, type, series and labels.
    std::span<const std::uint64_t> stamps;
  };
  std::size_t encode(std::initializer_list<Group> groups, Format format, std::string& out);

  /// What stands still of one family.
  struct Kept {
    std::uint64_t stamp = 0;  // 0 = nothing is kept
    bool all_one = false;     // of OpenMetrics, which calls such a gauge named *_info an info
    std::size_t left_out = 0;
    std::string text;                 // the family's head and the head of each line, one behind the other
    std::vector<std::uint32_t> ends;  // of each of them in text; a series that is left out has an empty one
  };

 private:
  Format format_ = Format::kText004;
  std::vector<Kept> kept_;  // in the page's order
};

}  // namespace kmem::encode
