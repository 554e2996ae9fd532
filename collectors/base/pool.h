// The pools that kernel memory comes from, and what they are called everywhere: configuration, labels, files, pages.
// Thread: constants.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kmem {

/// Where kernel memory comes from. kAllocinfo is a second view of the same memory (Linux allocation profiling), so
/// it has tags but no total.
enum class Pool : std::uint8_t {
  kPaged,
  kNonpaged,  // Windows
  kSlabReclaimable,
  kSlabUnreclaimable,
  kVmalloc,
  kPercpu,
  kAllocinfo  // Linux
};
inline constexpr std::size_t kPoolCount = 7;
inline constexpr std::array<std::string_view, kPoolCount> kPoolNames = {
    "paged", "nonpaged", "slab_reclaimable", "slab_unreclaimable", "vmalloc", "percpu", "allocinfo"};
[[nodiscard]] constexpr std::string_view pool_name(Pool pool) { return kPoolNames[static_cast<std::size_t>(pool)]; }

}  // namespace kmem
