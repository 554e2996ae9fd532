#include "exporter/http/listen_address.h"

#include <charconv>

namespace kmem::http {

base::Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto bad = [&](const std::string& why) {
    return base::Error{base::ErrorCode::kInvalid, "listen address \"" + std::string(text) + "\": " + why};
  };
  ListenAddress result;
  auto port = text;
  if (text.starts_with('[')) {
    const auto close = text.find("]:");
    if (close == std::string_view::npos) return bad("want \"[address]:port\"");
    result.host = text.substr(1, close - 1);
    port = text.substr(close + 2);
    if (result.host.find(':') == std::string::npos) return bad("no IPv6 address between the brackets");
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    if (text.find(':', colon + 1) != std::string_view::npos) return bad("an IPv6 address wants brackets: \"[address]:port\"");
    result.host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  const auto end = port.data() + port.size();
  const auto parsed = std::from_chars(port.data(), end, result.port);
  if (port.empty() || parsed.ec != std::errc() || parsed.ptr != end) return bad("the port is not a number of 0 to 65535");
  return result;
}

}  // namespace kmem::http
