#include "exporter/select/tag_shares.h"

#include <gtest/gtest.h>

#include <random>

namespace kmem::select {
namespace {

config::SeriesBudget budget(config::MetricsProfile profile) {
  config::Config config;
  config.metrics.profile = profile;
  return config::exported(config).budget;
}

constexpr std::size_t kPaged = static_cast<std::size_t>(Pool::kPaged), kNonpaged = static_cast<std::size_t>(Pool::kNonpaged);

constexpr TagShares::Rules kRules = {40, 28 * base::kDayMillis};

TEST(TagShares, NoDemandIsEverBeyondTheBound) {
  std::mt19937 random(7);
  const auto up_to = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random); };
  for (const auto profile : {config::MetricsProfile::kDefault, config::MetricsProfile::kFull}) {
    const config::SeriesBudget of = budget(profile);
    for (int round = 0; round < 2000; ++round) {
      TagShares shares(of);
      for (int tick = 0; tick < 3; ++tick) {
        const System system = round % 2 == 0 ? System::kWindows : System::kLinux;
        TagShares::Demand demand;
        for (std::size_t pool = 0; pool < kPoolCount; ++pool) demand.live[pool] = up_to(3) * up_to(2000);
        for (std::size_t left = up_to(3) * up_to(30); left > 0; --left, ++demand.suspects)
          ++demand.forced[up_to(kPoolCount - 1)];
        for (std::size_t left = up_to(1) * up_to(60); left > 0; --left) ++demand.forced[up_to(kPoolCount - 1)];
        demand.beside = 60 + up_to(190);
        demand.process_series = up_to(45), demand.session_series = up_to(72);
        const TagShares::Shares found = shares.revise(system, demand, kRules, tick * base::kDayMillis / 3);
        std::size_t tags = 0, forced = 0;
        for (const TagShares::Share& share : found) tags += share.cap;
        for (const std::size_t in_pool : demand.forced) forced += in_pool;
        const bool windows = system == System::kWindows;
        const std::size_t series = demand.beside + TagShares::kSpare + demand.process_series + demand.session_series +
                                   tags * (of.a_tag + (windows ? of.a_tag_windows : 0)) +
                                   std::min(tags, forced) * (windows ? of.a_forced_windows : 0) +
                                   std::min(tags, demand.suspects) * of.a_suspect;
        ASSERT_LE(series, of.series) << round;
      }
    }
  }
}

TEST(TagShares, SuspectsGoFirstAndASmallPoolLeavesItsRestToTheOther) {
  TagShares shares(budget(config::MetricsProfile::kFull));
  TagShares::Demand demand;
  demand.beside = 300;
  demand.live[kPaged] = 4096, demand.live[kNonpaged] = 4096;
  const TagShares::Shares even = shares.revise(System::kWindows, demand, kRules, 0);
  EXPECT_TRUE(even[kPaged].scarce && even[kNonpaged].scarce);
  EXPECT_LE(even[kNonpaged].cap - even[kPaged].cap, 1U);  // one may be left over

  demand.suspects = demand.forced[kPaged] = 6;
  const TagShares::Shares leaking = shares.revise(System::kWindows, demand, kRules, 1);
  EXPECT_EQ(leaking[kPaged].cap, leaking[kPaged].ranked + 6);
  EXPECT_LT(leaking[kNonpaged].cap, even[kNonpaged].cap);

  // Their room is kept for a while.
  demand.suspects = demand.forced[kPaged] = 0;
  EXPECT_LT(shares.revise(System::kWindows, demand, kRules, 2)[kNonpaged].cap, even[kNonpaged].cap);
  EXPECT_EQ(shares.revise(System::kWindows, demand, kRules, 2 + kRules.keep)[kNonpaged].cap, even[kNonpaged].cap);

  TagShares other(budget(config::MetricsProfile::kDefault));
  demand.live[kPaged] = 3;
  const TagShares::Shares uneven = other.revise(System::kWindows, demand, kRules, 0);
  EXPECT_EQ(uneven[kPaged].cap, 3U);
  EXPECT_FALSE(uneven[kPaged].scarce) << "it has all that it can fill";
  EXPECT_GT(uneven[kNonpaged].cap, 20U);
}

TEST(TagShares, WhatElseIsToldTakesSeatsInStepsAndNeverGivesThemBack) {
  TagShares shares(budget(config::MetricsProfile::kDefault));
  TagShares::Demand demand;
  demand.live[kPaged] = demand.live[kNonpaged] = 4096;
  const auto seats = [&](std::size_t beside, std::size_t processes) {
    demand.beside = beside, demand.process_series = processes;
    const TagShares::Shares found = shares.revise(System::kWindows, demand, kRules, 0);
    return found[kPaged].cap + found[kNonpaged].cap;
  };
  const std::size_t first = seats(200, 30);
  EXPECT_EQ(first, (500 - 200 - 30 - 2 * TagShares::kSpare) / 4);
  EXPECT_EQ(seats(200 + TagShares::kSpare, 20), first) << "an event, a finding: nobody goes";
  EXPECT_EQ(seats(100, 30), first);
  const std::size_t later = seats(201 + TagShares::kSpare, 42);
  EXPECT_EQ(later, (500 - 201 - 42 - 3 * TagShares::kSpare) / 4);
  EXPECT_EQ(seats(201, 0), later);
}

TEST(TagShares, KnobsAboveTheirDefaultsAndAllTagsHaveNoBound) {
  config::Config config;
  config.tags.max_exported = 41;
  EXPECT_FALSE(TagShares(config::exported(config).budget).bounded());
  config.tags = {};
  config.tags.all = true;
  EXPECT_FALSE(TagShares(config::exported(config).budget).bounded());
  config.tags = {};
  EXPECT_TRUE(TagShares(config::exported(config).budget).bounded());
}

}  // namespace
}  // namespace kmem::select
