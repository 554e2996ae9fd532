#include "exporter/encode/gzip.h"

#include <algorithm>

#include "collectors/base/checksum.h"
#include "exporter/encode/bit_writer.h"
#include "exporter/encode/huffman.h"
#include "exporter/encode/kept_tokens.h"

namespace kmem::encode {
namespace {

constexpr std::size_t kMaxInputBytes = std::size_t{64} << 20;
constexpr unsigned kHashBits = 13;
constexpr std::size_t kEndOfBlock = 256;
constexpr unsigned kLongestCode = 15, kLongestHeaderCode = 7;

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

using Bits = BitWriter<std::size_t>;
}  // namespace

class Gzip::Deflater {
 public:
  /// The member's size; its bytes are at the start of packed().
  std::size_t run(std::string_view plain, bool is_page) {
    Bits out(packed_.data());
    expect(out, std::size_t{10} * 8);
    out.put_bytes(0x088B1F, 4);          // magic, deflate, no flags; no time
    out.put_bytes(0xFF04'0000'0000, 6);  // fastest, of no system
    if (is_page && kept_.take(plain)) {
      for (std::size_t block = 0; block < kept_.blocks(); ++block) {
        tokens_used_ = kept_.tokens_of(block, plain, tokens_, literals_, distances_);
        out = write_block(block + 1 == kept_.blocks(), out);
      }
    } else {
      std::size_t at = 0;
      do {
        at = find_tokens(plain, at);
        out = write_block(plain.size() == at, out);
      } while (at < plain.size());
    }
    // What the next page finds in the table is farther away than any match may be.
    base_ += static_cast<std::uint32_t>(plain.size() + kWindow);
    if (base_ > (std::uint32_t{1} << 31)) {
      heads_.fill(0);
      base_ = kWindow + 1;
    }
    expect(out, std::size_t{8} * 8);
    out.fill_byte();
    out.put_bytes(base::crc32(plain), 4);
    out.put_bytes(plain.size(), 4);
    out.fill_byte();
    return static_cast<std::size_t>(out.at() - packed_.data());
  }
  [[nodiscard]] const char* packed() const { return packed_.data(); }

 private:
  /// Room for so many bits; it grows by its half, so that it is cleared once.
  void expect(Bits& out, std::size_t bits) {
    const auto used = static_cast<std::size_t>(out.at() - packed_.data());
    const std::size_t need = used + bits / 8 + 32;
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
          const std::size_t length = kShortest + common(text + at + kShortest, text + at + kShortest - distance, most);
          const std::size_t code = distance_code(distance);
          ++literals_[kLengthCodes + kLengthCode[length]];
          ++distances_[code];
          *token++ = match_token(length, code, distance);
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

  Bits write_block(bool is_last, Bits out) {
    ++literals_[kEndOfBlock];
    make_prefix_codes(literals_, kLongestCode, literal_codes_);
    make_prefix_codes(distances_, kLongestCode, distance_codes_);
    expect(out, block_bits());
    out.put_now((is_last ? 1 : 0) | 2 << 1, 3);
    out = write_codes(out);
    for (const std::uint32_t *token = tokens_.data(), *const end = token + tokens_used_; token != end; ++token) {
      const std::size_t length = *token >> kTokenLengthAt;
      if (length == 0) {
        const auto literal = [&](std::uint32_t byte) { out.put(literal_codes_[byte].bits, literal_codes_[byte].length); };
        literal(*token);
        for (int more = 0; more < 2 && token + 1 != end && token[1] <= 0xFF; ++more) literal(*++token);
        out.flush();
        continue;
      }
      const std::size_t length_code = kLengthCode[length];
      const std::size_t code = *token >> kTokenCodeAt & 31, distance = (*token & 0x7FFF) + 1;
      out.put(literal_codes_[kLengthCodes + length_code].bits, literal_codes_[kLengthCodes + length_code].length);
      out.put(length - kLengths[length_code].first, kLengths[length_code].extra_bits);
      out.put(distance_codes_[code].bits, distance_codes_[code].length);
      out.put_now(distance - kDistances[code].first, kDistances[code].extra_bits);
    }
    out.put_now(literal_codes_[kEndOfBlock].bits, literal_codes_[kEndOfBlock].length);
    return out;
  }

  [[nodiscard]] std::size_t block_bits() const {
    std::size_t bits = 4096;  // more than the codes take: 316 of 7 bits and what repeats them
    for (std::size_t i = 0; i < literals_.size(); ++i)
      bits += std::size_t{literals_[i]} *
              (literal_codes_[i].length + (i < kLengthCodes ? 0U : kLengths[i - kLengthCodes].extra_bits));
    for (std::size_t i = 0; i < distances_.size(); ++i)
      bits += std::size_t{distances_[i]} * (distance_codes_[i].length + 0U + kDistances[i].extra_bits);
    return bits;
  }

  /// RFC 1951, 3.2.7: the lengths of both codes, themselves in a code.
  Bits write_codes(Bits out) const {
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
      steps[step_count++] = {static_cast<std::uint8_t>(symbol), static_cast<std::uint8_t>(extra),
                             static_cast<std::uint8_t>(bits)};
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
  KeptTokens kept_;
  std::array<std::uint32_t, kBlockTokens> tokens_;
  std::size_t tokens_used_ = 0;
  LiteralCounts literals_{};
  DistanceCounts distances_{};
  std::array<PrefixCode, 286> literal_codes_;
  std::array<PrefixCode, 30> distance_codes_;
  std::string packed_;
};

Gzip::Gzip() = default;
Gzip::~Gzip() = default;

base::Result<void> Gzip::compress(std::string_view plain, std::string& out) { return compress(plain, out, false); }
base::Result<void> Gzip::compress_page(std::string_view plain, std::string& out) { return compress(plain, out, true); }

base::Result<void> Gzip::compress(std::string_view plain, std::string& out, bool is_page) {
  out.clear();
  if (plain.size() > kMaxInputBytes) return base::Error{base::ErrorCode::kInvalid, "page too large for gzip"};
  if (!deflater_) deflater_ = std::make_unique<Deflater>();
  const std::size_t bytes = deflater_->run(plain, is_page);
  out.assign(deflater_->packed(), bytes);
  return {};
}

}  // namespace kmem::encode
