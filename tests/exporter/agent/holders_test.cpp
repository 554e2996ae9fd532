// Who holds a leaked object, as the agent tells it: on what a real 32-bit kernel answered, and on a made one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "collectors/windows/windows_parse.h"
#include "exporter/agent/agent.h"
#include "exporter/trend/sampler.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_files.h"
#include "tests/support/nt_frames.h"

namespace kmem {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The eleven readings of three minutes, an hour apart: the engine's windows begin with minutes and hours.
TEST(Holders, OnTheRecordedKernelTheLeakerIsNamed) {
  const auto frames = test::read_nt_frames("fixtures/nt52-i386/frames.bin.gz", 4);
  trend::TrendEngine engine;
  trend::Sampler sampler;
  Snapshot snapshot;
  base::UnixMillis time = frames.front().time;
  for (const RawFrame& frame : frames) {
    snapshot.clear();
    windows::parse_windows_frame(frame, snapshot);
    snapshot.time = time;
    time += 3'600'000;
    engine.observe(sampler.take(snapshot));
  }
  const auto tag = engine.find(trend::Kind::kTag, Pool::kNonpaged, "Even");
  ASSERT_TRUE(tag.has_value());
  const auto holder = trend::find_holder(engine, *tag);
  ASSERT_TRUE(holder.has_value());
  EXPECT_EQ(holder->process, "evleak.exe");
  EXPECT_EQ(holder->pid, 980U);
  EXPECT_GT(holder->share, 0.95);
  EXPECT_GT(holder->handles, 11'000U);
}

/// Even gains 48 KB a day, of which updater.exe keeps 98 %; the kernel tells handles by type when it is asked.
class ObjectLeak final : public KernelSource {
 public:
  /// What it tells of handles by type is fresh in every `fresh_every`th reading, and stands between.
  ObjectLeak(const test::ManualClock& clock, bool& wanted, const bool& tells, int fresh_every = 1)
      : clock_(clock), wanted_(wanted), tells_(tells), fresh_every_(fresh_every) {}
  base::Result<void> read(Snapshot& out) override {
    out.clear();
    out.system = System::kWindows;
    out.time = clock_.wall();
    out.boot_time = 1'690'000'000'000;
    const auto hours = static_cast<std::uint64_t>((clock_.wall() - 1'700'000'000'000) / 3'600'000);
    TagUsage even;
    even.pool = Pool::kNonpaged;
    even.tag = "Even";
    even.key = tag_key(even.pool, even.tag);
    even.outstanding = 10'000 + hours * 1'000;
    even.bytes = even.outstanding * 48;
    out.tags = {even};
    out.pools = {{Pool::kNonpaged, 50'000'000 + even.bytes, {}, {}, {}, {}}};
    const std::uint64_t held = 5'000 + hours * 980;
    if (hours >= ends_at_) {
      out.processes = {{4, "System", 2'000, {}, {}}};
      return {};
    }
    out.processes = {{4, "System", 2'000, {}, {}},
                     {1234, "updater.exe", has_counts_ ? std::optional(held + 60) : std::nullopt, {}, {}}};
    if (wanted_ && tells_ && told_++ % fresh_every_ == 0)
      table_ = {{1234, type_, held}, {1234, "Key", 60}, {4, "Event", 1'500}};
    out.object_handles = table_;
    return {};
  }
  void want_object_handles(bool wanted) override { wanted_ = wanted; }
  void holds(std::string_view type) { type_ = type; }  // in place of events
  void ends_at(std::uint64_t hour) { ends_at_ = hour; }
  void hide_counts() { has_counts_ = false; }  // of all handles, which a history would find

 private:
  const test::ManualClock& clock_;
  bool& wanted_;
  const bool& tells_;
  int fresh_every_, told_ = 0;
  bool has_counts_ = true;
  std::string type_ = "Event";
  std::uint64_t ends_at_ = 1'000'000;
  std::vector<ObjectHandles> table_;
};

std::string answer_of(Agent& agent, const std::string& path) {
  http::Request request;
  request.path = path;
  for (const http::Route& route : agent.routes())
    if (route.path == path) return route.handler(request).body;
  return {};
}

TEST(Holders, PageApiMetricsAndLogNameTheProcessAndTheKernelIsAskedOnlyMeanwhile) {
  test::ManualClock clock;
  test::MemoryFiles files;
  bool wanted = false, tells = false;
  std::vector<std::string> log;
  base::set_log_sink([&log](std::string_view line) { log.emplace_back(line); });
  Agent agent(config::Config{}, std::make_unique<ObjectLeak>(clock, wanted, tells), clock, files, "host");
  const auto run = [&](int hours) {
    for (int i = 0; i < hours; ++i) {
      agent.tick();
      clock.advance(std::chrono::hours(1));
    }
  };
  run(24);
  EXPECT_FALSE(wanted);
  run(20 * 24);
  EXPECT_TRUE(wanted);
  const std::string series = R"({pool="nonpaged",tag="Even",process="updater.exe",pid="1234"} )";
  std::string page = agent.page(encode::Format::kText004).value();
  EXPECT_THAT(page, HasSubstr("kmem_pool_tag_holder_share" + series + "0.98"));
  EXPECT_THAT(page, HasSubstr("kmem_pool_tag_holder_handles" + series));

  tells = true;
  run(2);
  const auto answer = [&](const std::string& path) { return answer_of(agent, path); };
  const auto status = nlohmann::json::parse(answer("/api/v1/status"));
  ASSERT_EQ(status["suspects"][0]["tag"], "Even");
  EXPECT_EQ(status["suspects"][0]["holder"]["process"], "updater.exe");
  EXPECT_EQ(status["suspects"][0]["holder"]["pid"], 1234);
  EXPECT_NEAR(status["suspects"][0]["holder"]["share"].get<double>(), 0.98, 0.01);
  EXPECT_EQ(status["suspects"][0]["holder"]["basis"], "type_growth");
  EXPECT_THAT(status["verdict"]["headline"].get<std::string>(), HasSubstr("98 % of the growth by updater.exe (pid 1234): "));
  EXPECT_THAT(status["verdict"]["headline"].get<std::string>(), HasSubstr(" event handles"));
  const auto trends = nlohmann::json::parse(answer("/api/v1/trends"));
  std::size_t named = 0;
  for (const auto& subject : trends["subjects"]) {
    const bool is_tag = subject["kind"] == "tag";
    EXPECT_EQ(subject["holder"].is_null(), !is_tag) << subject["kind"];
    if (is_tag && subject["holder"]["process"] == "updater.exe") ++named;
  }
  EXPECT_EQ(named, 1U);
  EXPECT_THAT(answer("/"), HasSubstr("Held by"));
  base::set_log_sink({});
  EXPECT_THAT(log, testing::Contains(testing::AllOf(HasSubstr("leak suspected"), HasSubstr("tag=Even"),
                                                    HasSubstr("98 % of the growth by updater.exe (pid 1234)"))));
  EXPECT_THAT(log,
              testing::Contains(testing::AllOf(HasSubstr("leak suspected"), HasSubstr("kind=pool"), Not(HasSubstr("held=")))));
}

/// The table of handles is older than the reading: the share is that of the table's time all the same.
TEST(Holders, TheShareIsOfOneTime) {
  test::ManualClock clock;
  test::MemoryFiles files;
  bool wanted = false;
  const bool tells = true;
  Agent agent(config::Config{}, std::make_unique<ObjectLeak>(clock, wanted, tells, 10), clock, files, "host");
  int grown = 0;
  for (int hour = 0; hour < 20 * 24 || grown < 25; ++hour) {
    ASSERT_LT(hour, 22 * 24);
    agent.tick();
    clock.advance(std::chrono::hours(1));
    if (!wanted || (hour < 20 * 24 && hour % 7 != 0)) continue;
    const auto status = nlohmann::json::parse(answer_of(agent, "/api/v1/status"));
    if (status["suspects"].empty()) continue;  // it only surges yet
    const auto& holder = status["suspects"][0]["holder"];
    if (holder.is_null() || holder["basis"] != "type_growth") continue;
    ++grown;
    EXPECT_NEAR(holder["share"].get<double>(), 0.98, 0.001) << hour;
    EXPECT_THAT(
        agent.page(encode::Format::kText004).value(),
        HasSubstr("kmem_pool_tag_holder_share{pool=\"nonpaged\",tag=\"Even\",process=\"updater.exe\",pid=\"1234\"} 0.98\n"));
  }
}

/// As many handles, but of another type than the tag's: by the history alone it would be the one.
TEST(Holders, WhoseHandlesAreOfAnotherTypeIsNotNamed) {
  for (const bool tells : {false, true}) {
    test::ManualClock clock;
    test::MemoryFiles files;
    bool wanted = false;
    auto source = std::make_unique<ObjectLeak>(clock, wanted, tells);
    source->holds("Semaphore");
    Agent agent(config::Config{}, std::move(source), clock, files, "host");
    for (int hour = 0; hour < 20 * 24; ++hour) {
      agent.tick();
      clock.advance(std::chrono::hours(1));
    }
    const auto status = nlohmann::json::parse(answer_of(agent, "/api/v1/status"));
    EXPECT_EQ(status["suspects"].at(0)["holder"].is_null(), tells) << status["suspects"].at(0)["holder"];
    EXPECT_EQ(agent.page(encode::Format::kText004).value().find("kmem_pool_tag_holder_share{") == std::string::npos, tells);
  }
}

/// The tag goes on to grow after its handles were closed with it.
TEST(Holders, WhoHasEndedIsNotNamed) {
  test::ManualClock clock;
  test::MemoryFiles files;
  bool wanted = false;
  const bool tells = false;
  auto source = std::make_unique<ObjectLeak>(clock, wanted, tells);
  source->ends_at(19 * 24);
  Agent agent(config::Config{}, std::move(source), clock, files, "host");
  const auto run = [&](int hours) {
    for (int hour = 0; hour < hours; ++hour) {
      agent.tick();
      clock.advance(std::chrono::hours(1));
    }
    return nlohmann::json::parse(answer_of(agent, "/api/v1/status"))["suspects"].at(0)["holder"];
  };
  EXPECT_EQ(run(19 * 24)["process"], "updater.exe");
  EXPECT_TRUE(run(24).is_null());
}

/// What is merely held is no share of the growth: on the page and in the API, but not in the metric.
TEST(Holders, WhoHoldsTheMostIsNotExportedAsShareOfTheGrowth) {
  test::ManualClock clock;
  test::MemoryFiles files;
  bool wanted = false;
  const bool tells = true;
  auto source = std::make_unique<ObjectLeak>(clock, wanted, tells, 1'000'000);  // one table, ever
  source->hide_counts();
  Agent agent(config::Config{}, std::move(source), clock, files, "host");
  for (int hour = 0; hour < 20 * 24; ++hour) {
    agent.tick();
    clock.advance(std::chrono::hours(1));
  }
  const auto status = nlohmann::json::parse(answer_of(agent, "/api/v1/status"));
  EXPECT_EQ(status["suspects"].at(0)["holder"]["basis"], "type_held");
  EXPECT_THAT(agent.page(encode::Format::kText004).value(), Not(HasSubstr("kmem_pool_tag_holder_share{")));
}

}  // namespace
}  // namespace kmem
