#include "exporter/page/findings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "collectors/base/clock.h"
#include "exporter/page/words.h"
#include "exporter/trend/sampler.h"

namespace kmem::page {
namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20, kGibi = std::uint64_t{1} << 30;
constexpr double kAllOnes = 4'294'967'295.0;  // 0xFFFFFFFF: as much as can be
constexpr std::int64_t kEventDays = 7;        // for so long a refusal of the kernel counts as evidence
constexpr std::uint32_t kWindowsXp = 501, kWindowsVista = 600;
constexpr std::string_view kMemoryManagement = R"(HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management)";

// --- what a Snapshot tells

struct Evidence {
  const Snapshot& snapshot;
  std::span<const BootSettings::Change> changes;
  std::span<const drivers::KnownLeak> known_leaks = {};

  [[nodiscard]] const PoolTotals* pool(Pool wanted) const {
    for (const PoolTotals& one : snapshot.pools)
      if (one.pool == wanted && one.bytes) return &one;
    return nullptr;
  }
  [[nodiscard]] const BootSettings::Change* change_of(std::string_view name) const {
    for (const BootSettings::Change& one : changes)
      if (one.name == name) return &one;
    return nullptr;
  }
  /// In force; of what has changed since the boot what was there then.
  [[nodiscard]] std::optional<double> setting(std::string_view name) const {
    if (const BootSettings::Change* const change = change_of(name)) return change->before;
    return setting_in(snapshot.settings, name);
  }
  [[nodiscard]] bool is_x86_windows() const {
    return snapshot.system == System::kWindows && snapshot.os && snapshot.os->architecture == "x86";
  }
  /// 502 for 5.2; 0: not known.
  [[nodiscard]] std::uint32_t version() const {
    if (!snapshot.os) return 0;
    const std::string& text = snapshot.os->version;
    std::uint32_t major = 0, minor = 0;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, major);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.') return 0;
    return std::from_chars(first.ptr + 1, end, minor).ec == std::errc{} ? major * 100 + minor : 0;
  }
  /// Whether pools and PTEs are laid out once and for all at boot.
  [[nodiscard]] bool has_fixed_areas() const { return version() != 0 && version() < kWindowsVista; }
  [[nodiscard]] bool has_large_user_space() const {
    return is_x86_windows() && snapshot.user_address_space_bytes.value_or(0) > 2 * kGibi;
  }
  [[nodiscard]] bool has_few_ptes() const {
    return snapshot.system_ptes_free && *snapshot.system_ptes_free < trend::kFewestPtesOfX86;
  }
  /// Of this boot and the last days.
  [[nodiscard]] const FailureEvents* recent_event(std::string_view provider, std::uint32_t id) const {
    for (const FailureEvents& events : snapshot.failure_events) {
      if (events.provider != provider || events.event_id != id || events.count == 0 || !events.last) continue;
      const bool old =
          *events.last < snapshot.boot_time.value_or(0) || *events.last < snapshot.time - kEventDays * base::kDayMillis;
      if (!old) return &events;
    }
    return nullptr;
  }
  /// The tag that holds most of a pool; of a cut table nothing is known.
  [[nodiscard]] const TagUsage* leader(Pool pool) const {
    const TagUsage* most = nullptr;
    if (snapshot.gaps.has(pool)) return nullptr;
    for (const TagUsage& tag : snapshot.tags)
      if (tag.pool == pool && (most == nullptr || tag.bytes > most->bytes)) most = &tag;
    return most;
  }
};

double as_number(std::uint64_t value) { return static_cast<double>(value); }
std::string size(std::uint64_t bytes) { return byte_words(as_number(bytes)); }
std::string percent(double share) { return number_words(100 * share) + " %"; }

// --- the findings

