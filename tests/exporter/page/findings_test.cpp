// Every finding raised and lowered, by values; none without evidence.
#include "exporter/page/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "exporter/page/json.h"
#include "exporter/page/page.h"
#include "tests/exporter/page/views.h"

namespace kmem::page {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kMega = 1024 * 1024, kGiga = 1024 * kMega;
constexpr double kMost = 4'294'967'295.0;
using Change = BootSettings::Change;

TagUsage tag(Pool pool, std::string name, std::uint64_t bytes) {
  TagUsage out;
  out.pool = pool;
  out.key = tag_key(pool, name);
  out.tag = std::move(name);
  out.bytes = bytes;
  return out;
}

/// The server of the article: paged pool of 343 MB, of which MmSt has most.
Snapshot server_2003() {
  Snapshot out;
  out.system = System::kWindows;
  out.time = test::kNow;
  out.boot_time = test::kNow - 40 * test::kDayMs;
  out.os = OsInfo{"Microsoft Windows Server 2003", "5.2", "3790", "x86"};
  out.physical_memory_bytes = 4 * kGiga;
  out.user_address_space_bytes = 2 * kGiga;
  out.system_ptes_free = 60'000;
  out.pools = {{Pool::kPaged, 250 * kMega, {}, {}, {}, {}, PoolLimit{343 * kMega, "estimate", "2003_x86"}, 274 * kMega},
               {Pool::kNonpaged, 60 * kMega, {}, {}, {}, {}, PoolLimit{256 * kMega, "estimate", "2003_x86"}}};
  out.tags = {tag(Pool::kPaged, "CM31", 20 * kMega), tag(Pool::kPaged, "MmSt", 160 * kMega),
              tag(Pool::kNonpaged, "Irp ", 200 * kMega)};
  out.parts = {{"settings", PartState::kOk, "", 0, 0}};
  return out;
}

Snapshot linux_host() {
  Snapshot out;
  out.system = System::kLinux;
  out.time = test::kNow;
  out.physical_memory_bytes = 8 * kGiga;
  out.pools = {{Pool::kSlabUnreclaimable, 1 * kGiga, {}, {}, {}, {}}};
  out.tags = {tag(Pool::kSlabUnreclaimable, "kmalloc-64", 900 * kMega)};
  out.commit_bytes = 9 * kGiga;
  out.commit_limit_bytes = 10 * kGiga;
  return out;
}

std::optional<Finding> find(const Snapshot& snapshot, std::string_view name, std::span<const Change> changes = {}) {
  for (Finding& finding : find_findings(snapshot, changes))
    if (finding.name == name) return std::move(finding);
  return std::nullopt;
}

double number(const Finding& finding, std::string_view name) {
  for (const Finding::Number& one : finding.numbers)
    if (one.name == name) return one.value;
  ADD_FAILURE() << name;
  return -1;
}

TEST(Findings, NoneWithoutEvidence) {
  EXPECT_TRUE(find_findings(Snapshot{}).empty());
  EXPECT_TRUE(find_findings(server_2003()).empty());
  EXPECT_TRUE(find_findings(linux_host()).empty());
}

TEST(Findings, MappedFilesAboveTheTrimThresholdAskForPoolUsageMaximum) {
  constexpr std::string_view kName = "mapped_files_fill_paged_pool";
  Snapshot host = server_2003();
  host.pools[0].bytes = 274 * kMega;
  const auto found = find(host, kName);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->severity, Severity::kWarning);
  EXPECT_EQ(found->what, "Tag MmSt leads the paged pool with 160 MiB of 274 MiB, above the 274 MiB from which it is trimmed");
  EXPECT_THAT(found->what_to_do, HasSubstr("Set PoolUsageMaximum (REG_DWORD, decimal) to 60 in HKLM\\SYSTEM\\"));
  EXPECT_THAT(found->what_to_do, HasSubstr("it is 80 by default; restart. If that is not enough, 50, then 40."));
  EXPECT_EQ(number(*found, "mmst_bytes"), 160.0 * kMega);
  EXPECT_EQ(number(*found, "pool_usage_maximum_percent"), 80);
  const auto advice = [&host](double percent) {
    host.settings = {{"PoolUsageMaximum", percent}};
    return find(host, "mapped_files_fill_paged_pool")->what_to_do;
  };
  EXPECT_THAT(advice(60), HasSubstr("to 50 in"));
  EXPECT_THAT(advice(50), HasSubstr("to 40 in"));
  EXPECT_THAT(advice(50), Not(HasSubstr("not enough")));
  EXPECT_THAT(advice(40), HasSubstr("PoolUsageMaximum is 40 already"));
  EXPECT_THAT(advice(0), HasSubstr("to 60 in")) << "0 is no percentage: 80";
  host.pools[0].bytes = 273 * kMega;
  EXPECT_FALSE(find(host, kName)) << "below the threshold";
  host.pools[0].bytes = 300 * kMega;
  host.tags[0].bytes = 161 * kMega;
  EXPECT_FALSE(find(host, kName)) << "another tag leads";
  host.tags[0].bytes = 1;
  host.gaps.add(Pool::kPaged);
  EXPECT_FALSE(find(host, kName)) << "the table is cut: who leads is not known";
}

