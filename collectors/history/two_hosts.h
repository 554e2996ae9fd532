// Readings of two hosts in one file that names neither: those of one stand between those of the other, where no counter of one
// host lies, or at the same times with other values. Such a file is refused, for what it tells is the history of none. Amounts
// without counters prove nothing: that is only said, as is all of a file that names its host.
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
#include "collectors/history/history.h"
#include "collectors/snapshot.h"

namespace kmem::history {

class TwoHosts {
 public:
  /// The file's next reading of the host, in order of time; `line` as it begins.
  void see(const std::string& path, const std::string& host, std::uint64_t line, const Snapshot& look);
  struct Found {
    std::map<std::string, std::string> faults;  // files that name no host, and what proves that they are of two
    std::map<std::string, std::string> doubts;  // others, and what looks like it: one host may be high and low in turn
    Strangers strangers;                        // single readings, between whose neighbours the counters go on
  };
  [[nodiscard]] Found found() const;

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
    std::size_t rising = 0, strangers = 0;                    // counters go on; and what lies between is another's
    std::vector<base::UnixMillis> times_of_strangers;
    std::size_t differing = 0;  // at the time of the one above
    std::uint64_t first_line = 0;
  };
  static void judge(Seen& seen, const Reading& now);
  static bool is_far(const Reading& one, const Reading& other);

  std::map<std::pair<std::string, std::string>, Seen> seen_;  // by file and host
};

}  // namespace kmem::history
