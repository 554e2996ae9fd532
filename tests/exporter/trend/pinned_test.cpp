// What is judged, to the digit: sums of each figure over made-up histories of every form. A changed constant, comparison
// or index of daily, estimator, evidence or folded shows here even where no history changes sides. Who means a change
// measures it with kmem_trend_sim first and then puts what these tests print in the place of what stands.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "exporter/trend/estimator.h"
#include "exporter/trend/folded.h"
#include "tests/exporter/trend/sim/generator.h"

namespace kmem::trend {
namespace {

constexpr double kLevel = 100e6;
constexpr float kUnseen = std::numeric_limits<float>::quiet_NaN();

using Shape = std::function<double(double age, double day)>;
using Draw = Shape (*)(sim::Random& random);
enum class Looks { kAll, kOnceADay, kOffice, kEveryThirdDay };

/// Floors from `day` on: autocorrelated noise, a daily and a weekly cycle, now and then a burst.
class Source {
 public:
  Source(sim::Random& random, Shape shape)
      : random_(random), shape_(std::move(shape)), rho_(random.uniform(0.3, 0.97)), sigma_(random.log_uniform(0.002, 0.02)),
        daily_(random.uniform(0, 0.1)), weekend_(random.chance(0.5) ? random.uniform(0, 0.08) : 0) {}
  std::vector<float> take(double first_day, int buckets, double first_age, Looks looks = Looks::kAll) {
    std::vector<float> floors;
    for (int i = 0; i < buckets; ++i) {
      const double day = first_day + static_cast<double>(i) / kBucketsPerDay;
      noise_ = rho_ * noise_ + sigma_ * std::sqrt(1 - rho_ * rho_) * random_.normal();
      const double hours = daily_ * std::max(0.0, std::sin(2 * 3.14159265358979 * day)),
                   free = std::fmod(day, 7) < 2 ? weekend_ : 0;
      const double burst = random_.chance(0.03) ? random_.uniform(0, 0.3) : 0;
      const double age = first_age + static_cast<double>(i) / kBucketsPerDay;
      const auto value = static_cast<float>(kLevel * (shape_(age, day) + noise_ + hours - free + burst));
      const int hour = i % kBucketsPerDay, whole = i / kBucketsPerDay;
      const bool seen = looks == Looks::kAll || (looks == Looks::kOnceADay && hour == 2) ||
                        (looks == Looks::kOffice && whole % 7 < 5 && (hour == 2 || hour == 3)) ||
                        (looks == Looks::kEveryThirdDay && whole % 3 == 0);
      floors.push_back(seen ? value : kUnseen);
    }
    return floors;
  }

