// STAGE 3: Observation -> Report. Keeps 8 weeks of floors of every subject and says what leaks, how fast, since when,
// and when it runs out. Deterministic: the same observations give the same verdicts, live or replayed.
// A bucket that closes makes its subjects due; they are judged a few a tick, all within two hours of history.
// Full table: a newcomer takes the place of the tag or process that is absent for longest, else of the smallest that is no
// suspect and has less than half its size. A handle counts as a byte, so processes go first. Else the newcomer is refused
// and counted. This is tried once an hour.
// Thread: none of its own; the caller serialises. Failure: load() refuses a damaged payload and leaves the engine as it
// was; nothing else fails.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/flat_index.h"
#include "collectors/base/result.h"
#include "exporter/trend/estimator.h"
#include "exporter/trend/falls.h"
#include "exporter/trend/folded.h"
#include "exporter/trend/headroom.h"
#include "exporter/trend/history.h"
#include "exporter/trend/recent.h"
#include "exporter/trend/report.h"
#include "exporter/trend/surge.h"
#include "exporter/trend/timeline.h"

namespace kmem::trend {

struct Sample {
  Kind kind = Kind::kTag;
  Pool pool = Pool::kPaged;  // of tags and pools; else leave it
  std::string_view text;     // tag or process; empty otherwise
  std::uint64_t amount = 0;  // bytes, of kAvailable those that are left; free entries of kSystemPtes; handles of kHandles
  std::optional<std::uint64_t> outstanding;
  std::optional<double> limit;    // where the amount runs out: bytes, entries (lowest allowed), handles; of a pool what
                                  // it holds and the smallest of its headrooms
  Bound bound = Bound::kUnknown;  // what ends it there
};

struct Observation {
  base::UnixMillis time = 0;
  std::optional<base::UnixMillis> boot_time;
  std::span<const Sample> subjects;                 // a tag missing from a pool that has others holds nothing
  std::uint64_t boot_number = 0;                    // as Boots tells it; 0: nobody did, and the boot times speak
  std::optional<base::UnixMillis> boot_start = {};  // where there is no boot time, about when the boot began
  Gaps gaps = {};                                   // lists in which what is missing may hold something
};

struct EngineOptions {
  std::size_t max_subjects = 4096;
  double min_bytes_per_day = 32.0 * 1024;
  double min_ptes_per_day = 8;  // as many pages of 4 KiB
  double min_handles_per_day = 50;
  std::string host_identity = {};  // a state of another host is refused
};

class TrendEngine {
 public:
  static constexpr std::size_t kMaxTextBytes = 256;  // longer texts are refused and counted
  static constexpr std::size_t kMaxStateBytes = 18 << 20;
  static constexpr std::uint32_t kStateVersion = 4;
  static constexpr std::uint32_t kOldestStateVersion = 1;  // without what surges need

  explicit TrendEngine(EngineOptions options = {});

  void observe(const Observation& observation);
  /// Judges at once whatever is due: for the end of a replay.
  void settle();
  /// Looks for what grows between falls, or on, once for all subjects: after load() that is done with the second observation,
  /// and never where there is none.
  void look_for_falls();

  [[nodiscard]] Summary summary() const;
  [[nodiscard]] Readiness readiness() const;
  /// Goes up whenever a surge begins or ends.
  [[nodiscard]] std::uint64_t surge_changes() const { return surge_changes_; }
  /// Worst first. Without `all`: those with a verdict other than ok.
  [[nodiscard]] std::vector<SubjectReport> report(bool all) const;
  [[nodiscard]] std::optional<SubjectReport> find(Kind kind, Pool pool, std::string_view text) const;
  /// Of pools, commit, free PTEs and unaccounted memory, as report() has it, at the last observation: cheap enough for a tick.
  struct Runout {
    Kind kind = Kind::kPool;
    Pool pool = Pool::kPaged;
    Exhaustion exhaustion;
  };
  [[nodiscard]] std::vector<Runout> runouts() const;
  /// Lowest value of each of the last 56 days, oldest first, NaN where nothing was seen: for a sparkline.
  [[nodiscard]] std::array<float, kHistoryDays> daily_course(Kind kind, Pool pool, std::string_view text) const;

