#include "exporter/metrics/catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "config/profile.h"
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
  for (const MetricRow& row : catalogue()) EXPECT_EQ(seen.contains(row.name), row.name != elsewhere) << row.name;
}

std::vector<std::string> names_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const auto is_word = [](char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); };
  std::vector<std::string> names;
  for (std::size_t at = 0; (at = text.find("kmem_", at)) != text.npos;) {
    const std::size_t end = static_cast<std::size_t>(
        std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_word) - text.begin());
    if (at == 0 || !is_word(text[at - 1])) names.push_back(text.substr(at, end - at));
    at = end;
  }
  return names;
}

TEST(Catalogue, EveryRuleOfTheAgentsLayerWorksOnTheLeanProfile) {
  std::set<std::string_view> used;
  for (const std::string& name : names_in("../dashboards/prometheus/kmem-agent.rules.yml"))
    for (const MetricRow& row : catalogue())
      if (row.name == name) {
        used.insert(row.name);
        EXPECT_TRUE(row.lean) << name;
      }
  EXPECT_GE(used.size(), 30U);
}

// All that a host can have. A surging tag has its bytes, allocations, three verdicts, six slopes, its drivers and two series of who
// holds it.
constexpr std::size_t kOfASuspect = 14;

TEST(Catalogue, ALeanHostHasAtMost150Series) {
  for (const bool is_windows : {true, false}) {
    SampleInput input = is_windows ? windows_input() : linux_input();
    for (int i = static_cast<int>(input.snapshot.parts.size()); i < static_cast<int>(is_windows ? 13 : 11); ++i)
      input.snapshot.parts.push_back({"part" + std::to_string(i), PartState::kOk, "", 0.001, 0});
    input.snapshot.settings.push_back({"vm.overcommit_memory", 2});
    input.selection.members.clear();
    input.trend.tags.clear();
    input.owners.rows.clear();
    std::vector<prometheus::MetricFamily> kernel, own;
    build_families({input.snapshot, input.selection, false, &input.trend, &input.owners, input.findings, true}, kernel);
    SelfMetrics self_metrics({"metrics"});
    LabelStamps stamps;
    self_metrics.set_config_reload(true, 1000);
    self_metrics.collect({1, 2, 3, 4}, own, stamps, true);
    std::size_t series = 0;
    for (const auto* families : {&kernel, &own})
      for (const auto& family : *families) {
        EXPECT_TRUE(catalogue_row(family.name).lean) << family.name;
        series += family.metric.size();
      }
    EXPECT_LE(series + config::kLeanSuspects * kOfASuspect, 150U) << (is_windows ? "Windows" : "Linux") << ": " << series;
    EXPECT_EQ(lines(kernel, "kmem_memory_management_setting").size(), 1U);
  }
}

TEST(Catalogue, FindsRowsByName) {
  EXPECT_EQ(catalogue_row("kmem_commit_bytes").unit, "bytes");
  EXPECT_EQ(&catalogue_row(catalogue().front().name), catalogue().data());
}

}  // namespace
}  // namespace kmem::metrics
