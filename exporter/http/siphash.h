// Stage 6: SipHash-2-4 with 128 bits, a keyed hash for tables whose keys strangers choose and which shall not hold
// secrets in the clear. Thread: pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace kmem::http {

using SipKey = std::array<std::uint64_t, 2>;
using SipHash = std::array<std::uint64_t, 2>;

SipHash sip_hash(const SipKey& key, std::string_view bytes);

}  // namespace kmem::http
