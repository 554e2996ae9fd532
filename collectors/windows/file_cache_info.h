// STAGE 1: class 21 (SystemFileCacheInformation) -> the system cache's working set. Thread: pure.
// Wine answers with nothing but zeros: no figures. ReactOS writes pages where NT has bytes, recognisable because the
// field counted in pages by definition (CurrentSizeIncludingTransitionInPages) then has the very same value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "collectors/base/result.h"

namespace kmem::windows {

struct FileCacheInfo {
  std::optional<std::uint64_t> bytes;
  std::optional<std::uint64_t> peak_bytes;
};

[[nodiscard]] base::Result<FileCacheInfo> parse_file_cache(std::span<const std::byte> bytes, std::uint8_t pointer_bytes,
                                                           std::uint32_t page_bytes);

}  // namespace kmem::windows
