// STAGE 2: Snapshot -> Selection. Wide: every live tag is followed, up to tags.max_tracked over all pools. Narrow: per
// pool, a sticky list of exported tags. update() at every tick changes the lists; fill() at every scrape only reads
// values. Both take the time from the Snapshot, and a scrape may lie between any two ticks.
// Full table: the longest dead tag gives way first. Without a dead one, a newcomer that is forced or holds a rank takes
// the place of the smallest live tag that has no rank. Other newcomers are refused, and are counted in `other`.
// Thread: none of its own; the caller serialises. Failure: load() refuses a damaged payload and leaves a fresh set.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/result.h"
#include "collectors/boots.h"
#include "collectors/snapshot.h"
#include "config/config.h"
#include "config/profile.h"
#include "exporter/select/pool_members.h"
#include "exporter/select/process_choice.h"
#include "exporter/select/selection.h"
#include "exporter/select/session_choice.h"
#include "exporter/select/tag_shares.h"
#include "exporter/select/tag_table.h"
#include "exporter/select/top_ranks.h"

namespace kmem::select {

class TrackedSet {
 public:
  TrackedSet(config::Tags tags, config::Processes processes, const config::SeriesBudget& budget = {});

  /// `series_beside`: those that this host exports of no tag, process or session, for whom has a bound of all.
  void update(const Snapshot& snapshot, std::span<const TagId> suspects, const Boot& boot, std::size_t series_beside = 0);
  void update(const Snapshot& snapshot, std::span<const TagId> suspects) { update(snapshot, suspects, untold_boot(snapshot)); }
  /// `out` keeps its memory from scrape to scrape.
  void fill(const Snapshot& snapshot, Selection& out, const Boot& boot);
  void fill(const Snapshot& snapshot, Selection& out) { fill(snapshot, out, untold_boot(snapshot)); }
  /// The last reading, and what is known of its boot: what Boots goes on from after a restart.
  [[nodiscard]] base::BootReading kept_boot() const { return {state_.last_update, state_.boot_time}; }
  [[nodiscard]] std::optional<std::uint64_t> kept_system_ptes_max() const { return state_.system_ptes_free_boot_max; }

  /// Everything that has to survive a restart but processes and sessions. The members are whole always, the other followed tags
  /// up to kMaxSavedBytes.
  [[nodiscard]] std::string save() const;
  base::Result<void> load(std::string_view payload);
  static constexpr std::size_t kMaxSavedBytes = std::size_t{400} * 1024;

  struct Tracking {
    std::size_t tracked = 0;
    std::size_t untracked = 0;          // live at the last tick but refused: the table was full
    std::uint64_t forgotten_total = 0;  // records that gave way in a full table
  };
  [[nodiscard]] Tracking tracking() const;

 private:
  static constexpr std::size_t kTotalsCounters = 3;
  struct PoolState {
    PoolMembers members;
    base::UnixMillis last_read = kNever;                 // the last tick that listed all tags
    std::array<CounterWidener, kTotalsCounters> totals;  // allocations, frees, lookaside hits
    bool totals_rebooted = false;                        // since the totals were last read
    std::vector<std::uint32_t> ranked;                   // slots whose ranked_since runs
  };
  // What save() writes, and load() replaces as a whole.
  struct State {
    explicit State(std::size_t max_tracked) : table(max_tracked) {}
    TagTable table;
    std::array<PoolState, kPoolCount> pools;
    base::UnixMillis last_update = kNever;
    std::optional<base::UnixMillis> boot_time;
    std::optional<std::uint64_t> system_ptes_free_boot_max;
    std::uint64_t forgotten_total = 0;
  };
  // Of one Snapshot: sums over the tags without a seat, and what the pool's totals say.
  struct PoolReading {
    std::uint64_t live_tags = 0;
    std::uint64_t other_bytes = 0;
    std::uint64_t other_outstanding = 0;
    bool has_totals = false;
    std::array<std::optional<std::uint64_t>, kTotalsCounters> totals;
  };

  struct Newcomer {
    std::uint32_t item = 0;  // index in Snapshot::tags
    bool forced = false;
    bool ranked = false;  // by bytes or outstanding; growth takes a day
  };

  struct Tops {
    std::size_t bytes = 0, outstanding = 0, growth = 0;
  };

  [[nodiscard]] PoolMembers::Rules rules() const;
  void share_seats(const Snapshot& snapshot, std::span<const TagId> suspects, std::size_t series_beside, base::UnixMillis now);
  [[nodiscard]] std::size_t most_by_bytes(std::size_t pool);
  [[nodiscard]] std::size_t process_series(const Snapshot& snapshot) const;
  void note_clock(base::UnixMillis now);
  void note_boot(const Boot& boot);
  void clock_was_set(std::int64_t step_ms);
  void scan(const Snapshot& snapshot, base::UnixMillis now);
  void note(TagRecord& record, const TagUsage& usage, base::UnixMillis now) const;
  void admit_newcomers(const Snapshot& snapshot, std::span<const TagId> suspects, base::UnixMillis now);
  void find_who_may_give_way(const Snapshot& snapshot, std::size_t wanted);
  bool make_room(const Newcomer& newcomer, Pool pool, base::UnixMillis now);
  [[nodiscard]] bool is_forced(const TagUsage& usage, std::span<const TagId> suspects) const;
  void mark_ranks(std::size_t pool, base::UnixMillis now);
  void gather_all(const Snapshot& snapshot, std::size_t pool);
  void gather_forced(std::size_t pool, std::span<const TagId> suspects);
  void reindex_seats();
  void read_values(const Snapshot& snapshot);
  void read_counters(const TagUsage& usage, Seat& seat) const;

  config::Tags tags_;
  std::array<std::vector<TagId>, kPoolCount> include_;  // expanded: in every pool that it may mean
  TagShares shares_;
  TagShares::Shares seats_;              // of the last tick, if there is a bound
  std::array<Tops, kPoolCount> tops_{};  // that fit the seats
  std::size_t processes_top_;
  ProcessChoice processes_;
  SessionChoice sessions_;
  State state_;
  base::BootClock boot_clock_;
  FlatIndex seat_index_;  // tag key -> position in its pool's seats
  std::array<PoolReading, kPoolCount> readings_;

  // Of one tick; kept for their memory.
  struct Ranks {
    TopRanks bytes, outstanding, growth;  // items are indices in Snapshot::tags
  };
  std::uint64_t tick_ = 0;
  std::array<Ranks, kPoolCount> ranks_;
  std::array<bool, kPoolCount> read_{};  // the Snapshot lists tags of the pool
  std::vector<std::uint32_t> slots_;     // of Snapshot::tags; kNone: not followed
  std::vector<Newcomer> newcomers_;
  std::vector<std::uint32_t> dead_;                        // slots that may give way, the first to go last
  std::vector<std::uint32_t> small_;                       // likewise live ones: indices in Snapshot::tags
  std::vector<std::uint32_t> forced_, candidates_, held_;  // slots
  std::size_t untracked_ = 0;
};

}  // namespace kmem::select
