#include "exporter/trend/surge.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "exporter/trend/daily.h"
#include "exporter/trend/odds.h"

namespace kmem::trend {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kHourMinutes = 60, kCoarseMinutes = 4 * kHourMinutes;

// Growth that ends soon must have used up so many times what is left, by how long it has lasted. A step within ten minutes, a batch and a
// cache that fills take half of the room at most; the shorter they may last, the closer to that half one has to wait.
struct Wait {
  double minutes, used_over_left;
};
constexpr std::array kWaits = {Wait{16, 1.15}, Wait{62, 1.0}, Wait{255, 0.67}, Wait{1000, 0.6}, Wait{1700, 0.56}};
constexpr double kYoungWaits = 1.3;               // times that, where less than ...
constexpr double kYoungMinutes = kMinutesPerDay;  // ... is known of what is usual
// The largest step between blocks, of the growth: a step of ten minutes has half of its growth within five.
constexpr double kLargestStep = 0.3, kLargestStepTimesBlocks = 1.36;
constexpr double kGivenBack = 0.12;                      // of the growth, on the way
constexpr std::array kFillTimes = {0.8, 1.3, 2.0, 3.5};  // how many of its own times it has filled for
constexpr double kSameGrowth = 0.6;
constexpr double kFillsBetter = 0.6;  // squares that are left, of those of a line
// A cache of half of the room has, by what it has taken, filled for at least so many of its own times; what fits as well
// as a line is one, up to ...
constexpr double kMostFillTimes = 3;
constexpr std::array kMoreFillTimes = {1.0, 1.5, 2.2};
// ... used of what is left: half of the room is 1. From there on growth of up to 5 hours may be uneven and slow down to ...
constexpr double kBeyondCache = 1.1, kUnevenMinutes = 300;
constexpr double kStillGrows = 0.75;
constexpr double kSpeedsUp = 1.6;  // the same, at most: else it began later, see the narrower blocks
constexpr double kGoesOn = 0.88;   // pace of the last third over that of all: what fills has 0.67
// So much of the growth lies beyond all that was seen before; more where the days are few: the next is easily the largest.
constexpr double kBeyond = 0.05, kBeyondOverDays = 0.4, kBeyondNoDay = 0.3;
constexpr double kBeyondWithoutEnd = 0.6;  // month's end on top of a working day has a third of its growth there
constexpr double kFarBeyond = 2;           // times what one has to wait for: whatever was before
constexpr double kRareDays = 0.1;          // of the days may have been higher: a burst is not what is usual
constexpr std::size_t kFewestBlocks = 3;
constexpr std::size_t kBlocksOfSoon = 5;  // fewer do not show how it goes; narrower ones do
constexpr float kSteadyDay = 0.35F;       // of what a day spans: less is between its begin and its end

// Growth without a near end.
constexpr double kShareOfWhole = 0.05;
constexpr double kTimes = 1.5;
// Steady growth of so many days need not have come as far.
constexpr double kTimesOfLong = 1.36, kTimesOfLongest = 1.28;
constexpr std::size_t kLongDays = 4, kLongestDays = 7;
constexpr double kHalvesEven = 0.7;
constexpr double kLongEnoughMinutes = 17 * 60, kGoesOnLong = 0.9;  // what fills within a day has slowed down to 0.78
constexpr double kLargestDay = 0.3, kLargestDayTimesDays = 1.3;
constexpr double kMostUnseen = 0.8;  // of the growth, over days without readings
constexpr double kSeenGrows = 0.4;   // pace of the days that were seen over that of all

// The second opinion (odds.h), of growth that has used up so much of what is left.
constexpr double kWeighed = 0.4;
constexpr double kHasBegun = 0.15;  // of the growth: until when it was no more than that it had not begun
// What the bounds tell is none where a cache of half of the room is likelier, up to so many times what is left.
constexpr double kSurelyBeyondCache = 1.6;
// What the bounds do not tell is one where a line is likelier by e to the ..., with no more misfit than the noise has; shorter growth
// may be a batch and has to have come closer to half of the room, a step is shorter still.
constexpr double kCacheIsLikelier = 0.3, kLineIsLikely = 5, kMostMisfit = 1, kNearlyWaited = 0.95;
constexpr double kBatchMinutes = 250, kUsedByBatch = 0.9, kStepMinutes = 40;
constexpr double kSlowed = 0.4;  // of its mean pace: not worth weighing

constexpr std::size_t kBlocks = 8;
constexpr std::array kBlockMinutes = {3, 5, 10, 15, 20, 30, 45, 60, 120, 180, 240, 480, 720};

double lower(double a, double b) { return std::isnan(a) ? b : std::isnan(b) ? a : std::min(a, b); }
double higher(double a, double b) { return std::isnan(a) ? b : std::isnan(b) ? a : std::max(a, b); }

/// Lowest of the newest `count` before the newest `skip`; NaN where nothing was seen.
double lowest(std::span<const float> line, std::size_t skip, std::size_t count) {
  return line.size() < skip + count ? kNone : lowest_of(line.subspan(line.size() - skip - count, count));
}

/// What the hour of the day adds, from days before a window; all 0 where there is none.
class Usual {
 public:
  Usual(const SurgeView& view, double window_minutes) : minutes_of_hour_(view.minutes_of_hour) {
    // Hours are few days and show edges; what they do not show is taken from the weeks, by four hours.
    const auto hours = static_cast<std::size_t>(std::ceil(window_minutes / kHourMinutes));
    days_ = take<1>(view.hours, hours, kFewDays, 0);
    if (days_ >= 2) return;
    const double older = std::max(0.0, window_minutes - view.minutes_of_coarse) / kCoarseMinutes;
    const auto ahead = static_cast<std::size_t>(std::lround((view.minutes_of_coarse - view.minutes_of_hour) / kHourMinutes));
    days_ = take<4>(view.coarse, static_cast<std::size_t>(std::ceil(older)), kManyDays, ahead);
    if (days_ < 2) days_ = take<1>(view.hours, hours, kFewDays, 0);
  }
  [[nodiscard]] bool is_known() const { return days_ > 0; }
  /// So many minutes ago.
  [[nodiscard]] double at(double age) const {
    const double position = (age - minutes_of_hour_) / kHourMinutes - 0.5;
    const auto cut = static_cast<int>(position), whole = cut - (static_cast<double>(cut) > position ? 1 : 0);
    const std::size_t hour = (static_cast<unsigned>(whole) + 24'000'000U) % 24;  // it may be one or two before the newest
    return hour_[hour] + (position - whole) * (hour_[hour + 1] - hour_[hour]);
  }

