// Builds program images in tests, byte by byte: headers of either width, sections, data directories.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kmem::drivers {

inline std::string le32(std::uint32_t value) {
  std::string out(4, '\0');
  std::memcpy(out.data(), &value, 4);
  return out;
}

inline std::uint32_t tag(std::string_view text) {
  std::uint32_t value = 0;
  std::memcpy(&value, text.data(), 4);
  return value;
}

inline std::string hex(std::initializer_list<unsigned> bytes) {
  std::string out;
  for (const unsigned byte : bytes) out.push_back(static_cast<char>(byte));
  return out;
}

inline std::span<const std::byte> as_span(const std::string& text) { return std::as_bytes(std::span(text)); }

class PeBytes {
 public:
  static constexpr std::uint32_t kCode = 0x60000020, kData = 0x40000040, kDebug = 0x42000040;
  static constexpr std::uint32_t kText = 0x1000, kRdata = 0x4000;  // where tests put their sections

  explicit PeBytes(std::uint16_t machine = 0x8664, std::uint64_t base = 0x140000000)
      : machine_(machine), base_(base), wide_(machine != 0x14C) {}

  PeBytes& section(std::uint32_t address, std::string bytes, std::uint32_t flags) {
    sections_.push_back({address, std::move(bytes), flags});
    return *this;
  }
  PeBytes& code(std::string bytes) { return section(kText, std::move(bytes), kCode); }
  PeBytes& rdata(std::string bytes) { return section(kRdata, std::move(bytes), kData); }
  PeBytes& directory(std::size_t index, std::uint32_t address, std::uint32_t length) {
    directories_.at(index) = {address, length};
    return *this;
  }

  [[nodiscard]] std::string str() const {
    std::string out = "MZ" + std::string(0x3A, '\0') + le32(0x40) + std::string("PE\0\0", 4);
    put16(out, machine_);
    put16(out, static_cast<std::uint16_t>(sections_.size()));
    out += std::string(12, '\0');
    const std::size_t optional_bytes = (wide_ ? 112 : 96) + 8 * directories_.size();
    put16(out, static_cast<std::uint16_t>(optional_bytes));
    put16(out, 0x22);
    std::string optional(optional_bytes, '\0');
    const auto at = [&optional](std::size_t offset, auto value) { std::memcpy(&optional[offset], &value, sizeof value); };
    at(0, std::uint16_t{wide_ ? std::uint16_t{0x20B} : std::uint16_t{0x10B}});
    if (wide_) {
      at(24, base_);
    } else {
      at(28, static_cast<std::uint32_t>(base_));
    }
    at(56, std::uint32_t{0x10000});
    const std::size_t table = wide_ ? 112 : 96;
    at(table - 4, static_cast<std::uint32_t>(directories_.size()));
    for (std::size_t i = 0; i < directories_.size(); ++i) {
      at(table + 8 * i, directories_[i].first);
      at(table + 8 * i + 4, directories_[i].second);
    }
    out += optional;
    std::size_t offset = out.size() + 40 * sections_.size();
    std::string bodies;
    for (const Section& section : sections_) {
      out += std::string(8, '\0') + le32(static_cast<std::uint32_t>(section.bytes.size())) + le32(section.address) +
             le32(static_cast<std::uint32_t>(section.bytes.size())) + le32(static_cast<std::uint32_t>(offset)) +
             std::string(12, '\0') + le32(section.flags);
      bodies += section.bytes;
      offset += section.bytes.size();
    }
    return out + bodies;
  }

 private:
  struct Section {
    std::uint32_t address;
    std::string bytes;
    std::uint32_t flags;
  };
  static void put16(std::string& out, std::uint16_t value) {
    out.push_back(static_cast<char>(value & 0xFF));
    out.push_back(static_cast<char>(value >> 8));
  }

  std::uint16_t machine_;
  std::uint64_t base_;
  bool wide_;
  std::vector<Section> sections_;
  std::array<std::pair<std::uint32_t, std::uint32_t>, 16> directories_{};
};

}  // namespace kmem::drivers
