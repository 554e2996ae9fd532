#include "exporter/encode/gzip.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "collectors/base/checksum.h"
#include "exporter/encode/huffman.h"

namespace kmem::encode {
namespace {

constexpr std::size_t kMaxInputBytes = std::size_t{64} << 20;
constexpr std::size_t kWindow = 32768, kShortest = 4, kLongest = 258;
constexpr std::size_t kBlockTokens = 16384;
constexpr unsigned kHashBits = 13;
constexpr std::size_t kEndOfBlock = 256, kLengthCodes = 257;
constexpr unsigned kLongestCode = 15, kLongestHeaderCode = 7;

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
constexpr auto kLengths = [] {
  auto ranges = ranges_from<29>(3, 4);
  ranges[28] = {258, 0};
  return ranges;
}();
constexpr auto kDistances = ranges_from<30>(1, 2);
constexpr auto kLengthCode = [] {
  std::array<std::uint8_t, kLongest + 1> codes{};
  for (std::size_t i = 0; i < kLengths.size(); ++i)
    for (std::size_t length = kLengths[i].first; length <= kLongest; ++length) codes[length] = static_cast<std::uint8_t>(i);
  return codes;
}();
/// Of distances up to 256 themselves, of longer ones by their 128s.
constexpr auto kDistanceCode = [] {
  std::array<std::uint8_t, 512> codes{};
  for (std::size_t i = 0; i < kDistances.size(); ++i) {
    for (std::size_t distance = kDistances[i].first; distance <= 256; ++distance)
      codes[distance - 1] = static_cast<std::uint8_t>(i);
    for (std::size_t far = kDistances[i].first < 257 ? 2U : (kDistances[i].first - 1U) >> 7; far < 256; ++far)
      codes[256 + far] = static_cast<std::uint8_t>(i);
  }
  return codes;
}();
std::size_t distance_code(std::size_t distance) {
  return distance <= 256 ? kDistanceCode[distance - 1] : kDistanceCode[256 + ((distance - 1) >> 7)];
}

template <typename Word>
Word load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// How many bytes are the same, of at most `most`.
std::size_t common(const char* a, const char* b, std::size_t most) {
  std::size_t length = 0;
  for (; length + 8 <= most; length += 8) {
    const std::uint64_t difference = load<std::uint64_t>(a + length) ^ load<std::uint64_t>(b + length);
    if (difference == 0) continue;
    const int bytes = std::endian::native == std::endian::little ? std::countr_zero(difference) : std::countl_zero(difference);
    return length + static_cast<std::size_t>(bytes) / 8;
  }
  while (length < most && a[length] == b[length]) ++length;
  return length;
}

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

/// Bits, the lowest first, into bytes. A value, so that it stays in registers where it is used at length; room is made by
/// the caller, for 8 bytes more than are written.
class BitWriter {
 public:
  explicit BitWriter(char* to) : to_(to) {}

  /// At most 56 bits between two calls of flush().
  void put(std::uint64_t bits, unsigned count) {
    word_ |= bits << held_;
    held_ += count;
  }
  void flush() {
    if constexpr (std::endian::native == std::endian::little) {
      std::memcpy(to_, &word_, 8);
    } else {
      for (unsigned i = 0; i < 8; ++i) to_[i] = static_cast<char>(word_ >> (8 * i));
    }
    to_ += held_ / 8;
    word_ >>= held_ & ~7U;
    held_ &= 7;
  }
  void put_now(std::uint64_t bits, unsigned count) {
    put(bits, count);
    flush();
  }
  void fill_byte() {
    held_ = (held_ + 7) & ~7U;
    flush();
  }
  [[nodiscard]] const char* at() const { return to_; }
  void move(char* to) { to_ = to; }

 private:
  char* to_;
  std::uint64_t word_ = 0;
  unsigned held_ = 0;
};

}  // namespace

class Gzip::Deflater {
 public:
  /// The member's size; its bytes are at the start of packed().
  std::size_t run(std::string_view plain) {
    BitWriter out(packed_.data());
    expect(out, 10 * 8);
    out.put_now(0x088B1F, 32);          // magic, deflate, no flags; no time
    out.put_now(0xFF04'0000'0000, 48);  // fastest, of no system
    std::size_t at = 0;
    do {
      at = find_tokens(plain, at);
      out = write_block(plain.size() == at, out);
    } while (at < plain.size());
    // What the next page finds in the table is farther away than any match may be.
    base_ += static_cast<std::uint32_t>(plain.size() + kWindow);
    if (base_ > (std::uint32_t{1} << 31)) {
      heads_.fill(0);
      base_ = kWindow + 1;
    }
    expect(out, 8 * 8);
    out.fill_byte();
    out.put_now(base::crc32(plain), 32);
    out.put_now(plain.size(), 32);
    return static_cast<std::size_t>(out.at() - packed_.data());
  }
  [[nodiscard]] const char* packed() const { return packed_.data(); }

