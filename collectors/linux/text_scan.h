// STAGE 1 helper: one forward pass over kernel text without allocating. Every step checks its end, so any bytes are
// safe. Thread: value types over borrowed text. Failure: a step that does not fit gives false and the row is refused.
#pragma once

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace kmem::linux {

/// Lines without their end; a last line without one counts too.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}

  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const void* const found = std::memchr(rest_.data(), '\n', rest_.size());
    if (found == nullptr) {
      line = rest_;
      rest_ = {};
      return true;
    }
    const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - rest_.data());
    line = rest_.substr(0, length);
    rest_.remove_prefix(length + 1);
    return true;
  }

 private:
  std::string_view rest_;
};

/// Fields of one line, separated by blanks.
class FieldReader {
 public:
  explicit FieldReader(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {}

  template <typename Integer>
  bool number(Integer& value) {
    skip_blanks();
    if constexpr (std::is_same_v<Integer, std::uint64_t>) {
      if (short_number(value)) return true;
    }
    const auto [stop, error] = std::from_chars(at_, end_, value);
    if (error != std::errc() || (stop != end_ && !is_blank(*stop))) return false;
    at_ = stop;
    return true;
  }

  bool token(std::string_view& field) {
    skip_blanks();
    const char* const start = at_;
    while (at_ != end_ && !is_blank(*at_)) ++at_;
    field = std::string_view(start, static_cast<std::size_t>(at_ - start));
    return !field.empty();
  }

  bool literal(std::string_view expected) {
    std::string_view field;
    return token(field) && field == expected;
  }

  /// Past `text` if it comes next, its blanks as they stand there.
  bool skip(std::string_view text) {
    if (static_cast<std::size_t>(end_ - at_) < text.size() || std::memcmp(at_, text.data(), text.size()) != 0) return false;
    at_ += text.size();
    return true;
  }

  /// What is left, leading blanks included.
  [[nodiscard]] std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }
  [[nodiscard]] bool at_end() {
    skip_blanks();
    return at_ == end_;
  }

 private:
  /// Up to 19 digits, which cannot be too large, and a blank.
  bool short_number(std::uint64_t& value) {
    if constexpr (std::endian::native == std::endian::little) {
      if (const int digits = digits_of_eight(value); digits > 0) {
        if (!is_blank(at_[digits])) return false;
        at_ += digits;
        return true;
      }
    }
    std::uint64_t sum = 0;
    const char* stop = at_;
    for (const char* const most = end_ - at_ > 19 ? at_ + 19 : end_; stop != most; ++stop) {
      const auto digit = static_cast<unsigned char>(*stop - '0');
      if (digit > 9) break;
      sum = sum * 10 + digit;
    }
    if (stop == at_ || (stop != end_ && !is_blank(*stop))) return false;
    at_ = stop;
    value = sum;
    return true;
  }

  /// How many digits there are, 0 where there are none or more than 7; all at once.
  int digits_of_eight(std::uint64_t& value) const {
    constexpr std::uint64_t kOnes = 0x0101010101010101U;
    if (end_ - at_ < 8) return 0;
    std::uint64_t word;
    std::memcpy(&word, at_, 8);
    word ^= kOnes * '0';
    const std::uint64_t others = ((word + kOnes * 0x76) | word) & (kOnes * 0x80);
    const int digits = std::countr_zero(others) / 8;
    if (digits == 0 || digits == 8) return 0;
    word <<= 64 - 8 * digits;
    word = word * 10 + (word >> 8);
    value =
        (((word & 0x000000FF000000FFU) * 0x000F424000000064U) + (((word >> 16) & 0x000000FF000000FFU) * 0x0000271000000001U)) >>
        32;
    return digits;
  }

  static bool is_blank(char c) { return c == ' ' || c == '\t'; }
  void skip_blanks() {
    if constexpr (std::endian::native == std::endian::little) {
      for (std::uint64_t word; end_ - at_ >= 8; at_ += 8) {
        std::memcpy(&word, at_, 8);
        word ^= 0x2020202020202020U;
        if (word == 0) continue;
        at_ += std::countr_zero(word) / 8;
        break;
      }
    }
    while (at_ != end_ && is_blank(*at_)) ++at_;
  }

  const char* at_;
  const char* end_;
};

/// The last line of a list that was cut: "!left_out N", the rows that are not there.
inline constexpr std::string_view kLeftOut = "!left_out ";
/// What could be read at most, a row a byte (kMostRead). A recording may say anything.
inline constexpr std::uint64_t kMostLeftOut = std::uint64_t{256} << 20;
inline std::uint64_t left_out_rows(std::string_view line) {
  if (!line.starts_with(kLeftOut)) return 0;
  line.remove_prefix(kLeftOut.size());
  std::uint64_t rows = 0;
  const char* const end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data(), end, rows);
  return error == std::errc() && stop == end && rows <= kMostLeftOut ? rows : 0;
}

/// "slabinfo - version: 2.1 ..." -> 2, given "slabinfo - version: "; 0 when the line is another.
inline unsigned major_version(std::string_view line, std::string_view heading) {
  if (line.substr(0, heading.size()) != heading) return 0;
  line.remove_prefix(heading.size());
  unsigned major = 0;
  const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), major);
  return error == std::errc() && stop != line.data() + line.size() && *stop == '.' ? major : 0;
}

}  // namespace kmem::linux
