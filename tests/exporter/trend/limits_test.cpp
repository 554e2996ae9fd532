// What the bench promises, on few histories that no rule was tuned on. kmem_trend_sim runs as many as one likes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>
#include <vector>

#include "tests/exporter/trend/sim/score.h"

namespace kmem::trend::sim {
namespace {

constexpr std::uint64_t kFirstRun = 100'000;
constexpr int kRuns = 40, kRunsOfOtherForms = 16;

/// Misses that so few runs may show beyond the promise: two standard deviations.
double luck_percent(double promised_percent, int runs) {
  return 200 * std::sqrt(promised_percent / 100 * (1 - promised_percent / 100) / runs);
}

enum class Form { kWide, kNarrow, kOther };  // of noise; of the second generator

struct Limited {
  Form form;
  const Scenario* scenario;
};
std::vector<Limited> all_limited() {
  std::vector<Limited> all;
  for (const Form form : {Form::kWide, Form::kNarrow, Form::kOther}) {
    for (const Scenario& scenario : form == Form::kOther ? other_scenarios() : scenarios()) {
      all.push_back({form, &scenario});
    }
  }
  return all;
}

class Limits : public testing::TestWithParam<Limited> {};

TEST_P(Limits, AreKept) {
  const auto [form, named] = GetParam();
  const Scenario& scenario = *named;
  const int runs = form == Form::kWide ? kRuns : kRunsOfOtherForms;
  const Row row = score(scenario, kFirstRun, runs, form == Form::kNarrow ? NoiseKind::kNarrow : NoiseKind::kWide, false);
  const double luck = luck_percent(scenario.limit_percent, runs);
  if (scenario.goal == Goal::kQuiet) {
    EXPECT_LE(row.flagged_percent, scenario.limit_percent + luck) << table_line(row);
    return;
  }
  EXPECT_GE(row.flagged_percent, scenario.limit_percent - luck) << table_line(row);
  if (form == Form::kWide && scenario.limit_days) { EXPECT_LE(row.median_days, *scenario.limit_days) << table_line(row); }
}

std::string name_of(const testing::TestParamInfo<Limited>& info) {
  std::string name = info.param.form == Form::kWide ? "wide_" : info.param.form == Form::kNarrow ? "narrow_" : "other_";
  for (const char c : info.param.scenario->name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Bench, Limits, testing::ValuesIn(all_limited()), name_of);

/// What poolmon's log tells: no boot time, but counters that a reboot begins anew.
TEST(HiddenBoots, AreFoundAsThoseWithBootTimes) {
  for (const Scenario& scenario : reboot_scenarios()) {
    if (scenario.name.find("fortnightly") != std::string_view::npos) continue;  // the bench shows them
    const Row with = score(scenario, kFirstRun, kRuns, NoiseKind::kWide, false);
    const Row without = score(scenario, kFirstRun, kRuns, NoiseKind::kWide, false, BootTimes::kHidden);
    EXPECT_NEAR(without.flagged_percent, with.flagged_percent, 5) << table_line(without) << "\n" << table_line(with);
    EXPECT_NEAR(without.slope_within_20_percent, with.slope_within_20_percent, 10) << scenario.name;
  }
}

struct Few {
  Readings readings;
  double half_percent_a_day, one_percent_a_day;  // fewest detected
};
class FewReadings : public testing::TestWithParam<Few> {};

/// Somebody who looks now and then must not be told "ok" by a leak that any eye sees, nor "leak" by noise.
TEST_P(FewReadings, TellLeaksFromNoise) {
  const auto [readings, half, one] = GetParam();
  for (const auto all : {scenarios(), other_scenarios()}) {
    for (const Scenario& scenario : all) {
      const bool calm = scenario.name == "calm";
      const double wanted = scenario.name == "leak 0.5 %/d" ? half : scenario.name == "leak 1 %/d" ? one : 0;
      if (!calm && wanted == 0) continue;
      const Row row = score(scenario, kFirstRun, kRuns, NoiseKind::kWide, false, BootTimes::kGiven, readings);
      if (calm) EXPECT_LE(row.flagged_percent, 2 + luck_percent(2, kRuns)) << table_line(row);
      else EXPECT_GE(row.flagged_percent, wanted - luck_percent(wanted, kRuns)) << table_line(row);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Bench, FewReadings,
                         testing::Values(Few{Readings::kOnceADay, 90, 97}, Few{Readings::kTwiceAWeek, 75, 90},
                                         Few{Readings::kOfficeHours, 90, 97}, Few{Readings::kNoNights, 90, 97},
                                         Few{Readings::kAnyTime, 65, 90}),
                         [](const auto& few) {
                           const auto found = std::find_if(kReadingsNames.begin(), kReadingsNames.end(), [&](const auto& each) {
                             return each.readings == few.param.readings;
                           });
                           std::string name(found->name);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Peers, DerivFiresOnCalmSeriesAndWeeklyMinimaDoNot) {
  const Row calm = score(scenarios()[0], kFirstRun, kRuns, NoiseKind::kNarrow, true);
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
