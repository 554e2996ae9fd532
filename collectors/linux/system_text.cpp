#include "collectors/linux/system_text.h"

#include <limits>
#include <optional>

#include "collectors/base/label_text.h"
#include "collectors/linux/text_scan.h"

namespace kmem::linux {
namespace {

bool parse_note(std::string_view line, GatheredRows& rows) {
  FieldReader fields(line);
  std::string_view name;
  std::uint64_t count = 0;
  if (!fields.token(name) || !fields.number(count) || !fields.at_end()) return false;
  if (name == "!unreadable") rows.unreadable = count;
  else if (name == "!over_limit") rows.over_limit = count;
  else return false;
  return true;
}

template <typename ParseRow>
base::Result<GatheredRows> parse_gathered(std::string_view text, ParseRow&& parse_row) {
  GatheredRows rows;
  std::uint64_t understood = 0;
  LineReader lines(text);
  for (std::string_view line; lines.next(line);) {
    if (line.empty()) continue;
    const bool known = line.front() == '!' ? parse_note(line, rows) : parse_row(line);
    ++(known ? understood : rows.skipped);
  }
  if (understood == 0 && rows.skipped != 0) return base::Error{base::ErrorCode::kMalformed, "no row could be understood"};
  return rows;
}

}  // namespace

base::Result<std::uint64_t> parse_stat(std::string_view text, Snapshot& out) {
  LineReader lines(text);
  for (std::string_view line; lines.next(line);) {
    if (!line.starts_with("btime ")) continue;
    FieldReader fields(line.substr(6));
    std::int64_t seconds = 0;
    if (!fields.number(seconds) || !fields.at_end() || seconds < 0 || seconds > std::numeric_limits<std::int64_t>::max() / 1000)
      return base::Error{base::ErrorCode::kMalformed, "btime is not a time"};
    out.boot_time = seconds * 1000;
    return std::uint64_t{0};
  }
  return base::Error{base::ErrorCode::kMalformed, "no line btime is in it"};
}

base::Result<std::uint64_t> parse_vmstat(std::string_view text, Snapshot& out) {
  std::optional<std::uint64_t> kills, stalls;
  std::uint64_t skipped = 0;
  LineReader lines(text);
  for (std::string_view line; lines.next(line);) {
    FieldReader fields(line);
    std::string_view name;
    std::uint64_t count = 0;
    const bool is_kill = line.starts_with("oom_kill ");
    if (!is_kill && !line.starts_with("allocstall")) continue;
    if (!fields.token(name) || !fields.number(count) || !fields.at_end()) {
      ++skipped;
    } else if (is_kill) {
      kills = count;
    } else {
      stalls = stalls.value_or(0) + count;  // one line a zone since Linux 4.8
    }
  }
  if (kills) out.failure_events.push_back({"vmstat_oom_kill", 0, *kills, {}});
  if (stalls) out.failure_events.push_back({"vmstat_allocstall", 0, *stalls, {}});
  if (!kills && !stalls && skipped != 0) return base::Error{base::ErrorCode::kMalformed, "no row could be understood"};
  return skipped;
}

base::Result<GatheredRows> parse_settings(std::string_view text, Snapshot& out) {
  return parse_gathered(text, [&](std::string_view line) {
    FieldReader fields(line);
    std::string_view name;
    std::int64_t value = 0;  // every vm.* sysctl that is gathered is an integer
    if (!fields.token(name) || !fields.number(value) || !fields.at_end()) return false;
    out.settings.push_back({base::label_text(name), static_cast<double>(value)});
    return true;
  });
}

void parse_system(std::string_view text, Snapshot& out) {
  constexpr std::size_t kLongest = 128;
  OsInfo os;
  LineReader lines(text);
  for (std::string_view line; lines.next(line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, equals), value = line.substr(equals + 1, kLongest);
    if (name == "product") os.product = base::label_text(value);
    if (name == "version") os.version = base::label_text(value);
    if (name == "build") os.build = base::label_text(value);
    if (name == "architecture") os.architecture = base::label_text(value);
  }
  if (!os.version.empty()) out.os = std::move(os);
}

base::Result<GatheredRows> parse_processes(std::string_view text, Snapshot& out) {
  return parse_gathered(text, [&](std::string_view line) {
    FieldReader fields(line);
    ProcessUsage process;
    std::uint64_t descriptors = 0;
    if (!fields.number(process.pid) || !fields.number(descriptors)) return false;
    const std::string_view name = fields.rest();
    if (name.size() < 2 || name.front() != ' ') return false;
    process.name = base::label_text(name.substr(1));
    process.handles = descriptors;
    out.processes.push_back(std::move(process));
    return true;
  });
}

}  // namespace kmem::linux