/// Microsoft, "Server is unable to allocate memory from the system paged pool": MmSt leads and paged pool is used up or
/// event 2020 is logged: many open files; PoolUsageMaximum 60, then 50 or 40.
std::optional<Finding> mapped_files(const Evidence& seen) {
  const PoolTotals* const paged = seen.pool(Pool::kPaged);
  const TagUsage* const leader = seen.leader(Pool::kPaged);
  if (seen.snapshot.system != System::kWindows || paged == nullptr || leader == nullptr || leader->tag != "MmSt")
    return std::nullopt;
  const FailureEvents* const refused = seen.recent_event("Srv", 2020);
  const bool above = paged->trim_threshold_bytes && *paged->bytes >= *paged->trim_threshold_bytes;
  if (!above && refused == nullptr) return std::nullopt;

  Finding out;
  out.severity = refused != nullptr ? Severity::kCritical : Severity::kWarning;
  out.what = "Tag MmSt leads the paged pool with " + size(leader->bytes) + " of " + size(*paged->bytes);
  if (above) out.what += ", above the " + size(*paged->trim_threshold_bytes) + " from which it is trimmed";
  if (refused != nullptr)
    out.what += "; event 2020 (the paged pool was empty) came " + count_words(refused->count) + " times, last at " +
                minute_words(*refused->last);
  out.why = "MmSt describes mapped and cached files: very many files are open, and trimming may not keep up with peaks.";
  out.numbers = {{"mmst_bytes", as_number(leader->bytes)}, {"paged_pool_bytes", as_number(*paged->bytes)}};
  if (paged->trim_threshold_bytes) out.numbers.push_back({"trim_threshold_bytes", as_number(*paged->trim_threshold_bytes)});
  if (refused != nullptr) out.numbers.push_back({"event_2020_count", as_number(refused->count)});
  const std::string holders = "Find who keeps so many files open (openfiles, net file) and close what is not needed.";
  if (!seen.has_fixed_areas() || seen.version() < 500) {
    out.what_to_do = holders;
    return out;
  }
  const BootSettings::Change* const change = seen.change_of("PoolUsageMaximum");
  const double set = seen.setting("PoolUsageMaximum").value_or(0);
  const double now = set >= 1 && set <= 100 ? set : 80;
  out.numbers.push_back({"pool_usage_maximum_percent", now});
  const int next = now > 60 ? 60 : now > 50 ? 50 : now > 40 ? 40 : 0;
  const double awaited = change != nullptr ? change->now.value_or(0) : 0;
  if (awaited >= 1 && awaited < now) {
    out.what_to_do = "PoolUsageMaximum is set to " + count_words(static_cast<std::uint64_t>(awaited)) + ", but " +
                     count_words(static_cast<std::uint64_t>(now)) + " is in force: restart. " + holders;
  } else if (next == 0) {
    out.what_to_do =
        "PoolUsageMaximum is " + count_words(static_cast<std::uint64_t>(now)) + " already, lower does not help. " + holders;
  } else {
    out.what_to_do = "Set PoolUsageMaximum (REG_DWORD, decimal) to " + std::to_string(next) + " in " +
                     std::string(kMemoryManagement) + ", it is " + count_words(static_cast<std::uint64_t>(now)) +
                     (set == now ? "" : " by default") + "; restart.";
    if (next > 40) out.what_to_do += next == 60 ? " If that is not enough, 50, then 40." : " If that is not enough, 40.";
    out.what_to_do += " " + holders;
  }
  return out;
}

