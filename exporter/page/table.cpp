#include <algorithm>
#include <cmath>

#include "collectors/base/clock.h"
#include "exporter/page/chart.h"
#include "exporter/page/page.h"
#include "exporter/page/sections.h"
#include "exporter/page/words.h"

namespace kmem::page {
namespace {

using base::kSecondsPerDay;
constexpr std::size_t kMoreRows = 200;
constexpr std::string_view kNone = "<span class=\"none\">–</span>";

struct Heading {
  Column column;
  std::string_view words, about;
  bool number;
};
// In the order of the table; the small line comes after the growth.
constexpr std::array<Heading, 8> kHeadings = {{
    {Column::kTag, "Tag", "", false},
    {Column::kPool, "Pool", "", false},
    {Column::kBytes, "Bytes", "", true},
    {Column::kGrowth, "A day", "growth a day: behind a suspicion, else over the last week", true},
    {Column::kOutstanding, "Live", "allocations that were not freed yet", true},
    {Column::kPerAllocation, "Each", "bytes per live allocation", true},
    {Column::kRate, "Rate", "allocations a second, between the last two ticks", true},
    {Column::kDriver, "Driver", "who may allocate under this tag", false},
}};

void add_heading(Html& html, Heading heading, System system, TagQuery query) {
  // Linux has no drivers behind its caches, but modules and what the kernel itself uses them for.
  if (heading.column == Column::kDriver && system == System::kLinux)
    heading.words = "Module or use", heading.about = "which module made it, or what the kernel has it for";
  const bool sorted = query.sort == heading.column;
  const std::string_view now = !sorted ? "" : query.descending ? " aria-sort=\"descending\"" : " aria-sort=\"ascending\"";
  query.descending = sorted ? !query.descending : heading.number;
  query.sort = heading.column;
  html.raw("<th scope=\"col\" class=\"")
      .raw(heading.number ? "n" : kColumnNames[static_cast<std::size_t>(heading.column)])
      .raw("\"")
      .raw(now);
  if (!heading.about.empty()) html.raw(" title=\"").raw(heading.about).raw("\"");
  html.raw("><a data-live href=\"")
      .text(query_link(query, page_defaults()))
      .raw("#tags\">")
      .raw(heading.words)
      .raw("</a></th>");
}

void add_form(Html& html, const View& view, const TagQuery& query) {
  html.raw(
      "<form id=\"filter\" method=\"get\" action=\"./#tags\" role=\"search\">\n<label for=\"f\">Filter</label> "
      "<input id=\"f\" name=\"filter\" type=\"search\" maxlength=\"256\" autocomplete=\"off\" spellcheck=\"false\" "
      "placeholder=\"tag or ");
  html.raw(view.system == System::kLinux ? "module" : "driver").raw("\" value=\"");
  html.text(query.filter)
      .raw("\">\n<label for=\"p\">Pool</label> <select id=\"p\" name=\"pool\"><option value=\"\">all</option>");
  for (const Resource& resource : view.resources) {
    if (std::find(kPoolNames.begin(), kPoolNames.end(), resource.name) == kPoolNames.end()) continue;
    html.raw("<option").raw(query.pool && pool_name(*query.pool) == resource.name ? " selected>" : ">");
    html.text(resource.name).raw("</option>");
  }
  html.raw("</select>\n<input type=\"hidden\" name=\"sort\" value=\"").raw(kColumnNames[static_cast<std::size_t>(query.sort)]);
  html.raw("\"><input type=\"hidden\" name=\"order\" value=\"").raw(query.descending ? "desc" : "asc");
  html.raw("\">\n<button type=\"submit\">Show</button>\n</form>\n");
}

void add_row(Html& html, const TagRow& row, TagQuery query, bool rates) {
  query.chart = std::string(pool_name(row.pool)) + "/" + row.tag;
  const bool leak = row.verdict == trend::Verdict::kLeak, watch = row.verdict == trend::Verdict::kWatch;
  html.raw(leak ? "<tr class=\"leak\">" : "<tr>").raw("<th scope=\"row\" data-pool=\"").raw(pool_name(row.pool));
  html.raw("\"><a data-live href=\"");
  html.text(query_link(query, page_defaults())).raw("#chart\"><code>").text(row.tag).raw("</code></a>");
  html.raw(leak ? " <span class=\"badge leak\">leak</span>" : watch ? " <span class=\"badge\">watched</span>" : "");
  html.raw("</th><td class=\"pool\">").raw(pool_name(row.pool)).raw("</td><td class=\"n\">");
  html.exact(byte_words(static_cast<double>(row.bytes)), count_words(row.bytes) + " bytes").raw("</td><td class=\"n growth\">");
  if (row.growth_per_second) {
    const double a_day = *row.growth_per_second * kSecondsPerDay;
    const std::string exact = growth_words(a_day, false), words = growth_words(a_day, true);
    html.exact(words.substr(0, words.size() - 4), exact.substr(0, exact.size() - 4) + " bytes a day");
  } else {
    html.raw(kNone);
  }
  html.raw("</td><td class=\"course\">");
  add_sparkline(html, row.course);
  html.raw("</td><td class=\"n\">")
      .raw(row.outstanding ? count_words(*row.outstanding) : std::string(kNone))
      .raw("</td><td class=\"n\">");
  if (const auto each = row.bytes_per_allocation()) {
    html.exact(byte_words(*each), number_words(*each) + " bytes");
  } else {
    html.raw(kNone);
  }
  html.raw("</td>");
  if (rates) {
    html.raw("<td class=\"n\">")
        .raw(row.allocations_per_second ? number_words(*row.allocations_per_second) : std::string(kNone));
    html.raw("</td>");
  }
  const std::string names = drivers::joined_drivers(row.drivers);
  const std::string about(drivers::best_description(row.drivers));
  html.raw("<td class=\"driver\">");
  if (!names.empty() || !about.empty()) html.exact(names.empty() ? about : names, about.empty() ? names : about);
  html.raw("</td></tr>\n");
}

}  // namespace

void add_tags(Html& html, const View& view, const TagQuery& query) {
  html.raw("<section id=\"tags\" aria-labelledby=\"tags-h\">\n<h2 id=\"tags-h\">Tags</h2>\n");
  if (view.chosen || !query.chart.empty()) {
    TagQuery without = query;
    without.chart.clear();
    html.raw("<article id=\"chart\" class=\"suspect\">\n<h3>");
    html.text(view.chosen ? subject_words(view.chosen->report) : query.chart + " has no history");
    html.raw(" <a class=\"close\" data-live href=\"")
        .text(query_link(without, page_defaults()))
        .raw("#tags\">close</a></h3>\n");
    if (view.chosen) {
      add_chart(html, *view.chosen, view.boots, view.time);
      add_hours_chart(html, *view.chosen, view.time);
    }
    html.raw("</article>\n");
  }
  add_form(html, view, query);
  const bool rates = view.system == System::kWindows;  // Linux counts no allocations
  html.raw(
      "<div class=\"scroll\" role=\"region\" aria-label=\"Table of tags\" tabindex=\"0\">\n<table id=\"tag-table\">\n<caption>");
  html.raw(view.system == System::kWindows ? "Pool tags" : "Slab caches and other allocators").raw(", ");
  html.text(count_words(view.tags.size())).raw(" of ").text(count_words(view.tags_matched));
  if (view.tags_matched < view.tags_total) html.raw(" that match, of ").text(count_words(view.tags_total)).raw(" in all");
  html.raw(".<span class=\"hint\"> Headings sort; a tag shows its weeks.</span></caption>\n<thead><tr>");
  for (const Heading& heading : kHeadings) {
    if (heading.column == Column::kRate && !rates) continue;
    add_heading(html, heading, view.system, query);
    if (heading.column == Column::kGrowth) html.raw("<th scope=\"col\">8 weeks</th>");
  }
  html.raw("</tr></thead>\n<tbody>\n");
  for (const TagRow& row : view.tags) add_row(html, row, query, rates);
  html.raw("</tbody>\n</table>\n</div>\n");
  if (view.tags.empty()) html.raw("<p>No tag matches.</p>\n");
  if (view.tags.size() < view.tags_matched && view.tags.size() < kMaxRows) {
    TagQuery more = query;
    more.limit = std::min(kMaxRows, query.limit + kMoreRows);
    html.raw("<p><a class=\"more\" data-live href=\"").text(query_link(more, page_defaults())).raw("\">Show more</a></p>\n");
  }
  html.raw("</section>\n");
}

}  // namespace kmem::page
