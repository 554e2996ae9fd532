#include "exporter/http/request_head.h"

#include <gtest/gtest.h>

#include <string>

namespace kmem::http {
namespace {

using State = HeadScanner::State;

HeadScanner scanned(std::string_view bytes, std::size_t max_bytes = 8192) {
  HeadScanner scanner(max_bytes);
  scanner.scan(bytes);
  return scanner;
}

/// Status of the refusal, 0 if there is none.
int refused(std::string_view bytes, std::size_t max_bytes = 8192) { return scanned(bytes, max_bytes).refusal().status; }

std::string with_header(const std::string& lines) { return "GET /x HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n"; }

TEST(RequestHead, TakesWhatPrometheusSends) {
  const std::string bytes =
      "GET /metrics?a=b HTTP/1.1\r\nHost: localhost:10054\r\nUser-Agent: Prometheus/2.42.0\r\n"
      "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n"
      "Accept-Encoding: gzip\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n";
  HeadScanner scanner(8192);
  ASSERT_EQ(scanner.scan(bytes + "GET /next"), State::kComplete);
  const auto& head = scanner.head();
  EXPECT_EQ(head.size_bytes, bytes.size());
  EXPECT_EQ(head.target, "/metrics?a=b");
  EXPECT_FALSE(head.head);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.accept, "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
  EXPECT_EQ(head.accept_encoding, "gzip");
}

TEST(RequestHead, ByteByByteIsTheSameAsAtOnce) {
  const std::string bytes = "HEAD / HTTP/1.0\r\nConnection: foo, Keep-Alive\r\nIf-None-Match: \"%0d\"\r\n\r\n";
  HeadScanner scanner(8192);
  for (std::size_t i = 1; i < bytes.size(); ++i) ASSERT_EQ(scanner.scan(bytes.substr(0, i)), State::kMore) << i;
  ASSERT_EQ(scanner.scan(bytes), State::kComplete);
  EXPECT_TRUE(scanner.head().head);
  EXPECT_TRUE(scanner.head().version_1_0);
  EXPECT_TRUE(scanner.head().keep_alive);
  EXPECT_EQ(scanner.head().if_none_match, "\"%0d\"");
}

TEST(RequestHead, KeepAliveIsTheDefaultOf11Only) {
  EXPECT_FALSE(scanned("GET / HTTP/1.0\r\n\r\n").head().keep_alive);
  EXPECT_TRUE(scanned(with_header("")).head().keep_alive);
  EXPECT_FALSE(scanned(with_header("Connection: x,CLOSE\r\n")).head().keep_alive);
}

TEST(RequestHead, RepeatedListHeadersAreJoined) {
  EXPECT_EQ(scanned(with_header("Accept: a\r\naccept:\t b \r\n")).head().accept, "a, b");
}

TEST(RequestHead, AbsoluteFormLosesItsAuthority) {
  EXPECT_EQ(scanned("GET http://h:1/m?q HTTP/1.1\r\nHost: h\r\n\r\n").head().target, "/m?q");
  EXPECT_EQ(scanned("GET HTTP://h HTTP/1.1\r\nHost: h\r\n\r\n").head().target, "/");
}

TEST(RequestHead, OneEmptyLineBeforeTheRequestIsIgnored) {
  const std::string bytes = "\r\nGET /m HTTP/1.1\r\nHost: h\r\n\r\n";
  EXPECT_EQ(scanned(bytes).head().target, "/m");
  EXPECT_EQ(scanned(bytes).head().size_bytes, bytes.size());
  HeadScanner scanner(8192);
  for (std::size_t i = 1; i < bytes.size(); ++i) ASSERT_EQ(scanner.scan(bytes.substr(0, i)), State::kMore) << i;
  EXPECT_EQ(scanner.scan(bytes), State::kComplete);
}

TEST(RequestHead, LineEndsAreStrict) {
  EXPECT_EQ(refused("GET / HTTP/1.1\nHost: h\n\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: h\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\rHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refused("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400) << "one empty line is ignored, two are not";
  for (const char* host : {"a b", "a/b", "a@b", "a\\b", "\xC3\xA4", "a\"b"})
    EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400) << host;
  EXPECT_EQ(refused("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refused(with_header("A: b\r\n c\r\n")), 400) << "folded";
}

TEST(RequestHead, ControlCharactersAreRefusedAtOnce) {
  using namespace std::string_literals;
  EXPECT_EQ(refused("GET /\0 "s), 400);
  EXPECT_EQ(refused("GET\t"), 400);
  EXPECT_EQ(refused("GET /\xc3\xa4"), 400);
  EXPECT_EQ(refused("\x7f"), 400);
  EXPECT_EQ(refused(with_header("A: \0\r\n"s)), 400);
  EXPECT_EQ(refused(with_header("A: \x01\r\n")), 400);
  EXPECT_EQ(refused(with_header("A: \xc3\xa4\r\n")), 0) << "bytes above 127 are legal in values";
  EXPECT_EQ(scanned("\x16\x03\x01").refusal().text, "this looks like TLS; this port speaks plain HTTP");
}

TEST(RequestHead, RequestLineIsStrict) {
  for (const std::string line : {"GET", "GET /", "GET  HTTP/1.1", " GET / HTTP/1.1", "G(T / HTTP/1.1", "GET / HTTP/1.1 ",
                                 "GET / http/1.1", "GET / HTTP/11", "GET / HTTP/1.", "GET / XHTTP/1.1", "GET / HTTP/1.1x",
                                 "GET x HTTP/1.1", "GET * HTTP/1.1", "GET /a b HTTP/1.1", "GET /a#b HTTP/1.1"}) {
    EXPECT_EQ(refused(line + "\r\n"), 400) << line;
  }
  for (const std::string version : {"HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.1"}) {
    EXPECT_EQ(refused("GET / " + version + "\r\n"), 505) << version;
  }
}

TEST(RequestHead, HeaderNamesAreTokens) {
  EXPECT_EQ(refused(with_header("Foo : x\r\n")), 400);
  EXPECT_EQ(refused(with_header(": x\r\n")), 400);
  EXPECT_EQ(refused(with_header("Foo\r\n")), 400);
  EXPECT_EQ(refused(with_header("F\xc3oo: x\r\n")), 400);
  EXPECT_EQ(refused(with_header("Foo:\r\n")), 0);
}

TEST(RequestHead, BodiesAreRefused) {
  EXPECT_EQ(refused(with_header("Content-Length: 5\r\n")), 413);
  EXPECT_EQ(refused(with_header("Content-Length: 99999999999999999999999\r\n")), 413);
  EXPECT_EQ(refused(with_header("Content-Length: 00\r\n")), 0);
  EXPECT_EQ(refused(with_header("Transfer-Encoding: chunked\r\n")), 413);
  EXPECT_EQ(refused(with_header("transfer-encoding:\r\n")), 413);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"), 413);
}

TEST(RequestHead, NoTwoReadersCanDisagree) {
  EXPECT_EQ(refused(with_header("Content-Length: 0\r\nContent-Length: 0\r\n")), 400);
  EXPECT_EQ(refused(with_header("Content-Length: 0, 0\r\n")), 400);
  EXPECT_EQ(refused(with_header("Content-Length: +0\r\n")), 400);
  EXPECT_EQ(refused(with_header("Content-Length:\r\n")), 400);
  EXPECT_EQ(refused(with_header("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(refused(with_header("Host: h\r\n")), 400) << "two hosts";
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n\r\n"), 400) << "no host";
  EXPECT_EQ(refused("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(refused(with_header("Authorization: a\r\nAuthorization: b\r\n")), 400);
}

TEST(RequestHead, OtherMethodsAreNotAllowed) {
  for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "FOO"}) {
    EXPECT_EQ(refused(method + " / HTTP/1.1\r\nHost: h\r\n\r\n"), 405) << method;
  }
  EXPECT_EQ(refused("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), 405);
}

TEST(RequestHead, CapsCountEveryByte) {
  const auto exact = with_header("A: b\r\n");
  EXPECT_EQ(refused(exact, exact.size()), 0);
  EXPECT_EQ(refused(exact, exact.size() - 1), 431);
  EXPECT_EQ(refused("GET /" + std::string(2000, 'a'), 1024), 414);
  EXPECT_EQ(refused(with_header("A: " + std::string(2000, 'a')), 1024), 431);
}

TEST(RequestHead, HeadersAreCounted) {
  std::string lines;
  for (int i = 0; i < 99; ++i) lines += "a:b\r\n";
  EXPECT_EQ(refused(with_header(lines)), 0) << "100 with Host";
  EXPECT_EQ(refused(with_header(lines + "a:b\r\n")), 431);
}

}  // namespace
}  // namespace kmem::http