 private:
  static constexpr std::size_t kFewDays = 3, kManyDays = 14;

  /// Of days of floors so many hours wide, the newest of which are skipped. `ahead` hours have closed since they end.
  template <std::size_t kWidth>
  std::size_t take(std::span<const float> line, std::size_t skip, std::size_t most, std::size_t ahead) {
    constexpr std::size_t kPerDay = 24 / kWidth;
    std::array<std::array<double, kManyDays>, 24> seen;
    std::size_t days = 0;
    for (std::size_t from = skip; days < most && from + kPerDay + 1 <= line.size(); from += kPerDay) {
      const std::span<const float> day = line.subspan(line.size() - from - kPerDay, kPerDay);
      if (std::any_of(day.begin(), day.end(), [](float value) { return std::isnan(value); })) continue;
      // A day on which it grew, too, does not show the cycle.
      const auto [low, high] = std::minmax_element(day.begin(), day.end());
      const float drift = std::abs(day.back() - line[line.size() - from - kPerDay - 1]);
      if (!(drift <= kSteadyDay * (*high - *low))) continue;
      double sum = 0;
      for (const float value : day) sum += static_cast<double>(value);
      for (std::size_t i = 0; i < kPerDay; ++i)
        seen[(from + i) % kPerDay][days] = static_cast<double>(day[kPerDay - 1 - i]) - sum / static_cast<double>(kPerDay);
      ++days;
    }
    hour_ = {};
    if (days == 0) return 0;
    std::array<double, 24> usual{};
    for (std::size_t at = 0; at < kPerDay; ++at) {
      const std::span<double> values(seen[at].data(), days);
      usual[at] =
          kWidth > 1 ? quantile(values, 0.5) : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(days);
    }
    for (std::size_t i = 0; i < 24; ++i) {
      // On a line between the middles of the floors.
      const double position = (static_cast<double>(i + 48 - ahead % 24) + 0.5) / kWidth - 0.5;
      const auto whole = static_cast<std::size_t>(position);
      const double part = position - static_cast<double>(whole);
      const std::size_t left = whole % kPerDay, right = (left + 1) % kPerDay;
      hour_[i] = (1 - part) * usual[left] + part * usual[right];
    }
    hour_[24] = hour_[0];
    return days;
  }

