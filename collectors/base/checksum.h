// CRC-32 (zlib's polynomial) over bytes, in one or several pieces: crc32(b, crc32(a)) == crc32(a + b).
// Thread: pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace kmem::base {

[[nodiscard]] std::uint32_t crc32(std::string_view bytes, std::uint32_t before = 0);

}  // namespace kmem::base
