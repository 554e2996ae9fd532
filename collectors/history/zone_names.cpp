#include "collectors/history/zone_names.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "collectors/history/csv_fields.h"

namespace kmem::history {
namespace {

struct Named {
  std::string_view name;
  Zone zone;
};

constexpr auto kEurope = SummerTime::kEurope;
constexpr auto kAmerica = SummerTime::kNorthAmerica;
constexpr auto kAustralia = SummerTime::kAustralia;

// What `date` prints is exact to the season; Windows' and the tz database's names hold for the whole year, and tools
// print "... Standard Time" in summer as well.
constexpr auto kZones = std::to_array<Named>({
    {"UTC", {}}, {"GMT", {}}, {"Z", {}}, {"UT", {}}, {"WET", {}}, {"WEST", {60}}, {"BST", {60}},
    {"CET", {60}}, {"CEST", {120}}, {"MEZ", {60}}, {"MESZ", {120}}, {"MET", {60}}, {"MEST", {120}},
    {"EET", {120}}, {"EEST", {180}}, {"MSK", {180}}, {"SAST", {120}}, {"CAT", {120}}, {"EAT", {180}}, {"WAT", {60}},
    {"EST", {-300}}, {"EDT", {-240}}, {"CDT", {-300}}, {"MST", {-420}}, {"MDT", {-360}}, {"PST", {-480}},
    {"PDT", {-420}}, {"AKST", {-540}}, {"AKDT", {-480}}, {"HST", {-600}}, {"BRT", {-180}}, {"ART", {-180}},
    {"JST", {540}}, {"KST", {540}}, {"HKT", {480}}, {"SGT", {480}}, {"WIB", {420}}, {"PKT", {300}},
    {"AWST", {480}}, {"ACST", {570}}, {"ACDT", {630}}, {"AEST", {600}}, {"AEDT", {660}}, {"NZST", {720}},
    {"NZDT", {780}},

    {"GMT Standard Time", {0, kEurope}}, {"GMT Daylight Time", {60}}, {"Greenwich Standard Time", {}},
    {"Coordinated Universal Time", {}},
    {"W. Europe Standard Time", {60, kEurope}}, {"W. Europe Daylight Time", {120}},
    {"Central Europe Standard Time", {60, kEurope}}, {"Central Europe Daylight Time", {120}},
    {"Central European Standard Time", {60, kEurope}}, {"Central European Daylight Time", {120}},
    {"Romance Standard Time", {60, kEurope}}, {"Romance Daylight Time", {120}},
    {"FLE Standard Time", {120, kEurope}}, {"FLE Daylight Time", {180}},
    {"GTB Standard Time", {120, kEurope}}, {"GTB Daylight Time", {180}},
    {"Russian Standard Time", {180}}, {"South Africa Standard Time", {120}}, {"Turkey Standard Time", {180}},
    {"Eastern Standard Time", {-300, kAmerica}}, {"Eastern Daylight Time", {-240}},
    {"Central Standard Time", {-360, kAmerica}}, {"Central Daylight Time", {-300}},
    {"Mountain Standard Time", {-420, kAmerica}}, {"Mountain Daylight Time", {-360}},
    {"US Mountain Standard Time", {-420}},
    {"Pacific Standard Time", {-480, kAmerica}}, {"Pacific Daylight Time", {-420}},
    {"Atlantic Standard Time", {-240, kAmerica}}, {"Atlantic Daylight Time", {-180}},
    {"Alaskan Standard Time", {-540, kAmerica}}, {"Alaskan Daylight Time", {-480}},
    {"Hawaiian Standard Time", {-600}}, {"E. South America Standard Time", {-180}},
    {"Argentina Standard Time", {-180}}, {"Tokyo Standard Time", {540}}, {"Korea Standard Time", {540}},
    {"China Standard Time", {480}}, {"Taipei Standard Time", {480}}, {"Singapore Standard Time", {480}},
    {"India Standard Time", {330}}, {"W. Australia Standard Time", {480}},
    {"AUS Eastern Standard Time", {600, kAustralia}}, {"AUS Eastern Daylight Time", {660}},
    {"E. Australia Standard Time", {600}},
    {"New Zealand Standard Time", {720, SummerTime::kNewZealand}}, {"New Zealand Daylight Time", {780}},

    {"Etc/UTC", {}}, {"Europe/London", {0, kEurope}}, {"Europe/Lisbon", {0, kEurope}},
    {"Europe/Berlin", {60, kEurope}}, {"Europe/Vienna", {60, kEurope}}, {"Europe/Zurich", {60, kEurope}},
    {"Europe/Paris", {60, kEurope}}, {"Europe/Madrid", {60, kEurope}}, {"Europe/Rome", {60, kEurope}},
    {"Europe/Amsterdam", {60, kEurope}}, {"Europe/Brussels", {60, kEurope}}, {"Europe/Stockholm", {60, kEurope}},
    {"Europe/Oslo", {60, kEurope}}, {"Europe/Copenhagen", {60, kEurope}}, {"Europe/Warsaw", {60, kEurope}},
    {"Europe/Prague", {60, kEurope}}, {"Europe/Budapest", {60, kEurope}}, {"Europe/Athens", {120, kEurope}},
    {"Europe/Helsinki", {120, kEurope}}, {"Europe/Kiev", {120, kEurope}}, {"Europe/Kyiv", {120, kEurope}},
    {"Europe/Bucharest", {120, kEurope}}, {"Europe/Moscow", {180}}, {"Europe/Istanbul", {180}},
    {"America/New_York", {-300, kAmerica}}, {"America/Chicago", {-360, kAmerica}},
    {"America/Denver", {-420, kAmerica}}, {"America/Phoenix", {-420}}, {"America/Los_Angeles", {-480, kAmerica}},
    {"America/Toronto", {-300, kAmerica}}, {"America/Sao_Paulo", {-180}}, {"Asia/Tokyo", {540}},
    {"Asia/Seoul", {540}}, {"Asia/Shanghai", {480}}, {"Asia/Hong_Kong", {480}}, {"Asia/Singapore", {480}},
    {"Asia/Kolkata", {330}}, {"Asia/Dubai", {240}}, {"Australia/Sydney", {600, kAustralia}},
    {"Australia/Brisbane", {600}}, {"Australia/Perth", {480}}, {"Pacific/Auckland", {720, SummerTime::kNewZealand}},
});

using Days = std::chrono::sys_days;
constexpr std::int64_t kHour = 3'600'000;

base::UnixMillis millis(Days day) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(day.time_since_epoch()).count();
}
base::UnixMillis nth_sunday(std::chrono::year year, unsigned month, unsigned n) {
  return millis(Days(year / std::chrono::month(month) / std::chrono::Sunday[n]));
}
base::UnixMillis last_sunday(std::chrono::year year, unsigned month) {
  return millis(Days(year / std::chrono::month(month) / std::chrono::Sunday[std::chrono::last]));
}

}  // namespace