TEST(Findings, MappedFilesWithEvent2020AreCritical) {
  constexpr std::string_view kName = "mapped_files_fill_paged_pool";
  Snapshot host = server_2003();
  host.failure_events = {{"Srv", 2019, 5, test::kNow}, {"Srv", 2020, 3, test::kNow - test::kDayMs}};
  const auto found = find(host, kName);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->severity, Severity::kCritical);
  EXPECT_THAT(found->what, HasSubstr("event 2020 (the paged pool was empty) came 3 times, last at 2025-11-29 00:00 UTC"));
  EXPECT_EQ(number(*found, "event_2020_count"), 3);
  host.failure_events[1].last = test::kNow - 8 * test::kDayMs;
  EXPECT_FALSE(find(host, kName)) << "long ago";
  host.failure_events[1].last = test::kNow - test::kDayMs;
  host.boot_time = test::kNow - test::kDayMs / 2;
  EXPECT_FALSE(find(host, kName)) << "before this boot";
  host.boot_time.reset();
  host.os->version = "10.0";
  EXPECT_THAT(find(host, kName)->what_to_do, Not(HasSubstr("PoolUsageMaximum"))) << "which later systems do not read";
}

TEST(Findings, TheLargestPagedPoolWithMuchMemoryTakesPtes) {
  constexpr std::string_view kName = "paged_pool_size_takes_ptes";
  Snapshot host = server_2003();
  host.settings = {{"PagedPoolSize", kMost}};
  EXPECT_FALSE(find(host, kName)) << "4 GB";
  host.physical_memory_bytes = 64 * kGiga - 16 * kMega;
  ASSERT_TRUE(find(host, kName));
  EXPECT_EQ(find(host, kName)->severity, Severity::kWarning);
  host.system_ptes_free = 11'999;
  EXPECT_EQ(find(host, kName)->severity, Severity::kCritical);
  EXPECT_EQ(find(host, kName)->what,
            "PagedPoolSize is 0xFFFFFFFF on a 32-bit system with 64.0 GiB of memory; 11,999 system PTEs are free");
  host.physical_memory_bytes = 16 * kGiga;
  EXPECT_TRUE(find(host, kName)) << "less memory, but the PTEs are gone";
  host.system_ptes_free = 12'000;
  EXPECT_FALSE(find(host, kName));
  host.physical_memory_bytes = 64 * kGiga;
  host.settings = {{"PagedPoolSize", 192'000'000}};
  EXPECT_FALSE(find(host, kName));
  host.settings = {{"PagedPoolSize", kMost}};
  host.os->architecture = "x64";
  EXPECT_FALSE(find(host, kName)) << "of no use there";
}

