// STAGE 5: metric families -> the bytes of a page, in Prometheus text 0.0.4 or OpenMetrics 1.0.0.
// Counters without _total, gauges named *_info and units in names are turned into what OpenMetrics asks for.
// Pure; any thread. Failure: nothing makes a page illegal. Bytes that no parser takes (bad UTF-8, control characters)
// become \xNN text; families and series with illegal or repeated names are left out and counted.
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <string>
#include <vector>

#include "exporter/encode/negotiate.h"

namespace kmem::encode {

/// Replaces `out`, keeping its memory. Returns how many families and series were left out.
std::size_t encode(const std::vector<prometheus::MetricFamily>& families, Format format, std::string& out);

}  // namespace kmem::encode