 private:
  // A token is a byte, or a match's length, distance code and distance - 1.
  static constexpr unsigned kLengthAt = 20, kDistanceCodeAt = 15;

  /// Room for so many bits; it grows by its half, so that it is cleared once.
  void expect(BitWriter& out, std::uint64_t bits) {
    const auto used = static_cast<std::size_t>(out.at() - packed_.data());
    const std::size_t need = used + static_cast<std::size_t>(bits / 8) + 32;
    if (need <= packed_.size()) return;
    packed_.resize(need + need / 2);
    out.move(packed_.data() + used);
  }

  /// From `at` on, until a block is full or the page ends; where it stopped.
  std::size_t find_tokens(std::string_view plain, std::size_t at) {
    std::uint32_t* token = tokens_.data();
    const std::uint32_t* const full = token + kBlockTokens;
    literals_.fill(0);
    distances_.fill(0);
    const char* const text = plain.data();
    const std::size_t end = plain.size();
    const std::size_t last = end < 8 ? 0 : end - 8;  // where a match may begin
    const std::uint32_t base = base_;
    bool in_number = false;
    while (at < end && token != full) {
      const char c = text[at];
      const bool digit = is_digit(c);
      if (!(digit && in_number) && at < last) {
        const auto word = load<std::uint32_t>(text + at);
        std::uint32_t& head = heads_[(word * 2654435761U) >> (32 - kHashBits)];
        const std::uint32_t here = base + static_cast<std::uint32_t>(at);
        const std::size_t distance = here - head;
        head = here;
        if (distance <= kWindow && load<std::uint32_t>(text + at - distance) == word) {
          const std::size_t most = std::min(end - at, kLongest) - kShortest;
          const std::size_t length =
              kShortest + common(text + at + kShortest, text + at + kShortest - distance, most);
          const std::size_t code = distance_code(distance);
          ++literals_[kLengthCodes + kLengthCode[length]];
          ++distances_[code];
          *token++ = static_cast<std::uint32_t>(length << kLengthAt | code << kDistanceCodeAt | (distance - 1));
          at += length;
          in_number = text[at - 1] == ' ' || is_digit(text[at - 1]);
          continue;
        }
      }
      in_number = c == ' ' || (digit && in_number);
      *token++ = static_cast<unsigned char>(c);
      ++literals_[static_cast<unsigned char>(c)];
      ++at;
    }
    tokens_used_ = static_cast<std::size_t>(token - tokens_.data());
    return at;
  }

  BitWriter write_block(bool is_last, BitWriter out) {
    ++literals_[kEndOfBlock];
    make_prefix_codes(literals_, kLongestCode, literal_codes_);
    make_prefix_codes(distances_, kLongestCode, distance_codes_);
    expect(out, block_bits());
    out.put_now((is_last ? 1 : 0) | 2 << 1, 3);
    out = write_codes(out);
    for (const std::uint32_t* token = tokens_.data(), *const end = token + tokens_used_; token != end; ++token) {
      const std::size_t length = *token >> kLengthAt;
      if (length == 0) {
        out.put_now(literal_codes_[*token].bits, literal_codes_[*token].length);
        continue;
      }
      const std::size_t length_code = kLengthCode[length];
      const std::size_t code = *token >> kDistanceCodeAt & 31, distance = (*token & 0x7FFF) + 1;
      out.put(literal_codes_[kLengthCodes + length_code].bits, literal_codes_[kLengthCodes + length_code].length);
      out.put(length - kLengths[length_code].first, kLengths[length_code].extra_bits);
      out.put(distance_codes_[code].bits, distance_codes_[code].length);
      out.put_now(distance - kDistances[code].first, kDistances[code].extra_bits);
    }
    out.put_now(literal_codes_[kEndOfBlock].bits, literal_codes_[kEndOfBlock].length);
    return out;
  }

