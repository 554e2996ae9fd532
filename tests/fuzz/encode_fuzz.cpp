// links: kmem_encode
// Any bytes as HELP, label value and metric name: the page stays in lines that parsers take, and a repeated series is
// written once.
#include <prometheus/metric_family.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "exporter/encode/encode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  prometheus::ClientMetric metric;
  metric.label = {{"tag", bytes}};
  prometheus::ClientMetric other = metric;
  other.label.push_back({"pool", "paged"});
  std::string page;
  for (const auto format : {kmem::encode::Format::kText004, kmem::encode::Format::kOpenMetrics100}) {
    const bool openmetrics = format == kmem::encode::Format::kOpenMetrics100;
    kmem::encode::encode({{"v", bytes, prometheus::MetricType::Gauge, {metric, other, metric}}}, format, page);
    std::size_t lines = 0;
    for (const char c : page) {
      lines += c == '\n';
      if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') std::abort();
    }
    if (lines != (size > 0 ? 4U : 3U) + (openmetrics ? 1U : 0U)) std::abort();
    kmem::encode::encode({{bytes, "", prometheus::MetricType::Counter, {metric}}}, format, page);
  }
  return 0;
}
