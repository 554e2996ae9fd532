// State over restarts, on storage that is slow, full or damaged.
#include "exporter/agent/keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "collectors/base/log.h"
#include "collectors/base/state_file.h"
#include "tests/exporter/agent/agent_fixture.h"
#include "tests/support/temp_folder.h"

namespace kmem {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kStatePath = "/state/selection.state";

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

/// 1 s of work was told as no answer, though the disk had it all a moment later.
TEST_F(AgentTest, ASlowSaveIsNoFailureAndAStopWaitsForIt) {
  config_.storage.path = "/state";
  HangingFiles hanging(files_);
  std::vector<std::string> log;
  base::set_log_sink([&log](std::string_view line) { log.emplace_back(line); });
  auto agent = std::make_unique<Agent>(config_, std::make_unique<FakeSource>(kernel_, clock_), clock_, hanging);
  agent->load_state();
  agent->tick();
  hanging.hang(true);
  clock_.advance(config_.storage.save_interval);
  agent->tick();
  clock_.advance(Keeper::kNoAnswerAfter - milliseconds(1));
  kernel_.tags.emplace_back("Newt", 1 << 20);
  agent->tick();
  std::thread later([&hanging] {
    std::this_thread::sleep_for(milliseconds(1'100));
    hanging.hang(false);
  });
  EXPECT_TRUE(agent->save_state());
  later.join();
  base::set_log_sink({});
  EXPECT_NE(files_.get(kStatePath)->find("Newt"), std::string::npos);
  EXPECT_THAT(text(*agent), HasSubstr(R"(kmem_trend_state_failures_total{reason="unwritable"} 0)"));
  EXPECT_THAT(log, Not(Contains(HasSubstr("does not answer"))));
  EXPECT_THAT(log, Contains(HasSubstr("a stop waits for it")));
}

TEST_F(AgentTest, AStopThatCannotSaveSaysWhy) {
  config_.storage.path = "/state";
  std::vector<std::string> log;
  base::set_log_sink([&log](std::string_view line) { log.emplace_back(line); });
  const auto agent = make();
  agent->load_state();
  EXPECT_TRUE(agent->save_state()) << "nothing was learnt";
  agent->tick();
  EXPECT_TRUE(agent->save_state());
  files_.fail_after(0);
  EXPECT_FALSE(agent->save_state());
  base::set_log_sink({});
  EXPECT_THAT(log, Contains(testing::AllOf(HasSubstr("what was learnt is not saved"), HasSubstr("disk full"))));
}

TEST_F(AgentTest, AFolderThatSomeoneRemovedIsMadeAgainAndHeld) {
  const test::TempFolder folder;
  config_.storage.path = folder.path() + "state";
  const auto start = [this] {
    return std::make_unique<Agent>(config_, std::make_unique<FakeSource>(kernel_, clock_), clock_, base::os_file_system());
  };
  auto agent = start();
  EXPECT_TRUE(agent->load_state());
  agent->tick();
  EXPECT_FALSE(start()->load_state());
  std::error_code removed;
  std::filesystem::remove_all(config_.storage.path, removed);
  if (removed) GTEST_SKIP() << "an open file's folder is not removed here: " << removed.message();
  clock_.advance(config_.storage.save_interval);
  agent->tick();
  const auto kept = base::load_state(base::os_file_system(), config_.storage.path + "/selection.state", "SELN");
  EXPECT_TRUE(kept.ok());
  EXPECT_THAT(text(*agent), HasSubstr(R"(kmem_trend_state_failures_total{reason="unwritable"} 0)"));
  EXPECT_FALSE(start()->load_state()) << "it is held again";
  agent.reset();
  EXPECT_TRUE(start()->load_state());
}

/// The folder was removed, and another one was quicker.
TEST_F(AgentTest, AFolderThatAnotherHoldsIsLeftAlone) {
  config_.storage.path = "/state";
  std::vector<std::string> log;
  base::set_log_sink([&log](std::string_view line) { log.emplace_back(line); });
  const auto agent = make();
  EXPECT_TRUE(agent->load_state());
  agent->tick();
  files_.forget_all();
  auto other = make();
  EXPECT_TRUE(other->load_state());
  other->tick();
  const std::string others = *files_.get(kStatePath);
  kernel_.tags.emplace_back("Newt", 1 << 20);
  clock_.advance(config_.storage.save_interval);
  agent->tick();
  EXPECT_EQ(*files_.get(kStatePath), others);
  EXPECT_THAT(text(*agent), HasSubstr(R"(kmem_trend_state_failures_total{reason="unwritable"} 1)"));
  EXPECT_FALSE(agent->save_state());
  EXPECT_THAT(log, Contains(HasSubstr("state: another kmem_exporter keeps its history in this storage.path")));
  other.reset();
  EXPECT_TRUE(agent->save_state());
  EXPECT_NE(*files_.get(kStatePath), others);
  base::set_log_sink({});
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
  EXPECT_THAT(files_.paths(), Contains(HasSubstr("selection.state.bad-")));
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

}  // namespace
}  // namespace kmem
