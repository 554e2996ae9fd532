// Stage 6: which Host headers are answered where nothing else protects the page. A web site can make a visitor's browser
// ask this machine under the site's own name (DNS rebinding) and read the answer; it cannot make the browser say another
// name. Fine are IP addresses, names that no domain of the internet can have (localhost, without a dot, .local), this
// machine's name with any domain, and what the configuration allows.
// Thread: immutable. Failure: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kmem::http {

class HostRule {
 public:
  /// Of the configuration ("*" = any), and the machine's own name, with or without domain.
  HostRule(const std::vector<std::string>& names, std::string_view own_name);
  /// A Host header's value; empty (HTTP/1.0 has none): no browser sends that.
  [[nodiscard]] bool allows(std::string_view host) const;

 private:
  bool any_ = false;
  std::vector<std::string> names_;
  std::string own_label_;
};

}  // namespace kmem::http