/// The same article's caution: 0xFFFFFFFF is not for 32-bit servers with 64 GB.
std::optional<Finding> paged_pool_size(const Evidence& seen) {
  constexpr std::uint64_t kMuch = 60 * kGibi, kSome = 4 * kGibi;  // 64 GB, less what devices keep; more than one 4 GB
  const std::uint64_t memory = seen.snapshot.physical_memory_bytes.value_or(0);
  if (!seen.is_x86_windows() || !seen.has_fixed_areas() || seen.setting("PagedPoolSize") != kAllOnes) return std::nullopt;
  if (memory < kMuch && !(memory > kSome && seen.has_few_ptes())) return std::nullopt;
  Finding out;
  out.severity = seen.has_few_ptes() ? Severity::kCritical : Severity::kWarning;
  out.what = "PagedPoolSize is 0xFFFFFFFF on a 32-bit system with " + size(memory) + " of memory";
  if (seen.snapshot.system_ptes_free) out.what += "; " + count_words(*seen.snapshot.system_ptes_free) + " system PTEs are free";
  out.why =
      "The largest paged pool takes address space from system PTEs; with much memory they run out, and the computer "
      "can restart again and again.";
  out.what_to_do = "Set PagedPoolSize to 0, or to 192000000 (192 MB), in " + std::string(kMemoryManagement) + "; restart.";
  out.numbers = {{"physical_memory_bytes", as_number(memory)}, {"paged_pool_size", kAllOnes}};
  if (seen.snapshot.system_ptes_free) out.numbers.push_back({"system_ptes_free", as_number(*seen.snapshot.system_ptes_free)});
  return out;
}

/// "Free System Page Table Entries" should be above 12,000; /3GB leaves half as many, /USERVA gives some back (from XP on).
std::optional<Finding> few_ptes_with_3gb(const Evidence& seen) {
  if (!seen.has_large_user_space() || !seen.has_few_ptes()) return std::nullopt;
  const std::uint64_t user = *seen.snapshot.user_address_space_bytes / kMebi;
  const std::string ptes = count_words(*seen.snapshot.system_ptes_free);
  constexpr std::uint64_t kFirst = 2900, kStep = 100, kWorthless = 2600;
  Finding out;
  out.severity = Severity::kCritical;
  out.what = "Programs have " + count_words(user) + " MB of the address space (/3GB), and " + ptes +
             " system PTEs are free, fewer than " + count_words(trend::kFewestPtesOfX86);
  out.why = "/3GB leaves 1 GB to the kernel. Without system PTEs drivers do not load and threads are not created.";
  const std::uint64_t next = user > kFirst ? kFirst : user - kStep;
  if (seen.version() < kWindowsXp || next < kWorthless) {
    out.what_to_do = "Take /3GB out of boot.ini where no program needs it; restart.";
  } else if (seen.version() < kWindowsVista) {
    out.what_to_do =
        "Beside /3GB in boot.ini set /USERVA=" + std::to_string(next) + "; restart. In steps of 100 until enough are free.";
  } else {
    out.what_to_do =
        "bcdedit /set IncreaseUserVa " + std::to_string(next) + "; restart. In steps of 100 until enough are free.";
  }
  out.numbers = {{"user_address_space_bytes", as_number(*seen.snapshot.user_address_space_bytes)},
                 {"system_ptes_free", as_number(*seen.snapshot.system_ptes_free)}};
  return out;
}

/// With /3GB nonpaged pool ends at 128 MB up to 2003; 60 % in use is Microsoft's line for a warning, 80 % for more.
std::optional<Finding> nonpaged_with_3gb(const Evidence& seen) {
  constexpr double kWarn = 0.6, kGrave = 0.8;
  constexpr std::string_view kNonpagedWhy =
      "Without /3GB it can reach 256 MB; connections, files and drivers fail when it is full (event 2019).";
  constexpr std::string_view kNonpagedToDo =
      "Take /3GB out of boot.ini where no program needs it, and restart; else find the leading nonpaged tags.";
  const PoolTotals* const nonpaged = seen.pool(Pool::kNonpaged);
  if (!seen.has_large_user_space() || !seen.has_fixed_areas() || nonpaged == nullptr) return std::nullopt;
  if (!nonpaged->limit && *nonpaged->bytes > 128 * kMebi) {  // beyond the rule, and so nearer to its end than ever
    Finding out;
    out.severity = Severity::kCritical;
    out.what = "/3GB usually limits the nonpaged pool to 128 MiB, and " + size(*nonpaged->bytes) + " are in use";
    out.why = kNonpagedWhy;
    out.what_to_do = kNonpagedToDo;
    out.numbers = {{"nonpaged_pool_bytes", as_number(*nonpaged->bytes)}};
    return out;
  }
  if (!nonpaged->limit || nonpaged->limit->bytes > 128 * kMebi || nonpaged->limit->bytes == 0) return std::nullopt;
  const double share = as_number(*nonpaged->bytes) / as_number(nonpaged->limit->bytes);
  if (share < kWarn) return std::nullopt;
  Finding out;
  out.severity = share >= kGrave ? Severity::kCritical : Severity::kWarning;
  out.what = "/3GB limits the nonpaged pool to " + size(nonpaged->limit->bytes) + ", of which " + size(*nonpaged->bytes) +
             " (" + percent(share) + ") are in use";
  out.why = kNonpagedWhy;
  out.what_to_do = kNonpagedToDo;
  out.numbers = {{"nonpaged_pool_bytes", as_number(*nonpaged->bytes)},
                 {"nonpaged_pool_limit_bytes", as_number(nonpaged->limit->bytes)}};
  return out;
}

