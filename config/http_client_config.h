// How this program is to speak to a Prometheus server: a file in the words of Prometheus' http_config (basic_auth,
// authorization, tls_config) -> HttpClientConfig, or every fault at once. What is known there and not done here is
// refused, never ignored: it is about security. Files it names are read here. Thread: pure but for `files`.
// Failure: faults; the rest is then not to be used. Secrets are never repeated in a message.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/file_io.h"
#include "config/fault.h"

namespace kmem::config {

struct HttpClientConfig {
  std::string username, password;  // both empty: none
  std::string bearer_token;
  std::string ca_file, cert_file, key_file;  // relative to the file's folder already
  bool verifies_server = true;
};

struct HttpClientLoadResult {
  HttpClientConfig config;
  std::vector<Fault> faults;  // by place

  [[nodiscard]] bool ok() const { return faults.empty(); }
};

[[nodiscard]] HttpClientLoadResult load_http_client_config(std::string_view text, std::string_view file_name,
                                                           base::FileSystem& files);

}  // namespace kmem::config
