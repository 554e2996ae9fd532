#include "collectors/history/linux_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "collectors/base/clock.h"
#include "collectors/base/digit.h"
#include "collectors/base/label_text.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/slab_size.h"
#include "collectors/history/time_text.h"
#include "collectors/linux/text_scan.h"

namespace kmem::history {
namespace {

using linux::FieldReader;

constexpr std::int64_t kMinuteMillis = 60'000;
using base::kDayMillis;

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '(' || c == ')';
  });
}

using base::is_digit;

// "MemTotal:       8048204 kB", "HugePages_Total:       0"
struct MeminfoRow {
  std::string_view name, digits, unit;
  bool is_apart = false;  // the unit from the digits
};
std::optional<MeminfoRow> split_meminfo_row(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_word(trimmed(line.substr(0, colon)))) return std::nullopt;
  const std::string_view value = trimmed(line.substr(colon + 1));
  const std::size_t digits = std::min(value.find_first_not_of("0123456789"), value.size());
  if (digits == 0) return std::nullopt;
  const bool is_apart = digits < value.size() && (value[digits] == ' ' || value[digits] == '\t');
  return MeminfoRow{trimmed(line.substr(0, colon)), value.substr(0, digits), trimmed(value.substr(digits)), is_apart};
}

bool is_meminfo_row(std::string_view line) {
  const auto row = split_meminfo_row(line);
  return row && std::string_view("kB").starts_with(row->unit);  // cut, it is one that is refused
}

bool is_vmalloc_row(std::string_view line) {
  FieldReader fields(line);
  std::string_view range;
  if (!fields.token(range) || !range.starts_with("0x")) return false;
  const std::size_t dash = range.find("-0x");
  return dash != std::string_view::npos && dash >= 3;
}

// "250 users", "1 user", "load average": what follows the time in uptime.
std::optional<std::int64_t> take_uptime_part(std::string_view part) {
  std::string_view rest = trimmed(part);
  const auto number = take_digits(rest, 1, 5);
  if (!number) return std::nullopt;
  if (take_char(rest, ':')) {
    const auto minutes = take_digits(rest, 2, 2);
    return minutes && *minutes < 60 && rest.empty() ? std::optional((*number * std::int64_t{60} + *minutes) * kMinuteMillis)
                                                    : std::nullopt;
  }
  rest = trimmed(rest);
  if (rest == "day" || rest == "days") return *number * kDayMillis;
  if (rest == "hour" || rest == "hours" || rest == "hr" || rest == "hrs") return 60 * kMinuteMillis * *number;
  if (rest == "week" || rest == "weeks") return 7 * kDayMillis * *number;
  if (rest == "year" || rest == "years") return 365 * kDayMillis * *number;
  if (rest == "min" || rest == "mins" || rest == "minute" || rest == "minutes") return *number * kMinuteMillis;
  return std::nullopt;
}

/// Takes the numbers off the end of `rest`: a name before them may have blanks.
template <std::size_t kCount>
bool take_last_numbers(std::string_view& rest, std::array<std::uint64_t, kCount>& numbers) {
  for (std::size_t left = kCount; left > 0; --left) {
    const std::size_t blank = rest.find_last_of(" \t");
    if (blank == std::string_view::npos) return false;
    const std::string_view word = rest.substr(blank + 1);
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), numbers[left - 1]);
    if (parsed.ec != std::errc{} || parsed.ptr != word.data() + word.size()) return false;
    rest = trimmed(rest.substr(0, blank));
  }
  return true;
}

}  // namespace

std::string_view table_name(LinuxTable table) {
  constexpr std::array<std::string_view, 7> kNames = {
      "", "/proc/meminfo", "/proc/slabinfo", "/proc/vmallocinfo", "/proc/allocinfo", "slabtop", "vmstat -m"};
  return kNames[static_cast<std::size_t>(table)];
}

bool names_meminfo_row(std::string_view line) {
  // grep may have left only some of them.
  constexpr std::string_view kNames[] = {
      "MemTotal:", "SUnreclaim:", "SReclaimable:", "VmallocUsed:", "Committed_AS:", "Percpu:", "Slab:"};
  return std::any_of(std::begin(kNames), std::end(kNames), [&](std::string_view name) { return line.starts_with(name); });
}

