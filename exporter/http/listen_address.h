// Stage 6: "--web.listen-address" text -> host and port. ":10054" and "10054" are every address, "[::1]:9" is IPv6.
// Thread: pure. Failure: kInvalid that names the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/base/result.h"

namespace kmem::http {

struct ListenAddress {
  std::string host;  // empty = every address
  std::uint16_t port = 0;
};

base::Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace kmem::http
