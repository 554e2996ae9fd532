#include "exporter/metrics/families.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <utility>

#include "exporter/encode/encode.h"
#include "exporter/metrics/catalogue.h"
#include "exporter/metrics/self_metrics.h"
#include "tests/exporter/metrics/sample_input.h"

namespace kmem::metrics {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Families, NothingFromNothing) {
  const Snapshot snapshot;
  const select::Selection selection;
  std::vector<prometheus::MetricFamily> out;
  build_families({snapshot, selection}, out);
  EXPECT_THAT(out, IsEmpty());
}

TEST(Families, SeriesBesideTagsAreThePagesWithoutTagsAndAllSlopesThatMayCome) {
  for (SampleInput in : {linux_input(), windows_input()}) {
    const auto beside = [&in] {
      return series_beside_tags({in.snapshot, in.selection, true, &in.trend, &in.owners, in.findings});
    };
    std::size_t told = 0, slopes = 0;
    for (const prometheus::MetricFamily& family : in.families())
      for (const prometheus::ClientMetric& metric : family.metric) {
        const auto has = [&metric](std::string_view name) {
          return std::any_of(metric.label.begin(), metric.label.end(),
                             [name](const auto& label) { return label.name == name; });
        };
        if (has("tag") || has("process") || has("session")) continue;
        ++(has("window") ? slopes : told);
      }
    const bool windows = in.snapshot.system == System::kWindows;
    const std::size_t totals = in.trend.pools.size() + (windows ? 3 : 1);  // commit, PTEs, unaccounted
    EXPECT_LE(slopes, kTrendWindows.size() * totals);
    EXPECT_EQ(beside(), told + kTrendWindows.size() * totals + 2 * in.snapshot.big_pool.size());
    const std::size_t before = beside();
    in.selection.members.clear(), in.selection.processes.clear();
    in.selection.session_pools.clear(), in.selection.session_members.clear();
    EXPECT_EQ(beside(), before);
  }
}

TEST(Families, OfTagsThatNothingIsHeldAgainstFewerSeriesAreTold) {
  SampleInput in = windows_input();
  for (select::Member& member : in.selection.members) member.forced = member.tag == "Even";
  std::vector<prometheus::MetricFamily> few;
  MetricsInput input{in.snapshot, in.selection, true, &in.trend, &in.owners, in.findings};
  input.whole_tags = false;
  build_families(input, few);
  EXPECT_THAT(lines(few, "kmem_pool_tag_allocations_total"), ElementsAre("pool=nonpaged tag=Even 5000000000"));
  EXPECT_EQ(lines(few, "kmem_pool_tag_frees_total").size(), 1U);
  EXPECT_EQ(lines(few, "kmem_pool_tag_bytes"), lines(in.families(), "kmem_pool_tag_bytes"));
  std::size_t suspects = 0;
  for (const TrendView::Tag& tag : in.trend.tags) suspects += tag.suspect || tag.surge ? 1 : 0;
  ASSERT_GT(suspects, 0U);
  EXPECT_EQ(lines(few, "kmem_pool_tag_leak_suspect").size(), suspects);
}

TEST(Families, AbsentIsNotZero) {
  const auto linux_families = linux_input().families();
  for (const char* name :
       {"kmem_system_ptes_free", "kmem_system_ptes_free_boot_max", "kmem_commit_peak_bytes", "kmem_pool_resident_bytes",
        "kmem_pool_allocations_total", "kmem_pool_tag_frees_total", "kmem_process_pool_bytes", "kmem_file_cache_peak_bytes"})
    EXPECT_EQ(find(linux_families, name), nullptr) << name;
  const auto windows_families = windows_input().families();
  for (const char* name : {"kmem_kernel_stack_bytes", "kmem_page_table_bytes"})
    EXPECT_EQ(find(windows_families, name), nullptr) << name;
  EXPECT_THAT(lines(windows_families, "kmem_pool_resident_bytes"), ElementsAre("pool=paged 125829120"));

  SampleInput zero = linux_input();
  zero.snapshot.commit_bytes = 0;
  EXPECT_THAT(lines(zero.families(), "kmem_commit_bytes"), ElementsAre("0"));
}

