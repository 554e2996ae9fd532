// Fits the curves of the evidence: kmem_trend_fit [--runs N] [--first-run N] [--rounds N]
// Judges the histories of both generators as the engine does, counts for each scenario how many are called a leak (by
// when), and moves the curves, from those in use, so that the counts come to what is aimed at. A count is made smooth
// by letting a history near the line count in part; that is sharpened round by round. Prints the curves as
// exporter/trend/evidence.cpp has them, and the counts. What it prints is only good on histories that it never saw:
// `kmem_trend_sim`, with runs beyond those used here.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "exporter/trend/estimator.h"
#include "exporter/trend/history.h"
#include "tests/exporter/trend/sim/generator.h"

namespace kmem::trend::sim {
namespace {

constexpr double kDayMs = 86'400'000, kBucketMs = kDayMs / kBucketsPerDay;
constexpr double kLowest = -3, kHighest = 2;  // what one judgement counts among those of its day: see judge.cpp
constexpr double kUnseen = -9;
constexpr double kSmooth = 0.2;
constexpr std::size_t kValues = sizeof(Curves) / sizeof(double);

/// Percent of a scenario's histories that are to be a leak by that many days after the onset; of quiet ones at most.
struct Aim {
  double by_days = 1e9, percent = 0;
};
const std::map<std::string, std::vector<Aim>, std::less<>>& aims() {
  constexpr double kAny = 1e9;
  static const std::map<std::string, std::vector<Aim>, std::less<>> all = {
      {"calm", {{kAny, 0.05}}},
      {"sawtooth", {{kAny, 0.6}}},
      {"warm-up", {{kAny, 0.7}}},
      {"one step", {{kAny, 2}}},
      {"busy fortnight", {{kAny, 2}}},
      {"two steps", {{kAny, 5}}},
      {"ramp 3-7 d then flat", {{kAny, 5}}},
      {"ramp 7-10 d then flat", {{kAny, 27}}},
      {"ramp 7-14 d then flat", {{kAny, 35}}},
      {"ramp 10-20 d then flat", {{kAny, 75}}},
      {"slow cache fill", {{kAny, 12}}},
      {"random walk", {{kAny, 7}}},
      {"leak 0.3 %/d", {{46, 60}, {55.5, 86}}},
      {"leak 0.5 %/d", {{28, 50}, {46, 97.3}}},
      {"leak 1 %/d", {{11.4, 55}, {30, 99.3}}},
      {"leak 2 %/d", {{7.5, 58}, {26, 99.5}}},
      {"leak 3 %/d", {{14, 55}, {35, 99.4}}},
      {"leak 5 %/d", {{14, 55}, {35, 99.4}}},
      {"from a few KB", {{11, 60}, {35, 99.4}}},
      {"staircase", {{18, 55}, {50, 98.3}}},
      {"accelerating", {{23, 55}, {50, 98.3}}},
      {"business hours", {{13, 55}, {40, 98.5}}},
      {"with gaps", {{13, 55}, {45, 98.5}}},
  };
  return all;
}

struct Judgement {
  std::array<std::uint16_t, 24> value;  // of the curves
  std::array<float, 24> weight;
  float days;  // since the onset
  int bucket;
  std::array<int, kBucketsPerDay> of_day;  // this and those of the day before it, -1 = none; among all
};
struct Task {
  std::string name;
  std::vector<std::pair<int, int>> histories;  // begin and end among all judgements
  std::vector<Aim> aims;
  bool leaks = false;
};

/// Every judgement of a history that weighs anything, as TrendEngine::judge() comes to it.
void add_judgements(const History& history, std::vector<Judgement>& all) {
  constexpr int kBuckets = kCoarseBuckets + 2;
  struct Boot {
    double start_ms;
    int first_bucket;
  };
  const auto first_ms = static_cast<double>(history.samples.front().time_ms);
  const double origin_ms = std::floor(first_ms / kBucketMs) * kBucketMs;
  std::array<float, kBuckets> floors;
  floors.fill(kNothing);
  std::vector<Boot> boots;
  int last = 0;
  for (const Sample& sample : history.samples) {
    const auto bucket = static_cast<int>((static_cast<double>(sample.time_ms) - origin_ms) / kBucketMs);
    if (bucket >= kBuckets) break;
    float& floor = floors[static_cast<std::size_t>(bucket)];
    if (!(floor <= static_cast<float>(sample.bytes))) floor = static_cast<float>(sample.bytes);
    const auto boot_ms = static_cast<double>(sample.boot_ms);
    if (boots.empty() || std::abs(boots.back().start_ms - boot_ms) > 600'000) boots.push_back({boot_ms, bucket});
    last = bucket;
  }
  const std::size_t begin = all.size();
  for (int bucket = 4 * kBucketsPerDay - 1; bucket < last; ++bucket) {
    std::size_t at = 0;
    while (at + 1 < boots.size() && boots[at + 1].first_bucket <= bucket) ++at;
    const double start = (boots[at].start_ms - origin_ms) / kBucketMs;  // in buckets
    const int from = std::max({boots[at].first_bucket, static_cast<int>(std::ceil(start + kBucketsPerDay)), 0});
    if (from > bucket) continue;
    const bool from_boot_on = boots[at].first_bucket - start < kBucketsPerDay;
    const bool young = bucket - start < 16 * kBucketsPerDay && (at > 0 || from_boot_on);
    const auto seen = std::span(floors).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(bucket - from + 1));
    const Assessment result = assess(seen, {.limit = history.limit_bytes, .young_boot = young});
    if (!result.signs || result.leak_score <= 0) continue;
    Judgement judgement{};
    const std::array<Knot, 24> knots = knots_of(fitted_curves(), *result.signs);
    for (std::size_t i = 0; i < knots.size(); ++i) {
      judgement.value[i] = static_cast<std::uint16_t>(knots[i].value - reinterpret_cast<const double*>(&fitted_curves()));
      judgement.weight[i] = static_cast<float>(knots[i].weight);
    }
    judgement.days = static_cast<float>((origin_ms + (bucket + 1) * kBucketMs - first_ms) / kDayMs - history.onset_days);
    judgement.bucket = bucket;
    for (int back = 0; back < kBucketsPerDay; ++back) {
      judgement.of_day[static_cast<std::size_t>(back)] = -1;
      for (std::size_t i = all.size() + 1; i-- > begin;) {
        const int there = i == all.size() ? bucket : all[i].bucket;
        if (there == bucket - back) judgement.of_day[static_cast<std::size_t>(back)] = static_cast<int>(i);
        if (there <= bucket - back) break;
      }
    }
    all.push_back(judgement);
  }
}

class Fit {
 public:
  Fit(std::uint64_t first_run, int runs) : runs_(runs) {
    for (int form = 0; form < 3; ++form) {
      for (const Scenario& scenario : form == 2 ? other_scenarios() : scenarios()) {
        const auto aim = aims().find(scenario.name);
        if (aim == aims().end()) continue;
        Task task{std::string(scenario.name), {}, aim->second, scenario.goal == Goal::kDetect};
        for (int run = 0; run < runs; ++run) {
          Random random(first_run + static_cast<std::uint64_t>(run));
          random.noise = form == 1 ? NoiseKind::kNarrow : NoiseKind::kWide;
          const auto begin = static_cast<int>(all_.size());
          add_judgements(scenario.make(random), all_);
          if (static_cast<int>(all_.size()) > begin) task.histories.emplace_back(begin, static_cast<int>(all_.size()));
        }
        tasks_.push_back(std::move(task));
      }
    }
    std::memcpy(values_.data(), &fitted_curves(), sizeof(Curves));
  }

