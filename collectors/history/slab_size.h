// What a slab cache holds, where the number of its slabs or of their pages is not told. Slabs are of a power of two of
// pages, and as many objects as fit: checked against all caches of a running kernel. Thread: pure.
// Failure: nullopt when the numbers cannot be a cache's.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

#include "collectors/linux/slab_reclaim.h"
#include "collectors/snapshot.h"

namespace kmem::history {

struct SlabShape {
  std::uint64_t objects = 0;
  std::uint64_t object_bytes = 0;
  std::uint64_t objects_per_slab = 0;  // 0: not told
  std::uint64_t pages_per_slab = 0;    // 0: not told
};

[[nodiscard]] inline std::optional<std::uint64_t> slab_bytes(const SlabShape& shape) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 31;
  constexpr std::uint64_t kPage = 4096;
  constexpr std::uint64_t kMostPage = 65'536;
  if (shape.objects > kMost * kMost / 4 || shape.object_bytes > kMost || shape.objects_per_slab > kMost ||
      shape.pages_per_slab > kMost || shape.objects > (std::uint64_t{1} << 62) / std::max<std::uint64_t>(shape.object_bytes, 1))
    return std::nullopt;
  if (shape.objects_per_slab == 0) return shape.objects * shape.object_bytes;
  const std::uint64_t slabs = (shape.objects + shape.objects_per_slab - 1) / shape.objects_per_slab;
  const std::uint64_t filled = shape.objects_per_slab * shape.object_bytes;
  std::uint64_t slab = std::bit_ceil(std::max<std::uint64_t>((filled + kPage - 1) / kPage, 1)) * kPage;
  if (shape.pages_per_slab != 0) {
    std::uint64_t page = kPage;  // other machines have larger ones
    while (page < kMostPage && shape.pages_per_slab * page < filled) page *= 4;
    slab = shape.pages_per_slab * page;
  }
  return slabs <= (std::uint64_t{1} << 62) / slab ? std::optional(slabs * slab) : std::nullopt;
}

[[nodiscard]] inline Pool slab_pool(std::string_view cache) {
  return linux::is_known_reclaimable(cache) ? Pool::kSlabReclaimable : Pool::kSlabUnreclaimable;
}

}  // namespace kmem::history
