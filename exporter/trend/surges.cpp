// The engine's search for surges: at every observation those subjects that could be one are looked at.
#include <algorithm>
#include <array>
#include <cmath>

#include "exporter/trend/engine.h"

namespace kmem::trend {
namespace {

// A tick looks at so many, so that a host on which everything grows costs no more.
constexpr std::size_t kMostLooks = 48;
constexpr double kLeastUsed = 0.49;  // of what is left: less is never enough, see surge.cpp
constexpr double kMuchOfWhole = 0.05;
constexpr double kLeastShare = 0.005;   // of the whole: growth that matters
constexpr double kLeastHandles = 5000;  // that may surge without a limit

// It has ended when nothing clearly new was reached for as long, or when it was given back.
constexpr double kEndsAfter = 0.4;  // times the time that it has grown
constexpr std::int64_t kEndsAfterAtLeastMs = 15 * base::kMinuteMillis;
constexpr double kClearlyNew = 0.03, kFallsBack = 0.3;  // of the growth

// A steeper growth within one that is told is a surge of its own: it has lasted for less than so much of that, at so many
// times its mean pace before.
constexpr double kNewer = 0.5, kSteeper = 2;
// Of what has grown for long and is told, less has to be waited for: it is neither a step nor a cache.
constexpr double kWaitsOfTold = 0.7, kLongMinutes = 2 * kMinutesPerDay;

constexpr double kAgain = 0.1;  // of the growth, beyond where it ended: less is the hill that was told

constexpr double kStands = 0.25;  // of the mean pace since it began: what fills is nearly full by then

double minutes_between(std::int64_t from_ms, std::int64_t to_ms) {
  return static_cast<double>(to_ms - from_ms) / base::kMinuteMillis;
}
double or_unknown(bool known, double value) { return known ? value : std::numeric_limits<double>::quiet_NaN(); }

}  // namespace

bool is_steeper(const SurgeSigns& signs, double growth, double minutes, bool end_is_known) {
  const double before = minutes - signs.minutes;
  if ((end_is_known && !signs.ends_soon) || signs.minutes > kNewer * minutes || before <= 0) return false;
  const double pace_before = std::max(growth - signs.growth, 0.0) / before * kMinutesPerDay;
  return signs.pace_per_day >= kSteeper * pace_before;
}

/// After an hour has closed.
void TrendEngine::keep_hour(std::size_t slot) {
  const History& history = state_.subjects[slot]->history;
  Open& open = state_.open[slot];
  const std::int64_t booted = state_.timeline.boots().back().first_bucket * 4;
  const std::int64_t first = std::max(state_.fine_bucket - static_cast<std::int64_t>(kFineBuckets), booted);
  open.low = kNothing;
  for (std::int64_t hour = first; hour < state_.fine_bucket; ++hour) {
    const float value = history.fine[ring_slot(hour, kFineBuckets)];
    if (!std::isnan(value) && !(open.low <= value)) open.low = value;
  }
}

SurgeView TrendEngine::view_of(std::size_t slot, double left, double whole) const {
  static thread_local struct {
    std::array<float, kFineBuckets> hours;
    std::array<float, kCoarseBuckets> coarse;
    std::array<float, kHighDays> highs;
  } lines;
  const Subject& subject = *state_.subjects[slot];
  const Timeline::Boot& boot = state_.timeline.boots().back();
  const std::int64_t now_ms = state_.timeline.now_ms();
  unroll(subject.history.fine, state_.fine_bucket - 1, lines.hours);
  // Hours of which the running boot has only a part, and those before it, are no begin of its growth.
  const std::int64_t first_hour = state_.fine_bucket - static_cast<std::int64_t>(kFineBuckets);
  const std::int64_t boot_hour = (boot.start_ms + kHourMs - 1) / kHourMs;
  std::fill_n(lines.hours.begin(), std::clamp<std::int64_t>(boot_hour - first_hour, 0, kFineBuckets), kNothing);
  unroll(subject.history.coarse, state_.coarse_bucket - 1, lines.coarse);
  std::array<std::uint16_t, kHighDays> highs;
  const std::int64_t day = state_.fine_bucket / 24 - (state_.fine_bucket % 24 < 0);
  unroll(subject.history.highs, day, highs);
  std::transform(highs.begin(), highs.end(), lines.highs.begin(), ShortFloat::unpack);

  SurgeView view;
  view.recent = state_.recent.lines(slot);
  view.hours = lines.hours;
  view.coarse = lines.coarse;
  view.highs = lines.highs;
  const auto minutes_since = [now_ms](std::int64_t at_ms) { return minutes_between(at_ms, now_ms); };
  view.minutes_of_hour = minutes_since(state_.fine_bucket * kHourMs);
  view.minutes_of_coarse = minutes_since(state_.coarse_bucket * kCoarseMs);
  view.minutes_of_day = minutes_since(day * kDayMs);
  view.now = static_cast<double>(state_.open[slot].last);
  view.left = left;
  view.whole = whole;
  view.least = std::max(kLeastShare * or_unknown(!std::isnan(whole), whole), min_per_day(subject.kind));
  if (std::isnan(view.least)) view.least = min_per_day(subject.kind);
  view.known_minutes = minutes_since(std::max(subject.first_seen_ms, boot.start_ms));
  const SurgeState& surge = subject.surge();
  view.told = surge.active();
  const bool long_told = surge.active() && minutes_since(surge.since_ms) >= kLongMinutes;
  if (long_told || subject.verdict == Verdict::kLeak) view.waits = kWaitsOfTold;
  return view;
}

void TrendEngine::look_for_surges(std::int64_t fine_before) {
  const std::size_t count = state_.open.size();
  if (count == 0) return;
  // What is left of each pool and how large it can get, once for all its tags.
  std::array<double, kPoolCount> left, whole;
  left.fill(std::numeric_limits<double>::quiet_NaN());
  whole.fill(std::numeric_limits<double>::quiet_NaN());
  for (std::size_t pool = 0; pool < kPoolCount; ++pool) {
    const auto id = static_cast<Pool>(pool);
    const std::uint32_t slot = find_slot(Kind::kPool, id);
    if (slot == base::FlatIndex::kNone) continue;
    const double limit = state_.subjects[slot]->limit, last = static_cast<double>(state_.open[slot].last);
    left[pool] = limit - last;
    whole[pool] = std::isnan(limit) ? last : limit;
  }
  // A history without the pool's total has its tags.
  bool is_summed = false;
  const auto sum_tags = [&] {
    is_summed = true;
    std::array<double, kPoolCount> sums{};
    for (std::size_t slot = 0; slot < count; ++slot)
      if (const auto last = static_cast<double>(state_.open[slot].last);
          state_.subjects[slot]->kind == Kind::kTag && !std::isnan(last))
        sums[static_cast<std::size_t>(state_.subjects[slot]->pool)] += last;
    for (std::size_t pool = 0; pool < kPoolCount; ++pool)
      if (std::isnan(whole[pool])) whole[pool] = sums[pool];
  };
  const bool hour_closed = state_.fine_bucket != fine_before;
  if (hour_closed) {
    for (std::size_t slot = 0; slot < count; ++slot) keep_hour(slot);
  }
  std::size_t looks = 0;
  next_look_ %= count;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t slot = next_look_ + i < count ? next_look_ + i : next_look_ + i - count;
    const Open& open = state_.open[slot];
    if (open.seen_tick != tick_ && !open.surging) continue;
    const Subject& subject = *state_.subjects[slot];
    if (!subject.is_told()) continue;
    double room, all;
    const auto value = static_cast<double>(open.last), low = static_cast<double>(open.lowest());
    if (subject.kind == Kind::kTag && std::isnan(subject.limit)) {
      if (!is_summed && std::isnan(whole[static_cast<std::size_t>(subject.pool)])) sum_tags();
      room = left[static_cast<std::size_t>(subject.pool)];
      all = whole[static_cast<std::size_t>(subject.pool)];
    } else {
      const Left of = left_of(slot);
      room = of.amount;
      all = of.whole;
      if (subject.kind == Kind::kHandles) all = std::max(all, kLeastHandles / kMuchOfWhole);
    }
    const double least_used = subject.verdict == Verdict::kLeak ? kWaitsOfTold * kLeastUsed : kLeastUsed;
    const bool soon = value - low >= least_used * std::max(room, 0.0) && value - low >= kLeastShare * all;
    const bool much = hour_closed && value >= kMuchOfWhole * all && value > low;
    if (!soon && !much && !open.surging) continue;
    if (++looks > kMostLooks) {
      next_look_ = slot;
      return;
    }
    look_for_surge(slot, room, all);
  }
}

