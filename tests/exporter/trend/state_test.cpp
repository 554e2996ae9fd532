// A saved history, value by value: what is kept of highs, what is taken back, and what nobody has written.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "exporter/trend/engine.h"
#include "tests/exporter/trend/saved.h"
#include "tests/exporter/trend/start.h"

namespace kmem::trend {
namespace {

constexpr std::int64_t kAMinute = 60'000;
constexpr std::int64_t kFirstDay = kStart / kDayMs;

Sample leak_sample(double bytes, Pool pool = Pool::kNonpaged) {
  Sample sample;
  sample.pool = pool;
  sample.text = "Leak";
  sample.amount = static_cast<std::uint64_t>(bytes);
  sample.outstanding = sample.amount / 1000;
  return sample;
}

/// The highest of the day as it is saved, 0 = none.
float high_of(const Saved& saved, std::int64_t day) {
  const float high = ShortFloat::unpack(saved.get<std::uint16_t>("highs", ring_slot(kFirstDay + day, kHighDays)));
  return std::isnan(high) ? 0 : high;
}

/// Amounts that 16 bits hold, by the minute; in the first minute of a half hour the lowest.
TEST(Highs, AreOfEachDayTheHighestFloorOfAHalfHour) {
  TrendEngine engine;
  std::map<std::int64_t, float> highs;
  const auto floor_of = [](std::int64_t half) { return static_cast<double>(65'536 + 512 * (half * 37 % 101)); };
  constexpr std::int64_t kHalves = 60 * 48 + 7;
  for (std::int64_t half = 0; half <= kHalves; ++half) {
    const bool gap = half >= 40 * 48 + 5 && half < 43 * 48 + 11;  // nobody looked for three days
    if (gap) continue;
    for (const int minute : {0, 11, 29}) {
      const Sample sample = leak_sample(floor_of(half) + (minute == 0 ? 0 : 300'000));
      engine.observe({kStart + half * 30 * kAMinute + minute * kAMinute, kStart - kDayMs, {&sample, 1}});
    }
    float& high = highs[half / 48];
    if (half < kHalves - kHalves % 2) high = std::max(high, static_cast<float>(floor_of(half)));  // of hours that are over
  }
  const Saved saved(engine.save());
  for (std::int64_t day = 5; day <= 60; ++day) EXPECT_EQ(high_of(saved, day), highs[day]) << day;
  EXPECT_EQ(high_of(saved, 41), 0);
  EXPECT_GT(high_of(saved, 40), 0);
  EXPECT_GT(high_of(saved, 43), 0);
}

TEST(Highs, WhereReadingsAreFewAreOfTheHours) {
  TrendEngine engine;
  for (int hour = 0; hour <= 49; ++hour) {
    const Sample sample = leak_sample(65'536 + 512 * (hour * 7 % 24));
    engine.observe({kStart + hour * kHourMs, kStart - kDayMs, {&sample, 1}});
  }
  const Saved saved(engine.save());
  EXPECT_EQ(high_of(saved, 0), 65'536 + 512 * 23);
  EXPECT_EQ(high_of(saved, 1), 65'536 + 512 * 23);
  EXPECT_EQ(high_of(saved, 2), 65'536) << "one hour of it is over";
  EXPECT_EQ(high_of(saved, 3), 0);
}

TEST(Highs, OfAnHourThatABootCutTheFloorCounts) {
  TrendEngine engine;
  const auto look = [&engine](int minute, double bytes, base::UnixMillis boot) {
    const Sample sample = leak_sample(bytes);
    engine.observe({kStart + minute * kAMinute, boot, {&sample, 1}});
  };
  for (int minute = 0; minute < 11 * 60 - 10; minute += 5) look(minute, minute < 600 ? 65'536 : 98'304, kStart - kDayMs);
  look(11 * 60 + 2, 65'536, kStart + 11 * 60 * kAMinute);
  EXPECT_EQ(high_of(Saved(engine.save()), 0), 98'304);
}

TEST(Highs, StayWhileNobodySeesIt) {
  TrendEngine engine;
  for (int hour = 0; hour <= 22; ++hour) {
    const Sample sample = leak_sample(65'536);
    const std::size_t count = hour < 12 ? 1 : 0;
    engine.observe({kStart + hour * kHourMs, kStart - kDayMs, {&sample, count}});
  }
  EXPECT_EQ(high_of(Saved(engine.save()), 0), 65'536);
}

// Three weeks of a leak, then hours of a surge: what is told of it is told of what cannot leak as if nothing had been.
TEST(Acquitted, NothingIsLeftOfAnOlderProgramsJudgement) {
  const auto run = [](TrendEngine& engine, Pool pool) {
    const auto look = [&](std::int64_t minute, double megabytes) {
      Sample sample = leak_sample(1e6 * megabytes, pool);
      sample.limit = 1000e6;
      engine.observe({kStart + minute * kAMinute, kStart - 30 * kDayMs, {&sample, 1}});
    };
    constexpr std::int64_t begin = 21 * 1440;
    for (std::int64_t minute = 0; minute < begin; minute += 60) look(minute, 100 + 2 * static_cast<double>(minute) / 1440);
    for (std::int64_t minute = 0; minute < 300; ++minute) look(begin + minute, 142 + 2 * static_cast<double>(minute));
  };
  TrendEngine judged, never;
  run(judged, Pool::kNonpaged);
  run(never, Pool::kSlabReclaimable);
  const SubjectReport before = *judged.find(Kind::kTag, Pool::kNonpaged, "Leak");
  ASSERT_EQ(before.verdict, Verdict::kSurge) << "a leak that ends within hours now";
  EXPECT_GE(before.confidence, 0.5);
  ASSERT_TRUE(before.surge && before.first_detected && before.since);
  EXPECT_EQ(before.exhaustion->pace_per_second, before.surge->pace_per_second) << "which ends it sooner than the leak";
  const Saved saved(judged.save());
  ASSERT_EQ(saved.get<std::uint8_t>("scores_used"), 6);
  TrendEngine taken;
  // Judgements in a row are none of them now.
  std::string bytes = saved.with("pool", static_cast<std::uint8_t>(Pool::kSlabReclaimable));
  for (const char* name : {"weak_judgements", "watch_judgements"}) {
    const std::string other = saved.with(name, std::uint16_t{5});
    for (std::size_t i = 0; i < bytes.size(); ++i)
      if (other[i] != saved.bytes()[i]) bytes[i] = other[i];
  }
  ASSERT_TRUE(taken.load(bytes).ok());
  EXPECT_EQ(taken.save(), never.save());
}

class Hostile : public testing::Test {
 protected:
  static std::string state() {
    TrendEngine engine;
    for (int minute = 0; minute < 26 * 60; minute += 10) {
      const Sample sample = leak_sample(5e6);
      engine.observe({kStart + minute * kAMinute, kStart - kDayMs, {&sample, 1}});
    }
    return engine.save();
  }
  /// Loads, goes on for two days, and is what it says.
  static bool loads(const std::string& bytes) {
    TrendEngine engine;
    const std::string before = engine.save();
    if (!engine.load(bytes).ok()) {
      EXPECT_EQ(engine.save(), before);
      return false;
    }
    for (int hour = 26; hour < 74; ++hour) {
      const Sample sample = leak_sample(5e6);
      engine.observe({kStart + hour * kHourMs, kStart - kDayMs, {&sample, 1}});
      for (const SubjectReport& report : engine.report(true)) {
        EXPECT_TRUE(report.confidence >= 0 && report.confidence <= 1);
        EXPECT_FALSE(std::isnan(report.credible_slope_per_second));
      }
    }
    EXPECT_GE(engine.summary().history_seconds, 0);
    EXPECT_LE(engine.summary().history_seconds, 74 * 3600);
    EXPECT_TRUE(TrendEngine().load(engine.save()).ok());
    return true;
  }
  template <typename T>
  void expect(const std::string& name, T value, bool taken) {
    EXPECT_EQ(loads(saved_.with(name, value)), taken) << name << " " << +value;
  }
  Saved saved_{state()};
  const std::int64_t now_ = kStart + (26 * 60 - 10) * kAMinute;
};

TEST_F(Hostile, TimesLieInThePast) {
  constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min(), kHighest = -(kLowest + 1);
  for (const char* name : {"first_seen", "first_detected", "since", "surge_since", "surge_told", "surge_high_at"}) {
    for (const std::int64_t at : {now_, Timeline::kEarliestMs, std::int64_t{-1}}) expect(name, at, true);
    for (const std::int64_t at : {now_ + 1, kHighest, Timeline::kEarliestMs - 1, kLowest}) expect(name, at, false);
  }
  const std::int64_t hour = now_ / kHourMs, bucket = hour / 4;
  for (const std::int64_t off : {-1, 0, 1}) expect("fine_bucket", hour + off, true);
  for (const std::int64_t off : {-2, 2}) expect("fine_bucket", hour + off, false);
  for (const std::int64_t at : {kLowest, kHighest, std::int64_t{0}}) expect("fine_bucket", at, false);
  for (const std::int64_t at : {bucket - 1, bucket + 1, kLowest, kHighest})
    expect("coarse_bucket", at, false);  // judged_bucket
  for (const std::int64_t at : {bucket, bucket - 2, kLowest, kHighest}) expect("judged_bucket", at, false);
  for (const std::int64_t off : {-2, 2})
    EXPECT_FALSE(loads(Saved(saved_.with("coarse_bucket", bucket + off)).with("judged_bucket", bucket + off - 1))) << off;
  for (const std::int64_t at : {now_ / kAMinute - 1, now_ / kAMinute + 1, kLowest, kHighest}) expect("minute", at, false);
  expect("minutes_started", std::uint8_t{0}, false);
  for (const std::int64_t at : {std::int64_t{0}, kHighest}) expect("watched", at, true);
  for (const std::int64_t at : {std::int64_t{-1}, kLowest}) expect("watched", at, false);
}

TEST_F(Hostile, CountsAndNamesAreOfWhatThereIs) {
  expect("version", std::uint32_t{0}, false);
  expect("version", TrendEngine::kStateVersion + 1, false);
  expect("kind", static_cast<std::uint8_t>(kKindCount), false);
  expect("kind", static_cast<std::uint8_t>(kKindCount - 1), true);
  expect("pool", static_cast<std::uint8_t>(kPoolCount), false);
  expect("pool", static_cast<std::uint8_t>(kPoolCount - 1), true);
  expect("verdict", static_cast<std::uint8_t>(Verdict::kLeak), true);
  expect("verdict", static_cast<std::uint8_t>(Verdict::kSurge), false);
  expect("scores_used", std::uint8_t{6}, true);
  expect("scores_used", std::uint8_t{7}, false);
  for (const char* name : {"weak_judgements", "watch_judgements"}) expect(name, std::uint16_t{0xFFFF}, true);
  expect("absent_hours", std::uint32_t{0xFFFF'FFFF}, true);
  expect("due", std::uint8_t{0x7F}, true);
  for (const int count : {0, 2, 0x7F, 0xFF}) expect("subjects", static_cast<std::uint8_t>(count), false);
}

TEST_F(Hostile, LengthsAreThoseOfTheirRings) {
  for (const char* name : {"text", "scores", "floors", "hours", "counts", "highs", "column_0", "column_50", "column_115"}) {
    for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{257}, std::uint64_t{1} << 32, UINT64_MAX})
      EXPECT_FALSE(loads(saved_.with_length(name, length))) << name << " " << length;
  }
}

TEST_F(Hostile, NumbersAreFinite) {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  for (const char* name : {"slope", "slope_error", "strength"})
    for (const float value : {kNothing, kInfinite, -kInfinite}) expect(name, value, false);
  for (const char* name : {"surge_high", "surge_growth", "surge_pace"}) {
    for (const float value : {kNothing, kInfinite, -kInfinite, 0x1p81F, -0x1p81F}) expect(name, value, false);
    for (const float value : {0x1p80F, -0x1p80F, 0.0F}) expect(name, value, true);
  }
  expect("outstanding", -1.0F, false);
  for (const double value : {0x1p67, -0x1p67, HUGE_VAL, -HUGE_VAL}) expect("limit", value, false);
  for (const double value : {0x1p66, -0x1p66, 0.0, std::nan("")}) expect("limit", value, true);
}

// What no observation gives is as if nobody had seen it: what is saved next has none there.
TEST_F(Hostile, AmountsThatCannotBeWereNotSeen) {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  for (const char* name : {"coarse", "fine", "outstanding", "last", "low", "scores", "floors", "hours", "column_3"}) {
    for (const float value : {kNothing, kInfinite, -kInfinite, 0x1.8p64F, -0x1.8p64F, 0x1p64F}) {
      if (value < 0 && std::string_view(name) == "outstanding") continue;
      TrendEngine engine;
      ASSERT_TRUE(engine.load(saved_.with(name, value)).ok()) << name << " " << value;
      const float kept = Saved(engine.save()).get<float>(name);
      EXPECT_TRUE(value == 0x1p64F ? kept == value : std::isnan(kept)) << name << " " << value << " " << kept;
      EXPECT_TRUE(loads(saved_.with(name, value))) << name << " " << value;
    }
  }
  for (const auto high : std::to_array<std::uint16_t>({0x7F80, 0xFF80, 0x7FC0, 0x6000})) {  // infinite, NaN, beyond 64 bits
    TrendEngine engine;
    ASSERT_TRUE(engine.load(saved_.with("highs", high, 7)).ok());
    EXPECT_EQ(Saved(engine.save()).get<std::uint16_t>("highs", 7), ShortFloat::kMissing) << high;
  }
  TrendEngine engine;
  ASSERT_TRUE(engine.load(saved_.with("highs", std::uint16_t{0x5F80}, 7)).ok());
  EXPECT_EQ(Saved(engine.save()).get<std::uint16_t>("highs", 7), 0x5F80);
}

TEST(HostileState, ASubjectStandsOnce) {
  TrendEngine engine;
  std::vector<Sample> samples = {leak_sample(1000), leak_sample(2000)};
  samples[1].text = "Lead";
  engine.observe({kStart, kStart - kDayMs, samples});
  std::string bytes = engine.save();
  TrendEngine sound;
  EXPECT_TRUE(sound.load(bytes).ok());
  EXPECT_EQ(sound.find(Kind::kTag, Pool::kNonpaged, "Lead")->last_amount, 2000);
  bytes.replace(bytes.find("Lead"), 4, "Leak");
  EXPECT_FALSE(sound.load(bytes).ok());
  EXPECT_EQ(sound.find(Kind::kTag, Pool::kNonpaged, "Lead")->last_amount, 2000) << "as it was";
}

}  // namespace
}  // namespace kmem::trend
