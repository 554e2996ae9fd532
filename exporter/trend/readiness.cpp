#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "collectors/base/clock.h"
#include "exporter/trend/daily.h"
#include "exporter/trend/engine.h"

namespace kmem::trend {
namespace {

std::string count_words(double count, std::string_view one) {
  const auto whole = static_cast<std::uint64_t>(std::ceil(count - 1e-9));
  return std::to_string(whole) + " more " + std::string(one) + (whole == 1 ? "" : "s");
}

/// "about 13 days"; empty where that is years.
std::string left_words(double seconds) {
  constexpr double kFarDays = 3650;
  const double hours = seconds / base::kSecondsPerHour, days = hours / 24;
  if (!(days < kFarDays)) return {};
  if (hours < 1.5) return "about an hour";
  return "about " + std::to_string(std::llround(hours < 48 ? hours : days)) + (hours < 48 ? " hours" : " days");
}

std::string span_words(double seconds) {
  const double minutes = seconds / 60;
  const auto say = [](double count, const char* of) { return std::to_string(std::llround(count)) + of; };
  if (minutes < 120) return say(minutes, " minutes");
  return minutes < 2 * 1440 ? say(minutes / 60, " hours") : say(minutes / 1440, " days");
}

}  // namespace

/// Floor of the last day over that of the first, so that a daily cycle is no growth; of what came late, over nothing.
/// `first_seen_ms`: when the first of all subjects was.
std::optional<Readiness::Growth> TrendEngine::growth_of(std::size_t slot, std::int64_t first_seen_ms) const {
  const Subject& subject = *state_.subjects[slot];
  const Open& open = state_.open[slot];
  const std::int64_t boot = state_.timeline.boots().back().first_bucket;
  const std::int64_t appeared = subject.first_seen_ms / kCoarseMs;
  const std::int64_t first = std::max({boot, appeared, state_.coarse_bucket - kCoarseBuckets + 1});
  const auto floor_at = [&](std::int64_t bucket) {
    return bucket == state_.coarse_bucket ? open.coarse : subject.history.coarse[ring_slot(bucket, kCoarseBuckets)];
  };
  std::int64_t begin = first;
  while (begin < state_.coarse_bucket && std::isnan(floor_at(begin))) ++begin;
  if (std::isnan(open.last)) return std::nullopt;
  const std::int64_t buckets = state_.coarse_bucket - begin + 1;
  const std::int64_t side = std::clamp<std::int64_t>(buckets / 2, 1, kBucketsPerDay);
  const auto lowest = [&](std::int64_t from, std::int64_t to) {
    float low = kNothing;
    for (std::int64_t bucket = from; bucket < to; ++bucket) low = std::fmin(low, floor_at(bucket));
    return static_cast<double>(low);
  };
  const double before = buckets == 1 ? static_cast<double>(open.coarse) : lowest(begin, begin + side);
  const double now =
      buckets == 1 ? static_cast<double>(open.last) : lowest(state_.coarse_bucket + 1 - side, state_.coarse_bucket + 1);
  const bool late = subject.kind == Kind::kTag && appeared > std::max(boot, first_seen_ms / kCoarseMs);
  const double amount = std::isnan(now) ? 0 : now - (late || std::isnan(before) ? 0 : before);
  if (!(amount > 0)) return std::nullopt;
  const std::int64_t since_ms = std::max(begin * kCoarseMs, subject.first_seen_ms);
  return Readiness::Growth{subject.kind, subject.pool, subject.text, amount,
                           static_cast<double>(state_.timeline.now_ms() - since_ms) / 1000};
}

/// Of all subjects, or only of those that are too new to be judged.
std::optional<Readiness::Growth> TrendEngine::largest_growth(bool of_all) const {
  std::optional<Readiness::Growth> tag, total;
  // Those that a told pool names are no rest, nor is a total that holds what is told.
  std::set<std::pair<Pool, std::string>> named;
  std::set<Pool> told, spread;
  for (std::size_t slot = 0; slot < state_.subjects.size(); ++slot) {
    const Subject& subject = *state_.subjects[slot];
    const Verdict verdict = verdict_of(subject);
    if ((verdict == Verdict::kLeak || verdict == Verdict::kSurge) &&
        (subject.kind == Kind::kTag || subject.kind == Kind::kPool))
      told.insert(subject.pool);
    if (subject.kind != Kind::kPool || verdict == Verdict::kOk) continue;
    Growers growers = growers_of(slot);
    for (SubjectReport::Grower& grower : growers.most) named.emplace(subject.pool, std::move(grower.tag));
    if (growers.spread_over > 0) spread.insert(subject.pool);
  }
  std::int64_t first_seen_ms = state_.timeline.now_ms();
  for (const auto& subject : state_.subjects) first_seen_ms = std::min(first_seen_ms, subject->first_seen_ms);
  for (std::size_t slot = 0; slot < state_.open.size(); ++slot) {
    const Subject& subject = *state_.subjects[slot];
    const bool is_total = subject.kind == Kind::kPool || subject.kind == Kind::kCommit || subject.kind == Kind::kUnaccounted;
    if (!subject.may_leak() || (subject.kind != Kind::kTag && !is_total) || verdict_of(subject) != Verdict::kOk) continue;
    const std::int64_t age_ms = state_.timeline.now_ms() - subject.first_seen_ms;
    if (!of_all && static_cast<double>(age_ms) >= Readiness::kNeededDays * kDayMs) continue;
    if (subject.kind == Kind::kTag && (named.contains({subject.pool, subject.text}) || spread.contains(subject.pool))) continue;
    if (subject.kind == Kind::kPool ? told.contains(subject.pool) : subject.kind == Kind::kCommit && !told.empty()) continue;
    std::optional<Readiness::Growth>& largest = is_total ? total : tag;
    const auto growth = growth_of(slot, first_seen_ms);
    if (growth && (!largest || growth->amount > largest->amount)) largest = growth;
  }
  // A total is named by its tag, unless there is none that makes up half of it.
  return total && (!tag || tag->amount < total->amount / 2) ? total : tag;
}

/// Of a tag before that of a total, which may be the tag's; by what was given back.
std::optional<Readiness::Growth> TrendEngine::growth_between_falls() const {
  std::optional<Readiness::Growth> growth;
  std::tuple<bool, bool, bool, double> most;
  for (const auto& [slot, falls] : falls_) {
    const Subject& subject = *state_.subjects[slot];
    const Verdict verdict = verdict_of(subject);
    const bool falls_back = falls.count > 0;
    if (!subject.is_told() || falls.rest_days > 0) continue;
    // Peaks may end memory though the floors have a verdict.
    if (verdict == Verdict::kLeak || verdict == Verdict::kSurge) continue;
    if (!falls_back && !falls.of_peaks && verdict != Verdict::kOk) continue;
    const std::tuple rank(falls_back, !falls.of_peaks, subject.kind == Kind::kTag,
                          falls_back ? falls.given_back : falls.growth);
    if (growth && rank <= most) continue;
    most = rank;
    const double days = falls_back ? 1 : falls.days;
    growth =
        Readiness::Growth{subject.kind, subject.pool, subject.text, days * falls.slope_per_day, days * base::kSecondsPerDay};
    growth->falls = falls.count, growth->days_since_fall = falls.days;
    growth->of_peaks = falls.of_peaks, growth->by_day = falls.by_day, growth->again = falls.again;
    growth->goes_on = !falls_back && !falls.of_peaks;
    if (growth->goes_on) continue;
    growth->room = room_for(slot, falls);
    growth->seconds_left = seconds_left_of(slot, falls);
  }
  return growth;
}

/// Of all that has a verdict.
double TrendEngine::soonest_end() const {
  double first = std::numeric_limits<double>::infinity();
  const PacesOfPools paces = paces_of_pools();
  for (std::size_t slot = 0; slot < state_.subjects.size(); ++slot) {
    if (verdict_of(*state_.subjects[slot]) == Verdict::kOk) continue;
    if (const auto end = exhaustion_of(slot, paces)) first = std::min(first, end->seconds);
  }
  return first;
}

/// Left at the tightest moment of the last day; of peaks above the newest of them. nullopt: it is not known.
std::optional<double> TrendEngine::room_for(std::size_t slot, const Falls& falls) const {
  const double limit = limit_of(slot);
  double left = room_of(slot).amount;
  if (falls.of_peaks) left = std::fmin(left, limit - falls.peak);
  if (std::isnan(limit) || std::isnan(left)) return std::nullopt;
  return std::max(left, 0.0);
}

double TrendEngine::seconds_left_of(std::size_t slot, const Falls& falls) const {
  const std::optional<double> room = room_for(slot, falls);
  if (!room || falls.slope_per_day <= 0) return std::numeric_limits<double>::infinity();
  return std::max(*room / falls.slope_per_day - falls.peak_days, 0.0) * base::kSecondsPerDay;
}

/// Of what has no verdict: growth of days or weeks that has ended. A total is named by its tag, unless there is none that makes
/// up half of it.
std::optional<Readiness::Growth> TrendEngine::held_for_weeks() const {
  std::optional<Readiness::Growth> tag, total;
  for (const auto& [slot, falls] : falls_) {
    const Subject& subject = *state_.subjects[slot];
    if (falls.rest_days == 0 || verdict_of(subject) != Verdict::kOk) continue;
    std::optional<Readiness::Growth>& largest = counts_bytes(subject.kind) && subject.kind != Kind::kTag ? total : tag;
    if (largest && largest->amount >= falls.growth) continue;
    largest = Readiness::Growth{subject.kind, subject.pool, subject.text, falls.growth, falls.days * base::kSecondsPerDay};
    largest->held_seconds = falls.rest_days * base::kSecondsPerDay;
  }
  return total && (!tag || tag->amount < total->amount / 2) ? total : tag;
}

Readiness TrendEngine::readiness() const {
  Readiness readiness;
  readiness.days_lacking = Readiness::kNeededDays;
  if (!state_.timeline.started()) return readiness;
  const std::int64_t first_bucket = state_.judged_bucket - kCoarseBuckets + 1;
  std::array<float, kCoarseBuckets> seen;  // 0, or NaN where nothing was
  for (std::int64_t i = 0; i < kCoarseBuckets; ++i) {
    const std::size_t at = ring_slot(first_bucket + i, kCoarseBuckets);
    const bool any = std::any_of(state_.subjects.begin(), state_.subjects.end(),
                                 [at](const auto& subject) { return !std::isnan(subject->history.coarse[at]); });
    seen[static_cast<std::size_t>(i)] = any ? 0 : kNothing;
  }
  const std::vector<Timeline::Boot>& boots = state_.timeline.boots();
  // What was seen before two weeks of silence says nothing of now.
  const std::int64_t running_from = boots.back().first_bucket;
  std::int64_t last_before = running_from - 1;
  const auto was_seen = [&](std::int64_t bucket) { return !std::isnan(seen[static_cast<std::size_t>(bucket - first_bucket)]); };
  while (last_before >= first_bucket && !was_seen(last_before)) --last_before;
  const bool is_stale = (running_from - last_before) * kCoarseMs >= Timeline::kAbsurdSilenceMs;
  double longest_days = 0;
  std::size_t long_boots = 0, buckets_in_all = 0, last_long = boots.size();
  for (std::size_t i = 0; i < boots.size(); ++i) {
    const bool running = i + 1 == boots.size();
    if (is_stale && !running) continue;
    const std::int64_t end = running ? state_.judged_bucket + 1 : boots[i + 1].first_bucket;
    const std::int64_t from = std::clamp(judged_from(boots[i]), first_bucket, std::max(first_bucket, end));
    const std::span<const float> floors = std::span(seen).subspan(
        static_cast<std::size_t>(from - first_bucket), static_cast<std::size_t>(std::max<std::int64_t>(end - from, 0)));
    const auto is_seen = [](float floor) { return !std::isnan(floor); };
    const auto begin = std::find_if(floors.begin(), floors.end(), is_seen);
    const auto known = static_cast<std::size_t>(std::count_if(begin, floors.end(), is_seen));
    const Points points = daily_floors(floors);
    const double whole_days = points.count == 0 ? 0 : points.span_days() + 1;
    readiness.judged = readiness.judged || (points.count >= Readiness::kNeededReadings && whole_days >= Readiness::kNeededDays);
    if (static_cast<double>(known) >= kFewestDaysOfABoot * kBucketsPerDay) ++long_boots, buckets_in_all += known, last_long = i;
    const auto whole = std::span<const float>(seen).subspan(
        static_cast<std::size_t>(std::clamp<std::int64_t>(boots[i].first_bucket - first_bucket, 0, kCoarseBuckets)));
    const auto of_boot = whole.first(std::min(whole.size(), static_cast<std::size_t>(std::max<std::int64_t>(
                                                                end - std::max(boots[i].first_bucket, first_bucket), 0))));
    longest_days =
        std::max(longest_days, static_cast<double>(std::count_if(of_boot.begin(), of_boot.end(), is_seen)) / kBucketsPerDay);
    if (!running) continue;
    readiness.readings = points.count;
    readiness.days = static_cast<double>(floors.end() - begin) / kBucketsPerDay;
    const bool seldom = points.spacing > 1 || points.seen < 1;
    readiness.few = points.count < Readiness::kNeededReadings && (seldom || readiness.days >= Readiness::kNeededDays) &&
                    static_cast<double>(Readiness::kNeededReadings - points.count) * points.spacing >=
                        Readiness::kNeededDays - readiness.days;
    // Whole days count, and a day at the begin may not be one.
    const double days = readiness.days < Readiness::kNeededDays ? readiness.days : whole_days;
    readiness.days_lacking = std::max(Readiness::kNeededDays - days, 1.0 / kBucketsPerDay);
    if (begin == floors.end())  // the warm-up goes on
      readiness.days_lacking +=
          static_cast<double>(std::max<std::int64_t>(judged_from(boots[i]) - state_.judged_bucket - 1, 0)) / kBucketsPerDay;
  }
  readiness.judged = readiness.judged ||
                     (long_boots >= kFewestBoots && static_cast<double>(buckets_in_all) >= kFewestDaysInAll * kBucketsPerDay);
  if (readiness.judged) readiness.days_lacking = 0, readiness.few = false;
  // A day of each is its warm-up's.
  if (!readiness.judged && !is_stale && boots.size() > kFewestBoots && long_boots <= 1 && last_long + 1 != boots.size())
    readiness.boots = boots.size() - 1, readiness.longest_boot_days = longest_days;
  constexpr double kShortDays = 14;
  constexpr std::size_t kShortReadings = 10;  // fast growth is waited for
  const bool is_short = boots.size() == 1 && (readiness.days < kShortDays || readiness.readings < kShortReadings);
  const bool of_all = !readiness.judged || is_short;
  std::optional<Readiness::Growth> slow = largest_growth(of_all);
  std::optional<Readiness::Growth> fast = growth_now(of_all ? std::optional(slow ? slow->amount : 0) : std::nullopt);
  // Handles and entries are no bytes, and were chosen by what they are.
  const bool is_more = fast && (!slow || !counts_bytes(fast->kind) || fast->amount > slow->amount);
  const bool is_faster = fast && (fast->is_large || ((of_all || fast->is_beyond) && is_more));
  readiness.largest = is_faster ? std::move(fast) : std::move(slow);
  if (readiness.largest) readiness.largest->is_new = !of_all && !is_faster;
  // Of a total whose new tag is named already nothing is left to name.
  if (!readiness.largest || !readiness.largest->is_told_first()) {
    const auto& largest = readiness.largest;
    auto held = growth_now(std::nullopt, true);
    constexpr double kMostOf = 0.5;  // the same growth, over all that is known, may be a little more
    if (auto weeks = held_for_weeks(); weeks && (!held || held->amount < kMostOf * weeks->amount)) held = std::move(weeks);
    if (held && (!largest || !counts_bytes(held->kind) || held->amount >= (largest->is_new ? 2 : kMostOf) * largest->amount))
      readiness.largest = std::move(held);
  }
  if (!readiness.largest || !(readiness.largest->is_large || readiness.largest->is_beyond))
    if (auto between = growth_between_falls()) readiness.largest = std::move(between);
  if (readiness.largest) {
    Readiness::Growth& largest = *readiness.largest;
    largest.ends_first = !std::isinf(largest.seconds_left) && largest.seconds_left < soonest_end();
    const std::uint32_t pool = largest.kind == Kind::kPool ? find_slot(Kind::kPool, largest.pool) : base::FlatIndex::kNone;
    if (pool != base::FlatIndex::kNone && largest.falls == 0 && !largest.of_peaks && !largest.is_held())
      largest.spread_over = growers_since(pool, state_.timeline.now_ms() - std::llround(largest.seconds * 1000), 1).spread_over;
    largest.of_rest = std::any_of(state_.subjects.begin(), state_.subjects.end(), [this](const auto& subject) {
      return subject->is_told() && verdict_of(*subject) != Verdict::kOk;
    });
  }
  // Beside what has a verdict noise is no news.
  constexpr double kNoise = 1e-3;  // of its pool
  if (const auto& largest = readiness.largest; largest && largest->of_rest && !largest->is_told_first()) {
    const std::uint32_t pool = find_slot(Kind::kPool, largest->pool);
    if (pool != base::FlatIndex::kNone && largest->amount < kNoise * static_cast<double>(state_.open[pool].last))
      readiness.largest.reset();
  }
  return readiness;
}

std::string_view growth_label(const Readiness::Growth& growth) {
  if (growth.is_large) return is_room(growth.kind) ? "Falls now: " : "Grows now: ";
  if (growth.falls > 0) return "Grows between falls: ";
  if (growth.goes_on) return "Grows on: ";
  if (growth.of_peaks) return "Peaks grow: ";
  if (growth.is_beyond) return "Grows beyond all before: ";
  if (growth.is_held()) return growth.kind == Kind::kCommitLimit ? "Fell and stays: " : "Grew and holds: ";
  if (growth.is_new) return "Too new to be judged, of those the largest growth: ";
  return growth.of_rest ? "Largest growth of the rest: " : "Largest growth so far: ";
}

std::string growth_phrase(const Readiness::Growth& growth) {
  std::string phrase(growth_label(growth));
  phrase[0] = static_cast<char>(phrase[0] - 'A' + 'a');
  return phrase.substr(0, phrase.find(':'));
}

std::string growth_claim(const Readiness::Growth& growth, const std::function<std::string(double)>& words) {
  const std::string end = growth.room ? left_words(growth.seconds_left) : std::string();
  const std::string left = end.empty() ? end
                                       : "; " + (words ? words(*growth.room) + " left" : std::string("what is left")) +
                                             (growth.of_peaks ? " above the newest" : "") + ", used up in " + end +
                                             (growth.of_peaks ? " at that pace" : " unless given back again");
  if (growth.is_large && growth.kind == Kind::kAvailable) return ", at that pace used up in " + span_words(growth.seconds_left);
  if (growth.is_large && growth.kind == Kind::kCommitLimit)
    return (growth.charged_per_second > 0 ? ", at that pace and that of what is charged they meet in "
                                          : ", at that pace it meets what is charged in ") +
           span_words(growth.seconds_left);
  std::string spread =
      growth.spread_over > 0 ? ", in many tags (half of it in " + std::to_string(growth.spread_over) + ")" : std::string();
  if (growth.is_large)
    return spread +
           std::string(growth.seconds > base::kSecondsPerDay ? ", not steadily enough to tell a surge"
                                                             : ", not long enough to tell a surge from a step") +
           (growth.no_limit ? "; no limit is known, so its end may be near" : "");
  if (growth.goes_on && growth.again) return ", steadily, after it was given back or stood still, as it had grown before";
  if (growth.goes_on) return ", by these weeks alone a leak, though not by all that was seen";
  if (growth.of_peaks && growth.by_day) return ", from day to day, while its floor does not grow" + left;
  if (growth.of_peaks) return ", from week to week, while its floor does not grow" + left;
  if (growth.is_beyond) return spread + ", little beside the room there is";
  if (growth.is_held())
    return std::string(growth.seconds > 2 * base::kSecondsPerDay ? ", ended " : ", ") + span_words(growth.held_seconds) +
           " ago";
  if (growth.falls == 0) return spread;
  const auto days = static_cast<std::uint64_t>(std::llround(growth.days_since_fall));
  return ", given back " + (growth.falls == 1 ? std::string("once, ") : std::to_string(growth.falls) + " times, the last ") +
         std::to_string(days) + (days == 1 ? " day" : " days") + " ago" + left +
         ": a leak that a restart of its owner frees, or a cache that is trimmed";
}

std::string readiness_words(const Readiness& readiness) {
  if (readiness.judged) return {};
  const double days = readiness.days_lacking;
  if (readiness.boots > 0) {
    const double longest = readiness.longest_boot_days;
    const bool hours = longest < 2;
    const auto count = static_cast<std::uint64_t>(std::llround(hours ? longest * 24 : longest));
    return "telling a leak takes a boot that lasts 8 days, or seven of 5 days; of " + std::to_string(readiness.boots + 1) +
           " the longest has " + std::to_string(count) + (hours ? " hour" : " day") + (count == 1 ? "" : "s") + " of readings";
  }
  // Those of the open 4 hours are counted by people, but not judged yet.
  if (readiness.few)
    return "telling a leak takes readings on " + std::to_string(Readiness::kNeededReadings + 1) + " days, there are " +
           std::to_string(readiness.readings + 1);
  const bool in_hours = days < 2;
  return "telling a leak takes " + count_words(in_hours ? days * 24 : days, in_hours ? "hour" : "day") + " of readings";
}

}  // namespace kmem::trend
