// A server on a free loopback port with routes for the tests, and a record of what its observer was told.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "collectors/base/clock.h"
#include "exporter/http/server.h"
#include "tests/exporter/http/client.h"

namespace kmem::http {

class RecordingObserver final : public Observer {
 public:
  void request_done(std::string_view handler, int code, std::chrono::nanoseconds duration) override {
    const std::lock_guard lock(mutex_);
    done_.emplace_back(handler, code);
    longest_ = std::max(longest_, duration);
  }
  void rejected(std::string_view reason) override {
    const std::lock_guard lock(mutex_);
    rejected_.emplace_back(reason);
  }

  std::vector<std::pair<std::string, int>> done() {
    const std::lock_guard lock(mutex_);
    return done_;
  }
  std::size_t rejections(std::string_view reason) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count(rejected_.begin(), rejected_.end(), reason));
  }

 private:
  std::mutex mutex_;
  std::vector<std::pair<std::string, int>> done_;
  std::vector<std::string> rejected_;
  std::chrono::nanoseconds longest_{};
};

/// Handlers of /gate wait until it opens.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --waiting_;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool wait_for(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

class HttpServerTest : public testing::Test {
 protected:
  static constexpr std::size_t kLargeBytes = 4'000'000;

  HttpServerTest() { web_.listen_addresses = {"127.0.0.1:0"}; }
  ~HttpServerTest() override { gate_.open(); }

  std::vector<Route> routes() {
    return {{"/metrics", "metrics",
             [](const Request& request) {
               Response response;
               response.content_type = "text/plain; version=0.0.4; charset=utf-8";
               response.body = "up 1\nquery=" + request.query + "\naccept=" + request.accept +
                               "\nencoding=" + request.accept_encoding + "\n";
               return response;
             },
             true},
            {"/etag", "etag",
             [](const Request& request) {
               Response response;
               response.etag = "\"a%0d\"";
               response.headers = {{"Cache-Control", "no-cache"}, {"X-Bad", "a\r\nInjected: 1"}};
               if (request.if_none_match == response.etag) {
                 response.status = 304;
               } else {
                 response.content_encoding = "gzip";
                 response.body = "zipped";
               }
               return response;
             },
             true},
            {"/large", "large", [](const Request&) { return Response{.body = std::string(kLargeBytes, 'x')}; }},
            {"/gate", "gate",
             [this](const Request&) {
               gate_.pass();
               return Response{.body = "through\n"};
             }},
            {"/throw", "throw", [](const Request&) -> Response { throw std::runtime_error("secret detail"); }, true},
            {"/who", "who", [](const Request& request) { return Response{.body = request.remote}; }},
            {"/below/", "below", [](const Request& request) { return Response{.body = "below " + request.path}; }},
            {"/below/exact", "exact", [](const Request&) { return Response{.body = "exact"}; }},
            {"/below/deep/", "deep", [](const Request& request) { return Response{.body = "deep " + request.path}; }}};
  }

  void start() {
    server_ = std::make_unique<Server>(web_, routes(), observer_, clock_);
    const auto started = server_->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    port_ = server_->ports().at(0);
  }

  /// Sends `bytes` on a fresh connection and gives the first reply.
  Reply once(std::string_view bytes) {
    Client client(port_);
    client.send(bytes);
    return client.reply();
  }

  config::Web web_;
  RecordingObserver observer_;
  base::SystemClock clock_;
  Gate gate_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

}  // namespace kmem::http
