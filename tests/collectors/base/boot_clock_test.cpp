#include "collectors/base/boot_clock.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace kmem::base {
namespace {

constexpr std::int64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour, kYear = 365 * kDay;
constexpr UnixMillis kBoot = 1'700'000'000'000;

/// A machine with a clock that may be set: wall and boot time as its kernel tells them.
struct Machine {
  std::int64_t uptime = 0, true_boot = kBoot, offset = 0;
  [[nodiscard]] BootReading reading() const { return {true_boot + uptime + offset, true_boot + offset, 0}; }
  BootReading run(std::int64_t ms) {
    uptime += ms;
    return reading();
  }
  BootReading reboot(std::int64_t down_ms, std::int64_t up_ms) {
    true_boot += uptime + down_ms;
    uptime = up_ms;
    return reading();
  }
};

const std::vector<std::int64_t> kSteps = {kSecond, 4 * kSecond, 45 * kSecond, 61 * kSecond, 9 * kMinute, 11 * kMinute,
                                          kHour,   3 * kHour,   kDay,         20 * kDay,    kYear,       10 * kYear};

TEST(BootClock, AClockThatIsSetIsNoRebootWhicheverWayAndHoweverFar) {
  for (const std::int64_t uptime : {5 * kMinute, kHour, 3 * kDay, 40 * kDay}) {
    for (const std::int64_t size : kSteps) {
      for (const std::int64_t step : {size, -size}) {
        Machine machine;
        BootClock clock;
        clock.advance(machine.run(uptime));
        for (int i = 0; i < 4; ++i) EXPECT_FALSE(clock.advance(machine.run(15 * kSecond)).new_boot);
        machine.offset += step;
        const BootClock::News news = clock.advance(machine.run(15 * kSecond));
        EXPECT_FALSE(news.new_boot) << step << " after " << uptime;
        EXPECT_EQ(news.clock_step_ms, step);
        EXPECT_FALSE(clock.advance(machine.run(15 * kSecond)).new_boot);
        // And kept state finds the same boot after it.
        BootClock later(machine.reading());
        machine.offset -= step;
        const bool told_apart = size < uptime;
        EXPECT_TRUE(!later.advance(machine.run(5 * kMinute)).new_boot || !told_apart) << step << " after " << uptime;
      }
    }
  }
}

TEST(BootClock, AClockSetJustAfterTheBootIsNoRebootForTheProcessThatSawBoth) {
  Machine machine;
  BootClock clock;
  clock.advance(machine.run(10 * kSecond));
  machine.offset += 25 * kYear;  // the battery was flat
  EXPECT_FALSE(clock.advance(machine.run(7 * kSecond), true).new_boot);
  machine.offset += 45 * kSecond;
  EXPECT_FALSE(clock.advance(machine.run(3 * kSecond), true).new_boot);
}

TEST(BootClock, EveryQuickRebootIsOne) {
  for (const std::int64_t up : {30 * kSecond, 31 * kSecond, 5 * kMinute, 2 * kHour}) {
    for (const std::int64_t interval : {5 * kSecond, 15 * kSecond, 30 * kSecond}) {
      Machine machine;
      BootClock clock;
      int reboots = 0;
      clock.advance(machine.run(interval));
      for (int boot = 0; boot < 5; ++boot) {
        while (machine.uptime + interval <= up) reboots += clock.advance(machine.run(interval)).new_boot ? 1 : 0;
        reboots += clock.advance(machine.reboot(25 * kSecond, interval)).new_boot ? 1 : 0;
      }
      EXPECT_EQ(reboots, 5) << up << " by " << interval;
    }
  }
}

TEST(BootClock, ARebootBetweenTwoRunsIsSeenHoweverLongEachHadBeenUp) {
  for (const std::int64_t before : {30 * kSecond, kHour, 10 * kDay}) {
    for (const std::int64_t after : {30 * kSecond, 40 * kSecond, kHour, 2 * kHour, 11 * kDay}) {
      Machine machine;
      (void)machine.run(before);
      BootClock clock(machine.reading());
      EXPECT_TRUE(clock.advance(machine.reboot(40 * kSecond, after)).new_boot) << before << " then " << after;
      EXPECT_FALSE(clock.advance(machine.run(15 * kSecond)).new_boot);
    }
  }
}

TEST(BootClock, ARebootWithAClockThatFellBackToTheSeventiesIsOne) {
  Machine machine;
  BootClock clock;
  clock.advance(machine.run(10 * kDay));
  machine.offset = -50 * kYear;
  EXPECT_TRUE(clock.advance(machine.reboot(kMinute, kMinute)).new_boot);
}

TEST(BootClock, AClockThatIsSlewedWobblesOrIsTakenToTheSecondIsNone) {
  Machine machine;
  BootClock clock;
  for (int i = 0; i < 5000; ++i) {
    machine.offset += 30;  // half a millisecond a second: NTP's fastest
    BootReading reading = machine.run(kMinute);
    *reading.boot_time = *reading.boot_time / 1000 * 1000 + (i % 3 - 1) * 1000;
    ASSERT_FALSE(clock.advance(reading).new_boot) << i;
  }
}

/// A recorder that writes local time: an hour is twice there in autumn and not at all in spring.
TEST(BootClock, SummerTimeIsNoReboot) {
  for (const std::int64_t turn : {kHour, -kHour}) {
    Machine machine;
    BootClock clock;
    for (int i = 0; i < 30; ++i) clock.advance(machine.run(kHour));
    const BootReading fixed{machine.run(kHour).time + turn, kBoot, 0};  // whose boot time was written down once
    EXPECT_FALSE(clock.advance(fixed).new_boot);
    machine.offset = turn;
    EXPECT_FALSE(clock.advance(machine.run(kHour)).new_boot);
  }
}

TEST(BootClock, WithoutABootTimeNothingIsSaidAndTheLastKnownStays) {
  Machine machine;
  BootClock clock;
  clock.advance(machine.run(kDay));
  EXPECT_FALSE(clock.advance({machine.run(kHour).time, std::nullopt, 0}).new_boot);
  EXPECT_FALSE(clock.advance(machine.run(kHour)).new_boot);
  (void)machine.reboot(kMinute, kMinute);
  EXPECT_FALSE(clock.advance({machine.reading().time, std::nullopt, 0}).new_boot);
  EXPECT_TRUE(clock.advance(machine.run(kMinute)).new_boot);
}

TEST(BootClock, WhatIsToldCounts) {
  BootClock clock;
  EXPECT_FALSE(clock.advance({kBoot + kDay, kBoot, 3}).new_boot);
  EXPECT_FALSE(clock.advance({kBoot + 2 * kDay, kBoot + 2 * kDay, 3}).new_boot) << "whatever the times say";
  EXPECT_TRUE(clock.advance({kBoot + 2 * kDay, std::nullopt, 4}).new_boot);
  // Kept by an earlier run: nothing was told yet.
  BootClock later(BootReading{kBoot + kDay, kBoot, 0});
  EXPECT_TRUE(later.advance({kBoot + 2 * kDay, kBoot + 2 * kDay - kHour, 1}).new_boot);
}

TEST(BootClock, AbsurdTimesDoNotOverflow) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max(), kLeast = std::numeric_limits<std::int64_t>::min();
  BootClock clock;
  for (const std::int64_t time : {kMost, kLeast, std::int64_t{0}, kBoot})
    for (const std::int64_t boot : {kLeast, kMost, std::int64_t{0}}) clock.advance({time, boot, 0});
  BootClock kept(BootReading{kLeast, kMost, 0});
  kept.advance({kMost, kLeast, 0});
}

}  // namespace
}  // namespace kmem::base
