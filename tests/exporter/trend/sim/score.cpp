#include "tests/exporter/trend/sim/score.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "collectors/boots.h"
#include "exporter/trend/engine.h"

namespace kmem::trend::sim {
namespace {

constexpr double kDayMsDouble = 86'400'000.0;

double middle(std::vector<double>& values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double percent(long count, int of) { return 100.0 * static_cast<double>(count) / of; }

std::string days_text(double days) {
  if (std::isnan(days)) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", days);
  return text;
}

std::string wanted_text(const Scenario& scenario) {
  if (scenario.limit_percent >= 100) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%s %.0f %%", scenario.goal == Goal::kDetect ? ">=" : "<=", scenario.limit_percent);
  return scenario.limit_days ? text + (", " + days_text(*scenario.limit_days)) + " d" : text;
}

const Scenario* named(std::span<const Scenario> scenarios, std::string_view name) {
  const auto found = std::find_if(scenarios.begin(), scenarios.end(), [&](const Scenario& s) { return s.name == name; });
  return found == scenarios.end() ? nullptr : &*found;
}

/// A host's other tags, of which only counters are told: 32 bits wide, each with its own pace, some moved by the boot alone.
class Counters {
 public:
  Boot note(const Sample& sample) {
    constexpr std::size_t kTags = 24;
    snapshot_.time = sample.time_ms;
    snapshot_.tags.resize(kTags);
    const auto uptime_seconds = static_cast<double>(sample.time_ms - sample.boot_ms) / 1000;
    const auto boot = static_cast<std::uint64_t>(sample.boot_ms / 1000);
    for (std::size_t i = 0; i < kTags; ++i) {
      TagUsage& tag = snapshot_.tags[i];
      tag.key = i + 1;
      tag.counter_bits = 32;
      const double pace =
          i % 3 == 2 ? 0 : std::pow(3.0, static_cast<double>(i) / 1.8) / 1000;  // the fastest wraps in six weeks
      const std::uint64_t at_boot = 100 + (boot * (i + 7) % 11);
      tag.allocations = (at_boot + static_cast<std::uint64_t>(pace * uptime_seconds)) & 0xFFFF'FFFF;
    }
    return boots_.note(snapshot_);
  }

 private:
  Snapshot snapshot_;
  Boots boots_;
};

}  // namespace

Outcome run_engine(const History& history, BootTimes boot_times) {
  TrendEngine engine({.max_subjects = 1});
  Counters counters;
  Outcome outcome;
  for (const Sample& sample : history.samples) {
    trend::Sample subject;
    subject.text = "Leak";
    subject.amount = static_cast<std::uint64_t>(sample.bytes);
    subject.limit = history.limit_bytes;
    if (boot_times == BootTimes::kGiven) {
      engine.observe({sample.time_ms, sample.boot_ms, {&subject, 1}});
      continue;
    }
    const Boot boot = counters.note(sample);
    engine.observe({sample.time_ms, std::nullopt, {&subject, 1}, boot.reading.number, boot.start});
  }
  engine.settle();
  const std::optional<SubjectReport> report = engine.find(Kind::kTag, Pool::kPaged, "Leak");
  outcome.flagged = report->first_detected.has_value();
  outcome.watched = report->verdict == Verdict::kWatch;
  outcome.leak_at_end = report->verdict == Verdict::kLeak;
  outcome.confidence = report->confidence;
  if (outcome.flagged) {
    const auto after = static_cast<double>(*report->first_detected - history.samples.front().time_ms);
    outcome.days_to_detection = after / kDayMsDouble - history.onset_days;
  }
  if (history.leaks) {
    const double slope = report->credible_slope_per_second * 86400;
    outcome.slope_error = std::abs(slope / history.slope_bytes_per_day - 1);
    const double truth = (history.limit_bytes - history.level_end_bytes) / history.slope_bytes_per_day * 86400;
    outcome.exhaustion_error = std::abs(report->exhaustion->seconds / truth - 1);
  }
  return outcome;
}

void thin_out(History& history, Readings readings, Random& random) {
  if (readings == Readings::kAll) return;
  constexpr std::int64_t kDay = 86'400'000, kHour = 3'600'000;
  const double hour = random.uniform(0, 24), off_from = random.uniform(0, 24), off_hours = random.uniform(9, 15);
  const auto first_day = static_cast<int>(random.uniform(0, 7)),
             second_day = (first_day + static_cast<int>(random.uniform(2, 6))) % 7;
  std::int64_t last_day = -1;
  double wanted = std::min(hour, 17.5);
  const auto keeps = [&](const Sample& sample) {
    const std::int64_t day = sample.time_ms / kDay;
    const double at = static_cast<double>(sample.time_ms % kDay) / static_cast<double>(kHour);
    const auto weekday = static_cast<int>(day % 7);
    switch (readings) {
      case Readings::kAll: return true;
      case Readings::kOfficeHours: return weekday < 5 && at >= 9 && at < 17;
      case Readings::kNoNights: return std::fmod(at - off_from + 24, 24) >= off_hours;
      case Readings::kOnceADay:
      case Readings::kAnyTime:
      case Readings::kTwiceAWeek: break;
    }
    if (day == last_day || at < wanted) return false;
    if (readings == Readings::kTwiceAWeek && weekday != first_day && weekday != second_day) return false;
    last_day = day;
    const double next = readings == Readings::kAnyTime ? random.uniform(0, 24) : hour + random.uniform(-0.33, 0.33);
    wanted = std::clamp(next, 0.0, 17.5);  // so that samples 6 hours apart have one
    return true;
  };
  std::erase_if(history.samples, [&](const Sample& sample) { return !keeps(sample); });
}

Row score(const Scenario& scenario, std::uint64_t first_run, int runs, NoiseKind noise, bool with_peers, BootTimes boot_times,
          Readings readings) {
  Row row;
  row.scenario = &scenario;
  row.runs = runs;
  long flagged = 0, watched = 0, slopes = 0, exhaustions = 0;
  std::vector<double> days;
  std::array<std::vector<double>, kPeerNames.size()> peer_days;
  for (int i = 0; i < runs; ++i) {
    Random random(first_run + static_cast<std::uint64_t>(i));
    random.noise = noise;
    History history = scenario.make(random);
    thin_out(history, readings, random);
    const Outcome outcome = run_engine(history, boot_times);
    flagged += outcome.flagged;
    watched += outcome.watched;
    if (outcome.flagged) days.push_back(outcome.days_to_detection);
    slopes += history.leaks && outcome.slope_error <= 0.2;
    exhaustions += history.leaks && outcome.exhaustion_error <= 0.25;
    if (!with_peers) continue;
    const auto alarms = ask_peers(history);
    for (std::size_t peer = 0; peer < alarms.size(); ++peer) {
      if (alarms[peer]) peer_days[peer].push_back(*alarms[peer] - history.onset_days);
    }
  }
  row.flagged_percent = percent(flagged, runs);
  row.watched_percent = percent(watched, runs);
  row.median_days = middle(days);
  row.slope_within_20_percent = percent(slopes, runs);
  row.exhaustion_within_25_percent = percent(exhaustions, runs);
  for (std::size_t peer = 0; peer < peer_days.size(); ++peer) {
    row.peer_percent[peer] = percent(static_cast<long>(peer_days[peer].size()), runs);
    row.peer_days[peer] = middle(peer_days[peer]);
  }
  return row;
}

FallsTold score_falls(const Scenario& scenario, std::uint64_t first_run, int runs, NoiseKind noise) {
  long ever = 0, at_end = 0, leaks = 0;
  for (int i = 0; i < runs; ++i) {
    Random random(first_run + static_cast<std::uint64_t>(i));
    random.noise = noise;
    const History history = scenario.make(random);
    TrendEngine engine({.max_subjects = 1});
    std::int64_t day = 0;
    bool told = false, told_now = false;
    const auto look = [&] {
      const std::optional<Readiness::Growth> growth = engine.readiness().largest;
      told_now = growth && (growth->falls > 0 || growth->goes_on || growth->of_peaks);
      told = told || told_now;
    };
    for (const Sample& sample : history.samples) {
      trend::Sample subject;
      subject.text = "Leak";
      subject.amount = static_cast<std::uint64_t>(sample.bytes);
      subject.limit = history.limit_bytes;
      engine.observe({sample.time_ms, sample.boot_ms, {&subject, 1}});
      if (sample.time_ms / 86'400'000 == day) continue;
      day = sample.time_ms / 86'400'000;
      look();
    }
    engine.settle();
    look();
    ever += told, at_end += told_now;
    leaks += engine.find(Kind::kTag, Pool::kPaged, "Leak")->verdict == Verdict::kLeak;
  }
  return {percent(ever, runs), percent(at_end, runs), percent(leaks, runs)};
}

std::string table_head() {
  std::string head = "| history | wanted | flagged | median days | slope within 20 % | exhaustion within 25 % |";
  for (const std::string_view name : kPeerNames) head += " " + std::string(name) + " |";
  head += "\n|---|---|---|---|---|---|";
  for (std::size_t i = 0; i < kPeerNames.size(); ++i) head += "---|";
  return head;
}

std::string table_line(const Row& row) {
  const Scenario& scenario = *row.scenario;
  const bool detect = scenario.goal == Goal::kDetect;
  char text[256];
  const std::string wanted = wanted_text(scenario);
  std::snprintf(text, sizeof text, "| %s | %s | %.1f %% | %s |", std::string(scenario.name).c_str(), wanted.c_str(),
                row.flagged_percent, days_text(row.median_days).c_str());
  std::string line = text;
  if (detect) {
    std::snprintf(text, sizeof text, " %.0f %% | %.0f %% |", row.slope_within_20_percent, row.exhaustion_within_25_percent);
    line += text;
  } else {
    line += " | |";
  }
  for (std::size_t peer = 0; peer < row.peer_percent.size(); ++peer) {
    std::snprintf(text, sizeof text, " %.0f %%", row.peer_percent[peer]);
    line += text;
    if (detect) line += " / " + days_text(row.peer_days[peer]);
    line += " |";
  }
  return line;
}

std::string readme_table(std::uint64_t first_run, int runs) {
  std::string table = "| history | wanted | flagged, % | median days | slope; time left right, % |";
  for (const std::string_view name : kPeerNames) table += " " + std::string(name) + ", % |";
  table += "\n|---|---|---|---|---|---|---|---|\n";
  const auto add = [&](const Scenario* wide, const Scenario* other) {
    std::vector<Row> rows;
    if (wide != nullptr)
      rows = {score(*wide, first_run, runs, NoiseKind::kWide, true), score(*wide, first_run, runs, NoiseKind::kNarrow, false)};
    if (other != nullptr) rows.push_back(score(*other, first_run, runs, NoiseKind::kWide, wide == nullptr));
    const Scenario& scenario = *rows[0].scenario;
    const auto joined = [&](const auto& text_of) {
      std::string text;
      for (const Row& row : rows) text += (text.empty() ? "" : " / ") + text_of(row);
      return text;
    };
    const auto number = [](double value, const char* format) {
      char text[32];
      std::snprintf(text, sizeof text, format, value);
      return std::string(text);
    };
    const bool detect = scenario.goal == Goal::kDetect;
    table += "| " + std::string(scenario.name) + " | " + wanted_text(scenario) + " | " +
             joined([&](const Row& row) { return number(row.flagged_percent, "%.1f"); }) + " | ";
    if (detect) table += joined([](const Row& row) { return days_text(row.median_days); });
    table += " | ";
    if (detect) table += joined([&](const Row& row) { return number(row.slope_within_20_percent, "%.0f"); }) + "; ";
    if (detect) table += joined([&](const Row& row) { return number(row.exhaustion_within_25_percent, "%.0f"); });
    table += " |";
    for (std::size_t peer = 0; peer < kPeerNames.size(); ++peer) {
      table += " " + number(rows[0].peer_percent[peer], "%.0f");
      if (detect && rows[0].peer_percent[peer] > 0) table += ", " + days_text(rows[0].peer_days[peer]) + " d";
      table += " |";
    }
    table += "\n";
  };
  for (const Scenario& scenario : scenarios()) add(&scenario, named(other_scenarios(), scenario.name));
  for (const Scenario& scenario : other_scenarios()) {
    if (named(scenarios(), scenario.name) == nullptr) add(nullptr, &scenario);
  }
  return table;
}

}  // namespace kmem::trend::sim
