#include "collectors/history/text_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "collectors/history/csv_fields.h"
#include "collectors/history/date_parts.h"
#include "collectors/history/date_words.h"
#include "collectors/history/row_text.h"
#include "collectors/history/time_text.h"
#include "collectors/history/zone_names.h"

namespace kmem::history {
namespace {

constexpr std::uint64_t kKib = 1024;
constexpr std::uint64_t kMaxKib = std::numeric_limits<std::uint64_t>::max() / kKib;

struct WholeNumber {
  std::uint64_t value = 0;
  std::string_view behind;
};

// A whole number, perhaps with points or commas between thousands; what is behind it has no blanks before it.
std::optional<WholeNumber> number_at(std::string_view text, std::size_t at) {
  std::string_view rest = after_blanks(text.substr(std::min(at, text.size())));
  std::string digits;
  const auto take = [&] {
    const std::size_t count = std::min(rest.find_first_not_of("0123456789"), rest.size());
    digits.append(rest.substr(0, count));
    rest.remove_prefix(count);
    return count;
  };
  const std::size_t first = take();
  if (first == 0) return std::nullopt;
  const char mark = rest.empty() ? ' ' : rest.front();
  while (!rest.empty() && (rest.front() == ',' || rest.front() == '.')) {
    if (rest.front() != mark || first > 3) return std::nullopt;
    rest.remove_prefix(1);
    if (take() != 3) return std::nullopt;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return WholeNumber{value, after_blanks(rest)};
}

bool is_in_k(const WholeNumber& number) {
  return !number.behind.empty() && (number.behind.front() == 'K' || number.behind.front() == 'k');
}

// "Avail:  1204220K" -> bytes.
std::optional<std::uint64_t> kib_after(std::string_view line, std::string_view label) {
  const std::size_t at = line.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  const auto kib = number_at(line, at + label.size());
  return kib && is_in_k(*kib) && kib->value <= kMaxKib ? std::optional(kib->value * kKib) : std::nullopt;
}

/// "PagedPool0Usage", "PagedPool1", "NonPagedPool0Used": of one NUMA node, whatever stands behind the number.
std::optional<Pool> part_of_pool(std::string_view name) {
  constexpr std::string_view kNonpaged = "NonPagedPool", kPaged = "PagedPool";
  const bool is_nonpaged = same_word(name.substr(0, kNonpaged.size()), kNonpaged);
  if (!is_nonpaged && !same_word(name.substr(0, kPaged.size()), kPaged)) return std::nullopt;
  name.remove_prefix(is_nonpaged ? kNonpaged.size() : kPaged.size());
  return !name.empty() && is_digit(name.front()) ? std::optional(is_nonpaged ? Pool::kNonpaged : Pool::kPaged) : std::nullopt;
}

std::string_view from(std::string_view line, std::string_view word) {
  return line.substr(std::min(line.find(word), line.size()));
}

}  // namespace

bool apply_memory_line(std::string_view line, SnapshotBuilder& out) {
  const auto memory = kib_after(line, "Memory:");
  const auto available = kib_after(line, "Avail:");
  if (!memory || !available) return false;
  out.snapshot().physical_memory_bytes = memory;
  out.snapshot().available_bytes = available;
  if (const auto resident = kib_after(from(line, "Krnl:"), " P:")) out.totals(Pool::kPaged).resident_bytes = resident;
  return true;
}

bool apply_commit_line(std::string_view line, SnapshotBuilder& out, bool* is_cut) {
  const auto commit = kib_after(line, "Commit:");
  const auto limit = kib_after(line, "Limit:");
  if (!commit || !limit) return false;
  out.snapshot().commit_bytes = commit;
  out.snapshot().commit_limit_bytes = limit;
  out.snapshot().commit_peak_bytes = kib_after(line, "Peak:");
  const std::string_view pool = from(line, "Pool N:");
  const auto has_total = [&](std::string_view name) { return kib_after(pool, name).has_value(); };
  if (is_cut != nullptr) *is_cut = !has_total("Pool N:") || !has_total(" P:");
  if (const auto nonpaged = kib_after(pool, "Pool N:")) out.totals(Pool::kNonpaged).bytes = nonpaged;
  if (const auto paged = kib_after(pool, " P:")) out.totals(Pool::kPaged).bytes = paged;
  return true;
}

VmLine apply_vm_line(std::string_view line, VmParts& parts, SnapshotBuilder& out) {
  // Two lines whose end between them is lost.
  constexpr std::string_view kEnd = "Kb)";
  if (const std::size_t end = line.find(kEnd); end != std::string_view::npos && line.find(':', end) != std::string_view::npos) {
    const VmLine first = apply_vm_line(line.substr(0, end + kEnd.size()), parts, out);
    const std::string problem = parts.problem;
    const VmLine second = apply_vm_line(line.substr(end + kEnd.size()), parts, out);
    if (first == VmLine::kBroken && second != VmLine::kBroken) parts.problem = problem;
    for (const VmLine kind : {VmLine::kBroken, VmLine::kKnown, VmLine::kUnknown})
      if (first == kind || second == kind) return kind;
    return VmLine::kOther;
  }
  const std::size_t colon = line.find(':');
  const std::size_t bracket = line.find('(', std::min(colon, line.size()));
  constexpr std::array<std::string_view, 8> kVmNames = {"NonPagedPoolUsage", "NonPagedPoolNxUsage", "PagedPoolUsage",
                                                        "FreeSystemPTEs",    "Committedpages",      "Commitlimit",
                                                        "AvailablePages",    "PhysicalMemory"};
  parts.problem = "not a number of pages, and of Kb in brackets";
  parts.part_of.reset();
  std::string name;  // without the stars and such before it
  for (const char c : line.substr(0, colon))
    if (c != ' ' && c != '\t' && (!name.empty() || is_letter(c))) name.push_back(c);
  if (bracket == std::string_view::npos || !same_word(trimmed(line.substr(line.find_last_of("0123456789") + 1)), "Kb)")) {
    // A row's end is missing.
    const bool is_known =
        colon != std::string_view::npos && name.size() < 32 &&
        std::any_of(kVmNames.begin(), kVmNames.end(), [&](std::string_view one) { return same_word(name, one); });
    if (!is_known) return VmLine::kOther;
    if (same_word(name, kVmNames[0]) || same_word(name, kVmNames[1])) parts.is_broken = true;
    return VmLine::kBroken;
  }
  const auto pages = number_at(line, colon + 1);
  const auto kib = number_at(line, bracket + 1);
  // Pages have 4 KB, Itanium's 8; a digit that was lost is another number.
  const auto is_of_pages = [&](std::uint64_t kib_a_page) {
    return kib->value / kib_a_page == pages->value && kib->value % kib_a_page == 0;
  };
  const bool are_numbers = pages && pages->behind.starts_with('(') && kib && is_in_k(*kib) && kib->value <= kMaxKib;
  const std::uint64_t kib_a_page = !are_numbers ? 0 : is_of_pages(4) ? 4 : is_of_pages(8) ? 8 : 0;
  const bool tells_page = kib_a_page != 0 && kib->value != 0;
  const bool is_whole = kib_a_page != 0 && (!tells_page || parts.kib_a_page == 0 || parts.kib_a_page == kib_a_page);
  if (are_numbers && !is_whole)
    parts.problem = std::to_string(pages->value) + " pages are not " + std::to_string(kib->value) + " Kb" +
                    (kib_a_page == 0 ? ", as pages have 4 Kb"
                                     : ", as pages have " + std::to_string(parts.kib_a_page) + " Kb in a line above");
  if (is_whole && tells_page) parts.kib_a_page = kib_a_page;
  const std::uint64_t bytes = is_whole ? kib->value * kKib : 0;
  Snapshot& snapshot = out.snapshot();
  const auto is = [&](std::string_view wanted) { return same_word(name, wanted); };
  if (!is_whole) {
    if (is(kVmNames[0]) || is(kVmNames[1])) parts.is_broken = true;
    return std::any_of(kVmNames.begin(), kVmNames.end(), is) ? VmLine::kBroken : VmLine::kOther;
  }
  if (std::any_of(kVmNames.begin(), kVmNames.end(), is))
    if (const auto [first, is_new] = parts.kib.try_emplace(name, kib->value); first->second != kib->value) {
      parts.problem = "this line stands twice, with " + std::to_string(first->second) + " Kb and with " +
                      std::to_string(kib->value) + "; the first is used";
      return VmLine::kBroken;
    }
  if (is("NonPagedPoolUsage") || is("NonPagedPoolNxUsage")) {
    (is("NonPagedPoolUsage") ? parts.nonpaged : parts.nonpaged_nx) = bytes;
    // Nx alone is a part.
    if (parts.nonpaged && !parts.is_broken) out.totals(Pool::kNonpaged).bytes = *parts.nonpaged + parts.nonpaged_nx.value_or(0);
  } else if (is("PagedPoolUsage")) {
    out.totals(Pool::kPaged).bytes = bytes;
  } else if (is("FreeSystemPTEs")) {
    snapshot.system_ptes_free = pages->value;
  } else if (is("Committedpages")) {
    snapshot.commit_bytes = bytes;
  } else if (is("Commitlimit")) {
    snapshot.commit_limit_bytes = bytes;
  } else if (is("AvailablePages")) {
    snapshot.available_bytes = bytes;
  } else if (is("PhysicalMemory")) {
    snapshot.physical_memory_bytes = bytes;
  } else {
    parts.part_of = part_of_pool(name);
    return VmLine::kUnknown;
  }
  return VmLine::kKnown;
}

std::optional<std::int64_t> parse_uptime(std::string_view line) {
  const std::string_view text = trimmed(line);
  std::string_view rest;
  for (const std::string_view name : {"System Uptime:", "System Up Time:", "Kernel Uptime:"})
    if (same_word(text.substr(0, name.size()), name)) rest = text.substr(name.size());
  if (const std::size_t at = text.find("has been up for:"); at != std::string_view::npos) rest = text.substr(at + 16);
  if (rest.empty()) return std::nullopt;
  std::int64_t millis = 0;
  bool any = false;
  while (!(rest = rest.substr(std::min(rest.find_first_not_of(" \t,"), rest.size()))).empty()) {
    if (const auto of_day = take_time_of_day(rest)) {
      millis += *of_day;
      any = true;
      continue;
    }
    const auto number = number_at(rest, 0);
    if (!number || number->value > 1'000'000) return std::nullopt;
    rest = rest.substr(std::min(rest.find_first_not_of("0123456789 "), rest.size()));
    const std::string_view word = rest.substr(0, std::min(rest.find_first_of(" ,("), rest.size()));
    const auto is = [&](std::string_view one, std::string_view many) { return same_word(word, one) || same_word(word, many); };
    const std::int64_t unit = is("day", "days")         ? base::kDayMillis
                              : is("hour", "hours")     ? base::kHourMillis
                              : is("minute", "minutes") ? base::kMinuteMillis
                              : is("second", "seconds") ? base::kSecondMillis
                                                        : 0;
    if (unit == 0) return std::nullopt;
    millis += static_cast<std::int64_t>(number->value) * unit;
    any = true;
    rest.remove_prefix(word.size());
    if (rest.starts_with("(s)")) rest.remove_prefix(3);
  }
  return any ? std::optional(millis) : std::nullopt;
}

namespace {

/// What stands behind one of these names, as folded_word() has them.
std::optional<std::string_view> behind_name(std::string_view text, std::initializer_list<std::string_view> names) {
  constexpr std::size_t kLongestName = 50;
  if (text.find(':') == std::string_view::npos) return std::nullopt;  // a time is there
  for (std::size_t at = text.find_first_of(" :="); at != std::string_view::npos && at < kLongestName;
       at = text.find_first_of(" :=", at + 1)) {
    const std::string name = folded_word(text.substr(0, at));
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    const std::size_t rest = text.find_first_not_of(" \t:=", at);
    if (rest != std::string_view::npos) return text.substr(rest);
  }
  return std::nullopt;
}

}  // namespace

bool is_of_installation(std::string_view line) {
  return behind_name(trimmed(line), {"original install date", "install date", "installdate", "installed on", "installed",
                                     "ursprungliches installationsdatum", "installationsdatum", "date d'installation originale",
                                     "date d'installation", "fecha de instalacion original", "fecha de instalacion",
                                     "data installazione originale", "data da instalacao original",
                                     "oorspronkelijke installatiedatum", "bios version", "bios-version"})
      .has_value();
}

std::optional<std::string_view> boot_words(std::string_view line) {
  const std::string_view text = trimmed(line);
  for (const std::string_view name :
       {"システム起動時間", "系统启动时间", "系統開機時間", "시스템 부트 시간", "Время загрузки системы"})
    if (text.starts_with(name)) return text.substr(std::min(text.find_first_not_of(" \t:=", name.size()), text.size()));
  for (const std::string_view name :
       {"System Boot Time", "Statistics since", "LastBootUpTime", "Systemstartzeit", "Boot Time", "Statistik seit"}) {
    if (!same_word(text.substr(0, name.size()), name)) continue;
    std::string_view rest = text.substr(name.size());
    if (!rest.empty() && rest.front() != ':' && rest.front() != '=' && rest.front() != ' ') continue;
    rest = rest.substr(std::min(rest.find_first_not_of(" \t:="), rest.size()));
    return rest;
  }
  return behind_name(text, {"system boot",
                            "last boot",
                            "last boot time",
                            "last boot up",
                            "last boot up time",
                            "last bootup time",
                            "last reboot",
                            "last restart",
                            "last start",
                            "last system boot",
                            "boot",
                            "booted",
                            "booted at",
                            "booted on",
                            "boot at",
                            "boottime",
                            "bootup time",
                            "system started",
                            "system start",
                            "system start time",
                            "system up since",
                            "up since",
                            "uptime since",
                            "running since",
                            "since",
                            "letzter start",
                            "letzter neustart",
                            "letzter boot",
                            "systemstart",
                            "startzeit",
                            "seit",
                            "gestartet seit",
                            "laufzeit seit",
                            "dernier demarrage",
                            "heure de demarrage du systeme",
                            "heure de demarrage",
                            "depuis",
                            "statistiques depuis",
                            "tiempo de arranque del sistema",
                            "hora de arranque del sistema",
                            "ultimo arranque",
                            "desde",
                            "estadisticas desde",
                            "tempo di avvio sistema",
                            "ora di avvio sistema",
                            "ultimo avvio",
                            "statistiche da",
                            "statistiche dal",
                            "tempo de inicializacao do sistema",
                            "hora da inicializacao do sistema",
                            "ultima inicializacao",
                            "estatisticas desde",
                            "systeemopstarttijd",
                            "opstarttijd van systeem",
                            "laatste opstart",
                            "sinds",
                            "czas rozruchu systemu",
                            "ostatni rozruch",
                            "systemets starttid",
                            "systemstarttid"});
}

std::optional<PoolOwner> parse_pool_owner(std::string_view text) {
  constexpr std::string_view kTitle = "pool information";
  text = trimmed(text);
  const auto number = [](std::string_view word) -> std::optional<std::uint32_t> {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc{} ? std::optional(value) : std::nullopt;
  };
  constexpr std::string_view kId = "Session ID is ";
  if (same_word(text.substr(0, kId.size()), kId)) {
    const auto session = number(trimmed(text.substr(kId.size())));
    return session ? std::optional(PoolOwner{PoolOwner::Kind::kSession, *session}) : std::nullopt;
  }
  if (text.size() <= kTitle.size() || !same_word(text.substr(text.size() - kTitle.size()), kTitle)) return std::nullopt;
  const std::string_view owner = trimmed(text.substr(0, text.size() - kTitle.size()));
  if (same_word(owner, "System")) return PoolOwner{};
  if (same_word(owner, "All sessions")) return PoolOwner{PoolOwner::Kind::kAllSessions};
  constexpr std::string_view kSession = "Session ";
  if (!same_word(owner.substr(0, kSession.size()), kSession)) return std::nullopt;
  const auto session = number(trimmed(owner.substr(kSession.size())));
  return session ? std::optional(PoolOwner{PoolOwner::Kind::kSession, *session}) : std::nullopt;
}

bool ends_table(std::string_view text) {
  text = trimmed(text);
  if (same_word(text.substr(0, 5), "total")) return true;
  const std::size_t mark = text.find('>');
  if (mark != std::string_view::npos && mark > 0) {
    const std::string_view before = text.substr(0, mark);
    const bool drive = before.size() >= 2 && before[1] == ':' && (before.size() == 2 || before[2] == '\\');
    if (drive || before.starts_with("PS ") || before.starts_with("\\\\") || before.ends_with("kd")) return true;
  }
  // "[root@host ~]#", "user@host:~$"
  const std::size_t at = text.find('@');
  const std::size_t end = text.find_first_of("#$", std::min(at, text.size()));
  return at != std::string_view::npos && end != std::string_view::npos && end < 80 &&
         (end + 1 == text.size() || text[end + 1] == ' ');
}

std::string_view without_quotes(std::string_view line, std::string& storage) {
  if (line.empty() || (line.front() != '>' && line.front() != '|')) return line;
  while (line.starts_with('>')) {
    line.remove_prefix(1);
    // "> > ", and "> " before a row that begins with a blank of its own
    if (line.starts_with(' ')) line.remove_prefix(1);
  }
  if (!line.starts_with('|')) return line;
  storage.assign(line);
  std::replace(storage.begin(), storage.end(), '|', ' ');
  return storage;
}

std::string_view as_written(std::string_view line, std::string& storage) {
  if (line.starts_with('>')) line = without_quotes(line, storage);
  if (line.find_first_of("\xc2\xe2\xe3&") == std::string_view::npos) return line;
  return storage = with_plain_blanks(line);
}

std::string_view without_markup(std::string_view line, std::string& storage) {
  if (line.find_first_of("&<|*`\xa0\xc2\xc3\xe2\xe3") == std::string_view::npos) return line;
  std::string out;
  static constexpr std::array<std::pair<std::string_view, char>, 12> kMarks = {{{"&nbsp;", ' '},
                                                                                {"&#160;", ' '},
                                                                                {"&#xa0;", ' '},
                                                                                {"&amp;", '&'},
                                                                                {"&lt;", '<'},
                                                                                {"&gt;", '>'},
                                                                                {"&quot;", '"'},
                                                                                {"\xc2\xa0", ' '},
                                                                                {"\xe2\x80\xaf", ' '},
                                                                                {"\xe2\x80\x89", ' '},
                                                                                {"\xe3\x80\x80", ' '},
                                                                                {"&#39;", '\''}}};
  while (!line.empty()) {
    const auto name = std::find_if(kMarks.begin(), kMarks.end(), [&](const auto& one) { return line.starts_with(one.first); });
    if (name != kMarks.end()) {
      out.push_back(name->second);
      line.remove_prefix(name->first.size());
      continue;
    }
    const std::size_t close = line.find('>');
    if (line.front() == '<' && close != std::string_view::npos && close > 1 && line[1] != ' ') {
      out.push_back(' ');  // <br>, </td>
      line.remove_prefix(close + 1);
      continue;
    }
    const char c = line.front();
    // A tag's byte that a console has made UTF-8 of.
    if ((c == '\xc2' || c == '\xc3') && line.size() > 1 && (static_cast<unsigned char>(line[1]) & 0xc0U) == 0x80) {
      out.push_back(
          static_cast<char>((static_cast<unsigned char>(c) & 3U) << 6 | (static_cast<unsigned char>(line[1]) & 0x3fU)));
      line.remove_prefix(2);
      continue;
    }
    if (c != '*' && c != '`') out.push_back(c == '|' || c == '\xa0' ? ' ' : c);
    line.remove_prefix(1);
  }
  storage = std::move(out);
  return storage;
}

std::optional<base::UnixMillis> parse_system_time(std::string_view line) {
  constexpr std::string_view kName = "!SystemTime=";
  const auto local = line.starts_with(kName) ? parse_us_time(line.substr(kName.size())) : std::nullopt;
  const std::size_t open = line.find('(');
  if (!local || open == std::string_view::npos) return local;
  const std::size_t close = line.rfind(')');
  const auto zone = close != std::string_view::npos && close > open
                        ? zone_named(trimmed(line.substr(open + 1, close - open - 1)))
                        : std::nullopt;
  if (!zone) return std::nullopt;
  return *local - std::int64_t{minutes_east(*zone, *local)} * 60'000;
}

std::optional<std::uint64_t> parse_tick_count(std::string_view line) {
  constexpr std::string_view kName = "!TickCount=";
  if (!line.starts_with(kName)) return std::nullopt;
  const auto ticks = number_at(line, kName.size());
  return ticks && ticks->behind.empty() ? std::optional(ticks->value) : std::nullopt;
}

std::string_view without_escapes(std::string_view line, std::string& storage) {
  constexpr char kEscape = '\x1b';
  constexpr std::string_view kControls("\x1b\f\0\b", 4);
  if (line.find_first_of(kControls) == std::string_view::npos) return line;
  storage.clear();
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == kEscape && at + 1 < line.size()) {
      // ESC [ parameters letter, or ESC letter
      if (line[++at] == '[')
        for (++at; at < line.size() && !(line[at] >= '@' && line[at] <= '~');) ++at;
    } else if (kControls.find(line[at]) == std::string_view::npos) {
      storage.push_back(line[at]);
    }
  }
  return storage;
}

void take_off_dressing(std::string& line) {
  if (line.find('\x1b') != std::string::npos) {
    std::string plain;
    plain = without_escapes(line, plain);
    line.swap(plain);
  }
  for (;;) {
    const std::string_view text = trimmed(line);
    if (!text.ends_with('>')) return;
    const std::size_t open = line.rfind('<');
    if (open == std::string::npos) return;
    std::string_view name = trimmed(std::string_view(line).substr(open + 1));
    name.remove_suffix(1);
    if (name.ends_with('/')) name.remove_suffix(1);
    if (!same_word(trimmed(name), "br")) return;
    line.resize(open);
    line.resize(line.find_last_not_of(' ') + 1);  // a tab may part cells
  }
}

}  // namespace kmem::history