 private:
  sim::Random& random_;
  Shape shape_;
  double rho_, sigma_, daily_, weekend_, noise_ = 0;
};

Shape calm(sim::Random&) {
  return [](double, double) { return 1.0; };
}
Shape leak(sim::Random& random) {
  const double rate = random.log_uniform(0.003, 0.06), onset = random.chance(0.5) ? 0 : random.uniform(2, 30);
  return [=](double, double day) { return 1 + rate * std::max(0.0, day - onset); };
}
Shape steps(sim::Random& random) {
  const double first = random.uniform(3, 40), second = random.uniform(3, 40), size = random.uniform(0.03, 0.4);
  return [=](double, double day) { return 1 + (day > first ? size : 0) + (day > second ? size / 2 : 0); };
}
Shape ramp(sim::Random& random) {
  const double begin = random.uniform(2, 40), days = random.uniform(3, 12), size = random.uniform(0.1, 0.6);
  return [=](double, double day) { return 1 + size * std::clamp((day - begin) / days, 0.0, 1.0); };
}
Shape fills(sim::Random& random) {
  const double begin = random.uniform(0, 20), tau = random.log_uniform(2, 25), size = random.uniform(0.2, 1);
  return [=](double, double day) { return day < begin ? 1 : 1 + size * (1 - std::exp((begin - day) / tau)); };
}
Shape bends(sim::Random& random) {
  const double size = random.uniform(0.2, 1.5), power = random.uniform(1.3, 3);
  return [=](double, double day) { return 1 + size * std::pow(day / 56, power); };
}
Shape from_nothing(sim::Random& random) {
  const double rate = random.log_uniform(0.003, 0.06), onset = random.uniform(0, 20);
  return [=](double, double day) { return 0.02 + rate * std::max(0.0, day - onset); };
}
Shape teeth(sim::Random& random) {
  const double days = random.uniform(5, 25), size = random.uniform(0.1, 0.5), at = random.uniform(0, 25);
  return [=](double, double day) { return 1 + size * std::fmod(day + at, days) / days; };
}

struct Sums {
  const char* name;
  Draw draw;
  Looks looks;
  std::array<double, 6> sums;  // leak score, watch score, slope and its error in % of the level, begin, strength
};

void PrintTo(const Sums& row, std::ostream* out) { *out << row.name; }

void add(std::array<double, 6>& sums, const Assessment& one) {
  const auto bounded = [](double score) { return std::clamp(score, -3.0, 10.0); };
  const std::array<double, 6> values = {bounded(one.leak_score),
                                        bounded(one.watch_score),
                                        100 * one.slope_per_day / kLevel,
                                        100 * one.slope_error_per_day / kLevel,
                                        one.onset_days_ago,
                                        bounded(one.strength)};
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += values[i];
}

void compare(const char* name, const std::array<double, 6>& sums, const std::array<double, 6>& known) {
  std::string text;
  bool same = true;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    char number[32];
    std::snprintf(number, sizeof number, "%s%.7g", i == 0 ? "" : ", ", sums[i]);
    text += number;
    same = same && std::abs(sums[i] - known[i]) <= 1e-5 * std::abs(known[i]) + 1e-9;
  }
  EXPECT_TRUE(same) << name << ": {" << text << "}";
}

class PinnedWeeks : public testing::TestWithParam<Sums> {};

TEST_P(PinnedWeeks, AreJudgedAsBefore) {
  const Sums& row = GetParam();
  std::array<double, 6> sums{};
  for (std::uint64_t run = 0; run < 80; ++run) {
    sim::Random random(9000 + run);
    const double days = run % 4 == 0 ? random.uniform(5, 20) : random.uniform(12, 56);
    EstimatorOptions options;
    options.young_boot = run % 3 == 0;
    Source source(random, row.draw(random));
    if (run % 2 == 0) options.limit = kLevel * random.uniform(1.2, 2);
    add(sums, assess(source.take(0, static_cast<int>(days * kBucketsPerDay), 0, row.looks), options));
  }
  compare(row.name, sums, row.sums);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, PinnedWeeks,
    testing::Values(
        Sums{"calm", calm, Looks::kAll, {0, 0, 2.606823, 1.947061, 668, 0}},
        Sums{"leak", leak, Looks::kAll, {71.11914, 82.20112, 124.0322, 4.126591, 1636, 154.7853}},
        Sums{"steps", steps, Looks::kAll, {10.68153, 16.97135, 95.75379, 31.78695, 1432, 4.719886}},
        Sums{"ramp", ramp, Looks::kAll, {10.90621, 22.3324, 111.6705, 17.99122, 1322, 8.68229}},
        Sums{"fills", fills, Looks::kAll, {27.96938, 41.92248, 219.6438, 28.86578, 1680, 33.67899}},
        Sums{"bends", bends, Looks::kAll, {71.27673, 81.32673, 95.90586, 4.210159, 1453, 119.2399}},
        Sums{"from_nothing", from_nothing, Looks::kAll, {57.43526, 71.24095, 117.2184, 5.46928, 1435, 92.18104}},
        Sums{"teeth", teeth, Looks::kAll, {8.973895, 9.975644, 36.34733, 11.38508, 612, 21.72774}},
        Sums{"leak_once_a_day", leak, Looks::kOnceADay, {74.9083, 86.98571, 132.0846, 5.371614, 1615, 225.1926}},
        Sums{"steps_once_a_day", steps, Looks::kOnceADay, {14.18456, 24.40039, 110.1985, 33.29389, 1351, 11.25495}},
        Sums{"leak_office", leak, Looks::kOffice, {70.35399, 83.09219, 132.8753, 9.408453, 1645, 163.3575}},
        Sums{"leak_third_day", leak, Looks::kEveryThirdDay, {68.74073, 78.04073, 121.8363, 6.239812, 1559, 142.3211}}),
    [](const auto& row) { return std::string(row.param.name); });

Shape leak_by_age(sim::Random& random) {
  const double rate = random.uniform(0.004, 0.02);
  return [=](double age, double) { return 1 + rate * age; };
}
Shape warm_up(sim::Random& random) {
  const double tau = random.uniform(0.2, 2.5), size = random.uniform(0.05, 0.4);
  return [=](double age, double) { return 1 - size * std::exp(-age / tau); };
}
Shape leak_after_warm_up(sim::Random& random) {
  const Shape leaks = leak_by_age(random), warms = warm_up(random);
  return [=](double age, double day) { return leaks(age, day) + warms(age, day); };
}

class PinnedBoots : public testing::TestWithParam<Sums> {};

TEST_P(PinnedBoots, AreJudgedAsBefore) {
  const Sums& row = GetParam();
  std::array<double, 6> sums{};
  for (std::uint64_t run = 0; run < 12; ++run) {
    sim::Random random(9100 + run);
    Source source(random, row.draw(random));
    // Weeks, fortnights, and in one of them more boots than are judged together.
    const bool many = run == 4;
    const int days = many ? 5 : run % 3 == 2 ? 14 : 7;
    const int count = many ? 18 : days == 14 ? 4 : 5 + static_cast<int>(run % 4);
    std::vector<std::vector<float>> floors;
    std::vector<BootFloors> boots;
    for (int boot = 0; boot < count; ++boot) {
      const int buckets = days * kBucketsPerDay + (boot % 2);
      const std::size_t first = boots.empty() ? 3 : boots.back().first_bucket + floors.back().size();
      floors.push_back(source.take(static_cast<double>(first) / kBucketsPerDay, buckets, 0.05));
      boots.push_back({{}, 0.05, first});
    }
    for (std::size_t boot = 0; boot < boots.size(); ++boot) boots[boot].floors = floors[boot];
    add(sums, assess_boots(boots, {}));
  }
  compare(row.name, sums, row.sums);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, PinnedBoots,
    testing::Values(Sums{"calm", calm, Looks::kAll, {-27, -27, 0.3928825, 0.6927317, 504, -27}},
                    Sums{"leak", leak_by_age, Looks::kAll, {12.72745, 17.56535, 11.53816, 1.211643, 672, 57.35313}},
                    Sums{"warm_up", warm_up, Looks::kAll, {-27.61314, -29.91515, 2.511159, 1.565803, 672, -27.61314}},
                    Sums{"leak_after_warm_up",
                         leak_after_warm_up,
                         Looks::kAll,
                         {-6.363232, -7.808525, 11.11683, 1.851165, 672, -0.7425501}},
                    Sums{"steps", steps, Looks::kAll, {-28.68173, -29.35442, 4.143861, 3.453603, 672, -28.68173}}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace kmem::trend