  /// Every subject, in no order. What it works out of closed buckets is kept until the next closes.
  [[nodiscard]] std::vector<Outline> outlines() const;
  [[nodiscard]] std::optional<Course> course(Kind kind, Pool pool, std::string_view text) const;
  /// Reboots that the history saw, oldest first.
  [[nodiscard]] std::vector<base::UnixMillis> boot_times() const;

  [[nodiscard]] std::string save() const;
  /// The same in pieces of some tens of KB: appends that of the number, from 0; false: there are no more. They are one
  /// payload as long as nothing is observed or loaded between the first and the last.
  bool save_piece(std::size_t number, std::string& out) const;
  base::Result<void> load(std::string_view payload);

 private:
  static constexpr double kCredible = 1.645;                  // errors to either side: nine of ten
  static constexpr std::size_t kScores = 6;                   // a day of judgements
  static constexpr std::size_t kTotals = kPoolCount + 3;      // pools, free PTEs, commit, unaccounted
  static constexpr std::size_t kKeptTotals = kPoolCount + 2;  // the last one's day of room begins anew with a restart
  struct SurgeState {
    std::int64_t since_ms = -1;  // when the growth began; -1 = there is none
    std::int64_t told_ms = -1;   // when it was first told
    std::int64_t high_ms = 0;    // when it last went clearly beyond ...
    float high = 0;              // ... what it had reached
    float growth = 0;            // since it began
    float pace_per_day = 0;
    bool ends_soon = false;
    bool no_limit = false;  // is known, at the newest look; not kept
    [[nodiscard]] bool active() const { return since_ms >= 0; }
  };
  struct Subject {
    Kind kind = Kind::kTag;
    Pool pool = Pool::kPaged;
    Verdict verdict = Verdict::kOk;
    std::uint8_t scores_used = 0;
    std::uint16_t weak_judgements = 0;   // in a row, while a verdict stands
    std::uint16_t watch_judgements = 0;  // in a row; where readings are few, buckets of 4 hours
    std::string text;
    double limit = 0;  // NaN = none
    std::int64_t first_seen_ms = 0;
    std::int64_t first_detected_ms = -1;
    std::int64_t since_ms = 0;
    float slope_per_day = 0, slope_error_per_day = 0, strength = 0;
    std::array<float, kScores> scores{};
    std::unique_ptr<SurgeState> surging;  // few have one
    History history;

    [[nodiscard]] const SurgeState& surge() const;
    /// A leak that now runs at a multiple of the pace that is told of it. One whose end is known and far is told with that.
    [[nodiscard]] bool has_sped_up() const {
      constexpr float kSpedUp = 2;
      return surge().active() && verdict == Verdict::kLeak && (surge().ends_soon || surge().no_limit) &&
             surge().since_ms > since_ms && surge().pace_per_day >= kSpedUp * slope_per_day;
    }
    /// What is called a leak, goes on at its pace and would not end soon is told by that alone.
    [[nodiscard]] bool is_surging() const {
      return surge().active() && (verdict != Verdict::kLeak || surge().ends_soon || has_sped_up());
    }
    [[nodiscard]] bool is(Kind a_kind, Pool a_pool, std::string_view a_text) const {
      return kind == a_kind && pool == a_pool && text == a_text;
    }
    [[nodiscard]] bool may_leak() const { return trend::may_leak(kind, pool, text); }
    [[nodiscard]] bool is_told() const { return !is_room(kind); }
    void acquit();
  };
  static constexpr std::uint32_t kMostAbsentHours = 0x7FFF'FFFF;
  // What a tick touches, apart from the rest of a subject, so that a tick stays in the cache.
  struct Open {
    float coarse = kNothing, fine = kNothing, outstanding = kNothing, last = kNothing;
    float low = kNothing;   // lowest closed hour of the last 4 days of this boot
    std::uint32_t key = 0;  // key_of() the subject
    std::uint32_t seen_tick = 0;
    std::uint32_t surging : 1 = 0;
    std::uint32_t absent_hours : 31 = 0;