TEST(Families, TagsAndTheirRest) {
  const auto families = linux_input().families();
  EXPECT_THAT(lines(families, "kmem_pool_tag_bytes"),
              ElementsAre("pool=slab_reclaimable tag=dentry 50331648", "pool=slab_reclaimable tag=ext4_inode_cache 33554432",
                          "pool=slab_unreclaimable tag=kmalloc-64 8388608", "pool=slab_unreclaimable tag=bio-120 0"));
  EXPECT_THAT(lines(families, "kmem_pool_tags"), ElementsAre("pool=slab_reclaimable 40", "pool=slab_unreclaimable 190"));
  EXPECT_THAT(lines(families, "kmem_pool_other_bytes"),
              ElementsAre("pool=slab_reclaimable 10485760", "pool=slab_unreclaimable 15728640"));
  EXPECT_THAT(lines(families, "kmem_pool_tag_evictions_total"),
              ElementsAre("pool=slab_reclaimable 0", "pool=slab_unreclaimable 2"));
}

TEST(Families, TagsOfAPoolThatCouldNotBeReadAreAbsent) {
  SampleInput in = linux_input();
  in.selection.pools[1].live_tags = 0;
  const auto families = in.families();
  for (const char* name : {"kmem_pool_tag_bytes", "kmem_pool_tag_outstanding_allocations"}) {
    ASSERT_EQ(lines(families, name).size(), 2U) << name;
    EXPECT_TRUE(lines(families, name)[1].starts_with("pool=slab_reclaimable tag=ext4_inode_cache ")) << name;
  }
  EXPECT_THAT(lines(families, "kmem_pool_other_bytes"), ElementsAre("pool=slab_reclaimable 10485760"));
  EXPECT_EQ(lines(families, "kmem_pool_bytes").size(), 4U);
}

TEST(Families, CountersAreWidenedAndCanBeSwitchedOff) {
  const SampleInput in = windows_input();
  EXPECT_THAT(lines(in.families(), "kmem_pool_allocations_total"), ElementsAre("pool=paged 4294967301", "pool=nonpaged 9"));
  EXPECT_EQ(lines(in.families(), "kmem_pool_tag_allocations_total")[3], "pool=nonpaged tag=Even 5000000000");
  EXPECT_EQ(lines(in.families(), "kmem_pool_tag_frees_total")[2], "pool=nonpaged tag=Irp  75307341");
  EXPECT_EQ(find(in.families(false), "kmem_pool_tag_allocations_total"), nullptr);
  EXPECT_EQ(find(in.families(false), "kmem_pool_tag_frees_total"), nullptr);
  EXPECT_EQ(lines(in.families(false), "kmem_pool_allocations_total").size(), 2U);
  EXPECT_EQ(find(in.families(), "kmem_pool_tag_frees_total")->type, prometheus::MetricType::Counter);
}

TEST(Families, WhatOnlyWindowsTells) {
  SampleInput in = windows_input();
  const auto families = in.families();
  // Of exported tags that have some.
  EXPECT_THAT(lines(families, "kmem_pool_tag_big_bytes"), ElementsAre("pool=paged tag=CM31 18874368"));
  EXPECT_THAT(lines(families, "kmem_pool_tag_big_allocations"), ElementsAre("pool=paged tag=CM31 1200"));
  EXPECT_THAT(lines(families, "kmem_memory_list_bytes"),
              ElementsAre("list=zero priority= 104857600", "list=modified priority= 12582912",
                          "list=standby priority=0 3145728", "list=standby priority=5 419430400"));
  EXPECT_THAT(lines(families, "kmem_kernel_memory_bytes"),
              ElementsAre("kind=cache_resident 157286400", "kind=driver_resident 4194304"));
  EXPECT_THAT(lines(families, "kmem_unaccounted_bytes"), ElementsAre("349175808"));
  EXPECT_THAT(lines(families, "kmem_pool_tag_holder_share"),
              ElementsAre("pool=nonpaged tag=Even process=updater.exe pid=1234 0.97999999999999998"));
  EXPECT_THAT(lines(families, "kmem_pool_tag_holder_handles"),
              ElementsAre("pool=nonpaged tag=Even process=updater.exe pid=1234 49000"));
  in.snapshot.big_pool.clear();
  EXPECT_EQ(find(in.families(), "kmem_pool_tag_big_bytes"), nullptr) << "refused";
}