  void run(int rounds) {
    std::array<double, kValues> mean{}, square{};
    for (int round = 0; round < rounds; ++round) {
      const double done = static_cast<double>(round) / rounds;
      const double blur = 0.3 * (1 - 0.9 * std::min(1.0, done / 0.7));
      std::array<double, kValues> slope = gradient(blur);
      add_roughness(slope);
      const double step = 0.05 * (done < 0.6 ? 1 : done < 0.85 ? 0.4 : 0.15);
      for (std::size_t i = 0; i < kValues; ++i) {  // Adam
        mean[i] = 0.8 * mean[i] + 0.2 * slope[i];
        square[i] = 0.98 * square[i] + 0.02 * slope[i] * slope[i];
        const double m = mean[i] / (1 - std::pow(0.8, round + 1)), s = square[i] / (1 - std::pow(0.98, round + 1));
        values_[i] -= step * m / (std::sqrt(s) + 1e-6);
      }
      keep_order();
      if (round % 10 == 0) std::fprintf(stderr, "round %d: cost %.1f\n", round, cost_);
    }
  }

  void print() const {
    const Curves curves = this->curves();
    const auto numbers = [](const auto& curve) {
      for (std::size_t i = 0; i < curve.size(); ++i) std::printf(i == 0 ? "{%.2f" : ", %.2f", curve[i]);
    };
    const auto line = [&](const char* name, const auto& curve) {
      std::printf("    .%s = ", name);
      numbers(curve);
      std::printf("},\n");
    };
    const auto lines = [&](const char* name, const auto& surface) {
      std::printf("    .%s = {{", name);
      for (const auto& row : surface) numbers(row), std::printf("},\n");
      std::printf("}},\n");
    };
    std::printf("constexpr Curves kFitted = {\n");
    lines("age", curves.age), lines("age_after_quiet", curves.age_after_quiet);
    lines("bends", curves.bends), lines("bends_after_quiet", curves.bends_after_quiet);
    line("clear", curves.clear), line("beyond_walk", curves.beyond_walk), line("unjumped", curves.unjumped);
    line("bend", curves.bend), line("above_past", curves.above_past), line("ended", curves.ended);
    line("rise_days", curves.rise_days), line("known_days", curves.known_days);
    std::printf("};\n");
    const std::vector<double> evidence = weigh(), counts = rolled(evidence);
    for (const Task& task : tasks_) {
      for (const Aim& aim : task.aims) {
        int leaks = 0;
        for (const auto& [begin, end] : task.histories) leaks += best(counts, begin, end, aim.by_days).first >= 0;
        std::printf("%-24s %5.1f %% (aim %.1f)%s\n", task.name.c_str(), 100.0 * leaks / runs_, aim.percent,
                    task.leaks ? (" by day " + std::to_string(aim.by_days)).c_str() : "");
      }
    }
  }