  std::array<double, 25> hour_{};  // by hours before the newest closed one, modulo 24; the first once more
  std::size_t days_ = 0;
  double minutes_of_hour_;
};

/// Floors in blocks of so many minutes, oldest first, and how old each is, the last that of the last moments: where it
/// grows, a block's floor is what was seen first of it.
struct Blocks {
  std::array<double, kBlocks + 1> low;
  std::array<double, kBlocks + 1> age;
  double usual_now = 0;
  Blocks() { low.fill(kNone); }
};
Blocks blocks_of(const SurgeView& view, int minutes) {
  Blocks blocks;
  const std::size_t tail_minutes = std::min<std::size_t>(static_cast<std::size_t>(std::max(3, minutes / 4)), Recent::kMinutes);
  double& end = blocks.low[kBlocks];
  end = lower(view.now, lowest(view.recent.minutes, 0, tail_minutes));
  // As old as the oldest of them that was seen: the recent minutes are fewer than a wide block's tail, and may be empty.
  std::size_t oldest = tail_minutes;
  while (oldest > 0 && std::isnan(lowest(view.recent.minutes, oldest - 1, 1))) --oldest;
  const double open_minute = std::fmod(view.minutes_of_hour, 1);
  blocks.age[kBlocks] = oldest > 0 ? static_cast<double>(oldest - 1) + open_minute : 0;
  const Usual usual(view, static_cast<double>(kBlocks) * minutes);
  blocks.usual_now = usual.at(0);
  end -= blocks.usual_now;
  const bool by_minute = minutes <= 5, by_hour = minutes >= 60;
  const std::span<const float> line = by_minute ? std::span<const float>(view.recent.minutes)
                                      : by_hour ? view.hours
                                                : std::span<const float>(view.recent.fives);
  const std::size_t width = by_minute ? 1 : by_hour ? 60 : 5, per_block = static_cast<std::size_t>(minutes) / width;
  // The open minute counts.
  const double end_age = by_minute ? open_minute - 1 : by_hour ? view.minutes_of_hour : std::fmod(view.minutes_of_hour, 5);
  const std::size_t newest = width == 5 ? 1 : 0;
  for (std::size_t i = 0; i < kBlocks; ++i) {
    blocks.age[i] = end_age + static_cast<double>(minutes) * static_cast<double>(kBlocks - i);
    for (std::size_t at = 0; at < per_block; ++at) {
      const std::size_t ago = (kBlocks - 1 - i) * per_block + at;
      const double age = end_age + static_cast<double>(width) * (static_cast<double>(ago) + 0.5);
      if (newest + ago >= line.size() || std::isnan(line[line.size() - 1 - newest - ago])) continue;
      const double floor = static_cast<double>(line[line.size() - 1 - newest - ago]) - usual.at(age);
      blocks.low[i] = lower(blocks.low[i], floor);
      blocks.age[i] = age + static_cast<double>(width) / 2;
    }
  }
  return blocks;
}

/// "Flat, then a rise" at its best over all begins. fill = 0: a line; else what fills, so many times its own time long. The
/// first that leaves less than `enough` will do.
struct Rise {
  std::size_t first = 0;  // the block in which it begins
  double begin_age = 0, level = 0;
  double left = std::numeric_limits<double>::infinity();  // squares
};
Rise best_rise(const Blocks& blocks, int block_minutes, double fill, double enough) {
  const auto& low = blocks.low;
  Rise best;
  double flat_sum = 0, flat_count = 0;
  for (std::size_t k = 0; k + kFewestBlocks < kBlocks; ++k) {
    if (std::isnan(low[k])) continue;
    flat_sum += low[k], flat_count += 1;
    const double flat = flat_sum / flat_count;
    double before = 0;  // squares of what is flat
    for (std::size_t i = 0; i <= k; ++i) before += std::isnan(low[i]) ? 0 : (low[i] - flat) * (low[i] - flat);
    for (const double into : {0.0, 0.25, 0.75}) {
      if (into == 0 && k > 0) continue;  // it was under way when the window began
      const double begin_age = blocks.age[k] - into * block_minutes, span = begin_age - blocks.age[kBlocks];
      double xy = 0, xx = 0, left = before;
      for (std::size_t i = k + 1; i <= kBlocks; ++i) {
        if (std::isnan(low[i])) continue;
        const double share = std::max(0.0, begin_age - blocks.age[i]) / span;
        const double x = fill > 0 ? 1 - std::exp(-fill * share) : share, y = low[i] - flat;
        xy += x * y, xx += x * x, left += y * y;
      }
      if (xx > 0 && xy > 0) left -= xy * xy / xx;
      if (left < best.left) best = {k, begin_age, flat, left};
      if (left < enough) return best;
    }
  }
  return best;
}

/// Growth that blocks of one width show, from its begin on: steady, and going on.
struct Steady {
  double growth = 0, begin_level = 0, end_level = 0, minutes = 0, pace = 0, window = 0;
  double left = 0;         // at a usual hour
  double even_growth = 0;  // without what of it is a step or was given back
  double goes_on = 0;      // pace of the last third over that of all
  std::size_t blocks = 0;  // in which it grew
  bool even = false;       // in small steps that are not given back
  bool saw_begin = false;
  Blocks floors;
  int block_minutes = 0;
  double line_leaves = 0;  // squares
};
std::optional<Steady> find_steady(const SurgeView& view, int block_minutes) {
  const Blocks blocks = blocks_of(view, block_minutes);
  const auto& low = blocks.low;
  std::size_t seen = 0;
  for (std::size_t i = 0; i < kBlocks; ++i) seen += !std::isnan(low[i]);
  if (seen + 2 < kBlocks || std::isnan(low[kBlocks - 1])) return std::nullopt;
  const double end = low[kBlocks];
  const double tail = blocks.age[kBlocks];
  const Rise line = best_rise(blocks, block_minutes, 0, -std::numeric_limits<double>::infinity());
  const std::size_t first = line.first;
  const double level = line.level;
  Steady steady;
  steady.begin_level = level, steady.end_level = end;
  steady.growth = end - level;
  steady.left = view.left + blocks.usual_now;
  if (!(steady.growth > view.least)) return std::nullopt;

  double largest = 0, back = 0, before = level;
  for (std::size_t i = first + 1; i <= kBlocks; ++i) {
    if (std::isnan(low[i])) continue;
    largest = std::max(largest, low[i] - before);
    back += std::max(0.0, before - low[i]);
    before = low[i];
  }
  const std::size_t grown = kBlocks - first;
  const double most = std::max(kLargestStep, kLargestStepTimesBlocks / static_cast<double>(grown - 1));
  const double uneven = std::max(0.0, largest - most * steady.growth) + std::max(0.0, back - kGivenBack * steady.growth);
  steady.blocks = grown;
  steady.even = uneven <= 0;
  steady.even_growth = steady.growth - uneven;
  std::size_t third = kBlocks - std::max<std::size_t>(1, (grown + 1) / 3);
  while (third > first && std::isnan(low[third])) --third;
  const double begin_age = line.begin_age;
  steady.minutes = begin_age - tail;
  steady.pace = (end - low[third]) / (blocks.age[third] - tail);
  steady.goes_on = steady.pace / (steady.growth / steady.minutes);
  steady.window = blocks.age[0];
  steady.saw_begin = first > 0;
  steady.floors = blocks, steady.block_minutes = block_minutes;
  steady.line_leaves = line.left;
  return steady;
}

/// What slows down on the way to an end of its own fits clearly better.
bool fills(const Steady& steady) {
  const double enough = kFillsBetter * steady.line_leaves;
  return std::any_of(kFillTimes.begin(), kFillTimes.end(),
                     [&](double times) { return best_rise(steady.floors, steady.block_minutes, times, enough).left < enough; });
}

/// A cache of half of the room fits better.
bool fills_room(const Steady& steady) {
  if (!(steady.growth >= 0.3 * std::max(steady.left, 0.0))) return false;  // never enough, see kWaits and kSameGrowth
  const double taken = steady.growth / (steady.growth + std::max(steady.left, 0.0)) / kCacheOfRoom;
  const double least_times = taken < 1 ? std::min(kMostFillTimes, -std::log(1 - taken)) : kMostFillTimes;
  return std::any_of(kMoreFillTimes.begin(), kMoreFillTimes.end(), [&](double more) {
    const double times = std::min(kMostFillTimes, more * least_times);
    return best_rise(steady.floors, steady.block_minutes, times, steady.line_leaves).left < steady.line_leaves;
  });
}

/// What fills, of the widths looked at so far. It takes most of the work and is seldom what decides, so it is found out when
/// it is asked for.
class Filling {
 public:
  void add(const Steady& steady) { widths_[count_++].steady = steady; }
  [[nodiscard]] const Steady& newest() const { return widths_[count_ - 1].steady; }
  /// The newest width itself; a narrower one that saw the begin of the same growth: wider blocks see it, too, but not how it goes.
  [[nodiscard]] bool slows_down() { return knows(&Width::fills, fills, count_ - 1) || has_seen_filling(newest().growth); }
  [[nodiscard]] bool is_of_room() {
    if (knows(&Width::fills_room, fills_room, count_ - 1)) return true;
    return any_of_same(&Width::fills_room, fills_room, newest().growth);
  }
  [[nodiscard]] bool has_seen_filling(double growth) { return any_of_same(&Width::fills, fills, growth); }