LinuxTable begins_table(std::string_view line) {
  const std::string_view text = trimmed(line);
  if (text.starts_with("slabinfo - version:")) return LinuxTable::kSlabinfo;
  // The line may be cut, or lost.
  if (text.starts_with("allocinfo - ") || (text.starts_with('#') && text.find("<size>") < text.find("<calls>")))
    return LinuxTable::kAllocinfo;
  if (text.starts_with("Active / Total Objects")) return LinuxTable::kSlabtop;
  FieldReader fields(text);
  const auto heads = [&](auto... names) { return (fields.literal(names) && ...); };
  if (text.starts_with("OBJS")) return heads("OBJS", "ACTIVE", "USE") ? LinuxTable::kSlabtop : LinuxTable::kNone;
  if (text.starts_with("Cache"))
    return heads("Cache", "Num", "Total", "Size", "Pages") ? LinuxTable::kVmstat : LinuxTable::kNone;
  if (names_meminfo_row(text)) return is_meminfo_row(text) ? LinuxTable::kMeminfo : LinuxTable::kNone;
  return is_vmalloc_row(text) ? LinuxTable::kVmallocinfo : LinuxTable::kNone;
}

bool belongs_to(LinuxTable table, std::string_view line) {
  const std::string_view text = trimmed(line);
  if (text.empty()) return false;
  switch (table) {
    case LinuxTable::kMeminfo: {
      const std::size_t colon = text.find(':');
      return colon != std::string_view::npos && !is_digit(text.front()) && is_word(text.substr(0, colon)) &&
             (is_meminfo_row(text) || text.substr(colon).starts_with(":  "));
    }
    case LinuxTable::kSlabinfo: return text.front() == '#' || text.find(" : ") != std::string_view::npos;
    case LinuxTable::kVmallocinfo: return text.starts_with("0x");
    case LinuxTable::kAllocinfo:
      return text.front() == '#' || is_digit(text.front()) || text.find("func:") != std::string_view::npos;
    case LinuxTable::kSlabtop:
    case LinuxTable::kVmstat: return text.find_first_of("0123456789") != std::string_view::npos;
    case LinuxTable::kNone: break;
  }
  return false;
}

std::string whole_meminfo_row(std::string_view line) {
  const auto row = split_meminfo_row(line);
  if (!row || line.size() > 100 || !same_word(row->unit, "kB") || (row->is_apart && row->unit == "kB")) return {};
  return std::string(row->name) + ": " + std::string(row->digits) + " kB";
}

bool is_whole_slab_row(std::string_view line) {
  constexpr std::string_view kTunables = " : tunables", kSlabs = ": slabdata";
  const std::size_t tunables = line.find(kTunables);
  const std::size_t slabs_at = line.find(kSlabs);
  if (tunables == std::string_view::npos || slabs_at == std::string_view::npos) return false;
  std::array<std::uint64_t, 5> numbers{};  // active, objects, size, objects and pages a slab
  std::string_view rest = trimmed(line.substr(0, tunables));
  if (!take_last_numbers(rest, numbers)) return false;
  FieldReader fields(line.substr(slabs_at + kSlabs.size()));
  std::uint64_t active_slabs = 0, slabs = 0, shared = 0;
  if (!fields.number(active_slabs) || !fields.number(slabs) || !fields.number(shared)) return false;
  // With the kernel's statistics more columns follow, behind colons.
  const std::string_view behind = trimmed(fields.rest());
  if (!behind.empty() && behind.front() != ':') return false;
  constexpr std::uint64_t kLoose = 2;  // slabs of other sizes
  const bool counts = numbers[3] < (1U << 20) && slabs < (std::uint64_t{1} << 40);
  // A slab of one page has all its objects; while it is read, some slabs come and go.
  const std::uint64_t full = counts ? slabs * numbers[3] : 0, some = full / 8 + 8 * numbers[3];
  if (counts && numbers[4] == 1 && (numbers[1] > full + some || numbers[1] + some < full)) return false;
  return numbers[0] <= numbers[1] && active_slabs <= slabs &&
         (!counts || numbers[1] <= kLoose * slabs * std::max<std::uint64_t>(numbers[3], 1));
}

