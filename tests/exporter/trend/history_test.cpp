#include "exporter/trend/history.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstdint>

namespace kmem::trend {
namespace {

// What the ring is to be like: two arrays.
TEST(CoarseRing, KeepsWhatTwoArraysWould) {
  CoarseRing ring;
  std::array<float, CoarseRing::kSize> floors, floor_line, floors_got;
  std::array<std::uint16_t, CoarseRing::kSize> counts, count_line, counts_got;
  floors.fill(kNothing);
  counts.fill(ShortCount::kMissing);
  const auto same = [&](std::int64_t newest) {
    unroll(floors, newest, floor_line);
    unroll_counts(ring, newest, counts_got);
    unroll(ring, newest, floors_got);
    unroll(counts, newest, count_line);
    for (std::size_t i = 0; i < floors.size(); ++i) {
      if (std::bit_cast<std::uint32_t>(floor_line[i]) != std::bit_cast<std::uint32_t>(floors_got[i])) return false;
      if (std::bit_cast<std::uint32_t>(floors[i]) != std::bit_cast<std::uint32_t>(ring[i])) return false;
    }
    return count_line == counts_got;
  };
  ASSERT_TRUE(same(5));
  std::uint64_t noise = 88172645463325252ULL;
  for (std::int64_t bucket = -100; bucket < 1600; ++bucket) {
    noise ^= noise << 13, noise ^= noise >> 7, noise ^= noise << 17;
    // Weeks of one value, of noise, of nothing, and of counts alone that change.
    const std::int64_t part = (bucket + 100) / 150 % 5;
    const float floor = part == 0   ? 7
                        : part == 1 ? static_cast<float>(noise % 1000)
                        : part == 2 ? kNothing
                        : part == 3 ? -0.0F
                                    : 0.0F;
    const auto count = static_cast<std::uint16_t>(part == 4 ? noise % 3 : 11);
    const std::size_t at = ring_slot(bucket, CoarseRing::kSize);
    floors[at] = floor;
    counts[at] = count;
    ring.set(at, floor, count);
    ASSERT_TRUE(same(bucket)) << bucket;
  }
  ring.clear();
  floors.fill(kNothing);
  counts.fill(ShortCount::kMissing);
  EXPECT_TRUE(same(0));
}

}  // namespace
}  // namespace kmem::trend
