#include "exporter/top/numbers.h"

#include <array>
#include <cstdio>

namespace kmem::top {
namespace {

std::string shortened(std::uint64_t value, double step, const char* units) {
  if (value < 10'000) return std::to_string(value);
  auto scaled = static_cast<double>(value);
  while (scaled >= 999.5 && *units != '\0') {
    scaled /= step;
    ++units;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f%c", scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0, scaled, units[-1]);
  return text.data();
}

template <typename Shorten>
std::string with_sign(std::int64_t value, Shorten shorten) {
  return value < 0 ? "-" + shorten(std::uint64_t{0} - static_cast<std::uint64_t>(value))
                   : shorten(static_cast<std::uint64_t>(value));
}

}  // namespace

std::string short_count(std::uint64_t count) { return shortened(count, 1000, "kMGTPE"); }
std::string short_bytes(std::uint64_t bytes) { return shortened(bytes, 1024, "KMGTPE"); }
std::string short_count(std::int64_t count) {
  return with_sign(count, [](std::uint64_t value) { return short_count(value); });
}
std::string short_bytes(std::int64_t bytes) {
  return with_sign(bytes, [](std::uint64_t value) { return short_bytes(value); });
}

}  // namespace kmem::top
