#include "collectors/history/script_columns.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>

#include "collectors/base/digit.h"
#include "collectors/history/date_words.h"
#include "collectors/history/script_csv.h"
#include "collectors/history/time_text.h"

namespace kmem::history {
namespace {

struct Spelling {
  std::string_view name;  // letters and digits alone, in lower case
  Column column;
};
constexpr Spelling kSpellings[] = {
    {"datetime", kTime},
    {"timestamp", kTime},
    {"timegenerated", kTime},
    {"collected", kTime},
    {"collectedat", kTime},
    {"datecollected", kTime},
    {"sampletime", kTime},
    {"when", kTime},
    {"unixtime", kTime},
    {"unixtimestamp", kTime},
    {"unixseconds", kTime},
    {"epoch", kTime},
    {"epochtime", kTime},
    {"epochseconds", kTime},
    {"timezone", kZone},
    {"timezoneid", kZone},
    {"timezonename", kZone},
    {"timezoneoffset", kZone},
    {"tz", kZone},
    {"tzoffset", kZone},
    {"utcoffset", kZone},
    {"gmtoffset", kZone},
    {"date", kDate},
    {"time", kClock},
    {"datum", kDate},
    {"zeit", kClock},
    {"uhrzeit", kClock},
    {"computername", kHost},
    {"computer", kHost},
    {"pscomputername", kHost},
    {"host", kHost},
    {"hostname", kHost},
    {"server", kHost},
    {"servername", kHost},
    {"machine", kHost},
    {"machinename", kHost},
    {"instance", kHost},
    {"vmname", kHost},
    {"vm", kHost},
    {"node", kHost},
    {"csname", kHost},
    {"system", kHost},
    {"systemname", kHost},
    {"device", kHost},
    {"devicename", kHost},
    {"fqdn", kHost},
    {"dnshostname", kHost},
    {"rechner", kHost},
    {"rechnername", kHost},
    {"computernaam", kHost},
    {"ordinateur", kHost},
    {"nomordinateur", kHost},
    {"equipo", kHost},
    {"nombreequipo", kHost},
    {"nombredeequipo", kHost},
    {"computador", kHost},
    {"nomedocomputador", kHost},
    {"maschine", kHost},
    {"serveur", kHost},
    {"servidor", kHost},
    {"serwer", kHost},
    {"komputer", kHost},
    {"nodename", kHost},
    {"tag", kTag},
    {"tagname", kTag},
    {"pooltag", kTag},
    {"type", kType},
    {"pooltype", kType},
    {"bytes", kBytes},
    {"used", kBytes},
    {"usedbytes", kBytes},
    {"bytesused", kBytes},
    {"allocs", kAllocs},
    {"allocations", kAllocs},
    {"frees", kFrees},
    {"diff", kDiff},
    {"outstanding", kDiff},
    {"pageddiff", kPagedDiff},
    {"pagedoutstanding", kPagedDiff},
    {"nonpageddiff", kNonpagedDiff},
    {"nonpagedoutstanding", kNonpagedDiff},
    {"pagedusedbytes", kPagedBytes},
    {"pagedbytes", kPagedBytes},
    {"pagedused", kPagedBytes},
    {"paged", kPagedBytes},
    {"pagedpoolbytes", kPagedBytes},
    {"pagedbytesused", kPagedBytes},
    {"pagedallocs", kPagedAllocs},
    {"pagedallocations", kPagedAllocs},
    {"pagedfrees", kPagedFrees},
    {"nonpagedusedbytes", kNonpagedBytes},
    {"nonpagedbytes", kNonpagedBytes},
    {"nonpagedused", kNonpagedBytes},
    {"npbytes", kNonpagedBytes},
    {"npusedbytes", kNonpagedBytes},
    {"nppoolbytes", kNonpagedBytes},
    {"nonpaged", kNonpagedBytes},
    {"nonpagedpoolbytes", kNonpagedBytes},
    {"nonpagedbytesused", kNonpagedBytes},
    {"pagedpool", kPagedBytes},
    {"nonpagedpool", kNonpagedBytes},
    {"size", kBytes},
    {"usage", kBytes},
    {"poolusage", kBytes},
    {"pagedusage", kPagedBytes},
    {"nonpagedusage", kNonpagedBytes},
    {"nonpagedallocs", kNonpagedAllocs},
    {"nonpagedallocations", kNonpagedAllocs},
    {"nonpagedfrees", kNonpagedFrees},
    {"path", kPath},
    {"cookedvalue", kValue},
    {"status", kStatus},
    {"readings", kReadings},
    {"name", kProcessName},
    {"processname", kProcessName},
    {"process", kProcessName},
    {"imagename", kProcessName},
    {"id", kProcessId},
    {"pid", kProcessId},
    {"processid", kProcessId},
    {"idprocess", kProcessId},
    {"handles", kProcessHandles},
    {"handlecount", kProcessHandles},
    {"pagedsystemmemorysize", kProcessPaged},
    {"pagedsystemmemorysize64", kProcessPaged},
    {"npm", kProcessNonpaged},
    {"nonpagedsystemmemorysize", kProcessNonpaged},
    {"nonpagedsystemmemorysize64", kProcessNonpaged},
    {"poolpagedbytes", kPagedBytes},
    {"poolnonpagedbytes", kNonpagedBytes},
    {"poolpaged", kPagedBytes},
    {"poolnonpaged", kNonpagedBytes},
    {"kernelpaged", kPagedBytes},
    {"kernelnonpaged", kNonpagedBytes},
    {"committedbytes", kCommitBytes},
    {"committed", kCommitBytes},
    {"commit", kCommitBytes},
    {"commitcharge", kCommitBytes},
    {"commitlimit", kCommitMost},
    {"availablebytes", kAvailableBytes},
    {"available", kAvailableBytes},
    {"availablememory", kAvailableBytes},
};

struct Unit {
  std::string_view name;
  double bytes;
};
constexpr double kKiB = 1024;
constexpr Unit kUnits[] = {
    {"k", kKiB},       {"kb", kKiB},       {"kib", kKiB},       {"kbytes", kKiB},         {"mbytes", kKiB* kKiB},
    {"m", kKiB* kKiB}, {"mb", kKiB* kKiB}, {"mib", kKiB* kKiB}, {"gb", kKiB* kKiB* kKiB}, {"gib", kKiB* kKiB* kKiB}};

bool is_of_process(Column column) { return column == kProcessPaged || column == kProcessNonpaged; }
bool is_amount(Column column) {
  return column == kBytes || column == kPagedBytes || column == kNonpagedBytes || is_of_process(column) ||
         column == kCommitBytes || column == kCommitMost || column == kAvailableBytes;
}

}  // namespace

std::optional<Meaning> column_of(std::string_view name) {
  if (!name.empty() && base::is_digit(name.front())) return std::nullopt;  // a row's time: every row comes here
  if (name.find('%') != std::string_view::npos) return std::nullopt;       // a part of something
  std::string bare;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') bare.push_back(static_cast<char>(c - 'A' + 'a'));
    else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) bare.push_back(c);
  }
  const auto find = [](std::string_view spelt) {
    const auto* const found = std::find_if(std::begin(kSpellings), std::end(kSpellings),
                                           [spelt](const Spelling& each) { return each.name == spelt; });
    return found == std::end(kSpellings) ? std::nullopt : std::optional(found->column);
  };
  if (const auto column = find(bare))
    return Meaning{*column, 1, !is_amount(*column) || is_of_process(*column) || bare.find("bytes") != std::string::npos};
  for (const Unit& unit : kUnits) {
    std::string_view stem = bare;
    if (!stem.ends_with(unit.name)) continue;
    stem.remove_suffix(unit.name.size());
    if (stem.ends_with("in")) stem.remove_suffix(2);  // "Paged (in KB)"
    const auto column = find(stem);
    if (column && is_amount(*column)) return Meaning{*column, unit.bytes};
  }
  return std::nullopt;
}

