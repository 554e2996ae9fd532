// STAGE 3 out: what the trend engine says about a subject. Slopes are per second; rising use is positive for every kind
// (system PTEs: free entries that go away). nullopt = too little history to say.
// Confidence: how strongly the growth speaks for a leak, averaged over a day: 0 no sign, 0.5 just enough (a leak never
// has less), near 1 far beyond.
// Thread: value types; readiness_words() is pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/snapshot.h"
#include "exporter/trend/estimator.h"
#include "exporter/trend/headroom.h"
#include "exporter/trend/history.h"
#include "exporter/trend/recent.h"
#include "exporter/trend/subject.h"

namespace kmem::trend {

/// When a subject runs out: always `room` divided by `pace_per_second`, so that whoever tells one tells all three.
struct Exhaustion {
  // Infinite when nothing credible leads there.
  double seconds = std::numeric_limits<double>::infinity();
  double soonest_seconds = std::numeric_limits<double>::infinity();
  double latest_seconds = std::numeric_limits<double>::infinity();
  double room = 0;                // left at the tightest moment of the last day, in its own unit; a tag's is its pool's
  double pace_per_second = 0;     // of growth that is credible; 0 = none. Of all that takes from the room
  Bound bound = Bound::kUnknown;  // what the room ends with
  bool of_now = false;            // the room is that of this moment, by which a surge ends
  bool of_room = false;           // the pace is that of the room itself: something else takes more of it
  /// By a surge, whose pace says nothing of an end that is weeks away.
  [[nodiscard]] bool is_far() const { return of_now && seconds > kFarSeconds; }
  static constexpr double kFarSeconds = 14 * base::kSecondsPerDay;  // a surge that goes on for as long is a leak
};

/// Growth of minutes, hours or days that is still going on.
struct Surge {
  base::UnixMillis since = 0;       // when the growth began
  base::UnixMillis first_told = 0;  // when it was first called a surge
  double growth = 0;                // since it began: bytes, entries, handles
  double pace_per_second = 0;
  bool ends_soon = false;      // what is left lasts for less than 3 days; else it has grown to 1.5 times all before
  double times = 0;            // so many times what it held as the growth began; 0: that says nothing
  std::optional<double> room;  // left at this moment, where that is known; a tag's is its pool's
  // Room at that pace, or at that of all that takes from it; infinite when no room is known.
  double seconds_left = std::numeric_limits<double>::infinity();
  [[nodiscard]] bool shares_room() const { return room && seconds_left * pace_per_second < kAlone * *room; }
  static constexpr double kAlone = 0.9;  // of the time by its own pace: less is by what else grows, too
  /// Whether no end is near, or none is known: then it is told for what it has reached, not for a time that is left.
  [[nodiscard]] bool is_far() const { return seconds_left > Exhaustion::kFarSeconds; }
};

struct SubjectReport {
  Kind kind = Kind::kTag;
  Pool pool = Pool::kPaged;
  std::string text;
  Verdict verdict = Verdict::kOk;
  bool may_leak = true;  // else it is ok however it grows, with no confidence and no end
  double confidence = 0;
  double last_amount = 0;  // bytes, free entries or handles at the last observation
  std::optional<double> slope_5m_per_second, slope_1h_per_second, slope_6h_per_second;
  std::optional<double> slope_1d_per_second, slope_7d_per_second, slope_28d_per_second;
  double credible_slope_per_second = 0;            // of the growth behind the verdict; 0 when ok
  double credible_slope_error_per_second = 0;      // one standard error
  std::optional<double> bytes_per_allocation;      // of the lows of the open 4 hours, else of the last that are closed
  std::optional<double> outstanding_per_day;       // slope of the outstanding allocations over 28 days
  std::optional<base::UnixMillis> since;           // estimated begin of the growth
  std::optional<base::UnixMillis> first_detected;  // when it first was a leak, even if it is none now
  std::optional<double> limit;                     // where last_amount runs out, if known: most bytes, fewest entries
  std::optional<Exhaustion> exhaustion;            // where a limit is known and it may leak
  std::optional<Surge> surge;                      // also of one that is called a leak
  /// Of a pool with a verdict: the tags that made half of its growth since that began, most first. Empty: no three of them
  /// did, or a leak or surge is among those.
  struct Grower {
    std::string tag;
    double amount = 0;
  };
  std::vector<Grower> growers = {};
  std::size_t spread_over = 0;  // so many tags made half of it, where no three did

