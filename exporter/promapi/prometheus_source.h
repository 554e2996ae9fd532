// A Prometheus server's HTTP API -> the history of its hosts, one after the other, by the floors of every hour:
// min_over_time, of free entries max_over_time. A query asks for a window of time and a group of series, far below what
// servers refuse (11,000 points a series, 50 million samples a query). What is refused none the less is asked for
// again in halves. Memory: one window of one host. Thread: one.
// Failure: kInvalid for a server that is none or a selection without series; a host that cannot be had is noted.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/result.h"
#include "collectors/history/history.h"
#include "exporter/promapi/http_client.h"

namespace kmem::promapi {

struct Selector {
  std::string label;
  std::string value;
  bool is_pattern = false;  // =~
};

struct Question {
  std::string url;  // for messages
  std::vector<Selector> selectors;
  std::string host;  // the only one asked for, by its label instance; empty: all
  std::chrono::milliseconds range{};
  base::UnixMillis now = 0;
  std::size_t window_points = 1'000'000;  // of 16 bytes, in memory at once
};

[[nodiscard]] base::Result<std::unique_ptr<history::HistorySource>> ask_prometheus(HttpGetter& http, Question question);

}  // namespace kmem::promapi
