#include "exporter/trend_watch.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "collectors/base/log.h"

namespace kmem {
namespace {

constexpr base::UnixMillis kReviewEveryMs = 15 * 60'000;
constexpr double kSecondsPerDay = 86'400;
constexpr double kPageBytes = 4096;
constexpr std::size_t kMostWords = 5;

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

std::chrono::year_month_day date_of(base::UnixMillis time) {
  const std::chrono::sys_time<std::chrono::milliseconds> moment{std::chrono::milliseconds(time)};
  return std::chrono::floor<std::chrono::days>(moment);
}

std::string iso_date(base::UnixMillis time) {
  const auto date = date_of(time);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

std::string short_date(base::UnixMillis time) {
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto date = date_of(time);
  return std::to_string(static_cast<unsigned>(date.day())) + " " + kMonths[static_cast<unsigned>(date.month()) - 1];
}

std::string byte_rate(double bytes_per_day) {
  if (bytes_per_day >= 1024.0 * 1024 * 1024) return number("+%.1f GiB/day", bytes_per_day / (1024.0 * 1024 * 1024));
  if (bytes_per_day >= 1024.0 * 1024) return number("+%.1f MiB/day", bytes_per_day / (1024.0 * 1024));
  return number("+%.0f KiB/day", bytes_per_day / 1024);
}

std::string exhaustion_text(const trend::SubjectReport& report) {
  if (!report.exhaustion) return "unknown";
  if (std::isinf(report.exhaustion->seconds)) return "never";
  return number("%.0fs", report.exhaustion->seconds);
}

std::string_view kind_text(trend::Kind kind) {
  switch (kind) {
    case trend::Kind::kTag: return "tag";
    case trend::Kind::kPool: return "pool";
    case trend::Kind::kSystemPtes: return "system_ptes";
    case trend::Kind::kCommit: return "commit";
    case trend::Kind::kHandles: break;
  }
  return "handles";
}

std::string_view pool_text(trend::Kind kind, Pool pool) {
  return kind == trend::Kind::kTag || kind == trend::Kind::kPool ? pool_name(pool) : std::string_view();
}

/// What runs out, as the metric names it; empty for pools whose end would mean nothing.
std::string_view resource_of(const trend::SubjectReport& report) {
  if (report.kind == trend::Kind::kSystemPtes) return "system_ptes";
  if (report.kind == trend::Kind::kCommit) return "commit";
  switch (report.pool) {
    case Pool::kPaged:
    case Pool::kNonpaged:
    case Pool::kSlabUnreclaimable:
    case Pool::kVmalloc: return pool_name(report.pool);
    default: return {};
  }
}

void log_suspect(const trend::SubjectReport& leak) {
  const std::string per_day = number("%.0f", leak.credible_slope_per_second * kSecondsPerDay);
  const bool bytes = leak.kind != trend::Kind::kSystemPtes && leak.kind != trend::Kind::kHandles;
  base::log_warn("leak suspected", {{"kind", kind_text(leak.kind)},
                                    {"pool", pool_text(leak.kind, leak.pool)},
                                    {leak.kind == trend::Kind::kHandles ? "process" : "tag", leak.text},
                                    {bytes ? "bytes_per_day" : "per_day", per_day},
                                    {"since", leak.since ? iso_date(*leak.since) : std::string("unknown")},
                                    {"confidence", number("%.2f", leak.confidence)},
                                    {"exhaustion", exhaustion_text(leak)}});
}

}  // namespace

TrendWatch::TrendWatch(const config::Trend& config, std::string host_identity)
    : engine_(engine_options(config, std::move(host_identity))) {}

base::Result<void> TrendWatch::load(std::string_view payload) {
  if (auto taken = engine_.load(payload); !taken) return taken;
  review(true);  // what an earlier run has said is no news
  last_review_ = 0;
  return {};
}

void TrendWatch::observe(const Snapshot& snapshot) {
  engine_.observe(sampler_.take(snapshot));
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
  std::erase_if(leaks_, [](const trend::SubjectReport& report) {
    const bool pool_matters = report.kind == trend::Kind::kTag || report.kind == trend::Kind::kPool;
    return report.verdict != trend::Verdict::kLeak || (pool_matters && !trend::may_leak(report.pool, report.text));
  });
  suspects_.clear();
  std::map<Subject, base::UnixMillis> now;
  for (const trend::SubjectReport& leak : leaks_) {
    if (leak.kind == trend::Kind::kTag) suspects_.push_back({leak.pool, leak.text});
    const Subject subject{leak.kind, leak.pool, leak.text};
    now.emplace(subject, leak.since.value_or(0));
    if (!silent && !said_.contains(subject)) log_suspect(leak);
  }
  for (const auto& [subject, since] : said_) {
    const auto& [kind, pool, text] = subject;
    if (!silent && !now.contains(subject))
      base::log_info("leak no longer suspected",
                     {{"kind", kind_text(kind)},
                      {"pool", pool_text(kind, pool)},
                      {kind == trend::Kind::kHandles ? "process" : "tag", text},
                      {"was_since", iso_date(since)}});
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
    if (report && trend::may_leak(member.pool, member.tag)) {
      tag.confidence = rounded(report->confidence);
      tag.suspect = report->verdict == trend::Verdict::kLeak;
    }
    view_.tags.push_back(std::move(tag));
  }
  view_.suspects.clear();
  for (const select::PoolSelection& pool : selection.pools) {
    if (pool.live_tags == 0 || !trend::may_leak(pool.pool, {})) continue;
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
      view_.runouts.push_back({resource, std::round(report.exhaustion->seconds)});
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

std::vector<std::string> TrendWatch::verdict() const {
  std::vector<std::string> lines;
  for (const trend::SubjectReport& leak : leaks_) {
    if (lines.size() == kMostWords) break;
    const double per_day = leak.credible_slope_per_second * kSecondsPerDay;
    std::string line = "Leak suspected: ";
    switch (leak.kind) {
      case trend::Kind::kTag:
        line += "tag " + leak.text + " (" + std::string(pool_name(leak.pool)) + "), " + byte_rate(per_day);
        break;
      case trend::Kind::kPool: line += "pool " + std::string(pool_name(leak.pool)) + ", " + byte_rate(per_day); break;
      case trend::Kind::kCommit: line += "committed memory, " + byte_rate(per_day); break;
      case trend::Kind::kSystemPtes: line += "free system PTEs, " + number("-%.0f a day", per_day); break;
      case trend::Kind::kHandles: line += "handles of " + leak.text + ", " + number("+%.0f a day", per_day); break;
    }
    if (leak.since) line += " since " + short_date(*leak.since);
    lines.push_back(std::move(line));
  }
  if (leaks_.size() > lines.size()) lines.push_back("and " + std::to_string(leaks_.size() - lines.size()) + " more");
  if (!lines.empty()) return lines;
  const double days = view_.history_seconds / kSecondsPerDay;
  if (days < 1) return {"No leak seen; less than a day of history, which is too little to say."};
  return {"No leak seen; " + number("%.0f", std::floor(days)) + (days < 2 ? " day" : " days") + " of history."};
}

}  // namespace kmem
