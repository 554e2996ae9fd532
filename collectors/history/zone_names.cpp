#include "collectors/history/zone_names.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "collectors/base/clock.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_words.h"

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
    {"UTC", {}},
    {"GMT", {}},
    {"Z", {}},
    {"UT", {}},
    {"WET", {}},
    {"WEST", {60}},
    {"BST", {60}},
    {"CET", {60}},
    {"CEST", {120}},
    {"MEZ", {60}},
    {"MESZ", {120}},
    {"MET", {60}},
    {"MEST", {120}},
    {"EET", {120}},
    {"EEST", {180}},
    {"MSK", {180}},
    {"SAST", {120}},
    {"CAT", {120}},
    {"EAT", {180}},
    {"WAT", {60}},
    {"EST", {-300}},
    {"EDT", {-240}},
    {"CDT", {-300}},
    {"MST", {-420}},
    {"MDT", {-360}},
    {"PST", {-480}},
    {"PDT", {-420}},
    {"AKST", {-540}},
    {"AKDT", {-480}},
    {"HST", {-600}},
    {"BRT", {-180}},
    {"ART", {-180}},
    {"JST", {540}},
    {"KST", {540}},
    {"HKT", {480}},
    {"SGT", {480}},
    {"WIB", {420}},
    {"PKT", {300}},
    {"AWST", {480}},
    {"ACST", {570}},
    {"ACDT", {630}},
    {"AEST", {600}},
    {"AEDT", {660}},
    {"NZST", {720}},
    {"NZDT", {780}},

    {"GMT Standard Time", {0, kEurope}},
    {"GMT Daylight Time", {60}},
    {"Greenwich Standard Time", {}},
    {"Coordinated Universal Time", {}},
    {"W. Europe Standard Time", {60, kEurope}},
    {"W. Europe Daylight Time", {120}},
    {"Central Europe Standard Time", {60, kEurope}},
    {"Central Europe Daylight Time", {120}},
    {"Central European Standard Time", {60, kEurope}},
    {"Central European Daylight Time", {120}},
    {"Romance Standard Time", {60, kEurope}},
    {"Romance Daylight Time", {120}},
    {"FLE Standard Time", {120, kEurope}},
    {"FLE Daylight Time", {180}},
    {"GTB Standard Time", {120, kEurope}},
    {"GTB Daylight Time", {180}},
    {"Russian Standard Time", {180}},
    {"South Africa Standard Time", {120}},
    {"Turkey Standard Time", {180}},
    {"Eastern Standard Time", {-300, kAmerica}},
    {"Eastern Daylight Time", {-240}},
    {"Central Standard Time", {-360, kAmerica}},
    {"Central Daylight Time", {-300}},
    {"Mountain Standard Time", {-420, kAmerica}},
    {"Mountain Daylight Time", {-360}},
    {"US Mountain Standard Time", {-420}},
    {"Pacific Standard Time", {-480, kAmerica}},
    {"Pacific Daylight Time", {-420}},
    {"Atlantic Standard Time", {-240, kAmerica}},
    {"Atlantic Daylight Time", {-180}},
    {"Alaskan Standard Time", {-540, kAmerica}},
    {"Alaskan Daylight Time", {-480}},
    {"Hawaiian Standard Time", {-600}},
    {"E. South America Standard Time", {-180}},
    {"Argentina Standard Time", {-180}},
    {"Tokyo Standard Time", {540}},
    {"Korea Standard Time", {540}},
    {"China Standard Time", {480}},
    {"Taipei Standard Time", {480}},
    {"Singapore Standard Time", {480}},
    {"India Standard Time", {330}},
    {"W. Australia Standard Time", {480}},
    {"AUS Eastern Standard Time", {600, kAustralia}},
    {"AUS Eastern Daylight Time", {660}},
    {"E. Australia Standard Time", {600}},
    {"New Zealand Standard Time", {720, SummerTime::kNewZealand}},
    {"New Zealand Daylight Time", {780}},

    {"Etc/UTC", {}},
    {"Europe/London", {0, kEurope}},
    {"Europe/Lisbon", {0, kEurope}},
    {"Europe/Berlin", {60, kEurope}},
    {"Europe/Vienna", {60, kEurope}},
    {"Europe/Zurich", {60, kEurope}},
    {"Europe/Paris", {60, kEurope}},
    {"Europe/Madrid", {60, kEurope}},
    {"Europe/Rome", {60, kEurope}},
    {"Europe/Amsterdam", {60, kEurope}},
    {"Europe/Brussels", {60, kEurope}},
    {"Europe/Stockholm", {60, kEurope}},
    {"Europe/Oslo", {60, kEurope}},
    {"Europe/Copenhagen", {60, kEurope}},
    {"Europe/Warsaw", {60, kEurope}},
    {"Europe/Prague", {60, kEurope}},
    {"Europe/Budapest", {60, kEurope}},
    {"Europe/Athens", {120, kEurope}},
    {"Europe/Helsinki", {120, kEurope}},
    {"Europe/Kiev", {120, kEurope}},
    {"Europe/Kyiv", {120, kEurope}},
    {"Europe/Bucharest", {120, kEurope}},
    {"Europe/Moscow", {180}},
    {"Europe/Istanbul", {180}},
    {"America/New_York", {-300, kAmerica}},
    {"America/Chicago", {-360, kAmerica}},
    {"America/Denver", {-420, kAmerica}},
    {"America/Phoenix", {-420}},
    {"America/Los_Angeles", {-480, kAmerica}},
    {"America/Toronto", {-300, kAmerica}},
    {"America/Sao_Paulo", {-180}},
    {"Asia/Tokyo", {540}},
    {"Asia/Seoul", {540}},
    {"Asia/Shanghai", {480}},
    {"Asia/Hong_Kong", {480}},
    {"Asia/Singapore", {480}},
    {"Asia/Kolkata", {330}},
    {"Asia/Dubai", {240}},
    {"Australia/Sydney", {600, kAustralia}},
    {"Australia/Brisbane", {600}},
    {"Australia/Perth", {480}},
    {"Pacific/Auckland", {720, SummerTime::kNewZealand}},
});

