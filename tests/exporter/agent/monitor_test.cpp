// What the monitor learns and forgets, as an agent's pages and log show it.
#include "exporter/agent/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "collectors/base/log.h"
#include "tests/exporter/agent/agent_fixture.h"

namespace kmem {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

TEST_F(AgentTest, ScrapesThatComeCloseTogetherShareOneReading) {
  const auto agent = make();
  agent->tick();
  EXPECT_EQ(kernel_.reads, 1);
  kernel_.tags[0].second = 8192;
  EXPECT_THAT(text(*agent), HasSubstr(R"(kmem_pool_tag_bytes{pool="nonpaged",tag="Thre"} 4096)"));
  EXPECT_EQ(kernel_.reads, 1);
  clock_.advance(milliseconds(1000));
  EXPECT_THAT(text(*agent), HasSubstr(R"(kmem_pool_tag_bytes{pool="nonpaged",tag="Thre"} 8192)"));
  EXPECT_EQ(kernel_.reads, 2);
}

TEST_F(AgentTest, OnlyTicksMoveARecordingOn) {
  const auto agent = make();
  agent->tick();
  EXPECT_EQ(kernel_.advances, 0);
  clock_.advance(milliseconds(5000));
  (void)text(*agent);
  EXPECT_EQ(kernel_.advances, 0);
  agent->tick();
  EXPECT_EQ(kernel_.advances, 1);
}

TEST_F(AgentTest, ATagThatComesBetweenTicksIsInOtherUntilTheNext) {
  const auto agent = make();
  agent->tick();
  kernel_.tags.emplace_back("Late", 100);
  clock_.advance(milliseconds(2000));
  EXPECT_THAT(text(*agent), HasSubstr(R"(kmem_pool_other_bytes{pool="nonpaged"} 100)"));
  agent->tick();
  EXPECT_THAT(text(*agent), HasSubstr(R"(kmem_pool_tag_bytes{pool="nonpaged",tag="Late"} 100)"));
}

TEST_F(AgentTest, APartThatDoesNotAnswerIsToldWithItsAgeAndTeachesNothing) {
  config_.scrape.min_interval = milliseconds(0);
  kernel_.parts = {{"pool_tags", PartState::kOk, "", 0.001, 0}};
  const auto agent = make();
  agent->tick();
  const auto then = std::to_string(clock_.wall() / 1000);
  kernel_.parts[0].state = PartState::kFailed;
  kernel_.parts[0].no_answer = true;
  kernel_.tags.emplace_back("Newt", 1 << 20);
  clock_.advance(milliseconds(60'000));
  agent->tick();
  const auto page = text(*agent);
  EXPECT_THAT(page, HasSubstr(R"(kmem_scrape_collector_success{collector="pool_tags"} 0)"));
  EXPECT_THAT(page, HasSubstr(R"(kmem_scrape_collector_last_success_timestamp_seconds{collector="pool_tags"} )" + then + "\n"));
  EXPECT_THAT(page, HasSubstr(R"(kmem_pool_tag_bytes{pool="nonpaged",tag="Thre"} 4096)")) << "of then";
  EXPECT_THAT(page, Not(HasSubstr("Newt"))) << "old figures make no member";
  EXPECT_TRUE(agent->has_silent_part());
  EXPECT_FALSE(agent->makes_progress()) << "no part answered";
  kernel_.parts[0].state = PartState::kOk;
  kernel_.parts[0].no_answer = false;
  agent->tick();
  EXPECT_TRUE(agent->makes_progress());
  EXPECT_THAT(text(*agent), HasSubstr("Newt"));
}

TEST_F(AgentTest, ACollectorThatFlapsWritesAFewLinesAndACount) {
  kernel_.parts = {{"pool_tags", PartState::kOk, "", 0, 0}};
  std::vector<std::string> lines;
  base::set_log_sink([&lines](std::string_view line) { lines.emplace_back(line); });
  const auto agent = make();
  for (int tick = 0; tick < 1'000; ++tick) {
    kernel_.parts[0].state = tick % 2 == 0 ? PartState::kOk : PartState::kFailed;
    agent->tick();
    clock_.advance(milliseconds(1'000));
  }
  base::set_log_sink({});
  std::erase_if(lines, [](const std::string& line) { return line.find("too little history") != line.npos; });
  EXPECT_LE(lines.size(), 5U) << "of 999 changes";
  EXPECT_THAT(lines, testing::Contains(HasSubstr("changes=600"))) << testing::PrintToString(lines);
}

/// A scrape within the least interval shares a reading, one after it does not, wherever the clock is set.
TEST_F(AgentTest, ScrapesReadTheKernelByTheSteadyClock) {
  const auto agent = make();
  (void)text(*agent);
  for (const int hours : {-3, 3}) {
    clock_.set_wall(std::chrono::hours(hours));
    const int reads = kernel_.reads;
    (void)text(*agent);
    EXPECT_EQ(kernel_.reads, reads) << hours;
    clock_.advance(config_.scrape.min_interval);
    (void)text(*agent);
    EXPECT_EQ(kernel_.reads, reads + 1) << hours;
  }
}

/// A clock that was set 45 s forward left "boots 1", a maximum that began anew, and counters that went on.
TEST_F(AgentTest, ASetClockIsNoRebootForAnyoneAndARebootIsOneForEveryone) {
  config_.storage.path = "/state";
  auto agent = make();
  const auto tick = [&](std::uint64_t ptes) {
    clock_.advance(milliseconds(15'000));
    kernel_.ptes = ptes;
    agent->tick();
  };
  const auto ask = [&](const std::string& path) {
    http::Request request;
    request.path = path;
    return get(*agent, path, request).body;
  };
  const auto told = [&](const std::string& boots, const std::string& most, const std::string& when) {
    EXPECT_THAT(ask("/api/v1/status"), HasSubstr("\"boots\":" + boots + ",")) << when;
    EXPECT_THAT(text(*agent), HasSubstr("kmem_system_ptes_free_boot_max " + most + "\n")) << when;
  };
  const auto rate = [&] { return ask("/api/v1/tags").find("\"allocations_per_second\":10.0") != std::string::npos; };
  tick(60'000);
  tick(50'000);
  told("1", "60000", "at first");
  EXPECT_TRUE(rate());
  for (const std::int64_t step : {1'000, 45'000, -45'000, 61'000, 300'000, 3'600'000, -3 * 3'600'000, 86'400'000}) {
    kernel_.clock_set_ms += step;
    tick(40'000);
    told("1", "60000", "set by " + std::to_string(step));
    EXPECT_TRUE(rate()) << "an interval is as long as it was, set by " << step;
  }
  agent->save_state();
  kernel_.clock_set_ms += 45'000;
  agent = make();
  agent->load_state();
  tick(30'000);
  told("1", "60000", "after a restart");

  for (int boot = 2; boot <= 6; ++boot) {
    kernel_.boot_time = clock_.wall() + 5'000;
    tick(static_cast<std::uint64_t>(60'000 - 1'000 * boot));
    told(std::to_string(boot), std::to_string(60'000 - 1'000 * boot), "five quick reboots");
    EXPECT_FALSE(rate());
    tick(20'000);
  }
  agent->save_state();
  kernel_.boot_time = clock_.wall() + 12'000;
  agent = make();
  agent->load_state();
  tick(10'000);
  told("7", "10000", "a reboot while it was off");
}

TEST_F(AgentTest, NewRulesApplyAtOnceAndMembersGoOver) {
  kernel_.tags = {{"Aaaa", 400}, {"Bbbb", 300}, {"Cccc", 200}};
  const auto agent = make();
  agent->tick();
  config_.tags.max_exported = 1;
  agent->reconfigure(config_, nullptr);
  agent->reload_done(true);
  const std::string page = text(*agent);
  EXPECT_THAT(page, HasSubstr("tag=\"Aaaa\""));
  EXPECT_THAT(page, Not(HasSubstr("tag=\"Bbbb\"")));
  EXPECT_THAT(page, HasSubstr(R"(kmem_pool_other_bytes{pool="nonpaged"} 500)"));
  EXPECT_THAT(page, HasSubstr("kmem_exporter_config_last_reload_successful 1"));
}

}  // namespace
}  // namespace kmem