std::optional<Zone> zone_named(std::string_view name) {
  const auto found =
      std::find_if(kZones.begin(), kZones.end(), [&](const Named& one) { return same_word(one.name, name); });
  return found != kZones.end() ? std::optional(found->zone) : std::nullopt;
}

int minutes_east(Zone zone, base::UnixMillis local) {
  if (zone.summer == SummerTime::kNone) return zone.minutes;
  const auto day = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(local)));
  const std::chrono::year year = std::chrono::year_month_day(day).year();
  const std::int64_t offset = std::int64_t{zone.minutes} * 60'000;
  bool summer = false;
  switch (zone.summer) {
    case SummerTime::kEurope:  // at 1:00 UTC
      summer = local >= last_sunday(year, 3) + kHour + offset && local < last_sunday(year, 10) + 2 * kHour + offset;
      break;
    case SummerTime::kNorthAmerica:
      summer = local >= nth_sunday(year, 3, 2) + 2 * kHour && local < nth_sunday(year, 11, 1) + 2 * kHour;
      break;
    case SummerTime::kAustralia:
      summer = local >= nth_sunday(year, 10, 1) + 2 * kHour || local < nth_sunday(year, 4, 1) + 3 * kHour;
      break;
    case SummerTime::kNewZealand:
      summer = local >= last_sunday(year, 9) + 2 * kHour || local < nth_sunday(year, 4, 1) + 3 * kHour;
      break;
    case SummerTime::kNone: break;
  }
  return zone.minutes + (summer ? 60 : 0);
}

}  // namespace kmem::history
