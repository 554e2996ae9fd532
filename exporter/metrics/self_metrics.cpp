#include "exporter/metrics/self_metrics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>

#include "exporter/metrics/build_info.h"
#include "exporter/metrics/catalogue.h"
#include "exporter/metrics/family_list.h"

namespace kmem::metrics {
namespace {

constexpr std::string_view kOther = "other";
constexpr std::array<int, 14> kCodes = {200, 304, 400, 401, 403, 404, 405, 408, 413, 414, 431, 500, 503, 505};
constexpr auto kCodeNames = [] {
  std::array<std::array<char, 3>, kCodes.size()> names{};
  for (std::size_t i = 0; i < kCodes.size(); ++i)
    names[i] = {static_cast<char>('0' + kCodes[i] / 100), static_cast<char>('0' + kCodes[i] / 10 % 10),
                static_cast<char>('0' + kCodes[i] % 10)};
  return names;
}();
constexpr std::array<std::string_view, 17> kReasons = {
    "body",         "busy",         "connections", "descriptors", "headers_too_large", "host",    "malformed",
    "memory",       "method",       kOther,        "rate_limit",  "slow_reader",       "timeout", "tls",
    "unauthorized", "uri_too_long", "version"};
static_assert(std::is_sorted(kReasons.begin(), kReasons.end()), "pages show them so");
// No whole numbers: their label reads "1" in text and "1.0" in OpenMetrics, which would be two series.
constexpr std::array kDurationBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 2.5};

#ifdef _WIN32
constexpr std::string_view kHandlesName = "process_handles";
#else
constexpr std::string_view kHandlesName = "process_open_fds";
#endif

/// Pages show the exporter's own labels by their names.
MetricRow sorted_row(std::string_view name) {
  MetricRow row = catalogue_row(name);
  const auto end = std::find(row.labels.begin(), row.labels.end(), std::string_view());
  for (auto at = row.labels.begin(); at != end; ++at) std::iter_swap(at, std::min_element(at, end));
  return row;
}

template <typename Names>
std::size_t index_of(const Names& names, std::string_view name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

}  // namespace

struct SelfMetrics::Counted {
  struct OwnRows {
    MetricRow build = sorted_row("kmem_exporter_build_info"), requests = sorted_row("kmem_exporter_http_requests_total"),
              duration = sorted_row("kmem_exporter_http_request_duration_seconds"),
              rejections = sorted_row("kmem_exporter_guard_rejections_total"),
              left_out = sorted_row("kmem_exporter_series_left_out_total"),
              reload = sorted_row("kmem_exporter_config_last_reload_successful"),
              reload_time = sorted_row("kmem_exporter_config_last_reload_success_timestamp_seconds"),
              cpu = sorted_row("process_cpu_seconds_total"), resident = sorted_row("process_resident_memory_bytes"),
              start = sorted_row("process_start_time_seconds"), handles = sorted_row(kHandlesName);
  };

  explicit Counted(std::vector<std::string> names)
      : handlers(std::move(names)), requests(handlers.size() * (kCodes.size() + 1)) {}

