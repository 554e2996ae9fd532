#include "tests/exporter/trend/sim/surges.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <vector>

#include "exporter/trend/engine.h"
#include "tests/exporter/trend/sim/sessions.h"
#include "tests/exporter/trend/start.h"

namespace kmem::trend::sim {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;

/// By the minute: a slow walk, a fast one, cycles of day and week, bursts.
class MinuteNoise {
 public:
  MinuteNoise(Random& random, NoiseKind kind) : random_(random) {
    if (kind == NoiseKind::kSessions) {
      sessions_.emplace(random, 1);
      return;
    }
    const bool narrow = kind == NoiseKind::kNarrow;
    rho_ = std::pow(narrow ? 0.95 : random.uniform(0.3, 0.98), 1.0 / 60);
    sigma_ = narrow ? 0.015 : random.log_uniform(0.002, 0.03);
    jitter_ = random.log_uniform(0.0002, 0.01);
    daily_ = narrow ? random.uniform(0.03, 0.12) : random.chance(0.2) ? 0 : random.uniform(0, 0.15);
    weekly_ = !narrow && random.chance(0.3) ? 0 : random.uniform(0, 0.10);
    shape_ = static_cast<int>(random.uniform(0, 3));
    phase_ = random.uniform(0, 1), week_phase_ = random.uniform(0, 7);
    bursts_per_day_ = narrow || random.chance(0.4) ? 0 : random.uniform(0, 3);
    burst_hours_ = random.log_uniform(0.1, 5), burst_size_ = random.log_uniform(0.01, 0.1);
    value_ = sigma_ * random.normal();
  }
  double at(double day, double step_minutes) {
    if (sessions_) return sessions_->next(day);
    const double rho = std::pow(rho_, step_minutes);
    value_ = rho * value_ + std::sqrt(1 - rho * rho) * sigma_ * random_.normal();
    if (bursts_per_day_ > 0 && random_.chance(bursts_per_day_ * step_minutes / 1440)) {
      const double size = std::min(1.0, burst_size_ * std::pow(random_.uniform(0.01, 1), -0.5));
      bursts_.push_back({day - burst_hours_ / 24 * std::log(random_.uniform(1e-6, 1)), size});
    }
    std::erase_if(bursts_, [day](const auto& burst) { return burst.first < day; });
    double extra = 0;
    for (const auto& burst : bursts_) extra += burst.second;
    double position = day + phase_;
    position -= std::floor(position);
    const double cycle = shape_ == 0   ? 0.5 - 0.5 * std::cos(2 * std::numbers::pi * position)
                         : shape_ == 1 ? (position < 0.4 ? std::sin(std::numbers::pi * position / 0.4) : 0)
                                       : (position < 0.38 ? 1 : 0);
    const double week = std::fmod(day + week_phase_, 7) < 5 ? 1 : 0;
    return value_ + jitter_ * random_.normal() + daily_ * cycle + weekly_ * week + extra;
  }

 private:
  Random& random_;
  std::optional<Sessions> sessions_;
  double rho_ = 0, sigma_ = 0, jitter_ = 0, daily_ = 0, weekly_ = 0, phase_ = 0, week_phase_ = 0, value_ = 0;
  double bursts_per_day_ = 0, burst_hours_ = 0, burst_size_ = 0;
  int shape_ = 0;
  std::vector<std::pair<double, double>> bursts_;
};

/// Growth in lumps, twenty a minute on average, instead of evenly: what the clock of growth shows at a time.
class Lumps {
 public:
  Lumps(Random& random, double from_days, double to_days) : from_(from_days), length_(to_days - from_days) {
    sums_ = {0};
    for (double minute = 0; minute < length_ * kMinutesADay; ++minute) {
      double sum = sums_.back();
      for (int i = 0; i < 20; ++i) sum -= std::log(1 - random.uniform(0, 1));
      sums_.push_back(sum);
    }
  }
  [[nodiscard]] double at(double day) const {
    const double minute = (day - from_) * kMinutesADay;
    if (minute <= 0 || static_cast<std::size_t>(minute) + 1 >= sums_.size()) return day;
    return from_ + length_ * sums_[static_cast<std::size_t>(minute)] / sums_.back();
  }

