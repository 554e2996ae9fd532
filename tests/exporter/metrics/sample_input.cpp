#include "tests/exporter/metrics/sample_input.h"

#include <algorithm>
#include <limits>
#include <sstream>

namespace kmem::metrics {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr double kNever = std::numeric_limits<double>::infinity();

select::Member member(Pool pool, std::string tag, std::uint64_t bytes, std::uint64_t outstanding) {
  select::Member out;
  out.pool = pool;
  out.key = tag_key(pool, tag);
  out.tag = std::move(tag);
  out.present = bytes > 0;
  out.bytes = bytes;
  out.outstanding = outstanding;
  return out;
}

select::Member counted(Pool pool, std::string tag, std::uint64_t bytes, std::uint64_t allocations, std::uint64_t frees) {
  select::Member out = member(pool, std::move(tag), bytes, allocations - frees);
  out.allocations_total = allocations;
  out.frees_total = frees;
  return out;
}

/// Totals that neither system below has by hand, such as one that was just added.
void fill_the_rest(Snapshot& mine, Snapshot theirs) {
  std::uint64_t made_up = 0;
  for_each_field(kSnapshotFields, mine, theirs, [&made_up]<typename T>(T& field, T& there) {
    if constexpr (std::is_same_v<T, std::optional<std::uint64_t>>) {
      ++made_up;
      if (!field && !there) field = made_up * kMiB;
    }
  });
}

}  // namespace

