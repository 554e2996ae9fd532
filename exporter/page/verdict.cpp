#include "exporter/page/verdict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "collectors/base/clock.h"
#include "exporter/page/chart.h"
#include "exporter/page/words.h"

namespace kmem::page {
namespace {

using base::kSecondsPerDay;
using base::kSecondsPerHour;
constexpr std::size_t kMostLeaks = 4;  // more than the headline's

std::string capitalized(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string holder_part(const Subject& subject) {
  const std::string words = trend::holder_words(subject.holder, subject.report);
  return words.empty() ? words : ", " + words;
}

std::string grower_part(const trend::SubjectReport& report) {
  const std::string words = trend::grower_words(report, byte_words);
  return words.empty() ? words : " (" + words + ")";
}

std::string leak_words(const Subject& leak, base::UnixMillis now, Verdict& verdict) {
  const trend::SubjectReport& report = leak.report;
  std::string words = subject_words(report);
  if (const std::string driver = driver_words(leak.drivers); !driver.empty()) words += ", " + driver;
  words += ", " + growth_words(growth_a_day(report), trend::counts_bytes(report.kind));
  words += grower_part(report) + holder_part(leak);
  if (report.since) {
    verdict.moments.push_back({day_words(*report.since, now), *report.since, "day"});
    words += " since " + verdict.moments.back().words;
  }
  if (const std::string end = end_words(report); !end.empty()) words += ", " + end;
  return words;
}

/// A pool that grows because of tags that are said already.
bool follows(const Subject& leak, const std::vector<Subject>& leaks) {
  std::vector<const trend::SubjectReport*> told;
  told.reserve(leaks.size());
  for (const Subject& other : leaks) told.push_back(&other.report);
  return trend::follows_tags(leak.report, told);
}

std::string history_words(const View& view) {
  if (!view.readiness.judged) return "Too little to judge: " + trend::readiness_words(view.readiness);
  // The first 4 hours count as a whole where seven days suffice.
  const auto days = static_cast<std::uint64_t>(std::llround(view.history.history_seconds / kSecondsPerDay));
  const std::string history = "; " + plural_words(days, "day") + " of history";
  if (view.watched.empty()) return "No leak seen" + history;
  const trend::SubjectReport& first = view.watched.front().report;
  return "Watched, not yet called " + std::string(view.watch_count == 1 ? "a leak: " : "leaks: ") + subject_words(first) +
         ", " + growth_words(growth_a_day(first), trend::counts_bytes(first.kind)) +
         (view.watch_count > 1 ? ", and " + std::to_string(view.watch_count - 1) + " more" : "") + history;
}

std::string growth_so_far(const trend::Readiness::Growth& growth) {
  trend::SubjectReport subject;
  subject.kind = growth.kind, subject.pool = growth.pool, subject.text = growth.text;
  const auto words = [bytes = trend::counts_bytes(growth.kind)](double amount) {
    return bytes ? byte_words(amount) : number_words(amount);
  };
  return std::string(trend::growth_label(growth)) + subject_words(subject) + (trend::counts_down(growth.kind) ? ", -" : ", +") +
         words(growth.amount) + (growth.is_pace() ? " a day" : " in " + duration_words(growth.seconds)) +
         trend::growth_claim(growth, words);
}

void add_shortages(const View& view, std::vector<std::string>& out, Verdict& verdict) {
  for (const Resource& resource : view.resources) {
    if (!is_short(resource)) continue;
    if (!resource.bytes) {
      out.push_back("only " + count_words(resource.amount) + " " + resource_words(resource.name) + " are left");
      continue;
    }
    std::string words = resource_words(resource.name) + " is at " +
                        count_words(static_cast<std::uint64_t>(100 * *fullness(resource))) + " % of its limit";
    if (resource.trim_threshold && resource.amount >= *resource.trim_threshold)
      words = resource_words(resource.name) + " is beyond " + byte_words(static_cast<double>(*resource.trim_threshold)) +
              ", where the kernel trims it";
    out.push_back(std::move(words));
  }
  for (const FailureEvents& events : view.failure_events) {
    if (events.count == 0 || !events.last || view.time - *events.last > base::kDayMillis) continue;
    std::string words = "the kernel refused memory: " + events.provider;
    if (events.event_id != 0) words += " event " + std::to_string(events.event_id);
    verdict.moments.push_back({minute_words(*events.last), *events.last, "minute"});
    out.push_back(words + ", last at " + verdict.moments.back().words);
  }
}

}  // namespace

double growth_a_day(const trend::SubjectReport& report) {
  return report.credible_slope_per_second * kSecondsPerDay * (report.kind == trend::Kind::kSystemPtes ? -1 : 1);
}

std::string driver_words(const std::vector<Driver>& drivers) {
  const std::string names = drivers::joined_drivers(drivers);
  if (names.empty()) return std::string(drivers::best_description(drivers));
  return (names.find(',') == std::string::npos ? "driver " : "drivers ") + names;
}

std::string end_words(const trend::SubjectReport& report) {
  if (!report.exhaustion || std::isinf(report.exhaustion->seconds) || report.exhaustion->is_far()) return {};
  const trend::Exhaustion& end = *report.exhaustion;
  if (end.seconds <= 0) return reached_words(end.bound);
  std::string words = reached_words(end.bound) + " in " + duration_words(end.seconds);
  if (const std::string left = left_words(end, report.kind, report.credible_slope_per_second); !left.empty())
    words += " (" + left + ")";
  return words;
}

std::string surge_words(const Subject& subject, base::UnixMillis now) {
  const trend::SubjectReport& report = subject.report;
  const trend::Surge& surge = *report.surge;
  const bool bytes = counts_bytes(report.kind);
  std::string words = subject_words(report);
  if (const std::string driver = driver_words(subject.drivers); !driver.empty()) words += ", " + driver;
  const double an_hour = surge.pace_per_second * kSecondsPerHour;
  words += ", " + std::string(report.kind == trend::Kind::kSystemPtes ? "-" : "+") +
           (bytes ? byte_words(an_hour) : number_words(an_hour)) + "/hour for " +
           duration_words(static_cast<double>(now - surge.since) / 1000);
  words += grower_part(report) + holder_part(subject);
  if (surge.is_far() && surge.times > 0) words += ", to " + times_words(surge.times) + " times what it held";
  if (std::isinf(surge.seconds_left)) return words;
  const double room = surge.room.value_or(0);
  words += "; " + (bytes ? byte_words(room) : number_words(room)) + " left";
  if (report.exhaustion && report.exhaustion->bound != trend::Bound::kUnknown)
    words += " (" + std::string(trend::bound_words(report.exhaustion->bound)) + ")";
  if (surge.is_far()) return words + ", so that no end is near";
  return words + " would last " + duration_words(surge.seconds_left) + (surge.shares_room() ? " with what else grows" : "");
}

std::string times_words(double times) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", times < 9.95 ? 1 : 0, std::min(times, 1e9));
  return text.data();
}

std::string reached_words(trend::Bound bound) {
  if (bound == trend::Bound::kAvailableMemory) return "available memory used up";
  return std::string(trend::bound_words(bound)) + " reached";
}

std::string left_words(const trend::Exhaustion& end, trend::Kind kind, std::optional<double> said_per_second) {
  if (end.bound == trend::Bound::kUnknown) return {};
  const bool bytes = counts_bytes(kind);
  std::string words =
      (bytes ? byte_words(end.room) : number_words(end.room)) + (end.of_now ? " left" : " left at the day's peak");
  if (end.of_room) return words + ", falling by " + growth_words(end.pace_per_second * kSecondsPerDay, bytes).substr(1);
  constexpr double kSame = 0.005;
  const double said = said_per_second.value_or(0);
  if (std::abs(said - end.pace_per_second) > kSame * end.pace_per_second)
    words += ", " + growth_words(end.pace_per_second * kSecondsPerDay * (kind == trend::Kind::kSystemPtes ? -1 : 1), bytes);
  return words;
}

std::optional<double> fullness(const Resource& resource) {
  if (!resource.limit || *resource.limit == 0) return std::nullopt;
  return static_cast<double>(resource.amount) / static_cast<double>(*resource.limit);
}

bool is_short(const Resource& resource) {
  if (!resource.bytes) return resource.fewest && resource.amount < *resource.fewest;
  if (!resource.binding) return false;
  const std::optional<double> full = fullness(resource);
  return (full && *full >= trend::kShort) || (resource.trim_threshold && resource.amount >= *resource.trim_threshold);
}

std::string_view state_name(Verdict::State state) {
  static constexpr std::array<std::string_view, 6> kNames = {"calm", "unknown", "warning", "surge", "leak", "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

Verdict judge(const View& view) {
  Verdict verdict;
  if (!view.error.empty()) {
    verdict.state = Verdict::State::kFailed;
    verdict.headline = "The kernel cannot be read: " + view.error;
    return verdict;
  }
  std::vector<std::string> shortages;
  bool watched_said = false;
  add_shortages(view, shortages, verdict);
  // What ends first goes before, and what has hours before what has weeks.
  for (const Subject& surge : view.surges) {
    std::string words = "Grows now, beyond all before: " + surge_words(surge, view.time);
    if (verdict.headline.empty()) {
      verdict.headline = std::move(words);
    } else if (verdict.details.size() < kMostLeaks) {
      verdict.details.push_back(std::move(words));
    }
  }
  if (!view.surges.empty()) {
    verdict.state = Verdict::State::kSurge;
    verdict.details.push_back("That may be load and is no proof of a fault.");
  }
  if (!view.leaks.empty()) {
    verdict.state = Verdict::State::kLeak;
    std::string words = "Leak: " + leak_words(view.leaks[0], view.time, verdict);
    if (verdict.headline.empty()) {
      verdict.headline = std::move(words);
    } else if (trend::told_end(view.leaks[0].report) < trend::told_end(view.surges[0].report)) {
      verdict.details.insert(verdict.details.begin(), std::move(verdict.headline));
      verdict.headline = std::move(words);
    } else {
      verdict.details.push_back(std::move(words));
    }
    std::size_t said = 1;
    for (std::size_t i = 1; i < view.leaks.size() && verdict.details.size() < kMostLeaks; ++i, ++said)
      if (!follows(view.leaks[i], view.leaks))
        verdict.details.push_back("Leak: " + leak_words(view.leaks[i], view.time, verdict));
    if (view.leak_count > said) verdict.details.push_back("and " + plural_words(view.leak_count - said, "more leak"));
  } else if (!view.surges.empty()) {
    // said
  } else if (!view.trend_enabled) {
    verdict.state = Verdict::State::kUnknown;
    verdict.headline = "Leaks are not looked for: the trend is switched off";
  } else {
    if (!view.readiness.judged || !view.watched.empty()) verdict.state = Verdict::State::kUnknown;
    verdict.headline = history_words(view);
    watched_said = view.readiness.judged && !view.watched.empty();
    if (!shortages.empty()) {
      verdict.details.push_back(verdict.headline);
      verdict.headline = capitalized(shortages[0]);
      shortages.erase(shortages.begin());
      verdict.state = Verdict::State::kWarning;
    }
    if (const auto& largest = view.readiness.largest; largest && !largest->is_told_first()) {
      verdict.details.push_back(growth_so_far(*largest));
    } else if (largest) {
      // What may use up memory goes before that no leak was seen, which says nothing of it.
      verdict.details.insert(verdict.details.begin(), std::move(verdict.headline));
      verdict.headline = growth_so_far(*largest);
      verdict.state = std::max(verdict.state, largest->is_large ? Verdict::State::kWarning : Verdict::State::kUnknown);
    }
  }
  if (const auto& largest = view.readiness.largest;
      largest && (largest->is_told_first() || largest->is_held()) && !(view.leaks.empty() && view.surges.empty())) {
    verdict.details.push_back(growth_so_far(*largest));
    if (largest->ends_first) {  // before all that leaks or surges
      verdict.details.insert(verdict.details.begin(), std::move(verdict.headline));
      verdict.headline = std::move(verdict.details.back());
      verdict.details.pop_back();
    }
  }
  for (std::string& words : shortages) verdict.details.push_back(capitalized(std::move(words)));
  for (const PartStatus& part : view.parts) {
    if (part.state != PartState::kFailed) continue;
    verdict.details.push_back("Collector " + part.collector + " cannot be read: " + part.reason);
    if (verdict.state < Verdict::State::kWarning) verdict.state = Verdict::State::kWarning;
  }
  if (view.watch_count > 0 && !watched_said)
    verdict.details.push_back("Watched, not yet called " + std::string(view.watch_count == 1 ? "a leak: " : "leaks: ") +
                              std::to_string(view.watch_count));
  return verdict;
}

}  // namespace kmem::page