// As Windows of other languages calls its zones, without accents and what stands between words.
constexpr auto kLocalZones = std::to_array<Named>({
    {"mitteleuropaische zeit", {60, kEurope}},
    {"mitteleuropaische sommerzeit", {120}},
    {"paris madrid", {60, kEurope}},
    {"paris madrid heure d'ete", {120}},
    {"hora estandar romance", {60, kEurope}},
    {"hora de verano romance", {120}},
    {"ora solare europa occidentale", {60, kEurope}},
    {"ora legale europa occidentale", {120}},
    {"vasteuropa normaltid", {60, kEurope}},
    {"vasteuropa sommartid", {120}},
    {"west-europa standaardtijd", {60, kEurope}},
    {"west-europa zomertijd", {120}},
    {"hora oficial do brasil", {-180}},
    {"hora padrao de brasilia", {-180}},
    {"東京 標準時", {540}},
    {"中国标准时间", {480}},
    {"대한민국 표준시", {540}},
});

/// One blank for what stands between words.
std::string plain_words(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    const bool is_gap = c == ' ' || c == '\t' || c == ',' || c == '(' || c == ')';
    if (!is_gap) plain.push_back(c);
    else if (!plain.empty() && plain.back() != ' ') plain.push_back(' ');
  }
  while (!plain.empty() && plain.back() == ' ') plain.pop_back();
  return plain;
}

/// A letter of an unknown code page is any; U+2019 is an apostrophe, too.
bool alike_zone(std::string_view folded, std::string_view name) {
  const auto hidden = static_cast<std::size_t>(std::count(folded.begin(), folded.end(), kHiddenLetter));
  return folded.size() == name.size() && hidden <= 2 &&
         std::equal(folded.begin(), folded.end(), name.begin(), [](char a, char b) { return a == b || a == kHiddenLetter; });
}

using Days = std::chrono::sys_days;
constexpr base::UnixMillis kHour = base::kHourMillis;

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
  const auto found = std::find_if(kZones.begin(), kZones.end(), [&](const Named& one) { return same_word(one.name, name); });
  if (found != kZones.end()) return found->zone;
  const std::string plain = plain_words(name);
  const std::string folded = folded_word(plain);
  const auto local = std::find_if(kLocalZones.begin(), kLocalZones.end(),
                                  [&](const Named& one) { return one.name == plain || alike_zone(folded, one.name); });
  return local != kLocalZones.end() ? std::optional(local->zone) : std::nullopt;
}

