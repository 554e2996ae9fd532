// STAGE 4 in: what the trend says, as plain numbers of the last tick: a scrape only copies them.
// Thread: value type; one writer.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/snapshot.h"

namespace kmem::metrics {

inline constexpr std::array<std::string_view, 6> kTrendWindows = {"1d", "7d", "28d", "5m", "1h", "6h"};
using TrendSlopes = std::array<std::optional<double>, kTrendWindows.size()>;  // a second; none = too little history

struct TrendView {
  /// Who keeps an object's tag from shrinking; no process: nobody is known.
  struct Holder {
    std::string process;
    std::uint64_t pid = 0;
    double share = 0;
    std::uint64_t handles = 0;
  };
  struct Tag {
    Pool pool = Pool::kPaged;
    std::string tag;
    TrendSlopes slopes;
    std::optional<double> confidence;  // none = its growth is never called a leak
    bool suspect = false;
    bool surge = false;  // grows now, beyond all before
    Holder holder = {};
  };
  struct PoolSlopes {
    Pool pool = Pool::kPaged;
    TrendSlopes slopes;
  };
  struct PoolSuspects {
    Pool pool = Pool::kPaged;
    std::uint64_t suspects = 0;
    std::uint64_t surges = 0;
  };
  /// seconds = room / pace_per_second: the metrics are told together.
  struct Runout {
    std::string_view resource;
    double seconds = 0;
    double room = 0;
    std::string_view bound = {};
    double pace_per_second = 0;
  };
  /// Of a pool as a whole, commit, free PTEs and unaccounted memory, limit or none.
  struct ResourceVerdict {
    std::string_view resource;
    bool leak = false;
    bool surge = false;
  };
  struct Failures {
    std::string_view reason;
    std::uint64_t count = 0;
  };

  std::vector<Tag> tags;  // exported ones
  std::vector<PoolSlopes> pools;
  std::vector<PoolSuspects> suspects;
  std::vector<Runout> runouts;  // where a limit is known
  std::vector<ResourceVerdict> verdicts;
  TrendSlopes unaccounted;
  TrendSlopes commit, system_ptes;  // entries that go away are negative
  double history_seconds = 0;
  std::uint64_t subjects = 0;
  bool judged = false;                      // the history suffices to tell a leak
  std::optional<double> last_save_seconds;  // since 1970
  std::vector<Failures> failures;           // empty: nothing is kept
};

}  // namespace kmem::metrics
