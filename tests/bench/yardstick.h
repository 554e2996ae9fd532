// What this machine's work is measured by: CPU time of a fixed piece of it, a chain of multiplications of which each needs
// the one before, so that no compiler and no vector unit shortens it. Bounds are ratios to it, taken in the same run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>

namespace kmem::bench {

inline double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// CPU seconds of so many thousand steps.
inline double yardstick_seconds(std::size_t thousands) {
  static volatile std::uint64_t kept = 1469598103934665603ULL;
  std::uint64_t hash = kept;
  const double before = cpu_seconds();
  for (std::size_t i = 0; i < thousands * 1000; ++i) hash = (hash ^ (i & 0xFF)) * 1099511628211ULL;
  const double spent = cpu_seconds() - before;
  kept = hash;
  return spent;
}

}  // namespace kmem::bench
