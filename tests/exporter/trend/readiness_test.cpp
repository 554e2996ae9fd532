// Whether silence means anything: what the history suffices for, and what it lacks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "exporter/trend/engine.h"

namespace kmem::trend {
namespace {

constexpr std::int64_t kReadingsStart = 1'767'225'600'000;
constexpr std::int64_t kLongUp = kReadingsStart - 30 * kDayMs;

/// One reading: a tag that holds so much, and a reclaimable cache that holds a hundred times that.
void look(TrendEngine& engine, double hour, double megabytes = 100, std::int64_t boot_ms = kLongUp) {
  Sample leak, cache;
  leak.pool = Pool::kNonpaged;
  leak.text = "Leak";
  leak.amount = static_cast<std::uint64_t>(megabytes * 1e6);
  cache.pool = Pool::kSlabReclaimable;
  cache.text = "dentry";
  cache.amount = 100 * leak.amount;
  const std::vector<Sample> samples = {leak, cache};
  engine.observe({kReadingsStart + std::llround(hour * kHourMs), boot_ms, samples});
}
Readiness after(double hours, double every = 1) {
  TrendEngine engine;
  for (double hour = 0; hour <= hours; hour += every) look(engine, hour);
  return engine.readiness();
}

TEST(Readiness, NothingSeenLacksAWeek) {
  const Readiness none = TrendEngine().readiness();
  EXPECT_FALSE(none.judged);
  EXPECT_EQ(none.days_lacking, 7);
  EXPECT_EQ(readiness_words(none), "telling a leak takes 7 more days of readings");
}

TEST(Readiness, CountsDownInDaysAndThenInHours) {
  EXPECT_EQ(readiness_words(after(0)), "telling a leak takes 7 more days of readings");
  EXPECT_EQ(readiness_words(after(3 * 24)), "telling a leak takes 4 more days of readings");
  EXPECT_EQ(readiness_words(after(6 * 24)), "telling a leak takes 24 more hours of readings");
  EXPECT_EQ(readiness_words(after(7 * 24 - 1)), "telling a leak takes 4 more hours of readings");
  const Readiness week = after(7 * 24);
  EXPECT_TRUE(week.judged);
  EXPECT_EQ(week.days_lacking, 0);
  EXPECT_EQ(readiness_words(week), "");
  EXPECT_FALSE(week.largest);
}

TEST(Readiness, FewReadingsLackInNumber) {
  EXPECT_FALSE(after(14 * 24, 7 * 24).judged);
  EXPECT_EQ(readiness_words(after(14 * 24, 7 * 24)), "telling a leak takes readings on 6 days, there are 3");
  EXPECT_TRUE(after(5 * 7 * 24 + 1, 7 * 24).judged);
  EXPECT_TRUE(after(9 * 24, 24).judged);
}

TEST(Readiness, TheDayAfterABootSaysNothing) {
  TrendEngine engine;
  for (int hour = 0; hour <= 24; ++hour) look(engine, hour, 100, kReadingsStart);
  EXPECT_EQ(engine.readiness().days, 0);
  EXPECT_EQ(readiness_words(engine.readiness()), "telling a leak takes 7 more days of readings");
  for (int hour = 25; hour <= 7 * 24; ++hour) look(engine, hour, 100, kReadingsStart);
  EXPECT_FALSE(engine.readiness().judged);
  for (int hour = 7 * 24 + 1; hour <= 8 * 24; ++hour) look(engine, hour, 100, kReadingsStart);
  EXPECT_TRUE(engine.readiness().judged);
}

TEST(Readiness, HandlesThatLeaveAllBeforeAreNotComparedWithBytes) {
  TrendEngine engine;
  const auto look_at = [&engine](double hour, double handles) {
    Sample noise, process;
    noise.pool = Pool::kNonpaged, noise.text = "Even";
    noise.amount = static_cast<std::uint64_t>(50e6 + 1e3 * hour);
    process.kind = Kind::kHandles, process.text = "svc.exe", process.amount = static_cast<std::uint64_t>(handles);
    const std::vector<Sample> samples = {noise, process};
    engine.observe({kReadingsStart + std::llround(hour * kHourMs), kLongUp, samples});
  };
  for (int hour = 0; hour < 10 * 24; ++hour) look_at(hour, 2000);
  for (int five = 0; five <= 12; ++five) look_at(10 * 24 + five / 12.0, 2000 + 150 * five);
  const auto largest = engine.readiness().largest;
  ASSERT_TRUE(largest);
  EXPECT_EQ(largest->kind, Kind::kHandles) << largest->text;
  EXPECT_TRUE(largest->is_beyond);
  EXPECT_NEAR(largest->amount, 1800, 300);
}

TEST(Readiness, GrowthBeganWhereItRoseAndNotWhereTheDayDid) {
  TrendEngine engine;
  const int begin = 10 * 24 + 6;
  for (int hour = 0; hour <= begin + 6; ++hour)
    look(engine, hour, 100 + 10 * std::sin(hour * std::acos(-1) / 12) + 40 * std::max(0, hour - begin));
  const auto largest = engine.readiness().largest;
  ASSERT_TRUE(largest && largest->is_large);
  EXPECT_NEAR(largest->seconds / 3600, 6, 1.1);
}

TEST(Readiness, WhatAnEarlierBootHasShownStays) {
  TrendEngine engine;
  for (int hour = 0; hour <= 10 * 24; ++hour) look(engine, hour);
  for (int hour = 10 * 24 + 1; hour <= 11 * 24; ++hour) look(engine, hour, 100, kReadingsStart + 10 * kDayMs + kHourMs / 2);
  EXPECT_TRUE(engine.readiness().judged);
}

TEST(Readiness, ShortBootsSufficeTogether) {
  TrendEngine engine;
  const auto up_to = [&](int from_day, int to_day) {
    for (int hour = from_day * 24; hour < to_day * 24; ++hour)
      look(engine, hour, 100, kReadingsStart + hour / (6 * 24) * 6 * kDayMs);
  };
  up_to(0, 30);
  EXPECT_FALSE(engine.readiness().judged) << "five boots of six days, of which one does not count: 25 days";
  up_to(30, 36);
  EXPECT_TRUE(engine.readiness().judged);
}

TEST(Readiness, OfBootsThatDoNotLastOneThatDoesIsMissing) {
  TrendEngine nightly;
  for (int day = 0; day < 14; ++day)
    for (int hour = 8; hour < 20; ++hour) look(nightly, day * 24 + hour, 100, kReadingsStart + day * kDayMs + 8 * kHourMs);
  EXPECT_EQ(readiness_words(nightly.readiness()),
            "telling a leak takes a boot that lasts 8 days, or seven of 5 days; of 14 the longest has 12 hours of readings");
  TrendEngine fourth;
  for (int hour = 0; hour < 30 * 24; ++hour) look(fourth, hour, 100, kReadingsStart + hour / 96 * 4 * kDayMs);
  EXPECT_THAT(readiness_words(fourth.readiness()), testing::EndsWith("of 8 the longest has 4 days of readings"));
  TrendEngine third;
  for (int hour = 0; hour < 21 * 24; ++hour) look(third, hour, 100, kReadingsStart + hour / 72 * 3 * kDayMs);
  EXPECT_EQ(readiness_words(third.readiness()),
            "telling a leak takes a boot that lasts 8 days, or seven of 5 days; of 7 the longest has 3 days of readings");
  for (int hour = 21 * 24; hour < 27 * 24; ++hour) look(third, hour, 100, kReadingsStart + 21 * kDayMs);
  EXPECT_EQ(readiness_words(third.readiness()), "telling a leak takes 3 more days of readings") << "this one lasts";
}

TEST(Readiness, NamesWhatGrewMostOfWhatMayLeak) {
  TrendEngine engine;
  for (int hour = 0; hour <= 72; ++hour) look(engine, hour, 100 + 0.25 * hour);
  const Readiness young = engine.readiness();
  ASSERT_TRUE(young.largest);
  EXPECT_EQ(young.largest->text, "Leak");
  EXPECT_EQ(young.largest->pool, Pool::kNonpaged);
  EXPECT_NEAR(young.largest->amount, 18e6, 100);  // now over the first reading
  EXPECT_NEAR(young.largest->seconds, 72 * 3600, 1);
}

TEST(Readiness, ADailyCycleIsNoGrowth) {
  TrendEngine engine;
  for (int hour = 0; hour <= 66; ++hour) look(engine, hour, 100 + 20 * std::sin(hour * 3.14159265 / 12));
  EXPECT_FALSE(engine.readiness().largest && engine.readiness().largest->amount > 1e6);
}

TEST(Readiness, WhatGrewFastIsNamedThoughTheWeekIsOver) {
  TrendEngine engine;
  for (int day = 0; day <= 8; ++day) look(engine, day * 24, 100 + 20.0 * day);
  EXPECT_TRUE(engine.readiness().judged);
  const SubjectReport leak = *engine.find(Kind::kTag, Pool::kNonpaged, "Leak");
  EXPECT_TRUE(leak.verdict != Verdict::kOk || engine.readiness().largest) << "either way it is told";
}

TEST(Readiness, OfAJudgedHostTheNewTagsAreNamed) {
  TrendEngine engine;
  for (int hour = 0; hour <= 40 * 24; ++hour) {
    Sample old, late;
    old.text = "Old ", late.text = "Late";
    old.amount = 50'000'000;
    late.amount = 300'000'000;
    std::vector<Sample> samples = {old};
    if (hour > 38 * 24) samples.push_back(late);
    engine.observe({kReadingsStart + hour * kHourMs, kLongUp, samples});
  }
  const Readiness readiness = engine.readiness();
  EXPECT_TRUE(readiness.judged);
  ASSERT_TRUE(readiness.largest);
  EXPECT_EQ(readiness.largest->text, "Late");
  EXPECT_NEAR(readiness.largest->amount, 300e6, 100) << "it held nothing before";
}

TEST(Readiness, WhatGrewIsNamedForTwoWeeksAndTenDaysOfReadings) {
  const auto named_after = [](int days, int every_days) {
    TrendEngine engine;
    for (int hour = 0; hour <= days * 24; hour += every_days == 1 ? 1 : 24 * every_days)
      look(engine, hour, 100 + hour / 2400.0);
    EXPECT_TRUE(engine.readiness().judged);
    EXPECT_EQ(engine.find(Kind::kTag, Pool::kNonpaged, "Leak")->verdict, Verdict::kOk) << "too little to matter";
    return engine.readiness().largest.has_value();
  };
  EXPECT_TRUE(named_after(8, 1));
  EXPECT_TRUE(named_after(13, 1));
  EXPECT_FALSE(named_after(15, 1));
  EXPECT_TRUE(named_after(16, 2)) << "eight readings";
  EXPECT_FALSE(named_after(24, 2)) << "twelve";
}

TEST(Readiness, WithinTheFirstHoursGrowthIsOverTheirLowest) {
  TrendEngine engine;
  for (const int hour : {1, 2, 3}) look(engine, hour, 100 + hour);
  const Readiness::Growth growth = engine.readiness().largest.value();
  EXPECT_NEAR(growth.amount, 2e6, 100);
  EXPECT_EQ(growth.seconds, 2 * 3600) << "from the first reading on, not from the begin of its four hours";
  for (int hour = 4; hour <= 49; ++hour) look(engine, hour, 100 + hour);
  EXPECT_EQ(engine.readiness().largest->seconds, 48 * 3600);
}

TEST(Readiness, ATotalIsNamedByTheTagThatMakesUpHalfOfIt) {
  for (const double share : {0.4, 0.6}) {
    TrendEngine engine;
    for (int hour = 0; hour <= 48; ++hour) {
      Sample pool, part;
      pool.kind = Kind::kPool, pool.pool = part.pool = Pool::kNonpaged, part.text = "Part";
      pool.amount = 900'000'000 + 1'000'000U * static_cast<unsigned>(hour);
      part.amount = 100'000'000 + static_cast<std::uint64_t>(share * 1e6 * hour);
      const std::vector<Sample> samples = {pool, part};
      engine.observe({kReadingsStart + hour * kHourMs, kLongUp, samples});
    }
    EXPECT_EQ(engine.readiness().largest->kind, share < 0.5 ? Kind::kPool : Kind::kTag);
  }
}

TEST(Readiness, WhatHasAVerdictIsToldByThat) {
  TrendEngine engine;
  for (int hour = 0; hour <= 11 * 24; ++hour) look(engine, hour, 100 + hour / 12.0);
  ASSERT_NE(engine.find(Kind::kTag, Pool::kNonpaged, "Leak")->verdict, Verdict::kOk);
  EXPECT_FALSE(engine.readiness().largest);
}

TEST(Readiness, WhatHoldsWhatIsToldIsNoRest) {
  TrendEngine engine;
  for (int hour = 0; hour <= 10 * 24; ++hour) {
    std::array<Sample, 2> samples;
    const std::uint64_t grown = 40'000'000ULL * static_cast<unsigned>(std::max(0, hour - 9 * 24));
    samples[0].kind = Kind::kPool, samples[0].pool = Pool::kNonpaged, samples[0].amount = 300'000'000 + grown;
    samples[0].limit = 2e9;
    samples[1].kind = Kind::kCommit, samples[1].amount = 6'000'000'000 + grown;
    engine.observe({kReadingsStart + hour * kHourMs, kLongUp, samples});
  }
  ASSERT_EQ(engine.find(Kind::kPool, Pool::kNonpaged, "")->verdict, Verdict::kSurge);
  ASSERT_EQ(engine.find(Kind::kCommit, Pool::kPaged, "")->verdict, Verdict::kOk);
  EXPECT_FALSE(engine.readiness().largest) << "960 MB in a day, and no 160 in ten";
}

TEST(Readiness, NothingThatGrowsIsNotNamed) { EXPECT_FALSE(after(48).largest); }

/// A host of ten calm days whose pool of 260 MB has a room of 4 GB, or none that is known; then by the five minutes.
struct FastHost {
  explicit FastHost(bool has_limit, double night = 0) : limited(has_limit) {
    for (int hour = 0; hour <= 240; ++hour) at(hour, hour % 24 == 3 ? night : 0);
  }
  void at(double hour, double grown, double handles = 1000) {
    const auto bytes = static_cast<std::uint64_t>(grown * 1e6);
    Sample pool, tag, process;
    pool.kind = Kind::kPool, pool.pool = tag.pool = Pool::kNonpaged;
    pool.amount = 260'000'000 + bytes;
    if (limited) pool.limit = 4.26e9;
    tag.text = "Fast", tag.amount = 20'000'000 + bytes;
    process.kind = Kind::kHandles, process.text = "svc (1)", process.amount = static_cast<std::uint64_t>(handles);
    const std::vector<Sample> samples = {pool, process, tag};
    engine.observe({kReadingsStart + std::llround(hour * kHourMs), kLongUp, samples});
  }
  [[nodiscard]] std::string told() const {
    const auto growth = engine.readiness().largest;
    if (!growth || !growth->is_large) return "";
    return growth->text + " " + std::to_string(std::llround(growth->amount / 1e6)) + " in " +
           std::to_string(std::llround(growth->seconds / 60));
  }
  bool limited;
  TrendEngine engine;
};

TEST(GrowsNow, IsNamedWithinTheHourWithWhatItGainedSinceItBegan) {
  for (const bool limited : {true, false}) {
    FastHost host(limited);
    EXPECT_EQ(host.told(), "");
    for (int five = 1; five <= 12; ++five) host.at(240 + five / 12.0, 40 * five);
    EXPECT_EQ(host.told(), "Fast 480 in 60") << "12 times five minutes";
    EXPECT_EQ(host.engine.find(Kind::kTag, Pool::kNonpaged, "Fast")->verdict, Verdict::kOk);
    const Readiness::Growth growth = *host.engine.readiness().largest;
    EXPECT_EQ(growth_label(growth), "Grows now: ");
    EXPECT_EQ(growth_claim(growth),
              limited ? ", not long enough to tell a surge from a step"
                      : ", not long enough to tell a surge from a step; no limit is known, so its end may be near");
    EXPECT_FALSE(growth.of_rest);
    // Given back, it is nothing.
    host.at(241.1, 0), host.at(241.2, 0);
    EXPECT_EQ(host.told(), "");
  }
}

TEST(FallsNow, MemoryThatNoPoolTakesIsNamedWithItsEnd) {
  // Ten days, each of which takes 1 GB of 8 by noon; then 500 MB an hour.
  TrendEngine engine;
  const auto at = [&engine](double hour, double taken) {
    const double day = hour / 24 - std::floor(hour / 24);
    Sample memory, pool;
    memory.kind = Kind::kAvailable;
    memory.amount = static_cast<std::uint64_t>(8e9 - 1e9 * std::max(0.0, 1 - 4 * std::abs(day - 0.5)) - taken);
    pool.kind = Kind::kPool, pool.pool = Pool::kNonpaged, pool.amount = 260'000'000;
    const std::vector<Sample> samples = {pool, memory};
    engine.observe({kReadingsStart + std::llround(hour * kHourMs), kLongUp, samples});
  };
  const auto told = [&engine] {
    const auto growth = engine.readiness().largest;
    return growth ? std::string(growth_label(*growth)) + std::string(kind_name(growth->kind)) + growth_claim(*growth) : "";
  };
  for (int five = 0; five <= 240 * 12; ++five) {
    at(five / 12.0, 0);
    if (five % 48 == 0) { EXPECT_EQ(told(), "") << five; }
  }
  for (int five = 1; five <= 60; ++five) at(240 + five / 12.0, 500e6 / 12 * five);
  EXPECT_EQ(told(), "Falls now: available_memory, at that pace used up in 11 hours");
  EXPECT_NEAR(engine.readiness().largest->amount / 1e6, 2500, 50);
  // Given back, it is nothing.
  at(245.1, 0), at(245.2, 0);
  EXPECT_EQ(told(), "");
}

TEST(GrowsNow, AStepThatStandsStillOrWhatWasHeldBeforeIsNone) {
  FastHost step(true);
  for (int five = 1; five <= 24; ++five) {
    step.at(240 + five / 12.0, 400);
    EXPECT_EQ(step.told(), five == 1 ? "Fast 400 in 5" : "") << "one reading does not tell";
  }
  FastHost spike(true);
  for (int minute = 1; minute <= 20; ++minute) spike.at(240 + minute / 60.0, 0);
  spike.at(240.35, 400);
  EXPECT_EQ(spike.told(), "") << "the lower of the last two minutes";
  FastHost night(true, 500);
  for (int five = 1; five <= 12; ++five) night.at(240 + five / 12.0, 40 * five);
  EXPECT_EQ(night.told(), "") << "every night takes as much";
}

/// A quick log has three readings where a host's own look has thirty, and no older, smaller growth is the largest so far.
TEST(GrowsNow, OrGrewAndHoldsFromTheFirstReadingsOn) {
  for (const int every : {5, 10, 15}) {
    FastHost host(true);
    for (int reading = 1; reading <= 3; ++reading) {
      host.at(240 + reading * every / 60.0, 300 * reading);
      EXPECT_EQ(host.told(), "Fast " + std::to_string(300 * reading) + " in " + std::to_string(every * reading));
    }
    FastHost step(true);
    step.at(240 + every / 60.0, 300);
    for (const int still : {10, 20}) {
      step.at(240 + (every + still) / 60.0, 300);
      const auto growth = step.engine.readiness().largest;
      EXPECT_TRUE(growth && growth->is_held()) << every << ' ' << still;
      EXPECT_EQ(growth->amount, 3e8);
      EXPECT_EQ(growth->held_seconds, still * 60) << every;
    }
  }
}

TEST(GrowsNow, HasToBeMuchOfTheRoomOrOfWhatWasHeld) {
  FastHost little(true);
  for (int five = 1; five <= 12; ++five) little.at(240 + five / 12.0, 12 * five);
  EXPECT_EQ(little.told(), "") << "144 MB of 4 GB";
  FastHost unlimited(false);
  for (int five = 1; five <= 12; ++five) unlimited.at(240 + five / 12.0, 0.5 * five);
  EXPECT_EQ(unlimited.told(), "") << "6 MB beside 20";
}

/// What is too little of the room for a surge is named all the same, also after weeks.
TEST(GrowsBeyondAllBefore, IsNamedThoughItIsLittleOfTheRoom) {
  const auto told = [](const FastHost& host) {
    const auto growth = host.engine.readiness().largest;
    return growth && growth->is_beyond ? growth->text + " " + std::to_string(std::llround(growth->amount / 1e6)) : "";
  };
  FastHost host(true);
  for (int hour = 241; hour <= 24 * 24; ++hour) host.at(hour, 0);
  EXPECT_FALSE(host.engine.readiness().largest);
  for (int five = 1; five <= 24; ++five) host.at(576 + five / 12.0, 4 * five);
  EXPECT_EQ(told(host), "Fast 96") << "from 20 to 116 MB, of 4 GB";
  const Readiness::Growth growth = *host.engine.readiness().largest;
  EXPECT_FALSE(growth.is_large);
  EXPECT_EQ(growth_label(growth), "Grows beyond all before: ");
  EXPECT_EQ(growth_claim(growth), ", little beside the room there is");

  FastHost noise(true);
  for (int hour = 241; hour <= 24 * 24; ++hour) noise.at(hour, 0);
  for (int five = 1; five <= 24; ++five) noise.at(576 + five / 12.0, 0.4 * five);
  EXPECT_EQ(told(noise), "") << "9.6 MB more of 4 GB";
  FastHost handles(true);
  for (int five = 1; five <= 24; ++five) handles.at(240 + five / 12.0, 0, 1000 + 75.0 * five);
  EXPECT_EQ(told(handles), "svc (1) 0");
  EXPECT_EQ(handles.engine.readiness().largest->amount, 1800);
}

/// What was higher before it was given back has a past that speaks against a leak; its last weeks alone are one's.
TEST(GrowsOn, ByItsLastWeeks) {
  const auto told = [](double early_a_day, double late_a_day, int bend, double given_back = 0) {
    TrendEngine engine;
    for (int hour = 0; hour <= 56 * 24; ++hour) {
      const double days = hour / 24.0, wave = 0.3 * std::sin(hour / 24.0 * 6.283185307);
      const double mb = 100 + wave + (days < bend ? given_back : 0) + early_a_day * std::min<double>(days, bend) +
                        late_a_day * std::max(0.0, days - bend);
      look(engine, hour, mb);
    }
    engine.settle();
    const auto growth = engine.readiness().largest;
    const bool quiet = engine.find(Kind::kTag, Pool::kNonpaged, "Leak")->verdict == Verdict::kOk;
    return !quiet    ? std::string("verdict")
           : !growth ? std::string()
                     : std::string(growth_label(*growth)) + std::to_string(std::llround(growth->amount / 28e6));
  };
  EXPECT_EQ(told(0, 2, 27, 60), "Grows on: 2");
  EXPECT_EQ(told(10, 3.5, 14), "verdict") << "a leak that was told goes on";
  EXPECT_EQ(told(10, 0, 14), "") << "what has ended";
  EXPECT_EQ(told(2, 2, 14), "verdict");
  EXPECT_EQ(told(0, 0, 14), "");
}

/// A day has six turns to look at what goes on; of few readings none may fall on a subject's own.
TEST(GrowsOn, WhateverTheHoursOfTheReadings) {
  for (const int every : {8, 24}) {
    for (int before = 0; before < 6; ++before) {
      TrendEngine engine;
      for (int hour = 0; hour <= 56 * 24; hour += every) {
        const double days = hour / 24.0;
        std::vector<Sample> samples(static_cast<std::size_t>(before) + 1);
        std::vector<std::string> names;
        for (int i = 0; i < before; ++i) names.push_back("Old" + std::to_string(i));
        names.emplace_back("Leak");
        for (std::size_t i = 0; i < samples.size(); ++i) samples[i].text = names[i], samples[i].amount = 50'000'000;
        samples.back().amount = static_cast<std::uint64_t>(1e6 * (100 + (days < 27 ? 60 : 2 * (days - 27))));
        engine.observe({kReadingsStart + hour * kHourMs, kLongUp, samples});
      }
      engine.settle();
      const auto growth = engine.readiness().largest;
      EXPECT_TRUE(growth && growth->goes_on && growth->text == "Leak") << every << ' ' << before;
    }
  }
}

TEST(GrewAndHolds, IsToldForAWeekUnlessGivenBack) {
  for (const bool limited : {true, false}) {
    FastHost host(limited);
    const auto told = [&host] {
      const auto growth = host.engine.readiness().largest;
      return growth && growth->is_held() ? std::string(growth_label(*growth)) + growth->text + " " +
                                               std::to_string(std::llround(growth->amount / 1e6)) + " in " +
                                               std::to_string(std::llround(growth->seconds / 60)) + growth_claim(*growth)
                                         : "";
    };
    for (int five = 1; five <= 36; ++five) host.at(240 + five / 12.0, 40 * std::min(five, 12));
    EXPECT_EQ(told(), "Grew and holds: Fast 480 in 60, 2 hours ago");
    EXPECT_FALSE(host.engine.readiness().largest->is_told_first()) << "no verdict, and no doubt of one";
    for (int hour = 244; hour <= 241 + 6 * 24; ++hour) host.at(hour, 480);
    EXPECT_THAT(told(), testing::AllOf(testing::StartsWith("Grew and holds: Fast 480 in "), testing::EndsWith(", 6 days ago")));
    FastHost freed(limited);
    for (int five = 1; five <= 36; ++five) freed.at(240 + five / 12.0, five < 24 ? 40 * std::min(five, 12) : 100);
    EXPECT_FALSE(freed.engine.readiness().largest && freed.engine.readiness().largest->amount > 101e6);
  }
}

TEST(GrowsNow, HandlesOfAProcessCount) {
  FastHost host(true);
  for (int five = 1; five <= 12; ++five) host.at(240 + five / 12.0, 0, 1000 + 2000.0 * five);
  const auto growth = host.engine.readiness().largest;
  ASSERT_TRUE(growth && growth->is_large);
  EXPECT_EQ(growth->kind, Kind::kHandles);
  EXPECT_EQ(growth->text, "svc (1)");
  EXPECT_EQ(growth->amount, 24'000);
}

TEST(GrowsNow, OfAPoolThatIsToldAloneTheTagsThatMakeItAreNamed) {
  TrendEngine engine;
  for (int hour = 0; hour <= 30 * 24; ++hour) {
    std::vector<std::string> names;
    std::vector<Sample> samples(9);
    for (int i = 0; i < 8; ++i) names.push_back("T" + std::to_string(i));
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      samples[i].pool = Pool::kNonpaged, samples[i].text = names[i];
      // Each grows below what matters by itself, but for two that make most of it.
      samples[i].amount = 10'000'000 + static_cast<std::uint64_t>(hour) * (i == 0 ? 900 : i == 1 ? 800 : 50);
      sum += samples[i].amount;
    }
    samples[8].kind = Kind::kPool, samples[8].pool = Pool::kNonpaged, samples[8].amount = sum;
    engine.observe({kReadingsStart + hour * kHourMs, kLongUp, samples});
  }
  engine.settle();
  EXPECT_EQ(engine.find(Kind::kTag, Pool::kNonpaged, "T0")->verdict, Verdict::kOk);
  const SubjectReport pool = *engine.find(Kind::kPool, Pool::kNonpaged, {});
  ASSERT_EQ(pool.verdict, Verdict::kLeak);
  ASSERT_EQ(pool.growers.size(), 2U);
  EXPECT_EQ(pool.growers[0].tag, "T0");
  EXPECT_EQ(pool.growers[1].tag, "T1");
  EXPECT_THAT(grower_words(pool, [](double bytes) { return std::to_string(std::llround(bytes / 1000)) + " kB"; }),
              testing::StartsWith("most of it T0, +6"));
}

TEST(GrowsNow, OnceADayIsNamedByTheDay) {
  TrendEngine engine;
  for (int day = 0; day <= 20; ++day) look(engine, day * 24, 100 + (day > 17 ? 300.0 * (day - 17) : 0));
  const auto growth = engine.readiness().largest;
  const bool told = engine.find(Kind::kTag, Pool::kNonpaged, "Leak")->verdict != Verdict::kOk;
  EXPECT_TRUE(told || (growth && growth->is_large && growth->amount == 900e6));
}

}  // namespace
}  // namespace kmem::trend