 private:
  [[nodiscard]] Curves curves() const {
    Curves curves;
    std::memcpy(&curves, values_.data(), sizeof(Curves));
    return curves;
  }
  [[nodiscard]] std::vector<double> weigh() const {
    std::vector<double> evidence;
    evidence.reserve(all_.size());
    for (const Judgement& judgement : all_) {
      double sum = 0;
      for (std::size_t i = 0; i < 24; ++i) sum += values_[judgement.value[i]] * static_cast<double>(judgement.weight[i]);
      evidence.push_back(sum);
    }
    return evidence;
  }
  /// The lower of what a judgement says and what its day says.
  [[nodiscard]] std::vector<double> rolled(const std::vector<double>& evidence) const {
    std::vector<double> result(evidence.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
      double sum = 0;
      for (const int at : all_[i].of_day) {
        sum += at < 0 ? kLowest : std::clamp(evidence[static_cast<std::size_t>(at)], kLowest, kHighest);
      }
      result[i] = std::min(sum / kBucketsPerDay, evidence[i]);
    }
    return result;
  }
  [[nodiscard]] std::pair<double, int> best(const std::vector<double>& counts, int begin, int end, double by) const {
    std::pair<double, int> result{kUnseen, -1};
    for (int i = begin; i < end; ++i) {
      const double count = counts[static_cast<std::size_t>(i)];
      if (static_cast<double>(all_[static_cast<std::size_t>(i)].days) <= by && count > result.first) result = {count, i};
    }
    return result;
  }

  [[nodiscard]] std::array<double, kValues> gradient(double blur) {
    const std::vector<double> evidence = weigh(), counts = rolled(evidence);
    std::vector<double> by_judgement(all_.size());
    cost_ = 0;
    for (const Task& task : tasks_) {
      for (const Aim& aim : task.aims) {
        std::vector<std::pair<double, int>> leading;
        double percent = 0;
        for (const auto& [begin, end] : task.histories) {
          leading.push_back(best(counts, begin, end, aim.by_days));
          percent += 100 / (1 + std::exp(std::min(-leading.back().first / blur, 30.0))) / runs_;
        }
        // How far the count is from its aim, in units in which scenarios compare; beyond the aim little is gained.
        const double unit = !task.leaks ? 0.3 + 0.2 * aim.percent : aim.percent > 98 ? 0.6 : aim.percent > 85 ? 2 : 3.5;
        const double sign = task.leaks ? -1 : 1, off = sign * (percent - aim.percent) / unit;
        const double gain = task.leaks ? 0.1 : 0.25;
        cost_ += off > 0 ? off * off + 2 * off : gain * off;
        const double slope = sign * (off > 0 ? 2 * off + 2 : gain) / unit;
        for (const auto& [count, at] : leading) {
          if (at < 0) continue;
          const double part = 1 / (1 + std::exp(std::min(-count / blur, 30.0)));
          spread(evidence, counts, at, slope * 100 / runs_ * part * (1 - part) / blur, by_judgement);
        }
      }
    }
    std::array<double, kValues> result{};
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (by_judgement[i] == 0) continue;
      for (std::size_t k = 0; k < 24; ++k) result[all_[i].value[k]] += by_judgement[i] * static_cast<double>(all_[i].weight[k]);
    }
    return result;
  }
  void spread(const std::vector<double>& evidence, const std::vector<double>& counts, int at, double slope,
              std::vector<double>& by_judgement) const {
    const auto leading = static_cast<std::size_t>(at);
    if (counts[leading] == evidence[leading]) {
      by_judgement[leading] += slope;
      return;
    }
    for (const int one : all_[leading].of_day) {
      if (one < 0) continue;
      const double value = evidence[static_cast<std::size_t>(one)];
      if (value > kLowest && value < kHighest) by_judgement[static_cast<std::size_t>(one)] += slope / kBucketsPerDay;
    }
  }

