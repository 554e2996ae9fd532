// A second generator, made apart from the first: other noise (an AR(1) of hours, with heavy tails or bursts that
// decay), cycles that multiply, working hours that the weekend has not, reboots off the hour, warm-ups of another form.
// What holds in both does not hang on the form of one.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>

#include "tests/exporter/trend/sim/generator.h"

namespace kmem::trend::sim {
namespace {

constexpr double kDayMs = 86'400'000.0;
constexpr double kDays = 56;
constexpr std::int64_t kStartMs = 1'767'225'600'000;
using Course = std::function<double(double day, double age_days)>;  // in levels

struct Host {
  double level = 0;
  std::vector<double> reboots;
  double uptime = 20;
  std::vector<std::pair<double, double>> gaps;
};

History follow(Random& random, const Host& host, const Course& course) {
  const double rho = random.uniform(0.9, 0.97), sigma = random.uniform(0.008, 0.02);
  const double heavy = random.chance(0.3) ? 0.005 : 0;
  const double bursts_a_day = random.chance(0.5) ? random.uniform(0.1, 1) : 0, fading = random.uniform(1, 6);
  const double daily = random.uniform(0, 0.15), weekly = random.uniform(0, 0.10);
  const bool working_hours = random.chance(0.3), constant = random.chance(0.3);
  const double hour_phase = random.uniform(0, 1), week_phase = random.uniform(0, 7), start = random.uniform(0, 7);
  History history;
  double slow = sigma * random.normal(), burst = 0, boot = -host.uptime;
  std::size_t next_boot = 0;
  for (int hour = 0; hour < kDays * 24; ++hour) {
    const double day = hour / 24.0;
    while (next_boot < host.reboots.size() && host.reboots[next_boot] <= day) boot = host.reboots[next_boot++];
    slow = rho * slow + std::sqrt(1 - rho * rho) * sigma * random.normal();
    burst *= std::exp(-1 / fading);
    if (random.chance(bursts_a_day / 24)) burst += random.uniform(0.03, 0.15);
    const double chi =
        std::sqrt((std::pow(random.normal(), 2) + std::pow(random.normal(), 2) + std::pow(random.normal(), 2)) / 3);
    const double tail = heavy * random.normal() / std::max(chi, 0.05);
    if (std::any_of(host.gaps.begin(), host.gaps.end(),
                    [day](const auto& gap) { return day >= gap.first && day < gap.second; }))
      continue;
    const bool workday = std::fmod(day + week_phase, 7) < 5;
    const double wave = std::sin(2 * std::numbers::pi * (day + hour_phase));
    const double in_day = working_hours ? (workday && wave > 0.4 ? daily : 0) : daily * (wave + 1) / 2;
    const double base = course(day, day - boot), cycles = (1 + in_day) * (1 + (workday ? weekly : 0));
    const double noise = slow + tail + burst;
    const double value = constant ? base + cycles - 1 + noise : base * cycles * (1 + noise);
    const auto at = [&](double days) { return kStartMs + static_cast<std::int64_t>((days + start) * kDayMs); };
    history.samples.push_back({at(day), at(boot), std::floor(std::max(0.0, value * host.level) / 4096) * 4096});
  }
  const double end = course(kDays, kDays - boot) * (constant ? 1 : 1 + daily / 2);
  history.level_end_bytes = end * host.level;
  history.limit_bytes = host.level * (end + random.uniform(0.5, 2));
  return history;
}

double any_level(Random& random) { return random.log_uniform(2e7, 1e9); }
double from_the_start_or_later(Random& random) { return random.chance(0.5) ? 0 : random.uniform(7, 14); }
std::vector<double> reboots_every(Random& random, double days) {
  const double first = random.chance(0.5) ? days : random.uniform(1, days), off = random.chance(0.5) ? 0.5 : 0;
  std::vector<double> reboots;
  for (double at = first; at < kDays; at += days) reboots.push_back(at + off * random.uniform(-1, 1));
  return reboots;
}
/// Share of the level that is missing after a boot: none, exponential, filled evenly, or slower and slower.
Course warm_up_of(Random& random, double chance, double longest_days) {
  if (!random.chance(chance)) return [](double, double) { return 0.0; };
  const double days = random.uniform(0.2, longest_days), size = random.uniform(0.05, 0.3), form = random.uniform(0, 3);
  return [=](double, double age) {
    if (form < 1) return size * std::exp(-age / days);
    if (form < 2) return size * std::max(0.0, 1 - age / (2 * days));
    return size / std::pow(1 + age / days, 2);
  };
}

History calm(Random& random) {
  return follow(random, {any_level(random), {}, 20, {}}, [](double, double) { return 1.0; });
}
History sawtooth(Random& random) {
  const double period = random.uniform(3, 8), phase = random.uniform(0, 1), size = random.uniform(0.1, 0.4);
  return follow(random, {any_level(random), {}, 20, {}}, [=](double day, double) {
    const double at = day / period + phase;
    return 1 + size * (at - std::floor(at));
  });
}
History warm_up(Random& random) {
  const Course missing = warm_up_of(random, 1, 3);
  Host host{any_level(random), {}, 0, {}};
  if (random.chance(0.5)) host.reboots = {random.uniform(10, 35)}, host.uptime = 20;
  return follow(random, host, [=](double day, double age) { return 1 - missing(day, age); });
}
History step(Random& random) {
  const double at = random.uniform(7, 45), size = random.uniform(0.1, 0.5);
  return follow(random, {any_level(random), {}, 20, {}}, [=](double day, double) { return day < at ? 1 : 1 + size; });
}
History two_steps(Random& random) {
  const double at = random.uniform(5, 30), second = at + random.uniform(5, 14);
  const double a = random.uniform(0.05, 0.2), b = random.uniform(0.05, 0.2);
  return follow(random, {any_level(random), {}, 20, {}},
                [=](double day, double) { return 1 + (day < at ? 0 : a) + (day < second ? 0 : b); });
}
History busy_fortnight(Random& random) {
  const double at = random.uniform(7, 35), size = random.uniform(0.1, 0.4);
  return follow(random, {any_level(random), {}, 20, {}},
                [=](double day, double) { return day < at || day > at + 14 ? 1 : 1 + size; });
}
template <int kFewestDays, int kMostDays>
History ramp(Random& random) {
  const double at = random.chance(0.2) ? 0 : random.uniform(5, 35), length = random.uniform(kFewestDays, kMostDays);
  const double size = random.uniform(0.1, 0.5);
  return follow(random, {any_level(random), {}, 20, {}},
                [=](double day, double) { return 1 + size * std::clamp((day - at) / length, 0.0, 1.0); });
}
History cache_fill(Random& random) {
  const double at = from_the_start_or_later(random), tau = random.uniform(5, 10), size = random.uniform(0.2, 0.8);
  return follow(random, {any_level(random), {}, 20, {}},
                [=](double day, double) { return 1 + (day < at ? 0 : size * (1 - std::exp((at - day) / tau))); });
}
History random_walk(Random& random) {
  const double hourly = random.uniform(0.001, 0.006);
  std::vector<double> path = {1};
  while (static_cast<double>(path.size()) <= kDays * 24) path.push_back(std::max(0.3, path.back() + hourly * random.normal()));
  return follow(random, {any_level(random), {}, 20, {}},
                [=](double day, double) { return path[static_cast<std::size_t>(day * 24)]; });
}
template <int kEveryDays>
History calm_reboots(Random& random) {
  const Course missing = warm_up_of(random, 0.7, 1.5);
  return follow(random, {any_level(random), reboots_every(random, kEveryDays), 3, {}},
                [=](double day, double age) { return 1 - missing(day, age); });
}

History leaking(History history, double onset, double level, double slope) {
  history.leaks = true, history.onset_days = onset, history.slope_bytes_per_day = slope * level;
  return history;
}
template <int kPerMille>
History leak(Random& random) {
  const double level = any_level(random), slope = kPerMille / 1000.0, onset = from_the_start_or_later(random);
  return leaking(
      follow(random, {level, {}, 20, {}}, [=](double day, double) { return 1 + slope * std::max(0.0, day - onset); }), onset,
      level, slope);
}
History working_hours_leak(Random& random) {
  const double level = any_level(random), slope = random.uniform(0.007, 0.02), phase = random.uniform(0, 7);
  std::vector<double> sum = {0};
  for (int hour = 0; hour < kDays * 24; ++hour) {
    const double day = hour / 24.0 + phase, in_day = day - std::floor(day);
    sum.push_back(sum.back() + (std::fmod(day, 7) < 5 && in_day > 1.0 / 3 && in_day < 0.75 ? slope * 7 / 5 / 10 : 0));
  }
  return leaking(
      follow(random, {level, {}, 20, {}}, [=](double day, double) { return 1 + sum[static_cast<std::size_t>(day * 24)]; }), 0,
      level, slope);
}
History staircase(Random& random) {
  const double level = any_level(random), slope = random.uniform(0.006, 0.015), phase = random.uniform(0, 1);
  return leaking(
      follow(random, {level, {}, 20, {}}, [=](double day, double) { return 1 + 7 * slope * std::floor(day / 7 + phase); }), 0,
      level, slope);
}
History accelerating(Random& random) {
  const double level = any_level(random), slope = random.uniform(0.006, 0.02);
  return leaking(follow(random, {level, {}, 20, {}}, [=](double day, double) { return 1 + slope * day * day / kDays; }), 0,
                 level, 2 * slope);
}
History gaps(Random& random) {
  const double level = any_level(random), slope = random.uniform(0.006, 0.02);
  Host host{level, {}, 20, {}};
  for (int i = 0; i < 5; ++i) {
    const double at = random.uniform(2, 53);
    host.gaps.emplace_back(at, at + random.uniform(0.2, 4));
  }
  return leaking(follow(random, host, [=](double day, double) { return 1 + slope * day; }), 0, level, slope);
}
template <int kEveryDays>
History rebooted_leak(Random& random) {
  const double level = any_level(random), slope = random.uniform(0.01, 0.02);
  const Course missing = warm_up_of(random, 0.5, 0.8);
  return leaking(follow(random, {level, reboots_every(random, kEveryDays), 3, {}},
                        [=](double day, double age) { return 1 + slope * age - missing(day, age); }),
                 0, level, slope);
}

constexpr std::array kOthers = {
    Scenario{"calm", Goal::kQuiet, 1, {}, calm},
    Scenario{"sawtooth", Goal::kQuiet, 2, {}, sawtooth},
    Scenario{"warm-up", Goal::kQuiet, 2, {}, warm_up},
    Scenario{"one step", Goal::kQuiet, 5, {}, step},
    Scenario{"busy fortnight", Goal::kQuiet, 5, {}, busy_fortnight},
    Scenario{"two steps", Goal::kQuiet, 10, {}, two_steps},
    Scenario{"ramp 3-7 d then flat", Goal::kQuiet, 10, {}, ramp<3, 7>},
    Scenario{"ramp 7-14 d then flat", Goal::kQuiet, 100, {}, ramp<7, 14>},
    Scenario{"slow cache fill", Goal::kQuiet, 20, {}, cache_fill},
    Scenario{"random walk", Goal::kQuiet, 15, {}, random_walk},
    Scenario{"calm, weekly reboots", Goal::kQuiet, 5, {}, calm_reboots<7>},
    Scenario{"calm, fortnightly reboots", Goal::kQuiet, 5, {}, calm_reboots<14>},
    Scenario{"leak 0.3 %/d", Goal::kDetect, 80, {}, leak<3>},
    Scenario{"leak 0.5 %/d", Goal::kDetect, 95, {}, leak<5>},
    Scenario{"leak 1 %/d", Goal::kDetect, 99, 12, leak<10>},
    Scenario{"leak 2 %/d", Goal::kDetect, 99, 8, leak<20>},
    Scenario{"leak 3 %/d", Goal::kDetect, 99, {}, leak<30>},
    Scenario{"leak 5 %/d", Goal::kDetect, 99, {}, leak<50>},
    Scenario{"business hours", Goal::kDetect, 95, {}, working_hours_leak},
    Scenario{"staircase", Goal::kDetect, 95, {}, staircase},
    Scenario{"accelerating", Goal::kDetect, 95, {}, accelerating},
    Scenario{"with gaps", Goal::kDetect, 95, {}, gaps},
    Scenario{"weekly reboots", Goal::kDetect, 90, {}, rebooted_leak<7>},
    Scenario{"fortnightly reboots", Goal::kDetect, 95, {}, rebooted_leak<14>},
};

constexpr std::array kRebootScenarios = {
    Scenario{"calm, weekly reboots", Goal::kQuiet, 5, {}, calm_reboots<7>},
    Scenario{"calm, fortnightly reboots", Goal::kQuiet, 5, {}, calm_reboots<14>},
    Scenario{"calm, 28-day reboots", Goal::kQuiet, 5, {}, calm_reboots<28>},
    Scenario{"weekly reboots", Goal::kDetect, 90, {}, rebooted_leak<7>},
    Scenario{"fortnightly reboots", Goal::kDetect, 95, {}, rebooted_leak<14>},
    Scenario{"28-day reboots", Goal::kDetect, 95, {}, rebooted_leak<28>},
};

}  // namespace

std::span<const Scenario> reboot_scenarios() { return kRebootScenarios; }

std::span<const Scenario> other_scenarios() { return kOthers; }

}  // namespace kmem::trend::sim
