#include "exporter/page/rates.h"

#include <gtest/gtest.h>

namespace kmem::page {
namespace {

Snapshot reading(base::UnixMillis time, std::uint64_t allocations, std::uint8_t bits = 32) {
  Snapshot snapshot;
  snapshot.time = time;
  snapshot.boot_time = 5'000'000;
  TagUsage tag;
  tag.key = 42;
  tag.allocations = allocations;
  tag.counter_bits = bits;
  TagUsage other = tag;
  other.key = 7;
  snapshot.tags = {tag, other};
  return snapshot;
}

TEST(Rates, AreOfTheLastTwoTicks) {
  Rates rates;
  EXPECT_FALSE(rates.per_second(42));
  rates.note(reading(10'000, 100));
  EXPECT_FALSE(rates.per_second(42)) << "one reading has no rate";
  rates.note(reading(70'000, 700));
  EXPECT_EQ(rates.per_second(42), 10);
  EXPECT_EQ(rates.per_second(7), 10);
  EXPECT_FALSE(rates.per_second(8));
  rates.note(reading(130'000, 700));
  EXPECT_EQ(rates.per_second(42), 0);
}

TEST(Rates, StayWhereARecordingEnds) {
  Rates rates;
  rates.note(reading(10'000, 100));
  rates.note(reading(70'000, 700));
  rates.note(reading(70'000, 700));
  EXPECT_EQ(rates.per_second(42), 10);
}

TEST(Rates, KnowThatCountersWrap) {
  Rates rates;
  rates.note(reading(0, 0xFFFF'FFF0));
  rates.note(reading(1'000, 16));
  EXPECT_EQ(rates.per_second(42), 32);
  rates.note(reading(2'000, 1ULL << 33, 64));
  rates.note(reading(3'000, (1ULL << 33) + 5, 64));
  EXPECT_EQ(rates.per_second(42), 5);
}

TEST(Rates, AreUnknownAfterARebootAStandingClockAndWithoutCounters) {
  Rates rates;
  rates.note(reading(0, 100));
  rates.note(reading(0, 200));
  EXPECT_FALSE(rates.per_second(42));
  Snapshot rebooted = reading(60'000, 300);
  rebooted.boot_time = 90'000'000;
  rates.note(rebooted);
  EXPECT_FALSE(rates.per_second(42));
  rates.note(reading(120'000, 400, 0));
  EXPECT_FALSE(rates.per_second(42));
}

}  // namespace
}  // namespace kmem::page
