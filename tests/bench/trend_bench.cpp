// What the trend engine costs: a tick over 4,096 subjects averaged over a day of ticks, one in which 48 grow at once, the state file's payload, the
// memory of the whole history, and the replay of 8 weeks of 1,000 tags. The floor beside the tick keeps the lowest of
// 4,096 values in two flat arrays and judges nothing. Bounds are asserted here: a figure beyond them is an error. Those of
// time are in thousands of steps of the yardstick, which is measured beside; of saving, which is work of the memory, in
// plain copies.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "exporter/trend/engine.h"
#include "tests/bench/yardstick.h"

namespace {

using namespace kmem::trend;
using kmem::bench::cpu_seconds;
using kmem::bench::yardstick_seconds;

constexpr std::int64_t kStart = 1'767'225'600'000;
constexpr int kTicksADay = 1440;
constexpr double kTickSteps = 900, kGrowingSteps = 2'000, kReplaySteps = 3'800'000;  // thousands
constexpr double kSaveCopies = 2.5;

/// What is allocated and not freed: the same on every machine, as resident pages are not.
double heap_megabytes() {
  const struct mallinfo2 heap = mallinfo2();
  return static_cast<double>(heap.uordblks + heap.hblkhd) / 1e6;
}

/// Tags of every kind of history: a fifth leaks, a fifth walks, the rest has noise of 2 %.
class Host {
 public:
  explicit Host(std::size_t tags) {
    for (std::size_t i = 0; i < tags; ++i) texts_.push_back("Tag" + std::to_string(i));
    samples_.resize(tags);
    walks_.resize(tags);
    for (std::size_t i = 0; i < tags; ++i) {
      samples_[i].pool = i % 2 == 0 ? kmem::Pool::kPaged : kmem::Pool::kNonpaged;
      samples_[i].text = texts_[i];
    }
  }
  Observation at(std::int64_t after_ms) {
    const double day = static_cast<double>(after_ms) / kDayMs;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      const double level = 1e6 * static_cast<double>(1 + i % 100);
      noise_ ^= noise_ << 13, noise_ ^= noise_ >> 7, noise_ ^= noise_ << 17;
      const double noise = 0.02 * static_cast<double>(noise_ >> 11) * 0x1.0p-53;
      if (i % 5 == 1) walks_[i] += noise - 0.01;
      const double growth = i % 5 == 0 ? 0.01 * day : std::max(-0.5, walks_[i]);
      samples_[i].amount = static_cast<std::uint64_t>(level * (1 + growth + noise));
      samples_[i].outstanding = samples_[i].amount / 256;
    }
    return {kStart + after_ms, kStart - kDayMs, samples_};
  }

 private:
  std::vector<std::string> texts_;
  std::vector<Sample> samples_;
  std::vector<double> walks_;
  std::uint64_t noise_ = 88172645463325252ULL;
};

struct Full {
  Host host{4096};
  TrendEngine engine;
  std::int64_t now_ms = 0;
  double megabytes = 0;
};

/// 4,096 subjects with 8 weeks behind them.
Full& full() {
  static const std::unique_ptr<Full> state = [] {
    auto filled = std::make_unique<Full>();
    filled->host.at(0);
    const double before = heap_megabytes();
    for (; filled->now_ms < 56 * kDayMs; filled->now_ms += 4 * kHourMs) filled->engine.observe(filled->host.at(filled->now_ms));
    filled->megabytes = heap_megabytes() - before;
    return filled;
  }();
  return *state;
}

void trend_tick(benchmark::State& state) {
  Full& all = full();
  double worst_ms = 0;
  for (auto _ : state) {
    double day_seconds = 0, steps_seconds = 0;
    for (int tick = 0; tick < kTicksADay; ++tick) {
      all.now_ms += 60'000;
      const Observation observation = all.host.at(all.now_ms);
      const double before = cpu_seconds();
      all.engine.observe(observation);
      const double spent = cpu_seconds() - before;
      day_seconds += spent;
      steps_seconds += yardstick_seconds(20);
      worst_ms = std::max(worst_ms, spent * 1e3);
    }
    state.SetIterationTime(day_seconds / kTicksADay);
    state.counters["mean_ms"] = day_seconds / kTicksADay * 1e3;
    const double steps = 20 * day_seconds / steps_seconds;
    state.counters["thousand_steps"] = steps;
    if (steps > kTickSteps) state.SkipWithError("a tick takes too long");
  }
  state.counters["worst_ms"] = worst_ms;
}
BENCHMARK(trend_tick)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The dearest tick: as many subjects as one looks at fill half of their room at once, in noise that leaves open how it goes on.
void trend_tick_of_48_that_grow(benchmark::State& state) {
  constexpr std::size_t kGrowing = 48;
  constexpr int kCalm = 4 * kTicksADay, kMinutes = 600, kUsedMuch = 360;
  for (auto _ : state) {
    std::uint64_t seed = 88172645463325252ULL;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < kGrowing; ++i) texts.push_back("Tag" + std::to_string(i));
    std::vector<Sample> samples(kGrowing);
    std::vector<double> loads(kGrowing);
    TrendEngine engine;
    std::vector<double> seconds, steps_seconds;
    for (int minute = 0; minute < kCalm + kMinutes; ++minute) {
      const double grown = minute < kCalm ? 0 : 1 - std::exp(-2.5 * (minute - kCalm) / kMinutes);
      for (std::size_t i = 0; i < kGrowing; ++i) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        loads[i] = 0.99 * loads[i] + 0.005 * (static_cast<double>(seed >> 11) * 0x1.0p-53 - 0.5);
        samples[i].pool = kmem::Pool::kPaged, samples[i].text = texts[i], samples[i].limit = 1e9;
        samples[i].amount = static_cast<std::uint64_t>(2e8 * (1 + loads[i]) + 4e8 * grown);
      }
      const double before = cpu_seconds();
      engine.observe({kStart + minute * 60'000LL, kStart - 30 * kDayMs, samples});
      if (minute < kCalm + kMinutes - kUsedMuch) continue;
      seconds.push_back(cpu_seconds() - before);
      steps_seconds.push_back(yardstick_seconds(20));
    }
    state.SetIterationTime(median_of(seconds));
    const double steps = 20 * median_of(seconds) / median_of(steps_seconds);
    state.counters["thousand_steps"] = steps;
    if (steps > kGrowingSteps)
      state.SkipWithError(("a tick of subjects that grow takes too long: " + std::to_string(steps)).c_str());
  }
}
BENCHMARK(trend_tick_of_48_that_grow)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

