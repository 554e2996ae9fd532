// STAGE 5, inside: the words between finding what repeats and writing it: tokens, their codes (RFC 1951, 3.2.5), and how
// alike two places of a text are. Pure; any thread. Failure: none.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace kmem::encode {

inline constexpr std::size_t kWindow = 32768, kShortest = 4, kLongest = 258;
inline constexpr std::size_t kBlockTokens = 16384;
inline constexpr std::size_t kLengthCodes = 257;

/// RFC 1951, 3.2.5: a code stands for a run of lengths or distances, told apart by extra bits.
struct Range {
  std::uint16_t first = 0;
  std::uint8_t extra_bits = 0;
};
/// The first `2 * per_step` codes stand for one each, then every `per_step` codes have a bit more.
template <std::size_t kCount>
constexpr std::array<Range, kCount> ranges_from(std::uint16_t at, std::size_t per_step) {
  std::array<Range, kCount> ranges{};
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto extra = static_cast<std::uint8_t>(i < 2 * per_step ? 0 : i / per_step - 1);
    ranges[i] = {at, extra};
    at = static_cast<std::uint16_t>(at + (1U << extra));
  }
  return ranges;
}
inline constexpr auto kLengths = [] {
  auto ranges = ranges_from<29>(3, 4);
  ranges[28] = {258, 0};
  return ranges;
}();
inline constexpr auto kDistances = ranges_from<30>(1, 2);
inline constexpr auto kLengthCode = [] {
  std::array<std::uint8_t, kLongest + 1> codes{};
  for (std::size_t i = 0; i < kLengths.size(); ++i)
    for (std::size_t length = kLengths[i].first; length <= kLongest; ++length) codes[length] = static_cast<std::uint8_t>(i);
  return codes;
}();
/// Of distances up to 256 themselves, of longer ones by their 128s.
inline constexpr auto kDistanceCode = [] {
  std::array<std::uint8_t, 512> codes{};
  for (std::size_t i = 0; i < kDistances.size(); ++i) {
    for (std::size_t distance = kDistances[i].first; distance <= 256; ++distance)
      codes[distance - 1] = static_cast<std::uint8_t>(i);
    for (std::size_t step = kDistances[i].first < 257 ? 2U : (kDistances[i].first - 1U) >> 7; step < 256; ++step)
      codes[256 + step] = static_cast<std::uint8_t>(i);
  }
  return codes;
}();
inline std::size_t distance_code(std::size_t distance) {
  return distance <= 256 ? kDistanceCode[distance - 1] : kDistanceCode[256 + ((distance - 1) >> 7)];
}

using LiteralCounts = std::array<std::uint32_t, 286>;
using DistanceCounts = std::array<std::uint32_t, 30>;

/// A token is a byte, or a match's length, distance code and distance - 1.
inline constexpr unsigned kTokenLengthAt = 20, kTokenCodeAt = 15;
inline std::uint32_t match_token(std::size_t length, std::size_t code, std::size_t distance) {
  return static_cast<std::uint32_t>(length << kTokenLengthAt | code << kTokenCodeAt | (distance - 1));
}

template <typename Word>
Word load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// How many bytes are the same, of at most `most`: a word of the machine at a time.
inline std::size_t common(const char* a, const char* b, std::size_t most) {
  std::size_t length = 0;
  for (; length + sizeof(std::size_t) <= most; length += sizeof(std::size_t)) {
    const std::size_t difference = load<std::size_t>(a + length) ^ load<std::size_t>(b + length);
    if (difference == 0) continue;
    const int bytes = std::endian::native == std::endian::little ? std::countr_zero(difference) : std::countl_zero(difference);
    return length + static_cast<std::size_t>(bytes) / 8;
  }
  while (length < most && a[length] == b[length]) ++length;
  return length;
}

}  // namespace kmem::encode
