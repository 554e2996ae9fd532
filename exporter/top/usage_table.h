// Snapshots -> the rows of `top`: values of now, what changed since the reading before, what was gained since the
// first. A reboot between two readings begins anew. Pure but for what it remembers. Thread: one. Failure: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "collectors/boots.h"
#include "collectors/snapshot.h"
#include "exporter/top/sort_by.h"

namespace kmem::top {

enum class Mark : std::uint8_t { kNone, kWatch, kSurge, kLeak };

struct UsageRow {
  Pool pool = Pool::kPaged;
  std::string tag;
  bool counted = false;  // the kernel counts its allocations and frees
  bool has_outstanding = true;
  std::uint64_t allocations = 0, frees = 0, outstanding = 0, bytes = 0;
  // Since the reading before; none at the first, and none of what it did not list.
  std::optional<std::int64_t> allocations_delta, frees_delta, outstanding_delta, bytes_delta;
  std::int64_t growth_bytes = 0;
  // Joined from elsewhere:
  std::string driver, trend;
  Mark mark = Mark::kNone;

  [[nodiscard]] std::uint64_t bytes_per_allocation() const { return outstanding == 0 ? 0 : bytes / outstanding; }
};

class UsageTable {
 public:
  void update(const Snapshot& snapshot, const Boot& boot);
  void update(const Snapshot& snapshot) { update(snapshot, untold_boot(snapshot)); }
  [[nodiscard]] std::vector<UsageRow>& rows() { return rows_; }
  [[nodiscard]] const std::vector<UsageRow>& rows() const { return rows_; }
  [[nodiscard]] std::uint64_t readings() const { return readings_; }

 private:
  struct Known {
    std::uint64_t allocations = 0, frees = 0, outstanding = 0, bytes = 0;
    std::uint64_t first_bytes = 0;
    std::uint64_t reading = 0;  // the last that listed it
  };

  std::vector<UsageRow> rows_;
  std::unordered_map<std::uint64_t, Known> known_;  // by TagUsage::key
  std::uint64_t readings_ = 0;
  base::BootClock boot_clock_;
};

/// Of one pool, or all; whose tag or driver holds `filter`, letters of either case being one.
struct RowChoice {
  SortBy sort = SortBy::kBytes;
  std::optional<Pool> pool;
  std::string filter;
};

/// The rows to show, largest first (tags by name); ties by bytes, tag and pool. Pointers live as long as the rows.
[[nodiscard]] std::vector<const UsageRow*> chosen_rows(const std::vector<UsageRow>& rows, const RowChoice& choice);

}  // namespace kmem::top