std::uint64_t page_need(std::string_view line) {
  std::array<std::uint64_t, 5> numbers{};  // active, objects, size, objects and pages a slab
  std::string_view rest = trimmed(line.substr(0, line.find(" : tunables")));
  constexpr std::uint64_t kMost = std::uint64_t{1} << 31;
  if (!take_last_numbers(rest, numbers) || numbers[4] == 0 || numbers[2] > kMost || numbers[3] > kMost) return 0;
  return numbers[2] * numbers[3] / numbers[4];
}

bool fits_addresses(std::string_view line) {
  // Those that are hashed, or hidden, begin with zeros; of 32 bits that cannot be told.
  constexpr std::string_view kWhole = "0xff";
  constexpr std::size_t kDigits = 16, kWidth = 2 + kDigits;
  const std::string_view text = trimmed(line);
  if (text.size() < 2 * kWidth + 1 || !text.starts_with(kWhole) || text[kWidth] != '-' ||
      text.substr(kWidth + 1, kWhole.size()) != kWhole)
    return true;
  const auto address = [&](std::size_t at) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const char* const end = text.data() + at + kDigits;
    const auto parsed = std::from_chars(text.data() + at, end, value, 16);
    return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(value) : std::nullopt;
  };
  const auto from = address(2), to = address(kWidth + 3);
  FieldReader fields(text.substr(2 * kWidth + 1));
  std::uint64_t bytes = 0;
  return !from || !to || !fields.number(bytes) || (*to > *from && *to - *from == bytes);
}

bool fills_slabs(std::string_view line) {
  std::array<std::uint64_t, 4> numbers{};
  std::string_view rest = trimmed(line);
  constexpr std::uint64_t kMost = std::uint64_t{1} << 31, kHalfPage = 2048;
  return !take_last_numbers(rest, numbers) || numbers[3] == 0 || numbers[2] > kMost || numbers[3] > kMost ||
         numbers[2] * numbers[3] > kHalfPage;
}

bool is_whole_vmalloc_row(std::string_view line) {
  const std::size_t range = line.find("-0x");
  if (range == std::string_view::npos || line.find("-0x", range + 1) != std::string_view::npos) return false;
  constexpr std::string_view kKinds[] = {" vmalloc", " vmap",     " ioremap",    " user",   " vpages", " dma-coherent",
                                         " sparse",  " unpurged", " vm_map_ram", " pages=", " phys="};
  return std::any_of(std::begin(kKinds), std::end(kKinds),
                     [&](std::string_view kind) { return line.find(kind) != std::string_view::npos; });
}

bool parse_slabtop_row(std::string_view line, TagUsage& row) {
  FieldReader fields(line);
  std::uint64_t objects = 0, active = 0, slabs = 0, per_slab = 0;
  std::string_view use, object_size, cache_size;
  if (!fields.number(objects) || !fields.number(active) || !fields.token(use) || !use.ends_with('%') ||
      !fields.token(object_size) || !object_size.ends_with('K') || !fields.number(slabs) || !fields.number(per_slab) ||
      !fields.token(cache_size))
    return false;
  const std::string_view name = trimmed(fields.rest());
  std::uint64_t kib = 0;
  const char* const end = cache_size.data() + cache_size.size();
  const auto parsed = std::from_chars(cache_size.data(), end, kib);
  if (parsed.ec != std::errc{} || std::string_view(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr)) != "K" ||
      kib > std::numeric_limits<std::uint64_t>::max() / 1024 || name.empty() || active > objects)
    return false;
  // The cache is all its slabs, of whole pages, and holds its objects, whose size is rounded to two places.
  double object_kib = 0;
  FieldReader size(object_size.substr(0, object_size.size() - 1));
  if (!size.number(object_kib)) return false;
  constexpr double kRounding = 0.006;
  constexpr std::uint64_t kPageKib = 4, kMostSlabs = std::uint64_t{1} << 60;
  if (slabs > kMostSlabs || (slabs > 0 && kib % (slabs * kPageKib) != 0) ||
      static_cast<double>(objects) * (object_kib - kRounding) > static_cast<double>(kib))
    return false;
  // A column more than slabtop has.
  if (const std::size_t word = name.find(' '); word != std::string_view::npos && name.find_first_not_of("0123456789") == word)
    return false;
  row = {};
  row.pool = slab_pool(name);
  row.tag = base::label_text(name);
  row.bytes = kib * 1024;
  row.outstanding = active;
  return true;
}

