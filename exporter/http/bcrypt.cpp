#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "collectors/base/digit.h"
#include "exporter/http/bcrypt.h"

namespace kmem::http {
namespace {

constexpr std::size_t kSubkeys = 18;
constexpr std::size_t kBoxWords = 1024;
constexpr std::size_t kPiWords = kSubkeys + kBoxWords;

/// Fixed point: word 0 before the point, the rest after it, most significant first.
using Fixed = std::vector<std::uint32_t>;

void divide(Fixed& number, std::uint32_t by) {
  std::uint64_t rest = 0;
  for (auto& word : number) {
    rest = rest << 32 | word;
    word = static_cast<std::uint32_t>(rest / by);
    rest %= by;
  }
}

bool is_zero(const Fixed& number) {
  for (const auto word : number) {
    if (word != 0) return false;
  }
  return true;
}

void add(Fixed& to, const Fixed& what, bool negative) {
  std::int64_t carry = 0;
  for (std::size_t i = to.size(); i-- > 0;) {
    carry += static_cast<std::int64_t>(to[i]) + (negative ? -static_cast<std::int64_t>(what[i]) : what[i]);
    to[i] = static_cast<std::uint32_t>(carry);
    carry >>= 32;
  }
}

/// sum += times * arctan(1 / x), by its power series.
void add_arctan(Fixed& sum, std::uint32_t times, std::uint32_t x, bool negative) {
  Fixed power(sum.size());
  power[0] = times;
  divide(power, x);
  for (std::uint32_t n = 1; !is_zero(power); n += 2, negative = !negative) {
    auto term = power;
    divide(term, n);
    add(sum, term, negative);
    divide(power, x * x);
  }
}

/// Blowfish starts from the digits of pi: its fraction's first 1042 words. Machin's formula; guard words take the error.
const Fixed& pi_fraction() {
  // Never freed: a check that is still under way when the program ends reads it.
  static const Fixed& fraction = *[] {
    Fixed pi(1 + kPiWords + 2);
    add_arctan(pi, 16, 5, false);
    add_arctan(pi, 4, 239, true);
    return new Fixed(pi.begin() + 1, pi.begin() + 1 + kPiWords);
  }();
  return fraction;
}

class EksBlowfish {
 public:
  EksBlowfish() : words_(pi_fraction()) {}

  /// `salt` of 4 words or none. Bytes repeat as often as needed.
  void expand(std::span<const std::uint32_t> salt, std::string_view key) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < kSubkeys; ++i) {
      std::uint32_t word = 0;
      for (int byte = 0; byte < 4; ++byte, at = (at + 1) % key.size()) {
        word = word << 8 | static_cast<unsigned char>(key[at]);
      }
      words_[i] ^= word;
    }
    std::uint32_t left = 0;
    std::uint32_t right = 0;
    for (std::size_t i = 0; i < words_.size(); i += 2) {
      if (!salt.empty()) {
        left ^= salt[i % 4];
        right ^= salt[(i + 1) % 4];
      }
      encrypt(left, right);
      words_[i] = left;
      words_[i + 1] = right;
    }
  }

  void encrypt(std::uint32_t& left, std::uint32_t& right) const {
    for (std::size_t i = 0; i < 16; i += 2) {
      left ^= words_[i];
      right ^= mix(left) ^ words_[i + 1];
      left ^= mix(right);
    }
    const auto last = left ^ words_[16];
    left = right ^ words_[17];
    right = last;
  }

 private:
  [[nodiscard]] std::uint32_t mix(std::uint32_t x) const {
    const auto* box = words_.data() + kSubkeys;
    return ((box[x >> 24] + box[256 + (x >> 16 & 255)]) ^ box[512 + (x >> 8 & 255)]) + box[768 + (x & 255)];
  }

  Fixed words_;  // subkeys, then the four boxes
};

constexpr std::string_view kAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

std::string decode(std::string_view text, std::size_t bytes) {
  std::string result;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    const auto digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return {};
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    result += static_cast<char>(bits >> have & 255);
  }
  result.resize(bytes);
  return result;
}

std::string encode(std::string_view bytes) {
  std::string result;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (have += 8; have >= 6; have -= 6) result += kAlphabet[bits >> (have - 6) & 63];
  }
  if (have > 0) result += kAlphabet[bits << (6 - have) & 63];
  return result;
}

using base::is_digit;

}  // namespace

std::string bcrypt(const std::string& password, const std::string& setting) {
  constexpr std::size_t kPrefix = 7;  // "$2y$10$"
  if (setting.size() != 60 || !setting.starts_with("$2") || setting[3] != '$' || setting[6] != '$' ||
      std::string_view("aby").find(setting[2]) == std::string_view::npos || !is_digit(setting[4]) || !is_digit(setting[5]) ||
      password.find('\0') != std::string::npos) {
    return {};
  }
  const int cost = (setting[4] - '0') * 10 + (setting[5] - '0');
  const auto salt_bytes = decode(std::string_view(setting).substr(kPrefix, 22), 16);
  if (cost < 4 || cost > 31 || salt_bytes.empty()) return {};
  std::array<std::uint32_t, 4> salt{};
  for (std::size_t i = 0; i < 16; ++i) salt[i / 4] = salt[i / 4] << 8 | static_cast<unsigned char>(salt_bytes[i]);

  const std::string_view key(password.c_str(), password.size() + 1);  // with its NUL
  EksBlowfish cipher;
  cipher.expand(salt, key);
  for (std::uint64_t i = 0; i < std::uint64_t{1} << cost; ++i) {
    cipher.expand({}, key);
    cipher.expand({}, salt_bytes);
  }
  std::string hash;
  for (std::string_view text = "OrpheanBeholderScryDoubt"; !text.empty(); text.remove_prefix(8)) {
    std::array<std::uint32_t, 2> block{};
    for (std::size_t i = 0; i < 8; ++i) block[i / 4] = block[i / 4] << 8 | static_cast<unsigned char>(text[i]);
    for (int i = 0; i < 64; ++i) cipher.encrypt(block[0], block[1]);
    for (std::size_t i = 0; i < 8; ++i) hash += static_cast<char>(block[i / 4] >> (24 - i % 4 * 8) & 255);
  }
  hash.pop_back();  // the original keeps 23 of 24 bytes
  return setting.substr(0, kPrefix + 22) + encode(hash);
}

}  // namespace kmem::http
