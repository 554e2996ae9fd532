// One history through every outlet: metrics, page, API, log, top and analyze give one answer to "what leaks?".
// A true leak, and beside it what fills as fast by design: a reclaimable cache with its pool, and a site of the page cache.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/log.h"
#include "exporter/agent/agent.h"
#include "exporter/commands/analysis.h"
#include "exporter/top/trend_notes.h"
#include "tests/exporter/commands/history_text.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_files.h"
#include "tests/support/pattern.h"
#include "tests/support/tag_usage.h"

namespace kmem {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr int kHours = 32 * 24;
constexpr base::UnixMillis kStart = 1'700'000'000'000, kBoot = kStart - 3'600'000;
constexpr const char* kCacheSite = "vmlinux:__filemap_get_folio:mm/filemap.c";
constexpr const char* kDriverSite = "nvme:nvme_alloc:drivers/nvme/host/core.c";

struct Truth {
  Pool pool;
  const char* tag;
  double grows_a_day;
  const char* verdict;
};
constexpr std::uint64_t kBytes = 20'000'000;
constexpr Truth kTags[] = {{Pool::kSlabUnreclaimable, "kmalloc-64", 1e6, "leak"},
                           {Pool::kSlabUnreclaimable, "task_struct", 0, "ok"},
                           {Pool::kSlabReclaimable, "dentry", 2e6, "ok"},
                           {Pool::kAllocinfo, kCacheSite, 2e6, "ok"},
                           {Pool::kAllocinfo, kDriverSite, 0, "ok"}};
// A pool is what its tags are together.
constexpr Truth kPools[] = {{Pool::kSlabUnreclaimable, "", 1e6, "leak"}, {Pool::kSlabReclaimable, "", 2e6, "ok"}};

Snapshot reading(int hour) {
  Snapshot out;
  out.time = kStart + hour * 3'600'000LL;
  out.boot_time = kBoot;
  const auto grown = [hour](double a_day) { return static_cast<std::uint64_t>(a_day * hour / 24); };
  for (const Truth& tag : kTags) out.tags.push_back(test::tag_usage(tag.pool, tag.tag, kBytes + grown(tag.grows_a_day), 1000));
  for (const Truth& pool : kPools) {
    PoolTotals& totals = out.pools.emplace_back();
    totals.pool = pool.pool;
    totals.bytes = 3 * kBytes + grown(pool.grows_a_day);
    totals.limit = PoolLimit{4'000'000'000, "estimate", "test"};
  }
  out.parts = {{"slabinfo", PartState::kOk, "", 0.001, 0}};
  return out;
}

class Source final : public KernelSource {
 public:
  base::Result<void> read(Snapshot& out) override {
    out = reading(hour_);
    return {};
  }
  bool advance() override { return ++hour_ < kHours; }

 private:
  int hour_ = 0;
};

std::string csv(int hours = kHours) {
  std::string text = "timestamp,pool,tag,bytes,boot_time\n";
  for (int hour = 0; hour < hours; ++hour) {
    const Snapshot snapshot = reading(hour);
    const auto row = [&](Pool pool, const std::string& tag, std::uint64_t bytes) {
      text += std::to_string(snapshot.time / 1000) + "," + std::string(pool_name(pool)) + "," + tag + "," +
              std::to_string(bytes) + "," + std::to_string(kBoot / 1000) + "\n";
    };
    for (const PoolTotals& pool : snapshot.pools) row(pool.pool, "", *pool.bytes);
    for (const TagUsage& tag : snapshot.tags) row(tag.pool, tag.tag, tag.bytes);
  }
  return text;
}

/// A machine watched for a month, once for all tests.
class Outlets : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    files_ = new test::MemoryFiles;
    log_ = new std::vector<std::string>;
    base::set_log_sink([](std::string_view line) { log_->emplace_back(line); });
    config::Config config;
    config.storage.path = "/state";
    clock_ = new test::ManualClock(kStart);
    agent_ = new Agent(config, std::make_unique<Source>(), *clock_, *files_, "host");
    agent_->load_state();
    for (int hour = 0; hour < kHours; ++hour) {
      agent_->tick();
      clock_->advance(std::chrono::hours(1));
    }
    agent_->save_state();
    metrics_ = new std::string(agent_->page(encode::Format::kText004).value());
    for (const char* path : {"/", "/api/v1/status", "/api/v1/tags", "/api/v1/trends", "/api/v1/trends/"})
      for (const http::Route& route : agent_->routes())
        if (route.path == path) handlers_[path] = route.handler;
  }
  static void TearDownTestSuite() {
    base::set_log_sink({});
    handlers_.clear();
    delete agent_;
    delete clock_;
    delete files_;
    delete log_;
    delete metrics_;
  }
  static std::string get(const std::string& route, const std::string& path, const std::string& query = {}) {
    http::Request request;
    request.path = path;
    request.query = query;
    const http::Response response = handlers_.at(route)(request);
    EXPECT_EQ(response.status, 200) << path;
    return response.body;
  }
  static json get_json(const std::string& path, const std::string& query = {}) { return json::parse(get(path, path, query)); }
  static Analysis analyzed() {
    test::MemoryFiles files;
    files.put("h.csv", csv());
    test::Shown shown;
    AnalysisOptions options = analysis_options(config::Config{});
    options.all = true;
    auto analysis = analyze_history(files, {"h.csv"}, options, shown.meter);
    EXPECT_TRUE(analysis.ok());
    return analysis ? std::move(*analysis) : Analysis{};
  }
  /// pool -> tag -> verdict
  static void expect_truth(const json& subjects, const std::string& outlet) {
    std::map<std::string, std::string> seen;
    for (const json& one : subjects)
      seen[one["pool"].get<std::string>() + "/" + one["tag"].get<std::string>()] = one["verdict"];
    for (const Truth& tag : kTags) EXPECT_EQ(seen[name(tag)], tag.verdict) << outlet << ": " << name(tag);
    for (const Truth& pool : kPools) EXPECT_EQ(seen[name(pool)], pool.verdict) << outlet << ": " << name(pool);
  }
  static std::string name(const Truth& truth) { return std::string(pool_name(truth.pool)) + "/" + truth.tag; }

