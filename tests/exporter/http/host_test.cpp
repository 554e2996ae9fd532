#include "tests/exporter/http/server_fixture.h"

namespace kmem::http {
namespace {

class HostTest : public HttpServerTest {
 protected:
  void start_with(config::WebSecurity security) {
    std::vector<Route> all = routes();
    all.push_back({"/-/healthy", "healthy", [](const Request&) { return Response{.body = "healthy\n"}; }, true, true, true});
    server_ = std::make_unique<Server>(web_, std::move(all), observer_, clock_, std::move(security));
    const auto started = server_->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    port_ = server_->ports().at(0);
  }
  int status(const std::string& path, const std::string& host) {
    return once("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status;
  }
  static config::WebSecurity with_password() {
    config::WebSecurity security;
    security.users.push_back({"alice", "$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"});
    return security;
  }
};

TEST_F(HostTest, APageThatNothingProtectsIsNotGivenToAnotherSite) {
  start_with({});
  const auto reply = once("GET /who HTTP/1.1\r\nHost: evil.example:10054\r\n\r\n");
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(reply.header("connection"), "close");
  EXPECT_NE(reply.body.find("web.host_names"), std::string::npos);
  EXPECT_EQ(once("GET http://evil.example/who HTTP/1.1\r\nHost: t\r\n\r\n").status, 403) << "the authority goes first";
  EXPECT_EQ(once("GET http://t/who HTTP/1.1\r\nHost: evil.example\r\n\r\n").status, 200);
  for (const char* good : {"127.0.0.1", "[::1]:1", "localhost", "t", ""}) EXPECT_EQ(status("/who", good), 200) << good;
  EXPECT_EQ(once("GET /who HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_EQ(status("/-/healthy", "evil.example"), 200) << "it tells nothing";
  EXPECT_EQ(observer_.rejections("host"), 2U);
}

TEST_F(HostTest, NamesAreAllowedByTheConfiguration) {
  web_.host_names = {"kmem.example"};
  start_with({});
  EXPECT_EQ(status("/who", "kmem.example:1"), 200);
  EXPECT_EQ(status("/who", "evil.example"), 403);
}

TEST_F(HostTest, APasswordProtectsByItself) {
  start_with(with_password());
  EXPECT_EQ(status("/who", "evil.example"), 401);
  EXPECT_EQ(status("/-/healthy", "evil.example"), 200) << "as the route says, without a password";
  EXPECT_EQ(status("/%2d/healthy", "t"), 401) << "only by its plain name";
  EXPECT_EQ(once("GET /who HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Basic YWxpY2U6c2VzYW1l\r\n\r\n").status, 200);
}

TEST_F(HostTest, EveryAnswerHasItsDate) {
  start_with(with_password());
  const std::string form = "Thu, 01 Jan 1970 00:00:00 GMT";
  for (const char* bytes : {"GET /who HTTP/1.1\r\nHost: t\r\n\r\n", "GET /-/healthy HTTP/1.1\r\nHost: t\r\n\r\n", "BAD\r\n\r\n",
                            "POST / HTTP/1.1\r\nHost: t\r\n\r\n"})
    EXPECT_EQ(once(bytes).header("date").size(), form.size()) << bytes;
}

}  // namespace
}  // namespace kmem::http
