// STAGE 1: text of /proc/meminfo -> pool totals, commit, physical memory, caches, kernel stacks and page tables.
// Thread: pure. Failure: kMalformed when no known field is there; a known field that is not a number is skipped and
// counted in the result.
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::linux {

/// Gives the number of refused rows.
base::Result<std::uint64_t> parse_meminfo(std::string_view text, Snapshot& out);

}  // namespace kmem::linux
