#include "exporter/metrics/collect.h"

#include <algorithm>
#include <array>

#include "collectors/base/query_text.h"
#include "exporter/metrics/catalogue.h"

namespace kmem::metrics {
namespace {

constexpr std::size_t kMostNames = 64;

constexpr std::array<std::string_view, 2> kTotals = {"meminfo", "performance"};
constexpr std::array<std::string_view, 2> kLimits = {"meminfo", "limits"};
constexpr std::array<std::string_view, 2> kFileCache = {"meminfo", "file_cache"};
constexpr std::array<std::string_view, 2> kMemory = {"meminfo", "basic"};
constexpr std::array<std::string_view, 2> kBoot = {"stat", "time_of_day"};
constexpr std::array<std::string_view, 2> kSystem = {"stat", "limits"};
constexpr std::array<std::string_view, 1> kEvents = {"events"}, kProcesses = {"processes"}, kSettings = {"settings"},
                                          kSessions = {"session_pool_tags"}, kBigPool = {"big_pool"},
                                          kMemoryLists = {"memory_lists"}, kPerformance = {"performance"},
                                          kPoolTags = {"pool_tags"}, kSlab = {"slabinfo"}, kVmalloc = {"vmallocinfo"},
                                          kAllocinfo = {"allocinfo"};

/// Tags' collectors go by pool.
enum class By { kFamily, kPool };
struct Rule {
  std::string_view prefix;
  std::span<const std::string_view> collectors;
  By by = By::kFamily;
};
// The first that fits.
constexpr std::array kRules = std::to_array<Rule>({
    {"kmem_pool_tag_big_", kBigPool},
    {"kmem_pool_tag", {}, By::kPool},
    {"kmem_pool_other_", {}, By::kPool},
    {"kmem_leak_suspects", {}, By::kPool},
    {"kmem_surge_suspects", {}, By::kPool},
    {"kmem_pool_limit_", kLimits},
    {"kmem_pool_trim_", kLimits},
    {"kmem_pool_failure_", kEvents},
    {"kmem_pool_", kTotals},
    {"kmem_system_ptes_", kPerformance},
    {"kmem_physical_memory_", kMemory},
    {"kmem_file_cache_", kFileCache},
    {"kmem_memory_list_", kMemoryLists},
    {"kmem_kernel_memory_", kPerformance},
    {"kmem_unaccounted_", kPerformance},
    {"kmem_process_", kProcesses},
    {"kmem_session_", kSessions},
    {"kmem_memory_management_", kSettings},
    {"kmem_os_", kSystem},
    {"kmem_boot_time_", kBoot},
    {"kmem_exporter_", {}},
    {"kmem_trend_", {}},
    {"kmem_scrape_collector_", {}},
    {"kmem_", kTotals},
});

std::span<const std::string_view> tags_of(std::string_view pool) {
  if (pool.starts_with("slab_")) return kSlab;
  if (pool == "vmalloc") return kVmalloc;
  if (pool == "allocinfo") return kAllocinfo;
  return kPoolTags;
}

/// Fit to be said again: nothing but what names are made of.
std::string shown(std::string_view name) {
  std::string out(name.substr(0, 64));
  for (char& c : out)
    if (c < 0x20 || c == 0x7F || static_cast<unsigned char>(c) >= 0x80) c = '?';
  return out;
}

bool has(std::span<const std::string> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// On either system a figure has one of its collectors.
bool is_wanted(const Collect& collect, std::span<const std::string_view> owners) {
  const auto any_of = [&](const std::vector<std::string>& names) {
    return std::any_of(owners.begin(), owners.end(), [&](std::string_view owner) { return has(names, owner); });
  };
  return owners.empty() || (collect.only.empty() ? !any_of(collect.without) : any_of(collect.only));
}

std::string_view label_of(const prometheus::ClientMetric& metric, std::string_view name) {
  for (const auto& label : metric.label)
    if (label.name == name) return label.value;
  return {};
}

}  // namespace

std::span<const std::string_view> collectors_of(std::string_view family, std::string_view pool) {
  for (const MetricRow& row : catalogue())
    if (row.name == family && !row.collector.empty()) return {&row.collector, 1};
  for (const Rule& rule : kRules)
    if (family.starts_with(rule.prefix)) return rule.by == By::kPool || pool == "allocinfo" ? tags_of(pool) : rule.collectors;
  return {};
}

base::Result<Collect> parse_collect(std::string_view query) {
  Collect collect;
  base::for_each_parameter(query, [&collect](std::string_view coded_name, std::string_view value) {
    const std::string name = base::percent_decoded(coded_name);
    if (name != "collect[]" && name != "exclude[]") return;
    if (collect.only.size() + collect.without.size() > kMostNames) return;
    (name == "collect[]" ? collect.only : collect.without).push_back(base::percent_decoded(value));
  });
  if (collect.only.size() + collect.without.size() > kMostNames)
    return base::Error{base::ErrorCode::kInvalid, "more than " + std::to_string(kMostNames) + " collectors are named"};
  if (!collect.only.empty() && !collect.without.empty())
    return base::Error{base::ErrorCode::kInvalid, "collect[] and exclude[] cannot go together"};
  return collect;
}

base::Result<void> check_collect(const Collect& collect, std::span<const PartStatus> parts) {
  for (const auto* names : {&collect.only, &collect.without}) {
    for (const std::string& name : *names) {
      if (std::any_of(parts.begin(), parts.end(), [&](const PartStatus& part) { return part.collector == name; })) continue;
      std::string known;
      for (const PartStatus& part : parts) known += (known.empty() ? "" : ", ") + part.collector;
      return base::Error{base::ErrorCode::kInvalid,
                         "no such collector here, or it is switched off: \"" + shown(name) + "\"; there are " + known};
    }
  }
  return {};
}

void keep_collected(const Collect& collect, std::vector<prometheus::MetricFamily>& families) {
  for (prometheus::MetricFamily& family : families) {
    std::erase_if(family.metric, [&](const prometheus::ClientMetric& metric) {
      const std::string_view collector = label_of(metric, "collector");
      if (family.name.starts_with("kmem_scrape_collector_")) return !is_wanted(collect, {&collector, 1});
      return !is_wanted(collect, collectors_of(family.name, label_of(metric, "pool")));
    });
  }
  std::erase_if(families, [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
}

}  // namespace kmem::metrics