std::optional<std::uint64_t> parse_slabtop_caches(std::string_view line) {
  const std::string_view text = trimmed(line);
  if (!text.starts_with("Active / Total Caches")) return std::nullopt;
  FieldReader fields(text.substr(std::min(text.find(':') + 1, text.size())));
  std::uint64_t active = 0, total = 0;
  if (!fields.number(active) || !fields.literal("/") || !fields.number(total)) return std::nullopt;
  return total;
}

bool parse_vmstat_row(std::string_view line, TagUsage& row) {
  std::array<std::uint64_t, 4> numbers{};  // active, objects, size, objects a slab
  std::string_view rest = trimmed(line);
  if (!take_last_numbers(rest, numbers)) return false;
  const auto bytes = slab_bytes({numbers[1], numbers[2], numbers[3], 0});
  if (rest.empty() || !bytes || numbers[0] > numbers[1]) return false;
  // More columns than its heading has.
  if (const std::size_t word = rest.find_last_of(" \t");
      word != std::string_view::npos && rest.find_first_not_of("0123456789", word + 1) == std::string_view::npos)
    return false;
  row = {};
  row.pool = slab_pool(rest);
  row.tag = base::label_text(rest);
  row.bytes = *bytes;
  row.outstanding = numbers[0];
  return true;
}

std::optional<Uptime> parse_linux_uptime(std::string_view line) {
  std::string_view text = trimmed(line);
  if (const std::size_t up = text.find("up "); up != std::string_view::npos && (up == 0 || text[up - 1] == ' ')) {
    text.remove_prefix(up + 3);
    Uptime uptime{0, kMinuteMillis};
    bool any = false;
    while (!text.empty()) {
      const std::size_t comma = std::min(text.find(','), text.size());
      const auto part = take_uptime_part(text.substr(0, comma));
      if (!part) break;
      uptime.millis += *part;
      any = true;
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return any ? std::optional(uptime) : std::nullopt;
  }
  FieldReader fields(text);
  double seconds = 0, idle = 0;
  const bool dotted = text.find('.') != std::string_view::npos && text.size() < 50;
  if (!dotted || !fields.number(seconds) || !fields.number(idle) || !fields.at_end()) return std::nullopt;
  if (!(seconds >= 0) || seconds > 1e10) return std::nullopt;
  return Uptime{std::llround(seconds * 1000), 1000};
}

std::optional<base::UnixMillis> parse_btime(std::string_view line) {
  FieldReader fields(line);
  std::int64_t seconds = 0;
  if (!fields.literal("btime") || !fields.number(seconds) || seconds < 0 || seconds > 4'102'444'800) return std::nullopt;
  return seconds * 1000;
}

std::optional<base::UnixMillis> parse_unix_line(std::string_view line) {
  std::string_view text = behind_time_name(line);
  (void)take_char(text, '@');  // as `date -d` takes them
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  constexpr std::size_t kOfSeconds = 10, kOfMillis = 13;
  if (digits == kOfMillis && digits == text.size()) {
    const auto seconds = parse_unix_line(text.substr(0, kOfSeconds));
    std::string_view fraction = text.substr(kOfSeconds);
    return seconds ? std::optional(*seconds + take_digits(fraction, 3, 3).value_or(0)) : std::nullopt;
  }
  if (digits != kOfSeconds || (digits < text.size() && text[digits] != '.')) return std::nullopt;
  const auto time = parse_timestamp(text);
  return time && *time >= 1'000'000'000'000 && *time < 4'102'444'800'000 ? std::optional(*time) : std::nullopt;
}

}  // namespace kmem::history
