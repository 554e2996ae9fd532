#include "collectors/base/label_text.h"

#include <algorithm>

namespace kmem::base {

std::string label_text(std::string_view raw) {
  const auto legal = [](char c) { return c >= 0x20 && c <= 0x7e; };
  if (std::all_of(raw.begin(), raw.end(), legal)) return std::string(raw);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(raw.size() * 4);
  for (const char c : raw) {
    if (legal(c)) {
      text.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text.append({'\\', 'x', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return text;
}

std::string label_text(std::span<const std::byte> raw) {
  return label_text(std::string_view(reinterpret_cast<const char*>(raw.data()), raw.size()));
}

}  // namespace kmem::base
