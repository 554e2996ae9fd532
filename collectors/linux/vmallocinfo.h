// STAGE 1: text of /proc/vmallocinfo -> one tag a caller, "symbol" or "symbol [module]": bytes of address space
// (guard pages and mapped device memory included), outstanding = areas. Rows without a caller are tag "unknown".
// Thread: pure. Failure: kMalformed when rows are there and none can be understood; single bad rows are skipped and
// counted in the result.
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::linux {

base::Result<std::uint64_t> parse_vmallocinfo(std::string_view text, Snapshot& out);

}  // namespace kmem::linux
