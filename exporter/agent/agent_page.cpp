// The agent's answers to people and programs: gathered under its lock, written outside of it.
#include <array>
#include <cstdint>
#include <cstdio>

#include "exporter/agent/agent.h"
#include "exporter/agent/page_view.h"
#include "exporter/http/socket.h"
#include "exporter/metrics/build_info.h"
#include "exporter/page/files.h"
#include "exporter/page/json.h"
#include "exporter/page/page.h"
#include "exporter/page/runbook.h"

namespace kmem {
namespace {

constexpr std::size_t kWorthPacking = 1024;
constexpr std::size_t kMostSubjects = 200;  // a report costs more than a row
constexpr std::string_view kTagsPath = "/api/v1/tags", kTrendsPath = "/api/v1/trends", kTrendPath = "/api/v1/trends/";

std::string tag_of(std::string_view body) {
  std::uint64_t hash = 1469598103934665603ULL;
  for (const char c : body) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "\"%016llx\"", static_cast<unsigned long long>(hash));
  return text.data();
}

/// With a weak ETag: plain and packed are one document.
http::Response document(const http::Request& request, int status, std::string_view type, std::string_view body) {
  http::Response response;
  response.status = status;
  response.content_type = type;
  response.headers.emplace_back("Cache-Control", "no-cache");
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (status == 200) {
    const std::string tag = tag_of(body);
    response.etag = "W/" + tag;
    if (request.if_none_match == "*" || request.if_none_match.find(tag) != std::string::npos) {
      response.status = 304;
      return response;
    }
  }
  encode::Gzip gzip;
  if (body.size() >= kWorthPacking && encode::accepts_gzip(request.accept_encoding) && gzip.compress(body, response.body)) {
    response.content_encoding = "gzip";
  } else {
    response.body = body;
  }
  return response;
}

http::Response json(const http::Request& request, int status, std::string_view body) {
  return document(request, status, "application/json; charset=utf-8", body);
}

http::Response fault(const http::Request& request, int status, std::string_view message) {
  return json(request, status, page::error_json(status, message));
}

http::Response file(const http::Request& request, std::span<const page::File> files) {
  const std::string_view name = std::string_view(request.path).substr(request.path.find('/', 1) + 1);
  if (const page::File* found = page::find_file(files, name))
    return document(request, 200, page::content_type_of(*found), found->bytes);
  return document(request, 404, "text/plain; charset=utf-8", "there is no such file\n");
}

/// A page for people; NAME.md is the text as it is.
http::Response runbook(const http::Request& request) {
  std::string_view name = std::string_view(request.path).substr(request.path.find('/', 1) + 1);
  const bool as_text = name.ends_with(".md");
  if (as_text) name.remove_suffix(3);
  const page::File* found = page::find_file(page::runbooks(), name);
  if (found == nullptr || name.empty()) return document(request, 404, "text/plain; charset=utf-8", "there is no such file\n");
  if (as_text) return document(request, 200, "text/plain; charset=utf-8", found->bytes);
  return document(request, 200, "text/html; charset=utf-8", page::runbook_html(*found, page::runbook_subject(request.query)));
}

/// Through a tunnel every page is 127.0.0.1's. A recording is not of this machine, and does not say of which.
std::string host_words(const config::Source& source) {
  if (!source.is_recording()) return http::host_name();
  return "recording " + source.kind.substr(source.kind.find_last_of("/\\:") + 1);
}

}  // namespace

page::View Agent::gather() {
  page::View view;
  const metrics::BuildInfo build = metrics::build_info();
  view.host = host_words(config_.source);
  view.version = build.version;
  view.revision = build.revision;
  view.telemetry_path = config_.web.telemetry_path;
  if (const auto fresh = refresh(); !fresh) {
    view.error = fresh.error().message;
    return view;
  }
  tracked_.fill(snapshot_, selection_, boots_.now());
  gather_view(snapshot_, selection_, trend_.get(), view);
  view.findings = findings_;
  view.history_saved = trend_ && !storage_path_.empty() ? last_trend_save() : std::nullopt;
  return view;
}

void Agent::name_drivers(std::vector<page::Subject>& subjects) const {
  for (page::Subject& subject : subjects)
    if (subject.report.kind == trend::Kind::kTag)
      subject.drivers = attribution_.candidates(subject.report.pool, subject.report.text);
}

