// The agent's answers over HTTP: routes, and the bodies that go with them. What they show is the gatherer's and the
// monitor's; texts are written with nothing held, but for the metrics page, which keeps its memory from scrape to scrape.
// Thread: any, several at once. Failure: a kernel that gives nothing is 503 with the reason, a request that cannot be
// understood 400, an address that leads nowhere 404.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/result.h"
#include "exporter/agent/gatherer.h"
#include "exporter/agent/keeper.h"
#include "exporter/agent/metrics_page.h"
#include "exporter/agent/monitor.h"
#include "exporter/encode/gzip.h"
#include "exporter/encode/negotiate.h"
#include "exporter/http/server.h"
#include "exporter/metrics/self_metrics.h"

namespace kmem {

class Answers {
 public:
  /// All three outlive this.
  Answers(Monitor& monitor, const Keeper& keeper, const Gatherer& gatherer);

  [[nodiscard]] std::vector<http::Route> routes();
  /// Counts what the server did.
  [[nodiscard]] http::Observer& observer() { return observer_; }
  void count_reload(bool successful, base::UnixMillis now) { self_metrics_.set_config_reload(successful, now); }

  /// As Agent's.
  [[nodiscard]] base::Result<std::string> page(encode::Format format);

 private:
  class RequestCounter final : public http::Observer {
   public:
    explicit RequestCounter(metrics::SelfMetrics& counted) : counted_(counted) {}
    void request_done(std::string_view handler, int code, std::chrono::nanoseconds took) override;
    void rejected(std::string_view reason) override;

   private:
    metrics::SelfMetrics& counted_;
  };

  http::Response serve_metrics(const http::Request& request);
  [[nodiscard]] http::Response serve_page(const http::Request& request) const;
  [[nodiscard]] http::Response serve_api(const http::Request& request) const;

  Monitor& monitor_;
  const Gatherer& gatherer_;
  metrics::SelfMetrics self_metrics_;
  RequestCounter observer_;
  // Whoever holds the monitor:
  MetricsPage metrics_page_;
  encode::Gzip gzip_;
};

}  // namespace kmem