TEST(Families, OfLargeAllocationsTheLeadingTagsOfEachPool) {
  SampleInput in = windows_input();
  in.snapshot.big_pool.clear();
  in.selection.members.clear();
  for (const Pool pool : {Pool::kPaged, Pool::kNonpaged})
    for (std::uint64_t i = 1; i <= 20; ++i) {
      select::Member& member = in.selection.members.emplace_back();
      member.pool = pool;
      member.tag = "T" + std::to_string(i);
      member.key = tag_key(pool, member.tag);
      // Of the paged pool those in the middle have most; the nonpaged one has five only.
      const std::uint64_t bytes = pool == Pool::kPaged ? (i > 6 && i <= 14 ? 1'000 : 10) * 4'096 : i * 4'096;
      if (pool == Pool::kPaged || i <= 5) in.snapshot.big_pool.push_back({pool, member.key, member.tag, i, bytes});
    }
  std::sort(in.snapshot.big_pool.begin(), in.snapshot.big_pool.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  EXPECT_THAT(lines(in.families(), "kmem_pool_tag_big_allocations"),
              ElementsAre("pool=paged tag=T7 7", "pool=paged tag=T8 8", "pool=paged tag=T9 9", "pool=paged tag=T10 10",
                          "pool=paged tag=T11 11", "pool=paged tag=T12 12", "pool=paged tag=T13 13", "pool=paged tag=T14 14",
                          "pool=nonpaged tag=T1 1", "pool=nonpaged tag=T2 2", "pool=nonpaged tag=T3 3",
                          "pool=nonpaged tag=T4 4", "pool=nonpaged tag=T5 5"));
  EXPECT_EQ(lines(in.families(), "kmem_pool_tag_big_bytes").size(), 13U);
}

TEST(Families, Processes) {
  EXPECT_THAT(lines(windows_input().families(), "kmem_process_pool_bytes"),
              ElementsAre("process=System pid=4 pool=paged 0", "process=System pid=4 pool=nonpaged 0",
                          "process=svchost.exe pid=988 pool=paged 200000", "process=svchost.exe pid=988 pool=nonpaged 50000"));
  SampleInput in = linux_input();
  in.selection.processes = {{18446744073709551615U, "x", 1, {}, {}}, {7, "no handles", {}, {}, {}}};
  EXPECT_THAT(lines(in.families(), "kmem_process_handles"), ElementsAre("process=x pid=18446744073709551615 1"));
}

TEST(Families, CollectorsThatThisKernelDoesNotHaveAreAbsent) {
  const auto families = linux_input().families();
  EXPECT_THAT(lines(families, "kmem_scrape_collector_success"),
              ElementsAre("collector=meminfo 1", "collector=slabinfo 1", "collector=vmallocinfo 0"));
  EXPECT_THAT(lines(families, "kmem_scrape_collector_skipped_rows"),
              ElementsAre("collector=meminfo 0", "collector=slabinfo 1", "collector=vmallocinfo 0"));
  EXPECT_THAT(lines(families, "kmem_scrape_collector_duration_seconds"),
              ElementsAre("collector=meminfo 3.1250000000000001e-05", "collector=slabinfo 0.00075000000000000002",
                          "collector=vmallocinfo 9.9999999999999995e-07"));
}

TEST(Families, AFindingIsThereOnlyWhileItIsRaised) {
  const SampleInput in = windows_input();
  const std::string_view raised[] = {"system_pages_set", "few_ptes_with_3gb"};
  std::vector<prometheus::MetricFamily> families;
  build_families({in.snapshot, in.selection, true, &in.trend, &in.owners, raised}, families);
  EXPECT_EQ(lines(families, "kmem_finding"),
            (std::vector<std::string>{"finding=system_pages_set 1", "finding=few_ptes_with_3gb 1"}));
  build_families({in.snapshot, in.selection, true, &in.trend, &in.owners, {}}, families);
  EXPECT_EQ(find(families, "kmem_finding"), nullptr);
}

TEST(Families, BootTimeKeepsItsMillis) {
  EXPECT_THAT(lines(windows_input().families(), "kmem_boot_time_seconds"), ElementsAre("1766000000.5"));
}

TEST(Families, TheTrendSaysWhatItKnows) {
  const auto families = windows_input().families();
  EXPECT_THAT(lines(families, "kmem_pool_tag_leak_suspect"),
              ElementsAre("pool=paged tag=CM31 0", "pool=paged tag=MmSt 0", "pool=nonpaged tag=Irp  1",
                          "pool=nonpaged tag=Even 0", "pool=nonpaged tag=T\\xff\\x01g 0"));
  EXPECT_EQ(lines(families, "kmem_pool_tag_leak_confidence")[2], "pool=nonpaged tag=Irp  0.875");
  EXPECT_EQ(lines(families, "kmem_pool_tag_trend_bytes_per_second").size(), 12U);
  EXPECT_EQ(lines(families, "kmem_pool_tag_trend_bytes_per_second")[4], "pool=paged tag=MmSt window=7d -1.5");
  EXPECT_EQ(lines(families, "kmem_pool_trend_bytes_per_second")[5], "pool=nonpaged window=28d 35.5");
  EXPECT_THAT(lines(families, "kmem_leak_suspects"), ElementsAre("pool=paged 0", "pool=nonpaged 2"));
  EXPECT_THAT(lines(families, "kmem_system_ptes_trend_per_second"),
              ElementsAre("window=1d -0.5", "window=7d -0.25", "window=28d -0.125"));
  EXPECT_THAT(lines(families, "kmem_exhaustion_seconds"), ElementsAre("resource=system_ptes 864000", "resource=commit inf"));
  EXPECT_THAT(lines(families, "kmem_trend_history_seconds"), ElementsAre("4838400"));
  EXPECT_THAT(lines(families, "kmem_trend_subjects"), ElementsAre("1507"));
  EXPECT_THAT(lines(families, "kmem_trend_state_failures_total"), ElementsAre("reason=damaged 1", "reason=unwritable 0"));
  EXPECT_THAT(lines(families, "kmem_trend_state_last_save_timestamp_seconds"), ElementsAre("1767225300.5"));

  // A cache that the kernel shrinks by itself has a slope and no verdict; what is not known yet is absent.
  const auto young = linux_input().families();
  EXPECT_THAT(lines(young, "kmem_pool_tag_leak_suspect"),
              ElementsAre("pool=slab_unreclaimable tag=kmalloc-64 0", "pool=slab_unreclaimable tag=bio-120 0"));
  EXPECT_THAT(
      lines(young, "kmem_pool_tag_trend_bytes_per_second"),
      ElementsAre("pool=slab_reclaimable tag=dentry window=1d 12.5", "pool=slab_unreclaimable tag=kmalloc-64 window=1d 0",
                  "pool=slab_unreclaimable tag=kmalloc-64 window=7d -1.25"));
  EXPECT_EQ(find(young, "kmem_system_ptes_trend_per_second"), nullptr);
  EXPECT_EQ(find(young, "kmem_trend_state_failures_total"), nullptr);
}

TEST(Families, WithoutATrendNothingIsSaidAboutLeaks) {
  const SampleInput in = windows_input();
  std::vector<prometheus::MetricFamily> out;
  build_families({in.snapshot, in.selection}, out);
  for (const auto& family : out) {
    EXPECT_EQ(family.name.find("trend"), std::string::npos) << family.name;
    EXPECT_EQ(family.name.find("leak"), std::string::npos) << family.name;
  }
}

TEST(Families, OwnersOfTagsAreOneSeriesATag) {
  const auto windows = windows_input().families();
  EXPECT_THAT(lines(windows, "kmem_pool_tag_info"),
              ElementsAre("pool=paged tag=CM31 driver=ntoskrnl.exe description=registry: hive data in memory "
                          "source=builtin 1",
                          "pool=nonpaged tag=Irp  driver=ntoskrnl.exe description=requests to drivers "
                          "source=pooltag.txt 1",
                          "pool=nonpaged tag=T\\xff\\x01g driver=odd.sys, odder.sys description= source=image_scan 1"));
  const SampleInput nobody = [] {
    SampleInput in = windows_input();
    in.owners = {};
    return in;
  }();
  EXPECT_EQ(find(nobody.families(), "kmem_pool_tag_info"), nullptr);
}

TEST(Families, OwnersThatHaveNotChangedAreKept) {
  SampleInput in = windows_input();
  std::vector<prometheus::MetricFamily> out;
  const auto build = [&] { build_families({in.snapshot, in.selection, true, nullptr, &in.owners}, out); };
  build();
  const auto before = lines(out, "kmem_pool_tag_info");
  ASSERT_EQ(before.size(), 3U);
  in.owners.same_as_before = true;
  build();
  EXPECT_EQ(lines(out, "kmem_pool_tag_info"), before);
  // Another family took its place in between, so there is nothing to keep.
  in.selection.pools.clear();
  build();
  EXPECT_EQ(lines(out, "kmem_pool_tag_info"), before);
  in.owners.rows[0].driver = "other.sys";
  in.owners.same_as_before = false;
  build();
  EXPECT_THAT(lines(out, "kmem_pool_tag_info")[0], testing::HasSubstr("driver=other.sys"));
}

bool same_families(const std::vector<prometheus::MetricFamily>& a, const std::vector<prometheus::MetricFamily>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].name != b[i].name || a[i].help != b[i].help || a[i].type != b[i].type ||
        lines(a, a[i].name) != lines(b, b[i].name))
      return false;
  return true;
}

