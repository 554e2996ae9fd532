// Who holds a leaked object, as the agent tells it: on what a real 32-bit kernel answered, and on a made one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

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
  ObjectLeak(const test::ManualClock& clock, bool& wanted, const bool& tells) : clock_(clock), wanted_(wanted), tells_(tells) {}
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
    out.processes = {{4, "System", 2'000, {}, {}}, {1234, "updater.exe", held + 60, {}, {}}};
    if (wanted_ && tells_) out.object_handles = {{1234, "Event", held}, {4, "File", 1'500}};
    return {};
  }
  void want_object_handles(bool wanted) override { wanted_ = wanted; }

 private:
  const test::ManualClock& clock_;
  bool& wanted_;
  const bool& tells_;
};

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
  const auto answer = [&](const std::string& path) {
    http::Request request;
    request.path = path;
    for (const http::Route& route : agent.routes())
      if (route.path == path) return route.handler(request).body;
    return std::string();
  };
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
}

}  // namespace
}  // namespace kmem
