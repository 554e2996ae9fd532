// Minutes, fives and half hours of the newest hours, value by value.
#include "exporter/trend/recent.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

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
      std::string bytes;
      base::WireWriter out(bytes);
      recent_.save_head(out);
      for (std::size_t number = 0; number < Recent::kSavedColumns; ++number) recent_.save_column(out, number);
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

}  // namespace
}  // namespace kmem::trend