/// "Description of the kernel memory area in Windows NT": 0 is the default that leaves most to pools and cache.
std::optional<Finding> system_pages(const Evidence& seen) {
  const double set = seen.setting("SystemPages").value_or(0);
  if (!seen.is_x86_windows() || !seen.has_fixed_areas() || set == 0) return std::nullopt;
  Finding out;
  out.severity = Severity::kInfo;
  out.what = "SystemPages is set to " + (set == kAllOnes ? "0xFFFFFFFF" : count_words(static_cast<std::uint64_t>(set)));
  out.why = "It fixes the number of system PTEs, at the expense of paged pool and file cache; 0 lets Windows choose.";
  out.what_to_do =
      "Unless someone knows why it is set, set SystemPages to 0 in " + std::string(kMemoryManagement) + "; restart.";
  out.numbers = {{"system_pages", set}};
  if (seen.snapshot.system_ptes_free) {
    out.what += "; " + count_words(*seen.snapshot.system_ptes_free) + " system PTEs are free";
    out.numbers.push_back({"system_ptes_free", as_number(*seen.snapshot.system_ptes_free)});
  }
  return out;
}

/// The same: 25 % of paged pool by default, 80 % at most; without effect from XP on, where only the registry itself counts.
std::optional<Finding> registry_size_limit(const Evidence& seen) {
  const BootSettings::Change* const change = seen.change_of("RegistrySizeLimit");
  const bool is_read_later = change != nullptr && seen.version() >= kWindowsXp;
  const double set = (is_read_later ? change->now : seen.setting("RegistrySizeLimit")).value_or(0);
  const PoolTotals* const paged = seen.pool(Pool::kPaged);
  if (!seen.is_x86_windows() || seen.version() == 0 || set == 0) return std::nullopt;
  Finding out;
  out.numbers = {{"registry_size_limit_bytes", set}};
  if (seen.version() >= kWindowsXp) {
    out.severity = Severity::kInfo;
    out.what = "RegistrySizeLimit is set to " + byte_words(set);
    out.why = "Windows has not read it since XP.";
    out.what_to_do = R"(Delete RegistrySizeLimit from HKLM\SYSTEM\CurrentControlSet\Control, so that nobody relies on it.)";
    return out;
  }
  if (paged == nullptr || !paged->limit || set <= as_number(paged->limit->bytes) / 3) return std::nullopt;
  out.what = "RegistrySizeLimit lets the registry take " + byte_words(set) + " of a paged pool of " + size(paged->limit->bytes);
  out.why =
      "The registry is kept in paged pool; by default it may take a quarter or a third of it. Whoever raised it by the "
      "control panel may have changed PagedPoolSize and SystemPages with it.";
  out.what_to_do = R"(Lower RegistrySizeLimit in HKLM\SYSTEM\CurrentControlSet\Control to what the registry needs, look )"
                   R"(at PagedPoolSize and SystemPages, and restart.)";
  out.numbers.push_back({"paged_pool_limit_bytes", as_number(paged->limit->bytes)});
  return out;
}

