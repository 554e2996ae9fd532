// STAGE 1: how long the Snapshot's table of handles by type may be. Thread: constants.
#pragma once

#include <cstddef>

namespace kmem {

/// Those of the most handles; a table of so many rows may lack some.
inline constexpr std::size_t kMaxHandleRows = 512;

}  // namespace kmem