  static inline test::MemoryFiles* files_ = nullptr;
  static inline test::ManualClock* clock_ = nullptr;
  static inline std::vector<std::string>* log_ = nullptr;
  static inline Agent* agent_ = nullptr;
  static inline std::string* metrics_ = nullptr;
  static inline std::map<std::string, std::function<http::Response(const http::Request&)>> handlers_;
};

TEST_F(Outlets, MetricsTellTheTruth) {
  for (const Truth& tag : kTags) {
    const std::string labels = "{pool=\"" + std::string(pool_name(tag.pool)) + "\",tag=\"" + tag.tag + "\"} ";
    const std::string want = std::string_view(tag.verdict) == "leak" ? "1" : "0";
    const std::string line = "kmem_pool_tag_leak_suspect" + labels;
    if (metrics_->find(line) != metrics_->npos) {
      EXPECT_THAT(*metrics_, HasSubstr(line + want + "\n"));
    } else {
      EXPECT_NE(want, "1") << "no series of " << tag.tag;
    }
  }
  EXPECT_THAT(*metrics_, HasSubstr("kmem_leak_suspects{pool=\"slab_unreclaimable\"} 1\n"));
  EXPECT_THAT(*metrics_, HasSubstr("kmem_leak_suspects{pool=\"allocinfo\"} 0\n"));
  EXPECT_THAT(*metrics_, Not(HasSubstr("kmem_leak_suspects{pool=\"slab_reclaimable\"} 1")));
  EXPECT_THAT(*metrics_, Not(HasSubstr("kmem_pool_tag_leak_confidence{pool=\"slab_reclaimable\"")));
}

