#include "collectors/history/zone_names.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
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

constexpr auto kNever = SummerTime::kNone;
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
    {"Russian Standard Time", {180, kNever, 2015}},
    {"South Africa Standard Time", {120}},
    {"Turkey Standard Time", {180, kNever, 2017}},
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
    {"E. South America Standard Time", {-180, kNever, 2020}},
    {"Argentina Standard Time", {-180, kNever, 2010}},
    {"Tokyo Standard Time", {540}},
    {"Korea Standard Time", {540}},
    {"China Standard Time", {480}},
    {"Taipei Standard Time", {480}},
    {"Singapore Standard Time", {480}},
    {"India Standard Time", {330}},
    {"W. Australia Standard Time", {480, kNever, 2010}},
    {"AUS Eastern Standard Time", {600, kAustralia}},
    {"AUS Eastern Daylight Time", {660}},
    {"E. Australia Standard Time", {600}},
    {"New Zealand Standard Time", {720, SummerTime::kNewZealand}},
    {"New Zealand Daylight Time", {780}},

    // Windows' zones without summer time, since the year that is said, as CLDR's windowsZones and the tz database have them.
    {"Cen. Australia Standard Time", {570, kAustralia}},
    {"Tasmania Standard Time", {600, kAustralia}},
    {"Azores Standard Time", {-60, kEurope}},
    {"Saint Pierre Standard Time", {-180, kAmerica}},
    {"Aleutian Standard Time", {-600, kAmerica}},
    {"Haiti Standard Time", {-300, kAmerica, 2017}},
    {"Dateline Standard Time", {-720}},
    {"Marquesas Standard Time", {-570}},
    {"Central America Standard Time", {-360, kNever, 2007}},
    {"Canada Central Standard Time", {-360}},
    {"SA Pacific Standard Time", {-300}},
    {"SA Western Standard Time", {-240}},
    {"Venezuela Standard Time", {-240, kNever, 2017}},
    {"SA Eastern Standard Time", {-180}},
    {"Bahia Standard Time", {-180, kNever, 2013}},
    {"Cape Verde Standard Time", {-60}},
    {"Sao Tome Standard Time", {0, kNever, 2020}},
    {"W. Central Africa Standard Time", {60}},
    {"Namibia Standard Time", {120, kNever, 2018}},
    {"E. Africa Standard Time", {180}},
    {"Arabic Standard Time", {180, kNever, 2009}},
    {"Arab Standard Time", {180}},
    {"Jordan Standard Time", {180, kNever, 2023}},
    {"Syria Standard Time", {180, kNever, 2023}},
    {"Libya Standard Time", {120, kNever, 2014}},
    {"Kaliningrad Standard Time", {120, kNever, 2015}},
    {"Belarus Standard Time", {180, kNever, 2012}},
    {"Volgograd Standard Time", {180, kNever, 2021}},
    {"Arabian Standard Time", {240}},
    {"Astrakhan Standard Time", {240, kNever, 2017}},
    {"Azerbaijan Standard Time", {240, kNever, 2017}},
    {"Russia Time Zone 3", {240, kNever, 2015}},
    {"Mauritius Standard Time", {240, kNever, 2010}},
    {"Saratov Standard Time", {240, kNever, 2017}},
    {"Georgian Standard Time", {240, kNever, 2006}},
    {"Caucasus Standard Time", {240, kNever, 2012}},
    {"Iran Standard Time", {210, kNever, 2023}},
    {"Afghanistan Standard Time", {270}},
    {"West Asia Standard Time", {300}},
    {"Ekaterinburg Standard Time", {300, kNever, 2015}},
    {"Pakistan Standard Time", {300, kNever, 2010}},
    {"Qyzylorda Standard Time", {300, kNever, 2019}},
    {"Sri Lanka Standard Time", {330, kNever, 2007}},
    {"Nepal Standard Time", {345}},
    {"Bangladesh Standard Time", {360, kNever, 2010}},
    {"Omsk Standard Time", {360, kNever, 2015}},
    {"Myanmar Standard Time", {390}},
    {"SE Asia Standard Time", {420}},
    {"Altai Standard Time", {420, kNever, 2017}},
    {"W. Mongolia Standard Time", {420, kNever, 2017}},
    {"North Asia Standard Time", {420, kNever, 2015}},
    {"N. Central Asia Standard Time", {420, kNever, 2017}},
    {"Tomsk Standard Time", {420, kNever, 2017}},
    {"North Asia East Standard Time", {480, kNever, 2015}},
    {"Ulaanbaatar Standard Time", {480, kNever, 2017}},
    {"Transbaikal Standard Time", {540, kNever, 2017}},
    {"North Korea Standard Time", {540, kNever, 2019}},
    {"Yakutsk Standard Time", {540, kNever, 2015}},
    {"AUS Central Standard Time", {570}},
    {"West Pacific Standard Time", {600}},
    {"Vladivostok Standard Time", {600, kNever, 2015}},
    {"Bougainville Standard Time", {660, kNever, 2015}},
    {"Russia Time Zone 10", {660, kNever, 2015}},
    {"Magadan Standard Time", {660, kNever, 2017}},
    {"Sakhalin Standard Time", {660, kNever, 2017}},
    {"Central Pacific Standard Time", {660}},
    {"Russia Time Zone 11", {720, kNever, 2012}},
    {"Fiji Standard Time", {720, kNever, 2022}},
    {"Tonga Standard Time", {780, kNever, 2018}},
    {"Samoa Standard Time", {780, kNever, 2022}},
    {"Line Islands Standard Time", {840}},
    {"Magallanes Standard Time", {-180, kNever, 2018}},
    {"Central Brazilian Standard Time", {-240, kNever, 2020}},
    {"Tocantins Standard Time", {-180, kNever, 2014}},
    {"Montevideo Standard Time", {-180, kNever, 2016}},
    {"Yukon Standard Time", {-420, kNever, 2021}},
    {"Sudan Standard Time", {120, kNever, 2018}},
    {"Central Standard Time (Mexico)", {-360, kNever, 2023}},
    {"Central Standard Time (Mexico", {-360, kNever, 2023}},
    {"Mountain Standard Time (Mexico)", {-420, kNever, 2023}},
    {"Mountain Standard Time (Mexico", {-420, kNever, 2023}},
    {"Eastern Standard Time (Mexico)", {-300, kNever, 2016}},
    {"Eastern Standard Time (Mexico", {-300, kNever, 2016}},
    {"Pacific Standard Time (Mexico)", {-480, kAmerica, 2011}},
    {"Pacific Standard Time (Mexico", {-480, kAmerica, 2011}},
    {"US Eastern Standard Time", {-300, kAmerica, 2007}},
    {"UTC-11", {-660}},
    {"UTC-09", {-540}},
    {"UTC-08", {-480}},
    {"UTC-02", {-120}},
    {"UTC+12", {720}},
    {"UTC+13", {780}},

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
    {"Europe/Moscow", {180, kNever, 2015}},
    {"Europe/Istanbul", {180, kNever, 2017}},
    {"America/New_York", {-300, kAmerica}},
    {"America/Chicago", {-360, kAmerica}},
    {"America/Denver", {-420, kAmerica}},
    {"America/Phoenix", {-420}},
    {"America/Los_Angeles", {-480, kAmerica}},
    {"America/Toronto", {-300, kAmerica}},
    {"America/Sao_Paulo", {-180, kNever, 2020}},
    {"Asia/Tokyo", {540}},
    {"Asia/Seoul", {540}},
    {"Asia/Shanghai", {480}},
    {"Asia/Hong_Kong", {480}},
    {"Asia/Singapore", {480}},
    {"Asia/Kolkata", {330}},
    {"Asia/Dubai", {240}},
    {"Australia/Sydney", {600, kAustralia}},
    {"Australia/Brisbane", {600}},
    {"Australia/Perth", {480, kNever, 2010}},
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
    {"hora oficial do brasil", {-180, kNever, 2020}},
    {"hora padrao de brasilia", {-180, kNever, 2020}},
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
  constexpr std::string_view kDaylight = "Daylight Time";
  if (!zone && name.ends_with(kDaylight)) {
    const auto year = zone_named(std::string(name.substr(0, name.size() - kDaylight.size())) + "Standard Time");
    return year && year->summer != SummerTime::kNone ? year : std::nullopt;
  }
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