bool may_be_amount(std::string_view name) {
  const std::string folded = folded_word(name);
  const auto has = [&](std::initializer_list<std::string_view> parts) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](std::string_view part) { return folded.find(part) != std::string::npos; });
  };
  return has({"byte", "pool", "page", "alloc", "free", "used", "usage", "seite"}) &&
         !has({"diff", "delta", "total", "avg", "average", "per", "%", "percent", "limit", "peak", "max", "change", "usedby",
               "used by"});
}

Places places_of(const CsvFields& fields) {
  Places at;
  at.fill(kNowhere);
  at.units.fill(1);
  at.tell_unit.fill(true);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto meaning = column_of(fields[i]);
    if (!meaning) continue;
    // Of two that mean the same, the one that is not rounded as much.
    const bool is_finer = meaning->tells_unit && at.tell_unit[meaning->column] && meaning->unit < at.units[meaning->column];
    if (at[meaning->column] != kNowhere && !is_finer) continue;
    at[meaning->column] = i;
    at.units[meaning->column] = meaning->unit;
    at.tell_unit[meaning->column] = meaning->tells_unit;
    at.any_pool |= (meaning->column == kPagedBytes || meaning->column == kNonpagedBytes) &&
                   (meaning->tells_unit || folded_word(fields[i]).find("pool") != std::string::npos);
  }
  // Get-Process' VM is memory and no machine.
  if (at[kHost] != kNowhere && same_word(trimmed(fields[at[kHost]]), "VM") && at[kProcessName] != kNowhere &&
      at[kProcessHandles] != kNowhere)
    at[kHost] = kNowhere;
  return at;
}

bool may_be_header(const CsvFields& fields, std::string_view line, std::string_view header) {
  return line == header || column_of(fields[0]);
}

bool has_time(const Places& at) { return at[kTime] != kNowhere || at[kDate] != kNowhere || at[kClock] != kNowhere; }
bool has_pools(const Places& at) {
  return at[kPagedBytes] != kNowhere || at[kNonpagedBytes] != kNowhere || (at[kType] != kNowhere && at[kBytes] != kNowhere);
}