TEST(Families, ReusedMemoryShowsNothingOfThePageBefore) {
  const SampleInput a = linux_input();
  const SampleInput b = windows_input();
  const SampleInput fewer = [&a] {
    SampleInput in = a;
    in.selection.members.pop_back();
    in.snapshot.pools.clear();
    in.snapshot.commit_bytes.reset();
    return in;
  }();

  std::vector<prometheus::MetricFamily> out;
  for (const SampleInput* in : {&a, &b, &fewer, &a, &fewer, &b, &b}) {
    prometheus::MetricFamily& appended = out.emplace_back();  // as the exporter's own are
    appended = {"x", "y", prometheus::MetricType::Histogram, std::vector<prometheus::ClientMetric>(3)};
    build_families({in->snapshot, in->selection, true, &in->trend, &in->owners, in->findings}, out);
    EXPECT_TRUE(same_families(out, in->families()));
  }
}

TEST(Families, AStampStaysWhileOnlyValuesChangeAndFamiliesWithoutSamplesAreNoChange) {
  SampleInput in = linux_input();
  std::vector<prometheus::MetricFamily> out;
  LabelStamps stamps;
  const auto build = [&] {
    build_families({in.snapshot, in.selection, true, &in.trend, &in.owners, in.findings}, out, &stamps);
    EXPECT_EQ(stamps.size(), out.size());
    return stamps;
  };
  const LabelStamps first = build();
  EXPECT_EQ(std::count(first.begin(), first.end(), 0U), 0);
  for (auto& member : in.selection.members) member.bytes += 4096;
  in.snapshot.commit_bytes = 12'345;
  EXPECT_EQ(build(), first);
  const std::string tag = std::exchange(in.selection.members[0].tag, "another");
  const LabelStamps renamed = build();
  EXPECT_NE(renamed, first);
  in.selection.members[0].tag = tag;
  const LabelStamps back = build();
  for (std::size_t i = 0; i < back.size(); ++i)
    EXPECT_EQ(back[i] == first[i], renamed[i] == first[i]) << out[i].name << ": a stamp never comes back";
}