  [[nodiscard]] std::uint64_t block_bits() const {
    std::uint64_t bits = 4096;  // more than the codes take: 316 of 7 bits and what repeats them
    for (std::size_t i = 0; i < literals_.size(); ++i)
      bits += std::uint64_t{literals_[i]} *
              (literal_codes_[i].length + (i < kLengthCodes ? 0U : kLengths[i - kLengthCodes].extra_bits));
    for (std::size_t i = 0; i < distances_.size(); ++i)
      bits += std::uint64_t{distances_[i]} * (distance_codes_[i].length + 0U + kDistances[i].extra_bits);
    return bits;
  }

  /// RFC 1951, 3.2.7: the lengths of both codes, themselves in a code.
  BitWriter write_codes(BitWriter out) const {
    struct Step {
      std::uint8_t symbol, extra, extra_bits;
    };
    const auto used = [](const auto& codes, std::size_t least) {
      std::size_t count = codes.size();
      while (count > least && codes[count - 1].length == 0) --count;
      return count;
    };
    const std::size_t literals = used(literal_codes_, 257), distances = used(distance_codes_, 1);
    std::array<std::uint8_t, 316> lengths{};
    for (std::size_t i = 0; i < literals; ++i) lengths[i] = static_cast<std::uint8_t>(literal_codes_[i].length);
    for (std::size_t i = 0; i < distances; ++i) lengths[literals + i] = static_cast<std::uint8_t>(distance_codes_[i].length);

    std::array<Step, 316> steps;
    std::array<std::uint32_t, 19> counts{};
    std::size_t step_count = 0;
    const auto add = [&](unsigned symbol, std::size_t extra, unsigned bits) {
      steps[step_count++] = {static_cast<std::uint8_t>(symbol), static_cast<std::uint8_t>(extra), static_cast<std::uint8_t>(bits)};
      ++counts[symbol];
    };
    for (std::size_t i = 0; i < literals + distances;) {
      const std::uint8_t length = lengths[i];
      std::size_t run = 1;
      while (i + run < literals + distances && lengths[i + run] == length) ++run;
      i += run;
      if (length != 0) {
        add(length, 0, 0);
        --run;
      }
      for (std::size_t most = length == 0 ? 138 : 6; run >= 3;) {
        const std::size_t taken = std::min(run, most);
        if (length != 0) add(16, taken - 3, 2);
        else if (taken < 11) add(17, taken - 3, 3);
        else add(18, taken - 11, 7);
        run -= taken;
      }
      for (; run > 0; --run) add(length, 0, 0);
    }

    std::array<PrefixCode, 19> codes;
    make_prefix_codes(counts, kLongestHeaderCode, codes);
    constexpr std::array<std::uint8_t, 19> kOrder = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    std::size_t told = kOrder.size();
    while (told > 4 && codes[kOrder[told - 1]].length == 0) --told;
    out.put_now((literals - 257) | (distances - 1) << 5 | (told - 4) << 10, 14);
    for (std::size_t i = 0; i < told; ++i) out.put_now(codes[kOrder[i]].length, 3);
    for (std::size_t i = 0; i < step_count; ++i) {
      out.put(codes[steps[i].symbol].bits, codes[steps[i].symbol].length);
      out.put_now(steps[i].extra, steps[i].extra_bits);
    }
    return out;
  }

  std::array<std::uint32_t, std::size_t{1} << kHashBits> heads_{};  // base_ + where these four bytes were last
  std::uint32_t base_ = kWindow + 1;
  std::array<std::uint32_t, kBlockTokens> tokens_;
  std::size_t tokens_used_ = 0;
  std::array<std::uint32_t, 286> literals_{};
  std::array<std::uint32_t, 30> distances_{};
  std::array<PrefixCode, 286> literal_codes_;
  std::array<PrefixCode, 30> distance_codes_;
  std::string packed_;
};

Gzip::Gzip() = default;
Gzip::~Gzip() = default;

base::Result<void> Gzip::compress(std::string_view plain, std::string& out) {
  out.clear();
  if (plain.size() > kMaxInputBytes) return base::Error{base::ErrorCode::kInvalid, "page too large for gzip"};
  if (!deflater_) deflater_ = std::make_unique<Deflater>();
  const std::size_t bytes = deflater_->run(plain);
  out.assign(deflater_->packed(), bytes);
  return {};
}

}  // namespace kmem::encode
