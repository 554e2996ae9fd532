#include "exporter/metrics/catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "exporter/metrics/self_metrics.h"
#include "tests/exporter/metrics/sample_input.h"

namespace kmem::metrics {
namespace {

using prometheus::MetricType;

TEST(Catalogue, RowsFollowTheNamingRules) {
  std::set<std::string_view> names;
  for (const MetricRow& row : catalogue()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(row.name.starts_with("kmem_") || row.name.starts_with("process_")) << row.name;
    EXPECT_EQ(row.name.ends_with("_total"), row.type == MetricType::Counter) << row.name;
    EXPECT_GT(row.help.size(), 20U) << row.name;
    EXPECT_TRUE(row.help.ends_with('.')) << row.name;
    std::string_view base = row.name;
    if (base.ends_with("_total")) base.remove_suffix(6);
    const std::set<std::string_view> units = {"bytes", "seconds"};
    const auto last = base.substr(base.rfind('_') + 1);
    EXPECT_EQ(row.unit, units.contains(last) ? last : "") << row.name;
    EXPECT_TRUE(std::is_partitioned(row.labels.begin(), row.labels.end(), [](auto label) { return !label.empty(); }));
  }
}

TEST(Catalogue, KernelRowsNameTheirSource) {
  for (const MetricRow& row : catalogue()) {
    if (row.fill == nullptr) continue;
    const bool named = row.help.find("Windows") != row.help.npos || row.help.find("Linux") != row.help.npos ||
                       row.help.find("this exporter") != row.help.npos || row.help.find("kmem_") != row.help.npos;
    EXPECT_TRUE(named) << row.name;
  }
}

/// Both ways: what is exported stands in the catalogue as it is exported, and every row is exported by some system.
TEST(Catalogue, IsWhatIsExported) {
  std::vector<prometheus::MetricFamily> exported = linux_input().families();
  for (const auto& family : windows_input().families()) exported.push_back(family);
  SelfMetrics self_metrics({"metrics"});
  self_metrics.observe_request("metrics", 200, 0.001);
  self_metrics.set_config_reload(true, 1000);
  self_metrics.collect({1, 2, 3, 4}, exported);

  std::set<std::string_view> seen;
  for (const auto& family : exported) {
    const auto row = std::find_if(catalogue().begin(), catalogue().end(),
                                  [&](const MetricRow& candidate) { return candidate.name == family.name; });
    ASSERT_NE(row, catalogue().end()) << family.name;
    seen.insert(row->name);
    EXPECT_EQ(family.type, row->type) << family.name;
    EXPECT_EQ(family.help, row->help) << family.name;
    for (const auto& metric : family.metric) {
      std::set<std::string_view> wanted(row->labels.begin(), row->labels.end());
      wanted.erase("");
      std::set<std::string_view> got;
      for (const auto& label : metric.label) got.insert(label.name);
      EXPECT_EQ(got, wanted) << family.name;
    }
  }
  const std::string_view elsewhere = seen.contains("process_open_fds") ? "process_handles" : "process_open_fds";
  for (const MetricRow& row : catalogue())
    EXPECT_EQ(seen.contains(row.name), row.name != elsewhere) << row.name;
}

TEST(Catalogue, FindsRowsByName) {
  EXPECT_EQ(catalogue_row("kmem_commit_bytes").unit, "bytes");
  EXPECT_EQ(&catalogue_row(catalogue().front().name), catalogue().data());
}

}  // namespace
}  // namespace kmem::metrics
