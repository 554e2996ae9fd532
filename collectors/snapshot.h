// STAGE 1 out: the shared words of the program. A Snapshot is one reading of a kernel, parsed: totals, tags,
// processes, settings, and how each part of the reading went. What the kernel did not give is nullopt, never 0.
// 32-bit kernel counters stay raw here; exporter/select/counter_widener.h widens them.
// Thread: value type; one writer fills it, then it is read-only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/fnv.h"
#include "collectors/base/pool.h"
#include "collectors/raw_frame.h"

namespace kmem {

/// Where a pool ends. No kernel has a counter for it; `source` says how it is known.
struct PoolLimit {
  std::uint64_t bytes = 0;
  std::string source;  // kernel | registry | estimate
  std::string rule;    // the row of the rules that gave it
};

struct PoolTotals {
  Pool pool = Pool::kPaged;
  std::optional<std::uint64_t> bytes;
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::uint32_t> allocations;     // raw, wraps modulo 2^32
  std::optional<std::uint32_t> frees;           // raw
  std::optional<std::uint32_t> lookaside_hits;  // raw
  std::optional<PoolLimit> limit = {};
  std::optional<std::uint64_t> trim_threshold_bytes = {};  // where the kernel begins to take memory back
};

/// How often the kernel refused memory, by its own account. `count` never falls while this program runs.
struct FailureEvents {
  std::string provider;        // Srv | Microsoft-Windows-Resource-Exhaustion-Detector | vmstat_*
  std::uint32_t event_id = 0;  // Linux has none: 0
  std::uint64_t count = 0;
  std::optional<base::UnixMillis> last;
};

/// A place in an event log: the newest record that was looked at.
struct EventCursor {
  std::uint64_t record_id = 0;
  base::UnixMillis time = 0;
};

/// One record of an event log that says that memory ran out.
struct FailureRecord {
  std::string provider;
  std::uint32_t event_id = 0;
  std::uint64_t record_id = 0;
  base::UnixMillis time = 0;
  std::string detail;  // legal label text
};

/// What an event log gained. The same reader's records are numbered, so that a reading seen twice counts once.
struct EventLogReading {
  std::uint64_t origin = 0;  // of the reader
  std::uint64_t first = 0;   // number of the first record below
  EventCursor cursor;
  std::vector<FailureRecord> records;  // oldest first
  std::uint64_t left_out = 0;          // older ones beyond the bound for one look
};

/// One pool tag, slab cache, vmalloc caller or allocation site.
struct TagUsage {
  Pool pool = Pool::kPaged;
  std::uint8_t counter_bits = 0;  // width of allocations and frees: 0 = the kernel keeps none, else 32 or 64
  std::uint64_t key = 0;          // tag_key(pool, tag): identity for fast look-up
  std::string tag;                // legal label text
  std::uint64_t bytes = 0;
  std::uint64_t outstanding = 0;  // live allocations
  std::uint64_t allocations = 0;  // raw kernel counter
  std::uint64_t frees = 0;        // raw kernel counter
  bool has_outstanding = true;    // false: a recording that did not count them
};

/// FNV-1a over the pool and the tag's text.
[[nodiscard]] constexpr std::uint64_t tag_key(Pool pool, std::string_view tag) {
  return base::fnv1a(tag, (base::kFnvStart ^ static_cast<std::uint64_t>(pool)) * base::kFnvPrime);
}

struct ProcessUsage {
  std::uint64_t pid = 0;
  std::string name;                               // legal label text
  std::optional<std::uint64_t> handles;           // Linux: open descriptors
  std::optional<std::uint64_t> paged_pool_bytes;  // Windows: quota charged
  std::optional<std::uint64_t> nonpaged_pool_bytes;
  std::optional<std::uint64_t> working_set_bytes = {};  // Windows: the private part where the kernel tells it (6.0)
  std::optional<base::UnixMillis> started = {};         // tells two processes of one id apart
};

/// Of the allocations of a page and more, the sum of one tag.
struct BigPoolUsage {
  Pool pool = Pool::kPaged;
  std::uint64_t key = 0;  // tag_key(pool, tag)
  std::string tag;        // legal label text
  std::uint64_t allocations = 0;
  std::uint64_t bytes = 0;
};

/// A list of physical pages. Names are literals: zero, free, modified, modified_no_write, bad, standby.
struct MemoryList {
  std::string_view name;
  int priority = -1;  // 0 to 7 of standby, else -1
  std::uint64_t bytes = 0;
};

/// What else the kernel says that it keeps. Kinds are literals: windows_parse.cpp lists them.
struct KernelMemory {
  std::string_view kind;
  std::uint64_t bytes = 0;
};

/// What a process holds of a type of objects: "Event", "Thread", as the kernel names them.
struct ObjectHandles {
  std::uint64_t pid = 0;
  std::string type;  // legal label text
  std::uint64_t handles = 0;
};

/// What one terminal-services session holds of the pools of its own (window manager, graphics), which the table of
/// all tags does not list.
struct SessionTagUsage {
  std::uint32_t session = 0;
  TagUsage usage;
};

/// Which system this is, as label text. Windows: ProductName with its service pack, "5.2", "3790", "x86". Linux: PRETTY_NAME,
/// the kernel's release, its build line, "x86_64". What was not told is empty.
struct OsInfo {
  std::string product, version, build, architecture;

