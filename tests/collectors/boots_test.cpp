#include "collectors/boots.h"

#include <gmock/gmock.h>

#include "tests/support/tag_usage.h"

namespace kmem {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr base::UnixMillis kStart = 1'767'225'600'000;

/// A machine whose recorder knows no boot time. Tags allocate each at its own pace; some only at the boot.
class Recorded {
 public:
  explicit Recorded(std::size_t tags, bool counted = true) : tags_(tags), counted_(counted) {}

  Snapshot after(std::int64_t ms) {
    now_ += ms;
    uptime_ += ms;
    Snapshot out;
    out.time = kStart + now_;
    for (std::size_t i = 0; i < tags_; ++i) {
      TagUsage tag = test::tag_usage(Pool::kNonpaged, "T" + std::to_string(i), bytes(i));
      if (counted_) {
        tag.counter_bits = 32;
        const bool at_boot_only = i % 4 == 3;
        const auto pace = static_cast<std::uint64_t>(at_boot_only ? 0 : 1 + i * i);
        tag.allocations =
            (50 + (at_boot_only ? boots_ % 3 : 0) + pace * static_cast<std::uint64_t>(uptime_ / 1000)) & 0xFFFF'FFFF;
      }
      out.tags.push_back(tag);
    }
    return out;
  }
  Snapshot reboot(std::int64_t down_ms, std::int64_t up_ms) {
    now_ += down_ms;
    uptime_ = 0;
    ++boots_;
    return after(up_ms);
  }

