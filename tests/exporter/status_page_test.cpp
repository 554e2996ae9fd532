#include "exporter/status_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kmem {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(StatusPage, TextIsHarmlessInElementsAndAttributes) {
  EXPECT_EQ(html_text(R"x(<img onerror="x('y')">&)x"), "&lt;img onerror=&quot;x(&#39;y&#39;)&quot;&gt;&amp;");
}

TEST(StatusPage, ShowsWhatTheKernelGaveAndWhyTheRestIsMissing) {
  Snapshot snapshot;
  snapshot.pools.push_back({Pool::kNonpaged, 3ULL << 30, {}, {}, {}, {}});
  snapshot.commit_bytes = 1536;
  snapshot.parts.push_back({"pool_tags", PartState::kUnsupported, "<status C0000003>", 0, 0});
  const std::vector<std::string> verdict = {"Leak suspected: tag A<b (nonpaged)"};
  const std::string page = status_page(snapshot, verdict, "9.9", "/m");
  EXPECT_THAT(page, HasSubstr("</h1>\n<p class=\"verdict\">Leak suspected: tag A&lt;b (nonpaged)</p>"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">nonpaged</th><td title=\"3221225472 bytes\">3.0 GiB</td>"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">commit</th><td title=\"1536 bytes\">1.5 KiB</td>"));
  EXPECT_THAT(page, HasSubstr("not on this system</td><td>&lt;status C0000003&gt;</td>"));
  EXPECT_THAT(page, HasSubstr("<a href=\"/m\">"));
  EXPECT_THAT(page, Not(HasSubstr("commit limit")));
}

}  // namespace
}  // namespace kmem
