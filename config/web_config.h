// A web configuration file (the format of Prometheus' exporter-toolkit) -> WebSecurity, or every fault at once.
// What the toolkit knows and this exporter does not do is refused, never ignored: it is about security.
// Thread: pure but for `files`, which reads what the file names. Failure: faults; security is then not to be used.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/file_io.h"
#include "config/fault.h"
#include "config/web_security.h"

namespace kmem::config {

struct WebLoadResult {
  WebSecurity security;
  std::vector<Fault> faults;  // by place

  [[nodiscard]] bool ok() const { return faults.empty(); }
};

/// How clients prove who they are: "none", "basic", "client certificate", "basic and client certificate".
[[nodiscard]] std::string authentication_words(const WebSecurity& security);

/// What is allowed but hardly meant, a sentence; empty: nothing.
[[nodiscard]] std::string doubtful(const WebSecurity& security);

/// With `files`, certificates and keys must be there and readable. Relative paths count from the file's folder.
[[nodiscard]] WebLoadResult load_web_config(std::string_view text, std::string_view file_name,
                                            base::FileSystem* files = nullptr);

}  // namespace kmem::config