 private:
  static constexpr double kMinutesADay = 1440;
  double from_, length_;
  std::vector<double> sums_;
};

double draw_limit(Random& random) { return random.log_uniform(1, 64) * kGiB; }

Minutes ends_in(Random& random, double level, double hours, bool after_boot) {
  Minutes all;
  all.limit_bytes = level / random.uniform(0.03, 0.7);
  all.onset_days = after_boot ? random.uniform(0.05, 1) : random.uniform(1, 30);
  if (after_boot) all.boot_days = 0;
  const double room = all.limit_bytes - level, days = hours / 24;
  all.end_days = all.onset_days + days;
  all.days = all.end_days;
  const double onset = all.onset_days;
  const double warm = after_boot ? random.uniform(0, 0.6) * level : 0, tau = random.log_uniform(0.02, 0.4);
  all.shape = [=](double day) { return room * std::max(0.0, (day - onset) / days) - warm * std::exp(-day / tau); };
  return all;
}
template <int kMinutes>
Minutes ends(Random& random, double level) {
  return ends_in(random, level, kMinutes / 60.0, false);
}
template <int kMinutes>
Minutes ends_after_boot(Random& random, double level) {
  return ends_in(random, level, kMinutes / 60.0, true);
}

template <int kPercent>
Minutes grows(Random& random, double level) {
  Minutes all;
  all.onset_days = random.uniform(1, 30);
  all.limit_bytes = level / random.uniform(0.05, 0.12);
  all.days = all.onset_days + 14;
  const double onset = all.onset_days;
  const bool compound = random.chance(0.3);
  all.shape = [=](double day) {
    const double age = std::max(0.0, day - onset);
    return level * (compound ? std::pow(1 + kPercent / 100.0, age) - 1 : kPercent / 100.0 * age);
  };
  return all;
}

Minutes weeks(Random& random, double level) {
  Minutes all;
  all.days = 56;
  all.limit_bytes = level / random.uniform(0.03, 0.6);
  return all;
}

Minutes nightly_batch(Random& random, double level) {
  Minutes all = weeks(random, level);
  const double room = all.limit_bytes - level, most = random.uniform(0.1, 0.5), begin = random.uniform(0, 1);
  const double up = random.log_uniform(0.1, 4) / 24, hold = random.log_uniform(0.1, 4) / 24,
               down = random.log_uniform(0.02, 2) / 24;
  const bool varies = random.chance(0.5);
  std::vector<double> nights(60);
  for (double& night : nights) night = room * most * (varies ? random.uniform(0.6, 1) : 1);
  all.shape = [=](double day) {
    const double at = day - begin - std::floor(day - begin);
    const auto night = static_cast<std::size_t>(std::floor(day - begin) + 1);
    return nights[night] * std::clamp(std::min(at / up, (up + hold + down - at) / down), 0.0, 1.0);
  };
  return all;
}

Minutes weekly_step(Random& random, double level) {
  Minutes all = weeks(random, level);
  const double room = all.limit_bytes - level, first = random.uniform(0, 7), length = random.uniform(0.5, 10) / 1440;
  const bool stays = random.chance(0.5);
  const double gone_after = random.uniform(0.05, 6), most = random.uniform(0.1, 0.5);
  std::vector<double> sizes(9);
  double left = room;
  for (double& size : sizes) {
    size = most * random.uniform(0.5, 1) * left;
    if (stays) left -= 2 * size;  // of what is half of the room, so that there is room in the end
  }
  all.shape = [=](double day) {
    double sum = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const double since = day - first - 7 * static_cast<double>(i);
      if (since < 0 || (!stays && since > gone_after)) continue;
      sum += sizes[i] * std::min(1.0, since / length);
    }
    return sum;
  };
  return all;
}