 private:
  [[nodiscard]] std::uint64_t bytes(std::size_t i) const {
    // Caches fill within days of a boot.
    const double days = static_cast<double>(uptime_) / kDay;
    return static_cast<std::uint64_t>((1e5 + 1e3 * static_cast<double>(i)) * (1 + 4 * days / (days + 1)));
  }
  std::size_t tags_;
  bool counted_;
  std::int64_t now_ = 0, uptime_ = 0;
  std::uint64_t boots_ = 0;
};

TEST(Boots, ARecordingThatTellsOfABootOnlyOnceItSawOne) {
  // sar: nothing until its restart line.
  const auto reading = [](std::int64_t at, std::optional<std::int64_t> boot) {
    Snapshot out;
    out.time = kStart + at;
    if (boot) out.boot_time = kStart + *boot;
    return out;
  };
  Boots boots;
  EXPECT_FALSE(boots.note(reading(0, {})).is_new);
  EXPECT_FALSE(boots.note(reading(kHour, {})).is_new);
  const Boot& after = boots.note(reading(2 * kHour, kHour + 50 * kMinute));
  EXPECT_TRUE(after.is_new);
  EXPECT_EQ(after.start, kStart + kHour + 50 * kMinute);
  EXPECT_FALSE(boots.note(reading(3 * kHour, kHour + 50 * kMinute)).is_new);

  // One from before that is told late is none.
  Boots late;
  (void)late.note(reading(0, {}));
  EXPECT_FALSE(late.note(reading(kHour, -kMinute)).is_new);
}

TEST(Boots, WithoutBootTimesWeeklyRebootsAreSeenByTheCountersAndNothingElseIs) {
  for (const std::size_t tags : {1U, 3U, 40U}) {
    Recorded machine(tags);
    Boots boots;
    std::uint64_t seen = 0;
    std::vector<std::int64_t> starts;
    boots.note(machine.after(kHour));
    for (int week = 0; week < 4; ++week) {
      for (int hour = 0; hour < 7 * 24; ++hour) seen += boots.note(machine.after(kHour)).is_new ? 1 : 0;
      const Boot& boot = boots.note(machine.reboot(10 * kMinute, 50 * kMinute));
      EXPECT_TRUE(boot.is_new) << tags << " tags, week " << week;
      EXPECT_FALSE(boot.reading.boot_time) << "it is not known";
      ASSERT_TRUE(boot.start);
      EXPECT_NEAR(static_cast<double>(boot.reading.time - *boot.start), 50.0 * kMinute, 21.0 * kMinute);
    }
    EXPECT_EQ(seen, 0U) << tags;
    EXPECT_EQ(boots.now().reading.number, 5U);
    EXPECT_THAT(boots.how_words(), HasSubstr("most counters of allocations fell together, seen 4 times"));
  }
}

TEST(Boots, ACounterThatWrapsATagThatVanishesAndOneThatComesBackAreNoBoot) {
  Boots boots;
  Recorded machine(40);
  boots.note(machine.after(kDay));
  Snapshot wrapped = machine.after(kHour);
  wrapped.tags[5].allocations = 0xFFFF'FF00;
  boots.note(wrapped);
  wrapped = machine.after(kHour);
  wrapped.tags[5].allocations = 0x100;
  EXPECT_FALSE(boots.note(wrapped).is_new);
  Snapshot fewer = machine.after(kHour);
  fewer.tags[5].allocations = 0x200;
  fewer.tags.erase(fewer.tags.begin() + 10, fewer.tags.begin() + 30);
  EXPECT_FALSE(boots.note(fewer).is_new);
  Snapshot again = machine.after(kHour);
  again.tags[5].allocations = 0x300;
  for (std::size_t i = 10; i < 30; ++i) again.tags[i].allocations = 1;  // drivers that were loaded anew
  EXPECT_FALSE(boots.note(again).is_new);

  Boots single;
  Recorded alone(1);
  Snapshot only = alone.after(kHour);
  only.tags[0].allocations = 0xFFFF'0000;
  single.note(only);
  only = alone.after(kHour);
  only.tags[0].allocations = 7;
  EXPECT_FALSE(single.note(only).is_new) << "one counter through its end";
}

TEST(Boots, WhereNothingIsCountedMemoryThatFallsFarIsAGuessAndSaidToBeOne) {
  Recorded machine(40, false);
  Boots boots;
  std::uint64_t seen = 0;
  for (int hour = 0; hour < 7 * 24; ++hour) seen += boots.note(machine.after(kHour)).is_new ? 1 : 0;
  EXPECT_EQ(seen, 0U);
  EXPECT_THAT(boots.how_words(), HasSubstr("none was seen"));
  // A service that ends gives back a quarter of the tags.
  Snapshot ended = machine.after(kHour);
  for (std::size_t i = 0; i < 10; ++i) ended.tags[i].bytes /= 10;
  EXPECT_FALSE(boots.note(ended).is_new);
  EXPECT_FALSE(boots.note(machine.after(kHour)).is_new);
  EXPECT_TRUE(boots.note(machine.reboot(kMinute, kHour)).is_new);
  EXPECT_THAT(boots.how_words(), HasSubstr("may be none, seen once"));
}

TEST(Boots, OfTooFewTagsIsSaidThatARebootIsNotSeen) {
  Recorded machine(2, false);
  Boots boots;
  for (int hour = 0; hour < 24; ++hour) boots.note(machine.after(kHour));
  EXPECT_FALSE(boots.note(machine.reboot(kMinute, kHour)).is_new);
  EXPECT_EQ(
      boots.how_words(),
      "no boot times are given, nor are allocations counted, and there are too few tags (2 of 16) to see a reboot by their "
      "memory: one is taken for growth given back");
  EXPECT_TRUE(boots.is_blind());
}

TEST(Boots, OfFewTagsNearlyAllMustFall) {
  Recorded machine(9, false);
  Boots boots;
  for (int hour = 0; hour < 24; ++hour) EXPECT_EQ(boots.note(machine.after(kHour)).reading.number, 1U);
  Snapshot ended = machine.after(kHour);
  for (std::size_t i = 0; i < 7; ++i) ended.tags[i].bytes /= 10;
  EXPECT_FALSE(boots.note(ended).is_new) << "two stay";
  EXPECT_FALSE(boots.note(machine.after(kHour)).is_new);
  EXPECT_TRUE(boots.note(machine.reboot(kMinute, kHour)).is_new);
  EXPECT_THAT(boots.how_words(), HasSubstr("may be none, seen once"));
  EXPECT_FALSE(boots.is_blind());
}

/// Of twenty tags of 1 MB: so many fall to so much of it, others rise by a tenth more than they may.
bool falls_of_twenty(std::size_t fallen, double to, std::size_t risen = 0, std::size_t tiny = 0) {
  Boots boots;
  Snapshot snapshot;
  snapshot.time = kStart;
  const auto name = [](std::size_t i) { return "T" + std::to_string(i); };
  for (std::size_t i = 0; i < 20 + tiny; ++i)
    snapshot.tags.push_back(test::tag_usage(Pool::kNonpaged, name(i), i < 20 ? 1'000'000 : 4000));
  boots.note(snapshot);
  snapshot.time += kHour;
  for (std::size_t i = 0; i < fallen; ++i) snapshot.tags[i].bytes = static_cast<std::uint64_t>(1e6 * to);
  for (std::size_t i = 0; i < risen; ++i) snapshot.tags[19 - i].bytes = 1'200'000;
  return boots.note(snapshot).is_new;
}

TEST(Boots, OfManyTagsTwoThirdsFallFarAndFewRise) {
  EXPECT_TRUE(falls_of_twenty(14, 0.1));
  EXPECT_FALSE(falls_of_twenty(13, 0.1)) << "less than two thirds";
  EXPECT_TRUE(falls_of_twenty(14, 0.1, 2));
  EXPECT_FALSE(falls_of_twenty(14, 0.1, 3)) << "more than a tenth rises";
  EXPECT_TRUE(falls_of_twenty(20, 0.65));
  EXPECT_FALSE(falls_of_twenty(20, 0.75)) << "not far together";
  EXPECT_TRUE(falls_of_twenty(14, 0.1, 0, 10)) << "what is less than a page is not counted";
}

TEST(Boots, OfFewOneInEightMayStay) {
  const auto falls_but = [](std::size_t staying) {
    Recorded machine(9, false);
    Boots boots;
    boots.note(machine.after(kDay));
    Snapshot fallen = machine.after(kHour);
    for (std::size_t i = staying; i < fallen.tags.size(); ++i) fallen.tags[i].bytes /= 10;
    return boots.note(fallen).is_new;
  };
  EXPECT_TRUE(falls_but(1));
  EXPECT_FALSE(falls_but(2));
}

TEST(Boots, TotalsThatAllFallFarAreOne) {
  Boots boots;
  Snapshot snapshot;
  const auto note = [&](std::int64_t hour, std::uint64_t nonpaged, std::uint64_t paged, std::uint64_t commit) {
    snapshot.time = kStart + hour * kHour;
    snapshot.pools = {{Pool::kNonpaged, nonpaged << 20, {}, {}, {}, {}}, {Pool::kPaged, paged << 20, {}, {}, {}, {}}};
    snapshot.commit_bytes = commit << 20;
    return boots.note(snapshot).is_new;
  };
  note(0, 400, 300, 4000);
  EXPECT_FALSE(note(1, 100, 100, 3900)) << "commit stays";
  EXPECT_FALSE(note(2, 400, 300, 4000));
  EXPECT_FALSE(note(3, 300, 250, 1000)) << "by less than a third";
  EXPECT_FALSE(note(4, 400, 300, 4000));
  EXPECT_FALSE(note(5, 400, 90, 1000)) << "one pool stays";
  EXPECT_FALSE(note(6, 400, 300, 4000));
  EXPECT_TRUE(note(7, 120, 90, 1200));
  EXPECT_EQ(boots.now().reading.number, 2U);
  EXPECT_EQ(boots.now().start, kStart + 13 * kHour / 2);
}

TEST(Boots, CachesThatTheKernelTakesBackAndSitesOfCodeAreNoSign) {
  const auto seen = [](Pool pool) {
    Boots boots;
    Snapshot snapshot;
    snapshot.time = kStart;
    for (std::size_t i = 0; i < 20; ++i) snapshot.tags.push_back(test::tag_usage(pool, "T" + std::to_string(i), 1'000'000));
    boots.note(snapshot);
    snapshot.time += kHour;
    for (TagUsage& tag : snapshot.tags) tag.bytes = 100'000;
    return boots.note(snapshot).is_new;
  };
  EXPECT_TRUE(seen(Pool::kSlabUnreclaimable));
  EXPECT_FALSE(seen(Pool::kSlabReclaimable));
  EXPECT_FALSE(seen(Pool::kAllocinfo));
}

TEST(Boots, ABootThatIsInferredBeganAtMostAnHourBefore) {
  Recorded machine(20, false);
  Boots boots;
  for (int day = 0; day < 4; ++day) boots.note(machine.after(kDay));
  const Snapshot booted = machine.reboot(kDay - kHour, kHour);
  EXPECT_TRUE(boots.note(booted).is_new);
  EXPECT_EQ(boots.now().start, booted.time - kHour);
}

TEST(Boots, AreNotBlindWhereBootsAreTimedOrCountedOrTagsAreMany) {
  const auto blind = [](Recorded machine, bool timed) {
    Boots boots;
    for (int hour = 0; hour < 3; ++hour) {
      Snapshot snapshot = machine.after(kHour);
      if (timed) snapshot.boot_time = kStart - kDay;
      boots.note(snapshot);
    }
    return boots.is_blind();
  };
  EXPECT_TRUE(blind(Recorded(9, false), false));
  EXPECT_FALSE(blind(Recorded(9, false), true));
  EXPECT_FALSE(blind(Recorded(9), false));
  EXPECT_FALSE(blind(Recorded(20, false), false));
  EXPECT_FALSE(Boots().is_blind());
}

TEST(Boots, ABootTimeThatComesAfterTheCountersHaveToldIsNoSecondBoot) {
  Recorded machine(20);
  Boots boots;
  Snapshot timed = machine.after(kDay);
  timed.boot_time = kStart - kDay;
  boots.note(timed);
  boots.note(machine.after(kHour));
  EXPECT_TRUE(boots.note(machine.reboot(kMinute, kHour)).is_new);
  timed = machine.after(kHour);
  timed.boot_time = timed.time - 2 * kHour;
  EXPECT_FALSE(boots.note(timed).is_new);
  EXPECT_EQ(boots.now().start, timed.boot_time);
  EXPECT_EQ(boots.now().reading.number, 2U);
}

TEST(Boots, TheMostFreePtesAreOfTheBootWhateverTheClockDoes) {
  Boots boots;
  Snapshot snapshot;
  const auto most = [&](std::int64_t wall, std::int64_t boot, std::uint64_t ptes) {
    snapshot.time = kStart + wall;
    snapshot.boot_time = kStart + boot;
    snapshot.system_ptes_free = ptes;
    return boots.note(snapshot).system_ptes_max;
  };
  EXPECT_EQ(most(0, -kDay, 50'000), 50'000U);
  EXPECT_EQ(most(kMinute, -kDay, 40'000), 50'000U);
  EXPECT_EQ(most(2 * kMinute + 45'000, -kDay + 45'000, 30'000), 50'000U) << "set 45 s forward";
  EXPECT_EQ(most(3 * kMinute - 3 * kHour, -kDay - 3 * kHour, 20'000), 50'000U) << "and 3 hours back";
  EXPECT_EQ(boots.now().reading.number, 1U);
  EXPECT_EQ(most(10 * kMinute, 9 * kMinute, 10'000), 10'000U);
  EXPECT_EQ(boots.now().reading.number, 2U);

  Boots later;
  later.resume({kStart + 10 * kMinute, kStart + 9 * kMinute}, 10'000);
  snapshot.system_ptes_free = 9'000;
  snapshot.time += kHour;
  EXPECT_EQ(later.note(snapshot).system_ptes_max, 10'000U);
  EXPECT_FALSE(later.now().is_new);
  Boots rebooted;
  rebooted.resume({kStart + 10 * kMinute, kStart - 9 * kDay}, 10'000);
  EXPECT_EQ(rebooted.note(snapshot).system_ptes_max, 9'000U);
  EXPECT_TRUE(rebooted.now().is_new);
}

TEST(Boots, OneLiveProcessSeesOneBoot) {
  Boots boots;
  Snapshot snapshot;
  snapshot.time = kStart;
  snapshot.boot_time = kStart - 10'000;
  boots.note(snapshot, true);
  snapshot.time += 25 * 365 * kDay + 8'000;
  *snapshot.boot_time += 25 * 365 * kDay;
  EXPECT_FALSE(boots.note(snapshot, true).is_new);
  snapshot.time += 45'000 + 3'000;
  *snapshot.boot_time += 45'000;
  EXPECT_FALSE(boots.note(snapshot, true).is_new);
}

}  // namespace
}  // namespace kmem
