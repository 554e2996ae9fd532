// STAGE 3, inside: what is kept of one subject, 2.5 KB: the lowest value in every 4 hours of 8 weeks and in every hour
// of 4 days, the lowest number of outstanding allocations, and the highest half hour of each day. recent.h has the
// minutes. All subjects share one calendar of buckets, so a slot needs no date of its own. NaN = nothing seen: a gap is
// evidence for nothing.
// Thread: value types. Failure: none.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "exporter/trend/estimator.h"

namespace kmem::trend {

inline constexpr std::size_t kFineBuckets = 96;
inline constexpr std::size_t kHighDays = 56;
inline constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kMostAmount = 0x1p64F;  // of anything that is counted; what a saved history has beyond is damage

/// Counts in 16 bits: exact to 4,095, then to one part in 2,048.
class ShortCount {
 public:
  static constexpr std::uint16_t kMissing = 0xFFFF;
  [[nodiscard]] static std::uint16_t pack(std::uint64_t count) {
    const auto extra = static_cast<unsigned>(std::max(0, static_cast<int>(std::bit_width(count)) - 12));
    if (extra > 29) return kMissing - 1;
    if (extra == 0) return static_cast<std::uint16_t>(count);
    return static_cast<std::uint16_t>(((extra + 1) << 11) | ((count >> extra) & 0x7FF));
  }
  [[nodiscard]] static float unpack(std::uint16_t packed) {
    if (packed == kMissing) return kNothing;
    if (packed < 4096) return static_cast<float>(packed);
    return static_cast<float>(std::uint64_t{0x800 | (packed & 0x7FFU)} << ((packed >> 11) - 1));
  }
};

/// A float in 16 bits: to one part in 256, towards the larger, so that nothing lies above the highest.
struct ShortFloat {
  static constexpr std::uint16_t kMissing = 0xFFFF;
  [[nodiscard]] static std::uint16_t pack(float value) {
    if (std::isnan(value)) return kMissing;
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const bool cut = (bits & 0xFFFF) != 0;
    const auto high = static_cast<std::uint16_t>(bits >> 16);
    return cut && value > 0 ? static_cast<std::uint16_t>(high + 1) : high;
  }
  [[nodiscard]] static float unpack(std::uint16_t packed) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(packed) << 16);
    return std::isfinite(value) ? value : kNothing;
  }
};

struct History {
  std::array<float, kCoarseBuckets> coarse;
  std::array<float, kFineBuckets> fine;
  std::array<std::uint16_t, kCoarseBuckets> outstanding;
  std::array<std::uint16_t, kHighDays> highs;  // ShortFloat: of each day the highest floor of a half hour

  History() { clear(); }
  void clear() {
    coarse.fill(kNothing);
    fine.fill(kNothing);
    outstanding.fill(ShortCount::kMissing);
    highs.fill(ShortFloat::kMissing);
  }
};

/// Slot of a bucket in a ring of the given size.
[[nodiscard]] constexpr std::size_t ring_slot(std::int64_t bucket, std::size_t size) {
  const auto n = static_cast<std::int64_t>(size);
  return static_cast<std::size_t>((bucket % n + n) % n);
}

/// The ring as a line, oldest first, that ends with the given bucket.
template <typename T, std::size_t kSize>
void unroll(const std::array<T, kSize>& ring, std::int64_t newest_bucket, std::array<T, kSize>& line) {
  const std::size_t first = ring_slot(newest_bucket + 1, kSize);
  const auto middle = ring.begin() + static_cast<std::ptrdiff_t>(first);
  std::copy(ring.begin(), middle, std::copy(middle, ring.end(), line.begin()));
}

}  // namespace kmem::trend