template <bool kAfterBoot>
Minutes fills(Random& random, double level) {
  Minutes all = weeks(random, level);
  all.days = 20;
  const double tau = random.log_uniform(1, 24) / 24, onset = kAfterBoot ? 0 : random.uniform(0.2, 14);
  if (kAfterBoot) all.boot_days = 0;
  const double size = (all.limit_bytes - level) / 2;
  all.note = onset + tau / 100;
  all.shape = [=](double day) { return day < onset ? 0 : size * (1 - std::exp(-(day - onset) / tau)); };
  return all;
}

Minutes business_hours(Random& random, double level) {
  Minutes all = weeks(random, level);
  const double room = all.limit_bytes - level,
               size = std::min(level * random.uniform(0.1, 0.8), room * random.uniform(0.1, 0.3));
  const double month_end = random.uniform(0, 0.6) * size, begin = random.uniform(0.25, 0.4),
               length = random.uniform(7, 11) / 24;
  const double offset = std::floor(random.uniform(0, 30));
  all.shape = [=](double day) {
    const double at = day - std::floor(day);
    const bool works = std::fmod(std::floor(day), 7) < 5;
    const double month = std::fmod(day + offset, 30);
    double value =
        works ? size * std::clamp(std::min((at - begin) / length, (begin + length + 0.15 - at) / 0.15), 0.0, 1.0) : 0;
    value += month_end * std::clamp(std::min((month - 26) / 1.5, (30 - month) / 0.5), 0.0, 1.0);
    return value;
  };
  return all;
}

constexpr std::array kForms = {
    MinutesForm{"ends in 30 minutes", 100, 99, 25, 0, ends<30>},
    MinutesForm{"ends in 2 h", 100, 99, 45, 0, ends<120>},
    MinutesForm{"ends in 10 h", 100, 99, 55, 0, ends<600>},
    MinutesForm{"ends in 3 days", 100, 99, 60, 0, ends<4320>},
    MinutesForm{"after a boot, ends in 30 minutes", 100, 95, 20, 0, ends_after_boot<30>},
    MinutesForm{"after a boot, ends in 2 h", 100, 95, 35, 0, ends_after_boot<120>},
    MinutesForm{"after a boot, ends in 10 h", 100, 95, 50, 0, ends_after_boot<600>},
    MinutesForm{"after a boot, ends in 3 days", 100, 95, 50, 0, ends_after_boot<4320>},
    MinutesForm{"5 % a day", 100, 95, 0, 10, grows<5>},
    MinutesForm{"10 % a day", 100, 95, 0, 6, grows<10>},
    MinutesForm{"25 % a day", 100, 95, 0, 3, grows<25>},
    MinutesForm{"100 % a day", 100, 95, 0, 1, grows<100>},
    MinutesForm{"nightly batch", 2, 0, 0, 0, nightly_batch},
    MinutesForm{"a step a week", 2, 0, 0, 0, weekly_step},
    MinutesForm{"a cache fills", 5, 0, 0, 0, fills<false>},
    MinutesForm{"a cache fills after a boot", 5, 0, 0, 0, fills<true>},
    MinutesForm{"business hours, month's end", 2, 0, 0, 0, business_hours},
};

}  // namespace

std::span<const MinutesForm> minute_forms() { return kForms; }

