// Hosts that a line above each date tells: "=== SRV1 ===", "SRV1", "Computer: SRV1". It is told apart from other headings where
// several of them come again and again, or times begin anew below each. Thread: one. Failure: none; a line that is no name is
// none.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/clock.h"

namespace kmem::history {

/// The name in the line; empty: none. `is_named`: a word before it says that it is one.
[[nodiscard]] std::string host_in_line(std::string_view line, bool& is_named);

class HostLines {
 public:
  /// The line above a date, and its time.
  void see(std::string_view line, std::optional<base::UnixMillis> time);
  /// They are hosts' names.
  [[nodiscard]] bool are_hosts() const {
    return names_.size() > 1 && (is_named_ || seen_ >= 2 * names_.size() || falls_ + 1 == names_.size());
  }

 private:
  std::map<std::string, std::size_t, std::less<>> names_;
  std::size_t seen_ = 0, falls_ = 0;  // names below which times begin anew
  std::optional<base::UnixMillis> last_;
  bool is_named_ = false;
};

}  // namespace kmem::history
