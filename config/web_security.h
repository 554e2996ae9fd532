// What a web configuration file (exporter-toolkit's format) asks of the HTTP server, as plain values: TLS, headers,
// basic authentication, rate limit. config/web_config.h reads it; exporter/http obeys it or refuses to start, never ignores it.
// Thread: value types.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kmem::config {

enum class TlsVersion { kTls10, kTls11, kTls12, kTls13 };

/// In the toolkit's words, which are Go's.
enum class ClientAuth {
  kNoClientCert,
  kRequestClientCert,        // asked for, neither required nor verified
  kRequireAnyClientCert,     // required, not verified
  kVerifyClientCertIfGiven,  // verified when sent
  kRequireAndVerifyClientCert,
};

struct TlsServer {
  std::string cert_file;  // paths are already relative to the web configuration file's folder
  std::string key_file;
  std::string client_ca_file;  // empty: the system's authorities, where client_auth verifies
  ClientAuth client_auth = ClientAuth::kNoClientCert;
  TlsVersion min_version = TlsVersion::kTls12;
  TlsVersion max_version = TlsVersion::kTls13;
  std::vector<std::string> cipher_suites;  // IANA names for TLS 1.2 and older; empty = the library's choice
  bool prefer_server_cipher_suites = true;
  std::string cert{}, key{}, client_ca{};  // PEM in place of the files
  std::vector<std::string> curves{};       // OpenSSL's names, for key exchange; empty = the library's choice
  /// A client's certificate must have one of these names, addresses or URIs; none = any.
  std::optional<std::vector<std::string>> client_allowed_sans{};

  bool operator==(const TlsServer&) const = default;
};

struct BasicAuthUser {
  std::string name;
  std::string bcrypt_hash;  // "$2y$10$" and 53 characters; cost is within 4..18

  bool operator==(const BasicAuthUser&) const = default;
};

/// A bucket of `burst` requests that gets one more every `interval`.
struct RateLimit {
  std::size_t burst = 0;
  std::chrono::nanoseconds interval{};

  bool operator==(const RateLimit&) const = default;
};

struct WebSecurity {
  std::optional<TlsServer> tls;                              // none = plain HTTP
  std::vector<std::pair<std::string, std::string>> headers;  // added to every response, canonical names
  std::vector<BasicAuthUser> users;                          // none = everyone; names are unique, in file order
  std::optional<RateLimit> rate_limit;                       // of all clients together

  bool operator==(const WebSecurity&) const = default;
};

}  // namespace kmem::config
