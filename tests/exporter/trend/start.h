// When the histories of the tests begin.
#pragma once

#include <cstdint>

namespace kmem::trend {

inline constexpr std::int64_t kStart = 1'767'225'600'000;  // 2026-01-01, midnight UTC

}  // namespace kmem::trend
