// A steeper growth within a surge that is told.
#include <gtest/gtest.h>

#include "exporter/trend/surge.h"

namespace kmem::trend {
namespace {

/// Of a surge of 1000 minutes by 1000: the last `minutes` of it by so much at that pace, a day.
bool is_steeper_of(double minutes, double growth, double pace_a_day, bool ends_soon = true, bool end_is_known = true) {
  SurgeSigns signs;
  signs.minutes = minutes, signs.growth = growth, signs.pace_per_day = pace_a_day;
  signs.ends_soon = ends_soon;
  return is_steeper(signs, 1000, 1000, end_is_known);
}

TEST(SteeperSurge, GrowsAtTwiceThePaceBefore) {
  // 600 in the 600 minutes before: one a minute, 1440 a day.
  EXPECT_TRUE(is_steeper_of(400, 400, 2900));
  EXPECT_FALSE(is_steeper_of(400, 400, 2860));
  // 300 in them: half of that.
  EXPECT_TRUE(is_steeper_of(400, 700, 1450));
  EXPECT_FALSE(is_steeper_of(400, 700, 1430));
  EXPECT_TRUE(is_steeper_of(400, 1200, 1)) << "nothing grew before";
}

TEST(SteeperSurge, IsNewerThanHalfAndEndsSoonWhereAnEndIsKnown) {
  EXPECT_TRUE(is_steeper_of(490, 490, 1e6));
  EXPECT_FALSE(is_steeper_of(510, 510, 1e6));
  EXPECT_FALSE(is_steeper_of(400, 400, 1e6, false));
  EXPECT_TRUE(is_steeper_of(400, 400, 1e6, false, false)) << "no limit is known";
  EXPECT_FALSE(is_steeper_of(510, 510, 1e6, false, false));
}

}  // namespace
}  // namespace kmem::trend