 private:
  struct Width {
    Steady steady;
    std::optional<bool> fills, fills_room;
  };
  bool knows(std::optional<bool> Width::*what, bool (*find)(const Steady&), std::size_t at) {
    std::optional<bool>& known = widths_[at].*what;
    if (!known) known = find(widths_[at].steady);
    return *known;
  }
  bool any_of_same(std::optional<bool> Width::*what, bool (*find)(const Steady&), double growth) {
    for (std::size_t i = 0; i < count_; ++i) {
      const Steady& of = widths_[i].steady;
      if (of.saw_begin && of.growth >= kSameGrowth * growth && knows(what, find, i)) return true;
    }
    return false;
  }

  std::array<Width, kBlockMinutes.size()> widths_;
  std::size_t count_ = 0;
};

/// The highest floor that was usual before so many minutes ago, of days all but the rarest, and how far beyond, of the
/// growth, one has to be.
struct Before {
  double high = kNone, beyond = 0;
};
Before highest_before(const SurgeView& view, double minutes) {
  double high = kNone;
  const auto older = [minutes](std::span<const float> line, double newest_end_age, double width) {
    const double first = std::ceil(std::max(0.0, (minutes - newest_end_age) / width) - 1e-9);
    return line.first(first < static_cast<double>(line.size()) ? line.size() - static_cast<std::size_t>(first) : 0);
  };
  std::array<double, kHighDays> days;
  std::size_t count = 0;
  for (const float value : older(view.highs, view.minutes_of_day - kMinutesPerDay, kMinutesPerDay))
    if (!std::isnan(value)) days[count++] = static_cast<double>(value);
  if (count > 0) high = quantile({days.data(), count}, 1 - kRareDays);
  const auto take = [&high](std::span<const float> line) {
    for (const float value : line) high = higher(high, static_cast<double>(value));
  };
  const double beyond = count > 0 ? kBeyond + kBeyondOverDays / static_cast<double>(count) : kBeyondNoDay;
  if (count == 0) take(older(view.hours, view.minutes_of_hour, kHourMinutes));
  if (count == 0) take(older(std::span(view.recent.fives).first(Recent::kFives), std::fmod(view.minutes_of_hour, 5), 5));
  return {high, beyond};
}

/// The highest that was held for four hours before so many minutes ago, on any day: what has been there once may come again.
/// Floors of growth lag behind it, and so is told what they may have missed of one like this.
double held_before(const SurgeView& view, double minutes, double growth, double pace) {
  const double first = std::ceil(std::max(0.0, (minutes - view.minutes_of_coarse) / kCoarseMinutes) - 1e-9);
  double held = kNone;
  if (first < static_cast<double>(view.coarse.size()))
    for (const float value : view.coarse.first(view.coarse.size() - static_cast<std::size_t>(first)))
      held = higher(held, static_cast<double>(value));
  return held + std::min(kBeyondNoDay * growth, 1.5 * kCoarseMinutes * pace);
}

double wait_for(double minutes) {
  if (minutes <= kWaits.front().minutes) return kWaits.front().used_over_left;
  for (std::size_t i = 1; i < kWaits.size(); ++i) {
    if (minutes > kWaits[i].minutes) continue;
    const double share = std::log(minutes / kWaits[i - 1].minutes) / std::log(kWaits[i].minutes / kWaits[i - 1].minutes);
    return kWaits[i - 1].used_over_left + share * (kWaits[i].used_over_left - kWaits[i - 1].used_over_left);
  }
  return kWaits.back().used_over_left;
}

bool ends_soon(const SurgeView& view, Filling& filling) {
  const Steady& steady = filling.newest();
  const double left = std::max(steady.left, 0.002 * view.whole);
  const bool beyond_cache = steady.even_growth >= kBeyondCache * left;
  const bool may_be_uneven = beyond_cache && steady.minutes <= kUnevenMinutes;
  const double used_over_left = (may_be_uneven ? steady.even_growth : steady.growth) / left;
  double wait = view.waits * wait_for(steady.minutes);
  if (view.known_minutes - steady.minutes < kYoungMinutes) wait *= kYoungWaits;
  if (!(used_over_left >= wait) || steady.blocks < kBlocksOfSoon) return false;
  if (steady.goes_on < (beyond_cache ? kStillGrows : kGoesOn) || steady.goes_on > kSpeedsUp) return false;
  if (!steady.even && !may_be_uneven) return false;
  if (std::max(view.left, 0.0) / steady.pace > kSoonDays * kMinutesPerDay) return false;
  const auto fills_up = [&] { return filling.is_of_room() || (!beyond_cache && filling.slows_down()); };
  if (used_over_left >= kFarBeyond * wait) return !fills_up();
  if (view.now <= held_before(view, steady.window, steady.growth, steady.pace)) return false;
  const Before usual = highest_before(view, steady.window);
  const double beyond = beyond_cache ? usual.beyond : std::max(usual.beyond, kBeyondNoDay);  // load may take half of the room
  return (std::isnan(usual.high) || view.now - usual.high >= beyond * steady.growth) && !fills_up();
}

bool is_much_more(const SurgeView& view, const Steady& steady) {
  if (steady.minutes < kLongEnoughMinutes || steady.goes_on < kGoesOnLong || steady.goes_on > kSpeedsUp) { return false; }
  if (steady.end_level < kTimes * steady.begin_level) return false;
  if (view.now <= held_before(view, steady.window, steady.growth, steady.pace)) return false;
  const Before usual = highest_before(view, steady.window);
  return !std::isnan(usual.high) && view.now - usual.high >= kBeyondWithoutEnd * steady.growth;
}

/// Growth over days, at the same time of each; where it was not read just before, as once a day, whenever it was on each.
std::optional<SurgeSigns> grows_for_days(const SurgeView& view) {
  constexpr std::size_t kMostDays = 13;
  std::array<double, kMostDays + 1> level{};  // 0 = now
  for (std::size_t day = 0; day <= kMostDays; ++day) level[day] = lowest(view.coarse, day * kBucketsPerDay, 1);
  const bool of_few = std::isnan(level[0]);
  if (of_few) {
    level[0] = view.now;
    for (std::size_t day = 1; day <= kMostDays; ++day)
      level[day] = lowest(view.coarse, (day - 1) * kBucketsPerDay, kBucketsPerDay);
  }
  for (std::size_t days = 3; days <= kMostDays - 1; ++days) {
    if (std::isnan(level[days])) continue;
    const double growth = level[0] - level[days];
    if (!(growth > view.least)) continue;
    // What was held before at the same time of any day.
    double held = kNone;
    for (std::size_t at = days * kBucketsPerDay; at < view.coarse.size(); at += of_few ? 1 : kBucketsPerDay)
      held = higher(held, lowest(view.coarse, at, 1));
    if (of_few) held = higher(held, level[days]);
    if (std::isnan(held)) continue;
    const double times = days >= kLongestDays ? kTimesOfLongest : days >= kLongDays ? kTimesOfLong : kTimes;
    if (level[0] < times * held || level[0] <= held_before(view, static_cast<double>(days) * kMinutesPerDay, growth,
                                                           growth / static_cast<double>(days) / kMinutesPerDay))
      continue;
    // What nobody saw may have come in one step: of more days than one it may not be nearly all, and days that were seen
    // have to grow, too.
    const double most_of_day = std::max(kLargestDay, kLargestDayTimesDays / static_cast<double>(days));
    double seen_growth = 0, before = level[days];
    std::size_t rises = 0, steps = 0, seen_days = 0, before_day = days;
    bool is_step = false;
    for (std::size_t day = days; day-- > 0;) {
      if (std::isnan(level[day])) continue;
      const double rise = level[day] - before;
      const std::size_t apart = before_day - day;
      is_step = is_step ||
                rise > (apart == 1 ? most_of_day : std::min(kMostUnseen, most_of_day * static_cast<double>(apart))) * growth;
      if (apart == 1) seen_growth += rise, ++seen_days;
      rises += rise > 0;
      ++steps;
      before = level[day], before_day = day;
    }
    const std::size_t middle = days / 2;
    if (std::isnan(level[middle]) || steps < 2 || rises * 10 < steps * 7 || is_step) continue;
    if (seen_days >= 2 && seen_growth * static_cast<double>(days) < kSeenGrows * growth * static_cast<double>(seen_days))
      continue;
    const double newer = (level[0] - level[middle]) / static_cast<double>(middle);
    const double older = (level[middle] - level[days]) / static_cast<double>(days - middle);
    if (!(newer >= kHalvesEven * older)) continue;
    return SurgeSigns{newer, growth, static_cast<double>(days) * kMinutesPerDay, false};
  }
  return std::nullopt;
}

/// Of the last 24 hours over those before, each against its own; nullopt where too few were seen.
std::optional<double> pace_of_day(std::span<const float> hours) {
  constexpr std::size_t kDay = 24, kFewest = 12;
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = hours.size() < 2 * kDay ? hours.size() : hours.size() - kDay; i < hours.size(); ++i) {
    const double rise = static_cast<double>(hours[i]) - static_cast<double>(hours[i - kDay]);
    if (!std::isnan(rise)) sum += rise, ++count;
  }
  if (count < kFewest) return std::nullopt;
  return sum / static_cast<double>(count);
}

