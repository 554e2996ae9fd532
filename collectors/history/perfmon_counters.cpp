#include "collectors/history/perfmon_counters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "collectors/base/label_text.h"
#include "collectors/history/counter_names.h"
#include "collectors/history/csv_fields.h"
#include "collectors/made_up_pid.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

constexpr std::int64_t kSameBootJitterMillis = 5'000;
constexpr std::size_t kLongestName = 256;
constexpr double kKiB = 1024;

template <std::optional<std::uint64_t> Snapshot::*Field>
void set_field(SnapshotBuilder& out, std::uint64_t value) {
  out.snapshot().*Field = value;
}
template <Pool P, std::optional<std::uint64_t> PoolTotals::*Field>
void set_total(SnapshotBuilder& out, std::uint64_t value) {
  out.totals(P).*Field = value;
}
template <Pool P>
void set_allocations(SnapshotBuilder& out, std::uint64_t value) {
  if (value <= std::numeric_limits<std::uint32_t>::max()) out.totals(P).allocations = static_cast<std::uint32_t>(value);
}

const std::array kCounters = {
    KnownCounter{"Memory\\Pool Paged Bytes", set_total<Pool::kPaged, &PoolTotals::bytes>},
    KnownCounter{"Memory\\Pool Nonpaged Bytes", set_total<Pool::kNonpaged, &PoolTotals::bytes>},
    KnownCounter{"Memory\\Pool Paged Resident Bytes", set_total<Pool::kPaged, &PoolTotals::resident_bytes>},
    KnownCounter{"Memory\\Pool Paged Allocs", set_allocations<Pool::kPaged>},
    KnownCounter{"Memory\\Pool Nonpaged Allocs", set_allocations<Pool::kNonpaged>},
    KnownCounter{"Memory\\Free System Page Table Entries", set_field<&Snapshot::system_ptes_free>},
    KnownCounter{"Memory\\Committed Bytes", set_field<&Snapshot::commit_bytes>},
    KnownCounter{"Memory\\Commit Limit", set_field<&Snapshot::commit_limit_bytes>},
    KnownCounter{"Memory\\Cache Bytes", set_field<&Snapshot::file_cache_bytes>},
    KnownCounter{"Memory\\Cache Bytes Peak", set_field<&Snapshot::file_cache_peak_bytes>},
    KnownCounter{"Memory\\Available MBytes", set_field<&Snapshot::available_bytes>, false, kKiB* kKiB},
    KnownCounter{"Memory\\Available KBytes", set_field<&Snapshot::available_bytes>, false, kKiB},
    KnownCounter{"Memory\\Available Bytes", set_field<&Snapshot::available_bytes>},
    KnownCounter{"System\\System Up Time", nullptr, true},
};

constexpr std::array<std::pair<std::string_view, ProcessCounter>, 5> kProcessCounters = {
    {{"ID Process", ProcessCounter::kId},
     {"Process ID", ProcessCounter::kId},  // of the object Process V2
     {"Handle Count", ProcessCounter::kHandles},
     {"Pool Paged Bytes", ProcessCounter::kPagedPool},
     {"Pool Nonpaged Bytes", ProcessCounter::kNonpagedPool}}};

// "svchost:1234"
std::optional<std::uint64_t> pid_in(std::string_view instance) {
  const std::size_t mark = instance.rfind(':');
  if (mark == std::string_view::npos || mark == 0) return std::nullopt;
  std::uint64_t pid = 0;
  const char* const end = instance.data() + instance.size();
  const auto parsed = std::from_chars(instance.data() + mark + 1, end, pid);
  return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(pid) : std::nullopt;
}

std::optional<KnownCounter> find_process_counter(std::string_view path) {
  const std::size_t open = path.find('(');
  // The instance's name may have brackets and backslashes of its own.
  const std::size_t close = path.rfind(")\\");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  const std::string_view object = trimmed(path.substr(0, open));
  const std::string_view instance = path.substr(open + 1, close - open - 1);
  const bool is_v2 = same_word(object, "Process V2");
  const bool is_english = is_v2 || same_word(object, "Process");
  if ((!is_english && !is_process_object(object)) || instance.empty() || same_word(instance, "_Total") ||
      same_word(instance, "Idle"))
    return std::nullopt;
  const std::string_view wanted = is_english ? path.substr(close + 2) : english_process_counter(path.substr(close + 2));
  for (const auto& [name, counter] : kProcessCounters) {
    if (!same_word(name, wanted)) continue;
    KnownCounter known{name};
    known.process = counter;
    known.order = kCounters.size() + static_cast<std::size_t>(counter);
    known.instance = base::label_text(instance.substr(0, kLongestName));
    if (is_v2) known.pid = pid_in(instance);
    return known;
  }
  return std::nullopt;
}

