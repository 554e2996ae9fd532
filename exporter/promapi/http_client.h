// Whole answers of one HTTP server, over a connection that is kept: the only user of httplib's client. TLS where this
// build has it. Redirections are not followed: they would take the password elsewhere. Thread: one.
// Failure: an Error that says what did not work (name, connection, certificate, time); a status is no Error.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/base/result.h"
#include "config/http_client_config.h"

namespace kmem::promapi {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

class HttpGetter {
 public:
  virtual ~HttpGetter() = default;
  /// `path` begins with a slash and is encoded.
  virtual base::Result<HttpAnswer> get(const std::string& path) = 0;
};

inline constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 20;

/// "http://host:9090/prefix"; kInvalid when it is none, or asks for what this build cannot do.
[[nodiscard]] base::Result<std::unique_ptr<HttpGetter>> make_http_client(const std::string& url,
                                                                         const config::HttpClientConfig& config,
                                                                         std::chrono::seconds timeout);

}  // namespace kmem::promapi
