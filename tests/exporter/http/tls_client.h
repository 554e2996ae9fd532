// Certificates made on the spot, and a TLS client that says how its handshake went.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace kmem::http {

struct Credentials {
  std::string certificate_pem;
  std::string key_pem;
};

struct CredentialOptions {
  int rsa_bits = 0;       // 0: P-256
  std::string sans = {};  // "DNS:a,IP:10.0.0.1"
};

/// Valid for an hour; signed by `issuer`, or by itself.
Credentials make_credentials(const std::string& name, const Credentials* issuer = nullptr,
                             const CredentialOptions& options = {});

class TlsClient {
 public:
  struct Options {
    int max_version = 0;               // 0: the library's
    const Credentials* own = nullptr;  // client certificate
    const char* suites = nullptr;      // of TLS 1.2; null: all
    const char* groups = nullptr;
  };
  TlsClient(std::uint16_t port, const Options& options);
  ~TlsClient();

  [[nodiscard]] bool connected() const;
  [[nodiscard]] std::string server_name() const;  // of its certificate
  [[nodiscard]] std::string version() const;
  [[nodiscard]] std::string cipher() const;
  /// The whole answer to a request that asks to close; "" if the connection failed.
  std::string get(const std::string& path, const std::string& headers = "");
  /// One answer on a connection that stays.
  std::string get_and_stay(const std::string& path);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kmem::http