std::string setting_words(const std::optional<double>& value) {
  return value ? std::to_string(static_cast<std::uint64_t>(*value)) : std::string("not set");
}

std::optional<Finding> awaits_restart(const Evidence& seen) {
  constexpr std::size_t kShown = 8;
  if (seen.changes.empty()) return std::nullopt;
  Finding out;
  out.what = "Changed since the system started:";
  for (std::size_t i = 0; i < std::min(seen.changes.size(), kShown); ++i) {
    const BootSettings::Change& change = seen.changes[i];
    out.what +=
        (i == 0 ? " " : ", ") + change.name + " (" + setting_words(change.before) + ", now " + setting_words(change.now) + ")";
  }
  if (seen.changes.size() > kShown) out.what += " and " + std::to_string(seen.changes.size() - kShown) + " more";
  out.why =
      "Windows reads these values when it starts: they are not in force. Limits, thresholds and findings go by those "
      "before until it starts again.";
  out.what_to_do = "Restart, or set back what was not meant.";
  out.numbers = {{"changed_values", as_number(seen.changes.size())}};
  return out;
}

/// A quarter of memory that the kernel cannot give back, half of it one cache's.
std::optional<Finding> slab_cache_leads(const Evidence& seen) {
  constexpr double kOfMemory = 0.25, kOfPool = 0.5;
  const PoolTotals* const slab = seen.pool(Pool::kSlabUnreclaimable);
  const TagUsage* const leader = seen.leader(Pool::kSlabUnreclaimable);
  const double memory = as_number(seen.snapshot.physical_memory_bytes.value_or(0));
  if (slab == nullptr || leader == nullptr || memory == 0) return std::nullopt;
  const double used = as_number(*slab->bytes);
  if (used < kOfMemory * memory || as_number(leader->bytes) < kOfPool * used) return std::nullopt;
  Finding out;
  out.what = "Slab memory that cannot be reclaimed takes " + size(*slab->bytes) + " (" + percent(used / memory) +
             " of memory), and " + size(leader->bytes) + " of it is the cache " + leader->tag;
  out.why = "The kernel gives it back only when its owner frees it; a healthy system rarely has more than some percent there.";
  out.what_to_do = "Find who fills " + leader->tag + ": kmem_pool_tag_info names its module; slab tracing (slub_debug=U," +
                   leader->tag + ") or /proc/allocinfo its callers.";
  out.numbers = {
      {"slab_unreclaimable_bytes", used}, {"cache_bytes", as_number(leader->bytes)}, {"physical_memory_bytes", memory}};
  return out;
}

/// 32-bit kernels have some 100 MB of it; on 64 bit nothing comes near.
std::optional<Finding> vmalloc_near_limit(const Evidence& seen) {
  constexpr double kNear = 0.8;
  const PoolTotals* const area = seen.pool(Pool::kVmalloc);
  if (area == nullptr || !area->limit || area->limit->bytes == 0) return std::nullopt;
  const double share = as_number(*area->bytes) / as_number(area->limit->bytes);
  if (share < kNear) return std::nullopt;
  Finding out;
  out.what = "The vmalloc area is used up to " + percent(share) + ": " + size(*area->bytes) + " of " + size(area->limit->bytes);
  out.why = "When it is full, modules do not load and drivers get no buffers, however much memory is free.";
  out.what_to_do =
      "Start with a larger vmalloc= (32-bit kernels), or find who takes it: --collector.vmallocinfo lists the callers.";
  out.numbers = {{"vmalloc_bytes", as_number(*area->bytes)}, {"vmalloc_limit_bytes", as_number(area->limit->bytes)}};
  return out;
}