/// For how long it has grown, roughly, and by how much: since the last that was near the lowest of four days.
struct Rough {
  double minutes = 0, growth = 0;
};
Rough roughly(const SurgeView& view) {
  double low = lowest(view.hours, 0, view.hours.size());
  low = lower(low, lowest(view.recent.fives, 0, view.recent.fives.size()));
  Rough rough{0, view.now - low};
  const double until = low + kHasBegun * rough.growth;
  const auto look = [&](std::span<const float> line, double end_age, double width) {
    for (std::size_t ago = line.size(); ago > 0; --ago)
      if (static_cast<double>(line[line.size() - ago]) <= until) rough.minutes = end_age + width * static_cast<double>(ago);
  };
  look(view.hours, view.minutes_of_hour, kHourMinutes);
  look(std::span(view.recent.fives).first(Recent::kFives), std::fmod(view.minutes_of_hour, 5), 5);
  return rough;
}

/// What the bounds say, joined with how much likelier a line is than a cache.
std::optional<SurgeSigns> weighed(const SurgeView& view, const std::optional<SurgeSigns>& signs) {
  const Rough rough = roughly(view);
  const bool is_young = view.known_minutes - rough.minutes < kYoungMinutes;  // its noise is not known
  if (view.told || is_young || !(rough.growth >= kWeighed * view.left)) return signs;
  if (!signs) {
    const auto pace = present_pace(view, rough.minutes);
    if (!pace || *pace * rough.minutes < kSlowed * rough.growth * kMinutesPerDay) return std::nullopt;
  }
  const double minutes = 1.2 * rough.minutes + 20;
  const Usual usual(view, minutes);
  UsualQuarters quarters;
  for (std::size_t i = 0; i < quarters.size(); ++i) quarters[i] = usual.at(15 * static_cast<double>(i));
  const Odds odds(view, minutes, quarters);
  const std::optional<BestLine>& line = odds.line();
  if (!line || view.known_minutes - line->minutes < kYoungMinutes) return signs;
  if (signs) return line->used_over_left < kSurelyBeyondCache && !odds.are_of_line_by(kCacheIsLikelier) ? std::nullopt : signs;
  if (line->misfit > kMostMisfit || line->minutes < kStepMinutes) return std::nullopt;
  if (line->used_over_left < kNearlyWaited * view.waits * wait_for(line->minutes)) return std::nullopt;
  if (line->minutes < kBatchMinutes && line->used_over_left < kUsedByBatch) return std::nullopt;
  const double pace = line->growth / line->minutes, since = 1.05 * line->minutes;
  if (std::max(view.left, 0.0) / pace > kSoonDays * kMinutesPerDay) return std::nullopt;
  const Before before = highest_before(view, since);
  if (view.now <= held_before(view, since, line->growth, pace)) return std::nullopt;
  if (std::isnan(before.high) || view.now - before.high < kBeyondNoDay * line->growth) return std::nullopt;
  if (!odds.are_of_line_by(kLineIsLikely)) return std::nullopt;
  return SurgeSigns{pace * kMinutesPerDay, line->growth, line->minutes, true};
}

