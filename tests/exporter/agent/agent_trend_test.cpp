// The agent over simulated weeks: an hour a tick, a kernel of which the test knows what leaks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "collectors/base/log.h"
#include "collectors/drivers/image_tags.h"
#include "collectors/drivers/leak_signatures.h"
#include "collectors/drivers/pooltag_text.h"
#include "config/profile.h"
#include "exporter/agent/agent.h"
#include "exporter/metrics/catalogue.h"
#include "exporter/metrics/self_metrics.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_files.h"
#include "tests/support/pattern.h"
#include "tests/support/tag_usage.h"

namespace kmem {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kTrendStatePath = "/state/trend.state";
constexpr int kDay = 24;

/// 60 busy nonpaged tags; "Slow", the smallest of them, gains 48 KiB a day while it leaks; PTEs go by 100 a day.
class LeakingSource final : public KernelSource {
 public:
  LeakingSource(const test::ManualClock& clock, const bool& leaking, const std::size_t& tags, const base::UnixMillis& set_ms)
      : clock_(clock), leaking_(leaking), tags_(tags), set_ms_(set_ms) {}

  base::Result<void> read(Snapshot& out) override {
    out.clear();
    out.system = System::kWindows;
    out.time = clock_.wall() + set_ms_;
    out.boot_time = 1'690'000'000'000;
    const double hours = static_cast<double>(clock_.wall() - 1'700'000'000'000) / 3.6e6;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < tags_; ++i) {
      const double phase = static_cast<double>(i);
      const double bytes = 1e6 + 1e4 * phase + 5e4 * std::sin(hours * 2 * 3.14159 / 24 + phase);
      total += add(out, "T" + std::to_string(i), static_cast<std::uint64_t>(bytes));
    }
    total += add(out, "Slow", 4096 + (leaking_ ? static_cast<std::uint64_t>(hours * 2048) : 0));
    out.pools = {{Pool::kNonpaged, total, {}, {}, {}, {}}};
    out.system_ptes_free = 60'000 - static_cast<std::uint64_t>(hours * 100 / 24);
    out.commit_bytes = 1ULL << 30;
    out.commit_limit_bytes = 1ULL << 32;
    out.processes = {{4, "System", 500, {}, {}}};
    return {};
  }

 private:
  static std::uint64_t add(Snapshot& out, const std::string& name, std::uint64_t bytes) {
    out.tags.push_back(test::tag_usage(Pool::kNonpaged, name, bytes, bytes / 64));
    return bytes;
  }

  const test::ManualClock& clock_;
  const bool& leaking_;
  const std::size_t& tags_;
  const base::UnixMillis& set_ms_;
};

class AgentTrendTest : public testing::Test {
 protected:
  AgentTrendTest() {
    config_.storage.path = "/state";
    config_.tags.top_bytes = config_.tags.top_outstanding = 5;
    config_.tags.top_growth = 0;
    base::set_log_sink([this](std::string_view line) { log_.emplace_back(line); });
  }
  ~AgentTrendTest() override { base::set_log_sink({}); }
  AgentTrendTest(const AgentTrendTest&) = delete;
  AgentTrendTest& operator=(const AgentTrendTest&) = delete;

  std::unique_ptr<Agent> start(const std::string& host = "this host") {
    auto agent = std::make_unique<Agent>(config_, std::make_unique<LeakingSource>(clock_, leaking_, tags_, set_ms_), clock_,
                                         files_, host);
    agent->load_state();
    return agent;
  }
  void run(Agent& agent, int hours) {
    for (int i = 0; i < hours; ++i) {
      agent.tick();
      clock_.advance(std::chrono::hours(1));
    }
  }
  static std::map<std::string, double> samples(Agent& agent) {
    std::map<std::string, double> out;
    const std::string page = agent.page(encode::Format::kText004).value();
    for (std::size_t at = 0, end; at < page.size(); at = end + 1) {
      end = page.find('\n', at);
      const std::string line = page.substr(at, end - at);
      if (line[0] != '#') out[line.substr(0, line.rfind(' '))] = std::strtod(line.c_str() + line.rfind(' '), nullptr);
    }
    return out;
  }
  static double value(Agent& agent, const std::string& name) {
    const auto all = samples(agent);
    const auto found = all.find(name);
    return found == all.end() ? std::nan("") : found->second;
  }
  std::vector<std::string> said(const std::string& text) const {
    std::vector<std::string> lines;
    for (const std::string& line : log_)
      if (line.find(text) != line.npos) lines.push_back(line);
    return lines;
  }

