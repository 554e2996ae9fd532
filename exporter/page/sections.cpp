#include "exporter/page/sections.h"

#include <algorithm>
#include <cmath>

#include "collectors/base/clock.h"
#include "exporter/page/chart.h"
#include "exporter/page/files.h"
#include "exporter/page/words.h"

namespace kmem::page {
namespace {

using base::kSecondsPerDay;

std::string exact_bytes(double bytes) {
  return std::isfinite(bytes) && bytes >= 0 ? count_words(static_cast<std::uint64_t>(std::llround(bytes))) + " bytes" : "";
}

void add_amount(Html& html, double amount, bool bytes) {
  bytes ? html.exact(byte_words(amount), exact_bytes(amount))
        : html.exact(number_words(amount), count_words(static_cast<std::uint64_t>(amount)));
}

void add_growth(Html& html, double a_day, bool bytes) {
  const std::string exact = growth_words(a_day, false);
  html.exact(growth_words(a_day, bytes), bytes ? exact.substr(0, exact.size() - 4) + " bytes a day" : exact);
}

std::string heading(std::string words) {
  if (!words.empty() && words[0] >= 'a' && words[0] <= 'z') words[0] = static_cast<char>(words[0] - 'a' + 'A');
  return words;
}

void add_mark(Html& html, std::string_view kind, double share) {
  if (!(share >= 0 && share <= 1)) return;
  html.raw("<line class=\"").raw(kind).raw("\" y1=\"0\" y2=\"100%\" x1=\"").number(100 * share);
  html.raw("%\" x2=\"").number(100 * share).raw("%\"/>");
}

void add_bar(Html& html, const Resource& resource) {
  const std::optional<double> full = fullness(resource);
  if (!full) return;
  const auto limit = static_cast<double>(*resource.limit);
  html.raw(
      "<svg class=\"bar\" height=\"16\" aria-hidden=\"true\"><rect class=\"track\" width=\"100%\" height=\"16\" rx=\"3\"/>");
  html.raw("<rect class=\"fill\" height=\"16\" rx=\"3\" width=\"").number(100 * std::min(1.0, *full)).raw("%\"/>");
  if (resource.floor) add_mark(html, "low", *resource.floor / limit);
  if (resource.trim_threshold) add_mark(html, "trim", static_cast<double>(*resource.trim_threshold) / limit);
  if (resource.fewest) add_mark(html, "trim", static_cast<double>(*resource.fewest) / limit);
  html.raw("</svg>\n");
}

void add_note(Html& html, std::string_view kind, std::string_view label) {
  html.raw("<li class=\"").raw(kind).raw("\">").raw(label).raw(" ");
}

trend::Kind kind_of(const Resource& resource) { return resource.bytes ? trend::Kind::kPool : trend::Kind::kSystemPtes; }

void add_end(Html& html, const Resource& resource) {
  const trend::Exhaustion& end = *resource.exhaustion;
  if (std::isinf(end.seconds) || end.is_far()) return;
  add_note(html, "end", reached_words(end.bound) + (end.seconds <= 0 ? "" : " in"));
  if (end.seconds > 0) {
    html.exact(duration_words(end.seconds), count_words(static_cast<std::uint64_t>(std::min(end.seconds, 1e18))) + " seconds");
    if (const std::string range = range_words(end.soonest_seconds, end.latest_seconds); !range.empty())
      html.raw(" (").text(range).raw(")");
    if (const std::string left = left_words(end, kind_of(resource), resource.growth_per_second); !left.empty())
      html.raw(": ").text(left);
  }
  html.raw("</li>\n");
}

void add_headrooms(Html& html, const Resource& resource) {
  if (resource.headrooms.empty()) return;
  add_note(html, "rule", "room now:");
  for (std::size_t i = 0; i < resource.headrooms.size(); ++i) {
    const trend::Room& room = resource.headrooms[i];
    html.raw(i == 0 ? "" : ", ");
    add_amount(html, std::max(0.0, room.amount), true);
    html.raw(room.bound == trend::Bound::kAvailableMemory ? " of " : " to the ").text(trend::bound_words(room.bound));
  }
  html.raw("</li>\n");
}

void add_notes(Html& html, const Resource& resource) {
  html.raw("<ul class=\"notes\">\n");
  if (resource.exhaustion) add_end(html, resource);
  if (resource.growth_per_second) {
    add_note(html, "growth", resource.verdict == trend::Verdict::kLeak ? "leaks" : "trend");
    add_growth(html, *resource.growth_per_second * kSecondsPerDay * (resource.bytes ? 1 : -1), resource.bytes);
    html.raw("</li>\n");
  }
  if (resource.floor) {
    add_note(html, "low", "floor of the last day");
    add_amount(html, *resource.floor, resource.bytes);
    html.raw("</li>\n");
  }
  if (resource.trim_threshold) {
    add_note(html, "trim", "trimmed from");
    add_amount(html, static_cast<double>(*resource.trim_threshold), true);
    html.raw("</li>\n");
  }
  if (resource.fewest) {
    add_note(html, "trim", "trouble below");
    html.text(count_words(*resource.fewest)).raw("</li>\n");
  }
  if (resource.peak) {
    add_note(html, "peak", "peak since boot");
    add_amount(html, static_cast<double>(*resource.peak), resource.bytes);
    html.raw("</li>\n");
  }
  if (resource.resident) {
    add_note(html, "peak", "in physical memory");
    add_amount(html, static_cast<double>(*resource.resident), resource.bytes);
    html.raw("</li>\n");
  }
  add_headrooms(html, resource);
  if (!resource.limit) {
    add_note(html, "rule", "no limit is known</li>\n");
  } else if (!resource.limit_rule.empty()) {
    html.raw("<li class=\"rule\">").text(limit_words(resource.limit_source, resource.limit_rule)).raw("</li>\n");
  }
  html.raw("</ul>\n");
}

void add_facts(Html& html, const Subject& subject, base::UnixMillis now) {
  const trend::SubjectReport& report = subject.report;
  const bool bytes = trend::counts_bytes(report.kind);
  html.raw("<dl class=\"facts\">\n<div><dt>Growth</dt><dd>");
  add_growth(html, growth_a_day(report), bytes);
  html.raw("</dd></div>\n");
  if (report.since) {
    html.raw("<div><dt>Since</dt><dd>").time(*report.since, day_words(*report.since, now), "day").raw("</dd></div>\n");
  }
  html.raw("<div><dt>Now</dt><dd>");
  add_amount(html, report.last_amount, bytes);
  html.raw("</dd></div>\n");
  if (const std::string end = end_words(report); !end.empty()) {
    html.raw("<div><dt>Limit</dt><dd>")
        .exact(end.starts_with("limit reached in ") ? "in " + end.substr(17) : end,
               range_words(report.exhaustion->soonest_seconds, report.exhaustion->latest_seconds));
    html.raw("</dd></div>\n");
  }
  if (report.outstanding_per_day && std::abs(*report.outstanding_per_day) >= 0.5) {
    html.raw("<div><dt>Allocations</dt><dd>");
    add_growth(html, *report.outstanding_per_day, false);
    html.raw("</dd></div>\n");
  }
  if (subject.holder)
    html.raw("<div><dt>Held by</dt><dd>")
        .text(trend::holder_words(*subject.holder, report.pool, report.text))
        .raw("</dd></div>\n");
  html.raw("<div><dt>Confidence</dt><dd>").number(std::round(100 * report.confidence)).raw(" %</dd></div>\n");
  if (report.first_detected) {
    html.raw("<div><dt>Called a leak</dt><dd>").time(*report.first_detected, day_words(*report.first_detected, now), "day");
    html.raw("</dd></div>\n");
  }
  html.raw("</dl>\n");
}

std::string_view runbook_of(trend::Kind kind) {
  switch (kind) {
    case trend::Kind::kSystemPtes: return "KmemSystemPtesExhaustionPredicted";
    case trend::Kind::kCommit: return "KmemCommitExhaustionPredicted";
    case trend::Kind::kUnaccounted: return "KmemPoolExhaustionPredicted";
    case trend::Kind::kHandles: return "KmemProcessHandleLeak";
    default: return "KmemPoolLeakSuspected";
  }
}

void add_runbook(Html& html, trend::Kind kind) {
  if (const std::string_view runbook = runbook_of(kind); find_file(runbooks(), runbook) != nullptr)
    html.raw("<p class=\"todo\"><a href=\"runbooks/").raw(runbook).raw("\">What to do now</a></p>\n");
}

void add_charts(Html& html, const Subject& subject, const View& view, bool hours_first) {
  // Whose chart was asked for has it below, by the table that it was asked from.
  if (view.chosen && subject_words(view.chosen->report) == subject_words(subject.report)) {
    html.raw("<p class=\"sub\"><a href=\"#chart\">Its weeks are shown below</a></p>\n");
    return;
  }
  if (hours_first) add_hours_chart(html, subject, view.time);
  add_chart(html, subject, view.boots, view.time);
  if (!hours_first) add_hours_chart(html, subject, view.time);
}

void add_said(Html& html, std::string_view line, const Verdict& verdict) {
  for (const Verdict::Moment& moment : verdict.moments) {
    const std::size_t at = line.find(moment.words);
    if (at == std::string_view::npos) continue;
    html.text(line.substr(0, at)).time(moment.time, moment.words, moment.form).text(line.substr(at + moment.words.size()));
    return;
  }
  html.text(line);
}

std::string_view part_words(PartState state) {
  switch (state) {
    case PartState::kOk: return "works";
    case PartState::kPartial: return "partly";
    case PartState::kFailed: return "failed";
    case PartState::kUnsupported: break;
  }
  return "not on this system";
}

}  // namespace

void add_verdict(Html& html, const View& view, const Verdict& verdict) {
  html.raw("<section id=\"verdict\" class=\"verdict ").raw(state_name(verdict.state)).raw("\" aria-live=\"polite\">\n<h1>");
  add_said(html, verdict.headline, verdict);
  html.raw("</h1>\n");
  if (!verdict.details.empty()) {
    html.raw("<ul>\n");
    for (const std::string& line : verdict.details) {
      html.raw("<li>");
      add_said(html, line, verdict);
      html.raw("</li>\n");
    }
    html.raw("</ul>\n");
  }
  if (!view.leaks.empty()) add_runbook(html, view.leaks[0].report.kind);
  if (view.boot_time && view.time > *view.boot_time) {
    html.raw("<p class=\"sub\">Up ").text(duration_words(static_cast<double>(view.time - *view.boot_time) / 1000).substr(6));
    html.raw(", since ").time(*view.boot_time, minute_words(*view.boot_time), "minute");
    if (view.trend_enabled) html.raw(". ").text(plural_words(view.history.subjects, "subject")).raw(" followed");
    html.raw(".</p>\n");
  }
  html.raw("</section>\n");
}

void add_findings(Html& html, const View& view) {
  if (view.findings.empty()) return;
  html.raw("<section id=\"findings\" aria-labelledby=\"findings-h\">\n<h2 id=\"findings-h\">Findings</h2>\n");
  for (const Finding& finding : view.findings) {
    html.raw("<article class=\"suspect\" id=\"f-").text(finding.name).raw("\">\n<h3>").text(finding.what).raw("</h3>\n<p>");
    html.text(finding.why).raw("</p>\n<p class=\"todo\">").text(finding.what_to_do);
    html.raw(" <a href=\"runbooks/KmemFinding\">More</a></p>\n</article>\n");
  }
  html.raw("</section>\n");
}

void add_resources(Html& html, const View& view) {
  html.raw(
      "<section id=\"memory\" aria-labelledby=\"memory-h\">\n<h2 id=\"memory-h\">Kernel memory</h2>\n<ul class=\"resources\">\n");
  for (const Resource& resource : view.resources) {
    const std::optional<double> full = fullness(resource);
    html.raw("<li class=\"resource").raw(is_short(resource) ? " short" : "");
    html.raw(resource.verdict == trend::Verdict::kLeak ? " leaks" : "").raw(resource.bytes ? "" : " free");
    html.raw("\" id=\"r-").text(resource.name).raw("\">\n<h3><a href=\"?chart=").text(resource.name).raw("#chart\">");
    html.text(heading(resource_words(resource.name))).raw("</a></h3>\n<p class=\"amount\">");
    add_amount(html, static_cast<double>(resource.amount), resource.bytes);
    if (resource.limit) {
      html.raw(" <span class=\"of\">of ");
      add_amount(html, static_cast<double>(*resource.limit), resource.bytes);
      html.raw("</span> <span class=\"share\">").number(*full < 0.1 ? 100 * *full : std::floor(100 * *full)).raw(" %</span>");
    }
    html.raw("</p>\n");
    add_bar(html, resource);
    add_notes(html, resource);
    html.raw("</li>\n");
  }
  html.raw("</ul>\n");
  if (view.physical_memory_bytes) {
    html.raw("<p class=\"sub\">");
    add_amount(html, static_cast<double>(*view.physical_memory_bytes), true);
    html.raw(" of memory are installed");
    if (view.available_bytes) {
      html.raw(", ");
      add_amount(html, static_cast<double>(*view.available_bytes), true);
      html.raw(" are available");
    }
    html.raw(".</p>\n");
  }
  const bool refused = std::any_of(view.failure_events.begin(), view.failure_events.end(),
                                   [](const FailureEvents& events) { return events.count > 0; });
  if (refused) {
    html.raw("<h3>Refusals</h3>\n<ul class=\"events\">\n");
    for (const FailureEvents& events : view.failure_events) {
      if (events.count == 0) continue;
      html.raw("<li>").text(events.provider);
      if (events.event_id != 0) html.raw(" event ").raw(std::to_string(events.event_id));
      html.raw(": ").text(count_words(events.count));
      if (events.last) html.raw(", last at ").time(*events.last, minute_words(*events.last), "minute");
      html.raw("</li>\n");
    }
    html.raw("</ul>\n");
  }
  html.raw("</section>\n");
}

void add_suspects(Html& html, const View& view) {
  if (!view.trend_enabled) return;
  html.raw("<section id=\"suspects\" aria-labelledby=\"suspects-h\">\n<h2 id=\"suspects-h\">Suspects</h2>\n");
  for (const Subject& surge : view.surges) {
    html.raw("<article class=\"suspect surge\">\n<h3>").text(heading(subject_words(surge.report))).raw("</h3>\n<p>Grows now: ");
    html.text(surge_words(surge, view.time)).raw(". That may be load and is no proof of a fault.</p>\n");
    add_charts(html, surge, view, true);
    html.raw("</article>\n");
  }
  for (const Subject& leak : view.leaks) {
    if (!leak.course) break;
    html.raw("<article class=\"suspect\">\n<h3>").text(heading(subject_words(leak.report))).raw("</h3>\n");
    if (!leak.drivers.empty()) {
      html.raw("<p class=\"driver\">").text(heading(driver_words(leak.drivers)));
      const std::string_view about = drivers::best_description(leak.drivers);
      if (!about.empty() && about != driver_words(leak.drivers)) html.raw(": ").text(about);
      html.raw(" <span class=\"source\">by ").text(drivers::joined_sources(leak.drivers)).raw("</span></p>\n");
    }
    add_facts(html, leak, view.time);
    add_charts(html, leak, view, false);
    add_runbook(html, leak.report.kind);
    html.raw("</article>\n");
  }
  if (view.leaks.empty()) {
    const std::string lacking = trend::readiness_words(view.readiness);
    html.raw("<p>")
        .text(lacking.empty() ? "Nothing grows like a leak." : "Whether anything leaks cannot be said yet: " + lacking + ".")
        .raw("</p>\n");
  }
  const auto shown = std::min<std::size_t>(
      view.leaks.size(), static_cast<std::size_t>(std::count_if(view.leaks.begin(), view.leaks.end(),
                                                                [](const Subject& leak) { return leak.course.has_value(); })));
  if (view.leak_count > shown) {
    html.raw("<p><a href=\"api/v1/trends?verdict=leak\">All ")
        .text(count_words(view.leak_count))
        .raw(" suspects as JSON</a></p>\n");
  }
  if (!view.watched.empty()) {
    html.raw("<details class=\"watched\">\n<summary>Watched: ").text(count_words(view.watch_count));
    html.raw(" that grow, but not for long or not clearly enough</summary>\n<ul>\n");
    for (const Subject& watched : view.watched) {
      html.raw("<li>").text(subject_words(watched.report)).raw(" ");
      add_growth(html, growth_a_day(watched.report), trend::counts_bytes(watched.report.kind));
      if (watched.report.since)
        html.raw(" since ").time(*watched.report.since, day_words(*watched.report.since, view.time), "day");
      html.raw("</li>\n");
    }
    html.raw("</ul>\n</details>\n");
  }
  html.raw("</section>\n");
}

void add_processes(Html& html, const View& view) {
  if (view.processes.empty()) return;
  const bool quota = std::any_of(view.processes.begin(), view.processes.end(), [](const ProcessUsage& process) {
    return process.paged_pool_bytes || process.nonpaged_pool_bytes;
  });
  const std::string_view handles = view.system == System::kWindows ? "handles" : "open descriptors";
  html.raw("<section id=\"processes\" aria-labelledby=\"processes-h\">\n<h2 id=\"processes-h\">Processes by ").raw(handles);
  html.raw(
      "</h2>\n<div class=\"scroll\" role=\"region\" aria-label=\"Table of processes\" tabindex=\"0\">\n<table>\n"
      "<caption class=\"quiet\">The leading processes");
  if (quota) html.raw("; the quota charged to them is not what drivers allocate");
  html.raw(
      "</caption>\n<thead><tr><th scope=\"col\">Process</th><th scope=\"col\" class=\"n\">Id</th><th scope=\"col\" class=\"n\">");
  html.raw(view.system == System::kWindows ? "Handles" : "Descriptors").raw("</th>");
  if (quota) html.raw("<th scope=\"col\" class=\"n\">Paged quota</th><th scope=\"col\" class=\"n\">Nonpaged quota</th>");
  html.raw("</tr></thead>\n<tbody>\n");
  const auto bytes = [&html](const std::optional<std::uint64_t>& amount) {
    html.raw("<td class=\"n\">");
    amount ? add_amount(html, static_cast<double>(*amount), true) : void(html.raw("<span class=\"none\">–</span>"));
    html.raw("</td>");
  };
  for (const ProcessUsage& process : view.processes) {
    html.raw("<tr><th scope=\"row\"><code>").text(process.name).raw("</code></th><td class=\"n\">");
    html.raw(std::to_string(process.pid)).raw("</td><td class=\"n\">");
    html.raw(process.handles ? count_words(*process.handles) : "<span class=\"none\">–</span>").raw("</td>");
    if (quota) bytes(process.paged_pool_bytes), bytes(process.nonpaged_pool_bytes);
    html.raw("</tr>\n");
  }
  html.raw("</tbody>\n</table>\n</div>\n</section>\n");
}

void add_collectors(Html& html, const View& view) {
  const auto troubled = std::count_if(view.parts.begin(), view.parts.end(), [](const PartStatus& part) {
    return part.state == PartState::kFailed || part.state == PartState::kPartial;
  });
  html.raw("<section id=\"collectors\" aria-labelledby=\"collectors-h\">\n<h2 id=\"collectors-h\">Collectors</h2>\n<details");
  html.raw(troubled > 0 ? " open" : "").raw(">\n<summary>");
  if (troubled > 0) {
    html.text(plural_words(static_cast<std::uint64_t>(troubled), "part")).raw(" cannot be read, or not wholly");
  } else {
    html.raw("Every part that this system has can be read");
  }
  html.raw(
      "</summary>\n<div class=\"scroll\" role=\"region\" aria-label=\"Table of collectors\" tabindex=\"0\">\n<table>\n"
      "<caption class=\"quiet\">What is read of the kernel, and why a part is missing</caption>\n<thead><tr>"
      "<th scope=\"col\">Part</th><th scope=\"col\">State</th><th scope=\"col\" class=\"n\">Took</th>"
      "<th scope=\"col\">Reason</th></tr></thead>\n<tbody>\n");
  for (const PartStatus& part : view.parts) {
    html.raw("<tr><th scope=\"row\">")
        .text(part.collector)
        .raw("</th><td class=\"part-")
        .raw(part_words(part.state).substr(0, 3));
    html.raw("\">").raw(part_words(part.state)).raw("</td><td class=\"n\">");
    if (part.state == PartState::kUnsupported) {
      html.raw("<span class=\"none\">–</span>");
    } else {
      html.exact(number_words(part.seconds * 1000) + " ms", number_words(part.seconds * 1e6) + " microseconds");
    }
    html.raw("</td><td class=\"reason\">").text(part.reason);
    if (part.skipped_rows > 0) html.raw(" (").text(plural_words(part.skipped_rows, "row")).raw(" refused)");
    html.raw("</td></tr>\n");
  }
  html.raw("</tbody>\n</table>\n</div>\n</details>\n</section>\n");
}

void add_links(Html& html, const View& view) {
  const std::string_view metrics = std::string_view(view.telemetry_path).substr(1);
  html.raw("<footer>\n<nav aria-label=\"More\">\n<p>For Prometheus: <a href=\"")
      .text(metrics)
      .raw("\">")
      .text(view.telemetry_path);
  html.raw(
      "</a>. For programs: <a href=\"api/v1/status\">status</a>, <a href=\"api/v1/tags\">tags</a>, "
      "<a href=\"api/v1/trends\">trends</a>. For load balancers: <a href=\"-/healthy\">healthy</a>, "
      "<a href=\"-/ready\">ready</a>.</p>\n");
  if (!runbooks().empty()) {
    html.raw("<p>What to do when an alert fires: ");
    for (std::size_t i = 0; i < runbooks().size(); ++i) {
      html.raw(i == 0 ? "" : ", ").raw("<a href=\"runbooks/").text(runbooks()[i].name).raw("\">");
      html.text(runbooks()[i].name).raw("</a>");
    }
    html.raw(".</p>\n");
  }
  html.raw("</nav>\n<p>kmem_exporter ").text(view.version).raw(", revision ").text(view.revision);
  if (view.history_saved) html.raw("; history kept at ").time(*view.history_saved, minute_words(*view.history_saved), "minute");
  html.raw(".</p>\n</footer>\n");
}

}  // namespace kmem::page
