#include "exporter/commands/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/manual_clock.h"

namespace kmem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

struct Watched {
  explicit Watched(bool is_terminal) : meter(clock, is_terminal, [this](std::string_view text) { texts.emplace_back(text); }) {
    meter.start("analyzing");
  }
  test::ManualClock clock;
  std::vector<std::string> texts;
  ProgressMeter meter;
};

TEST(Progress, ShortReadingsShowNothing) {
  for (const bool is_terminal : {false, true}) {
    Watched watched(is_terminal);
    watched.clock.advance(milliseconds(900));
    watched.meter.update({10, 20}, 5);
    watched.meter.finish();
    EXPECT_THAT(watched.texts, IsEmpty());
  }
}

TEST(Progress, ALineNowAndThenWhereNobodyWatches) {
  Watched watched(false);
  for (std::uint64_t second = 1; second <= 12; ++second) {
    watched.clock.advance(seconds(1));
    watched.meter.update({second, 20}, second * 100);
  }
  watched.meter.finish();
  EXPECT_THAT(watched.texts, ElementsAre("analyzing 25%, 500 snapshots\n", "analyzing 50%, 1000 snapshots\n"));
}

TEST(Progress, ABarOnATerminalIsDrawnOverAndTakenAway) {
  Watched watched(true);
  watched.clock.advance(seconds(1));
  watched.meter.update({10, 20}, 1000);
  watched.meter.update({11, 20}, 1001);  // too soon to be drawn
  watched.clock.advance(seconds(1));
  watched.meter.update({40, 20}, 9);  // a file that grew
  watched.meter.finish();
  const std::string half = "analyzing [###############...............] 50%, 1000 snapshots";
  EXPECT_THAT(watched.texts, ElementsAre("\r" + half, "\ranalyzing [##############################] 100%, 9 snapshots  ",
                                         "\r" + std::string(half.size() - 2, ' ') + "\r"));
}

TEST(Progress, APipeHasNoEndToMeasureBy) {
  Watched watched(true);
  watched.clock.advance(seconds(1));
  watched.meter.update({10, 0}, 3);
  EXPECT_THAT(watched.texts, ElementsAre("\ranalyzing, 3 snapshots"));
}

}  // namespace
}  // namespace kmem
