// STAGE 2, inside: how many tags a pool may export so that the host keeps its bound of series. Suspects and tags.include have
// their place, whatever pool they are in; what is left is shared evenly between the pools, and what a small pool does not need
// goes to the others. The room is what this host has: the bound less what it tells beside tags. What that once took stays taken
// (a suspect's part for tags.dwell), so that tags do not come and go.
// Thread: one writer. Failure: none.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "collectors/base/clock.h"
#include "collectors/raw_frame.h"
#include "collectors/snapshot.h"
#include "config/profile.h"
#include "exporter/select/tag_table.h"

namespace kmem::select {

class TagShares {
 public:
  struct Demand {
    std::size_t beside = 0;                        // series of neither tags, processes nor sessions
    std::array<std::size_t, kPoolCount> live{};    // tags
    std::array<std::size_t, kPoolCount> forced{};  // of suspicion or tags.include
    std::size_t suspects = 0;
    std::size_t process_series = 0, session_series = 0;
  };
  struct Rules {
    std::size_t max_exported = 0;  // a pool
    base::UnixMillis keep = 0;     // for how long the room of suspects is kept after their verdict
  };
  struct Share {
    std::size_t cap = 0;     // members
    std::size_t ranked = 0;  // of which no one is forced
    bool scarce = false;     // the pool could fill more
  };
  using Shares = std::array<Share, kPoolCount>;

  /// What may be told between two revisions: an event, a finding, a part that answers again.
  static constexpr std::size_t kSpare = 6;

  explicit TagShares(const config::SeriesBudget& budget) : budget_(budget) {}

  [[nodiscard]] bool bounded() const { return budget_.series != 0; }

  Shares revise(System system, const Demand& demand, const Rules& rules, base::UnixMillis now) {
    const bool windows = system == System::kWindows;
    for (std::size_t pool = 0; pool < kPoolCount; ++pool) live_[pool] = std::max(live_[pool], demand.live[pool]);
    if (demand.beside + kSpare > beside_) beside_ = demand.beside + 2 * kSpare;
    processes_ = std::max(processes_, std::min(demand.process_series, budget_.processes));
    sessions_ = std::max(sessions_, std::min(demand.session_series, budget_.session_tags));
    if (demand.suspects >= suspects_ || elapsed(suspects_at_, now) >= rules.keep) {
      suspects_ = demand.suspects;
      suspects_at_ = now;
    }
    const std::size_t a_tag = budget_.a_tag + (windows ? budget_.a_tag_windows : 0);
    const std::size_t a_forced = a_tag + (windows ? budget_.a_forced_windows : 0);
    const std::size_t room = budget_.series - std::min(budget_.series, beside_ + processes_ + sessions_);
    std::size_t forced = 0;
    for (const std::size_t in_pool : demand.forced) forced += in_pool;

    Shares shares;
    if (demand.suspects * budget_.a_suspect + forced * a_forced > room) {  // nobody else, and of these the first
      const std::size_t fit = room / (a_forced + budget_.a_suspect);
      for (std::size_t pool = 0; pool < kPoolCount; ++pool)
        shares[pool] = {std::min(rules.max_exported, fit * demand.forced[pool] / forced), 0, true};
      return shares;
    }
    const std::size_t beside_forced = room - forced * a_forced;
    std::size_t left = (beside_forced - std::min(suspects_ * budget_.a_suspect, beside_forced)) / a_tag;
    std::size_t pools = 0;
    for (const std::size_t live : live_) pools += live > 0 ? 1 : 0;
    std::array<bool, kPoolCount> done{};
    for (; pools > 0; --pools) {  // the smallest first
      std::size_t smallest = kPoolCount;
      for (std::size_t pool = 0; pool < kPoolCount; ++pool)
        if (live_[pool] > 0 && !done[pool] && (smallest == kPoolCount || live_[pool] < live_[smallest])) smallest = pool;
      done[smallest] = true;
      Share& share = shares[smallest];
      const std::size_t wanted = std::min(live_[smallest], rules.max_exported);
      share.ranked = std::min(left / pools, wanted);
      share.scarce = share.ranked < wanted;
      left -= share.ranked;
      share.cap = std::min(rules.max_exported, demand.forced[smallest] + share.ranked);
    }
    return shares;
  }

 private:
  config::SeriesBudget budget_;
  std::array<std::size_t, kPoolCount> live_{};             // most so far
  std::size_t beside_ = 0, processes_ = 0, sessions_ = 0;  // likewise
  std::size_t suspects_ = 0;                               // most of late
  base::UnixMillis suspects_at_ = kNever;
};

}  // namespace kmem::select