SampleInput linux_input() {
  SampleInput in;
  Snapshot& snapshot = in.snapshot;
  snapshot.system = System::kLinux;
  snapshot.os = OsInfo{"Debian GNU/Linux 12 (bookworm)", "6.1.0-18-amd64", "#1 SMP Debian 6.1.76-1", "x86_64"};
  snapshot.time = 1'767'225'600'000;
  snapshot.boot_time = 1'766'000'000'000;
  snapshot.pools = {{Pool::kSlabReclaimable, 90 * kMiB, {}, {}, {}, {}},
                    {Pool::kSlabUnreclaimable, 24 * kMiB, {}, {}, {}, {}, PoolLimit{24000 * kMiB, "kernel", "MemTotal"}},
                    {Pool::kVmalloc, 40 * kMiB, {}, {}, {}, {}, PoolLimit{1ULL << 45, "kernel", "VmallocTotal"}},
                    {Pool::kPercpu, 2 * kMiB, {}, {}, {}, {}}};
  snapshot.settings = {{"vm.min_free_kbytes", 67584}, {"vm.swappiness", 60}, {"vm.vfs_cache_pressure", 100}};
  snapshot.parts = {{"meminfo", PartState::kOk, "", 0.00003125, 0},
                    {"slabinfo", PartState::kPartial, "1 row is malformed", 0.00075, 1},
                    {"vmallocinfo", PartState::kFailed, "permission denied", 0.000001, 0},
                    {"allocinfo", PartState::kUnsupported, "no /proc/allocinfo", 0, 0}};
  snapshot.parts[0].last_success = snapshot.time;
  snapshot.failure_events = {{"vmstat_oom_kill", 0, 0, {}}, {"vmstat_allocstall", 0, 12, 1'767'000'000'000}};
  snapshot.commit_bytes = 512 * kMiB;
  snapshot.commit_limit_bytes = 12000 * kMiB;
  snapshot.physical_memory_bytes = 24000 * kMiB;
  snapshot.available_bytes = 23500 * kMiB;
  snapshot.file_cache_bytes = 44 * kMiB;
  snapshot.kernel_stack_bytes = 1540 * 1024;
  snapshot.page_table_bytes = 2256 * 1024;

  in.selection.members = {member(Pool::kSlabReclaimable, "dentry", 48 * kMiB, 250'000),
                          member(Pool::kSlabReclaimable, "ext4_inode_cache", 32 * kMiB, 28'000),
                          member(Pool::kSlabUnreclaimable, "kmalloc-64", 8 * kMiB, 131'000),
                          member(Pool::kSlabUnreclaimable, "bio-120", 0, 0)};
  in.selection.pools = {{Pool::kSlabReclaimable, 40, 10 * kMiB, 15'000, 0, {}, {}, {}},
                        {Pool::kSlabUnreclaimable, 190, 15 * kMiB, 77'000, 2, {}, {}, {}},
                        {Pool::kVmalloc, 0, 0, 0, 0, {}, {}, {}},
                        {Pool::kPercpu, 0, 0, 0, 0, {}, {}, {}}};
  in.trend.tags = {{Pool::kSlabReclaimable, "dentry", {12.5, {}, {}}, {}, false},
                   {Pool::kSlabReclaimable, "ext4_inode_cache", {}, {}, false},
                   {Pool::kSlabUnreclaimable, "kmalloc-64", {0, -1.25, {}}, 0.125, false},
                   {Pool::kSlabUnreclaimable, "bio-120", {}, 0, false}};
  in.owners.rows = {{Pool::kSlabReclaimable, "dentry", "", "names of files seen", "builtin"},
                    {Pool::kSlabReclaimable, "ext4_inode_cache", "ext4", "ext4", "modules"}};
  in.trend.pools = {{Pool::kSlabReclaimable, {12.5, 3, {}}}, {Pool::kVmalloc, {0, {}, {}}}, {Pool::kPercpu, {}}};
  in.trend.suspects = {{Pool::kSlabUnreclaimable, 0}};
  in.trend.verdicts = {{"slab_unreclaimable", true, false}};
  in.trend.runouts = {{"slab_unreclaimable", kNever, 600 * kMiB, "available_memory", 0}};
  in.trend.commit = {100, 50, {}};
  in.trend.history_seconds = 800'000;
  in.trend.subjects = 240;
  in.selection.processes = {{1, "systemd", 120, {}, {}}, {4242, "a \"quoted\" name", 64, {}, {}}};
  fill_the_rest(snapshot, windows_input().snapshot);
  return in;
}

SampleInput windows_input() {
  SampleInput in;
  Snapshot& snapshot = in.snapshot;
  snapshot.system = System::kWindows;
  snapshot.os = OsInfo{"Microsoft Windows Server 2003 R2 Service Pack 2", "5.2", "3790", "x86"};
  snapshot.time = 1'767'225'600'000;
  snapshot.boot_time = 1'766'000'000'500;
  snapshot.pools = {{Pool::kPaged, 180 * kMiB, 120 * kMiB, 4'000'000'000U, 3'999'000'000U, 77U,
                     PoolLimit{343 * kMiB, "kernel", "x86_registry_quota"}, 343 * kMiB * 6 / 10},
                    {Pool::kNonpaged, 60 * kMiB, {}, 9U, 4U, 3U, PoolLimit{256 * kMiB, "estimate", "x86_2003"}}};
  snapshot.settings = {{"PagedPoolSize", 4294967295.0}, {"PoolUsageMaximum", 60}};
  snapshot.parts = {{"performance", PartState::kOk, "", 0.0000125, 0}, {"pool_tags", PartState::kOk, "", 0.0005, 0}};
  snapshot.parts[0].last_success = snapshot.time;
  snapshot.failure_events = {{"Srv", 2019, 0, {}}, {"Srv", 2020, 3, 1'767'225'599'000}};
  snapshot.system_ptes_free = 12'345;
  snapshot.commit_bytes = 900 * kMiB;
  snapshot.commit_limit_bytes = 4000 * kMiB;
  snapshot.commit_peak_bytes = 1500 * kMiB;
  snapshot.physical_memory_bytes = 2048 * kMiB;
  snapshot.available_bytes = 700 * kMiB;
  snapshot.file_cache_bytes = 150 * kMiB;
  snapshot.file_cache_peak_bytes = 300 * kMiB;
  snapshot.big_pool = {{Pool::kPaged, tag_key(Pool::kPaged, "CM31"), "CM31", 1'200, 18 * kMiB}};
  snapshot.memory_lists = {
      {"zero", -1, 100 * kMiB}, {"modified", -1, 12 * kMiB}, {"standby", 0, 3 * kMiB}, {"standby", 5, 400 * kMiB}};
  snapshot.kernel_memory = {{"cache_resident", 150 * kMiB}, {"driver_resident", 4 * kMiB}};
  snapshot.unaccounted_bytes = 333 * kMiB;

  in.selection.members = {counted(Pool::kPaged, "CM31", 20 * kMiB, 1'000'000, 995'000),
                          counted(Pool::kPaged, "MmSt", 9 * kMiB, 997'690, 989'424),
                          counted(Pool::kNonpaged, "Irp ", 4'645'936, 75'321'006, 75'307'341),
                          counted(Pool::kNonpaged, "Even", 3 * kMiB, 5'000'000'000, 4'999'950'000),
                          counted(Pool::kNonpaged, "T\\xff\\x01g", 4096, 12, 11)};
  in.selection.pools = {{Pool::kPaged, 800, 90 * kMiB, 400'000, 1, 4'294'967'296 + 5, 4'294'967'296, 77},
                        {Pool::kNonpaged, 700, 30 * kMiB, 100'000, 0, 9, 4, 3}};
  in.trend.tags = {{Pool::kPaged, "CM31", {0, 0, 0}, 0, false},
                   {Pool::kPaged, "MmSt", {20, -1.5, 0.25}, 0.25, false},
                   {Pool::kNonpaged, "Irp ", {37.5, 36, 35.25}, 0.875, true},
                   {Pool::kNonpaged, "Even", {0, 0, 0}, 0, false, false, {"updater.exe", 1234, 0.98, 49'000}},
                   {Pool::kNonpaged, "T\\xff\\x01g", {}, 0, false}};
  in.owners.rows = {{Pool::kPaged, "CM31", "ntoskrnl.exe", "registry: hive data in memory", "builtin"},
                    {Pool::kNonpaged, "Irp ", "ntoskrnl.exe", "requests to drivers", "pooltag.txt"},
                    {Pool::kNonpaged, "T\\xff\\x01g", "odd.sys, odder.sys", "", "image_scan"}};
  in.trend.pools = {{Pool::kPaged, {20, 2, 1}}, {Pool::kNonpaged, {37.5, 36, 35.5}}};
  in.trend.suspects = {{Pool::kPaged, 0}, {Pool::kNonpaged, 2}};
  in.trend.verdicts = {{"paged", false, false}, {"nonpaged", true, true}, {"commit", false, true}};
  in.trend.runouts = {{"system_ptes", 864'000, 432, "fewest_entries", 0.0005},
                      {"commit", kNever, 3000 * kMiB, "commit_limit", 0}};
  in.trend.unaccounted = {4, {}, {}};
  in.trend.commit = {1, 2, 3};
  in.trend.system_ptes = {-0.5, -0.25, -0.125};
  in.trend.history_seconds = 4'838'400;
  in.trend.judged = true;
  in.trend.subjects = 1507;
  in.trend.last_save_seconds = 1'767'225'300.5;
  in.trend.failures = {{"damaged", 1}, {"unwritable", 0}};
  in.selection.processes = {{4, "System", 1500, 0, 0}, {988, "svchost.exe", 4021, 200'000, 50'000}};
  in.selection.session_pools = {{0, Pool::kPaged, 3 * kMiB}, {2, Pool::kPaged, 9 * kMiB}};
  in.selection.session_members = {{2, Pool::kPaged, "Gh05", 5 * kMiB, 640}, {2, Pool::kPaged, "Usqu", 0, 0}};
  in.selection.system_ptes_free_boot_max = 170'000;
  in.findings = {"system_pages_set"};
  return in;
}

std::vector<prometheus::MetricFamily> SampleInput::families(bool tag_counters) const {
  std::vector<prometheus::MetricFamily> out;
  build_families({snapshot, selection, tag_counters, &trend, &owners, findings}, out);
  return out;
}

const prometheus::MetricFamily* find(const std::vector<prometheus::MetricFamily>& families, std::string_view name) {
  const auto found = std::find_if(families.begin(), families.end(), [name](const auto& row) { return row.name == name; });
  return found == families.end() ? nullptr : &*found;
}

std::vector<std::string> lines(const std::vector<prometheus::MetricFamily>& families, std::string_view name) {
  std::vector<std::string> out;
  const prometheus::MetricFamily* family = find(families, name);
  if (family == nullptr) return out;
  for (const prometheus::ClientMetric& metric : family->metric) {
    std::ostringstream line;
    line.precision(17);
    for (const auto& label : metric.label) line << label.name << '=' << label.value << ' ';
    line << (family->type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value);
    out.push_back(line.str());
  }
  return out;
}

}  // namespace kmem::metrics
