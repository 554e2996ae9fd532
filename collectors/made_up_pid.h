// For recordings that name processes and tell no ids: a number that stands for the name, above all ids of kernels.
// Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/snapshot.h"

namespace kmem {

inline constexpr std::uint64_t kMadeUpPids = std::uint64_t{1} << 40;
[[nodiscard]] constexpr std::uint64_t made_up_pid(std::string_view name) {
  return kMadeUpPids + tag_key(Pool::kPaged, name) % kMadeUpPids;
}

}  // namespace kmem
