#include "collectors/base/checksum.h"

#include <zlib.h>

#include <array>
#include <cstddef>

#if defined(__x86_64__) && defined(__GNUC__)
#define KMEM_CRC_BY_PRODUCTS 1
#include <wmmintrin.h>
#endif

namespace kmem::base {
namespace {

#ifdef KMEM_CRC_BY_PRODUCTS

/// Carry-less products fold 64 bytes at a time into 16, as in Intel's "Fast CRC Computation for Generic Polynomials
/// Using PCLMULQDQ" (2009), whose constants these are: an eighth of a byte's share of zlib's work. At least 64 bytes, in
/// whole 16s. `state` is the CRC's complement, before and after.
__attribute__((target("pclmul,sse2"))) std::uint32_t folded(const char* at, std::size_t size, std::uint32_t state) {
  const auto load = [](const char* from) __attribute__((target("pclmul,sse2"))) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  };
  const auto fold = [](__m128i value, __m128i by, __m128i next) __attribute__((target("pclmul,sse2"))) {
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(value, by, 0x00), _mm_clmulepi64_si128(value, by, 0x11)), next);
  };
  const __m128i by_64 = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4), by_16 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
  __m128i a = _mm_xor_si128(load(at), _mm_cvtsi32_si128(static_cast<int>(state)));
  __m128i b = load(at + 16), c = load(at + 32), d = load(at + 48);
  for (at += 64, size -= 64; size >= 64; at += 64, size -= 64) {
    a = fold(a, by_64, load(at));
    b = fold(b, by_64, load(at + 16));
    c = fold(c, by_64, load(at + 32));
    d = fold(d, by_64, load(at + 48));
  }
  a = fold(fold(fold(a, by_16, b), by_16, c), by_16, d);
  for (; size >= 16; at += 16, size -= 16) a = fold(a, by_16, load(at));

  const __m128i low = _mm_setr_epi32(-1, 0, -1, 0);
  a = _mm_xor_si128(_mm_clmulepi64_si128(a, by_16, 0x10), _mm_srli_si128(a, 8));
  a = _mm_xor_si128(_mm_clmulepi64_si128(_mm_and_si128(a, low), _mm_set_epi64x(0, 0x0163cd6124), 0x00), _mm_srli_si128(a, 4));
  const __m128i polynomial = _mm_set_epi64x(0x01f7011641, 0x01db710641);
  __m128i quotient = _mm_and_si128(_mm_clmulepi64_si128(_mm_and_si128(a, low), polynomial, 0x10), low);
  a = _mm_xor_si128(_mm_clmulepi64_si128(quotient, polynomial, 0x00), a);
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_srli_si128(a, 4)));
}

constexpr auto kNibbles = [] {
  std::array<std::uint32_t, 16> table{};
  for (std::uint32_t i = 0; i < 16; ++i) {
    table[i] = i;
    for (int bit = 0; bit < 4; ++bit) table[i] = (table[i] >> 1) ^ ((table[i] & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return table;
}();

std::uint32_t by_nibbles(std::string_view bytes, std::uint32_t before) {
  std::uint32_t state = ~before;
  for (const char byte : bytes) {
    state ^= static_cast<unsigned char>(byte);
    state = (state >> 4) ^ kNibbles[state & 15];
    state = (state >> 4) ^ kNibbles[state & 15];
  }
  return ~state;
}

#endif

}  // namespace

std::uint32_t crc32(std::string_view bytes, std::uint32_t before) {
#ifdef KMEM_CRC_BY_PRODUCTS
  static const bool has_products = __builtin_cpu_supports("pclmul") != 0;
  if (has_products && bytes.size() >= 64) {
    const std::size_t whole = bytes.size() & ~std::size_t{15};
    before = ~folded(bytes.data(), whole, ~before);
    bytes.remove_prefix(whole);
    // zlib would bring its tables into memory for a few bytes.
    return by_nibbles(bytes, before);
  }
#endif
  return static_cast<std::uint32_t>(::crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace kmem::base
