// Runbooks as pages: what the Markdown says, the alert's tag in the commands, and nothing that a link could smuggle in.
#include "exporter/page/runbook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace kmem::page {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string body_of(std::string_view markdown, const RunbookSubject& subject = {}) {
  const std::string page = runbook_html({"KmemX", markdown}, subject);
  const std::size_t begin = page.find("<h1>"), end = page.find("</main>");
  return page.substr(begin, end - begin);
}

TEST(Runbook, BlocksAreWhatTheMarkdownSays) {
  EXPECT_EQ(
      body_of("# KmemX\n\n**One**\ntwo.\n\n## Do\n\n1. a\n   b\n2. `c`\n\n- d\n- e\n\n| h | i |\n|---|---|\n| j | k |\n"),
      "<h1>KmemX</h1>\n<p><strong>One</strong> two.</p>\n<h2>Do</h2>\n<ol>\n<li>a b</li>\n<li><code>c</code></li>\n</ol>\n"
      "<ul>\n<li>d</li>\n<li>e</li>\n</ul>\n<div class=\"scroll\"><table>\n<tr><th scope=\"col\">h</th><th scope=\"col\">i</th></tr>\n"
      "<tr><td>j</td><td>k</td></tr>\n</table></div>\n");
  EXPECT_EQ(body_of("# a\n```\nx < y\n```\n"), "<h1>a</h1>\n<pre><code>x &lt; y\n</code></pre>\n");
}

TEST(Runbook, UnfinishedMarksStayInsideTheirBlock) {
  EXPECT_EQ(body_of("# a\n**b\n\n`c\n\n<d>\n"), "<h1>a</h1>\n<p><strong>b</strong></p>\n<p>`c</p>\n<p>&lt;d&gt;</p>\n");
  EXPECT_EQ(body_of("# a\nOn *kmem <host>*, **b** `x*`, 2 * 3\n"),
            "<h1>a</h1>\n<p>On <em>kmem &lt;host&gt;</em>, <strong>b</strong> <code>x*</code>, 2 * 3</p>\n");
}

TEST(Runbook, TheTagStandsInCommandsAndThePageLeadsBack) {
  const std::string page = runbook_html({"KmemX", "# KmemX\n`find TAG POOL STAGE` TAG\n"}, {.pool = "paged", .tag = "Sfv1"});
  EXPECT_THAT(page, HasSubstr("<code>find Sfv1 paged STAGE</code> TAG"));
  EXPECT_THAT(page, HasSubstr("<a href=\"../\">This host</a>"));
  EXPECT_THAT(page, HasSubstr("<a href=\"../?chart=paged%2FSfv1\">Its chart</a>"));
  EXPECT_THAT(page, HasSubstr("<a href=\"KmemX.md\">"));
  EXPECT_THAT(body_of("# a\n`find TAG`\n"), HasSubstr("<code>find TAG</code>"));
}

TEST(Runbook, EveryPrintableTagIsNamedAndInCommandsQuotedOrLeftOut) {
  EXPECT_EQ(runbook_subject("pool=paged&tag=Sfv1").tag, "Sfv1");
  EXPECT_EQ(runbook_subject("pool=paged&tag=Sfv1").pool, "paged");
  for (const char* query : {"", "tag", "tag=", "tag=a%0Ab", "tag=%00", "tag=%C3%A4", "&&=&"})
    EXPECT_EQ(runbook_subject(query).tag, "") << query;
  EXPECT_EQ(runbook_subject("tag=" + std::string(65, 'a')).tag, "");

  const auto command = [](const char* query) {
    const std::string body = body_of("# a\n`find TAG`\n", runbook_subject(query));
    const std::size_t begin = body.find("<code>find ") + 11;
    return body.substr(begin, body.find("</code>") - begin);
  };
  EXPECT_EQ(command("tag=kmalloc-64"), "kmalloc-64");
  EXPECT_EQ(command("x=1&tag=a:b/c_d.e%2Bf"), "a:b/c_d.e+f");
  for (const auto& [query, quoted] : {std::pair{"tag=Irp+", "Irp "},
                                      {"tag=Mm%20%20", "Mm  "},
                                      {"tag=mm/slub.c:1234?fn", "mm/slub.c:1234?fn"},
                                      {"tag=a%3Brm", "a;rm"},
                                      {"tag=a@b", "a@b"},
                                      {"tag=%3Cscript%3E", "&lt;script&gt;"}})
    EXPECT_EQ(command(query), "&quot;" + std::string(quoted) + "&quot;") << query;
  for (const char* query : {"tag=%60x%60", "tag=%24x", "tag=-rf", "tag=Ddk!", "tag=a%22b", "tag=%25x%25", "tag=a%5Cb"})
    EXPECT_EQ(command(query), "TAG") << query;
  EXPECT_THAT(runbook_html({"KmemX", "# a\n"}, runbook_subject("tag=%3Cb%3E!")), HasSubstr("tag <strong>&lt;b&gt;!</strong>"));
}

TEST(Runbook, EveryOneIsRenderedWhole) {
  for (const File& file : runbooks()) {
    const std::string page = runbook_html(file, {.pool = "paged", .tag = "Sfv1"});
    EXPECT_THAT(page, HasSubstr("<h1>" + std::string(file.name) + "</h1>"));
    EXPECT_THAT(page, HasSubstr("<h2>Do now</h2>"));
    EXPECT_THAT(page, Not(HasSubstr("**"))) << file.name;
    EXPECT_THAT(page, Not(HasSubstr("|---"))) << file.name;
    EXPECT_THAT(page, Not(HasSubstr("TAG"))) << file.name;
  }
}

}  // namespace
}  // namespace kmem::page