TEST_F(Outlets, ThePageTellsTheTruth) {
  const std::string page = get("/", "/");
  EXPECT_THAT(page, HasSubstr("<title>Leak: tag kmalloc-64 (slab_unreclaimable)"));
  std::size_t badges = 0;
  for (std::size_t at = 0; (at = page.find("<tr class=\"leak\">", at)) != page.npos; ++at) ++badges;
  EXPECT_EQ(badges, 1U);
  EXPECT_THAT(page, test::HasPattern("resource leaks\" id=\"r-slab_unreclaimable\""));
  EXPECT_THAT(page, test::HasPattern("resource\" id=\"r-slab_reclaimable\""));
  // The pool follows its tag: it is no leak of its own.
  EXPECT_THAT(page, Not(HasSubstr("Leak: unreclaimable slab")));
}

TEST_F(Outlets, TheApiTellsTheTruthInEveryAnswer) {
  json all = json::array();
  for (const char* verdict : {"leak", "watch", "ok"}) {
    const json listed = get_json("/api/v1/trends", std::string("limit=200&verdict=") + verdict);
    for (const json& subject : listed["subjects"]) all.push_back(subject);
  }
  expect_truth(all, "/api/v1/trends");

  json single = json::array();
  for (const Truth& tag : kTags)
    single.push_back(json::parse(get("/api/v1/trends/", "/api/v1/trends/" + name(tag)))["subject"]);
  for (const Truth& pool : kPools) {
    const std::string path = "/api/v1/trends/" + std::string(pool_name(pool.pool));
    single.push_back(json::parse(get("/api/v1/trends/", path))["subject"]);
  }
  expect_truth(single, "/api/v1/trends/{pool}/{tag}");
  for (const json& subject : single) {
    if (subject["verdict"] != "ok") continue;
    EXPECT_EQ(subject["growth_per_day"], 0) << subject;
    EXPECT_EQ(subject["since"], nullptr) << subject;
    EXPECT_EQ(subject["exhaustion_seconds"], nullptr) << subject;
    EXPECT_LT(subject["confidence"].get<double>(), 0.5) << subject;
  }

  const json tags = get_json("/api/v1/tags");
  ASSERT_EQ(tags["tags"].size(), std::size(kTags));
  for (const json& row : tags["tags"]) EXPECT_EQ(row["verdict"], row["tag"] == "kmalloc-64" ? "leak" : "ok") << row;

  const json status = get_json("/api/v1/status");
  EXPECT_EQ(status["verdict"]["leaks"], 2) << "the tag, and the pool that follows it";
  EXPECT_EQ(status["verdict"]["watched"], 0);
  for (const json& suspect : status["suspects"]) EXPECT_EQ(suspect["pool"], "slab_unreclaimable");
  for (const json& resource : status["resources"])
    EXPECT_EQ(resource["verdict"], resource["resource"] == "slab_unreclaimable" ? "leak" : "ok") << resource;
}

TEST_F(Outlets, TheLogTellsTheTruth) {
  std::vector<std::string> said;
  for (const std::string& line : *log_)
    if (line.find("suspected") != line.npos) said.push_back(line);
  EXPECT_EQ(said.size(), 2U);
  for (const std::string& line : said) EXPECT_THAT(line, HasSubstr("pool=slab_unreclaimable"));
}

TEST_F(Outlets, TopTellsTheTruth) {
  top::TrendNotes notes(*files_, "/state", "host");
  notes.refresh();
  EXPECT_EQ(notes.problem(), "");
  for (const Truth& tag : kTags) {
    top::UsageRow row;
    row.pool = tag.pool;
    row.tag = tag.tag;
    notes.note(row);
    const bool leaks = std::string_view(tag.verdict) == "leak";
    EXPECT_EQ(row.mark, leaks ? top::Mark::kLeak : top::Mark::kNone) << tag.tag << " " << row.trend;
    EXPECT_EQ(row.trend.starts_with("LEAK "), leaks) << tag.tag << " " << row.trend;
    EXPECT_NE(row.trend, "") << tag.tag;
  }
}

