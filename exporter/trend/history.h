// STAGE 3, inside: what is kept of one subject, at most 2.6 KB: the lowest value in every 4 hours of 8 weeks and in every hour
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
#include <memory>
#include <utility>

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

/// Slot of a bucket in a ring of the given size.
[[nodiscard]] constexpr std::size_t ring_slot(std::int64_t bucket, std::size_t size) {
  const auto n = static_cast<std::int64_t>(size);
  return static_cast<std::size_t>((bucket % n + n) % n);
}

/// The buckets of 4 hours: floors, and ShortCounts of what was outstanding. Two weeks that hold one value throughout, as
/// those of most tags that nothing uses and those that nobody has seen, take no memory of their own.
class CoarseRing {
 public:
  static constexpr std::size_t kSize = kCoarseBuckets;

  [[nodiscard]] static constexpr std::size_t size() { return kSize; }
  /// The floor.
  [[nodiscard]] float operator[](std::size_t at) const {
    const Held& held = parts_[at / kPart];
    const Part* part = held.part();
    return part != nullptr ? part->floors[at % kPart] : held.same().floor;
  }
  void set(std::size_t at, float floor, std::uint16_t count) {
    Held& held = parts_[at / kPart];
    if (held.part() == nullptr) {
      const Same same = held.same();
      if (is_same(floor, same.floor) && count == same.count) return;
      auto own = std::make_unique<Part>();
      own->floors.fill(same.floor);
      own->counts.fill(same.count);
      held = Held(std::move(own));
    }
    Part* const part = held.part();
    part->floors[at % kPart] = floor;
    part->counts[at % kPart] = count;
    if (at % kPart == kPart - 1) pack(at / kPart);
  }
  /// All of them, from the slot `first` on.
  void copy_floors(std::size_t first, std::array<float, kSize>& line) const { copy(first, line, &Part::floors, &Same::floor); }
  void copy_counts(std::size_t first, std::array<std::uint16_t, kSize>& line) const {
    copy(first, line, &Part::counts, &Same::count);
  }
  void clear() { parts_ = {}; }

 private:
  static constexpr std::size_t kPart = 84, kParts = kSize / kPart;
  static_assert(kSize % kPart == 0);
  struct Part {
    std::array<float, kPart> floors;
    std::array<std::uint16_t, kPart> counts;
  };
  struct Same {
    float floor = kNothing;
    std::uint16_t count = ShortCount::kMissing;
  };
  /// Two weeks in 8 bytes: where they lie, which is even, or the one value, which is marked by the lowest bit.
  class Held {
   public:
    Held() : Held(Same{}) {}
    explicit Held(Same same)
        : bits_(std::uint64_t{std::bit_cast<std::uint32_t>(same.floor)} << 32 | std::uint64_t{same.count} << 16 | 1) {}
    explicit Held(std::unique_ptr<Part> part) : bits_(std::bit_cast<std::uintptr_t>(part.release())) {}
    Held(Held&& other) noexcept : Held() { std::swap(bits_, other.bits_); }
    Held& operator=(Held&& other) noexcept {
      std::swap(bits_, other.bits_);
      return *this;
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() { delete part(); }

    [[nodiscard]] Part* part() const {
      return (bits_ & 1) != 0 ? nullptr : std::bit_cast<Part*>(static_cast<std::uintptr_t>(bits_));
    }
    [[nodiscard]] Same same() const {
      return {std::bit_cast<float>(static_cast<std::uint32_t>(bits_ >> 32)), static_cast<std::uint16_t>(bits_ >> 16)};
    }

   private:
    std::uint64_t bits_;
  };

  [[nodiscard]] static bool is_same(float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
  }
  template <typename T>
  void copy(std::size_t first, std::array<T, kSize>& line, std::array<T, kPart> Part::*values, T Same::*same) const {
    for (std::size_t number = 0; number < kParts; ++number) {
      const std::size_t begin = number * kPart;
      // The line begins within one of the parts: that stands at both its ends.
      const std::size_t cut = first > begin && first < begin + kPart ? first - begin : 0;
      T* const into = line.data() + (begin + cut + kSize - first) % kSize;
      T* const front = line.data() + kSize - cut;
      if (const Part* part = parts_[number].part()) {
        const T* from = (part->*values).data();
        std::copy(from + cut, from + kPart, into);
        std::copy(from, from + cut, front);
      } else {
        const T value = parts_[number].same().*same;
        std::fill_n(into, kPart - cut, value);
        std::fill_n(front, cut, value);
      }
    }
  }
  void pack(std::size_t number) {
    const Part& part = *parts_[number].part();
    const Same same = {part.floors[0], part.counts[0]};
    if (!std::all_of(part.floors.begin(), part.floors.end(), [&](float floor) { return is_same(floor, same.floor); }) ||
        !std::all_of(part.counts.begin(), part.counts.end(), [&](std::uint16_t count) { return count == same.count; }))
      return;
    parts_[number] = Held(same);
  }

  std::array<Held, kParts> parts_;
};

struct History {
  CoarseRing coarse;
  std::array<float, kFineBuckets> fine;
  std::array<std::uint16_t, kHighDays> highs;  // ShortFloat: of each day the highest floor of a half hour

  History() { clear(); }
  void clear() {
    coarse.clear();
    fine.fill(kNothing);
    highs.fill(ShortFloat::kMissing);
  }
};

/// The ring as a line, oldest first, that ends with the given bucket.
template <typename T, std::size_t kSize>
void unroll(const std::array<T, kSize>& ring, std::int64_t newest_bucket, std::array<T, kSize>& line) {
  const std::size_t first = ring_slot(newest_bucket + 1, kSize);
  const auto middle = ring.begin() + static_cast<std::ptrdiff_t>(first);
  std::copy(ring.begin(), middle, std::copy(middle, ring.end(), line.begin()));
}

inline void unroll(const CoarseRing& ring, std::int64_t newest_bucket, std::array<float, CoarseRing::kSize>& floors) {
  ring.copy_floors(ring_slot(newest_bucket + 1, CoarseRing::kSize), floors);
}

inline void unroll_counts(const CoarseRing& ring, std::int64_t newest_bucket,
                          std::array<std::uint16_t, CoarseRing::kSize>& counts) {
  ring.copy_counts(ring_slot(newest_bucket + 1, CoarseRing::kSize), counts);
}

}  // namespace kmem::trend