MinutesScore score_minutes(const MinutesForm& form, std::uint64_t first_run, int runs, NoiseKind noise_kind,
                           bool print_misses) {
  MinutesScore score;
  std::vector<double> left, days;
  int told = 0;
  for (int i = 0; i < runs; ++i) {
    Random random(first_run + static_cast<std::uint64_t>(i));
    const double limit = draw_limit(random);
    Minutes all = form.make(random, 1.0);
    const double level = limit / all.limit_bytes;  // shapes are made for a level of 1
    MinuteNoise noise(random, noise_kind);
    // What is to stay quiet has the noise of what was there before; half of what grows has noise that grows with it.
    const bool sessions = noise_kind == NoiseKind::kSessions;
    const bool relative = random.chance(0.5) && all.onset_days >= 0 && !sessions;
    std::optional<Lumps> lumps;
    if (sessions && all.onset_days >= 0) lumps.emplace(random, all.onset_days, all.days);
    TrendEngine engine({.max_subjects = 1});
    trend::Sample sample;
    sample.kind = Kind::kPool, sample.pool = Pool::kNonpaged, sample.limit = limit;
    double told_day = -1, sum = 0, squares = 0, seen = 0;
    constexpr double kSpreadDays = 14;  // of load that its spread is measured by, at least
    for (double minute = 0; minute < all.days * 1440; minute += 1) {
      if (told_day >= 0 && minute > kSpreadDays * 1440) break;
      const double day = minute / 1440, load = noise.at(day, 1);
      sum += load, squares += load * load, seen += 1;
      if (told_day >= 0) continue;
      const double shape = all.shape ? all.shape(lumps ? lumps->at(day) : day) : 0;
      const double value = level * (1 + shape + (relative ? 1 + shape : 1) * load * (1 + shape > 0 ? 1 : 0));
      sample.amount = static_cast<std::uint64_t>(std::clamp(value, 0.0, limit));
      const auto at = kStart + static_cast<std::int64_t>(minute * 60'000);
      engine.observe({at, kStart + static_cast<std::int64_t>(all.boot_days * 86'400'000), {&sample, 1}});
      // A look at each minute where it may be told, else after what follows cannot take it back.
      const Verdict verdict = engine.outlines()[0].verdict;
      if (verdict == Verdict::kSurge || (all.onset_days >= 0 && verdict == Verdict::kLeak)) {
        const std::optional<SubjectReport> report = engine.find(Kind::kPool, Pool::kNonpaged, {});
        if (all.onset_days >= 0 && day < all.onset_days) {
          if (print_misses) std::printf("  run %d told %.3f days before its time\n", i, all.onset_days - day);
        } else {
          told_day = day;
        }
        if (print_misses && all.onset_days < 0)
          std::printf(
              "  run %d (%.3f) told on day %.3f: growth %.3f of limit since %.1f min, pace %.3f of limit a day, soon %d, level %.3f\n",
              i, all.note, day, report->surge->growth / limit, static_cast<double>(at - report->surge->since) / 6e4,
              report->surge->pace_per_second * 86400 / limit, report->surge->ends_soon, value / limit);
      }
    }
    bool in_time = told_day >= 0;
    if (in_time && all.end_days >= 0) {
      const double percent = 100 * (all.end_days - told_day) / (all.end_days - all.onset_days);
      left.push_back(percent);
      in_time = percent >= form.least_left_percent;
    } else if (all.end_days >= 0) {
      left.push_back(0);
    }
    if (in_time && form.within_days > 0) {
      days.push_back(told_day - all.onset_days);
      in_time = days.back() <= form.within_days;
    }
    if (!in_time && print_misses && all.onset_days >= 0)
      std::printf("  run %d missed: told after %.3f days of %.3f; onset %.2f, level %.3f of limit\n", i,
                  told_day - all.onset_days, all.end_days - all.onset_days, all.onset_days, level / limit);
    told += in_time;
    const double spread = std::sqrt(std::max(0.0, squares / seen - std::pow(sum / seen, 2))) * level / (limit - level);
    MinutesScore::Part& part =
        score
            .by_spread[static_cast<std::size_t>(std::upper_bound(kSpreads.begin(), kSpreads.end(), spread) - kSpreads.begin())];
    ++part.runs, part.told += in_time;
  }
  std::sort(left.begin(), left.end()), std::sort(days.begin(), days.end());
  score.told_percent = 100.0 * told / runs;
  if (!left.empty())
    score.left_percent_of_worst_tenth = left[left.size() / 50], score.left_percent_median = left[left.size() / 2];
  if (!days.empty()) score.days_median = days[days.size() / 2];
  return score;
}

/// A pool with a limit, and the calm tags that make it up.
struct CalmHost {
  CalmHost(Random& random, int tags, NoiseKind noise_kind) : samples(static_cast<std::size_t>(tags) + 1) {
    for (int i = 0; i < tags; ++i) {
      levels.push_back(random.log_uniform(1e4, 1e9));
      noises.emplace_back(random, noise_kind);
      names.push_back("T" + std::to_string(i));
      sum += levels.back();
    }
    samples[0].kind = Kind::kPool, samples[0].pool = Pool::kNonpaged;
  }
  void observe(TrendEngine& engine, std::int64_t minute, double more = 0) {
    double total = 0;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const double load = noises[i].at(static_cast<double>(minute) / 1440, 1);
      const double value = levels[i] * std::max(0.0, 1 + load) + (i == 0 ? more : 0);
      samples[i + 1].pool = Pool::kNonpaged, samples[i + 1].text = names[i];
      samples[i + 1].amount = static_cast<std::uint64_t>(value);
      total += value;
    }
    samples[0].amount = static_cast<std::uint64_t>(total);
    engine.observe({kStart + minute * 60'000, kStart - 30 * kDayMs, samples});
  }
  std::vector<double> levels;
  std::vector<MinuteNoise> noises;
  std::vector<std::string> names;
  std::vector<trend::Sample> samples;
  double sum = 0;
};

int false_surges(std::uint64_t run, int tags, NoiseKind noise_kind) {
  Random random(run);
  TrendEngine engine({.max_subjects = static_cast<std::size_t>(tags) + 1});
  CalmHost host(random, tags, noise_kind);
  host.samples[0].limit = std::max(draw_limit(random), host.sum / random.uniform(0.3, 0.8));
  int told = 0;
  std::vector<bool> on(host.samples.size());
  for (std::int64_t minute = 0; minute < 56 * 1440; ++minute) {
    host.observe(engine, minute);
    if (minute % 5 != 0) continue;
    const std::vector<Outline> outlines = engine.outlines();
    for (std::size_t i = 0; i < outlines.size(); ++i) {
      const bool surges = outlines[i].verdict == Verdict::kSurge;
      told += surges && !on[i];
      on[i] = surges;
    }
  }
  return told;
}

void count_grows_now(const MinutesForm* form, std::uint64_t run, int tags, NoiseKind noise_kind, GrowsNow& sum) {
  constexpr std::int64_t kDays = 28, kFirstDay = 7, kApart = 6 * 60;
  Random random(run);
  Minutes all;
  if (form != nullptr) all = form->make(random, 1.0);
  else all.limit_bytes = random.uniform(1.3, 3);
  TrendEngine engine({.max_subjects = static_cast<std::size_t>(tags) + 1});
  CalmHost host(random, tags, noise_kind);
  host.samples[0].limit = host.sum * all.limit_bytes;
  std::int64_t last = -kApart;
  for (std::int64_t minute = 0; minute < kDays * 1440; ++minute) {
    host.observe(engine, minute, all.shape ? host.sum * all.shape(static_cast<double>(minute) / 1440) : 0);
    if (minute % 15 != 0 || minute < kFirstDay * 1440) continue;
    ++sum.looks;
    const std::optional<Readiness::Growth> growth = engine.readiness().largest;
    if (!growth || !growth->is_large) continue;
    ++sum.told;
    if (minute - last > kApart) ++sum.episodes;
    last = minute;
  }
  sum.weeks += static_cast<double>(kDays - kFirstDay) / 7;
}

}  // namespace kmem::trend::sim