const char* fault_at(Zone zone, base::UnixMillis local) {
  const auto day =
      std::chrono::floor<std::chrono::days>(std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(local)));
  int since = zone.since;
  if (zone.summer == SummerTime::kEurope) since = std::max(since, 1997);
  if (zone.summer == SummerTime::kNorthAmerica) since = std::max(since, 1988);
  if (zone.summer == SummerTime::kAustralia || zone.summer == SummerTime::kNewZealand) since = std::max(since, 2008);
  if (std::chrono::year_month_day(day).year() < std::chrono::year(since))
    return "what its zone's clock was in that year is not known; write the offset from UTC";
  return minutes_east(zone, local) > minutes_east(zone, local - base::kHourMillis)
             ? "this hour does not exist in its zone, whose clock was moved for summer time"
             : nullptr;
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
    if (is_second || is_second_by_step(utc)) utc = second;
  } else if (comes_twice(local)) {
    is_doubtful_ = true;
  }
  if (last_ && utc != *last_) {
    falls_ = utc < *last_;
    step_ = std::abs(utc - *last_);
  }
  last_ = utc;
  last_local_ = local;
  return utc;
}

/// Steps that go over the hour in one: that is right which goes on with them.
bool ZoneClock::is_second_by_step(base::UnixMillis first) {
  constexpr base::UnixMillis kSlack = 90'000;
  const auto goes_on = [&](base::UnixMillis utc) { return step_ != 0 && std::abs(std::abs(utc - *last_) - step_) <= kSlack; };
  const base::UnixMillis away = std::abs(first - *last_);
  if (goes_on(first)) return false;
  if (goes_on(first + base::kHourMillis)) return true;
  is_doubtful_ |= away > (step_ != 0 ? step_ : base::kHourMillis) + kSlack;
  return false;
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
      if (year < std::chrono::year(2007))
        summer = local >= nth_sunday(year, 4, 1) + 2 * kHour && local < last_sunday(year, 10) + 2 * kHour;
      else summer = local >= nth_sunday(year, 3, 2) + 2 * kHour && local < nth_sunday(year, 11, 1) + 2 * kHour;
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
