// What the bench promises, on few histories that no rule was tuned on. kmem_trend_sim runs as many as one likes.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/exporter/trend/sim/score.h"

namespace kmem::trend::sim {
namespace {

constexpr std::uint64_t kFirstRun = 100'000;
constexpr int kRuns = 40;

/// Misses that so few runs may show beyond the promise: two standard deviations.
double luck_percent(double promised_percent) {
  return 200 * std::sqrt(promised_percent / 100 * (1 - promised_percent / 100) / kRuns);
}

class Limits : public testing::TestWithParam<std::size_t> {};

TEST_P(Limits, AreKept) {
  const Scenario& scenario = scenarios()[GetParam()];
  const Row row = score(scenario, kFirstRun, kRuns, false, false);
  const double luck = luck_percent(scenario.limit_percent);
  if (scenario.goal == Goal::kQuiet) {
    EXPECT_LE(row.flagged_percent, scenario.limit_percent + luck) << table_line(row);
    return;
  }
  EXPECT_GE(row.flagged_percent, scenario.limit_percent - luck) << table_line(row);
  EXPECT_LE(scenario.limit_days ? row.median_days : 0, scenario.limit_days.value_or(0)) << table_line(row);
}

std::string name_of(const testing::TestParamInfo<std::size_t>& info) {
  std::string name(scenarios()[info.param].name);
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Bench, Limits, testing::Range<std::size_t>(0, scenarios().size()), name_of);

TEST(Peers, DerivFiresOnCalmSeriesAndWeeklyMinimaDoNot) {
  const Row calm = score(scenarios()[0], kFirstRun, kRuns, true, true);
  EXPECT_GE(calm.peer_percent[0], 60);
  EXPECT_LE(calm.peer_percent[2], 3);
}

TEST(Generator, SameRunSameHistory) {
  for (const Scenario& scenario : scenarios()) {
    Random first(42), second(42);
    const History a = scenario.make(first), b = scenario.make(second);
    ASSERT_EQ(a.samples.size(), b.samples.size());
    ASSERT_GT(a.samples.size(), 100U) << scenario.name;
    EXPECT_EQ(a.samples.back().bytes, b.samples.back().bytes);
    EXPECT_EQ(a.leaks, scenario.goal == Goal::kDetect) << scenario.name;
  }
}

}  // namespace
}  // namespace kmem::trend::sim
