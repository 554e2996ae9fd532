#include "exporter/agent/answers.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <span>
#include <utility>

#include "collectors/base/clock.h"
#include "collectors/base/fnv.h"
#include "collectors/self/self.h"
#include "exporter/metrics/collect.h"
#include "exporter/page/files.h"
#include "exporter/page/json.h"
#include "exporter/page/page.h"
#include "exporter/page/runbook.h"

namespace kmem {
namespace {

// How long the server's own thread waits for a reading before a worker does.
constexpr std::chrono::milliseconds kAtOnce{20};
constexpr std::chrono::milliseconds kLeastPatience{200};
constexpr double kScraperMarginSeconds = 0.5;
constexpr std::size_t kWorthPacking = 1024;
constexpr std::size_t kMostSubjects = 200;  // a report costs more than a row
constexpr std::string_view kStatusPath = "/api/v1/status", kTagsPath = "/api/v1/tags", kTrendsPath = "/api/v1/trends",
                           kTrendPath = "/api/v1/trends/";

std::string tag_of(std::string_view body) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "\"%016llx\"", static_cast<unsigned long long>(base::fnv1a(body)));
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

std::vector<std::string> handler_names() { return {"metrics", "status", "api", "assets", "healthy", "ready", "unknown"}; }

/// As long as is configured, or as the scraper waits.
Patience patience_of(const http::Request& request, Patience patience) {
  const double scraper = std::strtod(request.scrape_timeout.c_str(), nullptr);
  // Its answer has to arrive, too. Less than a moment is not believed: others would get the same answer.
  if (scraper > 0 && scraper < base::kSecondsPerHour) {
    const std::chrono::duration<double> left(scraper - std::min(scraper / 4, kScraperMarginSeconds));
    patience.whole = std::clamp<std::chrono::nanoseconds>(std::chrono::duration_cast<std::chrono::nanoseconds>(left),
                                                          std::min<std::chrono::nanoseconds>(kLeastPatience, patience.whole),
                                                          patience.whole);
  }
  if (request.at_once) {
    patience.whole = kAtOnce;
    patience.come_back = true;
  }
  return patience;
}

}  // namespace

Answers::Answers(Monitor& monitor, const Keeper& keeper, const Gatherer& gatherer)
    : monitor_(monitor), gatherer_(gatherer), self_metrics_(handler_names()), observer_(self_metrics_),
      metrics_page_(keeper, self_metrics_) {}

void Answers::RequestCounter::request_done(std::string_view handler, int code, std::chrono::nanoseconds took) {
  counted_.observe_request(handler, code, std::chrono::duration<double>(took).count());
}

void Answers::RequestCounter::rejected(std::string_view reason) { counted_.count_rejection(reason); }

base::Result<std::string> Answers::page(encode::Format format) {
  Monitor::Hold hold(monitor_);
  if (const auto fresh = hold.refresh(hold.patience()); !fresh) return fresh.error();
  return metrics_page_.make(hold, format, {});
}

http::Response Answers::serve_metrics(const http::Request& request) {
  const encode::Negotiated negotiated = encode::negotiate(request.accept);
  http::Response response;
  const auto collect = metrics::parse_collect(request.query);
  const auto refuse = [&response](int status, const std::string& message) {
    response.status = status;
    response.body = message + "\n";
    return std::move(response);
  };
  const auto ask_a_worker = [&response] {
    response.status = http::kNotAtOnce;
    return std::move(response);
  };
  if (!collect) return refuse(400, collect.error().message);
  Monitor::Hold hold = request.at_once ? Monitor::Hold(monitor_, std::try_to_lock) : Monitor::Hold(monitor_);
  if (!hold) return ask_a_worker();
  if (const auto fresh = hold.refresh(patience_of(request, hold.patience())); !fresh) {
    if (request.at_once && fresh.error().code == base::ErrorCode::kBusy) return ask_a_worker();
    return refuse(503, "no kernel memory figures: " + fresh.error().message);
  }
  if (const auto known = metrics::check_collect(*collect, hold->snapshot.parts); !known)
    return refuse(400, known.error().message);
  const std::string& page = metrics_page_.make(hold, negotiated.format, self::read_self(), *collect);
  response.content_type = negotiated.content_type;
  if (encode::accepts_gzip(request.accept_encoding) && gzip_.compress_page(page, response.body)) {
    response.content_encoding = "gzip";
  } else {
    response.body.reserve(page.size() + http::kHeadRoom);
    response.body = page;
  }
  return response;
}

