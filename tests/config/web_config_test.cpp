#include "config/web_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/memory_files.h"

namespace kmem::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kHash = "$2y$10$abcdefghijklmnopqrstuv" + std::string(31, 'A');

std::vector<std::string> web_config_faults(const std::string& text) {
  std::vector<std::string> out;
  for (const Fault& fault : load_web_config(text, "web.yml").faults) out.push_back(fault.text());
  return out;
}

TEST(WebConfig, EmptyMeansPlainHttpForEveryone) {
  for (const char* text : {"", "tls_server_config:\n", "tls_server_config: {}\nbasic_auth_users: {}\n",
                           "http_server_config: {http2: true}\n", "http_server_config: {http2: false}\n"}) {
    const WebLoadResult loaded = load_web_config(text, "web.yml");
    EXPECT_TRUE(loaded.ok()) << text;
    EXPECT_EQ(loaded.security, WebSecurity{}) << text;
  }
}

TEST(WebConfig, TakesEveryKey) {
  const WebLoadResult loaded = load_web_config(
      "tls_server_config:\n"
      "  cert_file: cert.pem\n"
      "  key_file: /keys/key.pem\n"
      "  client_auth_type: RequireAndVerifyClientCert\n"
      "  client_ca_file: ca.pem\n"
      "  min_version: TLS11\n"
      "  max_version: TLS12\n"
      "  cipher_suites:\n"
      "    - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"
      "  prefer_server_cipher_suites: false\n"
      "http_server_config:\n"
      "  headers:\n"
      "    X-Frame-Options: deny\n"
      "    Strict-Transport-Security: max-age=31536000\n"
      "basic_auth_users:\n"
      "  alice: " +
          kHash +
          "\n"
          "  bob: '" +
          kHash +
          "'\n"
          "rate_limit: {burst: 20, interval: 1m0.5s}\n",
      "/etc/kmem/web.yml");
  ASSERT_TRUE(loaded.ok()) << loaded.faults[0].text();
  WebSecurity expected;
  expected.tls = {"/etc/kmem/cert.pem",
                  "/keys/key.pem",
                  "/etc/kmem/ca.pem",
                  ClientAuth::kRequireAndVerifyClientCert,
                  TlsVersion::kTls11,
                  TlsVersion::kTls12,
                  {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
                  false};
  expected.headers = {{"X-Frame-Options", "deny"}, {"Strict-Transport-Security", "max-age=31536000"}};
  expected.users = {{"alice", kHash}, {"bob", kHash}};
  expected.rate_limit = RateLimit{20, std::chrono::milliseconds(60'500)};
  EXPECT_EQ(loaded.security, expected);
}

TEST(WebConfig, ClientAuthTypes) {
  const auto type = [](const std::string& name, const char* ca) {
    const WebLoadResult loaded =
        load_web_config("tls_server_config: {cert_file: a, key_file: b, client_auth_type: " + name + ca + "}\n", "web.yml");
    EXPECT_TRUE(loaded.ok()) << name;
    return loaded.security.tls.value_or(TlsServer{}).client_auth;
  };
  EXPECT_EQ(type("NoClientCert", ""), ClientAuth::kNoClientCert);
  EXPECT_EQ(type("RequestClientCert", ""), ClientAuth::kRequestClientCert);
  EXPECT_EQ(type("RequireAnyClientCert", ""), ClientAuth::kRequireAnyClientCert);
  EXPECT_EQ(type("RequireClientCert", ""), ClientAuth::kRequireAnyClientCert);
  EXPECT_EQ(type("VerifyClientCertIfGiven", ", client_ca_file: c"), ClientAuth::kVerifyClientCertIfGiven);
}

TEST(WebConfig, PemInTheFileItself) {
  const WebLoadResult loaded = load_web_config(
      "tls_server_config:\n"
      "  cert: |\n    -----BEGIN CERTIFICATE-----\n    AA\n"
      "  key: |\n    -----BEGIN PRIVATE KEY-----\n    BB\n"
      "  client_ca: |\n    -----BEGIN CERTIFICATE-----\n    CC\n"
      "  client_auth_type: VerifyClientCertIfGiven\n"
      "  client_allowed_sans: [agent.example, '10.0.0.1', 'spiffe://a/b']\n"
      "  curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]\n",
      "web.yml");
  ASSERT_TRUE(loaded.ok()) << loaded.faults[0].text();
  const TlsServer tls = loaded.security.tls.value_or(TlsServer{});
  EXPECT_EQ(tls.cert, "-----BEGIN CERTIFICATE-----\nAA\n");
  EXPECT_EQ(tls.key, "-----BEGIN PRIVATE KEY-----\nBB\n");
  EXPECT_EQ(tls.client_ca, "-----BEGIN CERTIFICATE-----\nCC\n");
  EXPECT_THAT(tls.client_allowed_sans.value_or(std::vector<std::string>{}),
              ElementsAre("agent.example", "10.0.0.1", "spiffe://a/b"));
  EXPECT_THAT(tls.curves, ElementsAre("P-256", "P-384", "P-521", "X25519"));
  // A key that is no PEM may still be a secret.
  EXPECT_THAT(web_config_faults("tls_server_config: {cert_file: a, key: secret}\n"),
              ElementsAre("web.yml:1:40: key: expected PEM text, as `key: |` and below it, indented, -----BEGIN ... to "
                          "-----END ..."));
  EXPECT_THAT(web_config_faults("tls_server_config:\n  cert_file: a\n  key_file: b\n  key: '-----BEGIN '\n"),
              ElementsAre("web.yml:2:3: key: expected only one of key and key_file"));
}

TEST(WebConfig, RateLimits) {
  const auto limit = [](const std::string& text) {
    return load_web_config("rate_limit: " + text, "web.yml").security.rate_limit;
  };
  using std::chrono::milliseconds, std::chrono::nanoseconds;
  EXPECT_EQ(limit("{burst: 1, interval: 1h1m1s}"), (RateLimit{1, milliseconds(3'661'000)}));
  EXPECT_EQ(limit("{burst: 1, interval: +1.25ms}"), (RateLimit{1, nanoseconds(1'250'000)}));
  EXPECT_EQ(limit("{burst: 1, interval: 3\xC2\xB5s}"), (RateLimit{1, nanoseconds(3'000)}));
  EXPECT_EQ(limit("{burst: 1, interval: 0.5ns}"), (RateLimit{1, nanoseconds(1)}));
  for (const char* twenty : {"20", "+20", "2_0", "0x14", "0o24", "024", "0b10100"})
    EXPECT_EQ(limit("{burst: " + std::string(twenty) + ", interval: 1s}"), (RateLimit{20, milliseconds(1'000)})) << twenty;
  EXPECT_EQ(limit("{burst: 4294967296, interval: 1s}"), (RateLimit{1'000'000, milliseconds(1'000)}));
  for (const char* none : {"'2'", "1.5", "-1", "0x", "_", "08", "18446744073709551616"})
    EXPECT_THAT(web_config_faults("rate_limit: {burst: " + std::string(none) + ", interval: 1s}"),
                ElementsAre(HasSubstr("burst: expected a number of requests, got ")))
        << none;
  // As in the toolkit: no limit.
  for (const char* none : {"{}", "{burst: 5}", "{burst: 5, interval: 0}", "{burst: 5, interval: 0s}", ""})
    EXPECT_EQ(limit(none), std::nullopt) << none;
  for (const char* bad : {"1", "1d", "s", ".s", "1.2.3s", "-1s", "'1s '", "99999999999999h", "[1s]"})
    EXPECT_THAT(web_config_faults("rate_limit: {burst: 1, interval: " + std::string(bad) + "}"),
                ElementsAre(HasSubstr("interval: expected a duration such as 100ms, 1.5s or 1m30s, got ")))
        << bad;
  EXPECT_THAT(web_config_faults("rate_limit: {interval: 1s}"),
              ElementsAre("web.yml:1:13: rate_limit: expected a burst of at least 1; with none every request would be "
                          "refused"));
}

TEST(WebConfig, HeaderValuesOutsideTheirListsAreRefused) {
  EXPECT_THAT(
      web_config_faults("http_server_config:\n  headers:\n    X-Frame-Options: foo\n    X-Content-Type-Options: sniff\n"),
      ElementsAre("web.yml:3:22: X-Frame-Options: expected one of deny, sameorigin, got \"foo\"",
                  HasSubstr("web.yml:4:29: X-Content-Type-Options: expected one of nosniff, got \"sniff\"")));
  EXPECT_THAT(web_config_faults("http_server_config: {headers: {X-Frame-Options: DENY}}\n"), testing::SizeIs(1));
  EXPECT_THAT(
      web_config_faults("http_server_config: {headers: {X-Frame-Options: sameorigin, X-Content-Type-Options: nosniff}}\n"),
      IsEmpty());
}

TEST(WebConfig, HeaderValuesOfSeveralLinesAreOne) {
  const auto loaded = load_web_config(
      "http_server_config:\n  headers:\n    Content-Security-Policy: |\n      default-src 'none';\n"
      "      img-src a\n    X-XSS-Protection: ' 0 '\n",
      "web.yml");
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_THAT(loaded.security.headers, ElementsAre(testing::Pair("Content-Security-Policy", "default-src 'none'; img-src a"),
                                                   testing::Pair("X-XSS-Protection", "0")));
  EXPECT_THAT(web_config_faults("http_server_config: {headers: {X-Frame-Options: ' deny '}}\n"), testing::SizeIs(1));
  EXPECT_THAT(web_config_faults("http_server_config: {headers: {X-XSS-Protection: ' '}}\n"), testing::SizeIs(1));
}

TEST(WebConfig, AKeyWithoutValueIsNotThereExceptAnAuthority) {
  EXPECT_THAT(web_config_faults(
                  "tls_server_config:\n  cert_file: a\n  key_file: b\n  cert:\n  key: ~\n  client_auth_type:\n  min_version:\n"
                  "  client_ca_file:\n  prefer_server_cipher_suites:\nhttp_server_config: {http2: , headers: }\n"
                  "rate_limit: {burst: 1, interval: }\n"),
              IsEmpty());
  EXPECT_THAT(web_config_faults("tls_server_config:\n  cert_file: a\n  key_file: b\n  client_ca_file:\n"
                                "  client_auth_type: RequireAndVerifyClientCert\n"),
              ElementsAre(HasSubstr("web.yml:4:3: client_ca_file: is empty; without it a certificate of any public")));
  EXPECT_THAT(load_web_config("tls_server_config: {cert_file: a, key_file: b, curve_preferences: [X25519, X25519]}", "web.yml")
                  .security.tls.value()
                  .curves,
              ElementsAre("X25519"));
}

TEST(WebConfig, UnknownKeysAreRefused) {
  EXPECT_THAT(web_config_faults("tls_server_conf: {}\nrate_limits: {burst: 1}\n"),
              ElementsAre("web.yml:1:1: unknown key \"tls_server_conf\"; did you mean \"tls_server_config\"?",
                          "web.yml:2:1: unknown key \"rate_limits\"; did you mean \"rate_limit\"?"));
  EXPECT_THAT(
      web_config_faults("tls_server_config:\n  cert_fil: a\n  key_file: b\n  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n"),
      ElementsAre("web.yml:2:3: unknown key \"cert_fil\" in tls_server_config; did you mean \"cert_file\"?",
                  "web.yml:2:3: tls_server_config: expected both cert_file and key_file",
                  HasSubstr("web.yml:4:19: cipher_suites: expected a known name")));
  EXPECT_THAT(web_config_faults("http_server_config:\n  headers: {X-Frame-Option: deny}\n  htp2: true\n"),
              ElementsAre("web.yml:2:13: unknown header \"X-Frame-Option\" in headers; did you mean \"X-Frame-Options\"?",
                          "web.yml:3:3: unknown key \"htp2\" in http_server_config; did you mean \"http2\"?"));
}

TEST(WebConfig, ValuesAreChecked) {
  EXPECT_THAT(
      web_config_faults("tls_server_config:\n  cert_file: ''\n  key_file: [a]\n  client_auth_type: RequireVerify\n"
                        "  min_version: TLS14\n  cipher_suites: [TLS_RSA]\n  prefer_server_cipher_suites: 'yes'\n"),
      ElementsAre("web.yml:2:14: cert_file: expected a file, got \"\"", "web.yml:3:13: key_file: expected a file, got a list",
                  HasSubstr("web.yml:4:21: client_auth_type: expected one of NoClientCert, RequestClientCert, "),
                  "web.yml:5:16: min_version: expected one of TLS10, TLS11, TLS12, TLS13, got \"TLS14\"; did you "
                  "mean \"TLS13\"?",
                  HasSubstr("web.yml:6:19: cipher_suites: expected a known name, got \"TLS_RSA\""),
                  "web.yml:7:32: prefer_server_cipher_suites: expected true or false, got \"yes\""));
  EXPECT_THAT(web_config_faults("http_server_config: {http2: 1, headers: {X-Frame-Options: \"a\\x01b\"}}\n"),
              ElementsAre("web.yml:1:29: http2: expected true or false, got \"1\"",
                          "web.yml:1:59: X-Frame-Options: expected text, got \"a\\x01b\""));
}

TEST(WebConfig, TlsSettingsFitTogether) {
  EXPECT_THAT(web_config_faults("tls_server_config: {cert_file: a}\n"),
              ElementsAre("web.yml:1:20: tls_server_config: expected both cert_file and key_file"));
  EXPECT_THAT(web_config_faults("tls_server_config: {cert_file: a, key_file: b, min_version: TLS13, max_version: TLS12}\n"),
              ElementsAre("web.yml:1:81: min_version: expected at most max_version"));
  // Without authorities of its own: the system's.
  EXPECT_THAT(web_config_faults("tls_server_config: {cert_file: a, key_file: b, client_auth_type: VerifyClientCertIfGiven}\n"),
              IsEmpty());
  EXPECT_THAT(web_config_faults("tls_server_config: {cert_file: a, key_file: b, client_ca_file: c, client_auth_type: "
                                "RequestClientCert}\n"),
              IsEmpty());
  EXPECT_THAT(web_config_faults("tls_server_config: {cert_file: a, key_file: b, client_allowed_sans: [a]}\n"),
              ElementsAre(HasSubstr("web.yml:1:69: client_allowed_sans: expected a client_auth_type with it")));
  EXPECT_THAT(web_config_faults("tls_server_config: {cert_file: a, key_file: b, client_allowed_sans: [], client_auth_type: "
                                "RequireAnyClientCert}\n"),
              ElementsAre(HasSubstr("web.yml:1:69: client_allowed_sans: expected at least one")));
  EXPECT_THAT(web_config_faults("tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}\n"),
              ElementsAre("web.yml:1:20: client_ca_file: expected a client_auth_type that verifies: "
                          "VerifyClientCertIfGiven or RequireAndVerifyClientCert"));
}

TEST(WebConfig, SaysHowClientsProveThemselvesAndWhatIsDoubtful) {
  WebSecurity security;
  EXPECT_EQ(authentication_words(security), "none");
  security.tls.emplace();
  EXPECT_EQ(authentication_words(security), "none");
  EXPECT_EQ(doubtful(security), "");
  security.tls->client_auth = ClientAuth::kRequireAndVerifyClientCert;
  EXPECT_EQ(authentication_words(security), "client certificate");
  EXPECT_EQ(doubtful(security),
            "client_auth_type RequireAndVerifyClientCert without client_ca_file takes certificates of the system's public "
            "authorities, and none of an authority of your own");
  security.users.push_back({"prom", ""});
  security.tls->client_ca_file = "ca.pem";
  EXPECT_EQ(authentication_words(security), "basic and client certificate");
  EXPECT_EQ(doubtful(security), "");
  security.tls->client_auth = ClientAuth::kVerifyClientCertIfGiven;
  EXPECT_EQ(authentication_words(security), "basic");
}

TEST(WebConfig, HashesAreBcryptAndNeverRepeated) {
  const auto fault = [](const std::string& hash) {
    const auto faults = web_config_faults("basic_auth_users:\n  alice: '" + hash + "'\n");
    return faults.empty() ? "" : faults[0];
  };
  const std::string expected =
      "web.yml:2:10: basic_auth_users: expected a bcrypt hash of cost 4..18 for \"alice\", as `htpasswd -nB` makes it";
  std::string hash = kHash;
  EXPECT_EQ(fault(hash), "");
  EXPECT_EQ(fault("secret"), expected);
  EXPECT_EQ(fault(hash + "A"), expected);
  EXPECT_EQ(fault(hash.substr(1)), expected);
  hash[2] = 'x';
  EXPECT_EQ(fault(hash), expected);
  hash = kHash;
  hash[59] = '!';
  EXPECT_EQ(fault(hash), expected);
  for (const auto& [cost, is_good] : {std::pair("03", false), {"04", true}, {"18", true}, {"19", false}, {"1x", false}}) {
    hash = kHash;
    hash.replace(4, 2, cost);
    EXPECT_EQ(fault(hash).empty(), is_good) << cost;
  }
  EXPECT_THAT(web_config_faults("basic_auth_users: {'a:b': x, '': x, c: [secret]}\n"),
              ElementsAre("web.yml:1:20: basic_auth_users: expected a name without colon, got \"a:b\"",
                          "web.yml:1:30: basic_auth_users: expected a name without colon, got \"\"",
                          HasSubstr("web.yml:1:40: basic_auth_users: expected a bcrypt hash")));
  EXPECT_THAT(web_config_faults("basic_auth_users: {a: " + kHash + ", a: " + kHash + "}\n"),
              ElementsAre("web.yml:1:85: key \"a\" is given twice, first in line 1"));
}

TEST(WebConfig, FilesMustBeThereWhenAsked) {
  test::MemoryFiles files;
  files.put("/etc/kmem/cert.pem", "");
  const std::string text = "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n";
  EXPECT_TRUE(load_web_config(text, "/etc/kmem/web.yml").ok());
  const WebLoadResult loaded = load_web_config(text, "/etc/kmem/web.yml", &files);
  ASSERT_EQ(loaded.faults.size(), 1U);
  EXPECT_THAT(loaded.faults[0].text(), HasSubstr("/etc/kmem/web.yml:3:13: key_file: "));
  EXPECT_THAT(loaded.faults[0].text(), HasSubstr("/etc/kmem/key.pem: absent"));
}

TEST(WebConfig, SharesTheRulesOfTheText) {
  EXPECT_THAT(web_config_faults("basic_auth_users: &a {}\n---\n"),
              ElementsAre("web.yml:1:19: anchors (&name) are not supported",
                          "web.yml:2:1: the document ended before this: expected one in a file"));
}

}  // namespace
}  // namespace kmem::config
