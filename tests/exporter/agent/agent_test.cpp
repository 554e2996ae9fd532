#include "exporter/agent/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "collectors/base/log.h"
#include "collectors/base/state_file.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_files.h"
#include "tests/support/tag_usage.h"

namespace kmem {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

/// A kernel whose tags the test sets; counts how often it was read.
struct FakeKernel {
  std::vector<PartStatus> parts;
  bool repeated = false, busy = false;
  std::vector<std::pair<std::string, std::uint64_t>> tags{{"Thre", 4096}};
  base::UnixMillis boot_time = 1'699'000'000'000;
  std::int64_t clock_set_ms = 0;  // by how much its clock is off
  std::optional<std::uint64_t> ptes;
  std::string failure;
  int reads = 0;
  int advances = 0;
};

class FakeSource final : public KernelSource {
 public:
  FakeSource(FakeKernel& kernel, const base::Clock& clock) : kernel_(kernel), clock_(clock) {}
  base::Result<void> read(Snapshot& out) override {
    ++kernel_.reads;
    if (!kernel_.failure.empty()) return base::Error{base::ErrorCode::kIo, kernel_.failure};
    out.clear();
    out.system = System::kWindows;
    out.time = clock_.wall() + kernel_.clock_set_ms;
    out.boot_time = kernel_.boot_time + kernel_.clock_set_ms;
    out.system_ptes_free = kernel_.ptes;
    out.parts = kernel_.parts;
    out.repeated = kernel_.repeated;
    for (const auto& [name, bytes] : kernel_.tags) {
      TagUsage& tag = out.tags.emplace_back(test::tag_usage(Pool::kNonpaged, name, bytes));
      tag.counter_bits = 32;
      tag.allocations = static_cast<std::uint64_t>(clock_.wall() - kernel_.boot_time) / 100 & 0xFFFF'FFFF;
    }
    return {};
  }
  base::Result<void> read_within(Snapshot& out, const Patience& patience) override {
    patience_ = patience;
    if (kernel_.busy && patience.come_back) return base::Error{base::ErrorCode::kBusy, "later"};
    return read(out);
  }
  void last_without_old(Snapshot& out) override {
    out.clear();
    out.time = clock_.wall();
    out.parts = kernel_.parts;
  }
  bool advance() override {
    ++kernel_.advances;
    return true;
  }
  static inline Patience patience_;

 private:
  FakeKernel& kernel_;
  const base::Clock& clock_;
};

class AgentTest : public testing::Test {
 protected:
  std::unique_ptr<Agent> make() {
    return std::make_unique<Agent>(config_, std::make_unique<FakeSource>(kernel_, clock_), clock_, files_);
  }
  static std::string text(Agent& agent) {
    const auto page = agent.page(encode::Format::kText004);
    return page ? *page : "error: " + page.error().message;
  }
  static http::Response get(Agent& agent, const std::string& path, const http::Request& request = {}) {
    for (const http::Route& route : agent.routes())
      if (route.path == path) return route.handler(request);
    ADD_FAILURE() << "no route " << path;
    return {};
  }

