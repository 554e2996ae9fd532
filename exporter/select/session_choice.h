// STAGE 2, inside: which tags of the sessions' own pools are exported: the top N by bytes of each pool of the 16 sessions
// that hold most. Both stay for a while (StickyTop), so at most 2 N tags of 24 sessions are shown. A session that has
// ended leaves at once. Thread: one writer. Failure: none; an empty list (a failed reading) changes nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "collectors/snapshot.h"
#include "exporter/select/selection.h"
#include "exporter/select/sticky_top.h"
#include "exporter/select/top_ranks.h"

namespace kmem::select {

class SessionChoice {
 public:
  /// `most` sessions are told at once, of which two thirds are chosen by rank; the others have been.
  explicit SessionChoice(std::size_t top, std::size_t most = kMaxSessions)
      : top_(top), top_sessions_(most * kTopSessions / kMaxSessions), sessions_(top_sessions_, most) {}

  void update(const std::vector<SessionTagUsage>& tags, base::UnixMillis now);
  void clock_was_set(std::int64_t step_ms) {
    sessions_.clock_was_set(step_ms);
    for (SessionTop& top : tops_) top.tags.clock_was_set(step_ms);
  }
  void fill(const std::vector<SessionTagUsage>& tags, std::vector<SessionPool>& pools,
            std::vector<SessionMember>& members) const;

  /// Series that fill() can lead to with as many sessions as now: their tags change with every hour.
  [[nodiscard]] std::size_t most_series() const { return tops_.size() * (1 + 4 * top_); }

  static constexpr std::size_t kTopSessions = 16, kMaxSessions = 24;

 private:
  struct SessionTop {
    std::uint32_t session = 0;
    Pool pool = Pool::kPaged;
    StickyTop<std::string> tags;
  };

  std::size_t top_, top_sessions_;
  StickyTop<std::uint32_t> sessions_;
  std::vector<SessionTop> tops_;  // of the members of sessions_, in their order, a row a pool
};

}  // namespace kmem::select
