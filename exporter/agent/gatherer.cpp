#include "exporter/agent/gatherer.h"

#include <string>
#include <utility>

#include "exporter/agent/page_view.h"
#include "exporter/http/socket.h"
#include "exporter/metrics/build_info.h"

namespace kmem {
namespace {

/// Through a tunnel every page is 127.0.0.1's. A recording is not of this machine, and does not say of which.
std::string host_words(const config::Source& source) {
  if (!source.is_recording()) return http::host_name();
  return "recording " + source.kind.substr(source.kind.find_last_of("/\\:") + 1);
}

}  // namespace

bool Gatherer::gather(Monitor::Hold& hold, page::View& view) const {
  const metrics::BuildInfo build = metrics::build_info();
  view.host = host_words(hold->config.source);
  view.version = build.version;
  view.revision = build.revision;
  view.telemetry_path = hold->config.web.telemetry_path;
  if (const auto fresh = hold.refresh(hold.patience()); !fresh) {
    view.error = fresh.error().message;
    return false;
  }
  gather_view(hold->snapshot, hold->selection, hold->trend.get(), view);
  view.findings = hold->findings;
  view.history_saved = keeper_.last_history_save();
  return true;
}

void Gatherer::name_drivers(page::Subject& subject) const {
  if (subject.report.kind == trend::Kind::kTag)
    subject.drivers = attribution_.candidates(subject.report.pool, subject.report.text);
}

void Gatherer::name_drivers(std::vector<page::Subject>& subjects) const {
  for (page::Subject& subject : subjects) name_drivers(subject);
}

page::View Gatherer::status() const {
  page::View view;
  {
    Monitor::Hold hold(monitor_);
    if (!gather(hold, view)) return view;
  }
  name_drivers(view.leaks);
  return view;
}

page::View Gatherer::tags(const page::TagQuery& query) const {
  page::View view;
  std::vector<page::TagRow> rows;
  {
    Monitor::Hold hold(monitor_);
    if (!gather(hold, view)) return view;
    rows = gather_tags(hold->snapshot, hold->selection, hold->trend.get(), hold->rates);
    if (hold->trend && !query.chart.empty()) view.chosen = find_subject(*hold->trend, query.chart);
  }
  const auto name = [this, &rows] {
    for (page::TagRow& row : rows) row.drivers = attribution_.candidates(row.pool, row.tag);
  };
  view.tags_total = rows.size();
  if (query.needs_drivers()) name();
  view.tags_matched = page::choose(rows, query);
  if (!query.needs_drivers()) name();
  if (query.course) add_courses(Monitor::Hold(monitor_)->trend.get(), rows);
  view.tags = std::move(rows);
  name_drivers(view.leaks);
  return view;
}

Gatherer::Trends Gatherer::trends(const page::TagQuery& query) const {
  Trends result;
  {
    Monitor::Hold hold(monitor_);
    if (!gather(hold, result.view)) return result;
    if (hold->trend) result.subjects = find_subjects(*hold->trend, query, result.matched);
  }
  name_drivers(result.subjects);
  name_drivers(result.view.leaks);
  return result;
}

page::View Gatherer::trend(std::string_view path) const {
  page::View view;
  {
    Monitor::Hold hold(monitor_);
    if (!gather(hold, view)) return view;
    if (hold->trend) view.chosen = find_subject(*hold->trend, path);
  }
  name_drivers(view.leaks);
  if (view.chosen) name_drivers(*view.chosen);
  return view;
}

}  // namespace kmem