    /// Of the last 4 days of this boot, the open hour within.
    [[nodiscard]] float lowest() const { return !(low <= fine) ? fine : low; }
  };
  static_assert(sizeof(Open) == 32);
  struct State {
    Timeline timeline;
    std::int64_t coarse_bucket = 0, fine_bucket = 0;  // the open ones
    std::int64_t judged_bucket = 0;                   // the newest closed one
    std::size_t due = 0;                              // subjects from here on are still to be judged
    std::uint64_t refused_total = 0, forgotten_total = 0;
    std::vector<std::unique_ptr<Subject>> subjects;
    std::vector<Open> open;
    std::array<DayOfRoom, kTotals> rooms;
    Recent recent;
  };

  void save_head(base::WireWriter& out) const;
  void save_subject(base::WireWriter& out, std::size_t slot) const;
  std::uint32_t slot_of(const Sample& sample, std::size_t position);
  [[nodiscard]] std::uint32_t find_slot(Kind kind, Pool pool, std::string_view text, std::uint32_t key) const;
  [[nodiscard]] std::uint32_t find_slot(Kind kind, Pool pool = {}, std::string_view text = {}) const {
    return find_slot(kind, pool, text, key_of(kind, pool, text));
  }
  std::uint32_t admit(const Sample& sample, std::uint32_t key);
  std::uint32_t victim_for(double amount) const;
  void close_buckets(std::int64_t coarse, std::int64_t fine, bool new_boot);
  void note_absent(const Gaps& gaps);
  void judge(std::size_t until);
  void judge(Subject& subject, std::size_t slot);
  void look_for_falls(std::size_t slot);
  [[nodiscard]] std::optional<Falls> rising_peaks_of(std::span<const float> floors, std::size_t slot) const;
  [[nodiscard]] std::optional<Falls> growth_of_last_weeks(std::span<const float> floors, std::size_t slot) const;
  [[nodiscard]] std::optional<Falls> ended_rise_of(std::span<const float> floors, std::size_t slot) const;
  static void settle_pace(Subject& subject, const Lately& lately);
  void settle_verdict(Subject& subject, const Assessment& now, const Assessment& folded, const std::optional<Lately>& lately,
                      double uptime_days);
  [[nodiscard]] double limit_of(std::size_t slot) const;
  [[nodiscard]] static std::size_t total_of(Kind kind, Pool pool);
  [[nodiscard]] Room room_of(std::size_t slot) const;
  [[nodiscard]] static std::uint32_t key_of(Kind kind, Pool pool, std::string_view text);
  [[nodiscard]] double min_per_day(Kind kind) const;
  [[nodiscard]] bool is_of_weeks(const SurgeState& surge) const;
  [[nodiscard]] Verdict verdict_of(const Subject& subject) const;
  /// A pool's growth a day: the larger of its own and that of all its tags; of leaks and of surges.
  struct PaceOfPool {
    double leaking = 0, surging = 0;
    double error = 0;  // one standard error of its leaking tags together
  };
  using PacesOfPools = std::array<PaceOfPool, kPoolCount>;
  [[nodiscard]] PacesOfPools paces_of_pools() const;
  [[nodiscard]] PaceOfPool pace_on_room(const Subject& pool, Bound bound, const PacesOfPools& paces) const;
  [[nodiscard]] PaceOfPool pace_on_commit(const PacesOfPools& paces) const;
  [[nodiscard]] PaceOfPool pace_of_room(Bound bound, const PacesOfPools& paces) const;
  [[nodiscard]] double fall_of_limit() const;
  [[nodiscard]] double growth_of_commit() const;
  [[nodiscard]] double shift_of_days(const Subject& subject) const;
  [[nodiscard]] std::optional<Exhaustion> exhaustion_of(std::size_t slot, const PacesOfPools& paces) const;
  [[nodiscard]] static double surge_pace_of(const Subject& subject, const PacesOfPools& paces);
  [[nodiscard]] const Subject& origin_of(const Subject& total, bool of_surge) const;
  [[nodiscard]] SubjectReport describe(std::size_t slot) const;
  [[nodiscard]] SubjectReport describe(std::size_t slot, const PacesOfPools& paces) const;
  void index_all();
  void look_for_surges(std::int64_t fine_before);
  void look_for_surge(std::size_t slot, double left, double whole);
  [[nodiscard]] bool is_told_by_a_tag(std::size_t slot, const SurgeSigns& signs) const;
  void keep_hour(std::size_t slot);
  [[nodiscard]] SurgeView view_of(std::size_t slot, double left, double whole) const;
  [[nodiscard]] std::int64_t seen_in_rings_ms() const;
  [[nodiscard]] std::int64_t judged_from(const Timeline::Boot& boot) const;
  [[nodiscard]] std::optional<Readiness::Growth> growth_of(std::size_t slot, std::int64_t first_seen_ms) const;
  [[nodiscard]] std::optional<Readiness::Growth> largest_growth(bool of_all) const;
  /// Growth below it is not worth a word: of the limit, or of the pool where none is known.
  [[nodiscard]] static double little_of(Kind kind, bool no_limit, double whole);
  /// A leak of that pace makes up half of the growth.
  [[nodiscard]] static bool has_told(double slope_per_day, const Readiness::Growth& growth);
  /// Growth to `level`, from what had been `high` at most, that must be told: of what was left, or of what it held.
  [[nodiscard]] static bool is_much(Kind kind, double amount, double left, double whole, double level, double high);
  /// What is left at this moment, and what shares are of: the limit; of what counts down all that there is; where no limit is
  /// known the pool, else itself.
  struct Left {
    double amount, whole;
    bool no_limit;
  };
  [[nodiscard]] Left left_of(std::size_t slot) const;
  /// `any`: also what was as high before, if it is much.
  [[nodiscard]] std::optional<Readiness::Growth> growth_now_of(std::size_t slot, const Left& of, bool held,
                                                               bool any = false) const;
  [[nodiscard]] std::optional<Readiness::Growth> growth_now(std::optional<double> more_than, bool held = false) const;
  [[nodiscard]] std::optional<Readiness::Growth> growth_between_falls() const;
  [[nodiscard]] double taken_by_pools(double seconds) const;
  [[nodiscard]] std::optional<double> room_for(std::size_t slot, const Falls& falls) const;
  [[nodiscard]] double seconds_left_of(std::size_t slot, const Falls& falls) const;
  [[nodiscard]] std::optional<Readiness::Growth> held_for_weeks() const;
  struct Growers {
    std::vector<SubjectReport::Grower> most;  // up to three that make half of it; empty: a told one is among them, or ...
    std::size_t spread_over = 0;              // ... so many do; 0: not even all of them
  };
  [[nodiscard]] Growers growers_since(std::size_t slot, std::int64_t since_ms, std::int64_t buckets_before) const;
  [[nodiscard]] Growers growers_of(std::size_t slot) const;
  [[nodiscard]] double soonest_end() const;

