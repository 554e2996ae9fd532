// STAGE 5, inside: how often each symbol occurs -> a prefix code of limited length, as DEFLATE (RFC 1951, 3.2.2) writes it.
// Pure; any thread. Failure: none.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace kmem::encode {

struct PrefixCode {
  std::uint16_t bits = 0;    // the first to be written is the lowest
  std::uint16_t length = 0;  // 0 = the symbol does not occur
};

/// At most 288 symbols, counted less than 2^23 times each; 2^longest is at least their number.
void make_prefix_codes(std::span<const std::uint32_t> counts, unsigned longest, std::span<PrefixCode> codes);

}  // namespace kmem::encode