TEST_F(Outlets, AnalyzeTellsTheTruthInTextAndJson) {
  const Analysis analysis = analyzed();
  expect_truth(json::parse(analysis_json(analysis))["subjects"], "analyze --format json");
  const std::string text = analysis_text(analysis, false);
  EXPECT_THAT(text, HasSubstr("Verdict  2 leaks, 0 to watch\n"));
  EXPECT_THAT(text, test::HasPattern("LEAK +slab_unreclaimable +kmalloc-64"));
  EXPECT_THAT(text, test::HasPattern("LEAK +slab_unreclaimable +\\(whole pool\\)"));
  EXPECT_THAT(text, test::HasPattern("ok +slab_reclaimable +dentry"));
  EXPECT_THAT(text, test::HasPattern("ok +slab_reclaimable +\\(whole pool\\)"));
  EXPECT_THAT(text, test::HasPattern("ok +allocinfo +vmlinux:__filemap_get_folio:mm/filemap.c"));
  EXPECT_THAT(text, test::HasPattern("ok +allocinfo +nvme:nvme_alloc"));
}

/// Two days of growth: nobody may say that nothing leaks.
TEST(YoungHistory, IsToldAsTooLittleByEveryOutlet) {
  test::MemoryFiles files;
  std::vector<std::string> log;
  base::set_log_sink([&log](std::string_view line) { log.emplace_back(line); });
  config::Config config;
  config.storage.path = "/state";
  test::ManualClock clock(kStart);
  constexpr int kYoung = 48;
  std::string lacking;
  {
    Agent agent(config, std::make_unique<Source>(), clock, files, "host");
    agent.load_state();
    for (int hour = 0; hour < kYoung; ++hour) {
      agent.tick();
      clock.advance(std::chrono::hours(1));
    }
    agent.save_state();
    const std::string metrics = agent.page(encode::Format::kText004).value();
    EXPECT_THAT(metrics, HasSubstr("kmem_trend_judged 0\n"));
    for (const http::Route& route : agent.routes()) {
      http::Request request;
      request.path = route.path;
      if (route.path == "/api/v1/status") {
        const json status = json::parse(route.handler(request).body);
        EXPECT_EQ(status["history"]["judged"], false);
        EXPECT_EQ(status["history"]["largest_growth"]["tag"], "kmalloc-64");
        EXPECT_EQ(status["verdict"]["state"], "unknown");
        lacking = status["verdict"]["headline"];
      }
    }
    for (const http::Route& route : agent.routes()) {
      http::Request request;
      request.path = route.path;
      if (route.path == "/") { EXPECT_THAT(route.handler(request).body, HasSubstr("<title>" + lacking)); }
    }
  }
  base::set_log_sink({});
  EXPECT_THAT(lacking, test::HasPattern("^Too little to judge: telling a leak takes [67] more days of readings$"));
  EXPECT_THAT(log, testing::Contains(HasSubstr("too little history to tell a leak")));
  top::TrendNotes notes(files, "/state", "host");
  notes.refresh();
  EXPECT_THAT(notes.ends(), testing::Contains(lacking));
  test::Shown shown;
  files.put("h.csv", csv(kYoung));
  auto analysis = analyze_history(files, {"h.csv"}, analysis_options(config::Config{}), shown.meter);
  ASSERT_TRUE(analysis.ok());
  std::string verdict = lacking;
  verdict[0] = 't';
  EXPECT_THAT(analysis_text(*analysis, false),
              HasSubstr("Verdict  " + verdict + "\n         Largest growth so far: slab_unreclaimable kmalloc-64, +"));
  EXPECT_EQ(json::parse(analysis_json(*analysis))["judged"], false);
}

/// Eight calm days by the hour, then 50 minutes in which one cache gains 20 MB a minute: too short for a surge to be told.
constexpr int kCalmHours = 8 * 24, kFastMinutes = 50;
Snapshot fast_reading(int tick) {
  const int minute = std::max(tick - kCalmHours, 0);
  Snapshot out = reading(0);
  out.time = kStart + std::min(tick, kCalmHours) * 3'600'000LL + minute * 60'000LL;
  out.boot_time = kStart - 30 * 86'400'000LL;
  out.tags[0].bytes += static_cast<std::uint64_t>(minute) * 20'000'000;
  *out.pools[0].bytes += static_cast<std::uint64_t>(minute) * 20'000'000;
  return out;
}

class FastSource final : public KernelSource {
 public:
  base::Result<void> read(Snapshot& out) override {
    out = fast_reading(tick_);
    return {};
  }
  bool advance() override { return ++tick_ <= kCalmHours + kFastMinutes; }

