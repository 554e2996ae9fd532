#include "exporter/metrics/collect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "config/collectors.h"
#include "exporter/metrics/catalogue.h"

namespace kmem::metrics {
namespace {

using testing::ElementsAre;

Collect parsed(std::string_view query) {
  const auto collect = parse_collect(query);
  EXPECT_TRUE(collect.ok()) << query;
  return collect ? *collect : Collect{};
}

prometheus::MetricFamily family(const std::string& name, const std::string& label, const std::vector<std::string>& values) {
  prometheus::MetricFamily out;
  out.name = name;
  for (const std::string& value : values) {
    prometheus::ClientMetric metric;
    if (!label.empty()) metric.label.push_back({label, value});
    out.metric.push_back(metric);
  }
  return out;
}

std::vector<std::string> left(std::string_view query) {
  std::vector<prometheus::MetricFamily> families = {
      family("kmem_pool_bytes", "pool", {"slab_reclaimable", "percpu"}),
      family("kmem_pool_tag_bytes", "pool", {"slab_reclaimable", "vmalloc", "allocinfo", "paged"}),
      family("kmem_boot_time_seconds", "", {""}),
      family("kmem_scrape_collector_success", "collector", {"meminfo", "slabinfo", "stat"}),
      family("kmem_trend_subjects", "", {""})};
  keep_collected(parsed(query), families);
  std::vector<std::string> out;
  for (const auto& each : families)
    for (const auto& metric : each.metric)
      out.push_back(each.name.substr(5) + " " + (metric.label.empty() ? "" : metric.label[0].value));
  return out;
}

TEST(Collect, KeepsTheFamiliesOfTheNamedCollectors) {
  EXPECT_THAT(left("collect[]=slabinfo"),
              ElementsAre("pool_tag_bytes slab_reclaimable", "scrape_collector_success slabinfo", "trend_subjects "));
  EXPECT_THAT(left("collect%5B%5D=stat&x=1&collect%5b%5d=meminfo"),
              ElementsAre("pool_bytes slab_reclaimable", "pool_bytes percpu", "boot_time_seconds ",
                          "scrape_collector_success meminfo", "scrape_collector_success stat", "trend_subjects "));
}

TEST(Collect, LeavesOutTheFamiliesOfTheExcluded) {
  EXPECT_THAT(left("exclude[]=meminfo&exclude[]=slabinfo"),
              ElementsAre("pool_tag_bytes vmalloc", "pool_tag_bytes allocinfo", "pool_tag_bytes paged", "boot_time_seconds ",
                          "scrape_collector_success stat", "trend_subjects "));
}

TEST(Collect, EveryCollectorHasAFigure) {
  // What these read is told within others' figures: page sizes with the memory, holders of objects with the processes.
  const std::vector<std::string_view> within = {"object_handles"};
  for (const config::CollectorInfo& collector : config::kCollectors) {
    bool has = std::find(within.begin(), within.end(), collector.name) != within.end();
    for (const MetricRow& row : catalogue())
      for (const std::string_view pool : {"", "slab_reclaimable", "vmalloc", "allocinfo", "paged"})
        for (const std::string_view owner : collectors_of(row.name, pool)) has = has || owner == collector.name;
    EXPECT_TRUE(has) << collector.name << ": say in a metric's row in exporter/metrics/catalogue.cpp whose figure it is";
  }
}

TEST(Collect, OtherParametersAreTheScrapersOwn) {
  EXPECT_TRUE(parsed("").all());
  EXPECT_TRUE(parsed("a=b&collect=x&&collect[=y&=").all());
  EXPECT_THAT(parsed("collect[]=a+b&collect[]=%63").only, ElementsAre("a b", "c"));
}

TEST(Collect, WhatCannotBeIsRefused) {
  EXPECT_EQ(parse_collect("collect[]=a&exclude[]=b").error().message, "collect[] and exclude[] cannot go together");
  std::string many;
  for (int i = 0; i < 65; ++i) many += "collect[]=stat&";
  EXPECT_FALSE(parse_collect(many).ok());
  std::vector<PartStatus> parts(2);
  parts[0].collector = "meminfo";
  parts[1].collector = "stat";
  EXPECT_TRUE(check_collect(parsed("collect[]=stat"), parts).ok());
  EXPECT_EQ(check_collect(parsed("collect[]=cpu%0a"), parts).error().message,
            "no such collector here, or it is switched off: \"cpu?\"; there are meminfo, stat");
  EXPECT_FALSE(check_collect(parsed("exclude[]=cpu"), parts).ok());
  EXPECT_FALSE(check_collect(parsed("collect[]="), parts).ok());
}

TEST(Collect, EveryFamilyHasItsCollector) {
  for (const MetricRow& row : catalogue()) {
    const bool own = !row.name.starts_with("kmem_") || row.name.starts_with("kmem_exporter_") ||
                     row.name.starts_with("kmem_trend_") || row.name.starts_with("kmem_scrape_collector_");
    EXPECT_EQ(collectors_of(row.name, "paged").empty(), own) << row.name;
  }
}

}  // namespace
}  // namespace kmem::metrics