// "svchost#3" and Process V2's "svchost:1234" -> "svchost"
std::string bare_name(const std::string& instance) {
  const std::size_t mark = instance.find_last_of("#:");
  const bool numbered = mark != std::string::npos && mark > 0 && mark + 1 < instance.size() &&
                        instance.find_first_not_of("0123456789", mark + 1) == std::string::npos;
  return numbered ? instance.substr(0, mark) : instance;
}

}  // namespace

CounterPath split_counter_path(std::string_view column) {
  column = trimmed(column);
  if (!column.starts_with("\\\\")) return {{}, column.substr(column.starts_with('\\') ? 1 : 0)};
  const std::size_t end = std::min(column.find('\\', 2), column.size());
  return {column.substr(2, end - 2), column.substr(std::min(end + 1, column.size()))};
}

std::optional<KnownCounter> find_counter(std::string_view path) {
  const std::string japanese = with_shift_jis_as_utf8(path);
  if (!japanese.empty()) path = japanese;
  if (const std::string_view english = english_counter(path); !english.empty()) path = english;
  const auto* const known =
      std::find_if(kCounters.begin(), kCounters.end(), [&](const KnownCounter& one) { return same_word(one.name, path); });
  if (known == kCounters.end()) return find_process_counter(path);
  KnownCounter found = *known;
  found.order = static_cast<std::size_t>(known - kCounters.begin());
  return found;
}

NumberText parse_counter_value(std::string_view text, char separator) {
  NumberText number = parse_number(text, separator == ',');
  if (number.value && !(*number.value >= 0 && *number.value < 9e18)) return {std::nullopt, NumberFault::kNoNumber};
  return number;
}

UnixMillis UptimeClock::boot_time(UnixMillis time, double uptime_seconds) {
  const UnixMillis boot = time - static_cast<UnixMillis>(std::min(uptime_seconds, 1e12) * 1000);
  if (!boot_time_ || std::abs(boot - *boot_time_) > kSameBootJitterMillis) boot_time_ = boot;
  return *boot_time_;
}

void CounterRow::add(const KnownCounter& counter, double value) {
  any_ = true;
  const auto rounded = static_cast<std::uint64_t>(std::round(std::min(value * counter.unit, 9e18)));
  if (counter.is_uptime) uptime_seconds_ = value;
  if (counter.set != nullptr) counter.set(builder_, rounded);
  if (counter.process == ProcessCounter::kNone) return;
  Process& process = processes_[counter.instance];
  if (counter.pid) process.id = counter.pid;
  switch (counter.process) {
    case ProcessCounter::kId: process.id = rounded; break;
    case ProcessCounter::kHandles: process.handles = rounded; break;
    case ProcessCounter::kPagedPool: process.paged = rounded; break;
    case ProcessCounter::kNonpagedPool: process.nonpaged = rounded; break;
    case ProcessCounter::kNone: break;
  }
}

std::optional<std::int64_t> CounterRow::uptime_ms() const {
  if (!uptime_seconds_ || !(*uptime_seconds_ >= 0) || *uptime_seconds_ > 1e11) return std::nullopt;
  return std::llround(*uptime_seconds_ * 1000);
}

void CounterRow::lose(const KnownCounter& counter) {
  if (counter.process != ProcessCounter::kNone) builder_.snapshot().gaps.processes = true;
}

Snapshot CounterRow::take(UnixMillis time, UptimeClock& uptime) {
  for (auto& [instance, process] : processes_) {
    if (!process.handles && !process.paged && !process.nonpaged) continue;
    ProcessUsage row;
    any_made_up_ |= !process.id;
    row.pid = process.id.value_or(made_up_pid(instance));
    row.name = process.id ? bare_name(instance) : instance;
    row.handles = process.handles;
    row.paged_pool_bytes = process.paged;
    row.nonpaged_pool_bytes = process.nonpaged;
    (void)builder_.add(std::move(row));
  }
  processes_.clear();
  Snapshot snapshot = builder_.take();
  snapshot.system = System::kWindows;
  snapshot.time = time;
  if (uptime_seconds_) snapshot.boot_time = uptime.boot_time(time, *uptime_seconds_);
  uptime_seconds_.reset();
  any_ = false;
  return snapshot;
}

}  // namespace kmem::history