  test::ManualClock clock_;
  test::MemoryFiles files_;
  FakeKernel kernel_;
  config::Config config_;
};

constexpr const char* kStatePath = "/state/selection.state";

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

TEST_F(AgentTest, AReadingThatGivesNothingIsAnsweredWith503AndTheReason) {
  kernel_.failure = "procfs is gone";
  const auto agent = make();
  agent->tick();
  const http::Response metrics = get(*agent, "/metrics");
  EXPECT_EQ(metrics.status, 503);
  EXPECT_THAT(metrics.body, HasSubstr("procfs is gone"));
  EXPECT_EQ(get(*agent, "/-/ready").status, 503);
  EXPECT_EQ(get(*agent, "/-/healthy").status, 200);
  kernel_.failure.clear();
  agent->tick();
  EXPECT_EQ(get(*agent, "/metrics").status, 200);
  EXPECT_EQ(get(*agent, "/-/ready").status, 200);
}

TEST_F(AgentTest, AReadingWaitsAsLongAsTheScraperDoes) {
  config_.scrape.timeout = milliseconds(5000);
  config_.scrape.min_interval = milliseconds(0);
  const auto agent = make();
  agent->tick();
  const auto waits = [&](const std::string& header) {
    http::Request request;
    request.scrape_timeout = header;
    (void)get(*agent, "/metrics", request);
    return FakeSource::patience_.whole;
  };
  EXPECT_EQ(waits(""), milliseconds(5000));
  EXPECT_EQ(waits("3"), milliseconds(2500)) << "its answer has to arrive";
  EXPECT_EQ(waits("1"), milliseconds(750));
  EXPECT_EQ(waits("10"), milliseconds(5000)) << "no longer than is configured";
  EXPECT_EQ(waits("0.001"), milliseconds(200)) << "others get the same answer";
  for (const char* nonsense : {"-1", "x", "nan", "inf", "1e300"}) EXPECT_EQ(waits(nonsense), milliseconds(5000)) << nonsense;
  EXPECT_FALSE(FakeSource::patience_.come_back);
}

TEST_F(AgentTest, TheServersOwnThreadDoesNotWaitForTheKernel) {
  config_.scrape.min_interval = milliseconds(0);
  const auto agent = make();
  agent->tick();
  kernel_.busy = true;
  http::Request request;
  request.at_once = true;
  EXPECT_EQ(get(*agent, "/metrics", request).status, http::kNotAtOnce);
  request.at_once = false;
  EXPECT_EQ(get(*agent, "/metrics", request).status, 200);
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

/// Storage whose files open when the test lets them.
class HangingFiles final : public base::FileSystem {
 public:
  explicit HangingFiles(base::FileSystem& files) : files_(files) {}
  /// At paths that hold that.
  void hang(bool on, std::string where = {}) {
    const std::scoped_lock lock(mutex_);
    hangs_ = on;
    where_ = std::move(where);
    changed_.notify_all();
  }
  base::Result<std::unique_ptr<base::File>> open(const std::string& path, base::OpenMode mode) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !hangs_ || path.find(where_) == std::string::npos; });
    return files_.open(path, mode);
  }
  base::Result<void> rename(const std::string& from, const std::string& to) override {
    if (const auto content = base::read_file(files_, from, 1 << 20)) replaced_.emplace_back(to, *content);
    return files_.rename(from, to);
  }
  /// What took the place of a file, in order. When nothing is at work.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& replaced() const { return replaced_; }
  base::Result<void> remove(const std::string& path) override { return files_.remove(path); }
  base::Result<std::vector<std::string>> names(const std::string& folder, std::string_view prefix) override {
    return files_.names(folder, prefix);
  }
  base::Result<void> make_folder(const std::string& path) override { return files_.make_folder(path); }

 private:
  base::FileSystem& files_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hangs_ = false;
  std::string where_;
  std::vector<std::pair<std::string, std::string>> replaced_;
};

TEST_F(AgentTest, HistoryThatASlowDiskTakesIsThatOfOneMoment) {
  config_.storage.path = "/state";
  HangingFiles hanging(files_);
  auto agent = std::make_unique<Agent>(config_, std::make_unique<FakeSource>(kernel_, clock_), clock_, hanging);
  agent->tick();
  hanging.hang(true, "trend.state");  // measured, and not yet written
  clock_.advance(config_.storage.save_interval);
  agent->tick();
  kernel_.tags.emplace_back("Newt", 1 << 20);
  clock_.advance(std::chrono::minutes(1));
  agent->tick();
  hanging.hang(false);
  EXPECT_TRUE(agent->save_state());
  std::vector<bool> holds_newt;
  for (const auto& [path, bytes] : hanging.replaced()) {
    if (path != "/state/trend.state") continue;
    const auto state = base::decode_state(bytes, "TRND");
    ASSERT_TRUE(state.ok()) << state.error().message;
    holds_newt.push_back(state->payload.find("Newt") != std::string::npos);
  }
  EXPECT_EQ(holds_newt, (std::vector<bool>{false, false, true}));
  EXPECT_THAT(text(*agent), HasSubstr(R"(kmem_trend_state_failures_total{reason="unwritable"} 1)"));
}

TEST_F(AgentTest, StorageThatHangsKeepsNothingButItsFiles) {
  config_.storage.path = "/state";
  HangingFiles hanging(files_);
  auto agent = std::make_unique<Agent>(config_, std::make_unique<FakeSource>(kernel_, clock_), clock_, hanging);
  agent->load_state();
  agent->tick();
  ASSERT_NE(files_.get(kStatePath), nullptr);
  const std::string before = *files_.get(kStatePath);
  hanging.hang(true);
  kernel_.tags.emplace_back("Newt", 1 << 20);
  clock_.advance(config_.storage.save_interval);
  agent->tick();
  clock_.advance(config_.storage.save_interval);
  agent->tick();
  EXPECT_EQ(get(*agent, "/metrics").status, 200);
  EXPECT_THAT(text(*agent), HasSubstr("Newt"));
  EXPECT_THAT(text(*agent), HasSubstr(R"(kmem_trend_state_failures_total{reason="unwritable"} 2)"));
  EXPECT_FALSE(agent->save_state());
  EXPECT_EQ(*files_.get(kStatePath), before);
  hanging.hang(false);
  EXPECT_TRUE(agent->save_state());
  EXPECT_NE(*files_.get(kStatePath), before);
}

