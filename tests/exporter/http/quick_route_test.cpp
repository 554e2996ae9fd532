// Which thread answers: the loop's own for a lone request to a quick route, a worker in every other case.
#include <atomic>
#include <sstream>
#include <thread>

#include "exporter/http/bcrypt.h"
#include "tests/exporter/http/server_fixture.h"

namespace kmem::http {
namespace {

using std::chrono::milliseconds;

std::string this_thread() {
  std::ostringstream text;
  text << std::this_thread::get_id();
  return text.str();
}

/// Stands until a handler or the test moves it.
class MovedClock final : public base::Clock {
 public:
  [[nodiscard]] base::UnixMillis wall() const override { return 0; }
  [[nodiscard]] std::chrono::nanoseconds steady() const override { return since_start_.load(); }
  void advance(milliseconds by) { since_start_ = since_start_.load() + by; }

 private:
  std::atomic<std::chrono::nanoseconds> since_start_{std::chrono::hours(1)};
};

class QuickRouteTest : public HttpServerTest {
 protected:
  ~QuickRouteTest() override {
    gate_.open();
    server_.reset();  // it reads the clock
  }

  void start_with(const base::Clock& clock, config::WebSecurity security = {}) {
    const auto thread_name = [](const Request&) { return Response{.body = this_thread()}; };
    std::vector<Route> table = {{"/quick", "quick", thread_name, true},
                                {"/plain", "plain", thread_name},
                                {"/slow", "slow",
                                 [this](const Request&) {
                                   manual_.advance(slow_takes_);
                                   return Response{.body = this_thread()};
                                 },
                                 true},
                                {"/gate", "gate", [this](const Request&) {
                                   gate_.pass();
                                   return Response{.body = "through\n"};
                                 }}};
    server_ = std::make_unique<Server>(web_, std::move(table), observer_, clock, std::move(security));
    const auto started = server_->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    port_ = server_->ports().at(0);
    client_ = std::make_unique<Client>(port_);
    loop_ = answered_by("/quick");
  }
  /// Over one connection, so that each request comes in a round of its own.
  std::string answered_by(const std::string& target, const std::string& headers = {}) {
    return client_->get(target, headers).body;
  }

  MovedClock manual_;
  milliseconds slow_takes_{21};
  std::unique_ptr<Client> client_;
  std::string loop_;  // the thread that a lone request to /quick was answered on
};

TEST_F(QuickRouteTest, LoneRequestsAreAnsweredWithoutAWorker) {
  start_with(clock_);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(answered_by("/quick?" + std::to_string(i)), loop_);
  EXPECT_NE(answered_by("/plain"), loop_) << "not marked as quick";
  EXPECT_NE(answered_by("/%71uick"), loop_) << "would have to be decoded first";
  EXPECT_EQ(observer_.done().size(), 23U) << "counted wherever they are answered";
}

TEST_F(QuickRouteTest, WhatIsInWorkKeepsNobodyWaiting) {
  start_with(clock_);
  Client working(port_);
  working.send("GET /gate HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(gate_.wait_for(1));
  const auto worker = answered_by("/quick");
  EXPECT_NE(worker, loop_) << "it may wait for what the one in work holds";
  EXPECT_FALSE(worker.empty());
  gate_.open();
  EXPECT_EQ(working.reply().body, "through\n");
  std::string again;  // once the worker has seen that its answer is out
  for (int i = 0; i < 1'000 && again != loop_; ++i) again = answered_by("/quick");
  EXPECT_EQ(again, loop_);
}

TEST_F(QuickRouteTest, OnlyOneARound) {
  start_with(clock_);
  std::string bytes;
  for (int i = 0; i < 20; ++i) bytes += "GET /quick HTTP/1.1\r\nHost: t\r\n\r\n";
  client_->send(bytes);
  bool before = false;
  for (int i = 0; i < 20; ++i) {
    const bool here = client_->reply().body == loop_;
    EXPECT_TRUE(here || i > 0) << "the first is alone";
    EXPECT_FALSE(here && before) << "two in one go: " << i;
    before = here;
  }
}

TEST_F(QuickRouteTest, OneThatWasSlowGoesToTheWorkersForAMinute) {
  web_.idle_timeout = std::chrono::hours(1);
  start_with(manual_);
  slow_takes_ = milliseconds(20);
  EXPECT_EQ(answered_by("/slow"), loop_);
  slow_takes_ = milliseconds(21);
  EXPECT_EQ(answered_by("/slow"), loop_) << "nobody could know";
  for (const char* target : {"/slow", "/quick"}) EXPECT_NE(answered_by(target), loop_) << target;
  slow_takes_ = milliseconds(0);
  manual_.advance(std::chrono::seconds(58));
  EXPECT_NE(answered_by("/slow"), loop_);
  manual_.advance(std::chrono::seconds(2));
  EXPECT_EQ(answered_by("/slow"), loop_);
  EXPECT_EQ(answered_by("/quick"), loop_);
}

TEST_F(QuickRouteTest, PasswordsAreNeverCheckedOnTheLoop) {
  config::WebSecurity security;
  security.users = {{"alice", bcrypt("sesame", "$2y$04$abcdefghijklmnopqrstuu" + std::string(31, '.'))}};
  start_with(clock_, security);
  EXPECT_EQ(loop_, "unauthorized\n");
  client_ = std::make_unique<Client>(port_);
  const std::string right = "Authorization: Basic YWxpY2U6c2VzYW1l\r\n";
  const auto checked = answered_by("/quick", right);
  const auto remembered = answered_by("/quick", right);
  EXPECT_NE(checked, remembered);
  EXPECT_EQ(answered_by("/quick", right), remembered);
  EXPECT_NE(answered_by("/plain", right), remembered);
}

}  // namespace
}  // namespace kmem::http
