#include "exporter/metrics/catalogue.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include "exporter/metrics/families.h"
#include "exporter/metrics/samples.h"
#include "exporter/trend/headroom.h"

namespace kmem::metrics {
namespace {

double value_of(std::uint64_t number) { return static_cast<double>(number); }

// --- how rows are filled ---------------------------------------------------------------------------------------------

template <auto Field>
void from_snapshot(const MetricsInput& in, Samples& out) {
  if (const auto& number = in.snapshot.*Field) out.add(value_of(*number));
}

void boot_time(const MetricsInput& in, Samples& out) {
  if (in.snapshot.boot_time) out.add(static_cast<double>(*in.snapshot.boot_time) / 1000.0);
}

void ptes_free_boot_max(const MetricsInput& in, Samples& out) {
  if (const auto& number = in.selection.system_ptes_free_boot_max) out.add(value_of(*number));
}

class NumberText {
 public:
  explicit NumberText(std::uint64_t number) : end_(std::to_chars(std::begin(text_), std::end(text_), number).ptr) {}
  [[nodiscard]] std::string_view view() const { return {text_, static_cast<std::size_t>(end_ - text_)}; }

 private:
  char text_[20];
  const char* end_;
};

template <auto Field>
void from_pool_totals(const MetricsInput& in, Samples& out) {
  for (const PoolTotals& pool : in.snapshot.pools)
    if (const auto& number = pool.*Field) out.add(value_of(*number), {pool_name(pool.pool)});
}

void pool_limit(const MetricsInput& in, Samples& out) {
  for (const PoolTotals& pool : in.snapshot.pools)
    if (pool.limit) out.add(value_of(pool.limit->bytes), {pool_name(pool.pool)});
}

void pool_limit_info(const MetricsInput& in, Samples& out) {
  for (const PoolTotals& pool : in.snapshot.pools)
    if (pool.limit) out.add(1, {pool_name(pool.pool), pool.limit->source, pool.limit->rule});
}

void pool_headroom(const MetricsInput& in, Samples& out) {
  for (const PoolTotals& pool : in.snapshot.pools)
    for (const trend::Room& room : trend::headrooms_of(pool, in.snapshot))
      if (room.known()) out.add(room.amount, {pool_name(pool.pool), trend::bound_name(room.bound)});
}

void failure_events(const MetricsInput& in, Samples& out) {
  for (const FailureEvents& events : in.snapshot.failure_events)
    out.add(value_of(events.count), {events.provider, NumberText(events.event_id).view()});
}

void failure_last_event(const MetricsInput& in, Samples& out) {
  for (const FailureEvents& events : in.snapshot.failure_events)
    if (events.last) out.add(static_cast<double>(*events.last) / 1000.0, {events.provider, NumberText(events.event_id).view()});
}

template <auto Field>
void from_pool_counters(const MetricsInput& in, Samples& out) {
  for (const select::PoolSelection& pool : in.selection.pools)
    if (const auto& number = pool.*Field) out.add(value_of(*number), {pool_name(pool.pool)});
}

// A pool without one live tag is a pool whose tags this kernel does not keep or would not show this time: nothing is
// known then, and 0 would be a lie.
bool has_live_tags(const MetricsInput& in, Pool pool) {
  return std::any_of(in.selection.pools.begin(), in.selection.pools.end(),
                     [pool](const select::PoolSelection& row) { return row.pool == pool && row.live_tags > 0; });
}

template <auto Field>
void from_tagged_pools(const MetricsInput& in, Samples& out) {
  for (const select::PoolSelection& pool : in.selection.pools)
    if (pool.live_tags > 0) out.add(value_of(pool.*Field), {pool_name(pool.pool)});
}

/// What is of all tags.
template <auto Field>
void from_whole_pools(const MetricsInput& in, Samples& out) {
  for (const select::PoolSelection& pool : in.selection.pools)
    if (pool.live_tags > 0 && pool.lists_all) out.add(value_of(pool.*Field), {pool_name(pool.pool)});
}

template <auto Field>
void from_tags(const MetricsInput& in, Samples& out) {
  out.expect(in.selection.members.size());
  std::optional<Pool> pool;
  bool live = false;
  for (const select::Member& member : in.selection.members) {
    if (pool != member.pool) {
      pool = member.pool;
      live = has_live_tags(in, member.pool);
    }
    if (live) out.add(value_of(member.*Field), {pool_name(member.pool), member.tag});
  }
}

template <auto Field>
void from_tag_counters(const MetricsInput& in, Samples& out) {
  if (!in.tag_counters) return;
  out.expect(in.selection.members.size());
  for (const select::Member& member : in.selection.members)
    if (const auto& number = member.*Field; number && (in.whole_tags || member.forced))
      out.add(value_of(*number), {pool_name(member.pool), member.tag});
}

void tag_info(const MetricsInput& in, Samples& out) {
  if (in.owners == nullptr) return;
  const std::vector<TagOwners::Row>& rows = in.owners->rows;
  if (in.owners->same_as_before && out.keep(rows.size())) return;
  out.expect(rows.size());
  for (const TagOwners::Row& row : rows) out.add(1, {pool_name(row.pool), row.tag, row.driver, row.description, row.source});
}

void process_handles(const MetricsInput& in, Samples& out) {
  for (const ProcessUsage& process : in.selection.processes)
    if (process.handles) out.add(value_of(*process.handles), {process.name, NumberText(process.pid).view()});
}

void process_pool_bytes(const MetricsInput& in, Samples& out) {
  for (const ProcessUsage& process : in.selection.processes) {
    const NumberText pid(process.pid);
    if (process.paged_pool_bytes)
      out.add(value_of(*process.paged_pool_bytes), {process.name, pid.view(), pool_name(Pool::kPaged)});
    if (process.nonpaged_pool_bytes)
      out.add(value_of(*process.nonpaged_pool_bytes), {process.name, pid.view(), pool_name(Pool::kNonpaged)});
  }
}

void session_pool_bytes(const MetricsInput& in, Samples& out) {
  for (const select::SessionPool& pool : in.selection.session_pools)
    out.add(value_of(pool.bytes), {NumberText(pool.session).view(), pool_name(pool.pool)});
}

template <auto Field>
void from_session_tags(const MetricsInput& in, Samples& out) {
  for (const select::SessionMember& member : in.selection.session_members)
    out.add(value_of(member.*Field), {NumberText(member.session).view(), pool_name(member.pool), member.tag});
}

template <auto Field>
void from_big_pool(const MetricsInput& in, Samples& out) {
  const std::vector<BigPoolUsage>& rows = in.snapshot.big_pool;
  if (rows.empty()) return;
  const auto row_of = [&rows](const select::Member& member) -> const BigPoolUsage* {
    const auto found = std::lower_bound(rows.begin(), rows.end(), member.key,
                                        [](const BigPoolUsage& row, std::uint64_t key) { return row.key < key; });
    return found != rows.end() && found->key == member.key ? &*found : nullptr;
  };
  struct Most {
    std::array<std::pair<std::uint64_t, std::uint64_t>, kMostBigTags> all;  // bytes, key; a heap, the least first
    std::size_t count = 0;
  };
  std::array<Most, 2> pools;  // paged, nonpaged: no other has any
  for (const select::Member& member : in.selection.members) {
    const BigPoolUsage* const row = row_of(member);
    if (row == nullptr) continue;
    Most& most = pools[member.pool == Pool::kPaged ? 0 : 1];
    const std::pair entry(row->bytes, row->key);
    const auto begin = most.all.begin();
    if (most.count < kMostBigTags) {
      most.all[most.count++] = entry;
    } else if (most.all.front() < entry) {
      std::pop_heap(begin, most.all.end(), std::greater<>());
      most.all.back() = entry;
    } else {
      continue;
    }
    std::push_heap(begin, begin + static_cast<std::ptrdiff_t>(most.count), std::greater<>());
  }
  for (const select::Member& member : in.selection.members) {
    const BigPoolUsage* const row = row_of(member);
    if (row != nullptr && std::pair(row->bytes, row->key) >= pools[member.pool == Pool::kPaged ? 0 : 1].all.front())
      out.add(value_of(row->*Field), {pool_name(member.pool), member.tag});
  }
}

void memory_lists(const MetricsInput& in, Samples& out) {
  for (const MemoryList& list : in.snapshot.memory_lists)
    out.add(value_of(list.bytes),
            {list.name, list.priority < 0 ? std::string_view() : NumberText(static_cast<std::uint64_t>(list.priority)).view()});
}

void kernel_memory(const MetricsInput& in, Samples& out) {
  for (const KernelMemory& row : in.snapshot.kernel_memory) out.add(value_of(row.bytes), {row.kind});
}

void os_info(const MetricsInput& in, Samples& out) {
  if (const auto& os = in.snapshot.os) out.add(1, {os->product, os->version, os->build, os->architecture});
}

void findings(const MetricsInput& in, Samples& out) {
  for (const std::string_view finding : in.findings) out.add(1, {finding});
}

void settings(const MetricsInput& in, Samples& out) {
  // The one that alerts ask for.
  for (const Setting& setting : in.snapshot.settings)
    if (!in.only_lean || setting.name == "vm.overcommit_memory") out.add(setting.value, {setting.name});
}

// --- of the trend, which may be off

void add_slopes(const TrendSlopes& slopes, Samples& out) {
  for (std::size_t i = 0; i < slopes.size(); ++i)
    if (slopes[i]) out.add(*slopes[i], {kTrendWindows[i]});
}

void pool_trend(const MetricsInput& in, Samples& out) {
  if (in.trend == nullptr) return;
  for (const TrendView::PoolSlopes& pool : in.trend->pools)
    for (std::size_t i = 0; i < pool.slopes.size(); ++i)
      if (pool.slopes[i]) out.add(*pool.slopes[i], {pool_name(pool.pool), kTrendWindows[i]});
  for (std::size_t i = 0; i < kTrendWindows.size(); ++i)
    if (const auto& slope = in.trend->unaccounted[i]) out.add(*slope, {"unaccounted", kTrendWindows[i]});
}

/// Of other tags all verdicts say 0.
bool is_told(const MetricsInput& in, const TrendView::Tag& tag) { return in.whole_tags || tag.suspect || tag.surge; }

constexpr std::size_t kWeek = 1;
static_assert(kTrendWindows[kWeek] == "7d");

void tag_trend(const MetricsInput& in, Samples& out) {
  if (in.trend == nullptr) return;
  out.expect(in.trend->tags.size() * kTrendWindows.size());
  for (const TrendView::Tag& tag : in.trend->tags)
    for (std::size_t i = 0; i < tag.slopes.size(); ++i)
      if (tag.slopes[i] && (i == kWeek || is_told(in, tag)))
        out.add(*tag.slopes[i], {pool_name(tag.pool), tag.tag, kTrendWindows[i]});
}

void tag_confidence(const MetricsInput& in, Samples& out) {
  if (in.trend == nullptr) return;
  for (const TrendView::Tag& tag : in.trend->tags)
    if (tag.confidence && is_told(in, tag)) out.add(*tag.confidence, {pool_name(tag.pool), tag.tag});
}

void tag_suspect(const MetricsInput& in, Samples& out) {
  if (in.trend == nullptr) return;
  for (const TrendView::Tag& tag : in.trend->tags)
    if (tag.confidence && is_told(in, tag)) out.add(tag.suspect ? 1 : 0, {pool_name(tag.pool), tag.tag});
}

void tag_surge(const MetricsInput& in, Samples& out) {
  if (in.trend == nullptr) return;
  for (const TrendView::Tag& tag : in.trend->tags)
    if (tag.confidence && is_told(in, tag)) out.add(tag.surge ? 1 : 0, {pool_name(tag.pool), tag.tag});
}

template <auto Field>
void tag_holder(const MetricsInput& in, Samples& out) {
  if (in.trend == nullptr) return;
  for (const TrendView::Tag& tag : in.trend->tags)
    if (!tag.holder.process.empty())
      out.add(static_cast<double>(tag.holder.*Field),
              {pool_name(tag.pool), tag.tag, tag.holder.process, NumberText(tag.holder.pid).view()});
}

void surge_suspects(const MetricsInput& in, Samples& out) {
  if (in.trend == nullptr) return;
  for (const TrendView::PoolSuspects& pool : in.trend->suspects) out.add(value_of(pool.surges), {pool_name(pool.pool)});
}

template <auto Field>
void total_trend(const MetricsInput& in, Samples& out) {
  if (in.trend != nullptr) add_slopes(in.trend->*Field, out);
}

void leak_suspects(const MetricsInput& in, Samples& out) {
  if (in.trend == nullptr) return;
  for (const TrendView::PoolSuspects& pool : in.trend->suspects) out.add(value_of(pool.suspects), {pool_name(pool.pool)});
}

template <auto Field>
void resource_verdict(const MetricsInput& in, Samples& out) {
  if (in.trend == nullptr) return;
  for (const TrendView::ResourceVerdict& verdict : in.trend->verdicts) out.add(verdict.*Field ? 1 : 0, {verdict.resource});
}

void exhaustion(const MetricsInput& in, Samples& out) {
  if (in.trend == nullptr) return;
  for (const TrendView::Runout& runout : in.trend->runouts) out.add(runout.seconds, {runout.resource});
}

void exhaustion_room(const MetricsInput& in, Samples& out) {
  if (in.trend == nullptr) return;
  for (const TrendView::Runout& runout : in.trend->runouts) out.add(runout.room, {runout.resource, runout.bound});
}

void exhaustion_pace(const MetricsInput& in, Samples& out) {
  if (in.trend == nullptr) return;
  for (const TrendView::Runout& runout : in.trend->runouts) out.add(runout.pace_per_second, {runout.resource});
}

void trend_history(const MetricsInput& in, Samples& out) {
  if (in.trend != nullptr) out.add(in.trend->history_seconds);
}

void trend_judged(const MetricsInput& in, Samples& out) {
  if (in.trend != nullptr) out.add(in.trend->judged ? 1 : 0);
}

void trend_subjects(const MetricsInput& in, Samples& out) {
  if (in.trend != nullptr) out.add(value_of(in.trend->subjects));
}

void trend_last_save(const MetricsInput& in, Samples& out) {
  if (in.trend != nullptr && in.trend->last_save_seconds) out.add(*in.trend->last_save_seconds);
}

void trend_failures(const MetricsInput& in, Samples& out) {
  if (in.trend == nullptr) return;
  for (const TrendView::Failures& failures : in.trend->failures) out.add(value_of(failures.count), {failures.reason});
}

template <typename Value>
void from_parts(const MetricsInput& in, Samples& out, Value value) {
  for (const PartStatus& part : in.snapshot.parts)
    if (part.state != PartState::kUnsupported) out.add(value(part), {part.collector});
}
void part_seconds(const MetricsInput& in, Samples& out) {
  from_parts(in, out, [](const PartStatus& part) { return part.seconds; });
}
void part_success(const MetricsInput& in, Samples& out) {
  from_parts(in, out, [](const PartStatus& part) { return part.state == PartState::kFailed ? 0.0 : 1.0; });
}
void part_last_success(const MetricsInput& in, Samples& out) {
  for (const PartStatus& part : in.snapshot.parts)
    if (part.last_success) out.add(static_cast<double>(*part.last_success) / 1000.0, {part.collector});
}
void part_skipped_rows(const MetricsInput& in, Samples& out) {
  from_parts(in, out, [](const PartStatus& part) { return value_of(part.skipped_rows); });
}

// --- the catalogue ---------------------------------------------------------------------------------------------------

constexpr auto kGauge = prometheus::MetricType::Gauge;
constexpr auto kCounter = prometheus::MetricType::Counter;
constexpr auto kHistogram = prometheus::MetricType::Histogram;
constexpr bool kLean = true;
using select::Member;
using select::PoolSelection;

// One row a metric.
// clang-format off
constexpr MetricRow kCatalogue[] = {
    {"kmem_pool_bytes", kGauge, "bytes", {"pool"},
     R"(Size of the pool. Windows: Memory\Pool Paged Bytes, Pool Nonpaged Bytes. Linux: /proc/meminfo )"
     R"(SReclaimable, SUnreclaim, VmallocUsed, Percpu.)",
     from_pool_totals<&PoolTotals::bytes>, kLean},
    {"kmem_pool_resident_bytes", kGauge, "bytes", {"pool"},
     R"(Part of the pool that is in physical memory. Windows: Memory\Pool Paged Resident Bytes.)",
     from_pool_totals<&PoolTotals::resident_bytes>},
    {"kmem_pool_limit_bytes", kGauge, "bytes", {"pool"},
     R"(Largest size that the pool can reach, by the rules in the README; no kernel has a counter for it. Windows: )"
     R"(version, memory, boot options, Session Manager\Memory Management, commit limit. Linux: /proc/meminfo MemTotal, )"
     R"(VmallocTotal.)",
     pool_limit, kLean},
    {"kmem_pool_limit_info", kGauge, "", {"pool", "source", "rule"},
     "Always 1; where kmem_pool_limit_bytes comes from: source kernel (told by Windows or Linux), registry or estimate, "
     "rule the row that gave it.",
     pool_limit_info},
    {"kmem_pool_headroom_bytes", kGauge, "bytes", {"pool", "bound"},
     "What the pool can still take before the bound; the smallest one ends it. pool_limit: kmem_pool_limit_bytes - "
     "kmem_pool_bytes; commit_limit (Windows): kmem_commit_limit_bytes - kmem_commit_bytes; available_memory (pools that "
     "never leave memory): kmem_available_bytes.",
     pool_headroom, kLean},
    {"kmem_pool_trim_threshold_bytes", kGauge, "bytes", {"pool"},
     R"(Size of the pool from which the kernel trims it. Windows before 6.0: kmem_pool_limit_bytes x )"
     R"(Memory Management\PoolUsageMaximum, 80 % unless set.)",
     from_pool_totals<&PoolTotals::trim_threshold_bytes>, kLean},
    {"kmem_pool_allocations_total", kCounter, "", {"pool"},
     R"(Allocations from the pool. Windows: Memory\Pool Paged Allocs, Pool Nonpaged Allocs, widened from 32 bit.)",
     from_pool_counters<&PoolSelection::allocations_total>},
    {"kmem_pool_frees_total", kCounter, "", {"pool"},
     "Frees to the pool. Windows: system performance information, PagedPoolFrees, NonPagedPoolFrees, widened from "
     "32 bit.",
     from_pool_counters<&PoolSelection::frees_total>},
    {"kmem_pool_lookaside_hits_total", kCounter, "", {"pool"},
     "Allocations served from lookaside lists. Windows: system performance information, PagedPoolLookasideHits, "
     "NonPagedPoolLookasideHits, widened from 32 bit.",
     from_pool_counters<&PoolSelection::lookaside_hits_total>},
    {"kmem_pool_tags", kGauge, "", {"pool"},
     "Distinct live tags that the kernel reports. Windows: pool tag table. Linux: /proc/slabinfo, "
     "/proc/vmallocinfo, /proc/allocinfo.",
     from_whole_pools<&PoolSelection::live_tags>},
    {"kmem_pool_tag_bytes", kGauge, "bytes", {"pool", "tag"},
     "Memory in use by the tag; 0 while it is gone. Windows: pool tag table, PagedUsed, NonPagedUsed. Linux: "
     "/proc/slabinfo num_slabs x pagesperslab, /proc/vmallocinfo by caller, /proc/allocinfo by module, function and "
     "file.",
     from_tags<&Member::bytes>, kLean},
    {"kmem_pool_tag_outstanding_allocations", kGauge, "", {"pool", "tag"},
     "Live allocations of the tag. Windows: pool tag table, allocs - frees modulo 2^32. Linux: /proc/slabinfo "
     "active_objs, /proc/vmallocinfo areas, /proc/allocinfo calls.",
     from_tags<&Member::outstanding>},
    {"kmem_pool_tag_allocations_total", kCounter, "", {"pool", "tag"},
     "Allocations by the tag, of suspects and tags.include, or with metrics.profile full. Windows: pool tag table, PagedAllocs, "
     "NonPagedAllocs, widened from 32 bit.",
     from_tag_counters<&Member::allocations_total>},
    {"kmem_pool_tag_frees_total", kCounter, "", {"pool", "tag"},
     "Frees by the tag, of suspects and tags.include, or with metrics.profile full. Windows: pool tag table, PagedFrees, "
     "NonPagedFrees, widened from 32 bit.",
     from_tag_counters<&Member::frees_total>},
    {"kmem_pool_tag_info", kGauge, "", {"pool", "tag", "driver", "description", "source"},
     "Always 1; who may be behind an exported tag, as far as something is known: several drivers are all possible. From "
     "pooltag.txt, a scan of driver images, this exporter's own table, or on Linux the kernel's modules.",
     tag_info, kLean},
    {"kmem_pool_tag_big_allocations", kGauge, "", {"pool", "tag"},
     "Live allocations of a page and more of the tag, part of kmem_pool_tag_outstanding_allocations, as of the last "
     "minute: of the 8 exported tags a pool with the most memory in them; absent where there are none, or where the kernel "
     "refuses. Windows: big pool table.",
     from_big_pool<&BigPoolUsage::allocations>},
    {"kmem_pool_tag_big_bytes", kGauge, "bytes", {"pool", "tag"},
     "Memory in them, part of kmem_pool_tag_bytes. Windows: big pool table.", from_big_pool<&BigPoolUsage::bytes>},
    {"kmem_pool_other_bytes", kGauge, "bytes", {"pool"},
     "Memory in use by the tags that are not exported, from the source of kmem_pool_tag_bytes.",
     from_whole_pools<&PoolSelection::other_bytes>},
    {"kmem_pool_other_outstanding_allocations", kGauge, "", {"pool"},
     "Live allocations of the tags that are not exported, from the source of kmem_pool_tag_outstanding_allocations.",
     from_whole_pools<&PoolSelection::other_outstanding>},
    {"kmem_pool_tag_evictions_total", kCounter, "", {"pool"},
     "Exported tags pushed out by the cap tags.max_exported or the bound of metrics.profile, counted by this exporter.",
     from_tagged_pools<&PoolSelection::evictions_total>},
    {"kmem_system_ptes_free", kGauge, "", {},
     R"(Windows: Memory\Free System Page Table Entries.)",
     from_snapshot<&Snapshot::system_ptes_free>, kLean},
    {"kmem_system_ptes_free_boot_max", kGauge, "", {},
     R"(Highest Memory\Free System Page Table Entries that this exporter saw since boot (Windows).)",
     ptes_free_boot_max, kLean},
    {"kmem_commit_bytes", kGauge, "bytes", {},
     R"(Committed memory. Windows: Memory\Committed Bytes. Linux: /proc/meminfo Committed_AS.)",
     from_snapshot<&Snapshot::commit_bytes>, kLean},
    {"kmem_commit_limit_bytes", kGauge, "bytes", {},
     R"(Most that can be committed. Windows: Memory\Commit Limit. Linux: /proc/meminfo CommitLimit, binding only )"
     R"(with vm.overcommit_memory=2.)",
     from_snapshot<&Snapshot::commit_limit_bytes>, kLean},
    {"kmem_commit_peak_bytes", kGauge, "bytes", {},
     "Highest committed memory since boot. Windows: system performance information, PeakCommitment.",
     from_snapshot<&Snapshot::commit_peak_bytes>},
    {"kmem_physical_memory_bytes", kGauge, "bytes", {},
     "Installed memory that the kernel manages. Windows: system basic information, NumberOfPhysicalPages. Linux: "
     "/proc/meminfo MemTotal.",
     from_snapshot<&Snapshot::physical_memory_bytes>, kLean},
    {"kmem_available_bytes", kGauge, "bytes", {},
     R"(Memory to be had without paging. Windows: Memory\Available Bytes. Linux: /proc/meminfo MemAvailable.)",
     from_snapshot<&Snapshot::available_bytes>, kLean},
    {"kmem_file_cache_bytes", kGauge, "bytes", {},
     R"(File cache. Windows: Memory\Cache Bytes. Linux: /proc/meminfo Cached.)",
     from_snapshot<&Snapshot::file_cache_bytes>},
    {"kmem_file_cache_peak_bytes", kGauge, "bytes", {},
     R"(Largest file cache since boot. Windows: Memory\Cache Bytes Peak.)",
     from_snapshot<&Snapshot::file_cache_peak_bytes>},
    {"kmem_kernel_stack_bytes", kGauge, "bytes", {},
     "Stacks of kernel threads and of threads inside the kernel. Linux: /proc/meminfo KernelStack.",
     from_snapshot<&Snapshot::kernel_stack_bytes>},
    {"kmem_page_table_bytes", kGauge, "bytes", {},
     "Page tables of user address spaces. Linux: /proc/meminfo PageTables. Windows from 11 24H2 and Server 2025 on: system "
     "performance information.",
     from_snapshot<&Snapshot::page_table_bytes>},
    {"kmem_memory_list_bytes", kGauge, "bytes", {"list", "priority"},
     "Physical memory by list: zero, free, modified, modified_no_write, bad, and standby by priority. Windows: system "
     "memory list information.",
     memory_lists},
    {"kmem_kernel_memory_bytes", kGauge, "bytes", {"kind"},
     "What else this kernel says that it keeps. cache_resident: system cache in memory; cache_dirty: of it to be written; "
     "driver, driver_resident: pageable drivers; code_resident: pageable kernel code; resident_available: what could "
     "still be locked; shared_commit; mdl: pages that drivers allocated; pfn_database; contiguous. Windows: system "
     "performance information, as far as the version has them.",
     kernel_memory},
    {"kmem_unaccounted_bytes", kGauge, "bytes", {},
     "Physical memory in use that no counter names (driver locked, AWE, large pages, mapped files, page tables, stacks): "
     "physical - available - modified - working sets - nonpaged pool - resident paged pool - resident system cache - "
     "resident drivers - resident kernel code. Working sets are the private ones, before NT 6.0 whole ones; modified "
     "pages are 0 where kmem_memory_list_bytes is absent. Windows: computed by this exporter.",
     from_snapshot<&Snapshot::unaccounted_bytes>},
    {"kmem_process_handles", kGauge, "", {"process", "pid"},
     R"(Handles of the leading processes. Windows: Process\Handle Count. Linux: descriptors in /proc/PID/fd.)",
     process_handles},
    {"kmem_process_pool_bytes", kGauge, "bytes", {"process", "pid", "pool"},
     R"(Pool quota charged to the leading processes; what drivers allocate is not in it. Windows: Process\Pool )"
     R"(Paged Bytes, Pool Nonpaged Bytes.)",
     process_pool_bytes},
    {"kmem_pool_failure_events_total", kCounter, "", {"provider", "event_id"},
     "Times that the kernel said that memory ran out. Windows: System event log, Srv 2017-2020 and "
     "Resource-Exhaustion-Detector 2004, from the oldest that the log held when this exporter first looked. Linux: "
     "/proc/vmstat oom_kill, allocstall, since boot.",
     failure_events, kLean},
    {"kmem_pool_failure_last_event_timestamp_seconds", kGauge, "seconds", {"provider", "event_id"},
     "When that last happened, since 1970-01-01 UTC. Windows: System event log. Linux: seen by this exporter in "
     "/proc/vmstat.",
     failure_last_event, kLean},
    {"kmem_session_pool_bytes", kGauge, "bytes", {"session", "pool"},
     "Memory in use by all tags of a terminal-services session's own pool, which is not in kmem_pool_tag_bytes. "
     "Windows: session pool tag table.",
     session_pool_bytes},
    {"kmem_session_pool_tag_bytes", kGauge, "bytes", {"session", "pool", "tag"},
     "Memory in use by the leading tags of a session's own pool; 0 while a tag is gone. Windows: session pool tag "
     "table, PagedUsed, NonPagedUsed.",
     from_session_tags<&select::SessionMember::bytes>},
    {"kmem_session_pool_tag_outstanding_allocations", kGauge, "", {"session", "pool", "tag"},
     "Live allocations of the leading tags of a session's own pool. Windows: session pool tag table, allocs - frees "
     "modulo 2^32.",
     from_session_tags<&select::SessionMember::outstanding>},
    {"kmem_memory_management_setting", kGauge, "", {"name"},
     R"(Settings that exist, in their own units. Windows: registry values of Session Manager\Memory Management, )"
     R"(and Control\RegistrySizeLimit. Linux: /proc/sys/vm.)",
     settings, kLean},
    {"kmem_finding", kGauge, "", {"finding"},
     "1 while this exporter finds that of the host's set-up or state: what, why and what to do is on its page, in "
     "/api/v1/status and in the runbook KmemFinding. Absent otherwise.",
     findings, kLean},
    {"kmem_os_info", kGauge, "", {"product", "version", "build", "architecture"},
     "Always 1; which system this is. Windows: registry ProductName and CSDVersion, RtlGetVersion. Linux: os-release, "
     "/proc/sys/kernel/osrelease, version, arch.",
     os_info, kLean},
    {"kmem_boot_time_seconds", kGauge, "seconds", {},
     "When the kernel started, since 1970-01-01 UTC. Windows: system time-of-day information, BootTime. Linux: "
     "/proc/stat btime.",
     boot_time, kLean},

    {"kmem_pool_trend_bytes_per_second", kGauge, "", {"pool", "window"},
     "Slope of the floor of kmem_pool_bytes over the window, of kmem_unaccounted_bytes as pool unaccounted, computed by this "
     "exporter; absent while there is too "
     "little history.",
     pool_trend, kLean},
    {"kmem_pool_tag_trend_bytes_per_second", kGauge, "", {"pool", "tag", "window"},
     "Slope of the floor of kmem_pool_tag_bytes over the window, computed by this exporter; 1d and 28d of suspects, or with "
     "metrics.profile full; 5m, 1h and 6h only while it surges (kmem_pool_tag_surge_suspect).", tag_trend, kLean},
    {"kmem_pool_tag_leak_confidence", kGauge, "", {"pool", "tag"},
     "How strongly the growth speaks for a leak, by this exporter's trend: 0 no sign, 0.5 just enough, near 1 far "
     "beyond; of suspects, or with metrics.profile full.",
     tag_confidence, kLean},
    {"kmem_pool_tag_leak_suspect", kGauge, "", {"pool", "tag"},
     "1 if this exporter's trend calls the growth of the tag a leak, else 0, which is told of tags that surge, or with "
     "metrics.profile full.", tag_suspect, kLean},
    {"kmem_pool_tag_holder_share", kGauge, "", {"pool", "tag", "process", "pid"},
     "Of a suspect that is an object's tag (Even, Thre, File): the share of its growth, 0 to 1, that goes with the handles "
     "of this process; absent where no process stands out. By this exporter's trend, and by handles of the type where the "
     "kernel tells them.",
     tag_holder<&TrendView::Holder::share>, kLean},
    {"kmem_pool_tag_holder_handles", kGauge, "", {"pool", "tag", "process", "pid"},
     "Handles that this process has: of the tag's type where the kernel tells them, else all. Windows: Process\\Handle "
     "Count, system handle information. Linux: /proc/PID/fd.",
     tag_holder<&TrendView::Holder::handles>, kLean},
    {"kmem_leak_suspects", kGauge, "", {"pool"},
     "Tags whose growth this exporter's trend calls a leak, exported or not.", leak_suspects, kLean},
    {"kmem_pool_tag_surge_suspect", kGauge, "", {"pool", "tag"},
     "1 if the tag grows now, over minutes, hours or days, beyond all that it held before and towards an end, by this "
     "exporter's trend, else 0, which is told of tags that leak, or with metrics.profile full. Load can do this, too: it claims "
     "no fault.", tag_surge, kLean},
    {"kmem_surge_suspects", kGauge, "", {"pool"},
     "Tags that grow now, beyond all that they held before, by this exporter's trend, exported or not.", surge_suspects, kLean},
    {"kmem_resource_leak_suspect", kGauge, "", {"resource"},
     "1 if this exporter's trend calls the growth of the pool as a whole, of commit, free PTEs or unaccounted memory a leak, "
     "whether a tag of it is one or not, else 0.",
     resource_verdict<&TrendView::ResourceVerdict::leak>, kLean},
    {"kmem_resource_surge_suspect", kGauge, "", {"resource"},
     "1 if the resource grows now, beyond all that it held before, by this exporter's trend, else 0.",
     resource_verdict<&TrendView::ResourceVerdict::surge>, kLean},
    {"kmem_commit_trend_bytes_per_second", kGauge, "", {"window"},
     "Slope of the floor of kmem_commit_bytes over the window, computed by this exporter.",
     total_trend<&TrendView::commit>, kLean},
    {"kmem_system_ptes_trend_per_second", kGauge, "", {"window"},
     "Slope of kmem_system_ptes_free over the window, computed by this exporter; negative = being used up.",
     total_trend<&TrendView::system_ptes>, kLean},
    {"kmem_exhaustion_seconds", kGauge, "seconds", {"resource"},
     "Time until the resource's smallest bound on the trend that this exporter finds credible: kmem_exhaustion_room / "
     "kmem_exhaustion_pace_per_second; +Inf if none leads there. Absent where no limit is known.",
     exhaustion, kLean},
    {"kmem_exhaustion_room", kGauge, "", {"resource", "bound"},
     "What kmem_exhaustion_seconds divides: bytes, of system_ptes entries, that were left to the smallest bound at the "
     "tightest moment of the last day.",
     exhaustion_room, kLean},
    {"kmem_exhaustion_pace_per_second", kGauge, "", {"resource"},
     "What kmem_exhaustion_seconds divides by: growth that this exporter finds credible, of a pool at least that of its "
     "leaking tags; 0 if there is none.",
     exhaustion_pace, kLean},
    {"kmem_trend_history_seconds", kGauge, "seconds", {},
     "How far back this exporter's history reaches, at most 56 days.", trend_history, kLean},
    {"kmem_trend_judged", kGauge, "", {},
     "1 if this exporter's history suffices to tell a leak, which takes 7 days; while it is 0, no suspect means nothing.",
     trend_judged, kLean},
    {"kmem_trend_subjects", kGauge, "", {},
     "Tags, totals and processes of which this exporter keeps history.", trend_subjects},
    {"kmem_trend_state_last_save_timestamp_seconds", kGauge, "seconds", {},
     "When this exporter last wrote its history to storage.path, since 1970-01-01 UTC.", trend_last_save, kLean},
    {"kmem_trend_state_failures_total", kCounter, "", {"reason"},
     "Times that this exporter could not write its history, or could not use what it had kept.", trend_failures, kLean},

    {"kmem_scrape_collector_duration_seconds", kGauge, "seconds", {"collector"},
     "Time to read and parse one part of the kernel's answers; measured by this exporter.", part_seconds},
    {"kmem_scrape_collector_success", kGauge, "", {"collector"},
     "1 if this exporter could read the part, even with some rows refused (kmem_scrape_collector_skipped_rows); 0 "
     "if it exists but could not be read or understood. Absent if this kernel does not have the part or it is "
     "switched off.",
     part_success, kLean},
    {"kmem_scrape_collector_last_success_timestamp_seconds", kGauge, "seconds", {"collector"},
     "When this exporter last read the part, since 1970-01-01 UTC: how old its figures are while "
     "kmem_scrape_collector_success is 0 because the kernel does not answer. They are shown for 5 minutes.",
     part_last_success},
    {"kmem_scrape_collector_skipped_rows", kGauge, "", {"collector"},
     "Rows of the part that this exporter refused in this reading: malformed, or beyond a bound.", part_skipped_rows},

    {"kmem_exporter_build_info", kGauge, "", {"version", "revision", "compiler"},
     "Always 1; the labels say what this exporter was built from.", nullptr, kLean},
    {"kmem_exporter_http_requests_total", kCounter, "", {"handler", "code"},
     "HTTP requests answered by this exporter.", nullptr},
    {"kmem_exporter_http_request_duration_seconds", kHistogram, "seconds", {},
     "Time from a complete HTTP request to its answer; measured by this exporter.", nullptr},
    {"kmem_exporter_guard_rejections_total", kCounter, "", {"reason"},
     "Connections that this exporter closed or refused before a handler saw a request.", nullptr},
    {"kmem_exporter_series_left_out_total", kCounter, "", {},
     "Series that this exporter left out of its pages, which would have been refused with them: repeated, or with "
     "names that are not legal.",
     nullptr, kLean},
    {"kmem_exporter_config_last_reload_successful", kGauge, "", {},
     "1 if the configuration was accepted when it was last read, else 0 and the one before stays in force.", nullptr, kLean},
    {"kmem_exporter_config_last_reload_success_timestamp_seconds", kGauge, "seconds", {},
     "When the configuration in force was read, since 1970-01-01 UTC.", nullptr},
    {"process_cpu_seconds_total", kCounter, "seconds", {},
     "User and system CPU time of this exporter.", nullptr, kLean},
    {"process_resident_memory_bytes", kGauge, "bytes", {},
     "Resident memory of this exporter. Windows: its working set.", nullptr, kLean},
    {"process_start_time_seconds", kGauge, "seconds", {},
     "When this exporter started, since 1970-01-01 UTC.", nullptr, kLean},
    {"process_open_fds", kGauge, "", {},
     "Open descriptors of this exporter (Linux).", nullptr},
    {"process_handles", kGauge, "", {},
     "Open handles of this exporter (Windows).", nullptr},
};
// clang-format on

}  // namespace

std::span<const MetricRow> catalogue() { return kCatalogue; }

const MetricRow& catalogue_row(std::string_view name) {
  const auto row = std::find_if(std::begin(kCatalogue), std::end(kCatalogue),
                                [name](const MetricRow& candidate) { return candidate.name == name; });
  assert(row != std::end(kCatalogue));
  return *row;
}

}  // namespace kmem::metrics
