// STAGE 1: text of /proc/allocinfo 1.x and 2.x -> one tag "module:function:file" (module "kernel" when built in),
// pool allocinfo: bytes and live allocations summed over the lines of a function, as line numbers move with every
// kernel build. Thread: pure. Failure: kMalformed for another version or when no row can be understood; single bad
// rows are skipped and counted in the result.
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::linux {

base::Result<std::uint64_t> parse_allocinfo(std::string_view text, Snapshot& out);

}  // namespace kmem::linux