std::optional<Zone> whole_year_zone(std::string_view name) {
  const auto zone = zone_named(name);
  if (!zone || zone->summer != SummerTime::kNone) return zone;
  // In both tables the name of a summer stands right behind that of its year.
  const std::string plain = plain_words(name), folded = folded_word(plain);
  const auto year_before = [&](const auto& zones, auto is_it) -> std::optional<Zone> {
    const auto found = std::find_if(zones.begin(), zones.end(), is_it);
    if (found == zones.begin() || found == zones.end()) return std::nullopt;
    const Zone year = std::prev(found)->zone;
    return year.summer != SummerTime::kNone && year.minutes + 60 == found->zone.minutes ? std::optional(year) : std::nullopt;
  };
  auto year = year_before(kZones, [&](const Named& one) { return same_word(one.name, name); });
  if (!year)
    year = year_before(kLocalZones, [&](const Named& one) { return one.name == plain || alike_zone(folded, one.name); });
  return year ? year : zone;
}

bool names_a_zone(std::string_view word) {
  // As folded_word() has them; "?" for each letter that it hides is no word.
  constexpr auto kWords = std::to_array<std::string_view>(
      {"time",      "zeit",      "normalzeit",   "sommerzeit", "winterzeit", "standardzeit",  "hora",      "heure",
       "heures",    "d'heure",   "ora",          "solare",     "legale",     "estandar",      "verano",    "invierno",
       "padrao",    "verao",     "oficial",      "hiver",      "d'hiver",    "ete",           "d'ete",     "tid",
       "normaltid", "sommartid", "sommertid",    "vintertid",  "tijd",       "standaardtijd", "zomertijd", "wintertijd",
       "czas",      "cas",       "normaaliaika", "kesaaika",   "talviaika",  "aika",          "ido",       "teli",
       "nyari",     "saati",     "saat",         "standart",   "standard",   "daylight"});
  constexpr auto kEast = std::to_array<std::string_view>({"標準時", "夏時間", "时间", "時間", "표준시", "время"});
  const std::string folded = folded_word(plain_words(word));
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view one) { return alike_zone(folded, one); }) ||
         std::any_of(kEast.begin(), kEast.end(),
                     [&](std::string_view one) { return word.find(one) != std::string_view::npos; });
}

std::size_t unknown_zone_length(const std::vector<std::string_view>& words, std::size_t from) {
  std::size_t length = 0;
  bool is_zone = false;
  for (std::size_t end = from; end < words.size(); ++end) {
    const std::string_view word = words[end];
    const char first = word.front();
    const bool begins =
        (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || static_cast<unsigned char>(first) > 127;
    // "Etc/GMT+1"
    const bool is_name =
        begins && (word.find_first_of("0123456789") == std::string_view::npos || word.find('/') != std::string_view::npos);
    const bool universal = same_word(word, "UTC") || same_word(word, "GMT");
    if (!is_name || month_of(word) != 0 || weekday_of(word, true) || half_of_day(word) || is_remark(word) ||
        (universal && !is_zone))
      break;
    is_zone |= names_a_zone(word);
    // "Hora de verano", but "18:00 on".
    if (!is_filler(word) || is_zone) length = end + 1 - from;
  }
  return length;
}

bool is_left_out(Zone zone, base::UnixMillis local) {
  return minutes_east(zone, local) > minutes_east(zone, local - base::kHourMillis);
}

base::UnixMillis ZoneClock::utc(Zone zone, base::UnixMillis local) {
  base::UnixMillis utc = local - std::int64_t{minutes_east(zone, local)} * 60'000;
  const auto comes_twice = [&](base::UnixMillis time) {
    return minutes_east(zone, time + base::kHourMillis) < minutes_east(zone, time);
  };
  if (last_ && comes_twice(local)) {
    falls_ |= local < *last_local_ && !comes_twice(*last_local_);
    const base::UnixMillis second = utc + base::kHourMillis;
    const bool is_second = falls_ ? second < *last_ : utc <= *last_ && *last_ - utc < base::kHourMillis;
    if (is_second) utc = second;
  }
  if (last_ && utc != *last_) falls_ = utc < *last_;
  last_ = utc;
  last_local_ = local;
  return utc;
}

int minutes_east(Zone zone, base::UnixMillis local) {
  if (zone.summer == SummerTime::kNone) return zone.minutes;
  const auto day =
      std::chrono::floor<std::chrono::days>(std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(local)));
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
