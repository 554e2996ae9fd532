// STAGE 5, inside: a cursor over the page's buffer. Room is made once for a piece of known bound, then written without
// checks; text is escaped and made legal on the way. Thread: one writer a page. Failure: none but memory.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace kmem::encode {

class Writer {
 public:
  /// What `out` holds is written over.
  explicit Writer(std::string& out) : out_(out) {}
  ~Writer() { out_.resize(used_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void text(std::string_view piece) {
    room(piece.size());
    std::memcpy(at(), piece.data(), piece.size());
    used_ += piece.size();
  }
  void text(char c) {
    room(1);
    out_[used_++] = c;
  }

  void integer(std::int64_t number) {
    if (number < 0) text('-');
    integer(number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number));
  }
  /// By divisions of 32 bits as far as they reach: those of 64 bits are calls on a 32-bit processor.
  void integer(std::uint64_t number) {
    room(kNumberBound);
    if (sizeof(void*) == 4 && number > 0xFFFF'FFFF) {
      integer(number / kNineDigits);
      auto rest = static_cast<std::uint32_t>(number % kNineDigits);
      for (char* digit = at() + 9; digit != at(); rest /= 10) *--digit = static_cast<char>('0' + rest % 10);
      used_ += 9;
      return;
    }
    const auto to = [&](auto value) { return std::to_chars(at(), at() + kNumberBound, value).ptr; };
    const char* const end = number <= 0xFFFF'FFFF ? to(static_cast<std::uint32_t>(number)) : to(number);
    used_ = static_cast<std::size_t>(end - out_.data());
  }
  /// Whole numbers up to 2^53 as digits, the rest as the shortest text that reads back the same; an exponent only where
  /// Go's %g has one, so that le="0.0005" reads as it does everywhere else.
  void number(double value) {
    if (std::isnan(value)) return text("NaN");
    if (std::isinf(value)) return text(value < 0 ? "-Inf" : "+Inf");
    if (is_whole(value)) return integer(static_cast<std::int64_t>(value));
    const double size = std::abs(value);
    const auto format = size >= 1e-4 && size < 1e21 ? std::chars_format::fixed : std::chars_format::scientific;
    room(kNumberBound);
    used_ = static_cast<std::size_t>(std::to_chars(at(), at() + kNumberBound, value, format).ptr - out_.data());
  }
  [[nodiscard]] static bool is_whole(double value) {
    constexpr double kExact = 9007199254740992.0;  // 2^53
    return std::abs(value) <= kExact && value == static_cast<double>(static_cast<std::int64_t>(value));
  }
  /// `head`, of `size` bytes, the number and a line feed.
  void line(const char* head, std::size_t size, double value) {
    room(size + kNumberBound + 1);
    std::memcpy(at(), head, size);
    used_ += size;
    number(value);
    text('\n');
  }

  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] std::string_view piece(std::size_t from, std::size_t end) const { return {out_.data() + from, end - from}; }
  /// Takes back what was written since used() was `used`.
  void cut(std::size_t used) { used_ = used; }
  /// The bytes [from, from + count) of this page once more.
  void repeat(std::size_t from, std::size_t count) {
    room(count);
    std::memcpy(at(), out_.data() + from, count);
    used_ += count;
  }

  /// Backslash and line feed always, the double quote if asked for; illegal bytes as \xNN text.
  void escaped(std::string_view piece, bool quote);

 private:
  static constexpr std::uint64_t kNineDigits = 1'000'000'000;
  static constexpr std::size_t kNumberBound = 32;  // "-2.2250738585072014e-308" is the longest shortest double

  char* at() { return out_.data() + used_; }
  void room(std::size_t bytes) {
    if (out_.size() - used_ < bytes) grow(bytes);
  }
  void grow(std::size_t bytes);

  std::string& out_;
  std::size_t used_ = 0;
};

}  // namespace kmem::encode