TEST(Findings, FewPtesWith3gbAskForUserva) {
  constexpr std::string_view kName = "few_ptes_with_3gb";
  Snapshot host = server_2003();
  host.system_ptes_free = 11'500;
  EXPECT_FALSE(find(host, kName)) << "without /3GB";
  host.user_address_space_bytes = 3 * kGiga;
  ASSERT_TRUE(find(host, kName));
  EXPECT_THAT(find(host, kName)->what, HasSubstr("3,072 MB of the address space (/3GB), and 11,500 system PTEs are free"));
  EXPECT_THAT(find(host, kName)->what_to_do, HasSubstr("/USERVA=2900"));
  host.user_address_space_bytes = 2900 * kMega;
  EXPECT_THAT(find(host, kName)->what_to_do, HasSubstr("/USERVA=2800"));
  host.user_address_space_bytes = 2650 * kMega;
  EXPECT_THAT(find(host, kName)->what_to_do, HasSubstr("Take /3GB out"));
  host.user_address_space_bytes = 3 * kGiga;
  host.os->version = "5.0";
  EXPECT_THAT(find(host, kName)->what_to_do, HasSubstr("Take /3GB out")) << "2000 has no /USERVA";
  host.os->version = "6.0";
  EXPECT_THAT(find(host, kName)->what_to_do, HasSubstr("IncreaseUserVa 2900"));
  host.system_ptes_free = 12'000;
  EXPECT_FALSE(find(host, kName));
  host.system_ptes_free.reset();
  EXPECT_FALSE(find(host, kName)) << "not known is not few";
}

TEST(Findings, TheNonpagedPoolWith3gbIsSmall) {
  constexpr std::string_view kName = "nonpaged_pool_small_with_3gb";
  Snapshot host = server_2003();
  host.user_address_space_bytes = 3 * kGiga;
  host.pools[1].limit->bytes = 128 * kMega;
  EXPECT_FALSE(find(host, kName)) << "60 of 128 MB";
  host.pools[1].bytes = 77 * kMega;
  ASSERT_TRUE(find(host, kName));
  EXPECT_EQ(find(host, kName)->severity, Severity::kWarning);
  host.pools[1].bytes = 110 * kMega;
  EXPECT_EQ(find(host, kName)->severity, Severity::kCritical);
  EXPECT_THAT(find(host, kName)->what, HasSubstr("to 128 MiB, of which 110 MiB (85.9 %) are in use"));
  host.user_address_space_bytes = 2 * kGiga;
  EXPECT_FALSE(find(host, kName));
}

TEST(Findings, SystemPagesThatAreSet) {
  Snapshot host = server_2003();
  host.settings = {{"SystemPages", 0}};
  EXPECT_FALSE(find(host, "system_pages_set"));
  host.settings = {{"SystemPages", kMost}};
  EXPECT_EQ(find(host, "system_pages_set")->what, "SystemPages is set to 0xFFFFFFFF; 60,000 system PTEs are free");
  EXPECT_EQ(find(host, "system_pages_set")->severity, Severity::kInfo);
  host.os->version = "6.0";
  EXPECT_FALSE(find(host, "system_pages_set"));
}

TEST(Findings, RegistrySizeLimitBefore2003AndAfter) {
  constexpr std::string_view kName = "registry_size_limit_set";
  Snapshot host = server_2003();
  EXPECT_FALSE(find(host, kName));
  host.settings = {{"RegistrySizeLimit", 200.0 * kMega}};
  EXPECT_EQ(find(host, kName)->severity, Severity::kInfo);
  EXPECT_THAT(find(host, kName)->why, HasSubstr("not read it since XP"));
  host.os->version = "5.0";
  EXPECT_EQ(find(host, kName)->severity, Severity::kWarning);
  EXPECT_THAT(find(host, kName)->what, HasSubstr("take 200 MiB of a paged pool of 343 MiB"));
  host.settings = {{"RegistrySizeLimit", 100.0 * kMega}};
  EXPECT_FALSE(find(host, kName)) << "less than a third";
}

