// Hosts that a line above each date tells: "=== SRV1 ===", "SRV1", "Computer: SRV1". It is told apart from other headings where
// several of them come again and again. Thread: one. Failure: none; a line that is no name is none.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace kmem::history {

/// The name in the line; empty: none. `is_named`: a word before it says that it is one.
[[nodiscard]] std::string host_in_line(std::string_view line, bool& is_named);

class HostLines {
 public:
  /// The line above a date.
  void see(std::string_view line);
  /// They are hosts' names.
  [[nodiscard]] bool are_hosts() const { return names_.size() > 1 && (is_named_ || seen_ >= 2 * names_.size()); }

 private:
  std::map<std::string, std::size_t, std::less<>> names_;
  std::size_t seen_ = 0;
  bool is_named_ = false;
};

}  // namespace kmem::history
