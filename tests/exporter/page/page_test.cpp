#include "exporter/page/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "exporter/page/chart.h"
#include "exporter/page/html.h"
#include "tests/exporter/page/views.h"
#include "tests/support/pattern.h"

namespace kmem::page {
namespace {

using test::calm_view;
using test::HasPattern;
using test::kDayMs;
using test::kNow;
using test::leak_of;
using test::row_of;
using testing::HasSubstr;
using testing::Not;

std::string html_of(const View& view, const TagQuery& query = page_defaults()) { return page_html(view, query); }

/// Every element that is opened is closed, in order; no "<" or quote stands where text or an attribute should be.
void expect_well_formed(const std::string& html) {
  static const std::regex tag("<(/?)([a-zA-Z][a-zA-Z0-9]*)((?: [a-zA-Z0-9-]+(?:=\"[^\"<>]*\")?)*)(/?)>|<|\"?>");
  std::vector<std::string> open;
  const std::string body = html.substr(html.find('\n') + 1);
  for (std::sregex_iterator found(body.begin(), body.end(), tag), none; found != none; ++found) {
    const std::string name = (*found)[2];
    ASSERT_FALSE(name.empty()) << body.substr(static_cast<std::size_t>(found->position()), 80);
    if (name == "meta" || name == "link" || name == "input" || (*found)[4] == "/") continue;
    if ((*found)[1] != "/") {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << name;
    ASSERT_EQ(open.back(), name) << body.substr(static_cast<std::size_t>(found->position()), 80);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
}

TEST(Page, TextIsHarmlessInElementsAndAttributes) {
  EXPECT_EQ(html_text("<img onerror=\"x('y')\">&\x01\x7f"), "&lt;img onerror=&quot;x(&#39;y&#39;)&quot;&gt;&amp;  ");
}

TEST(Page, NumbersOfDrawingsAreShortAndRounded) {
  const auto words = [](double value) { return Html().number(value).take(); };
  EXPECT_EQ(words(0), "0");
  EXPECT_EQ(words(12), "12");
  EXPECT_EQ(words(12.34), "12.3");
  EXPECT_EQ(words(12.96), "13");
  EXPECT_EQ(words(-0.04), "0");
  EXPECT_EQ(words(-0.5), "-0.5");
  EXPECT_EQ(words(-1234.06), "-1234.1");
  EXPECT_EQ(words(1e12), "1000000000000");
  EXPECT_EQ(words(-1e300), "-1000000000000000") << "bounded";
}

TEST(Page, SaysTheVerdictFirstAndShowsTheSuspectsWeeks) {
  View view = calm_view();
  view.leaks = {leak_of(Pool::kNonpaged, "Thre")};
  view.leak_count = 1;
  view.boots = {kNow - 40 * kDayMs, kNow - 90 * kDayMs};
  const std::string html = html_of(view);
  expect_well_formed(html);
  EXPECT_THAT(html, HasSubstr("<title>Leak: tag Thre (nonpaged), +3.10 MiB/day since 4 Nov, limit reached in about 41 days –"));
  EXPECT_THAT(html,
              HasSubstr("<h1>Leak: tag Thre (nonpaged), +3.10 MiB/day since <time datetime=\"2025-11-04T00:00:00Z\" "
                        "data-form=\"day\" title=\"2025-11-04T00:00:00Z\">4 Nov</time>, limit reached in about 41 days</h1>\n"
                        "<p class=\"todo\"><a href=\"runbooks/KmemPoolLeakSuspected\">What to do now</a></p>"));
  EXPECT_LT(html.find("<h1>"), html.find("<h2"));
  EXPECT_THAT(html, HasSubstr("<dt>Since</dt><dd><time datetime=\"2025-11-04T00:00:00Z\" data-form=\"day\""));
  EXPECT_THAT(html, HasSubstr("title=\"+3,250,586 bytes a day\">+3.10 MiB/day</span>"));
  EXPECT_THAT(html, HasSubstr("data-src=\"api/v1/trends/nonpaged/Thre\""));
  EXPECT_THAT(html, HasSubstr("<path class=\"trend\" d=\"M"));
  EXPECT_THAT(html, HasSubstr("aria-label=\"Lowest size of tag Thre (nonpaged) in every 4 hours from 5 Oct to 30 Nov: "
                              "from 20.0 MiB to 100 MiB, trend +3.10 MiB/day since 4 Nov, 1 reboot.\""));
  std::size_t boots = 0;
  for (std::size_t at = 0; (at = html.find("<line class=\"boot\"", at)) != std::string::npos; ++at) ++boots;
  EXPECT_EQ(boots, 1U) << "the one within the weeks shown";
}

// 100 MiB now, 3.1 MiB more every day: 31 MiB of room last 10 days, 310 MiB longer than six tenths of the weeks shown.
TEST(Page, ALeaksChartGoesOnToItsEnd) {
  View view = calm_view();
  view.leaks = {leak_of(Pool::kNonpaged, "Thre")};
  view.leak_count = 1;
  trend::Exhaustion& end = *view.leaks[0].report.exhaustion;
  end.pace_per_second = 3.1 * test::kMiB / 86'400;
  const auto with_days_left = [&](double days) {
    end.seconds = days * 86'400, end.room = end.seconds * end.pace_per_second;
    return html_of(view);
  };
  const std::string near = with_days_left(10), far = with_days_left(100);
  for (const std::string* html : {&near, &far}) {
    expect_well_formed(*html);
    EXPECT_THAT(*html, HasSubstr("<path class=\"outlook\" d=\"M"));
  }
  EXPECT_THAT(near, HasSubstr("at this pace: limit reached in about 10 days"));
  EXPECT_THAT(near, HasSubstr("; limit reached in about 10 days.\" data-src"));
  EXPECT_THAT(
      near, test::HasPattern("<line class=\"limit\" x1=\"0\" x2=\"100%\" y1=\"[0-9.]+\" y2=\"[0-9.]+\"/>"
                             "<text class=\"tick\" text-anchor=\"end\" x=\"100%\" y=\"[0-9.]+\">nothing left at 13[0-9] MiB"));
  EXPECT_THAT(near, HasSubstr("data-to=\"" + std::to_string(kNow + 10 * kDayMs) + "\""));
  EXPECT_THAT(far, Not(HasSubstr("nothing left at")));
  view.leaks[0].report.verdict = trend::Verdict::kWatch;
  EXPECT_THAT(with_days_left(10), Not(HasSubstr("outlook")));
}

TEST(Page, NoChartStandsTwice) {
  View view = calm_view();
  view.leaks = {leak_of(Pool::kNonpaged, "Thre"), leak_of(Pool::kNonpaged, "File")};
  view.leak_count = 2;
  const auto charts = [&](const char* tag) {
    const std::string html = html_of(view), mark = std::string("data-line=\"floors\""), src = std::string("/") + tag + "\" ";
    std::size_t count = 0;
    for (std::size_t at = 0; (at = html.find(src + mark, at)) != std::string::npos; ++at) ++count;
    return count;
  };
  EXPECT_EQ(charts("Thre"), 1U);
  view.chosen = view.leaks[0];
  EXPECT_EQ(charts("Thre"), 1U);
  EXPECT_EQ(charts("File"), 1U);
  EXPECT_THAT(html_of(view), HasSubstr("<a href=\"#chart\">Its weeks are shown below</a>"));
}

TEST(Page, NamesItsHost) {
  View view = calm_view();
  EXPECT_THAT(html_of(view), HasSubstr("<span class=\"host\" id=\"host\"></span>"));
  view.host = "files-01<";
  const std::string html = html_of(view);
  expect_well_formed(html);
  EXPECT_THAT(html, HasSubstr(" – files-01&lt; – kmem_exporter</title>"));
  EXPECT_THAT(html, HasSubstr("id=\"host\">files-01&lt;</span>"));
}

TEST(Page, LinuxNamesModules) {
  View view = calm_view();
  EXPECT_THAT(html_of(view), HasSubstr(">Driver</a>"));
  view.system = System::kLinux;
  EXPECT_THAT(html_of(view), testing::AllOf(HasSubstr(">Module or use</a>"), HasSubstr("placeholder=\"tag or module\""),
                                            Not(HasSubstr(">Driver</a>"))));
}

TEST(Page, BarsMarkLimitTrimThresholdAndFloor) {
  View view = calm_view();
  view.resources[0].trim_threshold = 320'000'000;
  view.resources[0].floor = 80'000'000;
  view.resources[0].limit_source = "estimate";
  view.resources[0].limit_rule = "x86 <small>";
  view.resources[0].exhaustion = trend::Exhaustion{41 * 86'400.0, 33 * 86'400.0, HUGE_VAL};
  const std::string html = html_of(view);
  expect_well_formed(html);
  EXPECT_THAT(html, HasSubstr("<span title=\"100,000,000 bytes\">95.4 MiB</span>"));
  EXPECT_THAT(html, HasSubstr("<span class=\"share\">25 %</span>"));
  EXPECT_THAT(html, HasSubstr("<rect class=\"fill\" height=\"16\" rx=\"3\" width=\"25%\"/>"));
  EXPECT_THAT(html, HasSubstr("<line class=\"low\" y1=\"0\" y2=\"100%\" x1=\"20%\""));
  EXPECT_THAT(html, HasSubstr("<line class=\"trim\" y1=\"0\" y2=\"100%\" x1=\"80%\""));
  EXPECT_THAT(html, HasSubstr("limit by estimate: x86 &lt;small&gt;"));
  EXPECT_THAT(html, HasSubstr(">about 41 days</span> (33 days to never)"));
}

TEST(Page, AResourceSaysWhatIsDividedAndEveryRoom) {
  View view = calm_view();
  Resource& pool = view.resources[0];
  trend::Exhaustion end{41 * 86'400.0, 33 * 86'400.0, HUGE_VAL};
  end.bound = trend::Bound::kCommitLimit;
  end.pace_per_second = 3.0 * test::kMiB / 86'400;
  end.room = end.seconds * end.pace_per_second;
  pool.exhaustion = end;
  pool.growth_per_second = 1.0 * test::kMiB / 86'400;
  pool.headrooms = {
      {300e6, trend::Bound::kPoolLimit}, {200e6, trend::Bound::kCommitLimit}, {-5, trend::Bound::kAvailableMemory}};
  const std::string html = html_of(view);
  expect_well_formed(html);
  EXPECT_THAT(html,
              HasSubstr("<li class=\"end\">commit limit reached in <span title=\"3,542,400 seconds\">about 41 days</span> "
                        "(33 days to never): 123 MiB left at the day&#39;s peak, +3.00 MiB/day</li>"));
  EXPECT_THAT(html, HasSubstr("room now: <span title=\"300,000,000 bytes\">286 MiB</span> to the pool limit, <span "
                              "title=\"200,000,000 bytes\">191 MiB</span> to the commit limit, <span title=\"0 bytes\">0 "
                              "B</span> of available memory</li>"));
}

TEST(Page, TheTableSaysHowItIsSortedAndLinksTheRest) {
  View view = calm_view();
  view.tags = {row_of(Pool::kNonpaged, "Irp ", 2048)};
  view.tags[0].outstanding = 4;
  view.tags[0].growth_per_second = 1;
  view.tags[0].allocations_per_second = 12.5;
  view.tags[0].verdict = trend::Verdict::kLeak;
  view.tags[0].drivers = {{"a.sys", "filter", "image_scan"}, {"b.sys", "", "image_scan"}};
  view.tags_total = 400;
  view.tags_matched = 300;
  TagQuery query = page_defaults();
  query.filter = "<i>";
  const std::string html = html_of(view, query);
  expect_well_formed(html);
  EXPECT_THAT(
      html,
      HasSubstr("aria-sort=\"descending\"><a data-live href=\"?sort=bytes&amp;order=asc&amp;filter=%3Ci%3E#tags\">Bytes</a>"));
  EXPECT_THAT(html, HasSubstr("<code>Irp </code></a> <span class=\"badge leak\">leak</span>"));
  EXPECT_THAT(html, HasSubstr("<span title=\"2,048 bytes\">2.00 KiB</span>"));
  EXPECT_THAT(html, HasSubstr("<span title=\"+86,400 bytes a day\">+84.4 KiB</span>"));
  EXPECT_THAT(html, HasSubstr("<span title=\"512 bytes\">512 B</span>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"n\">12.5</td>"));
  EXPECT_THAT(html, HasSubstr("<span title=\"filter\">a.sys, b.sys</span>"));
  EXPECT_THAT(html, HasSubstr("Pool tags, 1 of 300 that match, of 400 in all"));
  EXPECT_THAT(html, HasSubstr("value=\"&lt;i&gt;\""));
  EXPECT_THAT(html, HasSubstr("?filter=%3Ci%3E&amp;limit=250"));
  EXPECT_THAT(html, HasSubstr("href=\"?filter=%3Ci%3E&amp;chart=nonpaged%2FIrp%20#chart\""));
}

TEST(Page, MissingPartsHaveTheirReason) {
  View view = calm_view();
  view.parts = {{"basic", PartState::kOk, "", 0.001, 0},
                {"pool_tags", PartState::kUnsupported, "<status C0000003>", 0, 0},
                {"processes", PartState::kPartial, "cut", 0.002, 3}};
  view.processes = {{4, "<b>", 92, 1024, std::nullopt, {}}};
  const std::string html = html_of(view);
  expect_well_formed(html);
  EXPECT_THAT(
      html,
      HasSubstr(
          "not on this system</td><td class=\"n\"><span class=\"none\">–</span></td><td class=\"reason\">&lt;status C0000003&gt;</td>"));
  EXPECT_THAT(html, HasSubstr("<summary>1 part cannot be read, or not wholly</summary>"));
  EXPECT_THAT(html, HasSubstr("cut (3 rows refused)"));
  EXPECT_THAT(html, HasSubstr("<code>&lt;b&gt;</code></th><td class=\"n\">4</td><td class=\"n\">92</td>"));
}

TEST(Page, HostileTextNeverBecomesMarkup) {
  const std::string hostile = "\"><img src=x onerror=alert(1)>'\xff\x01</h1><script>";
  View view = calm_view();
  view.leaks = {leak_of(Pool::kPaged, hostile)};
  view.leaks[0].drivers = {{hostile, hostile, hostile}};
  view.leak_count = 1;
  view.watched = view.leaks;
  view.watch_count = 1;
  view.chosen = view.leaks[0];
  view.tags = {row_of(Pool::kPaged, hostile, 1)};
  view.tags[0].drivers = view.leaks[0].drivers;
  view.parts = {{hostile, PartState::kFailed, hostile, 0, 0}};
  view.processes = {{1, hostile, 1, {}, {}, {}}};
  view.failure_events = {{hostile, 1, 1, kNow}};
  view.resources[0].limit_source = view.resources[0].limit_rule = hostile;
  view.telemetry_path = "/" + hostile;
  view.version = view.revision = hostile;
  TagQuery query = page_defaults();
  query.filter = query.chart = hostile;
  const std::string html = html_of(view, query);
  expect_well_formed(html);
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("<script>")));
  EXPECT_THAT(html, Not(HasSubstr("\x01")));
  view.chosen.reset();
  expect_well_formed(html_of(view, query));
  view.error = hostile;
  expect_well_formed(html_of(view, query));
}

TEST(Page, AKernelThatCannotBeReadStillHasAPage) {
  View view = calm_view();
  view.error = "procfs is gone";
  const std::string html = html_of(view);
  expect_well_formed(html);
  EXPECT_THAT(html, HasSubstr("<h1>The kernel cannot be read: procfs is gone</h1>"));
  EXPECT_THAT(html, HasSubstr("href=\"metrics\""));
  EXPECT_THAT(html, Not(HasSubstr("id=\"memory\"")));
}

TEST(Page, HasNoStyleOrScriptWithinAndAsksOnlyItsOwnServer) {
  View view = calm_view();
  view.leaks = {leak_of(Pool::kNonpaged, "Thre")};
  view.leak_count = 1;
  const std::string html = html_of(view);
  EXPECT_THAT(html, Not(HasPattern(" style=|<style| on[a-z]+=\"")));
  EXPECT_THAT(html, Not(HasPattern("(href|src)=\"(https?:)?//")));
  EXPECT_EQ(kContentSecurityPolicy.find("unsafe"), std::string_view::npos);
}

TEST(Chart, ShowsGapsStepsAndAShortHistory) {
  Subject subject = leak_of(Pool::kNonpaged, "Thre");
  subject.report.since.reset();
  subject.course = test::course_of([](double day) { return day < 50 ? NAN : day < 53 ? 1e6 : 2e6; });
  subject.course->floors[325] = trend::kNothing;
  Html html;
  add_chart(html, subject, {}, kNow);
  const std::string drawn = html.take();
  expect_well_formed("\n" + drawn);
  EXPECT_THAT(drawn, HasSubstr("data-from=\"" + std::to_string(kNow - 7 * kDayMs) + "\"")) << "never less than a week";
  EXPECT_THAT(drawn, HasSubstr("<title>+977 KiB on 27 Nov</title>"));
  EXPECT_THAT(drawn, HasPattern("class=\"floor\" d=\"M[0-9. ]+M[0-9. ]+\"")) << "two runs around the gap";
  EXPECT_THAT(drawn, HasSubstr("step that stayed"));
}

Subject surging(double hours) {
  Subject subject = leak_of(Pool::kNonpaged, "Thre");
  subject.course = test::course_of([](double) { return 1e6; });
  subject.course->fives_start = kNow - 72 * 300'000;
  subject.course->fives.fill(1e6F);
  subject.course->fives[70] = 3e6F;
  subject.course->recent_start = kNow - 96 * 3'600'000;
  subject.course->recent.fill(1e6F);
  trend::Surge& surge = subject.report.surge.emplace();
  surge.since = kNow - static_cast<base::UnixMillis>(hours * 3'600'000);
  surge.growth = 4e6;
  subject.report.last_amount = 5e6;
  return subject;
}

TEST(Chart, OfHoursShowsASurgeByFiveMinutes) {
  Html html;
  add_hours_chart(html, surging(1.5), kNow);
  const std::string drawn = html.take();
  expect_well_formed("\n" + drawn);
  EXPECT_THAT(drawn, HasSubstr("Lowest size of tag Thre (nonpaged) in every 5 minutes of the last 6 hours: now 4.77 MiB, 3.81 "
                               "MiB more than about 1.5 hours ago."));
  EXPECT_THAT(drawn, HasSubstr("data-line=\"fives\" data-from=\"" + std::to_string(kNow - 72 * 300'000) + "\""));
  EXPECT_THAT(drawn, HasPattern("data-form=\"hour\" data-time=\"[-0-9]+T[0-9]+:00:00Z\">[0-9][0-9]:00<"));
  EXPECT_THAT(drawn, HasPattern("class=\"trend\" d=\"M7[0-9.]+ [0-9.]+L9[0-9.]+ [0-9.]+\"")) << "a quarter of the width";
}

TEST(Chart, OfHoursShowsALongerSurgeByTheHour) {
  Html html;
  add_hours_chart(html, surging(20), kNow);
  const std::string drawn = html.take();
  expect_well_formed("\n" + drawn);
  EXPECT_THAT(drawn, HasSubstr("in every hour of the last 4 days"));
  EXPECT_THAT(drawn, HasSubstr("data-line=\"recent\" data-from=\"" + std::to_string(kNow - 96 * 3'600'000) + "\""));
}

TEST(Chart, OfHoursShowsALeaksHoursWithoutAPace) {
  Subject leak = surging(20);
  leak.report.surge.reset();
  Html html;
  add_hours_chart(html, leak, kNow);
  const std::string drawn = html.take();
  expect_well_formed("\n" + drawn);
  EXPECT_THAT(drawn, HasSubstr("Lowest size of tag Thre (nonpaged) in every hour of the last 4 days: now 4.77 MiB.\""));
  EXPECT_THAT(drawn, HasSubstr("data-line=\"recent\""));
  EXPECT_THAT(drawn, Not(HasSubstr("class=\"trend\"")));
  leak.course->recent.fill(trend::kNothing);
  // An hour between hours without readings is as wide as an hour of the four days: 1000 / 96.
  for (const std::size_t hour : {50U, 54U, 58U, 59U}) leak.course->recent[hour] = 5e6F;
  Html rare;
  add_hours_chart(rare, leak, kNow);
  const std::string sparse = rare.take();
  EXPECT_THAT(sparse, HasSubstr("M520.8 "));
  EXPECT_THAT(sparse, HasSubstr("h10.4M562.5 "));
  EXPECT_THAT(sparse, HasSubstr("h10.4M609.4 "));  // two in a row begin in the middle of the first
  leak.course->recent.fill(trend::kNothing);
  leak.course->recent[94] = leak.course->recent[95] = 1e6F;
  Html none;
  add_hours_chart(none, leak, kNow);
  EXPECT_EQ(none.take(), "") << "two floors say nothing";
}

TEST(Page, SaysThatItCannotSay) {
  View view = calm_view();
  EXPECT_THAT(html_of(view), HasSubstr("<p>Nothing grows like a leak.</p>"));
  view.readiness = {};
  view.readiness.days_lacking = 3;
  EXPECT_THAT(
      html_of(view),
      AllOf(HasSubstr("<p>Whether anything leaks cannot be said yet: telling a leak takes 3 more days of readings.</p>"),
            Not(HasSubstr("Nothing grows"))));
}

TEST(Chart, AnEmptyHistoryDrawsNoLine) {
  Subject subject = leak_of(Pool::kNonpaged, "New");
  subject.report.since.reset();
  subject.course = test::course_of([](double) { return NAN; });
  Html html;
  add_chart(html, subject, {}, kNow);
  const std::string drawn = html.take();
  expect_well_formed("\n" + drawn);
  EXPECT_THAT(drawn, HasSubstr("No history of tag New (nonpaged) yet."));
  EXPECT_THAT(drawn, HasSubstr("class=\"floor\" d=\"\""));
}

TEST(Chart, SparklinesNeedTwoDays) {
  std::array<float, trend::kHistoryDays> course;
  course.fill(trend::kNothing);
  const auto drawn = [&course] {
    Html html;
    add_sparkline(html, course);
    return html.take();
  };
  course[54] = 5;
  EXPECT_THAT(drawn(), HasSubstr("–"));
  course[55] = 10;
  EXPECT_THAT(drawn(), HasSubstr("d=\"M54 19 55 1\""));
  course[55] = 5;
  EXPECT_THAT(drawn(), HasSubstr("d=\"M54 19 55 19\"")) << "level is flat";
}

TEST(Chart, AddressesAreEncoded) {
  EXPECT_EQ(subject_path(trend::Kind::kTag, Pool::kPaged, "a/b \\xff"), "paged/a%2Fb%20%5Cxff");
  EXPECT_EQ(subject_path(trend::Kind::kPool, Pool::kVmalloc, ""), "vmalloc");
  EXPECT_EQ(subject_path(trend::Kind::kCommit, {}, ""), "commit");
  EXPECT_EQ(subject_path(trend::Kind::kSystemPtes, {}, ""), "system_ptes");
  EXPECT_EQ(subject_path(trend::Kind::kHandles, {}, "a (1)"), "handles/a%20%281%29");
}

}  // namespace
}  // namespace kmem::page
