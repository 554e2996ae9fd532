#include "exporter/page/json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "collectors/base/clock.h"
#include "collectors/base/time_words.h"
#include "exporter/page/chart.h"
#include "exporter/page/lines.h"
#include "exporter/page/verdict.h"

namespace kmem::page {
namespace {

using nlohmann::ordered_json;

using base::kSecondsPerDay;
using base::kSecondsPerHour;

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json finite(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr); }

ordered_json a_day(const std::optional<double>& per_second) {
  return per_second ? finite(*per_second * kSecondsPerDay) : ordered_json(nullptr);
}

ordered_json time_or_null(const std::optional<base::UnixMillis>& time) {
  return time ? ordered_json(base::rfc3339(*time)) : ordered_json(nullptr);
}

/// Floors are whole bytes or entries.
ordered_json amounts(std::span<const float> values) {
  ordered_json list = ordered_json::array();
  for (const float value : values)
    list.push_back(std::isfinite(value) ? ordered_json(std::llround(static_cast<double>(value))) : ordered_json(nullptr));
  return list;
}

std::string_view part_name(PartState state) {
  static constexpr std::array<std::string_view, 4> kNames = {"ok", "partial", "failed", "unsupported"};
  return kNames[static_cast<std::size_t>(state)];
}

void add_exhaustion(ordered_json& to, const std::optional<trend::Exhaustion>& exhaustion) {
  const trend::Exhaustion end = exhaustion.value_or(trend::Exhaustion{});
  to["exhaustion_seconds"] = finite(end.seconds);
  to["exhaustion_seconds_lower"] = finite(end.soonest_seconds);
  to["exhaustion_seconds_upper"] = finite(end.latest_seconds);
  // What was divided by what.
  to["bound"] = exhaustion && end.bound != trend::Bound::kUnknown ? ordered_json(trend::bound_name(end.bound)) : nullptr;
  to["room"] = exhaustion ? ordered_json(std::llround(end.room)) : nullptr;
  to["pace_per_day"] = exhaustion ? ordered_json(end.pace_per_second * kSecondsPerDay) : nullptr;
}

ordered_json drivers_json(const std::vector<Driver>& drivers) {
  ordered_json list = ordered_json::array();
  for (const Driver& driver : drivers)
    list.push_back({{"driver", driver.driver}, {"description", driver.description}, {"source", driver.source}});
  return list;
}

ordered_json resource_json(const Resource& resource) {
  ordered_json out = {{"resource", resource.name},
                      {"unit", resource.bytes ? "bytes" : "entries"},
                      {resource.bytes ? "used" : "free", resource.amount},
                      {"limit", or_null(resource.limit)},
                      {"limit_source", resource.limit_source},
                      {"limit_rule", resource.limit_rule},
                      {"limit_binding", resource.binding},
                      {"trim_threshold", or_null(resource.trim_threshold)},
                      {"fewest", or_null(resource.fewest)},
                      {"floor", or_null(resource.floor)},
                      {"peak", or_null(resource.peak)},
                      {"resident", or_null(resource.resident)},
                      {"verdict", trend::verdict_name(resource.verdict)},
                      {"growth_per_day", a_day(resource.growth_per_second)}};
  add_exhaustion(out, resource.exhaustion);
  ordered_json& headroom = out["headroom"] = ordered_json::object();
  for (const trend::Room& room : resource.headrooms)
    headroom[std::string(trend::bound_name(room.bound))] = std::llround(room.amount);
  return out;
}

ordered_json subject_json(const Subject& subject) {
  const trend::SubjectReport& report = subject.report;
  ordered_json out = {{"kind", trend::kind_name(report.kind)},
                      {"pool", trend::pool_name_of(report.kind, report.pool)},
                      {"tag", report.text},
                      {"verdict", trend::verdict_name(report.verdict)},
                      {"confidence", report.confidence},
                      {"unit", trend::counts_bytes(report.kind) ? "bytes" : "entries"},
                      {"last", std::llround(report.last_amount)},
                      {"growth_per_day", report.growth_per_second() * kSecondsPerDay},
                      {"growth_per_day_error", report.credible_slope_error_per_second * kSecondsPerDay},
                      {"growth_per_day_5m", a_day(report.slope_5m_per_second)},
                      {"growth_per_day_1h", a_day(report.slope_1h_per_second)},
                      {"growth_per_day_6h", a_day(report.slope_6h_per_second)},
                      {"growth_per_day_1d", a_day(report.slope_1d_per_second)},
                      {"growth_per_day_7d", a_day(report.slope_7d_per_second)},
                      {"growth_per_day_28d", a_day(report.slope_28d_per_second)},
                      {"outstanding_per_day", or_null(report.outstanding_per_day)},
                      {"since", time_or_null(report.since)},
                      {"first_detected", time_or_null(report.first_detected)}};
  add_exhaustion(out, report.exhaustion);
  out["surge"] = nullptr;
  if (report.surge) {
    const trend::Surge& surge = *report.surge;
    out["surge"] = {{"since", base::rfc3339(surge.since)},
                    {"first_told", base::rfc3339(surge.first_told)},
                    {"growth", std::llround(surge.growth)},
                    {"growth_per_hour", surge.pace_per_second * kSecondsPerHour},
                    {"ends_soon", surge.ends_soon},
                    {"seconds_left", finite(surge.seconds_left)},
                    {"room", finite(surge.room.value_or(std::numeric_limits<double>::infinity()))}};
  }
  out["growers"] = ordered_json::array();
  for (const trend::SubjectReport::Grower& grower : report.growers)
    out["growers"].push_back({{"tag", grower.tag}, {"bytes", std::llround(grower.amount)}});
  out["drivers"] = drivers_json(subject.drivers);
  out["holder"] = nullptr;
  if (subject.holder) {
    const trend::Holder& holder = *subject.holder;
    out["holder"] = {{"process", holder.process},
                     {"pid", holder.pid},
                     {"basis", trend::basis_name(holder.basis)},
                     {"share", holder.share},
                     {"handles", holder.handles},
                     {"words", trend::holder_words(holder, report.pool, report.text)}};
  }
  out["history"] = "/api/v1/trends/" + subject_path(report.kind, report.pool, report.text);
  return out;
}

ordered_json finding_json(const Finding& finding) {
  ordered_json out = {{"finding", finding.name},
                      {"severity", severity_name(finding.severity)},
                      {"what", finding.what},
                      {"why", finding.why},
                      {"what_to_do", finding.what_to_do},
                      {"numbers", ordered_json::object()}};
  for (const Finding::Number& number : finding.numbers) out["numbers"][std::string(number.name)] = number.value;
  return out;
}

ordered_json head(const View& view) { return {{"api_version", 1}, {"time", base::rfc3339(view.time)}}; }

ordered_json row_json(const TagRow& row, bool course) {
  ordered_json out = {{"pool", pool_name(row.pool)},
                      {"tag", row.tag},
                      {"bytes", row.bytes},
                      {"outstanding", or_null(row.outstanding)},
                      {"bytes_per_allocation", or_null(row.bytes_per_allocation())},
                      {"allocations_per_second", or_null(row.allocations_per_second)},
                      {"growth_bytes_per_day", a_day(row.growth_per_second)},
                      {"verdict", trend::verdict_name(row.verdict)},
                      {"exported", row.exported},
                      {"drivers", drivers_json(row.drivers)}};
  if (course) out["daily_floor_bytes"] = amounts(row.course);
  return out;
}

/// Texts of the operating system may be any bytes.
std::string written(const ordered_json& document) {
  return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

ordered_json growth_json(const std::optional<trend::Readiness::Growth>& growth) {
  if (!growth) return nullptr;
  return {{"kind", trend::kind_name(growth->kind)},
          {"pool", trend::pool_name_of(growth->kind, growth->pool)},
          {"tag", growth->text},
          {"bytes", trend::counts_bytes(growth->kind) ? ordered_json(growth->amount) : ordered_json(nullptr)},
          {"amount", growth->amount},
          {"seconds", growth->seconds},
          {"large", growth->is_large},
          {"beyond_all_before", growth->is_beyond},
          {"goes_on", growth->goes_on},
          {"of_peaks", growth->of_peaks},
          {"falls", growth->falls},
          {"held_seconds", growth->held_seconds},
          {"room", growth->room ? ordered_json(*growth->room) : ordered_json(nullptr)},
          {"charged_per_second", growth->charged_per_second},
          {"seconds_left", finite(growth->seconds_left)},
          {"ends_first", growth->ends_first}};
}

}  // namespace

std::string error_json(int status, std::string_view message) {
  return written({{"api_version", 1}, {"error", {{"status", status}, {"message", message}}}});
}

std::string status_json(const View& view) {
  const Verdict verdict = judge(view);
  ordered_json out = head(view);
  out["host"] = view.host.empty() ? ordered_json(nullptr) : ordered_json(view.host);
  out["exporter"] = {{"version", view.version}, {"revision", view.revision}};
  out["system"] = view.system == System::kWindows ? "windows" : "linux";
  out["boot_time"] = time_or_null(view.boot_time);
  out["verdict"] = {{"state", state_name(verdict.state)}, {"headline", verdict.headline}, {"details", verdict.details},
                    {"leaks", view.leak_count},           {"watched", view.watch_count},  {"surges", view.surge_count}};
  out["history"] = {{"enabled", view.trend_enabled},
                    {"seconds", view.history.history_seconds},
                    {"subjects", view.history.subjects},
                    {"boots", view.history.boots},
                    {"saved", time_or_null(view.history_saved)},
                    {"judged", view.readiness.judged},
                    {"days_lacking", view.readiness.judged ? ordered_json(nullptr) : ordered_json(view.readiness.days_lacking)},
                    {"largest_growth", growth_json(view.readiness.largest)}};
  out["physical_memory_bytes"] = or_null(view.physical_memory_bytes);
  out["available_bytes"] = or_null(view.available_bytes);
  for (const char* list : {"findings", "resources", "suspects", "surges", "failure_events", "processes", "collectors"})
    out[list] = ordered_json::array();
  for (const Finding& finding : view.findings) out["findings"].push_back(finding_json(finding));
  for (const Resource& resource : view.resources) out["resources"].push_back(resource_json(resource));
  for (const Subject& leak : view.leaks) out["suspects"].push_back(subject_json(leak));
  for (const Subject& surge : view.surges) out["surges"].push_back(subject_json(surge));
  for (const FailureEvents& events : view.failure_events)
    out["failure_events"].push_back({{"provider", events.provider},
                                     {"event_id", events.event_id},
                                     {"count", events.count},
                                     {"last", time_or_null(events.last)}});
  for (const ProcessUsage& process : view.processes)
    out["processes"].push_back({{"pid", process.pid},
                                {"name", process.name},
                                {"handles", or_null(process.handles)},
                                {"paged_pool_bytes", or_null(process.paged_pool_bytes)},
                                {"nonpaged_pool_bytes", or_null(process.nonpaged_pool_bytes)}});
  for (const PartStatus& part : view.parts)
    out["collectors"].push_back({{"collector", part.collector},
                                 {"state", part_name(part.state)},
                                 {"reason", part.reason},
                                 {"seconds", part.seconds},
                                 {"skipped_rows", part.skipped_rows}});
  return written(out);
}

std::string tags_json(const View& view, const TagQuery& query) {
  ordered_json out = head(view);
  out["total"] = view.tags_total;
  out["matched"] = view.tags_matched;
  out["offset"] = query.offset;
  out["limit"] = query.limit;
  ordered_json& tags = out["tags"] = ordered_json::array();
  for (const TagRow& row : view.tags) tags.push_back(row_json(row, query.course));
  return written(out);
}

std::string trends_json(const View& view, const std::vector<Subject>& subjects, std::size_t matched, const TagQuery& query) {
  ordered_json out = head(view);
  out["history_seconds"] = view.history.history_seconds;
  out["matched"] = matched;
  out["offset"] = query.offset;
  out["limit"] = query.limit;
  ordered_json& list = out["subjects"] = ordered_json::array();
  for (const Subject& subject : subjects) list.push_back(subject_json(subject));
  return written(out);
}

std::string trend_json(const View& view) {
  ordered_json out = head(view);
  const Subject& subject = *view.chosen;
  out["subject"] = subject_json(subject);
  const trend::Course& course = subject.course.value();
  out["floors"] = {{"interval_seconds", trend::kCoarseMs / base::kSecondMillis},
                   {"start", base::rfc3339(course.floors_start)},
                   {"amount", amounts(course.floors)},
                   {"outstanding", amounts(course.outstanding)}};
  out["fives"] = {{"interval_seconds", trend::Recent::kFiveMs / base::kSecondMillis},
                  {"start", base::rfc3339(course.fives_start)},
                  {"amount", amounts(course.fives)}};
  out["recent"] = {{"interval_seconds", trend::kHourMs / base::kSecondMillis},
                   {"start", base::rfc3339(course.recent_start)},
                   {"amount", amounts(course.recent)}};
  for (const char* list : {"trend", "steps", "boots"}) out[list] = ordered_json::array();
  for (const Piece& piece : trend_pieces(subject, view.boots))
    out["trend"].push_back({{"from", base::rfc3339(piece.from)},
                            {"to", base::rfc3339(piece.to)},
                            {"from_amount", piece.from_amount},
                            {"to_amount", piece.to_amount}});
  for (const Step& step : find_steps(course, view.boots))
    out["steps"].push_back({{"time", base::rfc3339(step.time)}, {"change", step.change}});
  for (const base::UnixMillis boot : view.boots) out["boots"].push_back(base::rfc3339(boot));
  return written(out);
}

}  // namespace kmem::page