TEST(Findings, SettingsThatAwaitARestart) {
  Snapshot host = server_2003();
  BootSettings boot;
  const auto after = [&](std::vector<Setting> settings, std::uint64_t number) {
    host.settings = std::move(settings);
    Boot now;
    now.reading.number = number;
    boot.note(host, now);
    return find(host, "settings_await_restart", boot.changes());
  };
  EXPECT_FALSE(after({{"PoolUsageMaximum", 80}, {"SystemPages", 0}}, 1));
  const auto found = after({{"PoolUsageMaximum", 60}, {"PagedPoolSize", 7}}, 1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->what,
            "Changed since the system started: PoolUsageMaximum (80, now 60), PagedPoolSize (not set, now 7), "
            "SystemPages (0, now not set)");
  host.parts[0].state = PartState::kFailed;
  EXPECT_TRUE(after({}, 1)) << "what cannot be read is no change";
  host.parts[0].state = PartState::kOk;
  EXPECT_FALSE(after({{"PoolUsageMaximum", 80}, {"SystemPages", 0}}, 1)) << "set back";
  EXPECT_TRUE(after({{"PoolUsageMaximum", 60}}, 1));
  EXPECT_FALSE(after({{"PoolUsageMaximum", 60}}, 2)) << "restarted";
  host.system = System::kLinux;
  EXPECT_FALSE(after({{"PoolUsageMaximum", 70}}, 2)) << "in force at once";
}

