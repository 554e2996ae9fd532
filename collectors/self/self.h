// Beside the flow: what this program itself costs, by the books of the OS -> SelfUsage.
// Thread: any; every call asks anew, but for the start time. Failure: a number the OS does not give is 0, handles
// absent.
#pragma once

#include <cstdint>
#include <optional>

namespace kmem::self {

struct SelfUsage {
  double cpu_seconds = 0;  // user and system, all threads
  std::uint64_t resident_bytes = 0;
  double start_time_seconds = 0;              // since 1970-01-01 UTC
  std::optional<std::uint64_t> open_handles;  // Linux: descriptors
};

[[nodiscard]] SelfUsage read_self();

}  // namespace kmem::self
