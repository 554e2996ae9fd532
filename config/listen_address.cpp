#include "config/listen_address.h"

#include "config/text.h"

namespace kmem::config {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::size_t kMaxUnixPathBytes = 107;  // of sockaddr_un
#ifdef _WIN32
constexpr bool kHasUnixSockets = false;
#else
constexpr bool kHasUnixSockets = true;
#endif

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool consists_of(std::string_view text, std::string_view others) {
  for (const char c : text)
    if (!is_alnum(c) && others.find(c) == std::string_view::npos) return false;
  return true;
}

}  // namespace

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) {
    const std::string_view path = text.substr(kUnixPrefix.size());
    const bool fits = path.size() > 1 && path.size() <= kMaxUnixPathBytes && !path.ends_with('/');
    if (!kHasUnixSockets || !fits || path[0] != '/') return std::nullopt;
    return ListenAddress{{}, 0, std::string(path)};
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.size() > 255) return std::nullopt;
  const std::string_view port_text = text.substr(colon + 1);
  const std::optional<std::uint64_t> port = parse_count(port_text);
  if (!port || *port > 65'535 || port_text.size() > 5) return std::nullopt;

  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 3) {
    host = host.substr(1, host.size() - 2);
    // After % the name of an interface: fe80::1%eth0.
    if (host.find(':') == std::string_view::npos || !consists_of(host, ":.%_-")) return std::nullopt;
  } else if (!consists_of(host, ".-_") || host.starts_with('-')) {
    return std::nullopt;  // also a v6 address without brackets
  }
  return ListenAddress{std::string(host), static_cast<std::uint16_t>(*port), {}};
}

}  // namespace kmem::config