void floor_keeps_the_lowest(benchmark::State& state) {
  Host host(4096);
  const Observation observation = host.at(0);
  std::vector<float> hours(4096, 1e30F), coarse(4096, 1e30F);
  for (auto _ : state) {
    for (std::size_t i = 0; i < observation.subjects.size(); ++i) {
      const auto value = static_cast<float>(observation.subjects[i].amount);
      hours[i] = std::min(hours[i], value);
      coarse[i] = std::min(coarse[i], value);
    }
    benchmark::ClobberMemory();
  }
}
BENCHMARK(floor_keeps_the_lowest)->Unit(benchmark::kMicrosecond);

void trend_memory(benchmark::State& state) {
  const double megabytes = full().megabytes;
  for (auto _ : state) benchmark::DoNotOptimize(megabytes);
  state.counters["megabytes"] = megabytes;
  const double a_subject = megabytes * 1e3 / 4096;
  if (a_subject > 3.2)
    state.SkipWithError(("the history takes more than 3.2 KB a subject: " + std::to_string(a_subject)).c_str());
}
BENCHMARK(trend_memory)->Iterations(1);

/// The floor under saving: as much, in pieces of a subject's size, into memory that comes fresh from the system.
double seconds_of_a_copy(const std::string& payload) {
  constexpr std::size_t kPiece = 2'600;
  const double before = cpu_seconds();
  std::string copy;
  copy.reserve(payload.size() + kPiece);
  for (std::size_t at = 0; at < payload.size(); at += kPiece) copy.append(payload, at, kPiece);
  benchmark::DoNotOptimize(copy.data());
  return cpu_seconds() - before;
}

void trend_save(benchmark::State& state) {
  const TrendEngine& engine = full().engine;
  // The best of each: what else the machine does only ever adds.
  double best_seconds = 1e9, copy_seconds = 1e9;
  for (auto _ : state) {
    const double before = cpu_seconds();
    const std::string payload = engine.save();
    const double spent = cpu_seconds() - before;
    benchmark::DoNotOptimize(payload.data());
    state.SetIterationTime(spent);
    state.counters["megabytes"] = static_cast<double>(payload.size()) / 1e6;
    best_seconds = std::min(best_seconds, spent);
    copy_seconds = std::min(copy_seconds, seconds_of_a_copy(payload));
  }
  const double copies = best_seconds / copy_seconds;
  state.counters["copies"] = copies;
  if (copies > kSaveCopies) state.SkipWithError(("saving takes too long: " + std::to_string(copies)).c_str());
}
BENCHMARK(trend_save)->UseManualTime()->Unit(benchmark::kMillisecond);

void trend_load(benchmark::State& state) {
  const std::string payload = full().engine.save();
  for (auto _ : state) {
    TrendEngine engine;
    if (!engine.load(payload).ok()) state.SkipWithError("refused");
  }
}
BENCHMARK(trend_load)->Unit(benchmark::kMillisecond);

void trend_report_of_suspects(benchmark::State& state) {
  const TrendEngine& engine = full().engine;
  std::size_t suspects = 0;
  for (auto _ : state) suspects = engine.report(false).size();
  state.counters["suspects"] = static_cast<double>(suspects);
}
BENCHMARK(trend_report_of_suspects)->Unit(benchmark::kMillisecond);

void trend_replay_8_weeks_of_1000_tags(benchmark::State& state) {
  for (auto _ : state) {
    Host host(1000);
    TrendEngine engine;
    double spent = 0, steps_seconds = 0;
    std::size_t steps = 0;
    for (std::int64_t at = 0; at < 56 * kDayMs; at += kHourMs) {
      const Observation observation = host.at(at);
      const double before = cpu_seconds();
      engine.observe(observation);
      spent += cpu_seconds() - before;
      steps_seconds += yardstick_seconds(20);
      steps += 20;
    }
    const double before = cpu_seconds();
    engine.settle();
    benchmark::DoNotOptimize(engine.report(true).size());
    spent += cpu_seconds() - before;
    state.SetIterationTime(spent);
    const double taken = static_cast<double>(steps) * spent / steps_seconds;
    state.counters["thousand_steps"] = taken;
    if (taken > kReplaySteps) state.SkipWithError("the replay takes too long");
  }
}
BENCHMARK(trend_replay_8_weeks_of_1000_tags)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