  bool operator==(const OsInfo&) const = default;
};

struct Setting {
  std::string name;  // registry value or sysctl ("vm.min_free_kbytes")
  double value = 0;
};

/// The setting of that name; nullopt: it is not among them.
[[nodiscard]] inline std::optional<double> setting_in(const std::vector<Setting>& all, std::string_view name) {
  for (const Setting& one : all)
    if (one.name == name) return one.value;
  return std::nullopt;
}

enum class PartState : std::uint8_t {
  kOk,           // read whole
  kPartial,      // read, but some rows were refused: skipped_rows says how many
  kFailed,       // exists but could not be read or understood
  kUnsupported,  // this kernel does not have it
};

/// How one part (a collector, in Prometheus' words) went.
struct PartStatus {
  std::string collector;  // "slabinfo", "pool_tags"
  PartState state = PartState::kOk;
  std::string reason;  // for people; empty when kOk
  double seconds = 0;  // kernel time and parsing
  std::uint64_t skipped_rows = 0;
  bool no_answer = false;     // kFailed because it does not return; the snapshot may hold its figures of `time`
  base::UnixMillis time = 0;  // when it was read last, as far as that is not the snapshot's time
  std::optional<base::UnixMillis> last_success = {};  // the agent's memory over readings
};

/// Of which lists rows are missing that the kernel had, as of a table that is cut or torn: what they do not name is not
/// known, and not 0.
struct Gaps {
  std::uint8_t pools = 0;  // a bit a Pool: of its tags
  bool processes = false;

  void add(Pool pool) { pools = static_cast<std::uint8_t>(pools | 1U << static_cast<unsigned>(pool)); }
  [[nodiscard]] bool has(Pool pool) const { return (pools >> static_cast<unsigned>(pool) & 1U) != 0; }
};

struct Snapshot {
  System system = System::kLinux;
  base::UnixMillis time = 0;
  std::optional<base::UnixMillis> boot_time;
  bool repeated = false;  // nothing new could be read: it is the snapshot of `time` again

  std::vector<PoolTotals> pools;
  std::vector<TagUsage> tags;  // one row a (pool, tag); no duplicates; dead tags (0 bytes, 0 outstanding) left out
  std::vector<SessionTagUsage> session_tags;  // likewise, one row a (session, pool, tag); sessions together
  std::vector<ProcessUsage> processes;        // all of them, unordered; selection narrows
  std::vector<ObjectHandles> object_handles;  // Windows, while a suspect asks for them: the leading rows, most first
  std::vector<BigPoolUsage> big_pool;         // Windows, by key; empty where the kernel refuses it
  std::vector<MemoryList> memory_lists;       // Windows, likewise
  std::vector<KernelMemory> kernel_memory;    // Windows: what this version counts
  Gaps gaps;                                  // in tags and processes
  std::vector<Setting> settings;
  std::vector<PartStatus> parts;
  std::vector<FailureEvents> failure_events;  // of kinds this kernel can tell; count 0 = none so far
  std::optional<EventLogReading> event_log;   // what is to be added to them

