#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/base/time_words.h"
#include "exporter/commands/analysis.h"

namespace kmem {
namespace {

using nlohmann::ordered_json;

using base::kSecondsPerDay;
using base::kSecondsPerHour;

/// JSON knows no infinity: none.
ordered_json finite(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr); }

ordered_json time_or_null(const std::optional<base::UnixMillis>& time) {
  return time ? ordered_json(base::rfc3339(*time)) : ordered_json(nullptr);
}

ordered_json subject_json(const AnalyzedSubject& subject) {
  const trend::SubjectReport& report = subject.report;
  ordered_json drivers = ordered_json::array();
  for (const drivers::Candidate& one : subject.drivers)
    drivers.push_back({{"driver", one.driver}, {"description", one.description}, {"source", one.source}});
  ordered_json growers = ordered_json::array();
  for (const trend::SubjectReport::Grower& grower : report.growers)
    growers.push_back({{"tag", grower.tag}, {"bytes", std::llround(grower.amount)}});
  const auto& surge = report.surge;  // of a leak that surges, too, whose slope is that of its weeks
  const trend::Exhaustion exhaustion = report.exhaustion.value_or(trend::Exhaustion{});
  return {
      {"kind", trend::kind_name(report.kind)},
      {"pool", trend::pool_name_of(report.kind, report.pool)},
      {"tag", report.text},
      {"drivers", std::move(drivers)},
      {"growers", std::move(growers)},
      {"verdict", trend::verdict_name(report.verdict)},
      {"confidence", report.confidence},
      {"slope_bytes_per_day", report.growth_per_second() * kSecondsPerDay},
      {"since", time_or_null(report.since)},
      {"first_detected", time_or_null(report.first_detected)},
      {"bytes_last", std::llround(report.last_amount)},
      {"exhaustion_seconds", finite(exhaustion.seconds)},
      {"exhaustion_seconds_lower", finite(exhaustion.soonest_seconds)},
      {"exhaustion_seconds_upper", finite(exhaustion.latest_seconds)},
      {"bound",
       exhaustion.bound != trend::Bound::kUnknown ? ordered_json(trend::bound_name(exhaustion.bound)) : ordered_json(nullptr)},
      {"room", report.exhaustion ? ordered_json(std::llround(exhaustion.room)) : ordered_json(nullptr)},
      {"surge_per_hour", surge ? ordered_json(surge->pace_per_second * kSecondsPerHour) : ordered_json(nullptr)},
      {"surge_since", surge ? ordered_json(base::rfc3339(surge->since)) : ordered_json(nullptr)},
      {"surge_seconds_left", surge ? finite(surge->seconds_left) : ordered_json(nullptr)},
      {"pace_per_day", report.exhaustion ? ordered_json(exhaustion.pace_per_second * kSecondsPerDay) : ordered_json(nullptr)}};
}

ordered_json growth_json(const std::optional<trend::Readiness::Growth>& growth) {
  if (!growth) return nullptr;
  return {{"kind", trend::kind_name(growth->kind)},
          {"pool", trend::pool_name_of(growth->kind, growth->pool)},
          {"tag", growth->text},
          {"bytes", trend::counts_bytes(growth->kind) ? ordered_json(std::llround(growth->amount)) : ordered_json(nullptr)},
          {"amount", std::llround(growth->amount)},
          {"seconds", std::llround(growth->seconds)},
          {"large", growth->is_large},
          {"beyond_all_before", growth->is_beyond},
          {"goes_on", growth->goes_on},
          {"of_peaks", growth->of_peaks},
          {"falls", growth->falls},
          {"held_seconds", std::llround(growth->held_seconds)},
          {"room", growth->room ? ordered_json(std::llround(*growth->room)) : ordered_json(nullptr)},
          {"charged_per_second", growth->charged_per_second},
          {"seconds_left", finite(growth->seconds_left)},
          {"ends_first", growth->ends_first}};
}

ordered_json shortage_json(const trend::SubjectReport& report) {
  return {{"kind", trend::kind_name(report.kind)},
          {"pool", trend::pool_name_of(report.kind, report.pool)},
          {"amount", std::llround(report.last_amount)},
          {"limit", std::llround(*report.limit)}};
}

ordered_json host_json(const HostAnalysis& host) {
  ordered_json document = {
      {"history",
       {{"start", base::rfc3339(host.start)},
        {"end", base::rfc3339(host.end)},
        {"snapshots", host.snapshots},
        {"boots", host.summary.boots},
        {"subjects", host.summary.subjects}}},
      {"judged", host.readiness.judged},
      {"lacking", host.readiness.judged ? ordered_json(nullptr) : ordered_json(trend::readiness_words(host.readiness))},
      {"largest_growth", growth_json(host.readiness.largest)},
      {"short_of", ordered_json::array()},
      {"subjects", ordered_json::array()}};
  for (const trend::SubjectReport& report : host.short_of) document["short_of"].push_back(shortage_json(report));
  for (const AnalyzedSubject& subject : host.subjects) document["subjects"].push_back(subject_json(subject));
  return document;
}

ordered_json named_host_json(const HostAnalysis& host) {
  const trend::Verdict worst = host.subjects.empty() ? trend::Verdict::kOk : host.subjects.front().report.verdict;
  const bool fast = host.readiness.largest && host.readiness.largest->is_large;
  const bool unknown = worst == trend::Verdict::kOk && (!host.readiness.judged || host.summary.subjects == 0 || fast);
  ordered_json document = {{"host", host.host}, {"verdict", unknown ? "unknown" : trend::verdict_name(worst)}};
  document.update(host_json(host));
  return document;
}

std::string_view kind_words(history::RowSubject::Kind kind) {
  using Kind = history::RowSubject::Kind;
  return kind == Kind::kProcess ? "process" : kind == Kind::kValue ? "value" : "tag";
}

ordered_json passed_over_json(const PassedOver& one) {
  return {{"host", one.of.host}, {"pool", one.of.pool ? pool_name(*one.of.pool) : std::string_view()},
          {"tag", one.of.tag},   {"kind", kind_words(one.of.kind)},
          {"rows", one.rows},    {"judged", one.is_judged}};
}

ordered_json reading_json(const history::FileReading& reading) {
  const auto time = [&](base::UnixMillis when) {
    return time_or_null(reading.snapshots > 0 ? std::optional(when) : std::nullopt);
  };
  return {{"file", reading.file},         {"format", reading.format},  {"times", reading.rules},
          {"start", time(reading.first)}, {"end", time(reading.last)}, {"snapshots", reading.snapshots},
          {"rows", reading.rows},         {"skipped", reading.skipped}};
}

}  // namespace

std::string analysis_json(const Analysis& analysis, bool explain) {
  // Of several hosts the worst stands where the only one would.
  ordered_json document = host_json(analysis);
  if (!analysis.others.empty()) {
    document["hosts"] = ordered_json::array({named_host_json(analysis)});
    for (const HostAnalysis& host : analysis.others) document["hosts"].push_back(named_host_json(host));
  }
  document["passed_over"] = ordered_json::array();
  for (const PassedOver& one : analysis.passed_over) document["passed_over"].push_back(passed_over_json(one));
  document["skipped"] = ordered_json::array();
  document["skipped_total"] = analysis.skipped_count;
  document["warnings"] = analysis.warnings;
  for (const history::Skipped& skipped : analysis.skipped)
    document["skipped"].push_back({{"file", skipped.file}, {"line", skipped.line}, {"reason", skipped.reason}});
  if (explain) {
    document["files"] = ordered_json::array();
    for (const history::FileReading& reading : analysis.readings) document["files"].push_back(reading_json(reading));
  }
  // File names may be any bytes.
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kmem
