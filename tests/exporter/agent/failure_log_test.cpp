// What event logs and /proc/vmstat gained, counted once whoever reads it again.
#include "exporter/agent/failure_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/log.h"
#include "exporter/agent/agent.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_files.h"

namespace kmem {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr base::UnixMillis kLogged = 1'700'000'000'000;

FailureRecord record(std::uint64_t id, base::UnixMillis time, std::uint32_t event_id = 2020) {
  return {event_id == 2004 ? "Microsoft-Windows-Resource-Exhaustion-Detector" : "Srv", event_id, id, time,
          "detail of " + std::to_string(id)};
}

class FailureLogTest : public testing::Test {
 protected:
  FailureLogTest() {
    base::set_log_sink([this](std::string_view line) { said_.emplace_back(line); });
  }
  ~FailureLogTest() override { base::set_log_sink({}); }
  FailureLogTest(const FailureLogTest&) = delete;
  FailureLogTest& operator=(const FailureLogTest&) = delete;

  /// A Windows whose reader `origin` now brings `records`, the first of them its number `first`.
  static Snapshot windows(std::vector<FailureRecord> records, std::uint64_t first = 0, std::uint64_t origin = 77) {
    Snapshot snapshot;
    snapshot.system = System::kWindows;
    snapshot.failure_events = {{"Srv", 2019, 0, {}}, {"Srv", 2020, 0, {}}};
    EventLogReading reading;
    reading.origin = origin;
    reading.first = first;
    if (!records.empty()) reading.cursor = {records.back().record_id, records.back().time};
    reading.records = std::move(records);
    snapshot.event_log = std::move(reading);
    return snapshot;
  }
  static Snapshot linux_machine(std::uint64_t kills, base::UnixMillis time) {
    Snapshot snapshot;
    snapshot.system = System::kLinux;
    snapshot.time = time;
    snapshot.failure_events = {{"vmstat_oom_kill", 0, kills, {}}};
    return snapshot;
  }
  static std::uint64_t count(const Snapshot& snapshot, std::uint32_t event_id) {
    for (const FailureEvents& events : snapshot.failure_events)
      if (events.event_id == event_id) return events.count;
    ADD_FAILURE() << "no row " << event_id;
    return 0;
  }

