// When a zone's clock is put on and back, to the hour.
#include <gtest/gtest.h>

#include <chrono>

#include "collectors/history/zone_names.h"

namespace kmem::history {
namespace {

/// Of a local time on that day, minutes after midnight.
base::UnixMillis local_at(int year, unsigned month, unsigned day, int minute) {
  const std::chrono::sys_days date = std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  return std::chrono::duration_cast<std::chrono::milliseconds>(date.time_since_epoch()).count() + minute * 60'000LL;
}

/// Minutes east a minute before the clock is changed at that hour of its own, and then.
void expect_change(const Zone& zone, base::UnixMillis at, int before, int then) {
  EXPECT_EQ(minutes_east(zone, at - 60'000), before);
  EXPECT_EQ(minutes_east(zone, at), then);
}

TEST(ZoneClocks, NorthAmericaHasHadItsRuleSince2007) {
  const Zone eastern{-300, SummerTime::kNorthAmerica};
  expect_change(eastern, local_at(2006, 4, 2, 120), -300, -240);
  expect_change(eastern, local_at(2006, 10, 29, 120), -240, -300);
  expect_change(eastern, local_at(2007, 3, 11, 120), -300, -240);
  expect_change(eastern, local_at(2007, 11, 4, 120), -240, -300);
  expect_change(eastern, local_at(2026, 3, 8, 120), -300, -240);
}

TEST(ZoneClocks, SouthOfTheEquatorSummerIsAtTheYearsEnds) {
  const Zone sydney{600, SummerTime::kAustralia}, auckland{720, SummerTime::kNewZealand};
  expect_change(sydney, local_at(2026, 4, 5, 180), 660, 600);
  expect_change(sydney, local_at(2026, 10, 4, 120), 600, 660);
  expect_change(auckland, local_at(2026, 4, 5, 180), 780, 720);
  expect_change(auckland, local_at(2026, 9, 27, 120), 720, 780);
}

TEST(ZoneClocks, EuropeChangesAtOneMomentEverywhere) {
  for (const int minutes : {0, 60, 120}) {
    const Zone zone{minutes, SummerTime::kEurope};
    expect_change(zone, local_at(2026, 3, 29, 60 + minutes), minutes, minutes + 60);
    expect_change(zone, local_at(2026, 10, 25, 120 + minutes), minutes + 60, minutes);
  }
}

}  // namespace
}  // namespace kmem::history
