#include "tests/exporter/trend/sim/generator.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <numbers>

#include "tests/exporter/trend/sim/sessions.h"

namespace kmem::trend::sim {
namespace {

constexpr double kDayMs = 86'400'000.0;
constexpr double kDays = 56;
constexpr double kPi = std::numbers::pi;
constexpr std::int64_t kStartMs = 1'767'225'600'000;  // 2026-01-01, a Thursday

struct Noise {
  double rho_hour, sigma;
  double daily, weekly;
  int daily_shape, weekly_shape;
  double daily_phase, weekly_phase;
  double burst_per_day, burst_hours, burst_size;
  bool relative;  // grows with the level, or stays at its first size
  double quantum;
};

Noise draw_noise(Random& random, double level) {
  Noise noise{};
  noise.rho_hour = random.uniform(0.3, 0.98);
  noise.sigma = random.log_uniform(0.002, 0.03);
  noise.daily = random.chance(0.2) ? 0 : random.uniform(0, 0.15);
  noise.weekly = random.chance(0.3) ? 0 : random.uniform(0, 0.10);
  noise.daily_shape = static_cast<int>(random.uniform(0, 3));
  noise.weekly_shape = static_cast<int>(random.uniform(0, 3));
  noise.daily_phase = random.uniform(0, 1);
  noise.weekly_phase = random.uniform(0, 7);
  noise.burst_per_day = random.chance(0.4) ? 0 : random.uniform(0, 3);
  noise.burst_hours = random.log_uniform(0.1, 5);
  noise.burst_size = random.log_uniform(0.01, 0.1);
  noise.relative = random.chance(0.5);
  noise.quantum = std::min(random.log_uniform(16, 65536), level * 0.002);
  if (random.noise == NoiseKind::kNarrow) {
    noise.rho_hour = 0.95, noise.sigma = 0.015;
    noise.daily = random.uniform(0.03, 0.12), noise.weekly = random.uniform(0, 0.10), noise.weekly_shape = 1;
    noise.burst_per_day = 0;
  }
  return noise;
}

double cycle(int shape, double position) {  // position 0..1 in the cycle; result 0..1
  position -= std::floor(position);
  if (shape == 0) return 0.5 - 0.5 * std::cos(2 * kPi * position);
  if (shape == 1) return position < 0.4 ? std::sin(kPi * position / 0.4) : 0;
  return position < 0.38 ? 1 : 0;
}

double weekly_cycle(int shape, double days) {
  const double position = days / 7 - std::floor(days / 7);
  if (shape == 0) return 0.5 - 0.5 * std::cos(2 * kPi * position);
  if (shape == 1) return position < 5.0 / 7 ? 1 : 0;  // working days
  return position < 1.0 / 7 ? 1 : 0;                  // one day of batch work
}

struct Plan {
  double level = 0;
  std::function<double(double day, double age_days)> shape;  // additional bytes, noise-free, as a function of time
  double step_hours = 1;
  std::vector<double> reboots;                  // days
  double uptime_before = 30;                    // days of uptime at the first sample
  std::vector<std::pair<double, double>> gaps;  // days from, to
};

double draw_step_hours(Random& random) {
  if (random.chance(0.85)) return 1;
  const std::array<double, 4> steps = {0.25, 0.5, 3, 6};
  return steps[static_cast<std::size_t>(random.uniform(0, 4))];
}

constexpr double kLeastRoom = 0.3;  // of the level halfway, in the end

/// Every ten minutes, from a host whose growth may follow its work.
History render_sessions(Random& random, const Plan& plan) {
  constexpr double kStepMinutes = 10;
  Sessions sessions(random, kStepMinutes);
  const double offset_days = random.uniform(0, 7);
  History history;
  double boot_day = -plan.uptime_before;
  std::size_t reboot = 0;
  const auto at = [&](double day) { return kStartMs + static_cast<std::int64_t>((day + offset_days) * kDayMs); };
  const auto grown = [&](double day) {
    return plan.shape(std::max(0.0, sessions.worked(day)), std::max(0.0, sessions.worked(day) - sessions.worked(boot_day)));
  };
  for (double day = 0; day < kDays; day += kStepMinutes / 1440) {
    while (reboot < plan.reboots.size() && plan.reboots[reboot] <= day) boot_day = plan.reboots[reboot++];
    const double held = sessions.next(day);
    if (std::any_of(plan.gaps.begin(), plan.gaps.end(),
                    [day](const auto& gap) { return day >= gap.first && day < gap.second; }))
      continue;
    const double bytes = std::max(0.0, plan.level + grown(day) + plan.level * held);
    history.samples.push_back({at(day), at(boot_day), std::floor(bytes / 4096) * 4096});
  }
  const double end = plan.level + plan.shape(kDays, kDays - boot_day);
  history.level_end_bytes = end;
  history.limit_bytes = end + (plan.level + end) / 2 * random.uniform(kLeastRoom, 2.0);
  return history;
}

History render(Random& random, const Plan& plan) {
  if (random.noise == NoiseKind::kSessions) return render_sessions(random, plan);
  const Noise noise = draw_noise(random, plan.level);
  History history;
  const double step_days = plan.step_hours / 24;
  const double rho = std::pow(noise.rho_hour, plan.step_hours);
  double ar = random.normal() * noise.sigma;
  std::vector<std::pair<double, double>> bursts;  // end day, size
  double boot_day = -plan.uptime_before;
  std::size_t reboot = 0;
  const double offset_days = random.uniform(0, 7);
  for (double day = 0; day < kDays; day += step_days) {
    while (reboot < plan.reboots.size() && plan.reboots[reboot] <= day) boot_day = plan.reboots[reboot++];
    ar = rho * ar + std::sqrt(1 - rho * rho) * noise.sigma * random.normal();
    if (random.chance(noise.burst_per_day * step_days)) {
      const double size = std::min(1.0, noise.burst_size * std::pow(random.uniform(0.01, 1), -0.5));
      bursts.emplace_back(day - noise.burst_hours / 24 * std::log(random.uniform(1e-6, 1)), size);
    }
    std::erase_if(bursts, [day](const auto& burst) { return burst.first < day; });
    double extra = 0;
    for (const auto& burst : bursts) extra += burst.second;
    const bool hidden = std::any_of(plan.gaps.begin(), plan.gaps.end(),
                                    [day](const auto& gap) { return day >= gap.first && day < gap.second; });
    if (hidden) continue;
    const double base = plan.level + plan.shape(day, day - boot_day);
    const double factor = noise.daily * cycle(noise.daily_shape, day + noise.daily_phase) +
                          noise.weekly * weekly_cycle(noise.weekly_shape, day + noise.weekly_phase) + ar + extra;
    const double moving = noise.relative ? base : plan.level;
    double bytes = std::max(0.0, base + moving * factor);
    bytes = std::floor(bytes / noise.quantum) * noise.quantum;
    const auto at = static_cast<std::int64_t>((day + offset_days) * kDayMs);
    history.samples.push_back({kStartMs + at, kStartMs + static_cast<std::int64_t>((boot_day + offset_days) * kDayMs), bytes});
  }
  const double end = plan.level + plan.shape(kDays, kDays - boot_day);
  history.level_end_bytes = end;
  history.limit_bytes = end + (plan.level + end) / 2 * random.uniform(kLeastRoom, 2.0);
  return history;
}

double draw_level(Random& random) { return random.log_uniform(4e6, 2e9); }
/// A level at which the smallest leak of the bench is material.
double draw_leak_level(Random& random, double rate) { return random.log_uniform(45'000 / rate, std::max(2e9, 90'000 / rate)); }

using Shape = std::function<double(double, double)>;
History quiet(Random& random, double level, Shape shape) {
  return render(random, {level, std::move(shape), draw_step_hours(random), {}, random.uniform(0.5, 60), {}});
}

History calm(Random& random) {
  return quiet(random, draw_level(random), [](double, double) { return 0.0; });
}
History step(Random& random) {
  const double level = draw_level(random), at = random.uniform(1, 50);
  const double size = level * (random.chance(0.8) ? random.log_uniform(0.05, 1) : -random.uniform(0.05, 0.5));
  return quiet(random, level, [=](double day, double) { return day < at ? 0 : size; });
}
History two_steps(Random& random) {
  const double level = draw_level(random), first = random.uniform(1, 40), second = first + random.uniform(1, 16);
  const double a = level * random.log_uniform(0.05, 0.6);
  const double b = level * (random.chance(0.8) ? random.log_uniform(0.05, 0.6) : -random.uniform(0.05, 0.5));
  return quiet(random, level, [=](double day, double) { return (day < first ? 0 : a) + (day < second ? 0 : b); });
}
History warm_up(Random& random) {
  const double level = draw_level(random), tau = random.uniform(0.5, 4), size = level * random.uniform(0.1, 1.5);
  const bool at_start = random.chance(0.5);
  Plan plan{level,
            [=](double, double age) { return -size / (1 + size / level) * std::exp(-age / tau); },
            draw_step_hours(random),
            {},
            at_start ? random.uniform(0, 0.2) : 30,
            {}};
  if (!at_start) plan.reboots.push_back(random.uniform(5, 40));
  return render(random, plan);
}
History cache_fill(Random& random) {
  const double level = draw_level(random), tau = random.uniform(5, 15), size = level * random.uniform(0.2, 1);
  const double from = random.chance(0.5) ? 0 : random.uniform(0, 25);
  return quiet(random, level, [=](double day, double) { return day < from ? 0 : size * (1 - std::exp(-(day - from) / tau)); });
}
History sawtooth(Random& random) {
  const double level = draw_level(random), period = random.log_uniform(0.5, 10), size = level * random.uniform(0.05, 0.5);
  const double phase = random.uniform(0, 1), jitter = random.chance(0.5) ? random.uniform(0, 0.25) : 0;
  std::vector<double> drops;
  for (double at = -phase * period; at < kDays + period; at += period * (1 + jitter * random.normal() * 0.5 + 0.01))
    drops.push_back(at);
  return quiet(random, level, [=](double day, double) {
    const auto next = std::upper_bound(drops.begin(), drops.end(), day);
    const double last = next == drops.begin() ? day : *(next - 1);
    return size * std::min(1.5, (day - last) / period);
  });
}
History busy_fortnight(Random& random) {
  const double level = draw_level(random), from = random.uniform(3, 38), length = random.uniform(10, 16);
  const double up = random.uniform(0.05, 3), down = random.uniform(0.05, 3), size = level * random.uniform(0.1, 0.5);
  return quiet(random, level, [=](double day, double) {
    return size * std::clamp(std::min((day - from) / up, (from + length - day) / down), 0.0, 1.0);
  });
}
template <int kFewestDays, int kMostDays>
History ramp_then_flat(Random& random) {
  const double level = draw_level(random), length = random.uniform(kFewestDays, kMostDays),
               size = level * random.uniform(0.1, 0.5);
  const double from = random.chance(0.2) ? 0 : random.uniform(0, 30);
  return quiet(random, level, [=](double day, double) { return size * std::clamp((day - from) / length, 0.0, 1.0); });
}
History random_walk(Random& random) {
  const double level = draw_level(random), hourly = random.log_uniform(0.0005, 0.01);
  const double pull = random.chance(0.5) ? 0 : 1 / (24 * random.uniform(3, 20));  // mean-reverting half of the time
  std::vector<double> path;
  double value = 0;
  for (int hour = 0; hour <= kDays * 24; ++hour) {
    path.push_back(value);
    value += hourly * random.normal() - pull * value;
    if (value < -0.6) value = -1.2 - value;
  }
  return quiet(random, level, [=](double day, double) { return level * path[static_cast<std::size_t>(day * 24)]; });
}
History calm_weekly_reboots(Random& random) {
  const double level = draw_level(random), tau = random.uniform(0.3, 2), size = random.uniform(0.05, 0.4);
  Plan plan{level, [=](double, double age) { return -level * size * std::exp(-age / tau); }, 1, {}, random.uniform(0, 6), {}};
  const double period = random.chance(0.5) ? 7 : 14;
  for (double at = random.uniform(1, period); at < kDays; at += period) plan.reboots.push_back(at);
  return render(random, plan);
}

History leaking(Random& random, const Plan& plan, double onset, double slope) {
  History history = render(random, plan);
  history.leaks = true;
  history.onset_days = onset;
  history.slope_bytes_per_day = slope;
  return history;
}
template <int kPerMille>
History steady_leak(Random& random) {
  const double rate = kPerMille / 1000.0, level = draw_leak_level(random, rate);
  const double onset = random.chance(0.6) ? 0 : random.uniform(0, kPerMille >= 10 ? 30 : 15), slope = rate * level;
  const Plan plan{level,
                  [=](double day, double) { return slope * std::max(0.0, day - onset); },
                  draw_step_hours(random),
                  {},
                  random.uniform(0.5, 60),
                  {}};
  return leaking(random, plan, onset, slope);
}
History business_hours_leak(Random& random) {
  const double rate = random.uniform(0.007, 0.02), level = draw_leak_level(random, rate), phase = random.uniform(0, 7);
  const auto worked = [=](double day) {  // days of work done by then: Monday to Friday, 8 h of 24
    const double at = day + phase, weeks = std::floor(at / 7), in_week = at - 7 * weeks, whole = std::floor(in_week);
    const double today = whole < 5 ? std::clamp((in_week - whole - 0.35) * 3, 0.0, 1.0) : 0;
    return weeks * 5 + std::min(whole, 5.0) + today;
  };
  const double start = worked(0), slope = rate * level;
  const Plan plan{level,
                  [=](double day, double) { return slope * 7 / 5 * (worked(day) - start); },
                  draw_step_hours(random),
                  {},
                  random.uniform(0.5, 60),
                  {}};
  return leaking(random, plan, 0, slope);
}
History staircase_leak(Random& random) {
  const double rate = random.uniform(0.005, 0.015), level = draw_leak_level(random, rate), first = random.uniform(0, 7);
  const double tread = random.chance(0.7) ? 7 : random.uniform(2, 7);
  std::vector<double> rises;
  for (double at = first; at < kDays + 1; at += tread) rises.push_back(at + random.uniform(-0.5, 0.5) * random.chance(0.5));
  const double slope = rate * level;
  const Plan plan{level,
                  [=](double day, double) {
                    return slope * tread * static_cast<double>(std::count_if(rises.begin(), rises.end(), [day](double at) {
                             return at <= day;
                           }));
                  },
                  draw_step_hours(random),
                  {},
                  random.uniform(0.5, 60),
                  {}};
  return leaking(random, plan, 0, slope);
}
History accelerating_leak(Random& random) {
  const double rate = random.uniform(0.006, 0.02), level = draw_leak_level(random, rate);
  const double slope = rate * level;  // the mean over the 8 weeks; twice that at the end
  const Plan plan{level,
                  [=](double day, double) { return slope * day * day / kDays; },
                  draw_step_hours(random),
                  {},
                  random.uniform(0.5, 60),
                  {}};
  return leaking(random, plan, 0, slope * 2);
}
History tiny_start_leak(Random& random) {
  const double slope = random.log_uniform(50e3, 5e6), start = random.log_uniform(2e3, 50e3);
  const Plan plan{start, [=](double day, double) { return slope * day; }, draw_step_hours(random), {}, random.uniform(0.5, 60),
                  {}};
  return leaking(random, plan, 0, slope);
}
History gappy_leak(Random& random) {
  const double rate = random.uniform(0.006, 0.02), level = draw_leak_level(random, rate), slope = rate * level;
  Plan plan{level, [=](double day, double) { return slope * day; }, 1, {}, random.uniform(0.5, 60), {}};
  const int count = static_cast<int>(random.uniform(1, 9));
  for (int i = 0; i < count; ++i) {
    const double from = random.uniform(0, kDays);
    plan.gaps.emplace_back(from, from + random.log_uniform(0.1, 7));
  }
  return leaking(random, plan, 0, slope);
}
History rebooted_leak(Random& random, double period, double low, double high) {
  const double rate = random.uniform(low, high), level = draw_leak_level(random, rate), slope = rate * level;
  const double tau = random.uniform(0.1, 1), size = random.uniform(0, 0.3), jitter = random.chance(0.5) ? 0.3 : 0;
  const double uptime = random.uniform(0, period);
  Plan plan{level, [=](double, double age) { return slope * age - level * size * std::exp(-age / tau); }, 1, {}, uptime, {}};
  for (double at = period - uptime; at < kDays; at += period)
    plan.reboots.push_back(std::max(0.01, at + jitter * random.uniform(-1, 1)));
  return leaking(random, plan, 0, slope);
}
History weekly_reboot_leak(Random& random) { return rebooted_leak(random, 7, 0.01, 0.02); }
History fortnightly_reboot_leak(Random& random) { return rebooted_leak(random, 14, 0.01, 0.02); }

/// Days since the last of what comes every so many days, more or less.
template <int kEveryDays>
std::function<double(double)> age_since(Random& random, double jitter) {
  std::vector<double> times;
  for (double at = -random.uniform(0, kEveryDays); at < kDays; at += kEveryDays * (1 + jitter * random.uniform(-1, 1)))
    times.push_back(at);
  return [=](double day) {
    const auto next = std::upper_bound(times.begin(), times.end(), day);
    return day - *(next == times.begin() ? next : next - 1);
  };
}
template <int kEveryDays>
History restarted_service(Random& random) {
  const double rate = random.uniform(0.01, 0.03), level = draw_leak_level(random, rate);
  const auto age = age_since<kEveryDays>(random, random.chance(0.5) ? 0.15 : 0);
  return quiet(random, level, [=](double day, double) { return rate * level * age(day); });
}
template <int kEveryDays>
History trimmed_cache(Random& random) {  // that is full well before
  const double level = draw_level(random), size = level * random.uniform(0.1, 1), tau = random.uniform(0.05, 0.25) * kEveryDays;
  const auto age = age_since<kEveryDays>(random, 0.1);
  return quiet(random, level, [=](double day, double) { return size * (1 - std::exp(-age(day) / tau)); });
}
template <int kEveryDays>
History batch(Random& random) {
  const double level = draw_level(random), size = level * random.uniform(0.1, 1);
  const double length = kEveryDays * random.uniform(0.05, 0.3), up = length * random.uniform(0.05, 0.8);
  const auto age = age_since<kEveryDays>(random, 0);
  return quiet(random, level, [=](double day, double) {
    return size * std::clamp(std::min(age(day) / up, (length - age(day)) / (0.05 * length)), 0.0, 1.0);
  });
}
History month_end(Random& random) {  // grows for some days, is given back
  const double level = draw_level(random), size = level * random.uniform(0.1, 1), days = random.uniform(2, 8);
  const auto age = age_since<30>(random, 0);
  return quiet(random, level, [=](double day, double) { return size * std::max(0.0, 1 - (30 - age(day)) / days); });
}
History business_weeks(Random& random) {  // load that grows from Monday to Friday, more each day or as much
  const double level = draw_level(random), size = level * random.uniform(0.1, 0.5), share = random.uniform(0, 0.5);
  const auto age = age_since<7>(random, 0);
  return quiet(random, level, [=](double day, double) {
    const double in_week = age(day), in_day = in_week - std::floor(in_week);
    const bool works = in_week < 5 && in_day > 0.33 && in_day < 0.75;
    return size * ((works ? (in_day - 0.33) / 0.42 : 0) + (in_week < 5 ? share * std::floor(in_week) / 5 : 0));
  });
}

constexpr std::array kFallScenarios = {
    Scenario{"leak, its service restarts every 7 d", Goal::kDetect, 100, {}, restarted_service<7>},
    Scenario{"leak, its service restarts every 14 d", Goal::kDetect, 100, {}, restarted_service<14>},
    Scenario{"leak, its service restarts every 28 d", Goal::kDetect, 100, {}, restarted_service<28>},
    Scenario{"nightly batch", Goal::kQuiet, 2, {}, batch<1>},
    Scenario{"weekly batch", Goal::kQuiet, 2, {}, batch<7>},
    Scenario{"business hours, more each day", Goal::kQuiet, 2, {}, business_weeks},
    Scenario{"month's end", Goal::kQuiet, 2, {}, month_end},
    Scenario{"logs rotated daily", Goal::kQuiet, 2, {}, restarted_service<1>},
    Scenario{"cache trimmed every 7 d", Goal::kQuiet, 2, {}, trimmed_cache<7>},
    Scenario{"cache trimmed every 14 d", Goal::kQuiet, 2, {}, trimmed_cache<14>},
    Scenario{"cache trimmed every 28 d", Goal::kQuiet, 2, {}, trimmed_cache<28>},
};

constexpr std::array kScenarios = {
    Scenario{"calm", Goal::kQuiet, 1, {}, calm},
    Scenario{"sawtooth", Goal::kQuiet, 2, {}, sawtooth},
    Scenario{"warm-up", Goal::kQuiet, 2, {}, warm_up},
    Scenario{"one step", Goal::kQuiet, 5, {}, step},
    Scenario{"busy fortnight", Goal::kQuiet, 5, {}, busy_fortnight},
    Scenario{"two steps", Goal::kQuiet, 10, {}, two_steps},
    Scenario{"ramp 3-7 d then flat", Goal::kQuiet, 10, {}, ramp_then_flat<3, 7>},
    Scenario{"ramp 7-10 d then flat", Goal::kQuiet, 100, {}, ramp_then_flat<7, 10>},
    Scenario{"ramp 10-20 d then flat", Goal::kQuiet, 100, {}, ramp_then_flat<10, 20>},
    Scenario{"slow cache fill", Goal::kQuiet, 20, {}, cache_fill},
    Scenario{"random walk", Goal::kQuiet, 15, {}, random_walk},
    Scenario{"calm, reboots", Goal::kQuiet, 5, {}, calm_weekly_reboots},
    Scenario{"leak 0.3 %/d", Goal::kDetect, 80, {}, steady_leak<3>},
    Scenario{"leak 0.5 %/d", Goal::kDetect, 95, {}, steady_leak<5>},
    Scenario{"leak 1 %/d", Goal::kDetect, 99, 12, steady_leak<10>},
    Scenario{"leak 2 %/d", Goal::kDetect, 99, 8, steady_leak<20>},
    Scenario{"leak 3 %/d", Goal::kDetect, 99, {}, steady_leak<30>},
    Scenario{"leak 5 %/d", Goal::kDetect, 99, {}, steady_leak<50>},
    Scenario{"business hours", Goal::kDetect, 95, {}, business_hours_leak},
    Scenario{"staircase", Goal::kDetect, 95, {}, staircase_leak},
    Scenario{"accelerating", Goal::kDetect, 95, {}, accelerating_leak},
    Scenario{"from a few KB", Goal::kDetect, 99, {}, tiny_start_leak},
    Scenario{"with gaps", Goal::kDetect, 95, {}, gappy_leak},
    Scenario{"weekly reboots", Goal::kDetect, 90, {}, weekly_reboot_leak},
    Scenario{"fortnightly reboots", Goal::kDetect, 95, {}, fortnightly_reboot_leak},
};

}  // namespace

Random::Random(std::uint64_t run) {
  for (auto& word : state_) {  // splitmix64 fills the state
    run += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = run;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    word = z ^ (z >> 31);
  }
}
std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9, t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}
double Random::uniform(double low, double high) { return low + (high - low) * (static_cast<double>(next() >> 11) * 0x1.0p-53); }
double Random::log_uniform(double low, double high) { return low * std::exp(uniform(0, std::log(high / low))); }
double Random::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform(0, 1)));
  return radius * std::cos(2 * kPi * uniform(0, 1));
}

std::span<const Scenario> scenarios() { return kScenarios; }

std::span<const Scenario> fall_scenarios() { return kFallScenarios; }

}  // namespace kmem::trend::sim
