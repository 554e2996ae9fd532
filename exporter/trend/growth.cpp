// The growth that is going on, over minutes to weeks, of what nothing else has told: it may be too short to tell a surge from
// a step, and is no silence. And what took much, has ended and holds it still: a fact, no verdict.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "exporter/trend/engine.h"

namespace kmem::trend {
namespace {

constexpr std::array<double, 4> kWindows = {40, 6 * 60, 4 * kMinutesPerDay, 28 * kMinutesPerDay};
constexpr std::size_t kFewHours = 8;   // seen of the last 4 days: with fewer the four hours speak, too
constexpr double kBegins = 0.1;        // of the growth: up to there it had not begun
constexpr double kStillBegins = 0.25;  // of the mean pace: the begin is not over
constexpr double kGoesOnBy = 0.1;      // of the growth, over the last third of its time: else it was a step
constexpr double kBeyondPast = 0.5;    // of the growth lies above all that it held before
constexpr double kMuchOfRoom = 0.05;   // of what was left as it began, and ...
constexpr double kMuchOfLimit = 0.01;  // ... of the limit: growth that must be told
constexpr double kMuchMore = 1.5;      // times what it held before, where no limit is known, ...
constexpr double kMuchOfPool = 0.05;   // ... and of the pool
constexpr double kManyHandles = 5000;
constexpr double kOneStep = 0.4;  // of the growth, within kBrief of its time: a burst that came on top of noise
constexpr double kBrief = 1.0 / 6;
// What is less than that and lies far beyond all before is no silence, either.
constexpr double kLittleOfLimit = 0.0025, kLittleOfPool = 0.01, kSomeHandles = 1000;
constexpr double kSpikeMinutes = 4;           // readings closer than that: the lower of the last two
constexpr double kMostOfAmount = 0.75;        // a shorter time is told that has so much of the growth
constexpr double kInside = 0.85;              // of the shorter time: growth that began earlier is not of it
constexpr double kTold = 0.5;                 // of the growth: a verdict with that pace has told it
constexpr double kKnownDay = kMinutesPerDay;  // of memory's own day, before it is said to fall

// What has ended and is held: within so many minutes it rose, to where it has stayed since.
constexpr std::array<double, 4> kRises = {40, 6 * 60, kMinutesPerDay, 3 * kMinutesPerDay};
constexpr double kHeldMinutes = 10;  // at least: readings of the moment may be a spike
constexpr double kHeldMostMinutes = 7 * kMinutesPerDay;
constexpr double kKnownBefore = 6 * 60;  // minutes of this boot: else it may be its warm-up
constexpr double kEdge = 0.05;           // of the growth, at either end: is not of its time

struct Point {
  double age = 0;  // minutes
  double value = 0;
};

/// Floors of the running boot, oldest first: four hours, hours, fives and minutes, each where nothing finer is kept.
class PointsOfBoot {
 public:
  PointsOfBoot(const SurgeView& view, std::size_t coarse_of_boot, double minutes_of_five) {
    constexpr double kHour = 60, kCoarse = 240, kFive = 5;
    constexpr double kFivesSpan = Recent::kFives * kFive, kMinutesSpan = Recent::kMinutes, kHoursSpan = kFineBuckets * kHour;
    add(view.coarse.last(std::min(coarse_of_boot, view.coarse.size())), view.minutes_of_coarse, kCoarse, kHoursSpan);
    hours_seen_ = static_cast<std::size_t>(
        std::count_if(view.hours.begin(), view.hours.end(), [](float hour) { return !std::isnan(hour); }));
    add(view.hours, view.minutes_of_hour, kHour, kFivesSpan);
    const std::span<const float> fives(view.recent.fives), minutes(view.recent.minutes);
    add(fives.first(Recent::kFives), minutes_of_five, kFive, kMinutesSpan);
    add(minutes.first(Recent::kMinutes), 0, 1, 0);
    points_[count_++] = {0, view.now};
  }
  [[nodiscard]] std::span<const Point> points() const { return std::span(points_).first(count_); }
  [[nodiscard]] bool is_of_few() const { return hours_seen_ < kFewHours; }

