// STAGE 2, inside: who of many is shown, without flicker. One enters among the first `top` of any list. It stays, in its
// place, until it is gone, or for `dwell` was not among the first 2 * `top` of any list. `cap` is at least the number
// of lists times `top`, so that leaders always fit; beyond it the weakest member goes.
// Thread: one writer. Failure: none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/flat_index.h"
#include "exporter/select/tag_table.h"

namespace kmem::select {

inline constexpr base::UnixMillis kStickyDwellMs = base::kHourMillis;

template <typename Id>
class StickyTop {
 public:
  struct Candidate {
    Id id;
    std::uint32_t best_rank = 0;              // over the lists; below 2 x top
    std::uint32_t member = FlatIndex::kNone;  // its index in members(), if it is one
  };
  struct Member {
    Id id;
    base::UnixMillis last_ranked = 0;
  };

  StickyTop(std::size_t top, std::size_t cap) : top_(top), cap_(cap) {}

  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  void clock_was_set(std::int64_t step_ms) {
    for (Member& member : members_) move_time(member.last_ranked, step_ms);
  }

  /// `present`: of each member, whether it still exists. Each candidate comes once.
  void update(std::vector<Candidate> candidates, const std::vector<bool>& present, base::UnixMillis now) {
    constexpr std::uint32_t kUnranked = FlatIndex::kNone;
    std::vector<std::uint32_t> ranks(members_.size(), kUnranked);
    std::vector<Candidate> newcomers;
    for (Candidate& candidate : candidates) {
      if (candidate.member != FlatIndex::kNone) ranks[candidate.member] = candidate.best_rank;
      else if (candidate.best_rank < top_) newcomers.push_back(std::move(candidate));
    }
    std::vector<std::uint32_t> staying;
    for (std::uint32_t i = 0; i < members_.size(); ++i) {
      base::UnixMillis& last = members_[i].last_ranked;
      last = ranks[i] == kUnranked ? std::min(last, now) : now;  // the clock may have been set back
      if (present[i] && now - last < kStickyDwellMs) staying.push_back(i);
    }
    const std::size_t room = cap_ - std::min(cap_, newcomers.size());
    if (staying.size() > room) {
      std::sort(staying.begin(), staying.end(), [&](std::uint32_t a, std::uint32_t b) {
        return std::tuple(ranks[a], -members_[a].last_ranked, a) < std::tuple(ranks[b], -members_[b].last_ranked, b);
      });
      staying.resize(room);
      std::sort(staying.begin(), staying.end());
    }
    std::stable_sort(newcomers.begin(), newcomers.end(),
                     [](const Candidate& a, const Candidate& b) { return a.best_rank < b.best_rank; });
    std::vector<Member> next;
    next.reserve(staying.size() + newcomers.size());
    for (const std::uint32_t i : staying) next.push_back(std::move(members_[i]));
    for (Candidate& newcomer : newcomers) next.push_back({std::move(newcomer.id), now});
    members_ = std::move(next);
  }

 private:
  std::size_t top_, cap_;
  std::vector<Member> members_;
};

}  // namespace kmem::select