TEST_F(AgentTest, NegotiatesFormatAndCompression) {
  const auto agent = make();
  agent->tick();
  http::Request request;
  request.accept = "application/openmetrics-text;version=1.0.0";
  request.accept_encoding = "gzip";
  const http::Response packed = get(*agent, "/metrics", request);
  EXPECT_EQ(packed.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_EQ(packed.content_encoding, "gzip");
  EXPECT_EQ(packed.body.substr(0, 2), "\x1f\x8b");
  request.accept_encoding = "gzip;q=0";
  const http::Response plain = get(*agent, "/metrics", request);
  EXPECT_EQ(plain.content_encoding, "");
  EXPECT_TRUE(plain.body.ends_with("# EOF\n"));
}

TEST_F(AgentTest, AChangedMembershipIsKeptAtOnceAndTheRestWhenItIsDue) {
  config_.storage.path = "/state";
  const auto agent = make();
  agent->load_state();
  agent->tick();
  ASSERT_NE(files_.get(kStatePath), nullptr);
  const std::uint64_t writes = files_.operations();
  clock_.advance(milliseconds(60'000));
  agent->tick();
  EXPECT_EQ(files_.operations(), writes);
  kernel_.tags.emplace_back("Newt", 1 << 20);
  clock_.advance(milliseconds(60'000));
  agent->tick();
  EXPECT_GT(files_.operations(), writes);
  const std::uint64_t more_writes = files_.operations();
  clock_.advance(config_.storage.save_interval);
  agent->tick();
  EXPECT_GT(files_.operations(), more_writes);
}

/// With a clock set 3 hours back, nothing was saved for 3 hours.
TEST_F(AgentTest, StateIsSavedEveryIntervalWhereverTheClockIsSet) {
  config_.storage.path = "/state";
  const auto agent = make();
  agent->load_state();
  agent->tick();
  const auto saved_at_every_interval = [&](const char* when) {
    for (int i = 0; i < 3; ++i) {
      clock_.advance(config_.storage.save_interval);
      const std::uint64_t writes = files_.operations();
      agent->tick();
      EXPECT_GT(files_.operations(), writes) << when << ", interval " << i;
      clock_.advance(milliseconds(1'000));
      const std::uint64_t before = files_.operations();
      agent->tick();
      EXPECT_EQ(files_.operations(), before) << when << ": and not more often";
    }
  };
  saved_at_every_interval("at first");
  for (const int hours : {-3, 3, 30, -72, 24 * 400}) {
    clock_.set_wall(std::chrono::hours(hours));
    kernel_.boot_time += hours * 3'600'000LL;  // as the kernel tells it
    saved_at_every_interval(std::to_string(hours).c_str());
  }
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

TEST_F(AgentTest, AKilledAgentsMembersAreExportedAgainThoughGoneFromTheKernel) {
  config_.storage.path = "/state";
  make()->tick();
  {
    const auto agent = make();
    agent->load_state();
    agent->tick();
  }
  files_.crash();
  kernel_.tags = {{"Else", 100}};
  const auto agent = make();
  agent->load_state();
  agent->tick();
  EXPECT_THAT(text(*agent), HasSubstr(R"(kmem_pool_tag_bytes{pool="nonpaged",tag="Thre"} 0)"));
}

TEST_F(AgentTest, DamagedStateIsSetAsideAndTheServiceGoesOn) {
  config_.storage.path = "/state";
  files_.put(kStatePath, "no state at all");
  const auto agent = make();
  agent->load_state();
  EXPECT_EQ(files_.get(kStatePath), nullptr);
  EXPECT_THAT(files_.paths(), testing::Contains(HasSubstr("selection.state.bad-")));
  agent->tick();
  EXPECT_THAT(text(*agent), HasSubstr("tag=\"Thre\""));
  EXPECT_NE(files_.get(kStatePath), nullptr);
}

TEST_F(AgentTest, AFullDiskStopsNothing) {
  config_.storage.path = "/state";
  files_.fail_after(0);
  const auto agent = make();
  agent->load_state();
  agent->tick();
  EXPECT_THAT(text(*agent), HasSubstr("tag=\"Thre\""));
  files_.repair();
  agent->save_state();
  EXPECT_NE(files_.get(kStatePath), nullptr);
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
