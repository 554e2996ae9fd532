// FNV-1a, 64 bits. Kept state has keys made with it: neither number may change. Thread: pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace kmem::base {

inline constexpr std::uint64_t kFnvStart = 1469598103934665603ULL, kFnvPrime = 1099511628211ULL;

/// `hash`: of what comes before.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = kFnvStart) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kFnvPrime;
  return hash;
}

}  // namespace kmem::base