 private:
  void add(std::span<const float> floors, double age_of_end, double width, double older_than) {
    for (std::size_t i = 0; i < floors.size(); ++i) {
      // What grows was lowest at the begin of each.
      const double age = age_of_end + static_cast<double>(floors.size() - i) * width;
      if (!std::isnan(floors[i]) && age - width / 2 >= older_than) points_[count_++] = {age, static_cast<double>(floors[i])};
    }
  }
  std::array<Point, kCoarseBuckets + kFineBuckets + Recent::kFives + Recent::kMinutes + 1> points_;
  std::size_t count_ = 0, hours_seen_ = 0;
};

/// The highest that it held before the growth began: of earlier days and boots, and of this one.
double highest_before(const SurgeView& view, std::size_t coarse_of_boot, std::span<const Point> before, double age) {
  double high = -std::numeric_limits<double>::infinity();
  for (const Point& point : before) high = std::max(high, point.value);
  for (std::size_t i = 0; i + 1 < view.highs.size(); ++i) {
    const double age_of_end = view.minutes_of_day + static_cast<double>(view.highs.size() - 2 - i) * kMinutesPerDay;
    if (age_of_end >= age && !std::isnan(view.highs[i])) high = std::max(high, static_cast<double>(view.highs[i]));
  }
  for (const float floor : view.coarse.first(view.coarse.size() - std::min(coarse_of_boot, view.coarse.size())))
    if (!std::isnan(floor)) high = std::max(high, static_cast<double>(floor));
  return high;
}

struct HeldRise {
  double amount = 0, seconds = 0, held_seconds = 0;
  double level = 0;  // the lowest since it ended
  double high = 0;   // before it began
};

/// The largest rise of at least `least` that has ended within the last days and of which nothing was given back since, in the
/// shortest time that has most of it; half of it lies above all before.
std::optional<HeldRise> held_rise(const SurgeView& view, std::size_t coarse_of_boot, std::span<const Point> points,
                                  double least) {
  std::vector<double> after(points.size());  // the lowest from there on
  double low = std::numeric_limits<double>::infinity();
  for (std::size_t i = points.size(); i-- > 0;) after[i] = low = std::min(low, points[i].value);
  std::optional<HeldRise> found;
  for (auto longest = kRises.rbegin(); longest != kRises.rend(); ++longest) {
    std::size_t begin = 0, end = 0;
    double most = 0;
    for (std::size_t i = 1; i < points.size() && points[i].age >= kHeldMinutes; ++i) {
      if (points[i].age > kHeldMostMinutes) continue;
      // Over a silence it may have risen at any time.
      const bool is_longest = longest == kRises.rbegin();
      for (std::size_t from = i; from-- > 0 && (points[from].age - points[i].age <= *longest || (is_longest && from + 1 == i));)
        if (after[i] - points[from].value > most) most = after[i] - points[from].value, begin = from, end = i;
    }
    if (!(most >= least) || !(most > 0) || (found && most < kMostOfAmount * found->amount)) break;
    const double level = after[end], before = points[begin].value;
    while (end > begin + 1 && after[end - 1] >= level - kEdge * most) --end;
    while (begin + 1 < end && points[begin + 1].value <= before + kEdge * most) ++begin;
    const double minutes = points[begin].age - points[end].age, held = points[end].age;
    if (held > kHeldMostMinutes || points[0].age - points[begin].age < kKnownBefore) break;
    if (after.back() - level > std::max(kStillBegins * most / minutes * held, kEdge * most)) break;
    const double high = highest_before(view, coarse_of_boot, points.first(begin + 1), points[begin].age);
    if (level - high < kBeyondPast * most) break;
    found = HeldRise{most, minutes * 60, held * 60, level, high};
  }
  return found;
}

}  // namespace

double TrendEngine::little_of(Kind kind, bool no_limit, double whole) {
  return kind == Kind::kHandles ? kSomeHandles : (no_limit ? kLittleOfPool : kLittleOfLimit) * whole;
}

bool TrendEngine::has_told(double slope_per_day, const Readiness::Growth& growth) {
  return slope_per_day * (growth.seconds + growth.held_seconds) / base::kSecondsPerDay >= kTold * growth.amount;
}

bool TrendEngine::is_much(Kind kind, double amount, double left, double whole, double level, double high) {
  if (kind == Kind::kHandles && amount < kManyHandles) return false;
  return !std::isnan(left) ? amount >= kMuchOfRoom * (std::max(left, 0.0) + amount) && amount >= kMuchOfLimit * whole
                           : level >= kMuchMore * high && amount >= kMuchOfPool * whole;
}

/// What was told as a leak is not forgotten as it ends; else it has to be much.
std::optional<Falls> TrendEngine::ended_rise_of(std::span<const float> floors, std::size_t slot) const {
  constexpr double kMostRestDays = 28, kDaysOfLeak = 7;
  const Subject& subject = *state_.subjects[slot];
  const std::optional<EndedRise> rise = ended_rise(floors);
  if (!rise || rise->rest_days > kMostRestDays) return std::nullopt;
  const bool was_leak = subject.first_detected_ms >= 0 && rise->growth >= kDaysOfLeak * min_per_day(subject.kind);
  const Left left = left_of(slot);
  if (!was_leak && (rise->from_begin || !is_much(subject.kind, rise->growth, left.amount, left.whole, rise->level, rise->high)))
    return std::nullopt;
  Falls found;
  found.growth = rise->growth;
  found.days = rise->days;
  found.rest_days = rise->rest_days;
  return found;
}

std::optional<Readiness::Growth> TrendEngine::growth_now_of(std::size_t slot, const Left& of, bool held, bool any) const {
  const double left = of.amount, whole = of.whole;
  const Subject& subject = *state_.subjects[slot];
  const Open& open = state_.open[slot];
  if (std::isnan(open.last)) return std::nullopt;
  const SurgeView view = view_of(slot, left, whole);
  const auto coarse_of_boot = static_cast<std::size_t>(
      std::clamp<std::int64_t>(state_.coarse_bucket - state_.timeline.boots().back().first_bucket, 0, kCoarseBuckets));
  const double minutes_of_five =
      static_cast<double>(state_.timeline.now_ms() % Recent::kFiveMs) / static_cast<double>(base::kMinuteMillis);
  const PointsOfBoot line(view, coarse_of_boot, minutes_of_five);
  const std::span<const Point> points = line.points();
  if (points.size() < 2) return std::nullopt;
  if (held) {
    const auto rise = held_rise(view, coarse_of_boot, points, (std::isnan(left) ? kMuchOfPool : kMuchOfLimit) * whole);
    if (!rise || !is_much(subject.kind, rise->amount, left, whole, rise->level, rise->high)) return std::nullopt;
    Readiness::Growth growth{subject.kind, subject.pool, subject.text, rise->amount, rise->seconds};
    growth.held_seconds = rise->held_seconds;
    return growth;
  }
  const Point& last = points[points.size() - 2];
  const double present = last.age <= kSpikeMinutes ? std::min(view.now, last.value) : view.now;
  std::optional<Readiness::Growth> found;
  // From the longest on: a shorter one takes its place that has most of its growth.
  for (auto window = kWindows.rbegin(); window != kWindows.rend(); ++window) {
    const bool is_limit = subject.kind == Kind::kCommitLimit;  // which has no load, and may fall for weeks
    if (*window == kWindows.back() && !line.is_of_few() && !is_limit) continue;
    std::size_t low = points.size() - 1;
    for (std::size_t i = points.size() - 1; i-- > 0 && points[i].age <= *window;)
      if (points[i].value < points[low].value) low = i;
    const double amount = present - points[low].value;
    if (!(amount > 0) || (found && amount < kMostOfAmount * found->amount)) continue;
    std::size_t begin = points.size() - 2;
    while (begin > low && points[begin].value > points[low].value + kBegins * amount) --begin;
    // Back to where it rose at less than a part of its pace: before that a daily cycle may have risen.
    const auto still_rises = [&](std::size_t to) {
      return points[to].value - points[to - 1].value >
             kStillBegins * amount / points[begin].age * (points[to - 1].age - points[to].age);
    };
    while (begin > low && still_rises(begin)) --begin;
    const double age = points[begin].age;
    if (found && age > kInside * *window) continue;
    std::size_t third = begin;
    while (third + 2 < points.size() && points[third + 1].age >= age / 3) ++third;
    const double high = highest_before(view, coarse_of_boot, points.first(begin + 1), age);
    double step = 0;
    for (std::size_t i = begin + 1; i < points.size(); ++i)
      if (points[i - 1].age - points[i].age <= kBrief * age) step = std::max(step, points[i].value - points[i - 1].value);
    if (step > kOneStep * amount) continue;
    if (present - points[third].value < kGoesOnBy * amount) continue;
    const bool is_new = present - high >= kBeyondPast * amount;
    // As high as before it may be a cycle or a batch: named where it is much and little is known.
    if (!is_new && !(any && is_much(subject.kind, amount, left, whole, present, points[low].value))) continue;
    Readiness::Growth growth{subject.kind, subject.pool, subject.text, amount, age * 60};
    growth.is_large = is_new && is_much(subject.kind, amount, left, whole, present, high);
    growth.no_limit = std::isnan(left);
    if (!growth.no_limit && growth.is_large) {
      growth.charged_per_second = is_limit ? growth_of_commit() / base::kSecondsPerDay : 0;
      growth.room = std::max(left, 0.0);
      growth.seconds_left = *growth.room / (amount / growth.seconds + growth.charged_per_second);
    }
    if (!subject.is_told()) {
      // Programs that start and the day's load are no news of memory; and what little of either went is none.
      if (!growth.is_large || view.known_minutes - age < (is_limit ? kKnownBefore : kKnownDay)) continue;
      found = std::move(growth);
      continue;
    }
    growth.is_beyond =
        is_new && !growth.is_large && present >= kMuchMore * high && amount >= little_of(subject.kind, growth.no_limit, whole);
    found = std::move(growth);
  }
  return found;
}

/// What pools that leak or surge have taken of memory in that time, as it is told of them.
double TrendEngine::taken_by_pools(double seconds) const {
  double pools = 0;
  for (const PaceOfPool& pool : paces_of_pools()) pools += std::max(pool.leaking, pool.surging);
  double taken = pools * seconds / base::kSecondsPerDay;
  for (const auto& subject : state_.subjects)
    if (has_pool(subject->kind) && subject->surge().active())
      taken = std::max(taken, static_cast<double>(subject->surge().growth));
  return taken;
}

/// What must be told, or, if that is given, is more than so much; or what has ended and is held. A total is named by its tag,
/// unless there is none that makes up half of it.
std::optional<Readiness::Growth> TrendEngine::growth_now(std::optional<double> more_than, bool held) const {
  struct Best {
    std::optional<Readiness::Growth> tag, total, other, room;
  } best;
  const std::size_t count = state_.open.size();
  struct Told {
    Kind kind;
    Pool pool;
    double per_second;
    double growth = 0, since_seconds = 0;
    bool is_watched = false;  // only: of tags that says nothing of their pool
    /// Of what it grew within so many seconds.
    [[nodiscard]] double within(double seconds) const {
      return std::max(per_second * seconds, growth * std::min(1.0, seconds / std::max(since_seconds, 1.0)));
    }
  };
  std::vector<Told> told;
  struct Candidate {
    std::size_t slot;
    Readiness::Growth growth;
  };
  std::vector<Candidate> candidates;
  for (std::size_t slot = 0; slot < count; ++slot) {
    const Subject& subject = *state_.subjects[slot];
    if (!subject.may_leak()) continue;
    if (subject.is_surging()) {
      const SurgeState& surge = subject.surge();
      const double seconds = static_cast<double>(state_.timeline.now_ms() - surge.since_ms) / 1000;
      told.push_back({subject.kind, subject.pool, static_cast<double>(surge.pace_per_day) / base::kSecondsPerDay,
                      static_cast<double>(surge.growth), seconds});
      continue;
    }
    const auto value = static_cast<double>(state_.open[slot].last);
    const Left left = left_of(slot);
    const Open& open = state_.open[slot];
    const auto low = static_cast<double>(open.lowest());
    const double must = (left.no_limit ? kMuchOfPool : kMuchOfLimit) * left.whole;
    const bool may_be_beyond = value >= kMuchMore * low && value - low >= little_of(subject.kind, left.no_limit, left.whole);
    // Of what holds much few are left, and those have days to be looked at.
    const bool is_limit = subject.kind == Kind::kCommitLimit;
    if (held && !subject.is_told() && !is_limit) continue;
    if (held && !counts_down(subject.kind) && value < (subject.kind == Kind::kHandles ? kManyHandles : must)) continue;
    if (!held && !is_limit && !std::isnan(open.low) && !may_be_beyond && value - low < std::min(must, more_than.value_or(must)))
      continue;
    auto growth = growth_now_of(slot, left, held);
    if (!growth && more_than) growth = growth_now_of(slot, left, held, true);
    if (!growth || (!held && !more_than && !growth->is_large && !growth->is_beyond)) continue;
    if (is_limit) {
      // No pool takes it.
    } else if (!subject.is_told()) {
      if (taken_by_pools(growth->seconds) >= kTold * growth->amount) continue;  // which is told of them
    } else if (subject.verdict != Verdict::kOk && has_told(static_cast<double>(subject.slope_per_day), *growth)) {
      told.push_back({subject.kind, subject.pool, static_cast<double>(subject.slope_per_day) / base::kSecondsPerDay});
      told.back().is_watched = subject.verdict == Verdict::kWatch;
      continue;
    }
    candidates.push_back({slot, std::move(*growth)});
  }
  for (Candidate& candidate : candidates) {
    const Readiness::Growth& growth = candidate.growth;
    const bool is_total = growth.kind == Kind::kPool || growth.kind == Kind::kCommit || growth.kind == Kind::kUnaccounted;
    // What is told of a pool goes for its tags, tags that are told go for their pool, and either for what holds all pools, where
    // that makes half of the growth: a slow leak must not hush what grows fast beside it.
    double of_tags = 0, of_pools = 0;
    for (const Told& one : told) {
      const bool is_pool = one.kind == Kind::kPool, is_here = !has_pool(growth.kind) || one.pool == growth.pool;
      if (is_pool && is_here && (growth.kind == Kind::kTag || is_total) && growth.kind != Kind::kPool)
        of_pools += one.within(growth.seconds);
      if (one.kind == Kind::kTag && is_here && is_total && !one.is_watched) of_tags += one.within(growth.seconds);
    }
    if (!told.empty() && std::max(of_tags, of_pools) >= kTold * growth.amount) continue;
    auto& largest = is_room(growth.kind)        ? best.room
                    : is_total                  ? best.total
                    : growth.kind == Kind::kTag ? best.tag
                                                : best.other;
    if (!largest || std::tuple(growth.is_large, growth.is_beyond, growth.amount) >
                        std::tuple(largest->is_large, largest->is_beyond, largest->amount))
      largest = std::move(candidate.growth);
  }
  auto* chosen = best.total && (!best.tag || best.tag->amount < best.total->amount / 2) ? &best.total : &best.tag;
  // Room that falls by more than anything grows ends by what is not followed, and programs that use up memory are charged, too.
  if (best.room && (!*chosen || (*chosen)->amount < best.room->amount / 2 ||
                    ((*chosen)->kind == Kind::kCommit && best.room->seconds_left < (*chosen)->seconds_left)))
    chosen = &best.room;
  auto& bytes = *chosen;
  const auto rank = [](const std::optional<Readiness::Growth>& growth) {
    return growth ? (growth->is_large || growth->is_held() ? 2 : growth->is_beyond ? 1 : 0) : -1;
  };
  // Handles and free PTEs have no bytes to compare: they are told where they must be, and no bytes must.
  return rank(best.other) > std::max(rank(bytes), 0) ? best.other : bytes;
}

TrendEngine::Left TrendEngine::left_of(std::size_t slot) const {
  const Subject& subject = *state_.subjects[slot];
  const double limit = limit_of(slot), value = static_cast<double>(state_.open[slot].last), left = limit - value;
  if (counts_down(subject.kind)) return {left, left - value, false};
  if (!std::isnan(limit)) return {left, limit, false};
  std::uint32_t pool = base::FlatIndex::kNone;
  if (subject.kind == Kind::kTag) pool = find_slot(Kind::kPool, subject.pool);
  return {left, static_cast<double>(state_.open[pool == base::FlatIndex::kNone ? slot : pool].last), true};
}

/// Growth over the lowest of the day before the pool's began, of a surge of the 4 hours before: what it is told beside has no more.
TrendEngine::Growers TrendEngine::growers_of(std::size_t slot) const {
  const Subject& pool = *state_.subjects[slot];
  const bool of_surge = pool.surge().active() && pool.verdict != Verdict::kLeak;
  return growers_since(slot, of_surge ? pool.surge().since_ms : pool.since_ms, of_surge ? 1 : kBucketsPerDay);
}

TrendEngine::Growers TrendEngine::growers_since(std::size_t slot, std::int64_t since_ms, std::int64_t buckets_before) const {
  constexpr std::size_t kMostGrowers = 3;
  constexpr double kMost = 0.5;
  const Subject& pool = *state_.subjects[slot];
  const std::int64_t oldest =
      std::max(state_.timeline.boots().back().first_bucket, state_.coarse_bucket - static_cast<std::int64_t>(kCoarseBuckets));
  const std::int64_t begin = std::clamp(since_ms / kCoarseMs, oldest, state_.coarse_bucket);
  const auto growth_since = [&](std::size_t of) {
    const CoarseRing& floors = state_.subjects[of]->history.coarse;
    const auto floor_at = [&](std::int64_t bucket) {
      return bucket == state_.coarse_bucket ? state_.open[of].coarse : floors[ring_slot(bucket, kCoarseBuckets)];
    };
    float low = kNothing;
    for (std::int64_t bucket = std::max(oldest, begin - buckets_before); bucket <= begin; ++bucket)
      low = std::fmin(low, floor_at(bucket));
    for (std::int64_t bucket = begin + 1; std::isnan(low) && bucket <= state_.coarse_bucket; ++bucket) low = floor_at(bucket);
    const bool is_late = state_.subjects[of]->first_seen_ms > since_ms + kDayMs;
    return static_cast<double>(state_.open[of].last) - (is_late || std::isnan(low) ? 0 : static_cast<double>(low));
  };
  const double grown = growth_since(slot);
  struct Grown {
    double amount;
    const Subject* tag;
  };
  std::vector<Grown> tags;
  for (std::size_t of = 0; of < state_.subjects.size(); ++of) {
    const Subject& tag = *state_.subjects[of];
    if (tag.kind != Kind::kTag || tag.pool != pool.pool) continue;
    if (const double amount = growth_since(of); amount > 0) tags.push_back({amount, &tag});
  }
  std::sort(tags.begin(), tags.end(), [](const Grown& a, const Grown& b) {
    return a.amount != b.amount ? a.amount > b.amount : a.tag->text < b.tag->text;
  });
  Growers growers;
  double sum = 0;
  std::size_t count = 0;
  while (count < tags.size() && sum < kMost * grown) sum += tags[count++].amount;
  if (count == 0 || sum < kMost * grown) return growers;
  if (count > kMostGrowers) {
    growers.spread_over = count;
    return growers;
  }
  for (const Grown& one : std::span(tags).first(count)) {
    const Verdict verdict = verdict_of(*one.tag);
    if (verdict == Verdict::kLeak || verdict == Verdict::kSurge) return {};
    growers.most.push_back({one.tag->text, one.amount});
  }
  return growers;
}

std::string grower_words(const SubjectReport& report, const std::function<std::string(double)>& words) {
  if (report.spread_over > 0) return "in many tags, half of it in " + std::to_string(report.spread_over);
  std::string said;
  for (const SubjectReport::Grower& grower : report.growers)
    said += (said.empty() ? "most of it " : ", ") + grower.tag + ", +" + words(grower.amount);
  return said;
}

bool follows_tags(const SubjectReport& pool, const std::vector<const SubjectReport*>& told) {
  constexpr std::size_t kMostTags = 3;
  constexpr double kMost = 0.5;
  std::vector<double> paces;
  for (const SubjectReport* tag : told)
    if (follows(pool.kind, pool.pool, tag->kind, tag->pool)) paces.push_back(tag->growth_per_second());
  std::sort(paces.begin(), paces.end(), std::greater());
  double sum = 0;
  for (std::size_t i = 0; i < std::min(paces.size(), kMostTags); ++i) sum += paces[i];
  return !paces.empty() && sum >= kMost * pool.growth_per_second();
}

}  // namespace kmem::trend