  EngineOptions options_;
  State state_;
  base::FlatIndex index_;
  std::map<std::size_t, Falls> falls_;  // by slot, of the running boot; few have one. Looked for once a day
  bool falls_unlooked_ = false;         // since load()
  struct EndedSurge {
    std::int64_t high_ms = 0;
    float high = 0, growth = 0;
  };
  std::map<std::size_t, EndedSurge> ended_surges_;  // by slot, of the running boot: the newest
  std::vector<std::uint32_t> order_;                // slots in the order of the last observation
  std::uint32_t tick_ = 0;
  std::int64_t last_admission_hour_ = -1;
  std::uint64_t surge_changes_ = 0;
  std::int64_t judged_steps_ = 1;          // buckets that the newest judgement is after the one before
  std::size_t next_look_ = 0;              // where the search for surges goes on
  std::int64_t seen_ms_ = 0, gap_ms_ = 0;  // time that was watched; what was not before the last observation

  struct WeekGrowth {
    std::uint32_t key = 0;  // whose it is: a slot may change hands
    double per_second = 0;  // NaN = unknown
  };
  mutable std::vector<WeekGrowth> week_growths_;  // by slot, as of ...
  mutable std::int64_t growths_bucket_ = -1;      // ... this closed bucket and ...
  mutable std::size_t growths_length_ = 0;        // ... so many buckets of the running boot
};

}  // namespace kmem::trend