  /// Of the growth behind the verdict, a surge's, too; 0 when ok.
  [[nodiscard]] double growth_per_second() const {
    return verdict == Verdict::kSurge && surge ? surge->pace_per_second : credible_slope_per_second;
  }
};

/// A subject in short, for tables of them all. `text` is the engine's own until the next observation.
struct Outline {
  Kind kind = Kind::kTag;
  Pool pool = Pool::kPaged;
  std::string_view text;
  Verdict verdict = Verdict::kOk;
  double last_amount = 0;
  std::optional<double> growth_per_second;  // behind the verdict; where that is ok, of the last 7 days
};

/// What is kept of a subject, oldest first; NaN = nothing seen. Of free entries the most that were free, use being what
/// is lowest.
struct Course {
  base::UnixMillis floors_start = 0, recent_start = 0, fives_start = 0;
  std::array<float, kCoarseBuckets> floors{};       // lowest amount of every 4 hours
  std::array<float, kCoarseBuckets> outstanding{};  // lowest number of live allocations of every 4 hours
  std::array<float, kFineBuckets> recent{};         // lowest amount of every hour
  std::array<float, Recent::kFives + 1> fives{};    // of every five minutes of this boot, the last one open
};

/// Whether the history suffices to tell a leak of weeks. Until it does, that none was found says nothing.
struct Readiness {
  static constexpr double kNeededDays = 7;
  static constexpr std::size_t kNeededReadings = 5;  // days with a reading, the open 4 hours left out
  struct Growth {
    Kind kind = Kind::kTag;
    Pool pool = Pool::kPaged;
    std::string text;
    double amount = 0;      // floor of the last day over that of the first; of what grows now, of this moment over the lowest
    double seconds = 0;     // for which it is known; of what grows now, since it began
    bool is_large = false;  // grows now, beyond all before, by much of what was left or of what it held: told before all else
    bool is_new = false;    // of the largest among those that are too new to be judged
    bool of_rest = false;   // other growth has a verdict, which says more
    std::size_t falls = 0;  // that gave it back within this boot: growth of a day, at the pace since the last
    double days_since_fall = 0;
    bool is_beyond = false;           // grows now, far beyond all before, yet little for what was left or for the pool
    bool no_limit = false;            // is known
    bool goes_on = false;             // the last weeks alone are those of a leak, all of the boot's are not
    bool again = false;               // of what goes on: one straight rise, behind a fall or a rest
    bool of_peaks = false;            // the highest of each week grows, its floor does not
    bool by_day = false;              // of the peaks: of each day
    double held_seconds = 0;          // since growth ended that took much and was not given back: a fact beside any verdict
    std::optional<double> room = {};  // left; of peaks: above the newest
    // Until that is used up at that pace, nothing being given back; infinite where no room is known.
    double seconds_left = std::numeric_limits<double>::infinity();
    bool ends_first = false;        // before all that has a verdict: told before that
    std::size_t spread_over = 0;    // of a pool: so many tags make half of it, where no three do
    double charged_per_second = 0;  // of a commit limit that falls: what is told to be charged more meanwhile
    [[nodiscard]] bool is_pace() const { return falls > 0; }
    [[nodiscard]] bool is_held() const { return held_seconds > 0; }
    /// Whether that nothing was seen would say too little beside it.
    [[nodiscard]] bool is_told_first() const { return is_large || is_beyond || goes_on || of_peaks || falls > 0; }
  };
  bool judged = false;           // a boot was long enough, or boots together were
  bool few = false;              // it lacks in readings, not in days
  double days = 0;               // that the readings of the running boot span, the day of its warm-up left out
  std::size_t readings = 0;      // days with a reading, of the running boot
  double days_lacking = 0;       // where it lacks in days
  std::size_t boots = 0;         // that ended, where none of them, nor the running one, lasted: what it lacks is one that does
  double longest_boot_days = 0;  // of those, by readings
  // Of what may leak and has no verdict that tells it: what is large and grows now, at any time; else what grows between
  // falls; else what took much and holds it; else in bytes of all subjects while they cannot be judged, or could for less than two weeks, later of new ones.
  std::optional<Growth> largest;
};

struct Summary {
  std::optional<base::UnixMillis> time;  // of the last observation
  double history_seconds = 0;            // of the last 56 days: that something was seen, gaps left out
  double gap_seconds = 0;                // unseen before the last observation, where that is more than a look's interval
  std::size_t subjects = 0;
  std::size_t boots = 0;
  std::uint64_t refused_total = 0;    // newcomers without room
  std::uint64_t forgotten_total = 0;  // subjects that gave way
  std::uint64_t clock_jumps_total = 0;
};

/// What stands before the growth, for every outlet the same: "Largest growth so far: ", "Grows now: ", "Grows between falls: ".
[[nodiscard]] std::string_view growth_label(const Readiness::Growth& growth);
/// The same within a sentence: "grows now".
[[nodiscard]] std::string growth_phrase(const Readiness::Growth& growth);
/// And after it, why that is no surge yet: ", not long enough to tell a surge from a step"; or what growth between falls may
/// be; or ", 4 hours ago"; and when the room that is left is used up. Empty where nothing grows in the way of either.
/// `words` says an amount of the growth's kind; without it the room is not said, but its end is.
[[nodiscard]] std::string growth_claim(const Readiness::Growth& growth,
                                       const std::function<std::string(double)>& words = nullptr);
/// When what is told ends, by which it stands: of a surge whose end is not known as late as a surge may end, infinite of what
/// leads nowhere and of what is no leak or surge.
[[nodiscard]] double told_end(const SubjectReport& report);
/// Of commit, and of a pool that its own limit ends: how much of the limit is in use, if that is so much that it is short of room
/// whatever grows (kShort); of free entries 1 if fewer are free than are allowed.
inline constexpr double kShort = 0.9;
[[nodiscard]] std::optional<double> short_share(const SubjectReport& report);
/// "commit is at 98 % of its limit, 205 MiB left", "only 9000 free system PTEs are left"; empty where it is not short.
[[nodiscard]] std::string shortage_words(const SubjectReport& report, const std::function<std::string(double)>& words);
/// Whether a pool grows because of tags that are told by themselves: three of them make half of its pace.
[[nodiscard]] bool follows_tags(const SubjectReport& pool, const std::vector<const SubjectReport*>& told);
/// "most of it Leak, +208 MiB", or of up to three: "most of it A, +2.0 MiB, B, +1.1 MiB", or "in many tags, half of it in 84";
/// empty where there is none.
/// `words` says an amount of bytes.
[[nodiscard]] std::string grower_words(const SubjectReport& report, const std::function<std::string(double)>& words);
/// What is missing, for every outlet the same: "telling a leak takes 5 more days of readings". Empty when judged.
[[nodiscard]] std::string readiness_words(const Readiness& readiness);

}  // namespace kmem::trend