/// Whether one tag makes four fifths of a pool's growth with no end near: what that is, the tag's own history says better.
bool TrendEngine::is_told_by_a_tag(std::size_t slot, const SurgeSigns& signs) const {
  constexpr double kMadeBy = 0.8;
  const Subject& pool = *state_.subjects[slot];
  if (pool.kind != Kind::kPool || signs.ends_soon) return false;
  const std::int64_t begin =
      (state_.timeline.now_ms() - static_cast<std::int64_t>(signs.minutes * base::kMinuteMillis)) / kCoarseMs;
  for (std::size_t of = 0; of < state_.subjects.size(); ++of) {
    const Subject& tag = *state_.subjects[of];
    if (tag.kind != Kind::kTag || tag.pool != pool.pool || tag.surge().active()) continue;
    const auto before = static_cast<double>(begin < state_.coarse_bucket ? tag.history.coarse[ring_slot(begin, kCoarseBuckets)]
                                                                         : state_.open[of].coarse);
    if (static_cast<double>(state_.open[of].last) - before >= kMadeBy * signs.growth) return true;
  }
  return false;
}

void TrendEngine::look_for_surge(std::size_t slot, double left, double whole) {
  Subject& subject = *state_.subjects[slot];
  if (!subject.may_leak()) return;
  SurgeState surge = subject.surge();
  const std::int64_t now_ms = state_.timeline.now_ms();
  const SurgeView view = view_of(slot, left, whole);
  std::optional<SurgeSigns> signs = find_surge(view);
  // Beside the day's cycle, whose fall gives nothing back.
  const double grows_for = surge.active() ? minutes_between(surge.since_ms, now_ms) : signs ? signs->minutes : 0;
  const float value = state_.open[slot].last - static_cast<float>(grows_for > 0 ? usual_now(view, grows_for) : 0);
  if (const auto ended = ended_surges_.find(slot); signs && !surge.active() && ended != ended_surges_.end()) {
    // Wider blocks see a hill for days, and would tell it again.
    const auto begin_ms = static_cast<double>(now_ms) - signs->minutes * base::kMinuteMillis;
    const EndedSurge& hill = ended->second;
    if (begin_ms < static_cast<double>(hill.high_ms) && value < hill.high + static_cast<float>(kAgain) * hill.growth)
      signs.reset();
  }
  if (signs && !(is_told_by_a_tag(slot, *signs) && !surge.active())) {
    const std::int64_t since_ms = now_ms - static_cast<std::int64_t>(signs->minutes * base::kMinuteMillis);
    if (!surge.active() || is_steeper(*signs, static_cast<double>(surge.growth + std::max(0.0F, value - surge.high)),
                                      minutes_between(surge.since_ms, now_ms), !std::isnan(left))) {
      ++surge_changes_;
      surge = {};
      surge.since_ms = std::max(subject.first_seen_ms, since_ms);
      surge.told_ms = now_ms;
      surge.high = value, surge.high_ms = now_ms;
    }
    surge.growth = std::max(surge.growth, static_cast<float>(signs->growth));
    surge.pace_per_day = static_cast<float>(signs->pace_per_day);
    surge.ends_soon = signs->ends_soon;
  }
  state_.open[slot].surging = surge.active();
  if (!surge.active()) return;
  surge.no_limit = std::isnan(left);
  if (value > surge.high + static_cast<float>(kClearlyNew) * surge.growth) {
    surge.growth += value - surge.high;
    surge.high = value, surge.high_ms = now_ms;
  }
  const auto grown_ms = static_cast<double>(surge.high_ms - surge.since_ms);
  const auto patience_ms = std::max(kEndsAfterAtLeastMs, static_cast<std::int64_t>(kEndsAfter * grown_ms));
  bool over = now_ms - surge.high_ms > patience_ms || value < surge.high - static_cast<float>(kFallsBack) * surge.growth;
  // The pace is that of now, also while it slows down too much to begin as a surge. What has slowed down over days ends.
  const double lasts = minutes_between(surge.since_ms, now_ms);
  if (const auto pace = signs && lasts <= kMinutesPerDay ? std::nullopt : present_pace(view, lasts)) {
    surge.pace_per_day = static_cast<float>(std::max(*pace, 0.0));
    const bool stands = *pace * lasts < kStands * static_cast<double>(surge.growth) * kMinutesPerDay;
    over = over || (!signs && lasts > kMinutesPerDay && stands);
    surge.ends_soon = surge.ends_soon || (*pace > 0 && left <= kSoonDays * *pace);
  }
  if (!over) {
    subject.surging = std::make_unique<SurgeState>(surge);
    return;
  }
  ++surge_changes_;
  ended_surges_[slot] = {surge.high_ms, surge.high, surge.growth};
  subject.surging.reset();
  state_.open[slot].surging = false;
}

const TrendEngine::SurgeState& TrendEngine::Subject::surge() const {
  static const SurgeState kNoSurge;
  return surging ? *surging : kNoSurge;
}

}  // namespace kmem::trend