page::View Agent::gather_tags_view(const page::TagQuery& query) {
  page::View view;
  std::vector<page::TagRow> rows;
  {
    const std::scoped_lock lock(mutex_);
    view = gather();
    if (!view.error.empty()) return view;
    rows = gather_tags(snapshot_, selection_, trend_.get(), rates_);
    if (trend_ && !query.chart.empty()) view.chosen = find_subject(*trend_, query.chart);
  }
  const auto name = [this, &rows] {
    for (page::TagRow& row : rows) row.drivers = attribution_.candidates(row.pool, row.tag);
  };
  view.tags_total = rows.size();
  if (query.needs_drivers()) name();
  view.tags_matched = page::choose(rows, query);
  if (!query.needs_drivers()) name();
  if (query.course) {
    const std::scoped_lock lock(mutex_);
    add_courses(trend_.get(), rows);
  }
  view.tags = std::move(rows);
  name_drivers(view.leaks);
  return view;
}

http::Response Agent::serve_page(const http::Request& request) {
  const page::TagQuery query = page::parse_query_leniently(request.query, page::page_parameters(), page::page_defaults());
  const page::View view = gather_tags_view(query);
  http::Response response =
      document(request, view.error.empty() ? 200 : 503, "text/html; charset=utf-8", page::page_html(view, query));
  response.headers.emplace_back("Content-Security-Policy", page::kContentSecurityPolicy);
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  return response;
}

http::Response Agent::serve_api(const http::Request& request) {
  const std::string_view path = request.path;
  const bool tags = path == kTagsPath, trends = path == kTrendsPath;
  std::vector<std::string_view> known;
  if (tags) known = {"pool", "filter", "sort", "order", "limit", "offset", "course"};
  if (trends) known = {"verdict", "pool", "limit", "offset"};
  if (!tags && !trends && path != "/api/v1/status" && !path.starts_with(kTrendPath))
    return fault(request, 404,
                 "no such address; there are /api/v1/status, /api/v1/tags, /api/v1/trends and "
                 "/api/v1/trends/{pool}/{tag}");
  const auto query = page::parse_query(request.query, known);
  if (!query) return fault(request, 400, query.error().message);
  if (trends && query->limit > kMostSubjects)
    return fault(request, 400, "parameter limit: want a number from 1 to " + std::to_string(kMostSubjects));
  if (tags) {
    const page::View view = gather_tags_view(*query);
    return view.error.empty() ? json(request, 200, page::tags_json(view, *query)) : fault(request, 503, view.error);
  }

  page::View view;
  std::vector<page::Subject> subjects;
  std::size_t matched = 0;
  {
    const std::scoped_lock lock(mutex_);
    view = gather();
    if (view.error.empty() && trend_ && trends) subjects = find_subjects(*trend_, *query, matched);
    if (view.error.empty() && trend_ && path.starts_with(kTrendPath))
      view.chosen = find_subject(*trend_, path.substr(kTrendPath.size()));
  }
  if (!view.error.empty()) return fault(request, 503, view.error);
  name_drivers(subjects);
  name_drivers(view.leaks);
  if (view.chosen && view.chosen->report.kind == trend::Kind::kTag)
    view.chosen->drivers = attribution_.candidates(view.chosen->report.pool, view.chosen->report.text);
  if (trends) return json(request, 200, page::trends_json(view, subjects, matched, *query));
  if (!path.starts_with(kTrendPath)) return json(request, 200, page::status_json(view));
  if (!view.chosen) return fault(request, 404, "no history of that pool and tag");
  return json(request, 200, page::trend_json(view));
}

void Agent::add_page_routes(std::vector<http::Route>& routes) {
  // Not quick: they may take milliseconds, which the loop's thread does not have.
  routes.push_back({"/", "status", [this](const http::Request& request) { return serve_page(request); }});
  for (const std::string_view path :
       {std::string_view("/api/v1/status"), kTagsPath, kTrendsPath, kTrendPath, std::string_view("/api/")})
    routes.push_back({std::string(path), "api", [this](const http::Request& request) { return serve_api(request); }});
  routes.push_back({"/assets/", "assets", [](const http::Request& request) { return file(request, page::assets()); }});
  routes.push_back({"/runbooks/", "assets", [](const http::Request& request) { return runbook(request); }});
}

}  // namespace kmem
