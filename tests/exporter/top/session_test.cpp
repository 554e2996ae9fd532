#include "exporter/top/session.h"

#include <gmock/gmock.h>

#include <deque>

#include "tests/exporter/top/rows.h"
#include "tests/support/manual_clock.h"

namespace kmem::top {
namespace {

using terminal::Input;
using terminal::Key;
using terminal::KeyKind;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using What = terminal::Input::What;

/// "Even" gains 48 bytes a reading.
class FakeKernel final : public KernelSource {
 public:
  base::Result<void> read(Snapshot& out) override {
    ++reads;
    if (failing) return base::Error{base::ErrorCode::kIo, "the kernel is gone"};
    out = reading(
        {counted(Pool::kNonpaged, "Even", 100 + reads, 0, 4800 + 48 * reads), counted(Pool::kPaged, "Obtb", 7, 0, 90'000)});
    return {};
  }
  bool advance() override { return !ended; }
  std::uint64_t reads = 0;
  bool failing = false, ended = false;
};

/// Plays the keys; when there is none, time goes by. Keeps what was on the screen.
class FakeScreen final : public terminal::Terminal {
 public:
  explicit FakeScreen(test::ManualClock& clock) : clock_(clock) {}
  [[nodiscard]] terminal::Size size() const override { return size_now; }
  base::Result<void> draw(const terminal::Frame& frame) override {
    std::vector<std::string> lines;
    for (const terminal::Line& line : frame) lines.push_back(line.text);
    shown.push_back(std::move(lines));
    if (gone) return base::Error{base::ErrorCode::kIo, "the terminal cannot be written"};
    return {};
  }
  Input wait(std::chrono::milliseconds timeout) override {
    timeouts.push_back(timeout);
    if (inputs.empty()) return {What::kStop, {}};
    const Input input = inputs.front();
    inputs.pop_front();
    if (input.what == What::kTimeout) clock_.advance(timeout);
    if (input.what == What::kResized) size_now = {50, 200};
    return input;
  }
  void key(char c) { inputs.push_back({What::kKey, {KeyKind::kCharacter, c}}); }
  void sleep() { inputs.push_back({What::kTimeout, {}}); }

  std::deque<Input> inputs;
  std::vector<std::vector<std::string>> shown;
  std::vector<std::chrono::milliseconds> timeouts;
  terminal::Size size_now{24, 80};
  bool gone = false;

 private:
  test::ManualClock& clock_;
};

class TopSession : public testing::Test {
 protected:
  base::Result<void> run() {
    Session session(kernel_, clock_, std::chrono::seconds(5),
                    {[this] { ++refreshed_; }, [](UsageRow& row) { row.driver = row.tag == "Even" ? "afd.sys" : ""; },
                     [this] { return problem_; }});
    return session.run(screen_, {});
  }
  FakeKernel kernel_;
  test::ManualClock clock_;
  FakeScreen screen_{clock_};
  int refreshed_ = 0;
  std::string problem_;
};

TEST_F(TopSession, ReadsAtItsIntervalAndShowsWhatChanged) {
  screen_.sleep();
  screen_.sleep();
  screen_.key('q');
  ASSERT_TRUE(run().ok());
  EXPECT_EQ(kernel_.reads, 3U);
  EXPECT_EQ(refreshed_, 3);
  ASSERT_EQ(screen_.shown.size(), 3U);
  EXPECT_THAT(screen_.shown[0], Contains(HasSubstr(" Even Nonp     101 (   -)")));
  EXPECT_THAT(screen_.shown[2], Contains(HasSubstr(" Even Nonp     103 (   1)")));
  EXPECT_THAT(screen_.shown[2], Contains(HasSubstr("[afd.sys]")));
  EXPECT_THAT(screen_.timeouts, ElementsAre(std::chrono::seconds(5), std::chrono::seconds(5), std::chrono::seconds(5)));
}

TEST_F(TopSession, KeysRedrawAtOnceWithoutAReadingAndDoNotPutItOff) {
  screen_.key('t');
  screen_.key('p');
  screen_.sleep();
  screen_.key(' ');
  ASSERT_TRUE(run().ok());
  EXPECT_EQ(kernel_.reads, 3U);
  EXPECT_THAT(screen_.shown[1][0], HasSubstr("pool all  by tag"));
  EXPECT_THAT(screen_.shown[2][0], HasSubstr("pool nonpaged  by tag  1-1 of 1"));
}

TEST_F(TopSession, ResizedItIsDrawnForTheNewSize) {
  screen_.inputs.push_back({What::kResized, {}});
  ASSERT_TRUE(run().ok());
  EXPECT_EQ(screen_.shown[0].size(), 24U);
  EXPECT_EQ(screen_.shown[1].size(), 50U);
  EXPECT_EQ(kernel_.reads, 1U);
}

TEST_F(TopSession, AReadingThatFailsKeepsTheLastAndSaysSo) {
  screen_.sleep();
  Session session(kernel_, clock_, std::chrono::seconds(5), {[] {}, [](UsageRow&) {}, [] { return std::string(); }});
  ASSERT_TRUE(session.read().ok());
  kernel_.failing = true;
  EXPECT_EQ(session.read().error().message, "the kernel is gone");
  EXPECT_THAT(session.text({}), HasSubstr("Obtb"));
  EXPECT_FALSE(run().ok());  // nothing at all to show
  EXPECT_TRUE(screen_.shown.empty());
}

TEST_F(TopSession, ARecordingStaysAtItsEndAndProblemsOfTheTrendAreShown) {
  problem_ = "trend.state: damaged";
  kernel_.ended = true;
  screen_.sleep();
  ASSERT_TRUE(run().ok());
  EXPECT_EQ(kernel_.reads, 1U);
  EXPECT_EQ(screen_.shown[0].back(), " trend.state: damaged");
  EXPECT_EQ(screen_.shown[1].back(), " the recording is over");
}

TEST_F(TopSession, AScreenThatGoesAwayEndsIt) {
  screen_.gone = true;
  EXPECT_EQ(run().error().message, "the terminal cannot be written");
}

}  // namespace
}  // namespace kmem::top
