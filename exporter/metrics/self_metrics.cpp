#include "exporter/metrics/self_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <array>
#include <map>

#include "exporter/metrics/build_info.h"
#include "exporter/metrics/catalogue.h"
#include "exporter/metrics/samples.h"

namespace kmem::metrics {
namespace {

constexpr std::string_view kOther = "other";
constexpr std::array<int, 14> kCodes = {200, 304, 400, 401, 403, 404, 405, 408, 413, 414, 431, 500, 503, 505};
constexpr std::array<std::string_view, 17> kReasons = {"malformed",   "method",  "body", "version",
                                                       "uri_too_long", "headers_too_large", "timeout", "busy",
                                                       "connections", "slow_reader", "descriptors", "memory", "tls",
                                                       "unauthorized", "rate_limit", "host", kOther};
// No whole numbers: their label reads "1" in text and "1.0" in OpenMetrics, which would be two series.
const std::vector<double> kDurationBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 2.5};

#ifdef _WIN32
constexpr std::string_view kHandlesName = "process_handles";
#else
constexpr std::string_view kHandlesName = "process_open_fds";
#endif

template <typename Builder>
auto& family(Builder builder, std::string_view name, prometheus::Registry& registry) {
  return builder.Name(std::string(name)).Help(std::string(catalogue_row(name).help)).Register(registry);
}

void append(std::string_view name, double value, std::vector<prometheus::MetricFamily>& out) {
  Samples(catalogue_row(name), out.emplace_back()).add(value);
}

}  // namespace

struct SelfMetrics::Registered {
  prometheus::Registry registry;
  std::vector<std::string> handlers;
  prometheus::Family<prometheus::Counter>& requests;
  prometheus::Histogram& duration_seconds;
  prometheus::Counter& left_out;
  std::map<std::string_view, prometheus::Counter*> rejections;
  prometheus::Family<prometheus::Gauge>& reload_successful;
  prometheus::Family<prometheus::Gauge>& reload_success_timestamp_seconds;

  explicit Registered(const std::vector<std::string>& names)
      : handlers(names),
        requests(family(prometheus::BuildCounter(), "kmem_exporter_http_requests_total", registry)),
        duration_seconds(
            family(prometheus::BuildHistogram(), "kmem_exporter_http_request_duration_seconds", registry)
                .Add({}, kDurationBounds)),
        left_out(family(prometheus::BuildCounter(), "kmem_exporter_series_left_out_total", registry).Add({})),
        reload_successful(family(prometheus::BuildGauge(), "kmem_exporter_config_last_reload_successful", registry)),
        reload_success_timestamp_seconds(family(
            prometheus::BuildGauge(), "kmem_exporter_config_last_reload_success_timestamp_seconds", registry)) {
    const BuildInfo build = build_info();
    family(prometheus::BuildGauge(), "kmem_exporter_build_info", registry)
        .Add({{"version", std::string(build.version)},
              {"revision", std::string(build.revision)},
              {"compiler", std::string(build.compiler)}})
        .Set(1);
    auto& rejected = family(prometheus::BuildCounter(), "kmem_exporter_guard_rejections_total", registry);
    for (const std::string_view reason : kReasons)
      rejections[reason] = &rejected.Add({{"reason", std::string(reason)}});
  }
};

SelfMetrics::SelfMetrics(const std::vector<std::string>& handlers)
    : registered_(std::make_unique<Registered>(handlers)) {}
SelfMetrics::~SelfMetrics() = default;

void SelfMetrics::observe_request(std::string_view handler, int code, double duration_seconds) {
  const auto& handlers = registered_->handlers;
  const bool known_handler = std::find(handlers.begin(), handlers.end(), handler) != handlers.end();
  const bool known_code = std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
  registered_->requests
      .Add({{"handler", std::string(known_handler ? handler : kOther)},
            {"code", known_code ? std::to_string(code) : std::string(kOther)}})
      .Increment();
  registered_->duration_seconds.Observe(duration_seconds);
}

void SelfMetrics::count_rejection(std::string_view reason) {
  const auto known = registered_->rejections.find(reason);
  (known != registered_->rejections.end() ? known->second : registered_->rejections.at(kOther))->Increment();
}

void SelfMetrics::count_left_out(std::size_t series) {
  if (series > 0) registered_->left_out.Increment(static_cast<double>(series));
}

void SelfMetrics::set_config_reload(bool successful, base::UnixMillis now) {
  registered_->reload_successful.Add({}).Set(successful ? 1 : 0);
  if (successful) registered_->reload_success_timestamp_seconds.Add({}).Set(static_cast<double>(now) / 1000.0);
}

void SelfMetrics::collect(const self::SelfUsage& usage, std::vector<prometheus::MetricFamily>& out) const {
  const auto first = static_cast<std::ptrdiff_t>(out.size());
  for (prometheus::MetricFamily& family : registered_->registry.Collect()) {
    if (family.metric.empty()) continue;
    // The registry keeps series in a hash map; pages should read the same from one scrape to the next.
    for (prometheus::ClientMetric& metric : family.metric) std::sort(metric.label.begin(), metric.label.end());
    std::sort(family.metric.begin(), family.metric.end(),
              [](const auto& a, const auto& b) { return a.label < b.label; });
    out.push_back(std::move(family));
  }
  // 0 is how the OS' silence comes here, and no running program has any of these at 0.
  if (usage.cpu_seconds > 0) append("process_cpu_seconds_total", usage.cpu_seconds, out);
  if (usage.resident_bytes > 0) append("process_resident_memory_bytes", static_cast<double>(usage.resident_bytes), out);
  if (usage.start_time_seconds > 0) append("process_start_time_seconds", usage.start_time_seconds, out);
  if (usage.open_handles) append(kHandlesName, static_cast<double>(*usage.open_handles), out);

  const auto rank = [](const prometheus::MetricFamily& family) { return &catalogue_row(family.name); };
  std::sort(out.begin() + first, out.end(), [rank](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

}  // namespace kmem::metrics
