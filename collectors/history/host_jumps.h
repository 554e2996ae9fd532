// Where a host's tags jump all at once, some up and some down, and no boot explains it: readings of another host may begin there,
// as where two logs were put one behind the other. Thread: one. Failure: none; it only says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/snapshot.h"

namespace kmem::history {

class HostJumps {
 public:
  /// The host's next look. True: it may be another one's. `is_of_other_name`: of a file whose name has other words.
  [[nodiscard]] bool note(const Snapshot& look, bool is_of_other_name);

 private:
  struct Row {
    std::uint64_t key = 0, bytes = 0, allocations = 0;
    bool is_counted = false;
  };
  std::vector<Row> rows_, now_;  // by key
  std::optional<base::UnixMillis> boot_;
  base::UnixMillis last_time_ = 0;
  std::int64_t step_ = 0;  // between the last two looks
  std::size_t calm_ = 0;   // looks without such a jump
  bool is_restless_ = false;
};

}  // namespace kmem::history
