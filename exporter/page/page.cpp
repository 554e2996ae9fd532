#include "exporter/page/page.h"

#include "exporter/page/sections.h"
#include "exporter/page/words.h"

namespace kmem::page {
namespace {

void add_top(Html& html, const View& view) {
  html.raw("<header class=\"top\">\n<p class=\"brand\">kmem_exporter <span class=\"host\" id=\"host\">");
  html.text(view.host).raw("</span></p>\n<p class=\"read\">");
  if (view.error.empty()) {
    html.raw("<span id=\"live\" class=\"live\">read</span> ").time(view.time, minute_words(view.time), "minute");
    html.raw(" <button type=\"button\" id=\"pause\" hidden>Pause</button>");
  }
  html.raw("</p>\n</header>\n");
}

}  // namespace

TagQuery page_defaults() {
  TagQuery defaults;
  defaults.limit = 50;
  defaults.course = true;
  return defaults;
}

const std::vector<std::string_view>& page_parameters() {
  static const std::vector<std::string_view> parameters = {"sort", "order", "pool", "filter", "limit", "chart"};
  return parameters;
}

std::string page_html(const View& view, const TagQuery& query) {
  const Verdict verdict = judge(view);
  Html html;
  html.raw(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
  html.text(verdict.headline)
      .raw(view.host.empty() ? "" : " – ")
      .text(view.host)
      .raw(
          " – kmem_exporter</title>\n"
          "<link rel=\"icon\" type=\"image/svg+xml\" href=\"assets/icon.svg\">\n"
          "<link rel=\"stylesheet\" href=\"assets/page.css\">\n<script src=\"assets/page.js\" defer></script>\n"
          "</head>\n<body>\n<a class=\"skip\" href=\"#tags\">Skip to the tags</a>\n");
  add_top(html, view);
  html.raw("<main id=\"main\">\n");
  add_verdict(html, view, verdict);
  if (view.error.empty()) {
    add_findings(html, view);
    add_resources(html, view);
    add_suspects(html, view);
    add_tags(html, view, query);
    add_processes(html, view);
    add_collectors(html, view);
  }
  html.raw("</main>\n");
  add_links(html, view);
  html.raw("</body>\n</html>\n");
  return html.take();
}

}  // namespace kmem::page
