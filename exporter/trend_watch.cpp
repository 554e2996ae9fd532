#include "exporter/trend_watch.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "collectors/base/log.h"
#include "collectors/base/time_words.h"

namespace kmem {
namespace {

constexpr base::UnixMillis kReviewEveryMs = 15 * 60'000;
constexpr double kSecondsPerDay = 86'400;
constexpr double kPageBytes = 4096;

trend::EngineOptions engine_options(const config::Trend& config, std::string host_identity) {
  trend::EngineOptions options;
  options.max_subjects = config.max_subjects;
  options.min_bytes_per_day = static_cast<double>(config.min_growth_per_day);
  options.min_ptes_per_day = options.min_bytes_per_day / kPageBytes;
  options.host_identity = std::move(host_identity);
  return options;
}

/// More digits than a fit can know would only make the page longer.
double rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return std::strtod(text, nullptr);
}

metrics::TrendSlopes slopes_of(const trend::SubjectReport& report, double sign) {
  metrics::TrendSlopes slopes = {report.slope_1d_per_second, report.slope_7d_per_second, report.slope_28d_per_second};
  for (auto& slope : slopes)
    if (slope) slope = rounded(sign * *slope) + 0.0;  // no -0
  return slopes;
}

std::string number(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string exhaustion_text(const trend::SubjectReport& report) {
  if (!report.exhaustion) return "unknown";
  if (std::isinf(report.exhaustion->seconds)) return "never";
  return number("%.0fs", report.exhaustion->seconds);
}

/// What the time left divides by the growth a day.
std::string room_text(const trend::SubjectReport& report) {
  return report.exhaustion ? number("%.0f", report.exhaustion->room) : "unknown";
}

std::string_view bound_text(const trend::SubjectReport& report) {
  const bool known = report.exhaustion && report.exhaustion->bound != trend::Bound::kUnknown;
  return known ? trend::bound_name(report.exhaustion->bound) : "unknown";
}

/// What runs out, as the metric names it; empty for pools whose end would mean nothing.
std::string_view resource_of(const trend::SubjectReport& report) {
  if (!trend::has_pool(report.kind)) return trend::kind_name(report.kind);
  switch (report.pool) {
    case Pool::kPaged:
    case Pool::kNonpaged:
    case Pool::kSlabUnreclaimable:
    case Pool::kVmalloc:
    case Pool::kPercpu: return pool_name(report.pool);
    default: return {};
  }
}

void log_suspect(const trend::SubjectReport& leak, const drivers::Attribution& owners) {
  std::string driver;
  if (leak.kind == trend::Kind::kTag) {
    driver = drivers::joined_drivers(owners.candidates(leak.pool, leak.text));
    if (driver.empty()) driver = "unknown";
  }
  const std::string per_day = number("%.0f", leak.credible_slope_per_second * kSecondsPerDay);
  const bool bytes = trend::counts_bytes(leak.kind);
  base::log_warn("leak suspected", {{"kind", trend::kind_name(leak.kind)},
                                    {"pool", trend::pool_name_of(leak.kind, leak.pool)},
                                    {leak.kind == trend::Kind::kHandles ? "process" : "tag", leak.text},
                                    {bytes ? "bytes_per_day" : "per_day", per_day},
                                    {"since", leak.since ? base::date_words(*leak.since) : std::string("unknown")},
                                    {"confidence", number("%.2f", leak.confidence)},
                                    {"exhaustion", exhaustion_text(leak)},
                                    {"room", room_text(leak)},
                                    {"bound", bound_text(leak)},
                                    {"driver", driver}});
}

}  // namespace

TrendWatch::TrendWatch(const config::Trend& config, std::string host_identity, const drivers::Attribution& owners)
    : owners_(owners), engine_(engine_options(config, std::move(host_identity))) {}

base::Result<void> TrendWatch::load(std::string_view payload) {
  if (auto taken = engine_.load(payload); !taken) return taken;
  review(true);  // what an earlier run has said is no news
  last_review_ = 0;
  return {};
}

void TrendWatch::observe(const Snapshot& snapshot, const Boot& boot) {
  engine_.observe(sampler_.take(snapshot, boot));
  const trend::Summary summary = engine_.summary();
  view_.history_seconds = summary.history_seconds;
  view_.subjects = summary.subjects;
  // The clock may jump either way.
  if (std::abs(snapshot.time - last_review_) < kReviewEveryMs) return;
  last_review_ = snapshot.time;
  review(false);
}

void TrendWatch::review(bool silent) {
  leaks_ = engine_.report(false);
  const auto watched = std::find_if(leaks_.begin(), leaks_.end(), [](const trend::SubjectReport& report) {
    return report.verdict != trend::Verdict::kLeak;
  });
  watch_count_ = static_cast<std::size_t>(leaks_.end() - watched);
  watched_.assign(watched, watched + static_cast<std::ptrdiff_t>(std::min(watch_count_, kMostWatched)));
  leaks_.erase(watched, leaks_.end());
  suspects_.clear();
  std::map<Subject, base::UnixMillis> now;
  for (const trend::SubjectReport& leak : leaks_) {
    if (leak.kind == trend::Kind::kTag) suspects_.push_back({leak.pool, leak.text});
    const Subject subject{leak.kind, leak.pool, leak.text};
    now.emplace(subject, leak.since.value_or(0));
    if (!silent && !said_.contains(subject)) log_suspect(leak, owners_);
  }
  for (const auto& [subject, since] : said_) {
    const auto& [kind, pool, text] = subject;
    if (!silent && !now.contains(subject))
      base::log_info("leak no longer suspected",
                     {{"kind", trend::kind_name(kind)},
                      {"pool", trend::pool_name_of(kind, pool)},
                      {kind == trend::Kind::kHandles ? "process" : "tag", text},
                      {"was_since", base::date_words(since)}});
  }
  said_ = std::move(now);
  reviewed_ = true;
}

void TrendWatch::describe(const select::Selection& selection) {
  const bool same_members =
      std::equal(selection.members.begin(), selection.members.end(), described_.begin(), described_.end(),
                 [](const select::Member& member, std::uint64_t key) { return member.key == key; });
  if (same_members && !reviewed_) return;
  described_.clear();
  view_.tags.clear();
  for (const select::Member& member : selection.members) {
    described_.push_back(member.key);
    metrics::TrendView::Tag tag;
    tag.pool = member.pool;
    tag.tag = member.tag;
    const auto report = engine_.find(trend::Kind::kTag, member.pool, member.tag);
    if (report) tag.slopes = slopes_of(*report, 1);
    if (report && report->may_leak) {
      tag.confidence = rounded(report->confidence);
      tag.suspect = report->verdict == trend::Verdict::kLeak;
    }
    view_.tags.push_back(std::move(tag));
  }
  view_.suspects.clear();
  for (const select::PoolSelection& pool : selection.pools) {
    if (pool.live_tags == 0 || trend::is_reclaimable(pool.pool)) continue;
    const auto count = std::count_if(suspects_.begin(), suspects_.end(),
                                     [&pool](const select::TagId& suspect) { return suspect.pool == pool.pool; });
    view_.suspects.push_back({pool.pool, static_cast<std::uint64_t>(count)});
  }
  if (reviewed_) describe_totals();
  reviewed_ = false;
}

void TrendWatch::describe_totals() {
  view_.pools.clear();
  view_.runouts.clear();
  const auto runout = [this](const trend::SubjectReport& report) {
    const std::string_view resource = resource_of(report);
    if (report.exhaustion && !resource.empty())
      view_.runouts.push_back({resource, std::round(report.exhaustion->seconds), std::round(report.exhaustion->room),
                               trend::bound_name(report.exhaustion->bound),
                               rounded(report.exhaustion->pace_per_second)});
  };
  for (std::size_t i = 0; i < kPoolCount; ++i) {
    const auto report = engine_.find(trend::Kind::kPool, static_cast<Pool>(i), {});
    if (!report) continue;
    view_.pools.push_back({report->pool, slopes_of(*report, 1)});
    runout(*report);
  }
  // Free entries: the engine counts their use, the metric what is left.
  const auto ptes = engine_.find(trend::Kind::kSystemPtes, {}, {});
  view_.system_ptes = ptes ? slopes_of(*ptes, -1) : metrics::TrendSlopes{};
  if (ptes) runout(*ptes);
  const auto commit = engine_.find(trend::Kind::kCommit, {}, {});
  view_.commit = commit ? slopes_of(*commit, 1) : metrics::TrendSlopes{};
  if (commit) runout(*commit);
}

}  // namespace kmem