  std::vector<std::string> said_;
};

TEST_F(FailureLogTest, EveryRecordIsCountedOnceHoweverOftenItIsSeen) {
  FailureLog log("host");
  Snapshot first = windows({record(5, kLogged), record(9, kLogged + 5000), record(10, kLogged + 4000, 2019)});
  log.observe(first);
  EXPECT_EQ(count(first, 2020), 2U);
  EXPECT_EQ(count(first, 2019), 1U);
  EXPECT_EQ(first.failure_events[1].last, kLogged + 5000);
  EXPECT_EQ(log.cursor()->record_id, 10U);

  Snapshot again = windows({record(5, kLogged), record(9, kLogged + 5000), record(10, kLogged + 4000, 2019)});
  log.observe(again);
  EXPECT_EQ(count(again, 2020), 2U);
  Snapshot more = windows({record(11, kLogged + 9000)}, 3);
  log.observe(more);
  EXPECT_EQ(count(more, 2020), 3U);
  EXPECT_EQ(more.failure_events[1].last, kLogged + 9000);
  // A reader that begins anew numbers from 0 again.
  Snapshot other_reader = windows({record(12, kLogged + 9500)}, 0, 78);
  log.observe(other_reader);
  EXPECT_EQ(count(other_reader, 2020), 4U);
}

TEST_F(FailureLogTest, TheLastEventIsTheLogsLastWhereverTheClockWasSet) {
  constexpr base::UnixMillis kThreeHours = 3 * 3'600'000;
  FailureLog log("host");
  Snapshot first = windows({record(5, base::kDayMillis)});
  log.observe(first);
  Snapshot back = windows({record(6, base::kDayMillis + 60'000 - kThreeHours)}, 1);
  log.observe(back);
  EXPECT_EQ(count(back, 2020), 2U);
  EXPECT_EQ(back.failure_events[1].last, base::kDayMillis + 60'000 - kThreeHours);
  Snapshot forward = windows({record(7, base::kDayMillis + kThreeHours)}, 2);
  log.observe(forward);
  EXPECT_EQ(forward.failure_events[1].last, base::kDayMillis + kThreeHours);
}

TEST_F(FailureLogTest, ALogThatCannotBeReadTakesNothingBack) {
  FailureLog log("host");
  Snapshot first = windows({record(5, kLogged)});
  log.observe(first);
  Snapshot refused;
  refused.system = System::kWindows;
  log.observe(refused);
  ASSERT_EQ(refused.failure_events.size(), 1U);
  EXPECT_EQ(refused.failure_events[0].provider, "Srv");
  EXPECT_EQ(refused.failure_events[0].event_id, 2020U);
  EXPECT_EQ(refused.failure_events[0].count, 1U);
  EXPECT_EQ(refused.failure_events[0].last, kLogged);
}

TEST_F(FailureLogTest, CountsGoOnAfterARestartAndNothingIsCountedTwice) {
  FailureLog before("host");
  Snapshot first = windows({record(5, kLogged), record(6, kLogged + 1000)});
  before.observe(first);
  EXPECT_TRUE(before.is_unsaved());
  const std::string state = before.save();
  EXPECT_FALSE(before.is_unsaved());

  FailureLog after("host");
  ASSERT_TRUE(after.load(state));
  ASSERT_TRUE(after.cursor());
  EXPECT_EQ(after.cursor()->record_id, 6U);
  EXPECT_EQ(after.cursor()->time, kLogged + 1000);
  // A recording knows nothing of cursors and brings everything again.
  Snapshot replayed = windows({record(5, kLogged), record(6, kLogged + 1000), record(7, kLogged + 2000)}, 0, 99);
  after.observe(replayed);
  EXPECT_EQ(count(replayed, 2020), 3U);
  // The log was cleared meanwhile: its numbers begin anew, its times do not.
  FailureLog cleared("host");
  ASSERT_TRUE(cleared.load(state));
  Snapshot young = windows({record(1, kLogged + 50'000), record(2, kLogged + 60'000)}, 0, 99);
  cleared.observe(young);
  EXPECT_EQ(count(young, 2020), 4U);
  EXPECT_EQ(cleared.cursor()->record_id, 2U);
}

TEST_F(FailureLogTest, StateOfAnotherHostOrDamagedIsRefused) {
  FailureLog log("host");
  Snapshot first = windows({record(5, kLogged)});
  log.observe(first);
  const std::string state = log.save();
  FailureLog other("another host");
  EXPECT_EQ(other.load(state).error().code, base::ErrorCode::kInvalid);
  EXPECT_FALSE(other.cursor());
  FailureLog same("host");
  for (std::size_t length = 0; length < state.size(); ++length) EXPECT_FALSE(same.load(state.substr(0, length)));
  EXPECT_FALSE(same.load(state + "x"));
  std::string odd = state;
  odd[odd.find("Srv")] = '\x01';
  EXPECT_FALSE(same.load(odd)) << "no legal label";
  EXPECT_FALSE(same.cursor());
  ASSERT_TRUE(same.load(state));
  EXPECT_TRUE(same.cursor());
}

TEST_F(FailureLogTest, SaysWhatTheEventSays) {
  FailureLog log("host");
  FailureRecord exhaustion = record(5, kLogged, 2004);
  exhaustion.detail = "commit 900 of 1000 bytes; paged tags CM31 500, MmSt 300; nonpaged tags Leak 200";
  Snapshot snapshot = windows({exhaustion});
  log.observe(snapshot);
  ASSERT_THAT(said_, SizeIs(1));
  EXPECT_THAT(said_[0], AllOf(HasSubstr("level=warning"), HasSubstr("provider=Microsoft-Windows-Resource-Exhaustion-Detector"),
                              HasSubstr("event_id=2004"), HasSubstr("2023-11-14T22:13:20"),
                              HasSubstr("paged tags CM31 500, MmSt 300; nonpaged tags Leak 200")));
  EXPECT_EQ(count(snapshot, 2004), 1U);
}

TEST_F(FailureLogTest, YearsOfEventsAreAFewLines) {
  FailureLog log("host");
  std::vector<FailureRecord> many;
  for (std::uint64_t id = 1; id <= 40; ++id) many.push_back(record(id, kLogged + static_cast<base::UnixMillis>(id)));
  Snapshot snapshot = windows(std::move(many));
  log.observe(snapshot);
  EXPECT_EQ(count(snapshot, 2020), 40U);
  EXPECT_THAT(said_, SizeIs(11));
  EXPECT_THAT(said_.back(), HasSubstr("count=30"));
}

TEST_F(FailureLogTest, TheLinuxKernelCountsItselfAndARiseIsTheLastTime) {
  FailureLog log("host");
  Snapshot first = linux_machine(3, kLogged);
  log.observe(first);
  EXPECT_EQ(first.failure_events[0].count, 3U);
  EXPECT_EQ(first.failure_events[0].last, std::nullopt) << "since boot, when is not known";
  EXPECT_THAT(said_, IsEmpty());
  Snapshot same = linux_machine(3, kLogged + 1000);
  log.observe(same);
  EXPECT_EQ(same.failure_events[0].last, std::nullopt);
  Snapshot rose = linux_machine(4, kLogged + 2000);
  log.observe(rose);
  EXPECT_EQ(rose.failure_events[0].last, kLogged + 2000);
  EXPECT_THAT(said_, ElementsAre(AllOf(HasSubstr("killed a process"), HasSubstr("count=4"))));

  FailureLog after("host");
  ASSERT_TRUE(after.load(log.save()));
  Snapshot restarted = linux_machine(4, kLogged + 9000);
  after.observe(restarted);
  EXPECT_EQ(restarted.failure_events[0].last, kLogged + 2000);
  Snapshot rebooted = linux_machine(0, kLogged + 20'000);
  after.observe(rebooted);
  EXPECT_EQ(rebooted.failure_events[0].last, kLogged + 2000);
  Snapshot killed = linux_machine(1, kLogged + 30'000);
  after.observe(killed);
  EXPECT_EQ(killed.failure_events[0].last, kLogged + 30'000);
  EXPECT_EQ(killed.failure_events[0].count, 1U) << "the kernel's own, since boot";
}

// --- in the agent

/// A log of records, newest last; a reader as the Windows source has one.
class LogSource final : public KernelSource {
 public:
  LogSource(const std::vector<FailureRecord>& log, const base::Clock& clock) : log_(log), clock_(clock) {}
  base::Result<void> read(Snapshot& out) override {
    out.clear();
    out.system = System::kWindows;
    out.time = clock_.wall();
    out.boot_time = kLogged - 3'600'000;
    out.system_ptes_free = 100'000;
    EventLogReading reading;
    reading.origin = reinterpret_cast<std::uintptr_t>(this);
    reading.first = shipped_;
    for (const FailureRecord& row : log_)
      if (row.record_id > cursor_.record_id || row.time > cursor_.time) reading.records.push_back(row);
    if (!log_.empty()) cursor_ = {log_.back().record_id, log_.back().time};
    reading.cursor = cursor_;
    shipped_ += reading.records.size();
    out.failure_events = {{"Srv", 2020, 0, {}}};
    out.event_log = std::move(reading);
    return {};
  }
  void resume_events(const EventCursor& cursor) override { cursor_ = cursor; }

 private:
  const std::vector<FailureRecord>& log_;
  const base::Clock& clock_;
  EventCursor cursor_;
  std::uint64_t shipped_ = 0;
};

TEST_F(FailureLogTest, TheAgentRemembersOverRestartsKillsAndAClearedLog) {
  test::ManualClock clock(kLogged);
  test::MemoryFiles files;
  config::Config config;
  config.storage.path = "/state";
  std::vector<FailureRecord> log = {record(70, kLogged - 5000), record(71, kLogged - 1000)};
  const auto start = [&] {
    auto agent = std::make_unique<Agent>(config, std::make_unique<LogSource>(log, clock), clock, files, "host");
    agent->load_state();
    agent->tick();
    return agent;
  };
  const auto counted = [&](Agent& agent, int wanted) {
    clock.advance(std::chrono::minutes(1));
    EXPECT_THAT(
        *agent.page(encode::Format::kText004),
        HasSubstr(R"(kmem_pool_failure_events_total{provider="Srv",event_id="2020"} )" + std::to_string(wanted) + "\n"));
  };
  {
    const auto agent = start();
    counted(*agent, 2);
    log.push_back(record(72, clock.wall()));
    counted(*agent, 3);  // by a scrape: nothing is written yet
  }
  files.crash();  // killed, with what the first tick wrote
  {
    const auto agent = start();
    counted(*agent, 3);
  }
  files.crash();
  log = {record(1, clock.wall())};
  const auto agent = start();
  counted(*agent, 4);
  EXPECT_THAT(*agent->page(encode::Format::kText004),
              HasSubstr(R"(kmem_pool_failure_last_event_timestamp_seconds{provider="Srv",event_id="2020"} )" +
                        std::to_string(log[0].time / 1000)));
  agent->reconfigure(config, std::make_unique<LogSource>(log, clock));
  counted(*agent, 4);
}

}  // namespace
}  // namespace kmem