std::optional<SurgeSigns> by_bounds(const SurgeView& view) {
  const bool large = view.now >= kShareOfWhole * view.whole;
  Filling filling;
  for (const int minutes : kBlockMinutes) {
    const auto steady = find_steady(view, minutes);
    if (!steady) continue;
    filling.add(*steady);
    const bool soon = ends_soon(view, filling);
    if (soon || (large && steady->even && is_much_more(view, *steady) && !filling.slows_down()))
      return SurgeSigns{steady->pace * kMinutesPerDay, steady->growth, steady->minutes, soon};
  }
  if (!large) return std::nullopt;
  const auto signs = grows_for_days(view);
  return signs && !filling.has_seen_filling(signs->growth) ? signs : std::nullopt;
}

}  // namespace

std::optional<SurgeSigns> find_surge(const SurgeView& view) { return weighed(view, by_bounds(view)); }

std::optional<double> present_pace(const SurgeView& view, double minutes) {
  struct Floors {
    std::span<const float> closed;
    double width, end_age;
  };
  const std::array lines = {Floors{std::span(view.recent.minutes), 1, 0},
                            Floors{std::span(view.recent.fives).first(Recent::kFives), 5, std::fmod(view.minutes_of_hour, 5)},
                            Floors{view.hours, kHourMinutes, view.minutes_of_hour},
                            Floors{view.coarse, kCoarseMinutes, view.minutes_of_coarse}};
  // Beside the day's cycle; where no day before shows that, days are compared.
  const Usual usual(view, minutes);
  if (!usual.is_known() && minutes >= 2 * kMinutesPerDay)
    if (const auto pace = pace_of_day(view.hours)) return pace;
  std::array<float, kCoarseBuckets> beside;
  for (const Floors& line : lines) {
    const auto count = static_cast<std::size_t>(std::max(3.0, std::floor(minutes / 3 / line.width)));
    if (count > line.closed.size() || count > beside.size()) continue;
    const std::span<const float> floors = line.closed.last(count);
    for (std::size_t i = 0; i < count; ++i) {
      const double age = line.end_age + line.width * (static_cast<double>(count - i) - 0.5);
      beside[i] = floors[i] - static_cast<float>(usual.at(age));
    }
    if (const auto slope = slope_per_day(std::span(beside).first(count), line.width)) return slope;
  }
  return std::nullopt;
}

double usual_now(const SurgeView& view, double minutes) { return Usual(view, minutes).at(0); }

std::optional<double> slope_per_day(std::span<const float> floors, double minutes_apart) {
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, base = kNone;
  for (std::size_t i = 0; i < floors.size(); ++i) {
    if (std::isnan(floors[i])) continue;
    if (std::isnan(base)) base = static_cast<double>(floors[i]);
    const double x = static_cast<double>(i), y = static_cast<double>(floors[i]) - base;
    n += 1, sx += x, sy += y, sxx += x * x, sxy += x * y;
  }
  const double spread = n * sxx - sx * sx;
  if (n < 3 || n * 2 < static_cast<double>(floors.size()) || spread <= 0) return std::nullopt;
  return (n * sxy - sx * sy) / spread / minutes_apart * kMinutesPerDay;
}

}  // namespace kmem::trend
