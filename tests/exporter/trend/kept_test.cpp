// What the engine keeps of a subject over boots, gaps, absence and newcomers, value by value.
#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporter/trend/engine.h"
#include "tests/exporter/trend/start.h"

namespace kmem::trend {
namespace {

constexpr std::int64_t kMinute = 60'000;

Sample tag_of(std::string_view text, std::uint64_t bytes) {
  Sample sample;
  sample.pool = Pool::kNonpaged;
  sample.text = text;
  sample.amount = bytes;
  return sample;
}

Course course_of(const TrendEngine& engine, std::string_view text) { return *engine.course(Kind::kTag, Pool::kNonpaged, text); }
bool follows(const TrendEngine& engine, std::string_view text) {
  return engine.find(Kind::kTag, Pool::kNonpaged, text).has_value();
}

void observe(TrendEngine& engine, std::int64_t at, const std::vector<Sample>& samples,
             std::optional<base::UnixMillis> boot = {}) {
  engine.observe({kStart + at, boot, samples});
}

TEST(Kept, OfTheHourOfABootOnlyWhatCameAfterIt) {
  TrendEngine engine;
  const std::int64_t boot = 90 * kMinute;
  for (std::int64_t at = 0; at < 4 * kHourMs; at += kMinute) {
    const bool after = at >= boot;
    observe(engine, at, {tag_of("A", after ? 900 : 100)}, after ? kStart + boot : kStart - kDayMs);
  }
  const Course course = course_of(engine, "A");
  EXPECT_EQ(course.recent[kFineBuckets - 3], 100);  // 0 to 1 h
  EXPECT_EQ(course.recent[kFineBuckets - 2], 900) << "the hour of the boot";
  EXPECT_EQ(course.recent[kFineBuckets - 1], 900);
}

TEST(Kept, MinutesBeginAnewWithABoot) {
  TrendEngine engine;
  for (std::int64_t at = 0; at < 30 * kMinute; at += kMinute) observe(engine, at, {tag_of("A", 100)}, kStart - kDayMs);
  for (std::int64_t at = 30 * kMinute; at < 41 * kMinute; at += kMinute)
    observe(engine, at, {tag_of("A", 900)}, kStart + 30 * kMinute);
  const Course course = course_of(engine, "A");
  for (std::size_t i = 0; i <= Recent::kFives; ++i) {
    const bool of_this_boot = i + 3 > Recent::kFives;
    EXPECT_TRUE(of_this_boot ? course.fives[i] == 900 : std::isnan(course.fives[i])) << i << ": " << course.fives[i];
  }
}

TEST(Kept, WhatIsGoneHoldsNothingByTheMinuteToo) {
  TrendEngine engine;
  for (std::int64_t at = 0; at < 20 * kMinute; at += kMinute) {
    std::vector<Sample> samples = {tag_of("A", 100)};
    if (at < 10 * kMinute) samples.push_back(tag_of("B", 500));
    observe(engine, at, samples);
  }
  const Course course = course_of(engine, "B");
  EXPECT_EQ(course.fives[Recent::kFives - 2], 500);
  EXPECT_EQ(course.fives[Recent::kFives - 1], 0);
  EXPECT_EQ(course.fives[Recent::kFives], 0) << "the open one";
}

TEST(Kept, AProcessThatATornListDoesNotNameIsNotGone) {
  for (const bool is_torn : {true, false}) {
    TrendEngine engine;
    for (std::int64_t at = 0; at < 20 * kMinute; at += kMinute) {
      std::vector<Sample> samples(2);
      samples[0].kind = samples[1].kind = Kind::kHandles;
      samples[0].text = "a (1)", samples[1].text = "b (2)";
      samples[0].amount = 70, samples[1].amount = 500;
      if (at >= 10 * kMinute) samples.pop_back();
      Observation seen{kStart + at, std::nullopt, samples};
      seen.gaps.processes = is_torn && at >= 10 * kMinute;
      engine.observe(seen);
    }
    EXPECT_EQ(engine.find(Kind::kHandles, Pool::kPaged, "b (2)")->last_amount, is_torn ? 500 : 0);
  }
}

TEST(Kept, NothingOfAPredecessor) {
  TrendEngine engine({.max_subjects = 2});
  for (std::int64_t at = 0; at <= 3 * kHourMs; at += kMinute) {
    std::vector<Sample> samples = {tag_of("A", 1000)};
    if (at < kHourMs) samples.push_back(tag_of("B", 77'000));
    if (at == 3 * kHourMs) samples.push_back(tag_of("C", 5000));
    observe(engine, at, samples);
  }
  ASSERT_TRUE(follows(engine, "C"));
  const Course course = course_of(engine, "C");
  for (std::size_t i = 0; i < Recent::kFives; ++i) EXPECT_TRUE(std::isnan(course.fives[i])) << i;
  EXPECT_EQ(course.fives[Recent::kFives], 5000);
  for (const float hour : course.recent) EXPECT_TRUE(std::isnan(hour));
}

TEST(Kept, NewcomersAreTriedOnceAnHourWhereThereWasNoRoom) {
  TrendEngine engine({.max_subjects = 2});
  std::vector<Sample> samples = {tag_of("A", 10'000), tag_of("B", 20'000), tag_of("C", 1000)};
  observe(engine, 0, samples);
  samples[2] = tag_of("D", 900'000);  // there is room for that one
  observe(engine, 30 * kMinute, samples);
  EXPECT_FALSE(follows(engine, "D"));
  EXPECT_EQ(engine.summary().refused_total, 2U);
  observe(engine, kHourMs, samples);
  EXPECT_TRUE(follows(engine, "D"));
  EXPECT_FALSE(follows(engine, "A")) << "the smaller one";
}

TEST(Kept, AbsenceIsCountedFromTheLastTimeItWasSeen) {
  TrendEngine engine({.max_subjects = 3});
  for (int hour = 0; hour <= 12; ++hour) {
    std::vector<Sample> samples = {tag_of("A", 9000)};
    if (hour < 2 || (hour >= 8 && hour < 11)) samples.push_back(tag_of("B", 9000));  // long ago for six hours, now for one
    if (hour < 9) samples.push_back(tag_of("C", 9000));                              // for three
    if (hour == 12) samples.push_back(tag_of("D", 10));
    observe(engine, hour * kHourMs, samples);
  }
  EXPECT_TRUE(follows(engine, "D"));
  EXPECT_TRUE(follows(engine, "B"));
  EXPECT_FALSE(follows(engine, "C"));
}

TEST(Kept, SuspectsStayAndWhatIsAbsentGoesBeforeWhatIsSmall) {
  TrendEngine engine({.max_subjects = 4});
  const auto run = [&engine](int from, int to, const std::vector<Sample>& more) {
    for (int hour = from; hour < to; ++hour) {
      std::vector<Sample> samples = {tag_of("Leak", 100'000'000 + 100'000U * static_cast<unsigned>(hour)),
                                     tag_of("Big", 900'000'000)};
      samples.insert(samples.end(), more.begin(), more.end());
      observe(engine, hour * kHourMs, samples);
    }
  };
  run(0, 20 * 24, {tag_of("Gone", 300'000'000), tag_of("Small", 50'000'000)});
  ASSERT_EQ(engine.find(Kind::kTag, Pool::kNonpaged, "Leak")->verdict, Verdict::kLeak);
  run(20 * 24, 20 * 24 + 3, {tag_of("Small", 50'000'000)});
  run(20 * 24 + 3, 20 * 24 + 4, {tag_of("Small", 50'000'000), tag_of("New", 800'000'000)});
  EXPECT_FALSE(follows(engine, "Gone"));
  EXPECT_TRUE(follows(engine, "Small"));
  EXPECT_TRUE(follows(engine, "New"));
  run(20 * 24 + 4, 20 * 24 + 5, {tag_of("Small", 50'000'000), tag_of("New", 800'000'000), tag_of("Newer", 700'000'000)});
  EXPECT_FALSE(follows(engine, "Small"));
  run(20 * 24 + 5, 20 * 24 + 6, {tag_of("Newer", 700'000'000), tag_of("New", 800'000'000), tag_of("Newest", 900'000'000)});
  EXPECT_TRUE(follows(engine, "Leak")) << "a suspect, though it is the smallest";
  EXPECT_FALSE(follows(engine, "Newest"));
}

TEST(Kept, ASuspectStaysThoughItIsAbsent) {
  TrendEngine engine({.max_subjects = 2});
  for (int hour = 0; hour < 20 * 24; ++hour)
    observe(engine, hour * kHourMs,
            {tag_of("Leak", 100'000'000 + 100'000U * static_cast<unsigned>(hour)), tag_of("Big", 90'000)});
  ASSERT_EQ(engine.find(Kind::kTag, Pool::kNonpaged, "Leak")->verdict, Verdict::kLeak);
  for (int hour = 20 * 24; hour < 20 * 24 + 5; ++hour) observe(engine, hour * kHourMs, {tag_of("Big", 90'000)});
  observe(engine, (20 * 24 + 5) * kHourMs, {tag_of("Big", 90'000), tag_of("New", 150'000)});
  EXPECT_TRUE(follows(engine, "Leak"));
  EXPECT_FALSE(follows(engine, "New"));
}

// By the minute: of 240 subjects two a minute, the last of them two hours after the bucket has closed.
TEST(Kept, ABucketIsJudgedWithinTwoHoursAndNotAtOnce) {
  TrendEngine engine;
  constexpr unsigned kTags = 240;
  std::vector<std::string> names;
  for (unsigned i = 0; i < kTags; ++i) names.push_back("T" + std::to_string(i));
  const auto look = [&](std::int64_t at) {
    std::vector<Sample> samples;
    for (const std::string& name : names)
      samples.push_back(
          tag_of(name, 100'000'000 + 1'600'000U * static_cast<unsigned>(at / kDayMs * 6 + at % kDayMs / kCoarseMs)));
    observe(engine, at, samples);
  };
  const auto detected = [&](unsigned number) {
    const auto found = engine.find(Kind::kTag, Pool::kNonpaged, names[number]);
    return found ? found->first_detected : std::nullopt;
  };
  std::int64_t bucket = 0;
  for (; !detected(0); bucket += kCoarseMs) {
    ASSERT_LT(bucket, 30 * kDayMs);
    look(bucket);
    if (bucket < 6 * kDayMs) continue;
    for (std::int64_t at = kMinute; at < kCoarseMs; at += kMinute) look(bucket + at);
  }
  const std::int64_t first = *detected(0);
  for (const unsigned number : {1U, 60U, 119U, 180U, 239U}) {
    ASSERT_TRUE(detected(number));
    EXPECT_NEAR(static_cast<double>(*detected(number) - first), number / 2 * static_cast<double>(kMinute), 2.0 * kMinute)
        << number;
  }
}

// Rings that have gone round hold nothing of eight weeks ago.
TEST(Kept, AGapOfOneBucketIsEmptyInRingsThatHaveGoneRound) {
  TrendEngine engine;
  const auto bytes = [](int hour) { return 1000 + static_cast<std::uint64_t>(hour); };
  const int end = 60 * 24;
  for (int hour = 0; hour < end; ++hour)
    if (hour < end - 16 || hour >= end - 12) observe(engine, hour * kHourMs, {tag_of("A", bytes(hour))});
  const Course course = course_of(engine, "A");
  EXPECT_EQ(course.floors[kCoarseBuckets - 1], static_cast<float>(bytes(end - 8)));
  EXPECT_EQ(course.floors[kCoarseBuckets - 2], static_cast<float>(bytes(end - 12)));
  EXPECT_TRUE(std::isnan(course.floors[kCoarseBuckets - 3]));
  EXPECT_EQ(course.floors[kCoarseBuckets - 4], static_cast<float>(bytes(end - 20)));
  EXPECT_EQ(course.floors[0], static_cast<float>(bytes(end - 4 - 56 * 24)));
  for (int back = 1; back < 30; ++back) {
    const float hour = course.recent[kFineBuckets - static_cast<std::size_t>(back)];
    const bool in_gap = back >= 12 && back <= 15;
    EXPECT_TRUE(in_gap ? std::isnan(hour) : hour == static_cast<float>(bytes(end - 1 - back))) << back << ": " << hour;
  }
}

TEST(Kept, WhatNobodyWatchedForLongerThanALookIsNoHistory) {
  for (const int gap_hours : {7, 8}) {
    TrendEngine engine;
    observe(engine, 0, {tag_of("A", 1000)});
    observe(engine, kHourMs, {tag_of("A", 1000)});
    observe(engine, (1 + gap_hours) * kHourMs, {tag_of("A", 1000)});
    EXPECT_EQ(engine.summary().gap_seconds, gap_hours == 8 ? 8 * 3600 : 0);
    EXPECT_EQ(engine.summary().history_seconds, gap_hours == 8 ? 3600 : 8 * 3600);
  }
  TrendEngine engine;  // a boot in between: nobody watched that either
  observe(engine, 0, {tag_of("A", 1000)}, kStart - kDayMs);
  observe(engine, kHourMs, {tag_of("A", 1000)}, kStart + kHourMs - kMinute);
  EXPECT_EQ(engine.summary().gap_seconds, 3600);
  EXPECT_EQ(engine.summary().history_seconds, 0);
}

TEST(Kept, HistoryIsNoLongerThanWhatTheRingsHold) {
  TrendEngine engine;
  for (int day = 0; day < 20; ++day)  // five hours of each day
    for (int hour = 0; hour <= 5; ++hour) observe(engine, (24 * day + hour) * kHourMs, {tag_of("A", 1000)});
  EXPECT_EQ(engine.summary().history_seconds, 20 * 5 * 3600);
  TrendEngine again;
  ASSERT_TRUE(again.load(engine.save()).ok());
  EXPECT_EQ(again.summary().history_seconds, 20 * 5 * 3600);
  for (int day = 20; day < 100; ++day)
    for (int hour = 0; hour <= 5; ++hour) observe(engine, (24 * day + hour) * kHourMs, {tag_of("A", 1000)});
  EXPECT_EQ(engine.summary().history_seconds, 56 * 8 * 3600 + 0) << "buckets of 4 hours in which anything was seen";
}

// Whatever a bucket has closed is judged, however long the next reading takes.
TEST(Kept, ATableIsJudgedWholeThoughReadingsAreFarApart) {
  TrendEngine engine;
  const std::vector<std::string> names = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"};
  for (int at = 0; at < 20 * kBucketsPerDay; ++at) {
    std::vector<Sample> samples;
    for (const std::string& name : names) samples.push_back(tag_of(name, 100'000'000 + 400'000U * static_cast<unsigned>(at)));
    observe(engine, at * kCoarseMs, samples);
    observe(engine, at * kCoarseMs + kMinute, samples);
  }
  const auto first = engine.find(Kind::kTag, Pool::kNonpaged, "A")->first_detected;
  ASSERT_TRUE(first);
  for (const std::string& name : names) {
    const auto detected = engine.find(Kind::kTag, Pool::kNonpaged, name)->first_detected;
    ASSERT_TRUE(detected) << name;
    EXPECT_LE(std::abs(*detected - *first), kCoarseMs) << name;
  }
}

}  // namespace
}  // namespace kmem::trend
