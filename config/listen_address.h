// "host:port", "[v6]:port" or ":port" taken apart. Thread: pure. Failure: nullopt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kmem::config {

struct ListenAddress {
  std::string host;  // without brackets; empty = every interface
  std::uint16_t port = 0;  // 0 = any free one
};

[[nodiscard]] std::optional<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace kmem::config
