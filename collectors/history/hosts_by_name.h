// Files that name no host, of several hosts by their own names: "SRV1-20260901.log" and "SRV2-20260901.log", or "SRV1/poolmon.log"
// and "SRV2/poolmon.log". Names that differ in a part that is neither date nor counter tell hosts where the files' readings show
// that they are not one's: they have the same subjects, and stand at the same time with other values, or one between two of the
// other, where no counter, and no amount, of one host could be. Thread: one. Failure: none; what is not shown is one host's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/snapshot.h"

namespace kmem::history {

/// Folders, and words of the name, without dates, times, a counter at the end, and endings like ".log".
/// "logs/SRV-01_2026-09-01_0600.log.2" -> {"logs", "SRV", "01"}.
[[nodiscard]] std::vector<std::string> parts_of_name(std::string_view path);

class HostsByName {
 public:
  explicit HostsByName(const std::vector<std::string>& paths);

  /// A reading of a file that names no host; all in order of time.
  void see(const std::string& path, const Snapshot& look);
  /// Host by path, of files whose readings show several, and of all that are named alike; empty: they show none.
  [[nodiscard]] std::map<std::string, std::string> hosts() const;

  /// Files of one reading each, of other values, whose names may tell two hosts, where nothing shows whether they do.
  [[nodiscard]] std::optional<std::pair<std::string, std::string>> doubtful() const;

 private:
  struct Value {
    std::uint64_t key = 0, amount = 0;
    bool is_counter = false;  // it rises
    std::uint64_t bytes = 0;  // beside a counter
  };
  struct Reading {
    base::UnixMillis time = 0;
    int kind = 0;               // tags, processes, totals; 0: none
    std::vector<Value> values;  // by key
  };
  struct Group {  // files of one name
    std::vector<std::string> parts;
    Reading last;
    std::string path;
    std::size_t readings = 0;
  };
  [[nodiscard]] static Reading reading_of(const Snapshot& look);
  /// How many of the shared subjects tell two hosts apart; 0 where most do not.
  [[nodiscard]] static std::size_t differing(const Reading& one, const Reading& other);
  [[nodiscard]] static std::size_t standing_out(const Reading& before, const Reading& between, const Reading& after);

  std::vector<std::string> paths_;
  std::map<std::string, std::size_t> group_of_;  // by path
  std::vector<Group> groups_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> apart_;  // groups of two hosts, and what shows it
};

}  // namespace kmem::history
