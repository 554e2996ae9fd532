// Bounds-checked little-endian reads from bytes that nobody vouches for. Offsets are absolute; a read that does
// not fit gives nullopt and touches nothing. Alignment is never assumed (Wine hands out unaligned entries).
// Thread: value type over borrowed bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

namespace kmem::base {

static_assert(std::endian::native == std::endian::little, "the kernels this runs on, and its captures, are little-endian");

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  template <typename T>
  [[nodiscard]] std::optional<T> read(std::size_t offset) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return value;
  }

  [[nodiscard]] std::optional<std::span<const std::byte>> slice(std::size_t offset, std::size_t length) const {
    if (offset > bytes_.size() || bytes_.size() - offset < length) return std::nullopt;
    return bytes_.subspan(offset, length);
  }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace kmem::base