/// Only with vm.overcommit_memory=2 does Linux hold to CommitLimit.
std::optional<Finding> commit_enforced(const Evidence& seen) {
  constexpr double kNear = 0.9;
  const auto& commit = seen.snapshot.commit_bytes;
  const auto& limit = seen.snapshot.commit_limit_bytes;
  if (seen.snapshot.system != System::kLinux || seen.setting("vm.overcommit_memory") != 2 || !commit || !limit || *limit == 0)
    return std::nullopt;
  const double share = as_number(*commit) / as_number(*limit);
  if (share < kNear) return std::nullopt;
  Finding out;
  out.severity = share >= 0.97 ? Severity::kCritical : Severity::kWarning;
  out.what =
      "vm.overcommit_memory is 2, and " + size(*commit) + " of " + size(*limit) + " (" + percent(share) + ") are committed";
  out.why = "In that mode the kernel refuses memory at the limit, even while most of it is free.";
  out.what_to_do = "Raise vm.overcommit_ratio or vm.overcommit_kbytes, add swap, or let programs reserve less.";
  out.numbers = {{"commit_bytes", as_number(*commit)}, {"commit_limit_bytes", as_number(*limit)}};
  return out;
}

/// By the user's table (drivers.leak_signatures_file): the tag is a suspect, and the driver is here in such a version.
std::optional<Finding> known_leak(const Evidence& seen) {
  constexpr std::size_t kShown = 4;
  if (seen.known_leaks.empty()) return std::nullopt;
  Finding out;
  out.what = "Known leak:";
  for (std::size_t i = 0; i < std::min(seen.known_leaks.size(), kShown); ++i) {
    const drivers::KnownLeak& leak = seen.known_leaks[i];
    out.what += (i == 0 ? " tag " : "; tag ") + leak.tag + " (" + std::string(pool_name(leak.pool)) + "), " + leak.driver +
                (leak.version.empty() ? "" : " " + leak.version) + ": " + leak.words;
  }
  if (seen.known_leaks.size() > kShown) out.what += "; and " + std::to_string(seen.known_leaks.size() - kShown) + " more";
  out.why = "The tag grows like a leak, and the table of known leaks names this driver in this version.";
  out.what_to_do = "Do what the table says; else update or roll back the driver, and restart to get the memory back.";
  out.numbers = {{"known_leaks", as_number(seen.known_leaks.size())}};
  return out;
}

struct FindingRow {
  std::string_view name;
  std::optional<Finding> (*find)(const Evidence& seen);
};

constexpr std::array kFindings = std::to_array<FindingRow>({
    {"mapped_files_fill_paged_pool", mapped_files},
    {"paged_pool_size_takes_ptes", paged_pool_size},
    {"few_ptes_with_3gb", few_ptes_with_3gb},
    {"nonpaged_pool_small_with_3gb", nonpaged_with_3gb},
    {"system_pages_set", system_pages},
    {"registry_size_limit_set", registry_size_limit},
    {"settings_await_restart", awaits_restart},
    {"known_leak", known_leak},
    {"slab_cache_leads", slab_cache_leads},
    {"vmalloc_near_limit", vmalloc_near_limit},
    {"commit_limit_enforced", commit_enforced},
});

}  // namespace

std::string_view severity_name(Severity severity) {
  static constexpr std::array<std::string_view, 3> kNames = {"info", "warning", "critical"};
  return kNames[static_cast<std::size_t>(severity)];
}

std::vector<Finding> find_findings(const Snapshot& snapshot, std::span<const BootSettings::Change> changes,
                                   std::span<const drivers::KnownLeak> known) {
  const Evidence seen{snapshot, changes, known};
  std::vector<Finding> out;
  for (const FindingRow& row : kFindings) {
    auto found = row.find(seen);
    if (!found) continue;
    found->name = row.name;
    out.push_back(std::move(*found));
  }
  std::stable_sort(out.begin(), out.end(), [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return out;
}

std::span<const std::string_view> finding_names() {
  static constexpr auto kNames = [] {
    std::array<std::string_view, kFindings.size()> names{};
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = kFindings[i].name;
    return names;
  }();
  return kNames;
}

}  // namespace kmem::page
