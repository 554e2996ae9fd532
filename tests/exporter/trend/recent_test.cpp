// Minutes, fives and half hours of the newest hours, value by value.
#include "exporter/trend/recent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>

#include "exporter/trend/history.h"
#include "tests/exporter/trend/start.h"

namespace kmem::trend {
namespace {

/// One subject; a value for each minute from the start on.
class RecentTest : public testing::Test {
 protected:
  RecentTest() { recent_.add_subject(); }
  void look(std::int64_t minute, float value) {
    recent_.advance(kStart + minute * Recent::kMinuteMs);
    recent_.note(0, value);
  }
  [[nodiscard]] std::string saved() const {
    std::string bytes;
    base::WireWriter out(bytes);
    recent_.save_head(out);
    for (std::size_t number = 0; number < Recent::kSavedColumns; ++number) recent_.save_column(out, number);
    return bytes;
  }
  Recent recent_;
};

TEST_F(RecentTest, TheHighestOfHalfHoursIsOfTheirFloorsAndTakenOnce) {
  for (int minute = 0; minute < 120; ++minute) {
    const int half = minute / 30;
    const float floor = half == 0 ? 3 : half == 1 ? 20 : half == 2 ? 7 : 50;
    look(minute, minute % 30 == 4 ? floor : 90);
    if (minute == 30) { EXPECT_EQ(recent_.take_high(0), 3); }
    if (minute == 31) { EXPECT_TRUE(std::isnan(recent_.take_high(0))) << "taken"; }
    if (minute == 60) { EXPECT_EQ(recent_.take_high(0), 20) << "of the second alone"; }
  }
  look(120, 1);
  EXPECT_EQ(recent_.take_high(0), 50) << "the higher of two";
}

TEST_F(RecentTest, ANewcomerHasNoHighs) {
  for (int minute = 0; minute < 50; ++minute) look(minute, 9);
  recent_.clear_subject(0);
  for (int minute = 50; minute < 61; ++minute) look(minute, 4);
  EXPECT_EQ(recent_.take_high(0), 4);
}

TEST_F(RecentTest, AGapIsEmptyAfterTheRingsHaveGoneRoundAndAfterARestart) {
  for (const bool restart : {false, true}) {
    recent_ = {};
    recent_.add_subject();
    std::int64_t minute = 0;
    for (; minute < 500; ++minute) look(minute, static_cast<float>(minute));
    if (restart) {
      const std::string bytes = saved();
      base::WireReader in(bytes);
      recent_.load(in, 1, kStart + (minute - 1) * Recent::kMinuteMs);
      ASSERT_TRUE(in.finish().ok());
    }
    look(501, 501);  // nobody saw minute 500
    Recent::Lines lines = recent_.lines(0);
    EXPECT_EQ(lines.minutes[Recent::kMinutes], 501);
    EXPECT_TRUE(std::isnan(lines.minutes[Recent::kMinutes - 1]));
    EXPECT_EQ(lines.minutes[Recent::kMinutes - 2], 499);
    EXPECT_EQ(lines.minutes[0], 461);
    EXPECT_EQ(lines.fives[Recent::kFives], 501);
    EXPECT_EQ(lines.fives[Recent::kFives - 1], 495);
    look(511, 511);  // nobody saw the five from 505 on
    lines = recent_.lines(0);
    EXPECT_EQ(lines.fives[Recent::kFives], 511);
    EXPECT_TRUE(std::isnan(lines.fives[Recent::kFives - 1]));
    EXPECT_EQ(lines.fives[Recent::kFives - 2], 501);
    EXPECT_EQ(lines.fives[Recent::kFives - 3], 495);
  }
}

// Fives are kept by their minutes at first: whatever minutes were seen, they are what two plain maps would hold, and what
// is saved is what a reader of it saves again.
TEST_F(RecentTest, FivesAreTheLowestOfTheirMinutesWhateverWasMissed) {
  std::map<std::int64_t, float> minutes, fives;
  const std::int64_t first = kStart / Recent::kMinuteMs;
  const auto keep = [](std::map<std::int64_t, float>& lows, std::int64_t at, float value) {
    const auto [low, is_new] = lows.try_emplace(at, value);
    if (!is_new) low->second = std::min(low->second, value);
  };
  const auto same = [](const std::map<std::int64_t, float>& lows, std::int64_t at, float got) {
    const auto low = lows.find(at);
    return low == lows.end() ? std::isnan(got) : got == low->second;
  };
  std::uint64_t noise = 88172645463325252ULL;
  std::int64_t minute = 0;
  for (int step = 0; step < 3000; ++step) {
    noise ^= noise << 13, noise ^= noise >> 7, noise ^= noise << 17;
    const std::uint64_t form = noise >> 40;
    minute += form % 8 < 6     ? 1
              : form % 8 == 6  ? static_cast<std::int64_t>(form / 8 % 12)
              : form % 64 < 56 ? static_cast<std::int64_t>(form / 64 % 60)
                               : static_cast<std::int64_t>(form / 64 % 500);
    const auto value = static_cast<float>(noise % 1000);
    look(minute, value);
    keep(minutes, first + minute, value);
    keep(fives, (first + minute) / 5, value);
    const Recent::Lines lines = recent_.lines(0);
    for (std::int64_t back = 0; back <= static_cast<std::int64_t>(Recent::kMinutes); ++back)
      ASSERT_TRUE(same(minutes, first + minute - back, lines.minutes[Recent::kMinutes - static_cast<std::size_t>(back)]))
          << "step " << step << ", minute " << back;
    for (std::int64_t back = 0; back <= static_cast<std::int64_t>(Recent::kFives); ++back)
      ASSERT_TRUE(same(fives, (first + minute) / 5 - back, lines.fives[Recent::kFives - static_cast<std::size_t>(back)]))
          << "step " << step << ", five " << back;
    if (step % 16 != 0) continue;
    const std::string bytes = saved();
    base::WireReader in(bytes);
    recent_.load(in, 1, kStart + minute * Recent::kMinuteMs);
    ASSERT_TRUE(in.finish().ok());
    ASSERT_EQ(saved(), bytes) << "step " << step;
  }
}

// What is open of a five and of a half hour has columns of its own in a saved history, which older programs take up.
TEST_F(RecentTest, TheOpenFiveAndHalfHourAreSaved) {
  for (int minute = 0; minute < 30 + 13; ++minute) look(minute, static_cast<float>(100 - minute));
  look(43, 500);
  const std::string bytes = saved();
  const auto column = [&](std::size_t number) {  // a length of one byte before each
    float value = 0;
    std::memcpy(&value, bytes.data() + 9 + number * (1 + sizeof value) + 1, sizeof value);
    return value;
  };
  ASSERT_EQ(bytes.size(), 9 + Recent::kSavedColumns * 5);
  const std::size_t open = Recent::kMinutes + Recent::kFives;
  EXPECT_EQ(column(open), 500);
  EXPECT_EQ(column(open + 1), 58) << "minutes 40 to 42";
  EXPECT_EQ(column(open + 2), 61) << "minutes 30 to 39";
  EXPECT_EQ(column(open + 3), 71) << "minutes 0 to 29";
  const std::int64_t five = kStart / Recent::kMinuteMs / 5;
  EXPECT_EQ(column(Recent::kMinutes + ring_slot(five + 7, Recent::kFives)), 61);
  EXPECT_EQ(column(Recent::kMinutes + ring_slot(five + 1, Recent::kFives)), 91);
  EXPECT_EQ(column(Recent::kMinutes + ring_slot(five, Recent::kFives)), 96) << "by itself";
  EXPECT_EQ(column(ring_slot(five * 5 + 42, Recent::kMinutes)), 58);
}

}  // namespace
}  // namespace kmem::trend
