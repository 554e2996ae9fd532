#include "exporter/metrics/self_metrics.h"

#include <gmock/gmock.h>

#include <thread>

#include "exporter/encode/encode.h"
#include "exporter/metrics/build_info.h"
#include "tests/exporter/metrics/sample_input.h"

namespace kmem::metrics {
namespace {

using testing::Contains;
using testing::ElementsAre;

std::vector<prometheus::MetricFamily> collected(const SelfMetrics& self_metrics, const self::SelfUsage& usage = {}) {
  std::vector<prometheus::MetricFamily> out;
  self_metrics.collect(usage, out);
  return out;
}

TEST(SelfMetrics, RequestsByHandlerAndCode) {
  SelfMetrics self_metrics({"metrics", "index"});
  for (int i = 0; i < 3; ++i) self_metrics.observe_request("metrics", 200, 0.002);
  self_metrics.observe_request("index", 404, 0.0001);
  const auto families = collected(self_metrics);
  EXPECT_THAT(lines(families, "kmem_exporter_http_requests_total"),
              ElementsAre("code=200 handler=metrics 3", "code=404 handler=index 1"));

  const auto& histogram = find(families, "kmem_exporter_http_request_duration_seconds")->metric.at(0).histogram;
  EXPECT_EQ(histogram.sample_count, 4U);
  EXPECT_DOUBLE_EQ(histogram.sample_sum, 0.0061);
  EXPECT_EQ(histogram.bucket.at(0).cumulative_count, 1U);  // 0.5 ms
  EXPECT_EQ(histogram.bucket.at(2).cumulative_count, 4U);  // 2.5 ms
}

TEST(SelfMetrics, LabelsAreBounded) {
  SelfMetrics self_metrics({"metrics"});
  for (int i = 0; i < 2000; ++i) {
    self_metrics.observe_request("/" + std::to_string(i), 100 + i, 0.1);
    self_metrics.count_rejection("reason " + std::to_string(i));
  }
  const auto families = collected(self_metrics);
  EXPECT_EQ(find(families, "kmem_exporter_http_requests_total")->metric.size(), 15U);
  EXPECT_THAT(lines(families, "kmem_exporter_http_requests_total"), Contains("code=other handler=other 1986"));
  EXPECT_EQ(find(families, "kmem_exporter_guard_rejections_total")->metric.size(), 17U);
  EXPECT_THAT(lines(families, "kmem_exporter_guard_rejections_total"), Contains("reason=other 2000"));
}

TEST(SelfMetrics, WhoeverTriesEverythingMakesNoMoreSeriesThanAreKeptForThem) {
  SelfMetrics self_metrics({"a", "b", "c", "d", "e", "f"});
  self_metrics.set_config_reload(true, 1'000);
  self_metrics.observe_request("a", 200, 0.1);
  for (const int code : {200, 304, 400, 401, 403, 404, 405, 408})
    for (const char* handler : {"b", "c", "d", "e", "f"}) self_metrics.observe_request(handler, code, 0.1);
  self_metrics.observe_request("a", 200, 0.1);
  const auto families = collected(self_metrics, {1.5, 8'388'608, 1'767'225'600.5, 12});
  const auto requests = lines(families, "kmem_exporter_http_requests_total");
  EXPECT_EQ(requests.size(), SelfMetrics::kMostRequests + 1);
  EXPECT_THAT(requests, Contains("code=200 handler=a 2"));
  EXPECT_THAT(requests, Contains("code=other handler=other 25"));
  std::string page;
  EXPECT_EQ(encode::encode(families, encode::Format::kText004, page), 0U);
  std::size_t series = 0;
  for (std::size_t at = 0; at < page.size(); at = page.find('\n', at) + 1) series += page[at] != '#';
  EXPECT_EQ(series, SelfMetrics::kMostSeries);
}

TEST(SelfMetrics, RejectionsStartAtZero) {
  SelfMetrics self_metrics({});
  self_metrics.count_rejection("timeout");
  EXPECT_THAT(
      lines(collected(self_metrics), "kmem_exporter_guard_rejections_total"),
      ElementsAre("reason=body 0", "reason=busy 0", "reason=connections 0", "reason=descriptors 0",
                  "reason=headers_too_large 0", "reason=host 0", "reason=malformed 0", "reason=memory 0", "reason=method 0",
                  "reason=other 0", "reason=rate_limit 0", "reason=slow_reader 0", "reason=timeout 1", "reason=tls 0",
                  "reason=unauthorized 0", "reason=uri_too_long 0", "reason=version 0"));
}

TEST(SelfMetrics, ReloadKeepsTheTimeOfTheLastSuccess) {
  SelfMetrics self_metrics({});
  EXPECT_EQ(find(collected(self_metrics), "kmem_exporter_config_last_reload_successful"), nullptr);
  self_metrics.set_config_reload(true, 1'767'225'600'250);
  self_metrics.set_config_reload(false, 1'767'225'700'000);
  const auto families = collected(self_metrics);
  EXPECT_THAT(lines(families, "kmem_exporter_config_last_reload_successful"), ElementsAre("0"));
  EXPECT_THAT(lines(families, "kmem_exporter_config_last_reload_success_timestamp_seconds"), ElementsAre("1767225600.25"));
}

TEST(SelfMetrics, ProcessNumbersThatTheOsGives) {
  const SelfMetrics self_metrics({});
  const auto families = collected(self_metrics, {1.5, 8'388'608, 1'767'225'600.5, 12});
  EXPECT_THAT(lines(families, "process_cpu_seconds_total"), ElementsAre("1.5"));
  EXPECT_THAT(lines(families, "process_resident_memory_bytes"), ElementsAre("8388608"));
  EXPECT_THAT(lines(families, "process_start_time_seconds"), ElementsAre("1767225600.5"));
  const bool fds = find(families, "process_open_fds") != nullptr;
  EXPECT_THAT(lines(families, fds ? "process_open_fds" : "process_handles"), ElementsAre("12"));
  EXPECT_EQ(find(families, fds ? "process_handles" : "process_open_fds"), nullptr);

  const auto silent = collected(self_metrics);
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds",
                           "process_open_fds", "process_handles"})
    EXPECT_EQ(find(silent, name), nullptr) << name;
}

TEST(SelfMetrics, BuildInfo) {
  const BuildInfo build = build_info();
  EXPECT_FALSE(build.version.empty());
  EXPECT_FALSE(build.revision.empty());
  EXPECT_NE(build.compiler.find(' '), build.compiler.npos);
  const auto families = collected(SelfMetrics({}));
  EXPECT_THAT(lines(families, "kmem_exporter_build_info"),
              ElementsAre("compiler=" + std::string(build.compiler) + " revision=" + std::string(build.revision) +
                          " version=" + std::string(build.version) + " 1"));
}

TEST(SelfMetrics, AppendsAndEncodes) {
  std::vector<prometheus::MetricFamily> families = linux_input().families();
  const std::size_t kernel = families.size();
  SelfMetrics({"metrics"}).collect({1.5, 1, 2, 3}, families);
  EXPECT_EQ(families.at(kernel).name, "kmem_exporter_build_info");
  EXPECT_TRUE(families.back().name.starts_with("process_"));
  std::string page;
  EXPECT_EQ(encode::encode(families, encode::Format::kOpenMetrics100, page), 0U);
  EXPECT_NE(page.find("# TYPE kmem_exporter_build info\n"), page.npos);
  EXPECT_NE(page.find("\nkmem_exporter_http_request_duration_seconds_bucket{le=\"0.0005\"} 0\n"), page.npos);
  EXPECT_NE(page.find("\n# TYPE process_cpu_seconds counter\n# UNIT process_cpu_seconds seconds\n"
                      "process_cpu_seconds_total 1.5\n"),
            page.npos);
}

TEST(SelfMetrics, ManyThreads) {
  SelfMetrics self_metrics({"metrics"});
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&self_metrics] {
        for (int i = 0; i < 500; ++i) {
          self_metrics.observe_request("metrics", i % 2 == 0 ? 200 : 503, 0.01);
          self_metrics.count_rejection(i % 2 == 0 ? "busy" : "what");
          self_metrics.set_config_reload(true, i);
          if (i % 100 == 0) (void)collected(self_metrics);
        }
      });
  }
  const auto families = collected(self_metrics);
  EXPECT_THAT(lines(families, "kmem_exporter_http_requests_total"),
              ElementsAre("code=200 handler=metrics 1000", "code=503 handler=metrics 1000"));
  EXPECT_THAT(lines(families, "kmem_exporter_guard_rejections_total"), Contains("reason=other 1000"));
}

}  // namespace
}  // namespace kmem::metrics