std::optional<ScriptCsv> kind_of(const Places& at) {
  if (at[kReadings] != kNowhere && has_time(at)) return ScriptCsv::kReadings;
  if (at[kPath] != kNowhere && at[kValue] != kNowhere) return ScriptCsv::kCounters;
  if (at[kTag] != kNowhere && has_pools(at)) return ScriptCsv::kTags;
  if (at[kTag] != kNowhere) return std::nullopt;
  if (at[kProcessName] != kNowhere &&
      (at[kProcessHandles] != kNowhere || at[kProcessPaged] != kNowhere || at[kProcessNonpaged] != kNowhere))
    return ScriptCsv::kProcesses;
  if (at[kProcessName] == kNowhere && at[kType] == kNowhere && has_time(at) && at.any_pool) return ScriptCsv::kTotals;
  return std::nullopt;
}

std::string_view counter_of(Column column) {
  switch (column) {
    case kPagedBytes: return "Memory\\Pool Paged Bytes";
    case kNonpagedBytes: return "Memory\\Pool Nonpaged Bytes";
    case kCommitBytes: return "Memory\\Committed Bytes";
    case kCommitMost: return "Memory\\Commit Limit";
    case kAvailableBytes: return "Memory\\Available Bytes";
    case kProcessHandles: return "Handle Count";
    case kProcessPaged: return "Pool Paged Bytes";
    case kProcessNonpaged: return "Pool Nonpaged Bytes";
    default: return {};
  }
}

std::optional<char> separator_of(std::string_view header) {
  for (const char separator : kSeparators) {
    CsvFields fields(separator);
    if (fields.split(header) == nullptr && kind_of(places_of(fields))) return separator;
  }
  return std::nullopt;
}

std::string row_time_text(const CsvFields& fields, std::size_t time, std::size_t date, std::size_t clock) {
  const auto field = [&](std::size_t at) { return at < fields.size() ? trimmed(fields[at]) : std::string_view(); };
  std::string text(field(time));
  return text.empty() ? std::string(field(date)) + " " + std::string(field(clock)) : text;
}

std::optional<Zone> zone_in_cell(std::string_view cell) {
  cell = trimmed(cell);
  if (const auto named = zone_named(cell)) return named;
  for (const std::string_view before : {"UTC", "GMT"})
    if (cell.size() > before.size() && same_word(cell.substr(0, before.size()), before)) cell.remove_prefix(before.size());
  // A TimeSpan: "02:00:00", "-05:00:00".
  constexpr std::string_view kSeconds = ":00";
  if (std::count(cell.begin(), cell.end(), ':') == 2 && cell.ends_with(kSeconds)) cell.remove_suffix(kSeconds.size());
  std::string text(cell);
  if (text.find(':') != std::string::npos && base::is_digit(text.front())) text.insert(0, 1, '+');
  std::string_view rest = text;
  const auto minutes = take_zone_minutes(rest);
  constexpr int kFarthest = 14 * 60;
  if (!minutes || !rest.empty() || *minutes < -kFarthest || *minutes > kFarthest) return std::nullopt;
  return Zone{*minutes};
}

std::string reading_time_text(std::string_view line) {
  const std::size_t path = line.find("\\\\");
  if (path == std::string_view::npos) return {};
  std::string stamp(trimmed(line.substr(0, path)));
  stamp.erase(std::remove(stamp.begin(), stamp.end(), '"'), stamp.end());
  while (!stamp.empty() && (stamp.back() == ',' || stamp.back() == ';' || stamp.back() == ' ')) stamp.pop_back();
  return stamp;
}

std::optional<ScriptCsv> script_csv_kind(std::string_view header) {
  const auto separator = separator_of(header);
  if (!separator) return std::nullopt;
  CsvFields fields(*separator);
  (void)fields.split(header);
  return kind_of(places_of(fields));
}

bool names_host(std::string_view column) {
  const auto meaning = column_of(column);
  return meaning && meaning->column == kHost;
}

bool has_script_times(std::string_view header) {
  const auto separator = separator_of(header);
  if (!separator) return false;
  CsvFields fields(*separator);
  (void)fields.split(header);
  return has_time(places_of(fields));
}

std::string ScriptTimes::time_in(std::string_view line) {
  if (trimmed(line).starts_with("#TYPE") || trimmed(line).empty()) return {};
  std::string text;
  if (kind_ == ScriptCsv::kReadings) {
    text = reading_time_text(line);
  } else {
    if (const auto separator = kind_ ? std::nullopt : separator_of(line)) fields_ = CsvFields(*separator);
    if (fields_.split(line) != nullptr) return {};
    if (!kind_ || may_be_header(fields_, line, header_)) {
      const Places at = places_of(fields_);
      if (const auto kind = kind_of(at)) {
        kind_ = kind;
        header_ = line;
        at_ = {at[kTime], at[kDate], at[kClock]};
        return {};
      }
    }
    if (!kind_) return {};
    text = row_time_text(fields_, at_[0], at_[1], at_[2]);
  }
  if (text == last_) return {};
  return last_ = text;
}

}  // namespace kmem::history
