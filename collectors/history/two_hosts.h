// Readings of two hosts in one file that names neither: those of one stand between those of the other, where no counter of one
// host lies, or at the same times with other values. Such a file is refused, for what it tells is the history of none.
// Thread: one. Failure: none; what is not shown is one host's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/snapshot.h"

namespace kmem::history {

class TwoHosts {
 public:
  /// The file's next reading of the host, in order of time; `line` as it begins.
  void see(const std::string& path, const std::string& host, std::uint64_t line, const Snapshot& look);
  /// Files that are of two hosts, each with what shows it.
  [[nodiscard]] std::map<std::string, std::string> faults() const;

 private:
  struct Value {
    std::uint64_t key = 0, amount = 0;
    bool is_counter = false;
  };
  struct Reading {
    base::UnixMillis time = 0;
    std::uint64_t line = 0;
    std::optional<base::UnixMillis> boot;
    std::vector<Value> values;  // by key
  };
  struct Seen {
    bool is_of_tags = false;
    Reading before, last;
    std::size_t times = 0;
    std::size_t between = 0, astray = 0, counted_astray = 0;  // with one before and one behind; those that do not lie there
    std::size_t differing = 0;                                // at the time of the one above
    std::uint64_t first_line = 0;
  };
  static void judge(Seen& seen, const Reading& now);
  static bool is_far(const Reading& one, const Reading& other);

  std::map<std::pair<std::string, std::string>, Seen> seen_;  // by file and host
};

}  // namespace kmem::history