 private:
  int tick_ = 0;
};

TEST(GrowthThatGoesOn, IsNamedByEveryOutletBeforeItCanBeToldFromAStep) {
  test::MemoryFiles files;
  config::Config config;
  config.storage.path = "/state";
  test::ManualClock clock(kStart);
  std::string page, metrics;
  json status;
  std::vector<std::string> log;
  base::set_log_sink([&log](std::string_view line) { log.emplace_back(line); });
  {
    Agent agent(config, std::make_unique<FastSource>(), clock, files, "host");
    agent.load_state();
    for (int tick = 0; tick <= kCalmHours + kFastMinutes; ++tick) {
      agent.tick();
      clock.advance(tick < kCalmHours ? std::chrono::minutes(60) : std::chrono::minutes(1));
    }
    agent.save_state();
    metrics = agent.page(encode::Format::kText004).value();
    for (const http::Route& route : agent.routes()) {
      http::Request request;
      request.path = route.path;
      if (route.path == "/api/v1/status") status = json::parse(route.handler(request).body);
      if (route.path == "/") page = route.handler(request).body;
    }
  }
  base::set_log_sink({});
  const std::string line =
      "grows now, not long enough to tell a surge from a step\" kind=tag pool=slab_unreclaimable tag=kmalloc-64";
  EXPECT_EQ(std::count_if(log.begin(), log.end(), [&](const std::string& one) { return one.find(line) != one.npos; }), 1);
  const std::string said = "in about 53 minutes, not long enough to tell a surge from a step";
  EXPECT_EQ(status["verdict"]["headline"], "Grows now: tag kmalloc-64 (slab_unreclaimable), +935 MiB " + said);
  EXPECT_EQ(status["verdict"]["state"], "warning");
  EXPECT_THAT(page, HasSubstr("+935 MiB " + said));
  EXPECT_EQ(status["history"]["largest_growth"]["tag"], "kmalloc-64");
  EXPECT_EQ(status["history"]["largest_growth"]["large"], true);
  // The metrics are of the last reading, too: 4 GB less 60 MB and 50 times 20 MB.
  EXPECT_THAT(metrics, HasSubstr("kmem_exhaustion_room{resource=\"slab_unreclaimable\",bound=\"pool_limit\"} 2940000000\n"));
  for (const json& resource : status["resources"])
    if (resource["resource"] == "slab_unreclaimable") { EXPECT_EQ(resource["room"], 2'940'000'000); }
  top::TrendNotes notes(files, "/state", "host");
  notes.refresh();
  EXPECT_THAT(notes.ends(),
              testing::Contains("Grows now: slab_unreclaimable kmalloc-64 +935M in 53m, not long enough to tell a "
                                "surge from a step"));
  std::string text = "timestamp,pool,tag,bytes\n";
  for (int tick = 0; tick <= kCalmHours + kFastMinutes; ++tick) {
    const Snapshot snapshot = fast_reading(tick);
    const std::string head = std::to_string(snapshot.time / 1000) + ",slab_unreclaimable,";
    text += head + "," + std::to_string(*snapshot.pools[0].bytes) + "\n";
    for (std::size_t i = 0; i < 2; ++i)
      text += head + snapshot.tags[i].tag + "," + std::to_string(snapshot.tags[i].bytes) + "\n";
  }
  files.put("h.csv", text);
  test::Shown shown;
  const auto analysis = analyze_history(files, {"h.csv"}, analysis_options(config::Config{}), shown.meter);
  ASSERT_TRUE(analysis.ok());
  EXPECT_THAT(
      analysis_text(*analysis, false),
      HasSubstr("Verdict  grows now: slab_unreclaimable kmalloc-64, +935 MiB in 53 minutes, not long enough to tell a surge "
                "from a step; no limit is known, so its end may be near\n"));
  const json told = json::parse(analysis_json(*analysis))["largest_growth"];
  EXPECT_EQ(told["large"], true);
  EXPECT_EQ(told["bytes"], 980'000'000);
}

}  // namespace
}  // namespace kmem