  const OwnRows rows;
  const std::vector<std::string> handlers;           // sorted, "other" among them
  std::vector<std::atomic<std::uint64_t>> requests;  // by code, then handler
  std::array<std::atomic<std::uint64_t>, kReasons.size()> rejections{};
  std::atomic<std::uint64_t> left_out{0};
  std::mutex mutex;  // of what follows
  std::array<std::uint64_t, kDurationBounds.size() + 1> durations{};
  double duration_sum = 0;
  std::size_t request_series = 0;  // and what came beyond them
  std::optional<bool> reload_successful;
  std::optional<double> reload_success_seconds;
};

namespace {

std::vector<std::string> with_other(std::vector<std::string> handlers) {
  handlers.emplace_back(kOther);
  std::sort(handlers.begin(), handlers.end());
  handlers.erase(std::unique(handlers.begin(), handlers.end()), handlers.end());
  return handlers;
}

}  // namespace

SelfMetrics::SelfMetrics(const std::vector<std::string>& handlers)
    : counted_(std::make_unique<Counted>(with_other(handlers))) {}
SelfMetrics::~SelfMetrics() = default;

void SelfMetrics::observe_request(std::string_view handler, int code, double duration_seconds) {
  const auto& handlers = counted_->handlers;
  std::size_t row = index_of(handlers, handler);
  if (row == handlers.size()) row = index_of(handlers, kOther);
  const auto code_at = static_cast<std::size_t>(std::find(kCodes.begin(), kCodes.end(), code) - kCodes.begin());
  const std::scoped_lock lock(counted_->mutex);
  std::atomic<std::uint64_t>* requests = &counted_->requests[code_at * handlers.size() + row];
  if (*requests == 0 && counted_->request_series++ >= kMostRequests)
    requests = &counted_->requests[kCodes.size() * handlers.size() + index_of(handlers, kOther)];
  ++*requests;
  ++counted_->durations[static_cast<std::size_t>(
      std::lower_bound(kDurationBounds.begin(), kDurationBounds.end(), duration_seconds) - kDurationBounds.begin())];
  counted_->duration_sum += duration_seconds;
}

void SelfMetrics::count_rejection(std::string_view reason) {
  const std::size_t known = index_of(kReasons, reason);
  ++counted_->rejections[known < kReasons.size() ? known : index_of(kReasons, kOther)];
}

void SelfMetrics::count_left_out(std::size_t series) { counted_->left_out += series; }

void SelfMetrics::set_config_reload(bool successful, base::UnixMillis now) {
  const std::scoped_lock lock(counted_->mutex);
  counted_->reload_successful = successful;
  if (successful) counted_->reload_success_seconds = static_cast<double>(now) / 1000.0;
}

void SelfMetrics::collect(const self::SelfUsage& usage, std::vector<prometheus::MetricFamily>& out) const {
  FamilyList list(out, nullptr, out.size());
  fill(usage, list, false);
}

void SelfMetrics::collect(const self::SelfUsage& usage, std::vector<prometheus::MetricFamily>& out, LabelStamps& stamps,
                          bool only_lean) const {
  FamilyList list(out, &stamps, 0);
  fill(usage, list, only_lean);
}

void SelfMetrics::fill(const self::SelfUsage& usage, FamilyList& list, bool only_lean) const {
  const Counted::OwnRows& rows = counted_->rows;
  const auto fill_row = [&list, only_lean](const MetricRow& row, auto&& filler) {
    if (row.lean || !only_lean) list.fill(row, filler);
  };
  const auto value = [&fill_row](const MetricRow& row, std::optional<double> number) {
    if (number) fill_row(row, [&](Samples& out) { out.add(*number); });
  };
  const std::scoped_lock lock(counted_->mutex);
  fill_row(rows.build, [](Samples& out) {
    const BuildInfo build = build_info();
    out.add(1, {build.compiler, build.revision, build.version});
  });
  fill_row(rows.requests, [this](Samples& out) {
    const auto& handlers = counted_->handlers;
    for (std::size_t i = 0; i < counted_->requests.size(); ++i) {
      const std::uint64_t count = counted_->requests[i];
      if (count == 0) continue;
      const std::size_t code = i / handlers.size();
      out.add(static_cast<double>(count),
              {code < kCodes.size() ? std::string_view(kCodeNames[code].data(), 3) : kOther, handlers[i % handlers.size()]});
    }
  });
  fill_row(rows.duration, [this](Samples& out) {
    std::uint64_t total = 0;
    for (const std::uint64_t count : counted_->durations) total += count;
    auto& histogram = out.next({}).histogram;
    histogram.sample_count = total;
    histogram.sample_sum = counted_->duration_sum;
    histogram.bucket.resize(counted_->durations.size());
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < counted_->durations.size(); ++i)
      histogram.bucket[i] = {below += counted_->durations[i],
                             i < kDurationBounds.size() ? kDurationBounds[i] : std::numeric_limits<double>::infinity()};
  });
  fill_row(rows.rejections, [this](Samples& out) {
    for (std::size_t i = 0; i < kReasons.size(); ++i)
      out.add(static_cast<double>(counted_->rejections[i].load()), {kReasons[i]});
  });
  value(rows.left_out, static_cast<double>(counted_->left_out.load()));
  value(rows.reload, counted_->reload_successful);
  value(rows.reload_time, counted_->reload_success_seconds);
  // 0 is how the OS' silence comes here, and no running program has any of these at 0.
  if (usage.cpu_seconds > 0) value(rows.cpu, usage.cpu_seconds);
  if (usage.resident_bytes > 0) value(rows.resident, static_cast<double>(usage.resident_bytes));
  if (usage.start_time_seconds > 0) value(rows.start, usage.start_time_seconds);
  if (usage.open_handles) value(rows.handles, static_cast<double>(*usage.open_handles));
}

}  // namespace kmem::metrics