http::Response Answers::serve_page(const http::Request& request) const {
  const page::TagQuery query = page::parse_query_leniently(request.query, page::page_parameters(), page::page_defaults());
  const page::View view = gatherer_.tags(query);
  http::Response response =
      document(request, view.error.empty() ? 200 : 503, "text/html; charset=utf-8", page::page_html(view, query));
  response.headers.emplace_back("Content-Security-Policy", page::kContentSecurityPolicy);
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  return response;
}

http::Response Answers::serve_api(const http::Request& request) const {
  const std::string_view path = request.path;
  const bool status = path == kStatusPath, tags = path == kTagsPath, trends = path == kTrendsPath;
  std::vector<std::string_view> parameters;
  if (tags) parameters = {"pool", "filter", "sort", "order", "limit", "offset", "course"};
  if (trends) parameters = {"verdict", "pool", "limit", "offset"};
  if (!status && !tags && !trends && !path.starts_with(kTrendPath))
    return fault(request, 404,
                 "no such address; there are /api/v1/status, /api/v1/tags, /api/v1/trends and "
                 "/api/v1/trends/{pool}/{tag}");
  const auto query = page::parse_query(request.query, parameters);
  if (!query) return fault(request, 400, query.error().message);
  if (trends && query->limit > kMostSubjects)
    return fault(request, 400, "parameter limit: want a number from 1 to " + std::to_string(kMostSubjects));

  const auto answer = [&request](const page::View& view, auto write) {
    return view.error.empty() ? json(request, 200, write()) : fault(request, 503, view.error);
  };
  if (tags) {
    const page::View view = gatherer_.tags(*query);
    return answer(view, [&] { return page::tags_json(view, *query); });
  }
  if (trends) {
    const Gatherer::Trends found = gatherer_.trends(*query);
    return answer(found.view, [&] { return page::trends_json(found.view, found.subjects, found.matched, *query); });
  }
  if (status) {
    const page::View view = gatherer_.status();
    return answer(view, [&] { return page::status_json(view); });
  }
  const page::View view = gatherer_.trend(path.substr(kTrendPath.size()));
  if (view.error.empty() && !view.chosen) return fault(request, 404, "no history of that pool and tag");
  return answer(view, [&] { return page::trend_json(view); });
}

std::vector<http::Route> Answers::routes() {
  const config::Web web = Monitor::Hold(monitor_)->config.web;
  std::vector<http::Route> routes = {
      {web.telemetry_path, "metrics", [this](const http::Request& request) { return serve_metrics(request); }, true},
      {"/-/healthy", "healthy",
       [](const http::Request&) {
         http::Response response;
         response.body = "healthy\n";
         return response;
       },
       true, true, web.healthy_without_password},
      {"/-/ready", "ready",
       [this](const http::Request&) {
         const bool ready = monitor_.is_ready();
         http::Response response;
         response.status = ready ? 200 : 503;
         response.body = ready ? "ready\n" : "not ready: the kernel has not been read yet\n";
         return response;
       },
       true, true},
  };
  // Not quick: they may take milliseconds, which the loop's thread does not have.
  routes.push_back({"/", "status", [this](const http::Request& request) { return serve_page(request); }});
  for (const std::string_view path : {kStatusPath, kTagsPath, kTrendsPath, kTrendPath, std::string_view("/api/")})
    routes.push_back({std::string(path), "api", [this](const http::Request& request) { return serve_api(request); }});
  routes.push_back({"/assets/", "assets", [](const http::Request& request) { return file(request, page::assets()); }});
  routes.push_back({"/runbooks/", "assets", [](const http::Request& request) { return runbook(request); }});
  return routes;
}

}  // namespace kmem
