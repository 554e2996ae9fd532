// "host:port", "[v6]:port", ":port" or "unix:/path" taken apart. Thread: pure. Failure: nullopt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kmem::config {

struct ListenAddress {
  std::string host;            // without brackets; empty = every interface
  std::uint16_t port = 0;      // 0 = any free one
  std::string unix_path = {};  // of a socket in the file system; then there is no host and no port
};

[[nodiscard]] std::optional<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace kmem::config
