// Tags, rows and snapshots built in the test body.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/snapshot.h"
#include "exporter/top/usage_table.h"
#include "tests/support/tag_usage.h"

namespace kmem::top {

/// Of a kernel that counts in 32 bits.
inline TagUsage counted(Pool pool, std::string_view tag, std::uint64_t allocations, std::uint64_t frees, std::uint64_t bytes) {
  TagUsage usage = test::tag_usage(pool, tag, bytes, (allocations - frees) & 0xFFFF'FFFF);
  usage.counter_bits = 32;
  usage.allocations = allocations;
  usage.frees = frees;
  return usage;
}

/// Of one that does not.
inline TagUsage uncounted(Pool pool, std::string_view tag, std::uint64_t outstanding, std::uint64_t bytes) {
  return test::tag_usage(pool, tag, bytes, outstanding);
}

inline Snapshot reading(std::vector<TagUsage> tags, base::UnixMillis time = 1'767'225'600'000) {
  Snapshot snapshot;
  snapshot.system = System::kWindows;
  snapshot.time = time;
  snapshot.boot_time = 1'766'000'000'000;
  snapshot.tags = std::move(tags);
  return snapshot;
}

inline std::vector<const UsageRow*> all(const UsageTable& table) { return chosen_rows(table.rows(), {}); }

inline std::vector<std::string> tags_of(const std::vector<const UsageRow*>& rows) {
  std::vector<std::string> out;
  for (const UsageRow* row : rows) out.push_back(row->tag);
  return out;
}

}  // namespace kmem::top
