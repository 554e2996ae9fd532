#include "exporter/encode/writer.h"

#include <array>

#include "collectors/base/utf8.h"

namespace kmem::encode {
namespace {

enum ByteClass : std::uint8_t { kPlain, kQuote, kBackslash, kLineFeed, kControl, kHigh };

// The rest of the control characters is legal UTF-8, but NUL ends Prometheus' lexer and a carriage return is no part
// of OpenMetrics; none of them belongs into a label.
constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t byte = 0; byte < 0x20; ++byte) classes[byte] = kControl;
  for (std::size_t byte = 0x80; byte < 0x100; ++byte) classes[byte] = kHigh;
  classes['\t'] = kPlain;
  classes['\n'] = kLineFeed;
  classes['"'] = kQuote;
  classes['\\'] = kBackslash;
  return classes;
}();

/// Whether one of eight bytes is not kPlain; sometimes true without need.
bool may_need_care(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  const auto below = [](std::uint64_t bytes, std::uint64_t bound) { return (bytes - kOnes * bound) & ~bytes; };
  const std::uint64_t quotes = below(word ^ (kOnes * '"'), 1);
  const std::uint64_t backslashes = below(word ^ (kOnes * '\\'), 1);
  const std::uint64_t found = word | below(word, 0x20) | quotes | backslashes;
  return (found & (kOnes * 0x80)) != 0;
}

}  // namespace

/// What is added is cleared, for nothing: so it is little at a time while memory is there.
void Writer::grow(std::size_t bytes) {
  constexpr std::size_t kStep = 4096;
  const std::size_t size = used_ + bytes + kStep;
  if (size > out_.capacity()) out_.reserve(std::max(out_.capacity() * 2, size));
  out_.resize(size);
}

void Writer::escaped(std::string_view piece, bool quote) {
  room(piece.size() * 5);
  char* to = at();
  std::size_t i = 0;
  for (; i + 8 <= piece.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, piece.data() + i, 8);
    if (may_need_care(word)) break;
    std::memcpy(to, &word, 8);
    to += 8;
  }
  static constexpr std::string_view kHex = "0123456789abcdef";
  const auto put_byte = [&to](char c) { *to++ = c; };
  for (; i < piece.size(); ++i) {
    const char c = piece[i];
    switch (kClasses[static_cast<unsigned char>(c)]) {
      case kPlain: put_byte(c); continue;
      case kLineFeed:
        put_byte('\\');
        put_byte('n');
        continue;
      case kQuote:
        if (quote) put_byte('\\');
        put_byte(c);
        continue;
      case kBackslash:
        put_byte('\\');
        put_byte('\\');
        continue;
      default: break;
    }
    const bool is_control = static_cast<unsigned char>(c) < 0x80;
    const std::size_t length = is_control ? 0 : base::utf8_length(piece.substr(i));
    if (length > 0) {
      std::memcpy(to, piece.data() + i, length);
      to += length;
      i += length - 1;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    for (const char hex : {'\\', '\\', 'x', kHex[byte >> 4], kHex[byte & 15]}) put_byte(hex);
  }
  used_ = static_cast<std::size_t>(to - out_.data());
}

}  // namespace kmem::encode
