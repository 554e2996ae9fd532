// STAGE 1: the small texts of Linux. /proc/stat -> boot time; part "kmem/vmstat", the lines of /proc/vmstat that count
// memory that ran out -> failure events since boot; part "kmem/settings", lines "vm.name value"; part
// "kmem/processes", lines "pid descriptors name". In the gathered parts a line "!unreadable N" tells how many items
// were refused to this account, and "!over_limit N" how many were left out by the source's bound.
// Thread: pure. Failure: kMalformed when nothing of the text can be understood; single bad rows are skipped, counted.
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::linux {

struct GatheredRows {
  std::uint64_t skipped = 0;  // rows that could not be understood
  std::uint64_t unreadable = 0;
  std::uint64_t over_limit = 0;
};

base::Result<std::uint64_t> parse_stat(std::string_view text, Snapshot& out);
base::Result<std::uint64_t> parse_vmstat(std::string_view text, Snapshot& out);
base::Result<GatheredRows> parse_settings(std::string_view text, Snapshot& out);
/// Part "kmem/system", lines "name=value": product, version, build, architecture. Without a version nothing is told.
void parse_system(std::string_view text, Snapshot& out);
base::Result<GatheredRows> parse_processes(std::string_view text, Snapshot& out);

}  // namespace kmem::linux
