// STAGE 5, inside: bits into bytes, the lowest first (RFC 1951, 3.1.1), by a register of the machine's width: 64 bits are
// two registers and a dozen instructions on a 32-bit machine. One caller. Failure: none; the caller makes room, for 8 bytes
// more than are written.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace kmem::encode {

/// A value, so that it stays in registers where it is used at length.
template <typename Word>
class BitWriter {
 public:
  explicit BitWriter(char* to) : to_(to) {}

  /// At most 15 bits, 56 of them between two calls of flush(). Of a word of 32 bits some go out by themselves.
  void put(std::size_t bits, unsigned count) {
    if constexpr (kNarrow)
      if (held_ > 16) write();
    word_ |= static_cast<Word>(bits) << held_;
    held_ += count;
  }
  void flush() {
    if constexpr (!kNarrow) write();
  }
  void put_now(std::size_t bits, unsigned count) {
    put(bits, count);
    flush();
  }
  void put_bytes(std::uint64_t bytes, unsigned count) {
    for (; count > 0; --count, bytes >>= 8) put_now(static_cast<std::size_t>(bytes & 0xFF), 8);
  }
  /// To the end of the byte; nothing is held back.
  void fill_byte() {
    write();
    if (held_ == 0) return;
    held_ = 8;
    write();
  }
  /// Where the next byte goes; a few bits before it may be held yet.
  [[nodiscard]] const char* at() const { return to_; }
  void move(char* to) { to_ = to; }

 private:
  static constexpr bool kNarrow = sizeof(Word) < 8;
  static_assert(sizeof(Word) == 4 || sizeof(Word) == 8);

  /// Whole bytes; never all bits of the word, which held_ stays below.
  void write() {
    if constexpr (std::endian::native == std::endian::little) {
      std::memcpy(to_, &word_, sizeof word_);
    } else {
      for (unsigned i = 0; i < sizeof word_; ++i) to_[i] = static_cast<char>(word_ >> (8 * i));
    }
    to_ += held_ / 8;
    word_ >>= held_ & ~7U;
    held_ &= 7;
  }

  char* to_;
  Word word_ = 0;
  unsigned held_ = 0;
};

}  // namespace kmem::encode
