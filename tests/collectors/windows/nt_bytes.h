// Kernel answers built by offset, from the published layouts and not from nt_layout.h.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace kmem::test {

class NtBytes {
 public:
  explicit NtBytes(std::size_t size) : bytes_(size, '\0') {}

  template <typename T>
  NtBytes& put(std::size_t offset, T value) {
    static_assert(std::is_arithmetic_v<T>);
    if (bytes_.size() < offset + sizeof(T)) bytes_.resize(offset + sizeof(T));
    std::memcpy(bytes_.data() + offset, &value, sizeof(T));
    return *this;
  }
  NtBytes& text(std::size_t offset, std::string_view value) {
    if (bytes_.size() < offset + value.size()) bytes_.resize(offset + value.size());
    bytes_.replace(offset, value.size(), value);
    return *this;
  }
  /// SIZE_T or pointer.
  NtBytes& word(std::size_t offset, std::uint64_t value, int pointer_bytes) {
    return pointer_bytes == 4 ? put(offset, static_cast<std::uint32_t>(value)) : put(offset, value);
  }

  [[nodiscard]] const std::string& str() const { return bytes_; }
  [[nodiscard]] std::span<const std::byte> span() const { return std::as_bytes(std::span(bytes_)); }

 private:
  std::string bytes_;
};

}  // namespace kmem::test