  std::optional<OsInfo> os;
  std::optional<std::uint64_t> user_address_space_bytes;  // x86 Windows: beyond 2 GiB with /3GB, /USERVA
  std::optional<std::uint64_t> system_ptes_free;
  std::optional<std::uint64_t> commit_bytes;
  std::optional<std::uint64_t> commit_limit_bytes;
  std::optional<std::uint64_t> commit_peak_bytes;
  std::optional<std::uint64_t> physical_memory_bytes;
  std::optional<std::uint64_t> available_bytes;
  std::optional<std::uint64_t> file_cache_bytes;
  std::optional<std::uint64_t> file_cache_peak_bytes;
  std::optional<std::uint64_t> kernel_stack_bytes;
  std::optional<std::uint64_t> page_table_bytes;
  std::optional<std::uint64_t> unaccounted_bytes;  // Windows: in use by nobody that the kernel names; unaccounted.h has the sum

  /// Empty again, with the vectors' memory kept for the next reading.
  void clear() {
    Snapshot empty;
    empty.pools.swap(pools);
    empty.tags.swap(tags);
    empty.processes.swap(processes);
    empty.settings.swap(settings);
    empty.parts.swap(parts);
    empty.failure_events.swap(failure_events);
    empty.session_tags.swap(session_tags);
    empty.object_handles.swap(object_handles);
    empty.big_pool.swap(big_pool);
    empty.memory_lists.swap(memory_lists);
    empty.kernel_memory.swap(kernel_memory);
    empty.pools.clear();
    empty.tags.clear();
    empty.processes.clear();
    empty.settings.clear();
    empty.parts.clear();
    empty.failure_events.clear();
    empty.session_tags.clear();
    empty.object_handles.clear();
    empty.big_pool.clear();
    empty.memory_lists.clear();
    empty.kernel_memory.clear();
    *this = std::move(empty);
  }
};

// --- the one table of fields: what merges readings goes through it, so that none can be forgotten. A field that is added
// breaks the count below until it stands here.

namespace fields {

/// Takes the place of any field, to count them.
struct Anything {
  template <typename T>
  operator T() const;
};

template <typename T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), Anything{})...}; };
}
/// How many fields an aggregate has.
template <typename T, std::size_t N = 0>
constexpr std::size_t count() {
  if constexpr (takes<T>(std::make_index_sequence<N + 1>())) return count<T, N + 1>();
  else return N;
}

}  // namespace fields

inline constexpr std::tuple kPoolFields{
    &PoolTotals::pool,  &PoolTotals::bytes,          &PoolTotals::resident_bytes, &PoolTotals::allocations,
    &PoolTotals::frees, &PoolTotals::lookaside_hits, &PoolTotals::limit,          &PoolTotals::trim_threshold_bytes};

inline constexpr std::tuple kSnapshotFields{&Snapshot::system,
                                            &Snapshot::time,
                                            &Snapshot::boot_time,
                                            &Snapshot::repeated,
                                            &Snapshot::pools,
                                            &Snapshot::tags,
                                            &Snapshot::session_tags,
                                            &Snapshot::processes,
                                            &Snapshot::object_handles,
                                            &Snapshot::big_pool,
                                            &Snapshot::memory_lists,
                                            &Snapshot::kernel_memory,
                                            &Snapshot::gaps,
                                            &Snapshot::settings,
                                            &Snapshot::parts,
                                            &Snapshot::failure_events,
                                            &Snapshot::event_log,
                                            &Snapshot::os,
                                            &Snapshot::user_address_space_bytes,
                                            &Snapshot::system_ptes_free,
                                            &Snapshot::commit_bytes,
                                            &Snapshot::commit_limit_bytes,
                                            &Snapshot::commit_peak_bytes,
                                            &Snapshot::physical_memory_bytes,
                                            &Snapshot::available_bytes,
                                            &Snapshot::file_cache_bytes,
                                            &Snapshot::file_cache_peak_bytes,
                                            &Snapshot::kernel_stack_bytes,
                                            &Snapshot::page_table_bytes,
                                            &Snapshot::unaccounted_bytes};

static_assert(std::tuple_size_v<decltype(kPoolFields)> == fields::count<PoolTotals>(),
              "a field of PoolTotals is missing above");
static_assert(std::tuple_size_v<decltype(kSnapshotFields)> == fields::count<Snapshot>(),
              "a field of Snapshot is missing above");

/// visit(mine.field, theirs.field) for every field of the table.
template <typename Table, typename T, typename Visit>
void for_each_field(const Table& table, T& mine, T& theirs, Visit visit) {
  std::apply([&](auto... field) { (visit(mine.*field, theirs.*field), ...); }, table);
}

}  // namespace kmem
