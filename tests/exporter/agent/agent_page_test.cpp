// The page and the JSON API as the agent serves them: its routes, over a kernel of which the test knows everything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "exporter/agent/agent.h"
#include "exporter/page/page.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_files.h"
#include "tests/support/pattern.h"

namespace kmem {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

/// "Leak" gains 48 KiB a day of a nonpaged pool of 100 MB, beside 300 tags that do not; one has a hostile name.
class Source final : public KernelSource {
 public:
  Source(const test::ManualClock& clock, int& reads, std::string& failure) : clock_(clock), reads_(reads), failure_(failure) {}

  base::Result<void> read(Snapshot& out) override {
    ++reads_;
    if (!failure_.empty()) return base::Error{base::ErrorCode::kIo, failure_};
    out.clear();
    out.system = System::kWindows;
    out.time = clock_.wall();
    out.boot_time = 1'699'000'000'000;
    const auto hours = static_cast<std::uint64_t>(out.time - 1'700'000'000'000) / 3'600'000;
    add(out, "Leak", 1'000'000 + hours * 2048, static_cast<std::uint32_t>(hours * 36'000));
    add(out, kHostile, 5000, 5);
    add(out, "a/b", 4000, 5);
    for (int i = 0; i < 300; ++i) add(out, "T" + std::to_string(i), 1000, 7);
    std::uint64_t total = 0;
    for (const TagUsage& tag : out.tags) total += tag.bytes;
    out.pools = {{Pool::kNonpaged, total, {}, {}, {}, {}, PoolLimit{100'000'000, "estimate", "x86, 1 GB"}, 80'000'000}};
    out.system_ptes_free = 60'000;
    out.commit_bytes = 1ULL << 30;
    out.commit_limit_bytes = 1ULL << 32;
    out.processes = {{4, "System", 500, {}, 4096, {}}, {8, "svc.exe", 900, {}, {}, {}}, {9, "h\xc3\xa9.exe", 20, {}, {}, {}}};
    out.parts = {{"pool_tags", PartState::kOk, "", 0.001, 0}};
    return {};
  }

  static constexpr const char* kHostile = "<img src=x onerror=\"alert(1)\">\\xff";

 private:
  static void add(Snapshot& out, std::string name, std::uint64_t bytes, std::uint32_t allocations) {
    TagUsage& tag = out.tags.emplace_back();
    tag.pool = Pool::kNonpaged;
    tag.key = tag_key(tag.pool, name);
    tag.tag = std::move(name);
    tag.bytes = bytes;
    tag.outstanding = bytes / 100;
    tag.counter_bits = 32;
    tag.allocations = allocations;
  }

  const test::ManualClock& clock_;
  int& reads_;
  std::string& failure_;
};

class AgentPageTest : public testing::Test {
 protected:
  void run(int hours) {
    if (!agent_) agent_ = std::make_unique<Agent>(config_, std::make_unique<Source>(clock_, reads_, failure_), clock_, files_);
    for (int i = 0; i < hours; ++i) {
      clock_.advance(std::chrono::hours(1));
      agent_->tick();
    }
  }
  /// As the server routes it; `path` is decoded.
  http::Response get(const std::string& path, http::Request request = {}) {
    request.path = path.substr(0, path.find('?'));
    if (request.path.size() < path.size()) request.query = path.substr(request.path.size() + 1);
    const auto routes = agent_->routes();
    const http::Route* best = nullptr;
    for (const http::Route& route : routes) {
      const bool below = route.path.size() > 1 && route.path.ends_with("/") && request.path.starts_with(route.path);
      if (route.path == request.path) return route.handler(request);
      if (below && (best == nullptr || route.path.size() > best->path.size())) best = &route;
    }
    if (best != nullptr) return best->handler(request);
    ADD_FAILURE() << "no route for " << path;
    return {};
  }
  json get_json(const std::string& path, int status = 200) {
    const http::Response response = get(path);
    EXPECT_EQ(response.status, status) << path;
    EXPECT_EQ(response.content_type, "application/json; charset=utf-8");
    return json::parse(response.body);
  }
  static std::string header(const http::Response& response, const std::string& name) {
    for (const auto& [key, value] : response.headers)
      if (key == name) return value;
    return {};
  }

  test::ManualClock clock_;
  test::MemoryFiles files_;
  config::Config config_;
  int reads_ = 0;
  std::string failure_;
  std::unique_ptr<Agent> agent_;
};

TEST_F(AgentPageTest, ThePageLeadsWithTheLeakAndShowsIt) {
  run(30 * 24);
  const http::Response page = get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(header(page, "Content-Security-Policy"), page::kContentSecurityPolicy);
  EXPECT_THAT(page.body, test::HasPattern("<h1>Leak: tag Leak \\(nonpaged\\), driver myfault.sys, .4.+ KiB/day since "
                                          "<time [^>]+>1. Nov</time>, pool limit reached in about 5\\.4 years "
                                          "\\(92\\.7 MiB left at the day&#39;s peak\\)</h1>"));
  EXPECT_THAT(page.body, HasSubstr("limit by estimate: x86, 1 GB"));
  EXPECT_THAT(page.body, HasSubstr("trouble below"));
  EXPECT_THAT(page.body, HasSubstr("Pool tags, 50 of 303."));
  EXPECT_LT(page.body.find("svc.exe"), page.body.find("System")) << "by handles";
  EXPECT_THAT(page.body, HasSubstr("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;\\xff"));
  EXPECT_THAT(page.body, Not(HasSubstr("<img")));
}

TEST_F(AgentPageTest, TheQueryChoosesRowsAndChart) {
  run(30);
  const std::string body = get("/?filter=T1&sort=tag&limit=3&chart=nonpaged%2FT17").body;
  EXPECT_THAT(body, HasSubstr("Pool tags, 3 of 111 that match, of 303 in all"));
  EXPECT_LT(body.find("<code>T1</code>"), body.find("<code>T10</code>"));
  EXPECT_THAT(body, HasSubstr("data-src=\"api/v1/trends/nonpaged/T17\""));
  EXPECT_THAT(get("/?chart=nonpaged%2FNone").body, HasSubstr("nonpaged/None has no history"));
  EXPECT_THAT(get("/?chart=commit").body, HasSubstr("data-src=\"api/v1/trends/commit\""));
}

TEST_F(AgentPageTest, StatusHasVerdictLimitsAndExhaustionWithItsBounds) {
  run(30 * 24);
  const json status = get_json("/api/v1/status");
  EXPECT_EQ(status["verdict"]["state"], "leak");
  EXPECT_THAT(status["verdict"]["headline"].get<std::string>(), HasSubstr("tag Leak (nonpaged)"));
  const json& pool = status["resources"][0];
  EXPECT_EQ(pool["limit_rule"], "x86, 1 GB");
  EXPECT_EQ(pool["bound"], "pool_limit");
  EXPECT_EQ(pool["headroom"]["pool_limit"], 100'000'000 - pool["used"].get<std::int64_t>());
  EXPECT_EQ(pool["headroom"]["commit_limit"], (1LL << 32) - (1LL << 30));
  EXPECT_FALSE(pool["headroom"].contains("available_memory")) << "was not told";
  EXPECT_EQ(pool["trim_threshold"], 80'000'000);
  EXPECT_LT(pool["exhaustion_seconds_lower"], pool["exhaustion_seconds"]);
  EXPECT_LT(pool["exhaustion_seconds"], pool["exhaustion_seconds_upper"]);
  const json& ptes = status["resources"][1];
  EXPECT_EQ(ptes["resource"], "system_ptes");
  EXPECT_EQ(ptes["free"], 60'000);
  EXPECT_EQ(ptes["limit"], 60'000);
  EXPECT_EQ(ptes["fewest"], 12'000);
  EXPECT_EQ(status["suspects"][0]["tag"], "Leak");
  EXPECT_EQ(status["processes"][0]["name"], "svc.exe");
}

/// A 32-bit 2003 whose registry the test changes.
class Tuned final : public KernelSource {
 public:
  Tuned(const test::ManualClock& clock, const std::vector<Setting>& settings) : clock_(clock), settings_(settings) {}
  base::Result<void> read(Snapshot& out) override {
    out.clear();
    out.system = System::kWindows;
    out.time = clock_.wall();
    out.boot_time = 1'699'000'000'000;
    out.os = OsInfo{"Windows", "5.2", "3790", "x86"};
    out.settings = settings_;
    out.parts = {{"settings", PartState::kOk, "", 0, 0}};
    return {};
  }

 private:
  const test::ManualClock& clock_;
  const std::vector<Setting>& settings_;
};

TEST_F(AgentPageTest, FindingsComeAndGoOnMetricsAndStatus) {
  std::vector<Setting> settings = {{"SystemPages", 0}};
  agent_ = std::make_unique<Agent>(config_, std::make_unique<Tuned>(clock_, settings), clock_, files_);
  run(1);
  EXPECT_THAT(get("/metrics").body, Not(HasSubstr("kmem_finding")));
  EXPECT_TRUE(get_json("/api/v1/status")["findings"].empty());
  settings[0].value = 50'000;
  run(1);
  EXPECT_THAT(get("/metrics").body, HasSubstr("\nkmem_finding{finding=\"settings_await_restart\"} 1\n"));
  EXPECT_EQ(get_json("/api/v1/status")["findings"][0]["numbers"]["changed_values"], 1);
  settings[0].value = 0;
  run(1);
  EXPECT_THAT(get("/metrics").body, Not(HasSubstr("kmem_finding")));
}

TEST_F(AgentPageTest, WhatAwaitsARestartOfTheSystemIsKnownAfterOneOfTheProgram) {
  config_.storage.path = "/state";
  std::vector<Setting> settings = {{"SystemPages", 0}};
  const auto start = [&] {
    agent_ = std::make_unique<Agent>(config_, std::make_unique<Tuned>(clock_, settings), clock_, files_);
    agent_->load_state();
    run(1);
  };
  start();
  settings[0].value = 50'000;
  start();
  EXPECT_THAT(get("/metrics").body, HasSubstr("kmem_finding{finding=\"settings_await_restart\"} 1\n"));
  EXPECT_THAT(get("/metrics").body, Not(HasSubstr("system_pages_set")));
  settings[0].value = 0;
  start();
  EXPECT_THAT(get("/metrics").body, Not(HasSubstr("kmem_finding")));
}

TEST_F(AgentPageTest, TagsAreSortedFilteredAndCut) {
  run(2);
  const json tags = get_json("/api/v1/tags?limit=2&course=1");
  EXPECT_EQ(tags["total"], 303);
  EXPECT_EQ(tags["matched"], 303);
  ASSERT_EQ(tags["tags"].size(), 2U);
  EXPECT_EQ(tags["tags"][0]["tag"], "Leak");
  EXPECT_EQ(tags["tags"][0]["allocations_per_second"], 10);
  EXPECT_EQ(tags["tags"][0]["exported"], true);
  EXPECT_EQ(tags["tags"][1]["tag"], Source::kHostile);
  EXPECT_EQ(tags["tags"][0]["daily_floor_bytes"].size(), 56U);
  EXPECT_EQ(get_json("/api/v1/tags?filter=IMG")["matched"], 1);
  EXPECT_EQ(get_json("/api/v1/tags?pool=paged")["matched"], 0);
  EXPECT_EQ(get_json("/api/v1/tags?offset=300&limit=100")["tags"].size(), 3U);
}

TEST_F(AgentPageTest, TrendsListWhatGrowsAndTheRestWhenAsked) {
  run(30 * 24);
  const json leaks = get_json("/api/v1/trends?verdict=leak");
  ASSERT_EQ(leaks["matched"], 2) << "the tag and its pool";
  EXPECT_EQ(leaks["subjects"][0]["verdict"], "leak");
  const json calm = get_json("/api/v1/trends?verdict=ok&limit=200&offset=100");
  EXPECT_EQ(calm["subjects"].size(), 200U);
  EXPECT_EQ(calm["subjects"][0]["verdict"], "ok");
  EXPECT_EQ(calm["matched"].get<int>(), 303 + 1 + 1 + 1 + 3 - 2);
  EXPECT_EQ(get_json("/api/v1/trends?pool=paged")["matched"], 0);
}

TEST_F(AgentPageTest, ATagsHistoryIsFoundByItsNameAndByItsBytes) {
  run(10 * 24);
  const json leak = get_json("/api/v1/trends/nonpaged/Leak");
  EXPECT_EQ(leak["floors"]["amount"].size(), 336U);
  // Buckets begin at 0, 4, 8 ... o'clock. The run began on 14 Nov at 22:13, so the last tick, hour 240, was on 24 Nov at
  // 22:13, and the newest closed bucket is that day's from 16:00: the readings of hours 234 to 237.
  EXPECT_EQ(leak["floors"]["amount"][335].get<double>(), 1e6 + 2048 * 234);
  EXPECT_EQ(leak["floors"]["start"], "2023-09-29T20:00:00Z");
  EXPECT_EQ(get_json("/api/v1/trends/nonpaged/" + std::string(Source::kHostile))["subject"]["tag"], Source::kHostile);
  EXPECT_EQ(get_json("/api/v1/trends/nonpaged/<img src=x onerror=\"alert(1)\">\xff")["subject"]["tag"], Source::kHostile);
  EXPECT_EQ(get_json("/api/v1/trends/nonpaged/a/b")["subject"]["history"], "/api/v1/trends/nonpaged/a%2Fb");
  EXPECT_EQ(get_json("/api/v1/trends/nonpaged")["subject"]["kind"], "pool");
  EXPECT_EQ(get_json("/api/v1/trends/commit")["subject"]["kind"], "commit");
  EXPECT_EQ(get_json("/api/v1/trends/system_ptes")["subject"]["unit"], "entries");
  EXPECT_EQ(get_json("/api/v1/trends/handles/svc.exe (8)")["subject"]["last"], 900);
  EXPECT_EQ(get_json("/api/v1/trends/handles/h\xc3\xa9.exe (9)")["subject"]["last"], 20);
}

TEST_F(AgentPageTest, WhatIsNotThereOrNotUnderstoodIsAnErrorInJson) {
  run(1);
  for (const char* path : {"/api/v1/trends/nonpaged/None", "/api/v1/trends/paged", "/api/v1/trends/other/Leak",
                           "/api/v1/trends/commit/x", "/api/v1/trends/", "/api/v1/none", "/api/v2/tags", "/api/"}) {
    const json fault = get_json(path, 404);
    EXPECT_EQ(fault["error"]["status"], 404) << path;
    EXPECT_FALSE(fault["error"]["message"].get<std::string>().empty());
  }
  for (const char* path :
       {"/api/v1/tags?limit=1001", "/api/v1/tags?x=1", "/api/v1/trends?limit=201", "/api/v1/trends?verdict=bad",
        "/api/v1/trends?sort=tag", "/api/v1/status?a=b", "/api/v1/trends/nonpaged/Leak?limit=1"})
    EXPECT_EQ(get_json(path, 400)["error"]["status"], 400) << path;
}

TEST_F(AgentPageTest, WhatHasNotChangedIs304) {
  run(2);
  for (const char* path : {"/", "/api/v1/status", "/api/v1/tags", "/api/v1/trends", "/api/v1/trends/nonpaged/Leak",
                           "/assets/page.js", "/runbooks/KmemPoolLeakSuspected"}) {
    const http::Response first = get(path);
    EXPECT_EQ(first.status, 200) << path;
    EXPECT_THAT(first.etag, testing::StartsWith("W/\""));
    EXPECT_EQ(header(first, "Cache-Control"), "no-cache");
    http::Request again;
    again.if_none_match = "\"other\", " + first.etag;
    const http::Response second = get(path, again);
    EXPECT_EQ(second.status, 304) << path;
    EXPECT_TRUE(second.body.empty());
    EXPECT_EQ(second.etag, first.etag);
    again.if_none_match = "\"other\"";
    EXPECT_EQ(get(path, again).status, 200);
  }
  http::Request again;
  again.if_none_match = get("/api/v1/tags").etag;
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(get("/api/v1/tags", again).status, 200) << "the kernel says something else now";
}

TEST_F(AgentPageTest, LongAnswersArePackedWhenAsked) {
  run(1);
  http::Request request;
  request.accept_encoding = "gzip";
  for (const char* path : {"/", "/api/v1/tags", "/assets/page.css"}) {
    const http::Response packed = get(path, request);
    EXPECT_EQ(packed.content_encoding, "gzip") << path;
    EXPECT_EQ(packed.body.substr(0, 2), "\x1f\x8b");
    EXPECT_LT(packed.body.size() * 2, get(path).body.size());
    EXPECT_EQ(packed.etag, get(path).etag);
  }
  EXPECT_EQ(get("/api/v1/trends?limit=0", request).content_encoding, "") << "short";
}

TEST_F(AgentPageTest, PeopleAndProgramsReadTheKernelNoMoreOftenThanScrapes) {
  run(1);
  const int before = reads_;
  clock_.advance(std::chrono::seconds(5));
  for (const char* path : {"/", "/api/v1/status", "/api/v1/tags", "/api/v1/trends", "/api/v1/trends/commit", "/metrics"})
    (void)get(path);
  EXPECT_EQ(reads_, before + 1);
  clock_.advance(std::chrono::milliseconds(999));
  (void)get("/");
  EXPECT_EQ(reads_, before + 1);
  clock_.advance(std::chrono::milliseconds(1));
  (void)get("/api/v1/tags");
  EXPECT_EQ(reads_, before + 2);
}

TEST_F(AgentPageTest, AKernelThatGivesNothingIs503InEveryForm) {
  failure_ = "procfs is gone";
  run(1);
  const http::Response page = get("/");
  EXPECT_EQ(page.status, 503);
  EXPECT_THAT(page.body, HasSubstr("<h1>The kernel cannot be read: procfs is gone</h1>"));
  for (const char* path : {"/api/v1/status", "/api/v1/tags", "/api/v1/trends", "/api/v1/trends/commit"})
    EXPECT_EQ(get_json(path, 503)["error"]["message"], "procfs is gone");
}

TEST_F(AgentPageTest, WithoutTheTrendTheRestIsThere) {
  config_.trend.enabled = false;
  run(3);
  EXPECT_THAT(get("/").body, HasSubstr("<h1>Leaks are not looked for: the trend is switched off</h1>"));
  EXPECT_EQ(get_json("/api/v1/status")["history"]["enabled"], false);
  EXPECT_TRUE(get_json("/api/v1/tags")["tags"][0]["growth_bytes_per_day"].is_null());
  EXPECT_EQ(get_json("/api/v1/trends")["matched"], 0);
  EXPECT_EQ(get("/api/v1/trends/commit").status, 404);
}

TEST_F(AgentPageTest, FilesAreServedByTheirNamesOnly) {
  run(1);
  EXPECT_EQ(get("/assets/page.css").content_type, "text/css; charset=utf-8");
  EXPECT_EQ(get("/runbooks/KmemPoolLeakSuspected").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(get("/runbooks/KmemPoolLeakSuspected.md").content_type, "text/plain; charset=utf-8");
  EXPECT_THAT(get("/runbooks/KmemPoolLeakSuspected?pool=paged&tag=Sfv1").body, HasSubstr("!poolfind Sfv1"));
  for (const char* path : {"/assets/", "/assets/none", "/assets/../page.css", "/assets/x/page.css", "/runbooks/page.css",
                           "/runbooks/", "/runbooks/.md", "/runbooks/page.css.md"})
    EXPECT_EQ(get(path).status, 404) << path;
}

}  // namespace
}  // namespace kmem
