// What one look over the whole of a history finds out about its hosts, and what comes of it: last looks that lie years ahead
// of all others are slips, rows that are sums of all others are no tags, lists with rows missing here and there tell nothing of
// what they lack. What is found out too late for the beginning is Learned, which the next look is told from the start.
// Thread: one. Failure: none; of hosts beyond a bound nothing is found out.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/history/history.h"
#include "collectors/history/host_jumps.h"
#include "collectors/history/list_cuts.h"
#include "collectors/history/notes.h"
#include "collectors/history/snapshot_builder.h"
#include "collectors/snapshot.h"

namespace kmem::history {

inline constexpr std::size_t kMostHostsNamed = 1000;
inline constexpr base::UnixMillis kYearMs = 365 * base::kDayMillis;

inline void add_gaps(Gaps& into, const Gaps& gaps) {
  into.pools |= gaps.pools;
  into.processes |= gaps.processes;
}

/// What all files have of one host at one time.
struct Gathered {
  std::string host, path;
  std::uint64_t line = 0;
  Snapshot snapshot;
  std::unique_ptr<SnapshotBuilder> merged;
  bool is_of_two = false;
  bool ends_file = false;

  [[nodiscard]] const Snapshot& seen() const { return merged ? merged->snapshot() : snapshot; }
  void lack(const Gaps& rows) { add_gaps(merged ? merged->snapshot().gaps : snapshot.gaps, rows); }
  /// False: some of it was there already.
  bool merge(Snapshot&& other, Contradictions* contradictions = nullptr);
};

class WholeLook {
 public:
  /// `notes` outlives it.
  WholeLook(Learned known, Notes& notes) : known_(std::move(known)), learned_(known_), notes_(notes) {}

  /// More than a year behind the host's last one, and much longer than what stands before it. `before`: what is not yet
  /// let go of the same host, if there is any.
  [[nodiscard]] bool is_far_ahead(const Gathered& look, const Gathered* before = nullptr) const;
  /// The host's next one, in order of time. What lies far ahead waits until more of the host bear it out.
  void let_go(Gathered&& look, std::deque<Gathered>& ready);
  /// Nothing more comes: what waits is passed over.
  void drop_far();

  /// Takes sums out of a look that was let go, and finds its gaps.
  void settle(Snapshot& snapshot, const Gathered& of);

  void learn_unsorted(const std::string& path) { learned_.unsorted.insert(path); }
  void learn_hosts(std::map<std::string, std::string>&& by_file) { learned_.named_hosts.merge(by_file); }
  void learn_of_two(std::map<std::string, std::string>&& by_file) { learned_.of_two.merge(by_file); }
  void learn_strangers(Strangers&& all) { learned_.strangers.merge(all); }
  void learn_host_lines(const std::string& path) { learned_.with_host_lines.insert(path); }
  void learn_year_day_month(const std::string& path, const std::string& proof) { learned_.year_day_month.emplace(path, proof); }
  /// So far, and what it was told.
  [[nodiscard]] const Learned& learned() const { return learned_; }

 private:
  void make_ready(Gathered&& look, std::deque<Gathered>& ready);
  void drop_sums(Snapshot& snapshot, const std::string& path);
  void note_cuts(Snapshot& snapshot, const Gathered& of);
  void note_jump(const Snapshot& snapshot, const Gathered& of);

  Learned known_, learned_;
  Notes& notes_;
  struct Span {
    base::UnixMillis first = 0, last = 0;
    std::size_t looks = 0;
  };
  std::map<std::string, Span> spans_;                 // by host: of what was let go
  std::map<std::string, std::vector<Gathered>> far_;  // by host: what may be slips
  std::map<std::string, ListCuts> cuts_;              // by host
  struct Jumps {
    HostJumps jumps;
    std::string path;  // of the last look
  };
  std::map<std::string, Jumps> jumps_;  // by host
  std::set<std::string> told_of_jumps_;
  std::set<std::pair<std::string, std::size_t>> told_of_ragged_;
  std::set<std::string> told_of_sums_, told_of_lost_, told_of_without_;
};

}  // namespace kmem::history
