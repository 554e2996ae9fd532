#include "exporter/http/tls.h"

#include <openssl/ssl.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/exporter/http/server_fixture.h"
#include "tests/exporter/http/tls_client.h"

namespace kmem::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class HttpTlsTest : public HttpServerTest {
 protected:
  HttpTlsTest() {
    std::filesystem::create_directories(folder_);
    security_.tls = config::TlsServer{};
    security_.tls->cert_file = (folder_ / "server.crt").string();
    security_.tls->key_file = (folder_ / "server.key").string();
    use(make_credentials("first"));
  }
  ~HttpTlsTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  void use(const Credentials& credentials) {
    put("server.crt", credentials.certificate_pem);
    put("server.key", credentials.key_pem);
  }
  std::string put(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }

  base::Result<void> try_start() {
    server_ = std::make_unique<Server>(web_, routes(), observer_, clock_, security_);
    return server_->start();
  }
  void start_tls() {
    const auto started = try_start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    port_ = server_->ports().at(0);
  }
  std::string get(const std::string& path, TlsClient::Options options = {}) { return TlsClient(port_, options).get(path); }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() /
      ("kmem_tls_" + std::to_string(steady_clock::now().time_since_epoch().count()));
  config::WebSecurity security_;
};

TEST_F(HttpTlsTest, AnswersOver12And13AndKeepsTheConnection) {
  start_tls();
  EXPECT_TRUE(get("/metrics").starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_NE(get("/metrics").find("\r\n\r\nup 1\n"), std::string::npos);
  TlsClient newest(port_, {});
  EXPECT_EQ(newest.version(), "TLSv1.3");
  EXPECT_EQ(newest.server_name(), "first");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(newest.get_and_stay("/metrics").starts_with("HTTP/1.1 200 OK\r\n"));
  TlsClient older(port_, {.max_version = TLS1_2_VERSION});
  EXPECT_EQ(older.version(), "TLSv1.2");
  EXPECT_TRUE(older.get("/who").ends_with("\r\n\r\n127.0.0.1"));
  EXPECT_FALSE(TlsClient(port_, {.max_version = TLS1_1_VERSION}).connected());
  const auto begin = steady_clock::now();
  while (observer_.rejections("tls") == 0 && steady_clock::now() - begin < std::chrono::seconds(5)) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(observer_.rejections("tls"), 1U);
}

TEST_F(HttpTlsTest, LargeAnswersArriveWhole) {
  start_tls();
  const auto all = get("/large");
  ASSERT_GT(all.size(), kLargeBytes);
  EXPECT_EQ(all.substr(all.find("\r\n\r\n") + 4), std::string(kLargeBytes, 'x'));
}

TEST_F(HttpTlsTest, RefusalsComeOverTlsToo) {
  start_tls();
  const auto answer = TlsClient(port_, {}).get("/metrics", "Content-Length: 4\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
  EXPECT_TRUE(answer.ends_with("request bodies are not accepted\n"));
}

TEST_F(HttpTlsTest, PlainHttpToATlsPortIsToldSo) {
  start_tls();
  const auto reply = Client(port_).get("/metrics");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.body, "this port speaks TLS; use https\n");
  EXPECT_TRUE(get("/metrics").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpTlsTest, AHandshakeHasTheDeadlineOfAHead) {
  web_.request_timeout = milliseconds(300);
  start_tls();
  Client begun(port_);
  begun.send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  TlsClient silent(port_, {});
  ASSERT_TRUE(silent.connected());
  const auto begin = steady_clock::now();
  EXPECT_EQ(begun.read_all(), "") << "nothing can be said before the handshake is done";
  EXPECT_TRUE(begun.closed());
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_GE(observer_.rejections("timeout"), 1U);
}

TEST_F(HttpTlsTest, GarbageAfterATlsStartEndsTheConnectionOnly) {
  start_tls();
  for (int i = 0; i < 20; ++i) {
    Client client(port_);
    client.send("\x16\x03\x01" + std::string(300, static_cast<char>('A' + i)));
    client.half_close();
    client.read_all();
    EXPECT_TRUE(client.closed());
  }
  EXPECT_TRUE(get("/metrics").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpTlsTest, VersionsAndCiphersFollowTheConfiguration) {
  security_.tls->max_version = config::TlsVersion::kTls12;
  security_.tls->cipher_suites = {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"};
  start_tls();
  TlsClient client(port_, {});
  EXPECT_EQ(client.version(), "TLSv1.2");
  EXPECT_EQ(client.cipher(), "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
  server_->stop();

  security_.tls->min_version = config::TlsVersion::kTls10;
  security_.tls->cipher_suites.clear();
  start_tls();
  EXPECT_EQ(TlsClient(port_, {.max_version = TLS1_1_VERSION}).version(), "TLSv1.1");
  server_->stop();

  security_.tls->min_version = config::TlsVersion::kTls13;
  security_.tls->max_version = config::TlsVersion::kTls13;
  start_tls();
  EXPECT_FALSE(TlsClient(port_, {.max_version = TLS1_2_VERSION}).connected());
  EXPECT_TRUE(get("/metrics").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpTlsTest, ClientCertificatesAsAskedFor) {
  const auto authority = make_credentials("authority");
  const auto known = make_credentials("known", &authority);
  const auto stranger = make_credentials("stranger");
  struct Case {
    config::ClientAuth auth;
    bool none, unknown;  // get in
  };
  for (const auto& each : {Case{config::ClientAuth::kNoClientCert, true, true},
                           Case{config::ClientAuth::kRequestClientCert, true, true},
                           Case{config::ClientAuth::kRequireAnyClientCert, false, true},
                           Case{config::ClientAuth::kVerifyClientCertIfGiven, true, false},
                           Case{config::ClientAuth::kRequireAndVerifyClientCert, false, false}}) {
    const bool verifies = each.auth >= config::ClientAuth::kVerifyClientCertIfGiven;
    security_.tls->client_auth = each.auth;
    security_.tls->client_ca_file = verifies ? put("ca.crt", authority.certificate_pem) : "";
    start_tls();
    EXPECT_EQ(!get("/who").empty(), each.none) << static_cast<int>(each.auth);
    EXPECT_EQ(!get("/who", {.own = &stranger}).empty(), each.unknown) << static_cast<int>(each.auth);
    EXPECT_TRUE(get("/who", {.own = &known}).ends_with("127.0.0.1")) << static_cast<int>(each.auth);
    server_->stop();
  }
}

TEST_F(HttpTlsTest, NewCertificatesAreUsedWithoutARestart) {
  start_tls();
  EXPECT_EQ(TlsClient(port_, {}).server_name(), "first");
  put("server.key", "broken");
  std::this_thread::sleep_for(milliseconds(1'100));
  EXPECT_EQ(TlsClient(port_, {}).server_name(), "first");
  use(make_credentials("second"));
  std::string name;
  const auto begin = steady_clock::now();
  while (name != "second" && steady_clock::now() - begin < std::chrono::seconds(5)) {
    name = TlsClient(port_, {}).server_name();
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_EQ(name, "second");
}

TEST_F(HttpTlsTest, FilesThatCannotBeUsedAreNamed) {
  const auto fault = [this] { return try_start().error().message; };
  put("server.key", make_credentials("other").key_pem);
  EXPECT_EQ(fault(), security_.tls->key_file + ": key values mismatch");
  put("server.key", "nonsense");
  EXPECT_TRUE(fault().starts_with(security_.tls->key_file + ": "));
  put("server.crt", "nonsense");
  EXPECT_TRUE(fault().starts_with(security_.tls->cert_file + ": "));
  security_.tls->cert_file = (folder_ / "absent").string();
  EXPECT_NE(fault().find(security_.tls->cert_file), std::string::npos);
}

}  // namespace
}  // namespace kmem::http