// A page after any other page is the one that a fresh encoder makes of fresh families.
TEST(Families, PagesOfAPageEncoderAreThoseOfEncode) {
  std::mt19937 random(17);
  std::vector<prometheus::MetricFamily> out, own;
  LabelStamps stamps, own_stamps;
  encode::PageEncoder encoder;
  SelfMetrics self_metrics({"metrics", "status"});
  std::vector<SampleInput> inputs = {linux_input(), windows_input()};
  std::string page, expected;
  for (int round = 0; round < 600; ++round) {
    SampleInput& in = inputs[random() % 8 == 0];
    auto& members = in.selection.members;
    switch (random() % 12) {
      case 0: members[random() % members.size()].tag = "tag \"" + std::to_string(random() % 5) + "\xFF\n"; break;
      case 1: members.push_back(members[random() % members.size()]); break;  // a series twice
      case 2:
        if (members.size() > 2) members.pop_back();
        break;
      case 3: in.snapshot.commit_bytes.reset(); break;
      case 4: in.snapshot.commit_bytes = random(); break;
      case 5: in.trend.judged = !in.trend.judged; break;
      case 6:
        if (!in.owners.rows.empty()) in.owners.rows[0].driver += "x";
        break;
      case 7: self_metrics.observe_request("status", random() % 2 == 0 ? 200 : 404, 0.01); break;
      case 8: self_metrics.set_config_reload(random() % 2 == 0, static_cast<base::UnixMillis>(random())); break;
      default:
        for (auto& member : members) member.bytes = random() % 3 == 0 ? 1 : random();
        break;
    }
    const auto format = random() % 4 == 0 ? encode::Format::kOpenMetrics100 : encode::Format::kText004;
    const self::SelfUsage usage = random() % 4 == 0 ? self::SelfUsage{} : self::SelfUsage{1.5, random(), 3, 4};
    build_families({in.snapshot, in.selection, true, &in.trend, &in.owners, in.findings}, out, &stamps);
    self_metrics.collect(usage, own, own_stamps);
    const std::size_t left_out = encoder.encode({{out, stamps}, {own, own_stamps}}, format, page);

    std::vector<prometheus::MetricFamily> fresh = in.families();
    self_metrics.collect(usage, fresh);
    ASSERT_EQ(left_out, encode::encode(fresh, format, expected)) << round;
    ASSERT_EQ(page, expected) << round;
  }
}

TEST(Families, AGaugeNamedInfoChangesItsTypeWithItsValues) {
  prometheus::MetricFamily family{"x_info", "help", prometheus::MetricType::Gauge, std::vector<prometheus::ClientMetric>(1)};
  encode::PageEncoder encoder;
  std::string page;
  const std::uint64_t stamp = 7;
  const auto type = [&](double value) {
    family.metric[0].gauge.value = value;
    encoder.encode({{{&family, 1}, {&stamp, 1}}}, encode::Format::kOpenMetrics100, page);
    return page.substr(page.find("# TYPE"), page.find('\n', page.find("# TYPE")) - page.find("# TYPE"));
  };
  EXPECT_EQ(type(1), "# TYPE x info");
  EXPECT_EQ(type(1), "# TYPE x info");
  EXPECT_EQ(type(2), "# TYPE x_info gauge");
  EXPECT_EQ(type(2), "# TYPE x_info gauge");
  EXPECT_EQ(type(1), "# TYPE x info");
}

}  // namespace
}  // namespace kmem::metrics
