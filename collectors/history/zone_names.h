// A time zone's name as `date`, Windows of any language or the tz database writes it -> minutes east of UTC at a moment. Thread: pure.
// Failure: nullopt for a name that is not known, or that means several zones ("CST", "IST").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"

namespace kmem::history {

enum class SummerTime : std::uint8_t { kNone, kEurope, kNorthAmerica, kAustralia, kNewZealand };

struct Zone {
  int minutes = 0;  // east of UTC, in winter
  SummerTime summer = SummerTime::kNone;
  int since = 0;  // the first whole year in which it was so

  bool operator==(const Zone&) const = default;
};

[[nodiscard]] std::optional<Zone> zone_named(std::string_view name);
/// The whole year's of a name that Windows has for its summer alone ("W. Europe Daylight Time"), too; nullopt: it is not known.
[[nodiscard]] std::optional<Zone> whole_year_zone(std::string_view name);
/// Whether the word is one of those that names of zones are made of: "Sommerzeit".
[[nodiscard]] bool names_a_zone(std::string_view word);
/// How many words from there on, behind a time, are no part of a date, nor a remark: the name of some zone.
[[nodiscard]] std::size_t unknown_zone_length(const std::vector<std::string_view>& words, std::size_t from);
/// At a local time; of an hour that comes twice as in the first.
[[nodiscard]] int minutes_east(Zone zone, base::UnixMillis local);
/// Why a local time is of no use there: an hour that its clock leaves out when summer time begins, or a year before those of
/// which its rule is known. nullptr: none.
[[nodiscard]] const char* fault_at(Zone zone, base::UnixMillis local);

/// Local times of one clock, one behind another, in UTC. In the hour that comes twice when summer time ends, the order of the
/// times or their steps tell which is which; they may fall all along.
class ZoneClock {
 public:
  base::UnixMillis utc(Zone zone, base::UnixMillis local);
  /// Whether some time of such an hour was taken as of the first one, and nothing showed it.
  [[nodiscard]] bool is_doubtful() const { return is_doubtful_; }

 private:
  bool is_second_by_step(base::UnixMillis first);

  std::optional<base::UnixMillis> last_, last_local_;
  base::UnixMillis step_ = 0;  // the last one; 0: none yet
  bool falls_ = false, is_doubtful_ = false;
};

inline constexpr const char* kDoubledHourNote =
    "a time in the hour that comes twice when summer time ends is taken as of the first one: nothing tells which it is";

}  // namespace kmem::history
