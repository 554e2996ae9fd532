// Little binary notation for state files and captures: fixed little-endian numbers, LEB128 varints, counted strings.
// WireReader reads bytes that nobody vouches for: the first read that does not fit makes it fail for good; reads give
// zeros from then on and finish() says where it was. Thread: value types; the reader borrows its bytes.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "collectors/base/byte_reader.h"
#include "collectors/base/result.h"

namespace kmem::base {

class WireWriter {
 public:
  explicit WireWriter(std::string& out) : out_(out) {}

  template <std::integral T>
  void fixed(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out_.append(bytes, sizeof(T));
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  void string(std::string_view text) {
    varint(text.size());
    out_.append(text);
  }

 private:
  std::string& out_;
};

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : bytes_(bytes) {}
  explicit WireReader(std::string&& temporary) = delete;

  template <std::integral T>
  T fixed() {
    T value{};
    const std::string_view raw = take(sizeof(T));
    if (!raw.empty()) std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = fixed<std::uint8_t>();
      if (shift == 63 && byte > 1) break;  // would not fit into 64 bit
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return ok_ ? value : 0;
    }
    fail();
    return 0;
  }

  std::string_view string(std::size_t max_bytes) {
    const std::uint64_t length = varint();
    if (length > max_bytes) fail();
    return ok_ ? take(static_cast<std::size_t>(length)) : std::string_view();
  }

  /// A number of items that each take at least `item_bytes`: more than the rest can hold is a failure, so that the
  /// caller may reserve memory for it.
  std::size_t count(std::size_t item_bytes, std::size_t max_count) {
    const std::uint64_t items = varint();
    if (items > max_count || items > (bytes_.size() - at_) / item_bytes) fail();
    return ok_ ? static_cast<std::size_t>(items) : 0;
  }

  /// For values that fit but cannot be: marks the place as the error's.
  void fail() { ok_ = false; }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t offset() const { return at_; }
  /// An error unless every read fitted and nothing is left.
  [[nodiscard]] Result<void> finish() const {
    if (!ok_) return Error{ErrorCode::kMalformed, "bad value or end of data at byte " + std::to_string(at_)};
    if (at_ != bytes_.size())
      return Error{ErrorCode::kMalformed,
                   std::to_string(bytes_.size() - at_) + " bytes too many from byte " + std::to_string(at_)};
    return {};
  }

 private:
  std::string_view take(std::size_t length) {
    if (bytes_.size() - at_ < length) fail();
    if (!ok_) return {};
    const std::string_view taken = bytes_.substr(at_, length);
    at_ += length;
    return taken;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace kmem::base
