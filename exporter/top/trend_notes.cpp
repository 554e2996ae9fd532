#include "exporter/top/trend_notes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/state_file.h"
#include "exporter/top/numbers.h"
#include "exporter/trend/engine.h"
#include "exporter/trend/holders.h"
#include "exporter/trend/sampler.h"

namespace kmem::top {
namespace {

using base::kSecondsPerDay;
using base::kSecondsPerHour;

std::string slope_words(double per_second) {
  const auto a_day = static_cast<std::int64_t>(std::llround(per_second * kSecondsPerDay));
  return (a_day >= 0 ? "+" : "") + short_bytes(a_day) + "/d";
}

std::string entries_words(double per_second) {
  return "-" + short_count(static_cast<std::uint64_t>(std::llround(per_second * kSecondsPerDay))) + "/d";
}

/// "52m", "9.5h", "41d".
std::string span_words(double seconds) {
  const double hours = seconds / kSecondsPerHour, days = hours / 24;
  std::array<char, 32> text{};
  if (hours < 2) std::snprintf(text.data(), text.size(), "%.0fm", hours * 60);
  else if (days < 2) std::snprintf(text.data(), text.size(), hours < 10 ? "%.1fh" : "%.0fh", hours);
  else std::snprintf(text.data(), text.size(), days < 10 ? "%.1fd" : "%.0fd", std::min(days, 99'999.0));
  return text.data();
}

/// ", most of it Leak, +208M", ", in many tags, half of it in 84".
std::string grower_note(const trend::SubjectReport& report) {
  const std::string said =
      trend::grower_words(report, [](double bytes) { return short_bytes(static_cast<std::int64_t>(std::llround(bytes))); });
  return said.empty() ? said : ", " + said;
}

/// "nonpaged ends in 9.1d: 22.1M to the pool limit, +2.44M/d", which agree; empty where nothing leads there.
std::string end_words(const trend::SubjectReport& report) {
  const auto& end = report.exhaustion;
  const bool total = report.kind == trend::Kind::kPool || report.kind == trend::Kind::kCommit ||
                     report.kind == trend::Kind::kUnaccounted || report.kind == trend::Kind::kSystemPtes;
  if (!total || !end || std::isinf(end->seconds) || end->is_far()) return {};
  const std::string name = report.kind == trend::Kind::kPool          ? std::string(pool_name(report.pool))
                           : report.kind == trend::Kind::kCommit      ? "Commit"
                           : report.kind == trend::Kind::kUnaccounted ? "Unaccounted"
                                                                      : "Free PTEs";
  const auto room = static_cast<std::uint64_t>(std::llround(std::min(end->room, 1e18)));
  return name + " ends in " + span_words(end->seconds) + ": " +
         (report.kind == trend::Kind::kSystemPtes ? short_count(room) : short_bytes(room)) +
         (end->bound == trend::Bound::kAvailableMemory ? " of " : " to the ") + std::string(trend::bound_words(end->bound)) +
         ", " +
         (report.kind == trend::Kind::kSystemPtes ? entries_words(end->pace_per_second) : slope_words(end->pace_per_second)) +
         grower_note(report);
}

double end_of(const trend::SubjectReport& report) {
  return report.exhaustion ? report.exhaustion->seconds : std::numeric_limits<double>::infinity();
}

std::string growth_words(const trend::Readiness::Growth& growth) {
  const std::string_view pool = trend::pool_name_of(growth.kind, growth.pool);
  const auto words = [kind = growth.kind](double of) {
    const auto amount = static_cast<std::int64_t>(std::llround(std::min(of, 1e18)));
    return trend::counts_bytes(kind) ? short_bytes(amount) : short_count(static_cast<std::uint64_t>(amount));
  };
  return std::string(trend::growth_label(growth)) +
         (pool.empty() ? std::string(trend::kind_name(growth.kind)) : std::string(pool)) +
         (growth.text.empty() ? "" : " " + growth.text) + (trend::counts_down(growth.kind) ? " -" : " +") +
         words(growth.amount) + (growth.is_pace() ? " a day" : " in " + span_words(growth.seconds)) +
         trend::growth_claim(growth, words);
}

std::string words(const trend::SubjectReport& report) {
  if (report.verdict == trend::Verdict::kOk) return report.slope_7d_per_second ? slope_words(*report.slope_7d_per_second) : "";
  if (report.verdict == trend::Verdict::kSurge && report.surge) {
    const auto an_hour = static_cast<std::int64_t>(std::llround(report.surge->pace_per_second * kSecondsPerHour));
    std::string said = std::string(trend::verdict_word(report.verdict)) + " +" + short_bytes(an_hour) + "/h";
    if (report.surge->is_far()) {
      std::array<char, 32> times{};
      if (report.surge->times > 0) std::snprintf(times.data(), times.size(), " %.1fx", std::min(report.surge->times, 99'999.0));
      return said + times.data();
    }
    const double hours = report.surge->seconds_left / kSecondsPerHour;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), hours < 10 ? " %.1fh" : " %.0fh", std::min(hours, 99'999.0));
    return said + text.data();
  }
  return std::string(trend::verdict_word(report.verdict)) + " " + slope_words(report.credible_slope_per_second) + " " +
         std::to_string(std::lround(report.confidence * 100)) + "%";
}

/// " 98% updater.exe(1234)" of what is a suspect.
std::string holder_note(const trend::TrendEngine& engine, const trend::SubjectReport& report) {
  if (report.verdict != trend::Verdict::kLeak && report.verdict != trend::Verdict::kSurge) return {};
  const auto holder = trend::find_holder(engine, report);
  return holder ? " " + trend::short_holder_words(*holder) : std::string();
}

Mark mark_of(trend::Verdict verdict) {
  return verdict == trend::Verdict::kLeak    ? Mark::kLeak
         : verdict == trend::Verdict::kSurge ? Mark::kSurge
         : verdict == trend::Verdict::kWatch ? Mark::kWatch
                                             : Mark::kNone;
}

}  // namespace

TrendNotes::TrendNotes(base::FileSystem& files, const std::string& folder, std::string host_identity)
    : files_(files), path_(folder.empty() ? std::string() : base::in_folder(folder, "trend.state")),
      host_identity_(std::move(host_identity)) {}

void TrendNotes::refresh() {
  if (path_.empty()) return;
  const auto info = files_.info(path_);
  if (info && info->modified == modified_ && info->size_bytes == size_bytes_) return;
  notes_.clear();
  ends_.clear();
  problem_.clear();
  if (info) {
    modified_ = info->modified;
    size_bytes_ = info->size_bytes;
  }
  const auto loaded = base::load_state(files_, path_, "TRND");
  if (!loaded) {
    if (loaded.error().code != base::ErrorCode::kAbsent) problem_ = loaded.error().message;
    return;
  }
  trend::EngineOptions options;
  options.host_identity = host_identity_;
  trend::TrendEngine engine(options);
  if (loaded->version < trend::TrendEngine::kOldestStateVersion || loaded->version > trend::TrendEngine::kStateVersion) {
    problem_ = path_ + ": version " + std::to_string(loaded->version) + " is not of this program";
  } else if (const auto taken = engine.load(loaded->payload); !taken) {
    problem_ = path_ + ": " + taken.error().message;
  } else {
    engine.look_for_falls();
    const trend::Readiness readiness = engine.readiness();
    const std::string lacking = trend::readiness_words(readiness);
    // What says more than that nothing could be judged.
    const bool first = readiness.largest && readiness.largest->is_told_first();
    const std::vector<trend::SubjectReport> reports = engine.report(true);
    // But where something that is told ends before it.
    const bool is_told =
        std::any_of(reports.begin(), reports.end(), [](const auto& one) { return !std::isinf(trend::told_end(one)); });
    const bool later = first && is_told && !readiness.largest->ends_first;
    if (first && !later) ends_.push_back(growth_words(*readiness.largest));
    if (!lacking.empty()) ends_.push_back("Too little to judge: " + lacking);
    if (readiness.largest && !first && (!lacking.empty() || readiness.largest->is_held()))
      ends_.push_back(growth_words(*readiness.largest));
    // Rows stand as the user sorts them: the tag that ends first may be out of sight.
    if (const auto tag =
            std::find_if(reports.begin(), reports.end(), [](const auto& one) { return one.kind == trend::Kind::kTag; });
        tag != reports.end() && trend::told_end(*tag) <= trend::Exhaustion::kFarSeconds)
      ends_.push_back("Ends first: " + std::string(pool_name(tag->pool)) + " " + tag->text + " " + words(*tag));
    std::vector<const trend::SubjectReport*> totals;
    for (const trend::SubjectReport& report : reports) {
      if (report.kind == trend::Kind::kTag)
        notes_[tag_key(report.pool, report.text)] = {words(report) + holder_note(engine, report), mark_of(report.verdict)};
      else totals.push_back(&report);
    }
    // What ends first stands first, whatever its verdict.
    std::stable_sort(totals.begin(), totals.end(), [](const auto* a, const auto* b) { return end_of(*a) < end_of(*b); });
    for (const trend::SubjectReport* total : totals)
      if (std::string words = end_words(*total); !words.empty()) ends_.push_back(std::move(words));
    if (later) ends_.push_back(growth_words(*readiness.largest));
  }
}

void TrendNotes::note(UsageRow& row) const {
  const auto found = notes_.find(tag_key(row.pool, row.tag));
  if (found == notes_.end()) return;
  row.trend = found->second.text;
  row.mark = found->second.mark;
}

}  // namespace kmem::top
