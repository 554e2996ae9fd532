// metrics.profile as what selection knows: Config -> the tags and processes that are exported. Thread: pure. Failure: none.
#pragma once

#include <cstddef>

#include "config/config.h"

namespace kmem::config {

/// Tags that lean exports at most, over all pools; kmem_leak_suspects and kmem_surge_suspects count all.
inline constexpr std::size_t kLeanSuspects = 5;

struct Exported {
  Tags tags;
  Processes processes;
  std::size_t max_suspects = static_cast<std::size_t>(-1);
  bool only_lean = false;  // of the metrics' catalogue
};
[[nodiscard]] Exported exported(const Config& config);

}  // namespace kmem::config
