#include "exporter/http/tls.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "exporter/http/web_file.h"
#include "tests/exporter/http/hanging_files.h"
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
  /// `name`, or what is served still after a minute.
  std::string server_name_in_the_end(const std::string& name) {
    std::string served;
    const auto begin = steady_clock::now();
    while (served != name && steady_clock::now() - begin < std::chrono::seconds(60)) {
      served = TlsClient(port_, {}).server_name();
      std::this_thread::sleep_for(milliseconds(50));
    }
    return served;
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
      std::filesystem::temp_directory_path() / ("kmem_tls_" + std::to_string(steady_clock::now().time_since_epoch().count()));
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
  while (observer_.rejections("tls") == 0 && steady_clock::now() - begin < std::chrono::seconds(60)) {
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
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(20)) << "an idle connection has a minute or more";
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
  for (const auto& each :
       {Case{config::ClientAuth::kNoClientCert, true, true}, Case{config::ClientAuth::kRequestClientCert, true, true},
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
  EXPECT_EQ(server_name_in_the_end("second"), "second");
}

// Each second's look at the files took another worker, until the page and the API stood still.
TEST_F(HttpTlsTest, AKeyThatBecameUnusableIsToldToWhoFollowsTheWebFile) {
  const std::string path = put("web.yml", "tls_server_config: {cert_file: server.crt, key_file: server.key}\n");
  const auto loaded = read_web_file(path, base::os_file_system());
  ASSERT_TRUE(loaded.ok());
  security_ = loaded.security;
  start_tls();
  std::vector<bool> done;
  std::mutex mutex;
  WebFileWatch watch(path, loaded.security, *server_, base::os_file_system(), [&](bool taken) {
    const std::lock_guard lock(mutex);
    done.push_back(taken);
  });
  const auto told = [&] {
    const std::lock_guard lock(mutex);
    return done;
  };
  EXPECT_TRUE(watch.check());
  EXPECT_EQ(told(), std::vector<bool>{});
  put("server.key", "bad\n");
  EXPECT_FALSE(watch.check());
  EXPECT_FALSE(watch.check());
  EXPECT_FALSE(watch.check());
  EXPECT_EQ(told(), std::vector<bool>{false}) << "once";
  EXPECT_EQ(TlsClient(port_, {}).server_name(), "first") << "what was read before stays";
  use(make_credentials("second"));
  EXPECT_TRUE(watch.check());
  EXPECT_EQ(told(), (std::vector<bool>{false, true}));
  EXPECT_EQ(TlsClient(port_, {}).server_name(), "second");
}

TEST_F(HttpTlsTest, CertificatesThatHangHoldNoAnswer) {
  static HangingFiles files;  // a look may end after the server
  server_ = std::make_unique<Server>(web_, routes(), observer_, clock_, security_, files);
  ASSERT_TRUE(server_->start().ok());
  port_ = server_->ports().at(0);
  files.hangs = true;
  for (int looks = 0; looks < 3; ++looks) {
    EXPECT_NE(get("/metrics"), "");
    std::this_thread::sleep_for(milliseconds(1'050));
  }
  EXPECT_NE(get("/who").find("127.0.0.1"), std::string::npos);
  use(make_credentials("second"));
  files.hangs = false;
  EXPECT_EQ(server_name_in_the_end("second"), "second");
  server_.reset();
}

TEST_F(HttpTlsTest, FilesThatCannotBeUsedAreNamed) {
  const auto fault = [this] { return try_start().error().message; };
  put("server.key", make_credentials("other").key_pem);
  EXPECT_EQ(fault(), security_.tls->key_file + ": key values mismatch: it is the key of another certificate than " +
                         security_.tls->cert_file + "; put the two there that were made together");
  put("server.key", "nonsense");
  EXPECT_TRUE(fault().starts_with(security_.tls->key_file + ": "));
  put("server.crt", "nonsense");
  EXPECT_TRUE(fault().starts_with(security_.tls->cert_file + ": "));
  security_.tls->cert_file = (folder_ / "absent").string();
  EXPECT_NE(fault().find(security_.tls->cert_file), std::string::npos);
}

// OpenSSL keeps a certificate and a key of each type: an EC key beside an RSA certificate is no fault to it.
TEST_F(HttpTlsTest, AKeyOfAnotherTypeThanTheCertificateIsRefused) {
  const auto rsa = make_credentials("rsa", nullptr, {.rsa_bits = 2048});
  put("server.crt", rsa.certificate_pem);
  EXPECT_EQ(try_start().error().message, security_.tls->key_file + ": it is a key of type ECDSA, and RSA is wanted by " +
                                             security_.tls->cert_file + "; put the two there that were made together");
  put("server.key", rsa.key_pem);
  start_tls();
  EXPECT_TRUE(get("/who").ends_with("127.0.0.1"));
}

TEST_F(HttpTlsTest, AKeyOfAnotherTypeInARotationChangesNothing) {
  const auto rsa = make_credentials("rsa", nullptr, {.rsa_bits = 2048});
  start_tls();
  put("server.key", rsa.key_pem);
  for (int i = 0; i < 2; ++i) {
    std::this_thread::sleep_for(milliseconds(1'100));
    EXPECT_EQ(TlsClient(port_, {}).server_name(), "first");
    EXPECT_TRUE(get("/who").ends_with("127.0.0.1"));
  }
}

TEST_F(HttpTlsTest, SmallKeysAreRefused) {
  use(make_credentials("small", nullptr, {.rsa_bits = 1024}));
  EXPECT_EQ(try_start().error().message, security_.tls->cert_file +
                                             ": an RSA key of 1024 bits is too small; make one of 2048 bits or more, and a "
                                             "certificate for it");
}

// Each setting was fine by itself, and every handshake failed.
TEST_F(HttpTlsTest, SettingsThatLetNobodyInAreRefused) {
  const Credentials rsa = make_credentials("rsa", nullptr, {.rsa_bits = 2048});
  struct Case {
    const char* what;
    const Credentials own;
    std::vector<std::string> suites;
    config::TlsVersion low, high;
    bool fine;
  };
  using config::TlsVersion;
  const std::string of_rsa = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", of_ec = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
  for (const auto& [what, own, suites, low, high, fine] :
       {Case{"suites of another type", rsa, {of_ec}, TlsVersion::kTls12, TlsVersion::kTls12, false},
        Case{"and with TLS 1.3", rsa, {of_ec}, TlsVersion::kTls12, TlsVersion::kTls13, true},
        Case{"suites of its type", rsa, {of_rsa}, TlsVersion::kTls12, TlsVersion::kTls12, true},
        Case{"the other way round", make_credentials("ec"), {of_rsa}, TlsVersion::kTls12, TlsVersion::kTls12, false},
        Case{"suites newer than the versions", rsa, {of_rsa}, TlsVersion::kTls10, TlsVersion::kTls11, false}}) {
    use(own);
    security_.tls->cipher_suites = suites;
    security_.tls->min_version = low;
    security_.tls->max_version = high;
    security_.tls->client_auth = config::ClientAuth::kRequireAnyClientCert;
    const auto started = try_start();
    EXPECT_EQ(started.ok(), fine) << what;
    if (started.ok()) continue;
    EXPECT_NE(started.error().message.find("no client could come in"), std::string::npos) << what;
  }
}

TEST_F(HttpTlsTest, WhatIsNoPemIsToldByWhatItIs) {
  const auto good = make_credentials("good");
  const auto other = make_credentials("other");
  const auto cert_fault = [&](const std::string& text) {
    use(good);
    put("server.crt", text);
    const auto message = try_start().error().message;
    EXPECT_TRUE(message.starts_with(security_.tls->cert_file + ": ")) << message;
    return message.substr(std::min(message.size(), security_.tls->cert_file.size() + 2));
  };
  const auto key_fault = [&](const std::string& text) {
    use(good);
    put("server.key", text);
    const auto message = try_start().error().message;
    EXPECT_TRUE(message.starts_with(security_.tls->key_file + ": ")) << message;
    return message.substr(std::min(message.size(), security_.tls->key_file.size() + 2));
  };
  const auto der = [](std::string_view pem) {
    std::string bytes;
    std::vector<unsigned char> out(pem.size());
    std::string base64;
    for (std::size_t at = pem.find('\n') + 1; at < pem.size() && pem[at] != '-'; ++at)
      if (pem[at] != '\n') base64 += pem[at];
    const int size =
        EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size()));
    bytes.assign(out.begin(), out.begin() + size);
    return bytes.substr(0, bytes.size() - static_cast<std::size_t>(std::count(base64.begin(), base64.end(), '=')));
  };
  const auto utf16 = [](const std::string& text) {
    std::string wide = "\xFF\xFE";
    for (const char c : text) wide += c, wide += '\0';
    return wide;
  };
  const auto says = [](const std::string& message, const std::string& words) {
    EXPECT_NE(message.find(words), std::string::npos) << message << "\nwants: " << words;
  };
  const std::string begin = "-----BEGIN ", end = "-----\nAAAA\n-----END ";
  const auto block = [&](const std::string& label) { return begin + label + end + label + "-----\n"; };

  says(cert_fault(""), "it is empty");
  says(cert_fault("\n \n"), "it is empty");
  says(cert_fault("nonsense"), "there is no certificate in it; PEM is wanted");
  says(cert_fault(good.key_pem), "it holds a private key and no certificate; are cert_file and key_file swapped?");
  says(cert_fault(der(good.certificate_pem)), "it is a certificate in DER, not PEM; convert it: openssl x509 -inform der");
  says(cert_fault(der(good.key_pem)), "it is a private key in DER, not PEM; the certificate belongs here");
  says(cert_fault("\x30\x82\x01"), "it is binary (DER)");
  says(cert_fault(utf16(good.certificate_pem)), "it is UTF-16 text; save it as ASCII or UTF-8");
  says(cert_fault(utf16(good.certificate_pem).substr(2)), "it is UTF-16 text");
  says(cert_fault(block("CERTIFICATE REQUEST")), "it holds a certificate request");
  says(cert_fault(block("PKCS7")), "openssl pkcs7 -print_certs");
  says(cert_fault(block("CERTIFICATE")), "the certificate in it is damaged");
  says(cert_fault(good.certificate_pem.substr(0, 200)), "the certificate in it is damaged");
  says(cert_fault(good.certificate_pem + block("CERTIFICATE")), "the certificate in it is damaged");
  says(cert_fault(block("X509 CRL")), "it holds \"X509 CRL\", which is not what belongs here");
  says(cert_fault(other.certificate_pem + good.certificate_pem), "the key belongs to certificate 2 of the file");

  says(key_fault(""), "it is empty");
  says(key_fault("nonsense"), "there is no private key in it");
  says(key_fault(good.certificate_pem), "it holds a certificate and no private key; are cert_file and key_file swapped?");
  says(key_fault(der(good.key_pem)), "it is a private key in DER, not PEM; convert it: openssl pkey -inform der");
  says(key_fault(der(good.certificate_pem)), "it is a certificate in DER, not PEM; the private key belongs here");
  says(key_fault(utf16(good.key_pem)), "it is UTF-16 text");
  says(key_fault(block("ENCRYPTED PRIVATE KEY")), "the key is encrypted, and nobody is there to type its password");
  says(key_fault(begin + "RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA "
                         "PRIVATE KEY-----\n"),
       "the key is encrypted");
  says(key_fault(block("OPENSSH PRIVATE KEY")), "ssh-keygen -p -m PEM");
  says(key_fault(block("PUBLIC KEY")), "it holds a public key; the private one belongs here");
  says(key_fault(good.key_pem.substr(0, 100)), "the private key in it is damaged");
  // A byte order mark before PEM does no harm.
  use(good);
  put("server.crt", "\xEF\xBB\xBF" + good.certificate_pem);
  start_tls();
  EXPECT_TRUE(get("/who").ends_with("127.0.0.1"));
}

TEST_F(HttpTlsTest, AClientCaWithoutCertificateIsRefused) {
  security_.tls->client_auth = config::ClientAuth::kVerifyClientCertIfGiven;
  security_.tls->client_ca_file = put("ca.crt", "nonsense");
  EXPECT_TRUE(try_start().error().message.starts_with(security_.tls->client_ca_file + ": there is no certificate in it"));
}

TEST_F(HttpTlsTest, PemOfTheConfigurationItself) {
  const auto inside = make_credentials("inside");
  security_.tls->cert_file.clear();
  security_.tls->key_file.clear();
  security_.tls->cert = inside.certificate_pem;
  security_.tls->key = inside.key_pem;
  start_tls();
  EXPECT_EQ(TlsClient(port_, {}).server_name(), "inside");
  server_->stop();
  security_.tls->key = make_credentials("other").key_pem;
  EXPECT_TRUE(try_start().error().message.starts_with("key: key values mismatch"));
}

TEST_F(HttpTlsTest, OnlyClientsOfAnAllowedName) {
  const auto authority = make_credentials("authority");
  const auto signed_for = [&](const std::string& sans) { return make_credentials("c", &authority, {.sans = sans}); };
  const auto named = signed_for("DNS:agent.example,DNS:other.example"), foreign = signed_for("DNS:agent.example.org");
  const auto address = signed_for("IP:10.0.0.1"), v6 = signed_for("IP:2001:db8::1"), uri = signed_for("URI:spiffe://a/b");
  const auto mail = signed_for("email:a@example.org"), none = make_credentials("none", &authority);
  const auto self_made = make_credentials("self", nullptr, {.sans = "DNS:agent.example"});
  security_.tls->client_allowed_sans = {"agent.example", "10.0.0.1", "2001:db8:0::1", "spiffe://a/b", "a@example.org"};
  security_.tls->client_auth = config::ClientAuth::kRequireAndVerifyClientCert;
  security_.tls->client_ca_file = put("ca.crt", authority.certificate_pem);
  start_tls();
  for (const auto* good : {&named, &address, &v6, &uri, &mail}) EXPECT_NE(get("/who", {.own = good}), "");
  for (const auto* bad : {&foreign, &none, &self_made}) EXPECT_EQ(get("/who", {.own = bad}), "");
  server_->stop();
  // Not verified, and yet only of these names.
  security_.tls->client_auth = config::ClientAuth::kRequireAnyClientCert;
  start_tls();
  EXPECT_NE(get("/who", {.own = &self_made}), "");
  EXPECT_EQ(get("/who", {.own = &none}), "");
}

#ifndef _WIN32  // its authorities are in a store of the machine, not in a file that a test could name
TEST_F(HttpTlsTest, WithoutClientCaTheSystemsAuthoritiesCount) {
  const auto authority = make_credentials("authority");
  const auto known = make_credentials("known", &authority), stranger = make_credentials("stranger");
  ::setenv("SSL_CERT_FILE", put("system.crt", authority.certificate_pem).c_str(), 1);
  security_.tls->client_auth = config::ClientAuth::kRequireAndVerifyClientCert;
  start_tls();
  ::unsetenv("SSL_CERT_FILE");
  EXPECT_NE(get("/who", {.own = &known}), "");
  EXPECT_EQ(get("/who", {.own = &stranger}), "");
}
#endif

TEST_F(HttpTlsTest, DefaultSuitesHaveForwardSecrecyAndNoCbc) {
  use(make_credentials("rsa", nullptr, {.rsa_bits = 2048}));
  start_tls();
  const auto offered = [this](const char* suites) {
    return TlsClient(port_, {.max_version = TLS1_2_VERSION, .suites = suites}).connected();
  };
  EXPECT_TRUE(offered("ECDHE-RSA-AES128-GCM-SHA256"));
  EXPECT_TRUE(offered("ECDHE-RSA-CHACHA20-POLY1305"));
  EXPECT_FALSE(offered("ECDHE-RSA-AES256-SHA384"));
  EXPECT_FALSE(offered("ECDHE-RSA-AES128-SHA"));
  EXPECT_FALSE(offered("AES128-GCM-SHA256"));
  EXPECT_FALSE(offered("DHE-RSA-AES128-GCM-SHA256"));
}

TEST_F(HttpTlsTest, CurvesFollowTheConfiguration) {
  security_.tls->curves = {"P-384"};
  start_tls();
  EXPECT_TRUE(TlsClient(port_, {.groups = "P-384"}).connected());
  EXPECT_FALSE(TlsClient(port_, {.groups = "X25519"}).connected());
}

TEST_F(HttpTlsTest, TlsSettingsAreTakenOverWhileRunning) {
  start_tls();
  TlsClient old(port_, {});
  EXPECT_EQ(TlsClient(port_, {.max_version = TLS1_2_VERSION}).version(), "TLSv1.2");
  auto next = security_;
  next.tls->min_version = config::TlsVersion::kTls13;
  ASSERT_TRUE(server_->take(next).ok());
  EXPECT_FALSE(TlsClient(port_, {.max_version = TLS1_2_VERSION}).connected());
  const auto kept = old.get_and_stay("/metrics");
  EXPECT_TRUE(kept.starts_with("HTTP/1.1 200")) << "a session keeps the terms it began with: " << kept;
  next.tls->key_file = put("bad.key", "nonsense");
  EXPECT_FALSE(server_->take(next).ok());
  EXPECT_TRUE(get("/who").ends_with("127.0.0.1")) << "a change that cannot be used changes nothing";
  next.tls.reset();
  EXPECT_EQ(server_->take(next).error().message, "only a restart turns TLS on or off");
  EXPECT_TRUE(get("/who").ends_with("127.0.0.1"));
}

}  // namespace
}  // namespace kmem::http
