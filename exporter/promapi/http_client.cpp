#include "exporter/promapi/http_client.h"

#include <algorithm>
#include <utility>

#include "exporter/http/httplib_settings.h"
#include <httplib.h>

namespace kmem::promapi {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

struct Address {
  std::string origin;  // "http://host:9090"
  std::string prefix;  // "/prometheus"
};

Result<Address> parse_url(const std::string& url) {
  const auto refuse = [&](const std::string& why) { return Error{ErrorCode::kInvalid, why}; };
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos || (url.substr(0, scheme) != "http" && url.substr(0, scheme) != "https"))
    return refuse("expected http://HOST:PORT or https://HOST:PORT");
#ifndef CPPHTTPLIB_OPENSSL_SUPPORT
  if (url.starts_with("https:")) return refuse("this program was built without TLS; expected http://HOST:PORT");
#endif
  const std::size_t path = std::min(url.find('/', scheme + 3), url.size());
  Address address{url.substr(0, path), url.substr(path)};
  const std::string host = address.origin.substr(scheme + 3);
  // Such would end up in logs and lists of processes.
  if (host.find('@') != std::string::npos) return refuse("expected no password in it; --prometheus.config names a file");
  if (host.empty() || host.front() == ':') return refuse("expected a host in it");
  if (address.prefix.find_first_of("?#") != std::string::npos) return refuse("expected no query in it");
  const bool is_plain = std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (!is_plain) return refuse("expected no blanks and no other letters than ASCII in it");
  while (address.prefix.ends_with('/')) address.prefix.pop_back();
  return address;
}

std::string reason(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection: return "no connection";
    case httplib::Error::ConnectionTimeout: return "no connection in time";
    case httplib::Error::Read: return "no answer in time, or the connection broke";
    case httplib::Error::Canceled: return "the answer is longer than " + std::to_string(kMaxAnswerBytes >> 20) + " MiB";
    default: return httplib::to_string(error);
  }
}

class HttpClient final : public HttpGetter {
 public:
  HttpClient(Address address, const config::HttpClientConfig& config, std::chrono::seconds timeout)
      : address_(std::move(address)), client_(address_.origin, config.cert_file, config.key_file) {
    client_.set_keep_alive(true);
    client_.set_follow_location(false);
    client_.set_connection_timeout(std::chrono::seconds(10));
    client_.set_read_timeout(timeout);
    client_.set_write_timeout(std::chrono::seconds(10));
    if (!config.username.empty()) client_.set_basic_auth(config.username, config.password);
    if (!config.bearer_token.empty()) client_.set_bearer_token_auth(config.bearer_token);
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
    if (!config.ca_file.empty()) client_.set_ca_cert_path(config.ca_file);
    client_.enable_server_certificate_verification(config.verifies_server);
    client_.enable_server_hostname_verification(config.verifies_server);
#endif
  }

  [[nodiscard]] bool is_valid() const { return client_.is_valid(); }

  Result<HttpAnswer> get(const std::string& path) override {
    HttpAnswer answer;
    const auto got = client_.Get(address_.prefix + path, [&](const char* bytes, std::size_t size) {
      if (answer.body.size() + size > kMaxAnswerBytes) return false;
      answer.body.append(bytes, size);
      return true;
    });
    if (!got) return Error{ErrorCode::kIo, address_.origin + ": " + reason(got.error())};
    answer.status = got->status;
    return answer;
  }

 private:
  Address address_;
  httplib::Client client_;
};

}  // namespace

Result<std::unique_ptr<HttpGetter>> make_http_client(const std::string& url, const config::HttpClientConfig& config,
                                                     std::chrono::seconds timeout) {
  auto address = parse_url(url);
  if (!address) return address.error();
  auto client = std::make_unique<HttpClient>(std::move(*address), config, timeout);
  if (!client->is_valid())
    return Error{ErrorCode::kInvalid, "expected http://HOST:PORT, and a certificate with its key if any"};
  return std::unique_ptr<HttpGetter>(std::move(client));
}

}  // namespace kmem::promapi