/// What has changed since the boot is not in force: findings and their advice go by what was there then.
TEST(Findings, GoByTheSettingsInForce) {
  Snapshot host = server_2003();
  const std::vector<Change> none;
  host.settings = {{"SystemPages", 50'000}, {"RegistrySizeLimit", 1000}};
  const std::vector<Change> changed = {{"SystemPages", 0, 50'000}, {"RegistrySizeLimit", {}, 1000}};
  EXPECT_TRUE(find(host, "system_pages_set", none));
  EXPECT_FALSE(find(host, "system_pages_set", changed));
  EXPECT_TRUE(find(host, "registry_size_limit_set", changed)) << "never read from XP on: it is the registry's alone";
  host.settings.clear();
  EXPECT_TRUE(find(host, "system_pages_set", std::vector<Change>{{"SystemPages", 50'000, 0}})) << "until the restart";

  host.settings = {{"PoolUsageMaximum", 40}};
  for (PoolTotals& pool : host.pools)
    if (pool.pool == Pool::kPaged) pool.trim_threshold_bytes = *pool.bytes;
  host.tags = {TagUsage{}};
  host.tags[0].pool = Pool::kPaged;
  host.tags[0].tag = "MmSt";
  host.tags[0].bytes = 200 * kMega;
  EXPECT_THAT(find(host, "mapped_files_fill_paged_pool", none)->what_to_do, HasSubstr("is 40 already"));
  EXPECT_THAT(find(host, "mapped_files_fill_paged_pool", std::vector<Change>{{"PoolUsageMaximum", {}, 40}})->what_to_do,
              HasSubstr("PoolUsageMaximum is set to 40, but 80 is in force: restart."));
}

TEST(Findings, TheNonpagedPoolBeyondWhat3gbLeavesIsNoBetterThanAtItsEnd) {
  Snapshot host = server_2003();
  host.user_address_space_bytes = 3 * kGiga;
  host.pools = {{Pool::kNonpaged, 128 * kMega, {}, {}, {}, {}, PoolLimit{128 * kMega, "estimate", "2000_2003_x86"}}};
  EXPECT_EQ(find(host, "nonpaged_pool_small_with_3gb")->severity, Severity::kCritical);
  host.pools[0] = {Pool::kNonpaged, 129 * kMega, {}, {}, {}, {}};
  const auto beyond = find(host, "nonpaged_pool_small_with_3gb");
  ASSERT_TRUE(beyond);
  EXPECT_EQ(beyond->severity, Severity::kCritical);
  EXPECT_EQ(beyond->what, "/3GB usually limits the nonpaged pool to 128 MiB, and 129 MiB are in use");
}

TEST(Findings, EachNameStandsOnce) {
  std::vector<std::string_view> names(finding_names().begin(), finding_names().end());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(Findings, OneCacheLeadsSlabMemory) {
  Snapshot host = linux_host();
  host.pools[0].bytes = 2 * kGiga;
  EXPECT_FALSE(find(host, "slab_cache_leads")) << "900 of 2,048 MiB";
  host.tags[0].bytes = 1100 * kMega;
  ASSERT_TRUE(find(host, "slab_cache_leads"));
  EXPECT_THAT(find(host, "slab_cache_leads")->what,
              HasSubstr("takes 2.00 GiB (25.0 % of memory), and 1.07 GiB of it is the cache kmalloc-64"));
  host.pools[0].bytes = 2047 * kMega;
  EXPECT_FALSE(find(host, "slab_cache_leads")) << "less than a quarter of memory";
}

TEST(Findings, VmallocNearItsLimit) {
  Snapshot host = linux_host();
  host.pools = {{Pool::kVmalloc, 96 * kMega, {}, {}, {}, {}, PoolLimit{120 * kMega, "kernel", "VmallocTotal"}}};
  EXPECT_THAT(find(host, "vmalloc_near_limit")->what, HasSubstr("up to 80.0 %: 96.0 MiB of 120 MiB"));
  host.pools[0].bytes = 95 * kMega;
  EXPECT_FALSE(find(host, "vmalloc_near_limit"));
}

TEST(Findings, CommitThatIsHeldToItsLimit) {
  Snapshot host = linux_host();
  host.settings = {{"vm.overcommit_memory", 2}};
  EXPECT_EQ(find(host, "commit_limit_enforced")->severity, Severity::kWarning);
  host.commit_bytes = 9'800 * kMega;
  EXPECT_FALSE(find(host, "commit_limit_enforced")->numbers.empty());
  host.commit_bytes = 8 * kGiga;
  EXPECT_FALSE(find(host, "commit_limit_enforced"));
  host.commit_bytes = 12 * kGiga;
  EXPECT_EQ(find(host, "commit_limit_enforced")->severity, Severity::kCritical);
  host.settings = {{"vm.overcommit_memory", 0}};
  EXPECT_FALSE(find(host, "commit_limit_enforced")) << "not held to it";
}

TEST(Findings, TheGravestComesFirst) {
  Snapshot host = server_2003();
  host.settings = {{"SystemPages", 5}};
  host.user_address_space_bytes = 3 * kGiga;
  host.system_ptes_free = 100;
  const auto all = find_findings(host);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "few_ptes_with_3gb");
  EXPECT_EQ(all[1].name, "system_pages_set");
}

TEST(Findings, AKnownLeakIsToldWhileItsEvidenceStands) {
  const Snapshot host = linux_host();
  const std::vector<drivers::KnownLeak> known = {{Pool::kNonpaged, "Thre", "xyz.sys", "5.1.3.0", "update to 5.2"},
                                                 {Pool::kPaged, "Xyz1", "abc.sys", "", "restart the service"}};
  const auto all = find_findings(host, {}, known);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].name, "known_leak");
  EXPECT_EQ(all[0].severity, Severity::kWarning);
  EXPECT_EQ(all[0].what,
            "Known leak: tag Thre (nonpaged), xyz.sys 5.1.3.0: update to 5.2; tag Xyz1 (paged), abc.sys: restart the service");
  EXPECT_TRUE(find_findings(host).empty());
}

TEST(Findings, EachHasItsLineInTheRunbook) {
  std::ifstream file("../dashboards/runbooks/KmemFinding.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(finding_names().size(), 11U);
  for (const std::string_view name : finding_names()) EXPECT_THAT(text, HasSubstr("\n- `" + std::string(name) + "`"));
}

TEST(Findings, PageAndStatusTellThem) {
  View view = test::calm_view();
  EXPECT_THAT(page_html(view, page_defaults()), Not(HasSubstr("Findings")));
  EXPECT_THAT(status_json(view), HasSubstr("\"findings\":[]"));
  Snapshot host = linux_host();
  host.pools[0].bytes = 4 * kGiga;
  host.tags[0] = tag(Pool::kSlabUnreclaimable, "<b>", 3 * kGiga);
  view.findings = find_findings(host);
  const std::string html = page_html(view, page_defaults());
  EXPECT_THAT(html, HasSubstr("id=\"f-slab_cache_leads\""));
  EXPECT_THAT(html, HasSubstr("is the cache &lt;b&gt;</h3>"));
  EXPECT_THAT(status_json(view),
              HasSubstr("\"findings\":[{\"finding\":\"slab_cache_leads\",\"severity\":\"warning\",\"what\":"));
  EXPECT_THAT(status_json(view), HasSubstr("\"numbers\":{\"slab_unreclaimable_bytes\":4294967296.0,"));
}

}  // namespace
}  // namespace kmem::page
