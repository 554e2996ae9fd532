#include "exporter/agent/page_view.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "collectors/base/label_text.h"

namespace kmem {
namespace {

using trend::Kind;
using trend::Verdict;

constexpr std::size_t kMostLeaks = 50;
constexpr std::size_t kMostCharts = 5;
constexpr std::size_t kMostProcesses = 20;
constexpr std::size_t kHoursOfFloor = 24;
constexpr std::array<Kind, 4> kWithoutPool = {Kind::kSystemPtes, Kind::kCommit, Kind::kHandles, Kind::kUnaccounted};

constexpr int kFollows = 2;

/// What leaks by itself before what only follows from it: a tag before the pool that it grows.
int rank_of(const trend::SubjectReport& leak, const std::vector<trend::SubjectReport>& leaks) {
  if (leak.kind == Kind::kTag) return leak.pool == Pool::kAllocinfo ? 1 : 0;
  if (leak.kind != Kind::kPool) return 1;
  std::vector<const trend::SubjectReport*> told;
  told.reserve(leaks.size());
  for (const trend::SubjectReport& other : leaks) told.push_back(&other);
  if (trend::follows_tags(leak, told)) return kFollows;
  // What is spread over many tags is said of the pool, not after them.
  const bool has_told = std::any_of(leaks.begin(), leaks.end(), [&leak](const trend::SubjectReport& other) {
    return trend::follows(leak.kind, leak.pool, other.kind, other.pool);
  });
  return has_told ? 0 : 1;
}

page::Subject subject_of(const TrendWatch& trend, const trend::SubjectReport& report, bool with_course) {
  page::Subject subject{report, {}, {}, trend.holder_of(report)};
  if (with_course) subject.course = trend.engine().course(report.kind, report.pool, report.text);
  return subject;
}

void add_trend(const TrendWatch* trend, Kind kind, Pool pool, page::Resource& resource) {
  if (trend == nullptr) return;
  const auto report = trend->engine().find(kind, pool, {});
  if (!report) return;
  resource.verdict = report->verdict;
  resource.exhaustion = report->exhaustion;
  resource.growth_per_second =
      resource.verdict == Verdict::kOk ? report->slope_7d_per_second : std::optional(report->growth_per_second());
  if (kind == Kind::kSystemPtes) {
    if (report->limit) resource.fewest = static_cast<std::uint64_t>(std::max(0.0, *report->limit));
    return;
  }
  const auto course = trend->engine().course(kind, pool, {});
  if (!course) return;
  float low = std::numeric_limits<float>::infinity();
  for (const float hour : std::span(course->recent).last(kHoursOfFloor)) low = std::fmin(low, hour);
  if (std::isfinite(low)) resource.floor = static_cast<double>(low);
}

void add_resources(const Snapshot& snapshot, const select::Selection& selection, const TrendWatch* trend, page::View& view) {
  for (const PoolTotals& pool : snapshot.pools) {
    if (!pool.bytes) continue;
    page::Resource& resource = view.resources.emplace_back();
    resource.name = pool_name(pool.pool);
    resource.amount = *pool.bytes;
    if (pool.limit) {
      resource.limit = pool.limit->bytes;
      resource.limit_source = pool.limit->source;
      resource.limit_rule = pool.limit->rule;
    }
    resource.trim_threshold = pool.trim_threshold_bytes;
    resource.resident = pool.resident_bytes;
    resource.binding = !trend::is_reclaimable(pool.pool);
    for (const trend::Room& room : trend::headrooms_of(pool, snapshot))
      if (room.known()) resource.headrooms.push_back(room);
    add_trend(trend, Kind::kPool, pool.pool, resource);
  }
  if (snapshot.system_ptes_free) {
    page::Resource& resource = view.resources.emplace_back();
    resource.name = trend::kind_name(Kind::kSystemPtes);
    resource.bytes = false;
    resource.amount = *snapshot.system_ptes_free;
    resource.limit = selection.system_ptes_free_boot_max;
    resource.limit_source = "kernel";
    resource.limit_rule = "most that were free since boot";
    add_trend(trend, Kind::kSystemPtes, {}, resource);
  }
  if (snapshot.commit_bytes) {
    page::Resource& resource = view.resources.emplace_back();
    resource.name = trend::kind_name(Kind::kCommit);
    resource.amount = *snapshot.commit_bytes;
    resource.limit = snapshot.commit_limit_bytes;
    resource.limit_source = "kernel";
    resource.peak = snapshot.commit_peak_bytes;
    add_trend(trend, Kind::kCommit, {}, resource);
    resource.binding = snapshot.system == System::kWindows || resource.exhaustion.has_value();
    if (!resource.binding && resource.limit) resource.limit_rule = "not enforced on this system";
  }
}

/// Its limit is memory, which says how much of it that is; it may well be most.
void add_unaccounted(const Snapshot& snapshot, const TrendWatch* trend, page::View& view) {
  if (!snapshot.unaccounted_bytes) return;
  page::Resource& resource = view.resources.emplace_back();
  resource.name = trend::kind_name(Kind::kUnaccounted);
  resource.amount = *snapshot.unaccounted_bytes;
  resource.limit = snapshot.physical_memory_bytes;
  resource.limit_source = "kernel";
  resource.limit_rule =
      "physical - available - modified - working sets - nonpaged pool - resident paged pool - "
      "system cache - drivers - kernel code";
  resource.binding = false;
  if (snapshot.available_bytes)
    resource.headrooms.push_back({static_cast<double>(*snapshot.available_bytes), trend::Bound::kAvailableMemory});
  add_trend(trend, Kind::kUnaccounted, {}, resource);
}

std::uint64_t key_of(const trend::Outline& outline) { return tag_key(outline.pool, outline.text); }

}  // namespace

void gather_view(const Snapshot& snapshot, const select::Selection& selection, const TrendWatch* trend, page::View& view) {
  view.time = snapshot.time;
  view.boot_time = snapshot.boot_time;
  view.system = snapshot.system;
  view.physical_memory_bytes = snapshot.physical_memory_bytes;
  view.available_bytes = snapshot.available_bytes;
  view.failure_events = snapshot.failure_events;
  view.parts = snapshot.parts;
  view.processes = selection.processes;
  std::stable_sort(view.processes.begin(), view.processes.end(),
                   [](const ProcessUsage& a, const ProcessUsage& b) { return a.handles.value_or(0) > b.handles.value_or(0); });
  if (view.processes.size() > kMostProcesses) view.processes.resize(kMostProcesses);
  add_resources(snapshot, selection, trend, view);
  add_unaccounted(snapshot, trend, view);
  view.trend_enabled = trend != nullptr;
  if (trend == nullptr) return;
  view.history = trend->engine().summary();
  view.readiness = trend->engine().readiness();
  view.boots = trend->engine().boot_times();
  view.leak_count = trend->leaks().size();
  view.watch_count = trend->watch_count();
  std::vector<trend::SubjectReport> leaks = trend->leaks();
  std::stable_sort(leaks.begin(), leaks.end(),
                   [all = &trend->leaks()](const auto& a, const auto& b) { return rank_of(a, *all) < rank_of(b, *all); });
  for (std::size_t i = 0; i < std::min(leaks.size(), kMostLeaks); ++i)
    view.leaks.push_back(subject_of(*trend, leaks[i], i < kMostCharts && rank_of(leaks[i], trend->leaks()) < kFollows));
  view.surge_count = trend->surges().size();
  for (std::size_t i = 0; i < std::min(trend->surges().size(), kMostLeaks); ++i)
    view.surges.push_back(subject_of(*trend, trend->surges()[i], i < kMostCharts));
  for (const trend::SubjectReport& watched : trend->watched()) view.watched.push_back(subject_of(*trend, watched, false));
}

std::vector<page::TagRow> gather_tags(const Snapshot& snapshot, const select::Selection& selection, const TrendWatch* trend,
                                      const page::Rates& rates) {
  std::unordered_map<std::uint64_t, const trend::Outline*> outlines;
  std::vector<trend::Outline> all;
  if (trend != nullptr) all = trend->engine().outlines();
  outlines.reserve(all.size());
  for (const trend::Outline& outline : all)
    if (outline.kind == Kind::kTag) outlines.emplace(key_of(outline), &outline);
  std::unordered_set<std::uint64_t> exported;
  for (const select::Member& member : selection.members) exported.insert(member.key);

  std::vector<page::TagRow> rows;
  rows.reserve(snapshot.tags.size());
  for (const TagUsage& tag : snapshot.tags) {
    page::TagRow& row = rows.emplace_back();
    row.pool = tag.pool;
    row.tag = tag.tag;
    row.bytes = tag.bytes;
    if (tag.has_outstanding) row.outstanding = tag.outstanding;
    row.allocations_per_second = rates.per_second(tag.key);
    row.exported = exported.contains(tag.key);
    row.course.fill(trend::kNothing);
    const auto outline = outlines.find(tag.key);
    if (outline == outlines.end()) continue;
    row.growth_per_second = outline->second->growth_per_second;
    row.verdict = outline->second->verdict;
  }
  return rows;
}

void add_courses(const TrendWatch* trend, std::vector<page::TagRow>& rows) {
  if (trend == nullptr) return;
  for (page::TagRow& row : rows) row.course = trend->engine().daily_course(Kind::kTag, row.pool, row.tag);
}

std::optional<page::Subject> find_subject(const TrendWatch& trend, std::string_view path) {
  const std::string_view resource = path.substr(0, path.find('/'));
  const bool has_text = resource.size() < path.size();
  const std::string_view raw = has_text ? path.substr(resource.size() + 1) : std::string_view();
  const auto pool = std::find(kPoolNames.begin(), kPoolNames.end(), resource);
  Kind kind = has_text ? Kind::kTag : Kind::kPool;
  if (pool == kPoolNames.end()) {
    const auto found = std::find_if(kWithoutPool.begin(), kWithoutPool.end(), [&](Kind one) {
      return resource == trend::kind_name(one) && has_text == (one == Kind::kHandles);
    });
    if (found == kWithoutPool.end()) return std::nullopt;
    kind = *found;
  }
  const Pool which = trend::has_pool(kind) ? static_cast<Pool>(pool - kPoolNames.begin()) : Pool{};
  auto report = trend.engine().find(kind, which, raw);
  // A tag's bytes as the kernel has them mean the same as its legal text.
  if (!report) report = trend.engine().find(kind, which, base::label_text(raw));
  if (!report) return std::nullopt;
  return subject_of(trend, *report, true);
}

std::vector<page::Subject> find_subjects(const TrendWatch& trend, const page::TagQuery& query, std::size_t& matched) {
  const auto all = trend.engine().outlines();
  std::vector<const trend::Outline*> wanted;
  for (const trend::Outline& outline : all) {
    const bool asked = query.verdict ? outline.verdict == *query.verdict : outline.verdict != Verdict::kOk;
    if (asked && (!query.pool || (trend::has_pool(outline.kind) && outline.pool == *query.pool))) wanted.push_back(&outline);
  }
  matched = wanted.size();
  const std::size_t begin = std::min(query.offset, matched), end = std::min(query.offset + query.limit, matched);
  std::partial_sort(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(end), wanted.end(),
                    [](const trend::Outline* a, const trend::Outline* b) {
                      const auto key = [](const trend::Outline& outline) {
                        return std::make_tuple(-static_cast<int>(outline.verdict), -outline.growth_per_second.value_or(0),
                                               -outline.last_amount, outline.kind, outline.pool, outline.text);
                      };
                      return key(*a) < key(*b);
                    });
  std::vector<page::Subject> subjects;
  for (std::size_t i = begin; i < end; ++i) {
    auto report = trend.engine().find(wanted[i]->kind, wanted[i]->pool, wanted[i]->text);
    if (!report) continue;
    subjects.push_back(subject_of(trend, *report, false));
  }
  return subjects;
}

}  // namespace kmem