  test::ManualClock clock_;
  test::MemoryFiles files_;
  config::Config config_;
  bool leaking_ = true;
  std::size_t tags_ = 60;
  base::UnixMillis set_ms_ = 0;  // by how much the machine's clock was set
  std::vector<std::string> log_;
};

TEST_F(AgentTrendTest, ASlowLeakIsFoundExportedWhateverItsRankAndSaidOnce) {
  const auto agent = start();
  run(*agent, 1);
  EXPECT_TRUE(std::isnan(value(*agent, R"(kmem_pool_tag_leak_suspect{pool="nonpaged",tag="Slow"})")));
  EXPECT_EQ(value(*agent, R"(kmem_leak_suspects{pool="nonpaged"})"), 0);
  EXPECT_EQ(value(*agent, R"(kmem_exhaustion_seconds{resource="commit"})"), HUGE_VAL);
  EXPECT_EQ(value(*agent, "kmem_trend_judged"), 0);
  EXPECT_EQ(said("too little history").size(), 1U);
  run(*agent, 40 * kDay);
  EXPECT_EQ(value(*agent, "kmem_trend_judged"), 1);
  EXPECT_EQ(said("too little history").size(), 1U);
  EXPECT_EQ(said("suffices to tell a leak").size(), 1U);

  const auto now = samples(*agent);
  EXPECT_EQ(now.at(R"(kmem_pool_tag_leak_suspect{pool="nonpaged",tag="Slow"})"), 1);
  EXPECT_EQ(now.at(R"(kmem_leak_suspects{pool="nonpaged"})"), 1);
  EXPECT_GE(now.at(R"(kmem_pool_tag_leak_confidence{pool="nonpaged",tag="Slow"})"), 0.5);
  EXPECT_LE(now.at(R"(kmem_pool_tag_leak_confidence{pool="nonpaged",tag="Slow"})"), 1);
  for (const char* window : {"1d", "7d", "28d"}) {
    const std::string labels = std::string("window=\"") + window + "\"}";
    EXPECT_NEAR(now.at(R"(kmem_pool_tag_trend_bytes_per_second{pool="nonpaged",tag="Slow",)" + labels), 2048.0 / 3600, 0.03);
    EXPECT_NEAR(now.at("kmem_system_ptes_trend_per_second{" + labels), -100.0 / 86'400, 1e-4);
    EXPECT_EQ(now.at("kmem_commit_trend_bytes_per_second{" + labels), 0);
  }
  EXPECT_TRUE(now.contains(R"(kmem_pool_trend_bytes_per_second{pool="nonpaged",window="28d"})"));
  // 40 days at 100 a day took 4,000 of the 48,000 above the floor.
  EXPECT_NEAR(now.at(R"(kmem_exhaustion_seconds{resource="system_ptes"})"), 440 * 86'400.0, 44 * 86'400.0);
  for (const std::string resource : {"system_ptes\",bound=\"fewest_entries", "nonpaged\",bound=\"commit_limit"}) {
    const std::string label = "{resource=\"" + resource.substr(0, resource.find('"')) + "\"}";
    const double room = now.at("kmem_exhaustion_room{resource=\"" + resource + "\"}");
    const double pace = now.at("kmem_exhaustion_pace_per_second" + label);
    EXPECT_NEAR(room / pace / now.at("kmem_exhaustion_seconds" + label), 1, 1e-3) << resource;
  }
  EXPECT_EQ(now.at(R"(kmem_pool_headroom_bytes{pool="nonpaged",bound="commit_limit"})"), 3221225472.0);
  // The pool is charged to commit, which stands still by itself.
  EXPECT_EQ(now.at(R"(kmem_exhaustion_pace_per_second{resource="commit"})"),
            now.at(R"(kmem_exhaustion_pace_per_second{resource="nonpaged"})"));
  EXPECT_EQ(now.at(R"(kmem_resource_leak_suspect{resource="system_ptes"})"), 1);
  EXPECT_EQ(now.at(R"(kmem_resource_leak_suspect{resource="commit"})"), 0);
  EXPECT_EQ(now.at(R"(kmem_resource_surge_suspect{resource="system_ptes"})"), 0);
  EXPECT_NEAR(now.at("kmem_trend_history_seconds"), 40 * 86'400.0, 3600);
  EXPECT_EQ(now.at("kmem_trend_subjects"), 61 + 4);
  EXPECT_NEAR(now.at("kmem_trend_state_last_save_timestamp_seconds"), static_cast<double>(clock_.wall()) / 1000, 3601);

  const auto lines = said("leak suspected");
  ASSERT_THAT(lines, Contains(HasSubstr("tag=Slow")));
  const auto tag_lines = said("kind=tag");
  ASSERT_EQ(tag_lines.size(), 1U) << "once, and nothing else";
  EXPECT_THAT(tag_lines[0], HasSubstr("pool=nonpaged"));
  const std::size_t at = tag_lines[0].find("bytes_per_day=") + 14;
  EXPECT_NEAR(std::atof(tag_lines[0].c_str() + at), 48 * 1024, 10 * 1024);
  EXPECT_THAT(tag_lines[0], HasSubstr("since=2023-11-1"));
  // No limit of the pool is known; commit ends it, and the log's numbers agree.
  EXPECT_THAT(tag_lines[0], HasSubstr(" room=3221225472 bound=commit_limit "));
  const auto logged = [&](const char* key) {
    return std::atof(tag_lines[0].c_str() + tag_lines[0].find(key) + std::strlen(key));
  };
  EXPECT_NEAR(logged("exhaustion=") / (logged("room=") / logged("bytes_per_day=") * 86'400), 1, 1e-4);
  std::string page;
  for (const http::Route& route : agent->routes())
    if (route.path == "/") page = route.handler({}).body;
  EXPECT_THAT(page, test::HasPattern("<title>Leak: tag Slow \\(nonpaged\\), .4.\\.. KiB/day since 1. Nov"));
}

TEST_F(AgentTrendTest, ACalmKernelHasNoSuspectsAndSaysHowLongItWasWatched) {
  leaking_ = false;
  config_.storage.path.clear();
  const auto agent = start();
  run(*agent, 19 * kDay + 1);
  const auto now = samples(*agent);
  EXPECT_EQ(now.at(R"(kmem_leak_suspects{pool="nonpaged"})"), 0);
  EXPECT_FALSE(now.contains("kmem_trend_state_last_save_timestamp_seconds"));
  EXPECT_THAT(said("kind=tag"), testing::IsEmpty());
}

TEST_F(AgentTrendTest, AKilledAgentKnowsItsSuspectsAndDoesNotSayThemAgain) {
  run(*start(), 30 * kDay);
  files_.crash();
  log_.clear();
  const auto agent = start();
  run(*agent, 1);
  EXPECT_EQ(value(*agent, R"(kmem_pool_tag_leak_suspect{pool="nonpaged",tag="Slow"})"), 1);
  EXPECT_NEAR(value(*agent, "kmem_trend_history_seconds"), 30 * 86'400.0, 2 * 3600);
  EXPECT_THAT(log_, testing::IsEmpty());
}

TEST_F(AgentTrendTest, ALeakThatEndsIsClearedAndThatIsSaidOnce) {
  config_.storage.path.clear();
  const auto agent = start();
  run(*agent, 30 * kDay);
  ASSERT_EQ(said("leak suspected").empty(), false);
  leaking_ = false;
  run(*agent, 50 * kDay);
  EXPECT_EQ(value(*agent, R"(kmem_leak_suspects{pool="nonpaged"})"), 0);
  std::size_t cleared = 0;
  for (const std::string& line : said("leak no longer suspected")) cleared += line.find("tag=Slow") != line.npos;
  EXPECT_EQ(cleared, 1U);
}

TEST_F(AgentTrendTest, AKnownLeakIsFoundWithItsSuspectAndGoesWithIt) {
  constexpr const char* kFinding = R"(kmem_finding{finding="known_leak"})";
  config_.storage.path.clear();
  const auto agent = start();
  drivers::ImageFile image;
  image.path = R"(C:\Windows\System32\drivers\slow.sys)";
  image.loaded = true;
  image.version = drivers::parse_version("5.1.3").value();
  agent->attribution().use(std::make_shared<const drivers::ImageTags>(std::vector{image}));
  agent->attribution().use(std::make_shared<const drivers::LeakSignatures>(
      "Slow - slow.sys - ..5.1 - update to 5.2\nT5 - slow.sys - any - no suspect\n"));
  const auto findings = [&agent] {
    http::Request request;
    request.path = "/api/v1/status";
    for (const http::Route& route : agent->routes())
      if (route.path == request.path) return nlohmann::json::parse(route.handler(request).body)["findings"];
    return nlohmann::json();
  };
  run(*agent, 1);
  EXPECT_TRUE(std::isnan(value(*agent, kFinding))) << "the driver is here, its tag is no suspect";
  EXPECT_TRUE(findings().empty());
  run(*agent, 30 * kDay);
  EXPECT_EQ(value(*agent, kFinding), 1);
  ASSERT_EQ(findings().size(), 1U);
  EXPECT_EQ(findings()[0]["what"], "Known leak: tag Slow (nonpaged), slow.sys 5.1.3.0: update to 5.2");
  EXPECT_EQ(findings()[0]["numbers"]["known_leaks"], 1);
  image.version = drivers::parse_version("5.2").value();
  agent->attribution().use(std::make_shared<const drivers::ImageTags>(std::vector{image}));
  run(*agent, 1);
  EXPECT_TRUE(std::isnan(value(*agent, kFinding))) << "of a version that does not leak";
  image.version = drivers::parse_version("5.1").value();
  agent->attribution().use(std::make_shared<const drivers::ImageTags>(std::vector{image}));
  run(*agent, 1);
  EXPECT_EQ(value(*agent, kFinding), 1);
  leaking_ = false;
  run(*agent, 50 * kDay);
  EXPECT_TRUE(std::isnan(value(*agent, kFinding))) << "no suspect any more";
  EXPECT_TRUE(findings().empty());
}

/// Memory that no counter names gains 48 MiB a day while `taking`, of 64 GiB of which 8 are free at the begin.
class UnaccountedSource final : public KernelSource {
 public:
  UnaccountedSource(const test::ManualClock& clock, const bool& taking) : clock_(clock), taking_(taking) {}
  base::Result<void> read(Snapshot& out) override {
    constexpr std::uint64_t kMiB = 1 << 20;
    out.clear();
    out.system = System::kWindows;
    out.time = clock_.wall();
    out.boot_time = 1'690'000'000'000;
    if (taking_) taken_ = static_cast<std::uint64_t>((out.time - 1'700'000'000'000) / 3'600'000) * 2 * kMiB;
    out.physical_memory_bytes = 65'536 * kMiB;
    out.unaccounted_bytes = 500 * kMiB + taken_;
    out.available_bytes = 8'192 * kMiB - taken_;
    out.pools = {{Pool::kNonpaged, 300 * kMiB, {}, {}, {}, {}}};
    return {};
  }

 private:
  const test::ManualClock& clock_;
  const bool& taking_;
  std::uint64_t taken_ = 0;
};

TEST_F(AgentTrendTest, UnaccountedMemoryIsFollowedRaisedAndLowered) {
  constexpr const char* kEnds = R"(kmem_exhaustion_seconds{resource="unaccounted"})";
  config_.storage.path.clear();
  Agent agent(config_, std::make_unique<UnaccountedSource>(clock_, leaking_), clock_, files_, "host");
  run(agent, 1);
  EXPECT_EQ(value(agent, "kmem_unaccounted_bytes"), 502.0 * (1 << 20)) << "an hour after the tick";
  EXPECT_EQ(value(agent, kEnds), HUGE_VAL);
  run(agent, 30 * kDay);
  for (const char* window : {"1d", "7d", "28d"})
    EXPECT_NEAR(value(agent, R"(kmem_pool_trend_bytes_per_second{pool="unaccounted",window=")" + std::string(window) + "\"}"),
                2.0 * (1 << 20) / 3600, 6);
  // 8 GiB less 30 days of 48 MiB.
  EXPECT_NEAR(value(agent, R"(kmem_exhaustion_room{resource="unaccounted",bound="available_memory"})") / (1 << 20), 6'752, 100);
  EXPECT_NEAR(value(agent, kEnds) / 86'400, 6'752.0 / 48, 5);
  ASSERT_EQ(said("leak suspected").size(), 1U);
  EXPECT_THAT(said("leak suspected")[0], HasSubstr("kind=unaccounted"));
  std::string page;
  for (const http::Route& route : agent.routes())
    if (route.path == "/") page = route.handler({}).body;
  EXPECT_THAT(page, HasSubstr("<h1>Leak: unaccounted memory"));

  leaking_ = false;
  run(agent, 50 * kDay);
  EXPECT_EQ(value(agent, kEnds), HUGE_VAL);
  EXPECT_THAT(said("leak no longer suspected"), testing::ElementsAre(HasSubstr("kind=unaccounted")));
}

TEST_F(AgentTrendTest, DamagedHistoryIsSetAsideAndCounted) {
  run(*start(), 2);
  std::string bytes = *files_.get(kTrendStatePath);
  bytes[bytes.size() / 2] ^= 1;
  files_.put(kTrendStatePath, bytes);
  const auto agent = start();
  EXPECT_EQ(files_.get(kTrendStatePath), nullptr);
  EXPECT_THAT(files_.paths(), Contains(HasSubstr("trend.state.bad-")));
  EXPECT_THAT(said("starting afresh"), testing::ElementsAre(HasSubstr("checksum")));
  run(*agent, 1);
  EXPECT_EQ(value(*agent, R"(kmem_trend_state_failures_total{reason="damaged"})"), 1);
  EXPECT_EQ(value(*agent, R"(kmem_trend_state_failures_total{reason="other_host"})"), 0);
  EXPECT_EQ(value(*agent, "kmem_trend_history_seconds"), 0);
  EXPECT_NE(files_.get(kTrendStatePath), nullptr);
  EXPECT_THAT(files_.paths(), Not(Contains(HasSubstr("selection.state.bad-")))) << "the other file was sound";
}

TEST_F(AgentTrendTest, HistoryOfAnotherHostIsNotTakenForItsOwn) {
  run(*start(), 3);
  auto same = start();
  run(*same, 1);
  EXPECT_NEAR(value(*same, "kmem_trend_history_seconds"), 3 * 3600, 1);
  same.reset();  // what runs holds the folder
  const auto other = start("another host");
  run(*other, 1);
  EXPECT_EQ(value(*other, "kmem_trend_history_seconds"), 0);
  EXPECT_EQ(value(*other, R"(kmem_trend_state_failures_total{reason="other_host"})"), 1);
  EXPECT_THAT(files_.paths(), Contains(StartsWith("/state/trend.state.bad-")));
}

TEST_F(AgentTrendTest, HistoryIsWrittenAtTheStartAndAtEveryIntervalAndFailuresAreCounted) {
  config_.storage.save_interval = std::chrono::hours(2);
  const auto agent = start();
  run(*agent, 1);
  ASSERT_NE(files_.get(kTrendStatePath), nullptr);
  const std::string first = *files_.get(kTrendStatePath);
  run(*agent, 1);
  EXPECT_EQ(*files_.get(kTrendStatePath), first);
  run(*agent, 1);
  EXPECT_NE(*files_.get(kTrendStatePath), first);
  files_.fail_after(0);
  run(*agent, 4);
  EXPECT_EQ(value(*agent, R"(kmem_trend_state_failures_total{reason="unwritable"})"), 2);
  for (const char* file : {"selection.state", "trend.state", "failures.state"})
    EXPECT_THAT(said("state cannot be kept"), Contains(HasSubstr(file)).Times(1)) << "one line a file";
}

TEST_F(AgentTrendTest, AClockThatIsSetAgainAndAgainWritesAFewLinesAndACount) {
  const auto agent = start();
  run(*agent, kDay);
  log_.clear();
  for (int i = 0; i < 40; ++i) {
    set_ms_ = i % 2 == 0 ? 40LL * 24 * 3'600'000 : 0;
    agent->tick();
    clock_.advance(std::chrono::seconds(10));
  }
  EXPECT_FALSE(said("the clock was set;").empty());
  EXPECT_LE(said("the clock was set;").size() + said("a gap in the history").size(), 2U * base::Flapping::kSaid);
  EXPECT_TRUE(said("set again and again").empty());
  clock_.advance(base::Flapping::kTime);
  agent->tick();
  EXPECT_EQ(said("set again and again").size(), 1U);
}

TEST_F(AgentTrendTest, SwitchedOffItSaysAndKeepsNothing) {
  config_.trend.enabled = false;
  const auto agent = start();
  run(*agent, 3);
  for (const auto& [name, amount] : samples(*agent))
    EXPECT_THAT(name, testing::AllOf(Not(HasSubstr("trend")), Not(HasSubstr("leak")))) << amount;
  EXPECT_EQ(files_.get(kTrendStatePath), nullptr);
}

/// All that a large Windows server can tell: two pools of up to 2,000 tags with counters and large allocations, of which other ones
/// lead by bytes, by number and by growth; 200 processes; sessions; every list, setting, event and part.
class LargeWindows final : public KernelSource {
 public:
  LargeWindows(const test::ManualClock& clock, const std::size_t& tags) : clock_(clock), tags_(tags) {}
  base::Result<void> read(Snapshot& out) override {
    constexpr std::uint64_t kMiB = 1 << 20;
    out.clear();
    out.system = System::kWindows;
    out.os = OsInfo{"Microsoft Windows Server 2022", "10.0", "20348", "x64"};
    out.time = clock_.wall();
    out.boot_time = 1'690'000'000'000;
    const auto hours = static_cast<std::uint64_t>(out.time - 1'700'000'000'000) / 3'600'000;
    for (const Pool pool : {Pool::kPaged, Pool::kNonpaged}) {
      for (std::uint64_t i = 0; i < tags_; ++i) {
        std::uint64_t bytes = 100'000 + i * 10, outstanding = 1'000 + i;
        if (i < 30) bytes += 50 * kMiB;
        else if (i < 50) outstanding += 1'000'000;
        else if (i < 70) bytes += hours % 300 * 1'000;
        else if (i >= 75 && i < 77) bytes += hours * 20'000;  // leaks
        TagUsage tag = test::tag_usage(pool, name(i), bytes, outstanding);
        tag.counter_bits = 32;
        tag.allocations = 5'000'000 + outstanding;
        tag.frees = 5'000'000;
        out.big_pool.push_back({pool, tag.key, tag.tag, 10, 40'960 + i});
        out.tags.push_back(std::move(tag));
      }
      out.pools.push_back(
          {pool, 4'000 * kMiB, 3'000 * kMiB, 9U, 8U, 7U, PoolLimit{16'000 * kMiB, "estimate", "x64"}, 9'000 * kMiB});
    }
    for (std::uint32_t session = 1; session < 40; ++session)
      for (const Pool pool : {Pool::kPaged, Pool::kNonpaged})
        for (std::uint64_t i = 0; i < 20; ++i)
          out.session_tags.push_back(
              {session, test::tag_usage(pool, "Gh" + std::to_string(10 + i), (1 + (i + hours) % 20) * kMiB)});
    std::sort(out.big_pool.begin(), out.big_pool.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    for (std::uint64_t i = 0; i < 200; ++i)  // each order has others at its head
      out.processes.push_back(
          {4 + 4 * i, "p" + std::to_string(i) + ".exe", 100 + i, 1'000 * (i * 37 % 200), 1'000 * (i * 71 % 200), kMiB});
    for (const char* list : {"zero", "free", "modified", "modified_no_write", "bad"})
      out.memory_lists.push_back({list, -1, kMiB});
    for (int priority = 0; priority < 8; ++priority) out.memory_lists.push_back({"standby", priority, kMiB});
    for (const char* kind : {"cache_resident", "driver_resident", "code_resident", "driver", "code", "dirty_cache",
                             "resident_available", "shared_commit", "mdl", "pfn_database", "contiguous"})
      out.kernel_memory.push_back({kind, kMiB});
    for (const char* setting : {"PagedPoolSize", "NonPagedPoolSize", "PagedPoolLimit", "NonPagedPoolLimit", "PoolUsageMaximum",
                                "SystemPages", "SessionPoolSize", "SessionViewSize", "LargeSystemCache", "RegistrySizeLimit"})
      out.settings.push_back({setting, 0});
    for (const char* part :
         {"performance", "pool_tags", "processes", "settings", "events", "session_pool_tags", "big_pool", "memory_lists"})
      out.parts.push_back({part, PartState::kOk, "", 0.001, 0});
    for (const std::uint32_t event : {2017U, 2018U, 2019U, 2020U}) out.failure_events.push_back({"Srv", event, 1, out.time});
    out.failure_events.push_back({"Microsoft-Windows-Resource-Exhaustion-Detector", 2004, 1, out.time});
    out.system_ptes_free = 16'000'000;
    out.commit_bytes = 30'000 * kMiB;
    out.commit_limit_bytes = 70'000 * kMiB;
    out.commit_peak_bytes = 40'000 * kMiB;
    out.physical_memory_bytes = 65'536 * kMiB;
    out.available_bytes = 30'000 * kMiB;
    out.file_cache_bytes = out.file_cache_peak_bytes = 3'000 * kMiB;
    out.unaccounted_bytes = 500 * kMiB;
    return {};
  }
  static std::string name(std::uint64_t i) { return "T" + std::to_string(1000 + i); }
  static constexpr std::uint64_t kTags = 2000;

 private:
  const test::ManualClock& clock_;
  const std::size_t& tags_;
};

/// Four pools of tags, as a kernel with allocation profiling has them, of which the slab caches are 447.
class LargeLinux final : public KernelSource {
 public:
  explicit LargeLinux(const test::ManualClock& clock) : clock_(clock) {}
  base::Result<void> read(Snapshot& out) override {
    constexpr std::uint64_t kMiB = 1 << 20;
    out.clear();
    out.system = System::kLinux;
    out.os = OsInfo{"Debian GNU/Linux 12", "6.1.0", "#1 SMP", "x86_64"};
    out.time = clock_.wall();
    out.boot_time = 1'690'000'000'000;
    const auto hours = static_cast<std::uint64_t>(out.time - 1'700'000'000'000) / 3'600'000;
    const std::pair<Pool, std::uint64_t> pools[] = {
        {Pool::kSlabReclaimable, 147}, {Pool::kSlabUnreclaimable, 300}, {Pool::kVmalloc, 12}, {Pool::kAllocinfo, 90}};
    for (const auto& [pool, tags] : pools) {
      for (std::uint64_t i = 0; i < tags; ++i)
        out.tags.push_back(
            test::tag_usage(pool, "cache-" + std::to_string(i), 100'000 + i * 10 + (i < 5 ? hours * 20'000 : 0), 900 + i));
      if (pool != Pool::kAllocinfo)
        out.pools.push_back({pool, 4'000 * kMiB, {}, {}, {}, {}, PoolLimit{16'000 * kMiB, "estimate", "x64"}, {}});
    }
    out.pools.push_back({Pool::kPercpu, 40 * kMiB, {}, {}, {}, {}, {}, {}});
    for (std::uint64_t i = 0; i < 200; ++i) out.processes.push_back({4 + 4 * i, "p" + std::to_string(i), 100 + i, {}, {}});
    for (const char* setting :
         {"vm.overcommit_memory", "vm.overcommit_ratio", "vm.overcommit_kbytes", "vm.min_free_kbytes", "vm.vfs_cache_pressure",
          "vm.swappiness", "vm.watermark_scale_factor", "vm.admin_reserve_kbytes"})
      out.settings.push_back({setting, 0});
    for (const char* part : {"meminfo", "slabinfo", "vmallocinfo", "allocinfo", "stat", "processes", "settings", "events"})
      out.parts.push_back({part, PartState::kOk, "", 0.001, 0});
    for (const char* event :
         {"vmstat_oom_kill", "vmstat_allocstall_normal", "vmstat_allocstall_movable", "vmstat_allocstall_dma"})
      out.failure_events.push_back({event, 0, 1, out.time});
    out.commit_bytes = 30'000 * kMiB;
    out.commit_limit_bytes = 70'000 * kMiB;
    out.physical_memory_bytes = 65'536 * kMiB;
    out.available_bytes = 30'000 * kMiB;
    out.file_cache_bytes = 3'000 * kMiB;
    return {};
  }

 private:
  const test::ManualClock& clock_;
};

using Counts = std::map<std::string, std::size_t>;

Counts series_by_name(const std::map<std::string, double>& samples) {
  Counts counts;
  for (const auto& [series, amount] : samples) ++counts[series.substr(0, series.find('{'))];
  return counts;
}

std::string listed(const Counts& counts) {
  std::string most;
  for (const auto& [name, count] : counts) most += name + " " + std::to_string(count) + "\n";
  return most;
}

// What requests to each handler add: nobody asks here.
constexpr std::size_t kRequests = metrics::SelfMetrics::kMostRequests + 1;

constexpr std::pair<config::MetricsProfile, std::size_t> kBounds[] = {
    {config::MetricsProfile::kDefault, 500}, {config::MetricsProfile::kFull, 1000}, {config::MetricsProfile::kLean, 150}};

/// Tags that come back to the page after a time away.
class Holes {
 public:
  void note(const std::map<std::string, double>& samples) {
    std::set<std::string> here;
    for (const auto& [series, amount] : samples)
      if (series.starts_with("kmem_pool_tag_bytes{")) here.insert(series);
    for (const std::string& series : here) count_ += left_.contains(series) ? 1 : 0;
    for (const std::string& series : last_)
      if (!here.contains(series)) left_.insert(series);
    last_ = std::move(here);
  }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  std::set<std::string> last_, left_;
  std::size_t count_ = 0;
};

TEST_F(AgentTrendTest, ALargeWindowsServerKeepsTheBoundOfEachProfile) {
  config_.tags = {};
  config_.processes = {};
  config_.storage.path.clear();
  std::string owners;
  for (std::uint64_t i = 0; i < LargeWindows::kTags; ++i) owners += LargeWindows::name(i) + " - some.sys - words\n";
  std::size_t tags = 2000;
  Agent agent(config_, std::make_unique<LargeWindows>(clock_, tags), clock_, files_, "host");
  agent.attribution().use(std::make_shared<const drivers::PoolTagText>(owners));
  Holes holes;
  for (int day = 0; day <= 11; ++day) {
    run(agent, day == 0 ? 1 : kDay);
    const auto now = samples(agent);
    EXPECT_LE(now.size() + kRequests, 500U) << "day " << day << '\n' << listed(series_by_name(now));
    holes.note(now);
    tags = 120;  // many more are no more seats
  }
  EXPECT_EQ(holes.count(), 0U);
  tags = 2000;
  for (const auto& [profile, bound] : kBounds) {
    config_.metrics.profile = profile;
    agent.reconfigure(config_, nullptr);
    run(agent, 2);
    const auto now = samples(agent);
    const Counts counts = series_by_name(now);
    EXPECT_LE(now.size() + (bound > 150 ? kRequests : 0), bound) << listed(counts);
    for (const char* pool : {"paged", "nonpaged"})
      EXPECT_EQ(now.at(std::string("kmem_pool_tag_leak_suspect{pool=\"") + pool + "\",tag=\"T1075\"}"), 1);
    if (profile == config::MetricsProfile::kLean) continue;
    // Suspects alone have more than bytes, allocations, owner and slope of a week by default.
    const bool full = profile == config::MetricsProfile::kFull;
    EXPECT_GE(counts.at("kmem_pool_tag_bytes"), full ? 45U : 20U);
    for (const char* name : {"kmem_pool_tag_frees_total", "kmem_pool_tag_leak_suspect"})
      EXPECT_EQ(counts.at(name), full ? counts.at("kmem_pool_tag_bytes") : 4U);
  }
  // Who asks for more gets it.
  config_.metrics.profile = config::MetricsProfile::kDefault;
  config_.tags.max_exported = 41;
  agent.reconfigure(config_, nullptr);
  run(agent, 2);
  EXPECT_GE(series_by_name(samples(agent)).at("kmem_pool_tag_bytes"), 60U);
}

TEST_F(AgentTrendTest, ALinuxHostOfFourHundredCachesKeepsTheBoundOfEachProfile) {
  config_.tags = {};
  config_.processes = {};
  config_.storage.path.clear();
  Agent agent(config_, std::make_unique<LargeLinux>(clock_), clock_, files_, "host");
  run(agent, 8 * kDay);
  for (const auto& [profile, bound] : kBounds) {
    config_.metrics.profile = profile;
    agent.reconfigure(config_, nullptr);
    run(agent, 2);
    const auto now = samples(agent);
    const Counts counts = series_by_name(now);
    EXPECT_LE(now.size() + (bound > 150 ? kRequests : 0), bound) << listed(counts);
    if (profile == config::MetricsProfile::kLean) continue;
    EXPECT_GE(counts.at("kmem_pool_tag_bytes"), profile == config::MetricsProfile::kFull ? 60U : 30U);
  }
}

TEST_F(AgentTrendTest, TheLeanProfileTellsTheLeakAndNoOtherTag) {
  config_.tags = {};
  config_.storage.path.clear();
  const auto agent = start();
  run(*agent, 20 * kDay);
  const auto by_default = samples(*agent);
  EXPECT_LE(by_default.size(), 500U);
  EXPECT_TRUE(by_default.contains(R"(kmem_pool_tag_bytes{pool="nonpaged",tag="T59"})"));

  config_.metrics.profile = config::MetricsProfile::kLean;
  agent->reconfigure(config_, nullptr);
  run(*agent, 1);
  std::vector<std::string> tags;
  const auto lean = samples(*agent);
  for (const auto& [series, amount] : lean) {
    const std::string name = series.substr(0, series.find('{'));
    EXPECT_TRUE(metrics::catalogue_row(name).lean) << series;
    EXPECT_TRUE(by_default.contains(series)) << series;
    if (name == "kmem_pool_tag_leak_suspect") tags.push_back(series);
  }
  EXPECT_THAT(tags, testing::ElementsAre(R"(kmem_pool_tag_leak_suspect{pool="nonpaged",tag="Slow"})"));
  for (const char* series : {R"(kmem_pool_tag_bytes{pool="nonpaged",tag="Slow"})", R"(kmem_leak_suspects{pool="nonpaged"})",
                             R"(kmem_exhaustion_seconds{resource="commit"})", "kmem_trend_history_seconds"})
    EXPECT_TRUE(lean.contains(series)) << series;
  EXPECT_LT(lean.size(), 60U);

  config_.metrics.profile = config::MetricsProfile::kFull;
  agent->reconfigure(config_, nullptr);
  run(*agent, 1);
  int of_tags = 0;
  for (const auto& [series, amount] : samples(*agent)) of_tags += series.starts_with("kmem_pool_tag_bytes") ? 1 : 0;
  EXPECT_EQ(of_tags, 40);
}

}  // namespace
}  // namespace kmem
