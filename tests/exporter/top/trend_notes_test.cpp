#include "exporter/top/trend_notes.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string_view>

#include "collectors/base/state_file.h"
#include "exporter/trend/engine.h"
#include "tests/support/memory_files.h"
#include "tests/support/pattern.h"

namespace kmem::top {
namespace {

using testing::HasSubstr;

constexpr base::UnixMillis kHour = 3'600'000;

/// Four weeks by the hour of a tag that gains 240 KiB a day and one that stands still.
std::string trend_of(const std::string& host) {
  trend::EngineOptions options;
  options.host_identity = host;
  trend::TrendEngine engine(options);
  for (int hour = 0; hour < 28 * 24; ++hour) {
    const std::vector<trend::Sample> samples = {
        {trend::Kind::kTag, Pool::kNonpaged, "Leak", 1'000'000 + static_cast<std::uint64_t>(hour) * 10'240, 100, {}},
        {trend::Kind::kTag, Pool::kNonpaged, "Calm", 5'000'000, 100, {}},
        {trend::Kind::kPool,
         Pool::kNonpaged,
         "",
         6'000'000 + static_cast<std::uint64_t>(hour) * 10'240,
         {},
         40e6,
         trend::Bound::kCommitLimit}};
    engine.observe({1'700'000'000'000 + hour * kHour, 1'690'000'000'000, samples});
  }
  engine.settle();
  return engine.save();
}

UsageRow row(std::string tag) {
  UsageRow out;
  out.pool = Pool::kNonpaged;
  out.tag = std::move(tag);
  return out;
}

class Trend : public testing::Test {
 protected:
  void keep(const std::string& host, std::uint32_t version = trend::TrendEngine::kStateVersion) {
    files_.put("/state/trend.state", base::encode_state("TRND", version, trend_of(host)));
    files_.set_modified(++modified_);
  }
  UsageRow noted(const TrendNotes& notes, std::string tag) const {
    UsageRow out = row(std::move(tag));
    notes.note(out);
    return out;
  }
  test::MemoryFiles files_;
  base::UnixMillis modified_ = 0;
};

TEST_F(Trend, SaysWhatLeaksAndHowFastAndChangesNothing) {
  keep("host");
  const std::string before = *files_.get("/state/trend.state");
  TrendNotes notes(files_, "/state", "host");
  notes.refresh();
  EXPECT_EQ(notes.problem(), "");
  EXPECT_THAT(noted(notes, "Leak").trend, test::IsPattern("LEAK \\+2[34][0-9]K/d [0-9]+%"));
  EXPECT_EQ(noted(notes, "Leak").mark, Mark::kLeak);
  EXPECT_EQ(noted(notes, "Calm").trend, "+0/d");
  EXPECT_EQ(noted(notes, "Calm").mark, Mark::kNone);
  EXPECT_EQ(noted(notes, "Else").trend, "");
  // 40 MB less 6 MB and 671 hours of 10 KiB: 25.9 MiB, at 240 KiB a day.
  EXPECT_THAT(notes.ends(), testing::ElementsAre("nonpaged ends in 110d: 25.9M to the commit limit, +240K/d"));
  EXPECT_EQ(*files_.get("/state/trend.state"), before);
  EXPECT_THAT(files_.paths(), testing::ElementsAre("/state/trend.state"));
}

/// Three weeks of a leak of events, which `leaker` has the handles of, beside a process whose handles stand still; and of
/// a tag that gains as much and is no object's.
std::string object_leak(const std::string& leaker) {
  trend::EngineOptions options;
  options.host_identity = "host";
  trend::TrendEngine engine(options);
  for (std::uint64_t hour = 0; hour < 21 * 24; ++hour) {
    const std::uint64_t objects = 5'000 + hour * 500;
    const std::vector<trend::Sample> samples = {{trend::Kind::kHandles, {}, "busy.exe (88)", 9'000, {}, {}},
                                                {trend::Kind::kHandles, {}, leaker, 100 + objects - hour * 10, {}, {}},
                                                {trend::Kind::kTag, Pool::kNonpaged, "Even", objects * 48, objects, {}},
                                                {trend::Kind::kTag, Pool::kNonpaged, "Irp ", objects * 48, objects, {}}};
    engine.observe({1'700'000'000'000 + static_cast<base::UnixMillis>(hour) * kHour, 1'690'000'000'000, samples});
  }
  engine.settle();
  return engine.save();
}

TEST_F(Trend, NamesWhoHoldsALeakingObjectAndOfOtherTagsNobody) {
  files_.put("/state/trend.state",
             base::encode_state("TRND", trend::TrendEngine::kStateVersion, object_leak("updater.exe (1234)")));
  files_.set_modified(++modified_);
  TrendNotes notes(files_, "/state", "host");
  notes.refresh();
  EXPECT_THAT(noted(notes, "Even").trend, test::IsPattern("LEAK \\+5[67][0-9]K/d [0-9]+% 98% updater\\.exe\\(1234\\)"));
  EXPECT_EQ(noted(notes, "Even").mark, Mark::kLeak);
  EXPECT_THAT(noted(notes, "Irp ").trend, test::IsPattern("LEAK \\+5[67][0-9]K/d [0-9]+%"));
}

TEST_F(Trend, IsReadAnewOnlyWhenTheFileChanged) {
  keep("host");
  TrendNotes notes(files_, "/state", "host");
  notes.refresh();
  const std::uint64_t operations = files_.operations();
  notes.refresh();
  EXPECT_EQ(files_.operations(), operations);
  files_.put("/state/trend.state", "damage");
  files_.set_modified(++modified_);
  notes.refresh();
  EXPECT_THAT(notes.problem(), HasSubstr("/state/trend.state"));
  EXPECT_EQ(noted(notes, "Leak").trend, "");
  keep("host");
  notes.refresh();
  EXPECT_EQ(notes.problem(), "");
  EXPECT_EQ(noted(notes, "Leak").mark, Mark::kLeak);
}

/// Ten calm days, then three of growth from 100 MB to 160 of a room of `limit`, and what else leaks in a pool that ends in
/// `other_days`; by the half hour.
std::string far_surge(double limit, double other_days) {
  trend::EngineOptions options;
  options.host_identity = "host";
  trend::TrendEngine engine(options);
  for (int half = 0; half <= 13 * 48; ++half) {
    const double days = half / 48.0, grown = 20e6 * std::max(0.0, days - 10);
    const auto held = static_cast<std::uint64_t>(100e6 + grown), leaked = static_cast<std::uint64_t>(50e6 + 5e6 * days);
    const std::vector<trend::Sample> samples = {
        {trend::Kind::kTag, Pool::kNonpaged, "Srg", held, 100, {}},
        {trend::Kind::kTag, Pool::kPaged, "Leak", leaked, 100, {}},
        {trend::Kind::kPool, Pool::kNonpaged, "", held, {}, limit, trend::Bound::kPoolLimit},
        {trend::Kind::kPool, Pool::kPaged, "", leaked, {}, 115e6 + 5e6 * other_days, trend::Bound::kPoolLimit}};
    engine.observe({1'700'000'000'000 + half * kHour / 2, 1'690'000'000'000, samples});
  }
  engine.settle();
  return engine.save();
}

TEST_F(Trend, ASurgeThatEndsInMonthsIsToldByHowOftenItHoldsWhatItHeld) {
  files_.put("/state/trend.state", base::encode_state("TRND", trend::TrendEngine::kStateVersion, far_surge(2.6e9, 200)));
  TrendNotes notes(files_, "/state", "host");
  notes.refresh();
  EXPECT_EQ(notes.problem(), "");
  EXPECT_THAT(noted(notes, "Srg").trend, test::IsPattern("SURGE \\+[78][0-9][0-9]K/h 1\\.[456]x"));
  for (const std::string& line : notes.ends()) EXPECT_EQ(line.find("nonpaged ends"), line.npos) << line;
}

TEST_F(Trend, WhatEndsFirstStandsFirst) {
  files_.put("/state/trend.state", base::encode_state("TRND", trend::TrendEngine::kStateVersion, far_surge(360e6, 4)));
  TrendNotes notes(files_, "/state", "host");
  notes.refresh();
  EXPECT_EQ(notes.problem(), "");
  ASSERT_FALSE(notes.ends().empty());
  EXPECT_THAT(notes.ends()[0], test::IsPattern("Ends first: paged Leak (LEAK|SURGE) \\+.*"));
  const auto place = [&](std::string_view begin) {
    return std::find_if(notes.ends().begin(), notes.ends().end(), [&](const auto& line) { return line.starts_with(begin); });
  };
  EXPECT_LT(place("paged ends in 4.0d: "), place("nonpaged ends in "));
  EXPECT_NE(place("nonpaged ends in "), notes.ends().end());
}

TEST_F(Trend, OtherHostsAndVersionsAreRefusedAndNoFileIsNoFault) {
  TrendNotes absent(files_, "/state", "host");
  absent.refresh();
  EXPECT_EQ(absent.problem(), "");
  keep("another");
  TrendNotes notes(files_, "/state", "host");
  notes.refresh();
  EXPECT_THAT(notes.problem(), HasSubstr("another host"));
  keep("host", 77);
  notes.refresh();
  EXPECT_THAT(notes.problem(), HasSubstr("version 77"));
  TrendNotes nothing(files_, "", "host");
  nothing.refresh();
  EXPECT_EQ(nothing.problem(), "");
}

}  // namespace
}  // namespace kmem::top
