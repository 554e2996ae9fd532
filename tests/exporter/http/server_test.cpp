#include "tests/exporter/http/server_fixture.h"

namespace kmem::http {
namespace {

const std::string kGet = "GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n";

TEST_F(HttpServerTest, GetGivesWhatTheHandlerGave) {
  start();
  const auto reply = Client(port_).get("/metrics?x=1&y=%20", "Accept: text/plain;q=0.5\r\nAccept-Encoding: gzip;q=0\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "up 1\nquery=x=1&y=%20\naccept=text/plain;q=0.5\nencoding=gzip;q=0\n");
  EXPECT_EQ(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(reply.header("x-content-type-options"), "nosniff");
  for (const char* absent : {"server", "keep-alive", "accept-ranges", "connection", "content-encoding", "etag"}) {
    EXPECT_EQ(reply.headers.count(absent), 0U) << absent;
  }
  EXPECT_EQ(observer_.done(), (std::vector<std::pair<std::string, int>>{{"metrics", 200}}));
}

TEST_F(HttpServerTest, HeadGivesTheHeadersOfGetAndNoBody) {
  start();
  Client client(port_);
  auto get = client.get("/metrics");
  client.send("HEAD /metrics HTTP/1.1\r\nHost: t\r\n\r\n");
  auto head = client.reply(true);
  EXPECT_EQ(get.headers.erase("date"), 1U);
  EXPECT_EQ(head.headers.erase("date"), 1U) << "a second may lie between them";
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers, get.headers);
  EXPECT_EQ(client.get("/who").body, "127.0.0.1") << "a body would have come first";
}

TEST_F(HttpServerTest, EtagEncodingAndOwnHeadersPassThrough) {
  start();
  Client client(port_);
  const auto full = client.get("/etag");
  EXPECT_EQ(full.header("etag"), "\"a%0d\"");
  EXPECT_EQ(full.header("content-encoding"), "gzip");
  EXPECT_EQ(full.header("cache-control"), "no-cache");
  EXPECT_EQ(full.headers.count("injected"), 0U);
  EXPECT_EQ(full.body, "zipped");
  const auto same = client.get("/etag", "If-None-Match: \"a%0d\"\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.headers.count("content-length"), 0U);
  EXPECT_EQ(same.headers.count("content-type"), 0U);
  EXPECT_EQ(client.get("/who").status, 200);
}

TEST_F(HttpServerTest, UnknownPathsGet404WithTheKnownOnes) {
  start();
  const auto reply = Client(port_).get("/nothing");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.header("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(reply.body,
            "not found; known paths:\n/metrics\n/etag\n/large\n/gate\n/throw\n/who\n/below/\n/below/exact\n/below/deep/\n");
  EXPECT_EQ(observer_.done(), (std::vector<std::pair<std::string, int>>{{"unknown", 404}}));
}

TEST_F(HttpServerTest, OnlyTheExactPathIsRouted) {
  start();
  Client client(port_);
  for (const char* same : {"/metrics", "/%6detrics", "/metrics?", "/metrics?/../x", "http://other/metrics"}) {
    EXPECT_EQ(client.get(same).status, 200) << same;
  }
  for (const char* other : {"/metrics/", "//metrics", "/x/../metrics", "/./metrics", "/metrics%00", "/metrics%2f",
                            "/metrics%3fx", "/METRICS", "/metrics%", "/metric.", "/%2e%2e/metrics"}) {
    EXPECT_EQ(client.get(other).status, 404) << other;
  }
}

TEST_F(HttpServerTest, ARouteThatEndsInASlashTakesWhatIsBelowIt) {
  start();
  Client client(port_);
  EXPECT_EQ(client.get("/below/a/b%2Fc%20%FF%00%25?d").body, std::string("below /below/a/b/c \xff\0%", 22));
  EXPECT_EQ(client.get("/below/").body, "below /below/");
  EXPECT_EQ(client.get("/below/exact").body, "exact");
  EXPECT_EQ(client.get("/below/exact/").body, "below /below/exact/");
  EXPECT_EQ(client.get("/below/deep/x").body, "deep /below/deep/x") << "the longest";
  EXPECT_EQ(client.get("/below/../metrics").body, "below /below/../metrics") << "no path is walked";
  EXPECT_EQ(client.get("/below").status, 404);
  client.send("HEAD /below/x HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.reply(true).status, 200);
}

TEST_F(HttpServerTest, WhatHandlersThrowIs500AndStaysInside) {
  start();
  Client client(port_);
  const auto reply = client.get("/throw");
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body, "internal error\n");
  EXPECT_EQ(reply.head.find("secret"), std::string::npos);
  EXPECT_EQ(client.get("/metrics").status, 200);
}

TEST_F(HttpServerTest, RangeAndExpectAreInert) {
  start();
  const auto reply = Client(port_).get("/metrics", "Range: bytes=0-1\r\nExpect: 100-continue\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.body.starts_with("up 1\n"));
  EXPECT_EQ(Client(port_).get("/metrics", "Range: bytes=9-1,,x\r\nExpect: x\r\n").status, 200);
}

TEST_F(HttpServerTest, RefusalsSayWhyAndClose) {
  start();
  struct Case {
    std::string bytes;
    int status;
    std::string body;
  };
  const std::vector<Case> cases = {
      {"GET / HTTP/1.1\r\n\r\n", 400, "the Host header is missing\n"},
      {"DELETE /metrics HTTP/1.1\r\nHost: t\r\n\r\n", 405, "only GET and HEAD are allowed\n"},
      {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc", 413, "request bodies are not accepted\n"},
      {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n", 414, "the request line is too long\n"},
      {"GET / HTTP/1.1\r\nA: " + std::string(9000, 'a'), 431, "the request's headers are too large\n"},
      {"GET / HTTP/2.0\r\n", 505, "only HTTP/1.0 and HTTP/1.1 are spoken here\n"},
      {"\x16\x03\x01\x02", 400, "this looks like TLS; this port speaks plain HTTP\n"},
  };
  for (const auto& each : cases) {
    Client client(port_);
    client.send(each.bytes);
    const auto reply = client.reply();
    EXPECT_EQ(reply.status, each.status);
    EXPECT_EQ(reply.body, each.body);
    EXPECT_EQ(reply.header("connection"), "close");
    EXPECT_EQ(reply.header("content-type"), "text/plain; charset=utf-8");
    EXPECT_EQ(reply.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(reply.header("allow"), each.status == 405 ? "GET, HEAD" : "");
    EXPECT_EQ(client.read_all(), "");
    EXPECT_TRUE(client.closed()) << each.status;
  }
  EXPECT_TRUE(observer_.done().empty()) << "no worker was needed";
  EXPECT_EQ(observer_.rejections("malformed"), 2U);
  EXPECT_EQ(observer_.rejections("method"), 1U);
}

TEST_F(HttpServerTest, RefusedHeadRequestsGetNoBody) {
  start();
  Client client(port_);
  client.send("HEAD / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\n");
  const auto all = client.read_all();
  EXPECT_TRUE(all.starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(all.ends_with("\r\n\r\n"));
}

TEST_F(HttpServerTest, KeepAliveFollowsVersionAndWish) {
  start();
  Client stays(port_);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(stays.get("/metrics").status, 200);

  Client asks(port_);
  const auto last = asks.get("/metrics", "Connection: close\r\n");
  EXPECT_EQ(last.header("connection"), "close");
  EXPECT_EQ(asks.read_all(), "");
  EXPECT_TRUE(asks.closed());

  Client old(port_);
  old.send("GET /metrics HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.reply().header("connection"), "close");
  EXPECT_EQ(old.read_all(), "");
  EXPECT_TRUE(old.closed());

  Client old_stays(port_);
  for (int i = 0; i < 2; ++i) {
    old_stays.send("GET /metrics HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(old_stays.reply().header("connection"), "keep-alive");
  }
}

TEST_F(HttpServerTest, KeepAliveRequestsAreCounted) {
  web_.keep_alive_requests = 3;
  start();
  Client client(port_);
  EXPECT_EQ(client.get("/who").header("connection"), "");
  EXPECT_EQ(client.get("/who").header("connection"), "");
  EXPECT_EQ(client.get("/who").header("connection"), "close");
  client.read_all();
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  Client client(port_);
  std::string bytes;
  for (int i = 0; i < 200; ++i) bytes += "GET /metrics?" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n";
  bytes += "GET /who HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n" + kGet;
  client.send(bytes);
  for (int i = 0; i < 200; ++i) {
    const auto reply = client.reply();
    ASSERT_EQ(reply.status, 200) << i;
    ASSERT_NE(reply.body.find("query=" + std::to_string(i) + "\n"), std::string::npos) << i;
  }
  EXPECT_EQ(client.reply().body, "127.0.0.1");
  EXPECT_EQ(client.read_all(), "") << "nothing after the one that said close";
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, LargeAnswersArriveWhole) {
  start();
  Client client(port_);
  for (int i = 0; i < 3; ++i) {
    const auto reply = client.get("/large");
    EXPECT_EQ(reply.header("content-length"), std::to_string(kLargeBytes));
    EXPECT_EQ(reply.body, std::string(kLargeBytes, 'x'));
  }
}

TEST_F(HttpServerTest, HalfClosedClientsAreAnswered) {
  start();
  Client client(port_);
  client.send(kGet);
  client.half_close();
  EXPECT_EQ(client.reply().status, 200);
  EXPECT_EQ(client.read_all(), "");
  EXPECT_TRUE(client.closed());

  Client incomplete(port_);
  incomplete.send("GET / HT");
  incomplete.half_close();
  EXPECT_EQ(incomplete.read_all(), "");
  EXPECT_TRUE(incomplete.closed());
}

TEST_F(HttpServerTest, MoreThanMaxRequestsGet503) {
  web_.max_requests = 3;
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(port_));
    clients.back()->send("GET /gate HTTP/1.1\r\nHost: t\r\n\r\n");
  }
  ASSERT_TRUE(gate_.wait_for(2)) << "two workers";
  Reply busy;  // the third is on its way to the queue
  for (int i = 0; i < 100 && busy.status != 503; ++i) {
    Client probe(port_);
    probe.send("HEAD /who HTTP/1.1\r\nHost: t\r\n\r\n");
    busy = probe.reply(true, std::chrono::milliseconds(20));
  }
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.header("retry-after"), "1");
  EXPECT_EQ(once("GET /who HTTP/1.1\r\nHost: t\r\n\r\n").body, "too many requests at once\n");
  EXPECT_EQ(once(kGet).status, 200) << "metrics have a bound and a worker of their own";
  gate_.open();
  for (auto& client : clients) EXPECT_EQ(client->reply().body, "through\n");
  EXPECT_EQ(once(kGet).status, 200) << "room again";
  EXPECT_GE(observer_.rejections("busy"), 2U);
}

TEST_F(HttpServerTest, SeveralAddressesAndFamilies) {
  web_.listen_addresses = {":0", "127.0.0.1:0", "[::]:0"};
  start();
  const auto ports = server_->ports();
  ASSERT_EQ(ports.size(), 3U);
  EXPECT_EQ(Client(ports[2]).get("/who").body, "127.0.0.1") << "[::] is both families, as for its neighbours";
  EXPECT_NE(ports[0], ports[1]);
  EXPECT_EQ(Client(ports[0]).get("/who").body, "127.0.0.1") << "IPv4 on the socket of every address";
  EXPECT_EQ(Client(ports[1]).get("/who").body, "127.0.0.1");
}

TEST_F(HttpServerTest, AddressFaultsNameAddressAndReason) {
  start();
  config::Web web;
  const auto fault = [&](const std::string& address) {
    web.listen_addresses = {address};
    return Server(web, {}, observer_, clock_).start().error().message;
  };
  const auto taken = "127.0.0.1:" + std::to_string(port_);
  EXPECT_EQ(fault(taken), "cannot listen on " + taken + ": port " + std::to_string(port_) + " is in use");
  EXPECT_EQ(fault("nonsense"), "cannot listen on nonsense: want host:port, [v6]:port or :port");
  EXPECT_TRUE(fault("192.0.2.1:0").starts_with("cannot listen on 192.0.2.1:0: ")) << "not ours";
  EXPECT_TRUE(fault("no-such-host.invalid:0").starts_with("cannot listen on no-such-host.invalid:0: no-such-host"));
}

TEST_F(HttpServerTest, StopFinishesWhatIsInWork) {
  start();
  Client working(port_);
  working.send("GET /gate HTTP/1.1\r\nHost: t\r\n\r\n");
  Client idle(port_);
  EXPECT_EQ(idle.get("/who").status, 200);
  ASSERT_TRUE(gate_.wait_for(1));
  std::thread stopper([this] { server_->stop(); });
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_TRUE(idle.closed()) << "idle connections end at once";
  EXPECT_FALSE(Client(port_).connected()) << "nothing new is accepted";
  gate_.open();
  EXPECT_EQ(working.reply().body, "through\n");
  working.close();
  const auto begin = std::chrono::steady_clock::now();
  stopper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1'900)) << "less than the grace";
}

TEST_F(HttpServerTest, StopDoesNotWaitForReadersLongerThanItsGrace) {
  start();
  Client slow(port_, 4096);
  slow.send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
  while (observer_.done().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto begin = std::chrono::steady_clock::now();
  server_->stop();
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took, std::chrono::seconds(10)) << "a reader has half a minute";
}

TEST_F(HttpServerTest, StartsAgainAfterStop) {
  start();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(once(kGet).status, 200);
    server_->stop();
    server_->stop();
    ASSERT_TRUE(server_->start().ok());
    port_ = server_->ports().at(0);
  }
}

}  // namespace
}  // namespace kmem::http
