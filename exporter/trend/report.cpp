#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "collectors/base/clock.h"
#include "exporter/trend/daily.h"
#include "exporter/trend/engine.h"

namespace kmem::trend {
namespace {

using base::kSecondsPerDay;
constexpr double kRounding = 1e-6;
constexpr std::int64_t kWeeksOfSurgeMs = 14 * kDayMs;

/// Against the same hour of the day before, so that the daily cycle does not count.
std::optional<double> slope_of_day(const std::array<float, kFineBuckets>& line, std::size_t first) {
  std::array<double, 24> changes;
  std::size_t count = 0;
  for (std::size_t i = std::max(first + 24, kFineBuckets - 24); i < kFineBuckets; ++i) {
    const double change = static_cast<double>(line[i]) - static_cast<double>(line[i - 24]);
    if (!std::isnan(change)) changes[count++] = change;
  }
  if (count < 12) return std::nullopt;
  return median({changes.data(), count});
}

std::optional<double> slope_of_days(const Points& points, double days, std::size_t fewest) {
  std::size_t first = 0;
  while (first < points.count && points.x[first] <= static_cast<double>(kHistoryDays - 1) - days) ++first;
  const std::size_t count = points.count - first;
  if (count < fewest) return std::nullopt;
  return median_slope({points.x.data() + first, count}, {points.y.data() + first, count});
}

/// Against the same day of the week before, where there are two weeks; else over the days there are.
std::optional<double> slope_of_week(const Points& points) {
  std::array<double, 7> changes;
  std::size_t count = 0;
  for (std::size_t i = points.count; i-- > 0 && points.x[i] > kHistoryDays - 8 && count < 7;) {
    for (std::size_t j = i; j-- > 0;) {
      if (points.x[i] - points.x[j] == 7) changes[count++] = (points.y[i] - points.y[j]) / 7;
    }
  }
  if (count >= 5) return median({changes.data(), count});
  return slope_of_days(points, 7, 4);
}

std::optional<double> per_second(std::optional<double> per_day) {
  if (!per_day) return std::nullopt;
  return *per_day / kSecondsPerDay;
}

/// Of two errors that know nothing of each other.
double together(double a, double b) { return std::sqrt(a * a + b * b); }

double seconds_until(double room, double slope_per_day) {
  if (room <= 0) return 0;
  return slope_per_day > 0 ? room / slope_per_day * kSecondsPerDay : std::numeric_limits<double>::infinity();
}

}  // namespace

/// In the subject's own counting (free entries are negative); NaN when unknown. A tag runs out with its pool: its limit
/// is what the pool would leave it.
double TrendEngine::limit_of(std::size_t slot) const {
  const Subject& subject = *state_.subjects[slot];
  if (subject.kind == Kind::kSystemPtes) return std::isnan(subject.limit) ? 0 : -subject.limit;
  if (subject.kind == Kind::kAvailable) return 0;
  if (subject.kind == Kind::kCommitLimit) {
    const std::uint32_t commit = find_slot(Kind::kCommit);
    return commit == base::FlatIndex::kNone ? std::numeric_limits<double>::quiet_NaN()
                                            : -static_cast<double>(state_.open[commit].last);
  }
  if (subject.kind != Kind::kTag || !std::isnan(subject.limit)) return subject.limit;
  const std::uint32_t pool = find_slot(Kind::kPool, subject.pool);
  if (pool == base::FlatIndex::kNone) return std::numeric_limits<double>::quiet_NaN();
  const double left = state_.subjects[pool]->limit - static_cast<double>(state_.open[pool].last);
  return left + static_cast<double>(state_.open[slot].last);
}

std::size_t TrendEngine::total_of(Kind kind, Pool pool) {
  if (kind == Kind::kPool) return static_cast<std::size_t>(pool);
  return kind == Kind::kSystemPtes    ? kPoolCount
         : kind == Kind::kCommit      ? kPoolCount + 1
         : kind == Kind::kUnaccounted ? kPoolCount + 2
                                      : kTotals;
}

/// What a projection over days divides. A tag has its pool's room.
Room TrendEngine::room_of(std::size_t slot) const {
  const Subject& subject = *state_.subjects[slot];
  const double limit = limit_of(slot);
  if (std::isnan(limit)) return {};
  const bool inherits = subject.kind == Kind::kTag && std::isnan(subject.limit);
  const std::size_t total = total_of(inherits ? Kind::kPool : subject.kind, subject.pool);
  if (total < kTotals) {
    const Room day = state_.rooms[total].least(state_.fine_bucket);
    if (day.known()) return day;
    return {limit - static_cast<double>(state_.open[slot].last), {}};  // taken up from a program that kept none
  }
  // With a limit of its own, which only simulations give: the middle of the last day.
  std::array<float, kFineBuckets> fine;
  unroll(subject.history.fine, state_.fine_bucket - 1, fine);
  std::array<double, 24> day;
  std::size_t count = 0;
  for (const float hour : std::span(fine).last(24))
    if (!std::isnan(hour)) day[count++] = static_cast<double>(hour);
  return {limit - (count > 0 ? median({day.data(), count}) : static_cast<double>(state_.open[slot].last)), {}};
}

/// What takes from a pool's room: itself, and where that ends with memory or commit, the other pools that do.
TrendEngine::PaceOfPool TrendEngine::pace_on_room(const Subject& pool, Bound bound, const PacesOfPools& paces) const {
  PaceOfPool pace = paces[static_cast<std::size_t>(pool.pool)];
  pace.leaking = std::max(pace.leaking, static_cast<double>(pool.slope_per_day));
  if (bound != Bound::kCommitLimit && bound != Bound::kAvailableMemory) return pace;
  for (std::size_t other = 0; other < kPoolCount; ++other) {
    if (other == static_cast<std::size_t>(pool.pool) || state_.rooms[other].least(state_.fine_bucket).bound != bound) continue;
    if (pace.leaking > 0) pace.leaking += paces[other].leaking;
    if (pace.surging > 0) pace.surging += std::max(paces[other].surging, paces[other].leaking);
    pace.error = together(pace.error, paces[other].error);
  }
  return pace;
}

/// What the pools that are charged to it take from commit: it never ends later than a pool that ends with it.
TrendEngine::PaceOfPool TrendEngine::pace_on_commit(const PacesOfPools& paces) const {
  PaceOfPool pace;
  bool surges = false;
  for (std::size_t i = 0; i < kPoolCount; ++i) {
    const auto pool = static_cast<Pool>(i);
    if (!is_charged_to_commit(pool)) continue;
    double leaking = paces[i].leaking;
    const std::uint32_t slot = find_slot(Kind::kPool, pool);
    if (slot != base::FlatIndex::kNone) leaking = std::max(leaking, static_cast<double>(state_.subjects[slot]->slope_per_day));
    pace.leaking += leaking;
    pace.surging += std::max(paces[i].surging, leaking);
    pace.error = together(pace.error, paces[i].error);
    surges = surges || paces[i].surging > 0;
  }
  if (!surges) pace.surging = 0;
  return pace;
}

/// How fast the room itself goes, by its own history, whatever takes from it: once that is clear enough for a leak.
TrendEngine::PaceOfPool TrendEngine::pace_of_room(Bound bound, const PacesOfPools& paces) const {
  const auto pace_of = [this](Kind kind) {
    PaceOfPool pace;
    const std::uint32_t slot = find_slot(kind);
    if (slot == base::FlatIndex::kNone || state_.subjects[slot]->verdict != Verdict::kLeak) return pace;
    pace.leaking = static_cast<double>(state_.subjects[slot]->slope_per_day);
    pace.error = static_cast<double>(state_.subjects[slot]->slope_error_per_day);
    return pace;
  };
  if (bound == Bound::kAvailableMemory) return pace_of(Kind::kAvailable);
  if (bound != Bound::kCommitLimit) return {};
  PaceOfPool pace = pace_of(Kind::kCommit);
  if (const PaceOfPool limit = pace_of(Kind::kCommitLimit); limit.leaking > 0) {
    if (const PaceOfPool of_pools = pace_on_commit(paces); of_pools.leaking > pace.leaking) pace = of_pools;
    pace.leaking += limit.leaking;
    pace.error = together(pace.error, limit.error);
  }
  return pace;
}

/// By a day, of the commit limit, whether it is a leak or only told to fall now.
double TrendEngine::fall_of_limit() const {
  const std::uint32_t slot = find_slot(Kind::kCommitLimit);
  if (slot == base::FlatIndex::kNone) return 0;
  const Subject& limit = *state_.subjects[slot];
  const auto now = growth_now_of(slot, left_of(slot), false);
  const double lately = now && now->is_large ? now->amount / now->seconds * kSecondsPerDay : 0;
  return limit.verdict == Verdict::kLeak ? std::max(lately, static_cast<double>(limit.slope_per_day)) : lately;
}

/// By a day, what is told to be taken from commit, of itself or of the pools.
double TrendEngine::growth_of_commit() const {
  const PaceOfPool of_pools = pace_on_commit(paces_of_pools());
  double pace = std::max(of_pools.leaking, of_pools.surging);
  const std::uint32_t slot = find_slot(Kind::kCommit);
  if (slot == base::FlatIndex::kNone) return pace;
  const Subject& commit = *state_.subjects[slot];
  if (commit.verdict == Verdict::kLeak) pace = std::max(pace, static_cast<double>(commit.slope_per_day));
  if (commit.is_surging()) pace = std::max(pace, static_cast<double>(commit.surge().pace_per_day));
  return pace;
}

/// What the last two or three days grow by a day beyond the pace that is told, where that is clear beside what other days of
/// the leak do, and each of them does it; 0: they do not. It takes ten days to tell another pace by it.
double TrendEngine::shift_of_days(const Subject& subject) const {
  constexpr std::size_t kMostDays = 28, kFewestDays = 10, kNewest = 3;
  constexpr double kClear = 5, kOfEach = 0.1, kOfPace = 0.2;
  constexpr double kLate = 1.2;  // floors of whole days show less of what is two days old
  const auto slope = static_cast<double>(subject.slope_per_day);
  if (subject.verdict != Verdict::kLeak || !(slope > 0)) return 0;
  const std::int64_t first = std::max(state_.timeline.boots().back().first_bucket, subject.first_seen_ms / kCoarseMs);
  const auto known = std::max<std::int64_t>(0, (state_.judged_bucket + 1 - first) / kBucketsPerDay);
  const std::size_t days = std::min(kMostDays, static_cast<std::size_t>(known));
  if (days < kFewestDays) return 0;
  std::array<float, kCoarseBuckets> line;
  unroll(subject.history.coarse, state_.judged_bucket, line);
  std::array<double, kMostDays> beyond{};  // of each day over the one before, the newest first
  const auto floor_of = [&line](std::size_t day) {
    return day_floor(std::span(line).subspan(kCoarseBuckets - (day + 1) * kBucketsPerDay, kBucketsPerDay));
  };
  for (std::size_t day = 0; day + 1 < days; ++day) beyond[day] = floor_of(day) - floor_of(day + 1) - slope;
  double shift = 0;
  for (std::size_t of = 2; of <= kNewest; ++of) {
    const auto sum = [&](std::size_t from) {
      double all = 0;
      for (std::size_t day = from; day < from + of; ++day) all += beyond[day];
      return all;
    };
    std::array<double, kMostDays> others;
    std::size_t count = 0;
    for (std::size_t from = kNewest; from + of < days; ++from)
      if (const double other = sum(from); !std::isnan(other)) others[count++] = other;
    if (count < kFewestDays / 2) continue;
    const double usual = median({others.data(), count}), all = sum(0), per_day = all / static_cast<double>(of);
    for (std::size_t i = 0; i < count; ++i) others[i] = std::abs(others[i] - usual);
    if (!(std::abs(all - usual) > kClear * median({others.data(), count})) || all * (all - usual) < 0) continue;
    bool each = std::abs(per_day) >= kOfPace * slope;
    for (std::size_t day = 0; day < of; ++day)
      each = each && beyond[day] * all > 0 && beyond[day] / all >= kOfEach / static_cast<double>(of);
    if (!each) continue;
    for (const double pace : {per_day, beyond[0]})
      if (std::abs(pace) > std::abs(shift)) shift = pace;
  }
  return kLate * shift;
}

std::optional<Exhaustion> TrendEngine::exhaustion_of(std::size_t slot, const PacesOfPools& paces) const {
  const Room room = room_of(slot);
  if (!room.known()) return std::nullopt;
  const Subject& subject = *state_.subjects[slot];
  double slope = static_cast<double>(subject.slope_per_day), error = static_cast<double>(subject.slope_error_per_day);
  double surging = subject.is_surging() ? static_cast<double>(subject.surge().pace_per_day) : 0;
  if (subject.kind == Kind::kPool || subject.kind == Kind::kCommit) {
    const bool is_pool = subject.kind == Kind::kPool;
    const PaceOfPool all = is_pool ? pace_on_room(subject, room.bound, paces) : pace_on_commit(paces);
    if (all.leaking > slope) slope = all.leaking, error = std::max(error, all.error);
    surging = is_pool ? all.surging : std::max(surging, all.surging);
  }
  Exhaustion end;
  end.room = std::max(0.0, room.amount);
  end.bound = room.bound;
  // Which its fall brings nearer, too.
  const bool is_limit = subject.kind == Kind::kCommitLimit, is_commit = subject.kind == Kind::kCommit;
  if ((subject.kind == Kind::kPool || subject.kind == Kind::kUnaccounted || is_commit || is_limit) && slope > 0) {
    // Noise of both is no other eater.
    const PaceOfPool fall = pace_of_room(is_limit ? Bound::kCommitLimit : room.bound, paces);
    if (slope < Surge::kAlone * fall.leaking) slope = fall.leaking, error = fall.error, end.of_room = true;
  }
  const double limit_falls = end.bound == Bound::kCommitLimit && (slope > 0 || surging > 0) ? fall_of_limit() : 0;
  if (slope > 0) {
    end.pace_per_second = slope / kSecondsPerDay;
    end.seconds = seconds_until(end.room, slope);
    end.soonest_seconds = seconds_until(end.room, slope + kCredible * error);
    end.latest_seconds = seconds_until(end.room, slope - kCredible * error);
    if (const double shift = shift_of_days(subject); shift != 0) {
      const double lately = seconds_until(end.room, slope + shift);
      end.soonest_seconds = std::min(end.soonest_seconds, lately);
      end.latest_seconds = std::max(end.latest_seconds, lately);
    }
    if (!end.of_room && limit_falls > 0)
      end.soonest_seconds = std::min(end.soonest_seconds, seconds_until(end.room, slope + limit_falls));
    // What grows fast just now may be no surge; that it goes on is the soonest end.
    const Left left = left_of(slot);
    if (const auto now = growth_now_of(slot, left, false); now && now->is_large && !has_told(slope, *now))
      end.soonest_seconds =
          std::min(end.soonest_seconds, seconds_until(left.amount, now->amount / now->seconds * kSecondsPerDay));
  }
  // What surges ends by what is left at this moment, if that is sooner.
  if (surging > 0) {
    const double limit = limit_of(slot);
    double left = std::max(0.0, limit - static_cast<double>(state_.open[slot].last));
    if (std::abs(left - end.room) <= kRounding * std::abs(limit)) left = end.room;  // amounts are kept as floats
    if (slope <= 0 || left / surging < end.room / slope) {
      end.room = left;
      end.of_now = true;
      end.of_room = false;
      end.pace_per_second = surging / kSecondsPerDay;
      end.seconds = end.latest_seconds = seconds_until(left, surging);
      end.soonest_seconds = seconds_until(left, surging + limit_falls);
    }
  }
  // A tag's end is that of its pool, if what else grows there brings it clearly sooner.
  if (subject.kind != Kind::kTag || !std::isnan(subject.limit) || std::isinf(end.seconds)) return end;
  const std::uint32_t pool = find_slot(Kind::kPool, subject.pool);
  if (pool == base::FlatIndex::kNone || !state_.subjects[pool]->may_leak()) return end;
  const std::optional<Exhaustion> of_pool = exhaustion_of(pool, paces);
  return of_pool && of_pool->seconds < Surge::kAlone * end.seconds ? of_pool : end;
}

TrendEngine::PacesOfPools TrendEngine::paces_of_pools() const {
  PacesOfPools of_pools, of_tags;
  for (const auto& subject : state_.subjects) {
    if (subject->kind != Kind::kTag && subject->kind != Kind::kPool) continue;
    PaceOfPool& pace = (subject->kind == Kind::kTag ? of_tags : of_pools)[static_cast<std::size_t>(subject->pool)];
    if (subject->verdict == Verdict::kLeak) {
      pace.leaking += static_cast<double>(subject->slope_per_day);
      pace.error = together(pace.error, static_cast<double>(subject->slope_error_per_day));
    }
    if (subject->is_surging()) pace.surging += static_cast<double>(subject->surge().pace_per_day);
  }
  for (std::size_t pool = 0; pool < kPoolCount; ++pool) {
    PaceOfPool& own = of_pools[pool];
    if (of_tags[pool].leaking > own.leaking) own.leaking = of_tags[pool].leaking, own.error = of_tags[pool].error;
    own.surging = std::max(own.surging, of_tags[pool].surging);
  }
  return of_pools;
}

std::vector<TrendEngine::Runout> TrendEngine::runouts() const {
  std::vector<Runout> found;
  const PacesOfPools paces = paces_of_pools();
  const auto add = [&](Kind kind, Pool pool) {
    const std::uint32_t slot = find_slot(kind, pool);
    if (slot == base::FlatIndex::kNone || !state_.subjects[slot]->may_leak()) return;
    if (auto exhaustion = exhaustion_of(slot, paces)) found.push_back({kind, pool, *exhaustion});
  };
  for (std::size_t pool = 0; pool < kPoolCount; ++pool) add(Kind::kPool, static_cast<Pool>(pool));
  for (const Kind kind : {Kind::kUnaccounted, Kind::kSystemPtes, Kind::kCommit}) add(kind, {});
  return found;
}

/// A surge that went on for weeks is a leak of weeks, unless it slows down as a cache does that fills.
bool TrendEngine::is_of_weeks(const SurgeState& surge) const {
  constexpr double kGoesOn = 0.6;  // of the mean pace
  const std::int64_t lasts_ms = state_.timeline.now_ms() - surge.since_ms;
  if (!surge.active() || lasts_ms < kWeeksOfSurgeMs) return false;
  return static_cast<double>(surge.pace_per_day) * static_cast<double>(lasts_ms) >=
         kGoesOn * static_cast<double>(surge.growth) * kDayMs;
}

/// A leak that has sped up is a surge: hours count, not weeks.
Verdict TrendEngine::verdict_of(const Subject& subject) const {
  if (!subject.surge().active()) return subject.verdict;
  const bool of_weeks = is_of_weeks(subject.surge());
  if (subject.verdict == Verdict::kLeak) return subject.has_sped_up() && !of_weeks ? Verdict::kSurge : Verdict::kLeak;
  return of_weeks ? Verdict::kLeak : Verdict::kSurge;
}

/// Of one that surges; a pool goes at least as fast as its tags together.
double TrendEngine::surge_pace_of(const Subject& subject, const PacesOfPools& paces) {
  const auto pace = static_cast<double>(subject.surge().pace_per_day);
  return subject.kind == Kind::kPool ? std::max(pace, paces[static_cast<std::size_t>(subject.pool)].surging) : pace;
}

/// A total that grows because of one of its parts has one history with that, in which the growth shows more clearly: whose
/// begin is told. Of leaks and what is watched, or of surges.
const TrendEngine::Subject& TrendEngine::origin_of(const Subject& total, bool of_surge) const {
  constexpr double kMadeBy = 0.8;  // of the total's pace
  if (total.kind != Kind::kPool && total.kind != Kind::kCommit) return total;
  const auto pace_of = [of_surge](const Subject& subject) {
    if (of_surge) return subject.is_surging() ? static_cast<double>(subject.surge().pace_per_day) : 0;
    return subject.verdict != Verdict::kOk ? static_cast<double>(subject.slope_per_day) : 0;
  };
  const Subject* origin = &total;
  double most = kMadeBy * pace_of(total);
  for (const auto& part : state_.subjects) {
    const bool is_part = total.kind == Kind::kPool ? part->kind == Kind::kTag && part->pool == total.pool
                                                   : part->kind == Kind::kPool && is_charged_to_commit(part->pool);
    if (!is_part || pace_of(*part) <= most) continue;
    most = pace_of(*part);
    origin = part.get();
  }
  return origin == &total ? total : origin_of(*origin, of_surge);
}

SubjectReport TrendEngine::describe(std::size_t slot) const { return describe(slot, paces_of_pools()); }

SubjectReport TrendEngine::describe(std::size_t slot, const PacesOfPools& paces) const {
  const Subject& subject = *state_.subjects[slot];
  SubjectReport report;
  report.kind = subject.kind;
  report.pool = subject.pool;
  report.text = subject.text;
  report.verdict = verdict_of(subject);
  report.may_leak = subject.may_leak();
  const double strength = static_cast<double>(subject.strength), squared = strength * strength;
  const double confidence = squared / (1 + squared);
  const bool leak = report.verdict == Verdict::kLeak,
             of_surge = leak && (subject.verdict != Verdict::kLeak || subject.has_sped_up());
  report.confidence = leak || subject.verdict == Verdict::kLeak ? std::max(0.5, confidence) : std::min(0.49, confidence);
  report.last_amount = std::abs(static_cast<double>(state_.open[slot].last));
  if (subject.is_surging() && (!of_surge || subject.surge().ends_soon)) {
    const double pace = surge_pace_of(subject, paces);
    const double left = limit_of(slot) - static_cast<double>(state_.open[slot].last);
    Surge& surge = report.surge.emplace();
    const std::int64_t since_ms = origin_of(subject, true).surge().since_ms;
    surge.since = state_.timeline.to_wall(since_ms <= subject.surge().told_ms ? since_ms : subject.surge().since_ms);
    surge.first_told = state_.timeline.to_wall(subject.surge().told_ms);
    surge.growth = static_cast<double>(subject.surge().growth);
    surge.pace_per_second = pace / kSecondsPerDay;
    surge.ends_soon = subject.surge().ends_soon;
    if (const double high = subject.surge().high, before = high - surge.growth; before > 0) surge.times = high / before;
    if (!std::isnan(left)) {
      surge.room = std::max(0.0, left);
      surge.seconds_left = seconds_until(left, pace);
    }
  }

  const Timeline::Boot& boot = state_.timeline.boots().back();
  std::array<float, kFineBuckets> fine;
  unroll(subject.history.fine, state_.fine_bucket - 1, fine);
  const std::int64_t fine_from = boot.first_bucket * 4 - (state_.fine_bucket - static_cast<std::int64_t>(kFineBuckets));
  const auto boot_hour = static_cast<std::size_t>(std::clamp<std::int64_t>(fine_from, 0, kFineBuckets));
  const Recent::Lines recent = state_.recent.lines(slot);
  const std::span<const float> hours = std::span<const float>(fine).subspan(boot_hour);
  report.slope_5m_per_second = per_second(slope_per_day(std::span<const float>(recent.minutes).last(6), 1));
  report.slope_1h_per_second = per_second(slope_per_day(std::span<const float>(recent.fives).last(13), 5));
  report.slope_6h_per_second = per_second(slope_per_day(hours.last(std::min<std::size_t>(7, hours.size())), 60));
  report.slope_1d_per_second = per_second(slope_of_day(fine, boot_hour));
  std::array<float, kCoarseBuckets> line;
  unroll(subject.history.coarse, state_.judged_bucket, line);
  const std::int64_t from =
      std::clamp<std::int64_t>(boot.first_bucket - (state_.judged_bucket - kCoarseBuckets + 1), 0, kCoarseBuckets);
  Points points = daily_floors(std::span(line).subspan(static_cast<std::size_t>(from)));
  report.slope_7d_per_second = per_second(slope_of_week(points));
  remove_weekly_cycle(points);
  report.slope_28d_per_second = per_second(slope_of_days(points, 28, 10));

  std::array<std::uint16_t, kCoarseBuckets> counts;
  unroll_counts(subject.history.coarse, state_.judged_bucket, counts);
  std::transform(counts.begin(), counts.end(), line.begin(), ShortCount::unpack);
  report.outstanding_per_day = slope_of_days(daily_floors(std::span(line).subspan(static_cast<std::size_t>(from))), 28, 7);

  const auto ratio = [](float bytes, float count) {
    return bytes > 0 && count > 0 ? std::optional(static_cast<double>(bytes) / static_cast<double>(count)) : std::nullopt;
  };
  if (subject.kind == Kind::kTag) {
    report.bytes_per_allocation = ratio(state_.open[slot].coarse, state_.open[slot].outstanding);
    if (!report.bytes_per_allocation)
      report.bytes_per_allocation =
          ratio(subject.history.coarse[ring_slot(state_.judged_bucket, kCoarseBuckets)], line[kCoarseBuckets - 1]);
  }

  std::int64_t detected_ms = subject.first_detected_ms;
  if (of_surge) {
    const std::int64_t since_ms = origin_of(subject, true).surge().since_ms;
    report.credible_slope_per_second = surge_pace_of(subject, paces) / kSecondsPerDay;
    report.since = state_.timeline.to_wall(since_ms);
    detected_ms = subject.first_detected_ms >= since_ms ? subject.first_detected_ms
                                                        : std::max(subject.surge().told_ms, since_ms + kWeeksOfSurgeMs);
  } else if (subject.verdict != Verdict::kOk) {
    report.credible_slope_per_second = static_cast<double>(subject.slope_per_day) / kSecondsPerDay;
    report.credible_slope_error_per_second = static_cast<double>(subject.slope_error_per_day) / kSecondsPerDay;
    // What was told before its part began has a begin of its own.
    const std::int64_t since_ms = origin_of(subject, false).since_ms;
    const bool own = detected_ms >= 0 && since_ms > detected_ms;
    report.since = state_.timeline.to_wall(own ? subject.since_ms : since_ms);
    if (own) detected_ms = std::max(detected_ms, subject.since_ms);
  }
  if (detected_ms >= 0) report.first_detected = state_.timeline.to_wall(detected_ms);
  const double limit = limit_of(slot);
  if (!std::isnan(limit)) report.limit = subject.kind == Kind::kSystemPtes ? -limit + 0.0 : limit;
  if (report.may_leak) report.exhaustion = exhaustion_of(slot, paces);
  if (report.surge && report.exhaustion)
    report.surge->seconds_left = std::min(report.surge->seconds_left, report.exhaustion->seconds);
  if (report.kind == Kind::kPool && report.verdict != Verdict::kOk) {
    Growers growers = growers_of(slot);
    report.growers = std::move(growers.most);
    report.spread_over = growers.spread_over;
  }
  return report;
}

std::optional<double> short_share(const SubjectReport& report) {
  if (!report.limit || !report.exhaustion) return std::nullopt;
  if (report.kind == Kind::kSystemPtes) return report.last_amount < *report.limit ? std::optional(1.0) : std::nullopt;
  const bool is_own =
      report.kind == Kind::kCommit || (report.kind == Kind::kPool && report.exhaustion->bound == Bound::kPoolLimit);
  if (!is_own || !(*report.limit > 0) || report.last_amount < kShort * *report.limit) return std::nullopt;
  return report.last_amount / *report.limit;
}

std::string shortage_words(const SubjectReport& report, const std::function<std::string(double)>& words) {
  const std::optional<double> share = short_share(report);
  if (!share) return {};
  if (report.kind == Kind::kSystemPtes)
    return "only " + std::to_string(std::llround(report.last_amount)) + " free system PTEs are left";
  return (report.kind == Kind::kPool ? std::string(pool_name(report.pool)) + " pool" : "commit") + " is at " +
         std::to_string(static_cast<std::uint64_t>(100 * *share)) + " % of its limit, " +
         words(std::max(0.0, *report.limit - report.last_amount)) + " left";
}

double told_end(const SubjectReport& report) {
  const double end = report.exhaustion ? report.exhaustion->seconds : std::numeric_limits<double>::infinity();
  if (report.surge) {
    const double left = std::min(end, report.surge->seconds_left);
    return std::isinf(left) ? kSoonDays * kSecondsPerDay : left;
  }
  return report.verdict == Verdict::kLeak ? end : std::numeric_limits<double>::infinity();
}

std::vector<SubjectReport> TrendEngine::report(bool all) const {
  std::vector<SubjectReport> reports;
  const PacesOfPools paces = paces_of_pools();
  for (std::size_t slot = 0; slot < state_.subjects.size(); ++slot) {
    if (!state_.subjects[slot]->is_told()) continue;
    if (all || verdict_of(*state_.subjects[slot]) != Verdict::kOk) reports.push_back(describe(slot, paces));
  }
  // What ends first, leak or surge. Of those that end together, as a pool with its tags, the tags are the cause.
  constexpr double kTogether = 0.1, kNeverDays = 3650;
  const auto rank = [](const SubjectReport& report) { return report.surge ? Verdict::kSurge : report.verdict; };
  const auto is_told = [&rank](const SubjectReport& report) { return rank(report) >= Verdict::kLeak; };
  const auto end = [](const SubjectReport& report) {
    return std::round(std::log(std::clamp(told_end(report), 1.0, kNeverDays * kSecondsPerDay)) / std::log1p(kTogether));
  };
  const auto is_told_tag = [](const SubjectReport& report) {
    return report.kind == Kind::kTag && report.verdict != Verdict::kOk;
  };
  std::sort(reports.begin(), reports.end(), [&](const SubjectReport& a, const SubjectReport& b) {
    if (is_told(a) && is_told(b) && end(a) != end(b)) return end(a) < end(b);
    if (rank(a) != rank(b)) return rank(a) > rank(b);
    if (a.surge && b.surge && is_told_tag(a) != is_told_tag(b)) return is_told_tag(a);
    if (a.surge && b.surge && a.surge->seconds_left != b.surge->seconds_left)
      return a.surge->seconds_left < b.surge->seconds_left;
    if (a.surge && b.surge && a.surge->pace_per_second != b.surge->pace_per_second)
      return a.surge->pace_per_second > b.surge->pace_per_second;
    if (a.credible_slope_per_second != b.credible_slope_per_second)
      return a.credible_slope_per_second > b.credible_slope_per_second;
    if (is_told_tag(a) != is_told_tag(b)) return is_told_tag(a);
    if (a.last_amount != b.last_amount) return a.last_amount > b.last_amount;
    return std::tie(a.kind, a.pool, a.text) < std::tie(b.kind, b.pool, b.text);
  });
  return reports;
}

std::vector<Outline> TrendEngine::outlines() const {
  constexpr std::size_t kBuckets = std::size_t{15} * kBucketsPerDay;  // a week, the one before it, and a day that is not whole
  std::vector<Outline> outlines(state_.subjects.size());
  if (outlines.empty()) return outlines;
  const PacesOfPools paces = paces_of_pools();
  const std::int64_t booted = state_.timeline.boots().back().first_bucket;
  const auto in_boot = static_cast<std::size_t>(std::clamp<std::int64_t>(state_.judged_bucket + 1 - booted, 0, kBuckets));
  if (growths_bucket_ != state_.judged_bucket || growths_length_ != in_boot) week_growths_.clear();
  week_growths_.resize(outlines.size());
  growths_bucket_ = state_.judged_bucket, growths_length_ = in_boot;
  for (std::size_t slot = 0; slot < outlines.size(); ++slot) {
    const Subject& subject = *state_.subjects[slot];
    Outline& outline = outlines[slot];
    outline.kind = subject.kind;
    outline.pool = subject.pool;
    outline.text = subject.text;
    outline.verdict = verdict_of(subject);
    outline.last_amount = std::abs(static_cast<double>(state_.open[slot].last));
    if (outline.verdict != Verdict::kOk) {
      const bool of_surge =
          outline.verdict == Verdict::kSurge || (subject.surge().active() && subject.verdict != Verdict::kLeak);
      const double per_day = of_surge ? surge_pace_of(subject, paces) : static_cast<double>(subject.slope_per_day);
      outline.growth_per_second = per_day / kSecondsPerDay;
      continue;
    }
    WeekGrowth& growth = week_growths_[slot];
    if (growth.key != state_.open[slot].key) {
      std::array<float, kBuckets> line;
      std::size_t at = ring_slot(state_.judged_bucket + 1 - static_cast<std::int64_t>(in_boot), kCoarseBuckets);
      for (std::size_t i = 0; i < in_boot; ++i, ++at) line[i] = subject.history.coarse[at % kCoarseBuckets];
      const auto slope = slope_of_week(daily_floors(std::span(line).first(in_boot)));
      growth = {state_.open[slot].key, per_second(slope).value_or(std::numeric_limits<double>::quiet_NaN())};
    }
    if (!std::isnan(growth.per_second)) outline.growth_per_second = growth.per_second;
  }
  std::size_t slot = 0;
  std::erase_if(outlines, [&](const Outline&) { return !state_.subjects[slot++]->is_told(); });
  return outlines;
}

std::optional<SubjectReport> TrendEngine::find(Kind kind, Pool pool, std::string_view text) const {
  const std::uint32_t slot = find_slot(kind, pool, text);
  if (slot == base::FlatIndex::kNone) return std::nullopt;
  return describe(slot);
}

std::array<float, kHistoryDays> TrendEngine::daily_course(Kind kind, Pool pool, std::string_view text) const {
  std::array<float, kHistoryDays> course;
  course.fill(kNothing);
  const std::uint32_t slot = find_slot(kind, pool, text);
  if (slot == base::FlatIndex::kNone) return course;
  std::array<float, kCoarseBuckets> line;
  unroll(state_.subjects[slot]->history.coarse, state_.judged_bucket, line);
  for (std::size_t i = 0; i < line.size(); ++i) {
    float& day = course[i / kBucketsPerDay];
    if (!(day <= line[i]) && !std::isnan(line[i])) day = line[i];
  }
  for (float& day : course) day = std::abs(day);
  return course;
}

}  // namespace kmem::trend
