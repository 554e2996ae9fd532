#include "exporter/agent/trend_watch.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "collectors/base/clock.h"
#include "collectors/base/log.h"
#include "collectors/base/time_words.h"

namespace kmem {
namespace {

constexpr base::UnixMillis kReviewEveryMs = 60'000;  // of verdicts while something surges: it may have minutes
// Of all verdicts and of slopes of what is exported, which cost more.
constexpr base::UnixMillis kFiguresEveryMs = 15 * base::kMinuteMillis;
using base::kSecondsPerDay;
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

/// Of tags the hours are told only while they surge: of every exported one they would be a third of the page.
metrics::TrendSlopes slopes_of(const trend::SubjectReport& report, double sign) {
  metrics::TrendSlopes slopes = {report.slope_1d_per_second, report.slope_7d_per_second, report.slope_28d_per_second};
  if (report.kind != trend::Kind::kTag || report.surge) {
    slopes[3] = report.slope_5m_per_second;
    slopes[4] = report.slope_1h_per_second;
    slopes[5] = report.slope_6h_per_second;
  }
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

/// How much of a pool's growth is made by which tags; empty: nobody knows, or they are told themselves.
std::string grower_text(const trend::SubjectReport& report) {
  return trend::grower_words(report, [](double bytes) { return number("%.0f", bytes); });
}

std::string_view grower_key(const std::string& growers) { return growers.empty() ? "" : "growers"; }

/// Of a surge whose end is weeks away no time is told: it does not go on for as long.
std::string time_left_text(const trend::Surge& surge) {
  if (std::isinf(surge.seconds_left)) return "unknown";
  return surge.is_far() ? "more than 14 days" : number("%.0fs", surge.seconds_left);
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
std::string_view resource_of(trend::Kind kind, Pool pool) {
  if (!trend::has_pool(kind)) return trend::kind_name(kind);
  switch (pool) {
    case Pool::kPaged:
    case Pool::kNonpaged:
    case Pool::kSlabUnreclaimable:
    case Pool::kVmalloc:
    case Pool::kPercpu: return pool_name(pool);
    default: return {};
  }
}

/// Of an object's tag alone: who holds others is not asked.
std::string_view held_key(const trend::SubjectReport& report) {
  const bool is_object = report.kind == trend::Kind::kTag && trend::object_type_of(report.pool, report.text) != nullptr;
  return is_object ? "held" : "";
}

/// What a subject's own name is called in the log.
std::string_view name_key(trend::Kind kind) { return kind == trend::Kind::kHandles ? "process" : "tag"; }

/// Who may be behind a tag; empty for what is none.
std::string driver_words(const trend::SubjectReport& report, const drivers::Attribution& owners) {
  if (report.kind != trend::Kind::kTag) return {};
  std::string drivers = drivers::joined_drivers(owners.candidates(report.pool, report.text));
  return drivers.empty() ? "unknown" : drivers;
}

std::string_view or_unknown(const std::string& words) { return words.empty() ? std::string_view("unknown") : words; }

void log_suspect(const trend::SubjectReport& leak, const drivers::Attribution& owners, const std::string& held) {
  const std::string per_day = number("%.0f", leak.credible_slope_per_second * kSecondsPerDay);
  const bool bytes = trend::counts_bytes(leak.kind);
  const std::string growers = grower_text(leak);
  base::log_warn("leak suspected", {{"kind", trend::kind_name(leak.kind)},
                                    {"pool", trend::pool_name_of(leak.kind, leak.pool)},
                                    {name_key(leak.kind), leak.text},
                                    {bytes ? "bytes_per_day" : "per_day", per_day},
                                    {"since", leak.since ? base::date_words(*leak.since) : std::string("unknown")},
                                    {"confidence", number("%.2f", leak.confidence)},
                                    {"exhaustion", exhaustion_text(leak)},
                                    {"room", room_text(leak)},
                                    {"bound", bound_text(leak)},
                                    {grower_key(growers), growers},
                                    {"driver", driver_words(leak, owners)},
                                    {held_key(leak), or_unknown(held)}});
}

/// No fault is claimed: load can do this, too.
void log_surge(const trend::SubjectReport& report, const drivers::Attribution& owners, const std::string& held) {
  const bool bytes = trend::counts_bytes(report.kind);
  const trend::Surge& surge = *report.surge;
  const std::string growers = grower_text(report);
  base::log_warn("surge: grows now beyond all before",
                 {{"kind", trend::kind_name(report.kind)},
                  {"pool", trend::pool_name_of(report.kind, report.pool)},
                  {name_key(report.kind), report.text},
                  {bytes ? "bytes_per_hour" : "per_hour", number("%.0f", surge.pace_per_second * base::kSecondsPerHour)},
                  {"growth", number("%.0f", surge.growth)},
                  {"since", base::rfc3339(surge.since)},
                  {surge.times > 0 ? "times" : "", number("%.1f", surge.times)},
                  {"time_left", time_left_text(surge)},
                  {"bound", bound_text(report)},
                  {grower_key(growers), growers},
                  {"driver", driver_words(report, owners)},
                  {held_key(report), or_unknown(held)}});
}

/// What leaks stays a leak while it is told as the surge that it has become.
bool is_leaking(const trend::SubjectReport& report) {
  return report.verdict == trend::Verdict::kLeak || (report.verdict == trend::Verdict::kSurge && report.confidence >= 0.5);
}

/// A steeper growth within one that was told is news: it lasts for less than half as long.
bool is_another(base::UnixMillis since, base::UnixMillis said, base::UnixMillis now) { return now - since < (now - said) / 2; }

using Said = std::map<std::tuple<trend::Kind, Pool, std::string>, base::UnixMillis>;

void log_ended(std::string_view message, const Said& before, const Said& now, const Said& leaks = {}) {
  for (const auto& [subject, since] : before) {
    if (now.contains(subject)) continue;
    const auto& [kind, pool, text] = subject;
    base::log_info(leaks.contains(subject) ? "surge goes on, called a leak now" : message,
                   {{"kind", trend::kind_name(kind)},
                    {"pool", trend::pool_name_of(kind, pool)},
                    {name_key(kind), text},
                    {"was_since", base::date_words(since)}});
  }
}

}  // namespace

TrendWatch::TrendWatch(const config::Trend& config, std::string host_identity, const drivers::Attribution& owners)
    : owners_(owners), engine_(engine_options(config, std::move(host_identity))) {}

base::Result<void> TrendWatch::load(std::string_view payload) {
  if (auto taken = engine_.load(payload); !taken) return taken;
  review(true);  // what an earlier run has said is no news
  clock_jumps_ = engine_.summary().clock_jumps_total;
  last_review_ = last_figures_ = 0;
  return {};
}

bool TrendWatch::save_piece(std::size_t number, std::string& out) const {
  if (!pieces_) return engine_.save_piece(number, out);
  if (number >= pieces_->size()) return false;
  out += (*pieces_)[number];
  return true;
}

void TrendWatch::end_saving() {
  saving_ = false;
  pieces_.reset();
}

void TrendWatch::make_pieces() {
  if (!saving_ || pieces_) return;
  std::vector<std::string>& pieces = pieces_.emplace();
  std::string piece;
  while (engine_.save_piece(pieces.size(), piece)) {
    pieces.push_back(piece);
    piece.clear();
  }
}

std::optional<std::vector<std::string>> TrendWatch::take_pieces() {
  make_pieces();
  return std::exchange(pieces_, std::nullopt);
}

void TrendWatch::observe(const Snapshot& snapshot, const Boot& boot, std::chrono::nanoseconds now) {
  make_pieces();
  engine_.observe(sampler_.take(snapshot, boot));
  holder_watch_.observe(snapshot);
  const trend::Summary summary = engine_.summary();
  view_.history_seconds = summary.history_seconds;
  view_.subjects = summary.subjects;
  const bool jumped = summary.clock_jumps_total > clock_jumps_, has_gap = summary.gap_seconds > 0;
  if (const auto often = clock_.told_late(now))
    base::log_warn("the clock is set again and again; the history goes on by its own time",
                   {{"times", std::to_string(*often)}, {"jumps", std::to_string(summary.clock_jumps_total)}});
  const bool said = (jumped || has_gap) && clock_.changed(now);
  if (jumped && said)
    base::log_warn("the clock was set; the history goes on by its own time",
                   {{"jumps", std::to_string(summary.clock_jumps_total)}});
  clock_jumps_ = summary.clock_jumps_total;
  if (has_gap && said)
    base::log_warn("a gap in the history: nobody watched, or the clock was set",
                   {{"seconds", number("%.0f", summary.gap_seconds)}});
  // The clock may jump either way.
  const bool figures = std::abs(snapshot.time - last_figures_) >= kFiguresEveryMs;
  const bool surges = engine_.surge_changes() != surge_changes_ || !surges_.empty();
  if (!figures && !(surges && std::abs(snapshot.time - last_review_) >= kReviewEveryMs)) return;
  last_review_ = snapshot.time;
  surge_changes_ = engine_.surge_changes();
  review(false);
  if (!figures) return;
  note_readiness();
  last_figures_ = snapshot.time;
  changed_ = true;
}

/// Says once that silence means nothing yet, and once that it does.
void TrendWatch::note_readiness() {
  const trend::Readiness readiness = engine_.readiness();
  view_.judged = readiness.judged;
  std::optional<Subject> growing;
  if (const auto& largest = readiness.largest; largest && (largest->is_told_first() || largest->is_held())) {
    growing = Subject{largest->kind, largest->pool, largest->text};
    // Again where what was little has become much.
    if (growing != growing_ || (largest->is_large && !growing_large_))
      base::log_warn(trend::growth_phrase(*largest) + trend::growth_claim(*largest),
                     {{"kind", trend::kind_name(largest->kind)},
                      {"pool", trend::pool_name_of(largest->kind, largest->pool)},
                      {name_key(largest->kind), largest->text},
                      {"growth", number("%.0f", largest->amount)},
                      {"seconds", number("%.0f", largest->seconds)},
                      {"room", largest->room ? number("%.0f", *largest->room) : std::string("unknown")}});
  }
  growing_ = std::move(growing);
  growing_large_ = growing_ && readiness.largest->is_large;
  if (judged_ == readiness.judged) return;
  if (readiness.judged) {
    if (judged_) base::log_info("the history suffices to tell a leak");
  } else {
    const auto& largest = readiness.largest;
    base::log_info("too little history to tell a leak",
                   {{"lacking", trend::readiness_words(readiness)},
                    {"largest_growth", largest ? number("%.0f", largest->amount) : std::string("none")},
                    {"kind", largest ? trend::kind_name(largest->kind) : std::string_view()},
                    {"pool", largest ? trend::pool_name_of(largest->kind, largest->pool) : std::string_view()},
                    {"tag", largest ? std::string_view(largest->text) : std::string_view()}});
  }
  judged_ = readiness.judged;
}

std::optional<trend::Holder> TrendWatch::holder_of(const trend::SubjectReport& report) const {
  if (report.kind != trend::Kind::kTag) return std::nullopt;
  const auto found = holders_.find({report.pool, report.text});
  return found == holders_.end() ? std::nullopt : std::optional(found->second);
}

/// Whose handles of the very type grow goes before who grows alongside, and that before who merely holds the most.
void TrendWatch::find_holders() {
  constexpr std::size_t kMostObjects = 8;  // suspects that are objects: each is compared with every process' history
  std::map<std::pair<Pool, std::string>, trend::Holder> holders;
  std::size_t objects = 0;
  for (const select::TagId& tag : suspects_) {
    if (trend::object_type_of(tag.pool, tag.tag) == nullptr || ++objects > kMostObjects) continue;
    std::optional<trend::Holder> holder = holder_watch_.find(tag.pool, tag.tag);
    if (!holder || holder->basis == trend::Holder::Basis::kTypeHeld)
      if (const auto report = engine_.find(trend::Kind::kTag, tag.pool, tag.tag))
        if (auto grown = trend::find_holder(engine_, *report, &holder_watch_)) holder = std::move(grown);
    if (holder) holders.emplace(std::pair(tag.pool, tag.tag), std::move(*holder));
  }
  holder_watch_.end_review();
  wants_object_handles_ = objects > 0;
  changed_ = changed_ || holders != holders_;
  holders_ = std::move(holders);
}

void TrendWatch::review(bool silent) {
  leaks_.clear(), watched_.clear(), surges_.clear(), suspects_.clear();
  watch_count_ = 0;
  std::map<Subject, base::UnixMillis> leaks, surges;
  std::vector<trend::SubjectReport> reports = engine_.report(false);
  for (const trend::SubjectReport& report : reports)
    if (report.kind == trend::Kind::kTag && (report.verdict == trend::Verdict::kLeak || report.surge))
      suspects_.push_back({report.pool, report.text});
  find_holders();
  for (trend::SubjectReport& report : reports) {
    const bool leak = report.verdict == trend::Verdict::kLeak, also_leaks = is_leaking(report);
    const Subject subject{report.kind, report.pool, report.text};
    if (report.surge) {
      surges.emplace(subject, report.surge->since);
      const auto said = surges_said_.find(subject);
      if (!silent && (said == surges_said_.end() || is_another(report.surge->since, said->second, last_review_)))
        log_surge(report, owners_, trend::holder_words(holder_of(report), report));
    }
    if (also_leaks) {
      leaks.emplace(subject, report.since.value_or(0));
      if (!silent && !said_.contains(subject)) log_suspect(report, owners_, trend::holder_words(holder_of(report), report));
    }
    if (report.verdict == trend::Verdict::kWatch && ++watch_count_ > kMostWatched) continue;
    (leak ? leaks_ : report.surge ? surges_ : watched_).push_back(std::move(report));
  }
  if (!silent) log_ended("leak no longer suspected", said_, leaks);
  if (!silent) log_ended("surge over", surges_said_, surges, leaks);
  changed_ = changed_ || leaks != said_ || surges != surges_said_;
  said_ = std::move(leaks);
  surges_said_ = std::move(surges);
}

void TrendWatch::describe(const select::Selection& selection) {
  describe_runouts();
  const bool same_members = std::equal(selection.members.begin(), selection.members.end(), described_.begin(), described_.end(),
                                       [](const select::Member& member, std::uint64_t key) { return member.key == key; });
  if (same_members && !changed_) return;
  described_.clear();
  view_.tags.clear();
  for (const select::Member& member : selection.members) {
    described_.push_back(member.key);
    metrics::TrendView::Tag tag;
    tag.pool = member.pool;
    tag.tag = member.tag;
    const auto report = engine_.find(trend::Kind::kTag, member.pool, member.tag);
    if (report) tag.slopes = slopes_of(*report, 1);
    // Of those that selection knows alone: it has kept room for what a suspect has more.
    const bool is_told = std::any_of(suspects_.begin(), suspects_.end(),
                                     [&](const select::TagId& id) { return id.pool == member.pool && id.tag == member.tag; });
    if (!is_told) tag.slopes[3] = tag.slopes[4] = tag.slopes[5] = std::nullopt;
    if (report && report->may_leak) {
      tag.confidence = rounded(report->confidence);
      tag.suspect = is_told && is_leaking(*report);
      tag.surge = is_told && report->surge.has_value();
    }
    if (report && (tag.suspect || tag.surge))
      // The metric is a share of the growth.
      if (auto holder = holder_of(*report); holder && holder->basis != trend::Holder::Basis::kTypeHeld)
        tag.holder = {std::move(holder->process), holder->pid, rounded(holder->share), holder->handles};
    view_.tags.push_back(std::move(tag));
  }
  view_.suspects.clear();
  for (const select::PoolSelection& pool : selection.pools) {
    if (pool.live_tags == 0 || trend::is_reclaimable(pool.pool)) continue;
    metrics::TrendView::PoolSuspects& row = view_.suspects.emplace_back();
    row.pool = pool.pool;
    const auto is_here = [&pool](const auto& of) {
      return std::get<0>(of.first) == trend::Kind::kTag && std::get<1>(of.first) == pool.pool;
    };
    row.suspects = static_cast<std::uint64_t>(std::count_if(said_.begin(), said_.end(), is_here));
    row.surges = static_cast<std::uint64_t>(std::count_if(surges_said_.begin(), surges_said_.end(), is_here));
  }
  if (changed_) describe_totals();
  changed_ = false;
}

/// At every tick, for alerts live on them: the same division, of the same reading, that the page and the API tell.
void TrendWatch::describe_runouts() {
  view_.runouts.clear();
  for (const trend::TrendEngine::Runout& runout : engine_.runouts()) {
    const trend::Exhaustion& end = runout.exhaustion;
    if (const std::string_view resource = resource_of(runout.kind, runout.pool); !resource.empty())
      view_.runouts.push_back({resource, std::round(end.seconds), std::round(end.room), trend::bound_name(end.bound),
                               rounded(end.pace_per_second)});
  }
}

void TrendWatch::describe_totals() {
  view_.pools.clear();
  view_.verdicts.clear();
  const auto add_verdict = [this](const std::optional<trend::SubjectReport>& report) {
    if (!report || !report->may_leak) return;
    if (const std::string_view resource = resource_of(report->kind, report->pool); !resource.empty())
      view_.verdicts.push_back({resource, is_leaking(*report), report->surge.has_value()});
  };
  for (std::size_t i = 0; i < kPoolCount; ++i) {
    const auto report = engine_.find(trend::Kind::kPool, static_cast<Pool>(i), {});
    if (!report) continue;
    view_.pools.push_back({report->pool, slopes_of(*report, 1)});
    add_verdict(report);
  }
  const auto unaccounted = engine_.find(trend::Kind::kUnaccounted, {}, {});
  view_.unaccounted = unaccounted ? slopes_of(*unaccounted, 1) : metrics::TrendSlopes{};
  // Free entries: the engine counts their use, the metric what is left.
  const auto ptes = engine_.find(trend::Kind::kSystemPtes, {}, {});
  view_.system_ptes = ptes ? slopes_of(*ptes, -1) : metrics::TrendSlopes{};
  const auto commit = engine_.find(trend::Kind::kCommit, {}, {});
  view_.commit = commit ? slopes_of(*commit, 1) : metrics::TrendSlopes{};
  for (const auto& report : {unaccounted, ptes, commit}) add_verdict(report);
}

}  // namespace kmem
