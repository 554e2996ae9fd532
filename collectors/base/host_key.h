// A host's identity as it is written into files: a keyed hash of the machine's id, because machine-id(5) asks that the id
// itself stay on the machine. Thread: pure.
#pragma once

#include <string>
#include <string_view>

namespace kmem::base {

/// HMAC-SHA-256 of `machine_id` under this program's own key: its first 128 bits in hexadecimal; empty stays empty.
[[nodiscard]] std::string host_key(std::string_view machine_id);

/// Whether what a file says is this host. Earlier versions wrote the machine's id itself.
[[nodiscard]] bool is_host(std::string_view written, std::string_view own_key);

[[nodiscard]] std::string sha256(std::string_view bytes);

}  // namespace kmem::base
