// Hosts that a line above each date tells: "=== SRV1 ===", "SRV1", "Computer: SRV1". It is told apart from other headings
// ("day", "run 2") by its words and by what stands below: counters that rise through all names are one host's, levels that
// change with the name are several hosts'. Thread: one. Failure: none; a line that is no name is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/snapshot.h"

namespace kmem::history {

/// The name in the line; empty: none. `is_named`: a word before it says that it is one.
[[nodiscard]] std::string host_in_line(std::string_view line, bool& is_named);

/// Whose the looks are that stand above the first name.
inline constexpr const char* kUnnamedHost = "unnamed";
/// "=== run 2 ===": no row of a table.
[[nodiscard]] inline bool is_heading_line(std::string_view text) {
  return text.size() > 2 && text[0] == text[1] && (text[0] == '=' || text[0] == '-' || text[0] == '#' || text[0] == '*');
}

class HostLines {
 public:
  /// The line above a date, and its time.
  void see(std::string_view line, std::optional<base::UnixMillis> time);
  /// What stands below it.
  void take(const Snapshot& look);
  /// They are hosts' names.
  [[nodiscard]] bool are_hosts() const;
  /// One, above all there is.
  [[nodiscard]] bool is_one_host() const { return names_.size() == 1 && !is_any_above_; }

 private:
  struct Level {
    std::uint64_t key = 0, bytes = 0, allocations = 0;
    bool is_counted = false;
  };
  struct Levels {
    base::UnixMillis time = 0;
    std::vector<Level> values;  // by key
  };
  /// Of readings one behind another.
  struct Steps {
    std::size_t all = 0, counted = 0;
    std::size_t fallen = 0;  // counters of a quarter fall
    std::size_t mixed = 0;   // and some do not, as behind a reboot all do
    std::size_t far = 0;     // the bytes of most are others
  };
  static void compare(const Levels& one, const Levels& other, Steps& steps);

  std::map<std::string, std::size_t, std::less<>> names_;
  std::size_t seen_ = 0, falls_ = 0;  // names below which times begin anew
  std::optional<base::UnixMillis> last_;
  bool is_named_ = false;
  std::string name_;  // above what comes
  bool is_any_above_ = false;
  std::string above_last_;
  Levels levels_;                                     // of the last one
  std::map<std::string, Levels, std::less<>> known_;  // the last of each name
  Steps between_, within_;                            // names
  std::size_t returns_ = 0;
};

}  // namespace kmem::history