  /// Neighbours pull at each other, so that no knot serves a few histories alone.
  void add_roughness(std::array<double, kValues>& slope) const {
    Curves curves = this->curves(), pull{};
    const auto pair = [](double a, double b, double& on_a, double& on_b) {
      on_a += kSmooth * (a - b), on_b += kSmooth * (b - a);
    };
    const auto surface = [&](const auto& values, auto& on) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t j = 0; j < values[i].size(); ++j) {
          if (i + 1 < values.size()) pair(values[i][j], values[i + 1][j], on[i][j], on[i + 1][j]);
          if (j + 1 < values[i].size()) pair(values[i][j], values[i][j + 1], on[i][j], on[i][j + 1]);
        }
      }
    };
    const auto curve = [&](const auto& values, auto& on) {
      for (std::size_t i = 0; i + 1 < values.size(); ++i) pair(values[i], values[i + 1], on[i], on[i + 1]);
    };
    surface(curves.age, pull.age), surface(curves.age_after_quiet, pull.age_after_quiet);
    surface(curves.bends, pull.bends), surface(curves.bends_after_quiet, pull.bends_after_quiet);
    curve(curves.clear, pull.clear), curve(curves.beyond_walk, pull.beyond_walk);
    curve(curves.unjumped, pull.unjumped), curve(curves.bend, pull.bend), curve(curves.above_past, pull.above_past);
    curve(curves.ended, pull.ended), curve(curves.rise_days, pull.rise_days), curve(curves.known_days, pull.known_days);
    std::array<double, kValues> flat;
    std::memcpy(flat.data(), &pull, sizeof pull);
    for (std::size_t i = 0; i < kValues; ++i) slope[i] += flat[i];
  }

  /// Curves that may only rise (or only fall) do: neighbours that disagree meet in the middle.
  void keep_order() {
    Curves curves = this->curves();
    const auto rising = [](auto& curve, double sign) {
      for (bool again = true; again;) {
        again = false;
        for (std::size_t i = 0; i + 1 < curve.size(); ++i) {
          if (sign * (curve[i] - curve[i + 1]) <= 1e-9) continue;
          curve[i] = curve[i + 1] = (curve[i] + curve[i + 1]) / 2;
          again = true;
        }
      }
    };
    for (auto* curve : {&curves.clear, &curves.beyond_walk, &curves.unjumped, &curves.bend, &curves.rise_days})
      rising(*curve, 1);
    rising(curves.above_past, 1);
    rising(curves.ended, -1);
    std::memcpy(values_.data(), &curves, sizeof(Curves));
  }

  int runs_;
  std::vector<Judgement> all_;
  std::vector<Task> tasks_;
  std::array<double, kValues> values_{};
  double cost_ = 0;
};

}  // namespace
}  // namespace kmem::trend::sim

int main(int argc, char** argv) {
  int runs = 250, rounds = 100;
  std::uint64_t first_run = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string argument = argv[i];
    if (argument == "--runs") {
      runs = std::atoi(argv[i + 1]);
    } else if (argument == "--first-run") {
      first_run = std::strtoull(argv[i + 1], nullptr, 10);
    } else if (argument == "--rounds") {
      rounds = std::atoi(argv[i + 1]);
    } else {
      std::fprintf(stderr, "unknown argument: %s\n", argument.c_str());
      return 2;
    }
  }
  if (runs < 1 || rounds < 0 || argc % 2 == 0) return 2;
  kmem::trend::sim::Fit fit(first_run, runs);
  fit.run(rounds);
  fit.print();
}
