#include "exporter/trend/falls.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "exporter/trend/daily.h"

namespace kmem::trend {
namespace {

constexpr double kLeastDays = 20;              // of growth, in all
constexpr double kFall = 0.3;                  // of the whole range, within two days
constexpr double kSettled = 0.05;              // of a fall: what comes a day later is still of it
constexpr std::size_t kFewestPoints = 5;       // of a rise
constexpr std::size_t kFewestPointsOfTwo = 7;  // where there are two alone
constexpr std::size_t kMostRises = 9;
constexpr double kAlike = 2;             // times the common slope, and its reverse
constexpr double kStraight = 0.65;       // of what moves in the rises, the common slope explains, and ...
constexpr double kEvidenceOfFalls = 60;  // ... how surely: by as many points as there are
constexpr double kStillGrows = 0.5;      // of the growth of the first halves, in the second ones: what fills slows down
constexpr double kAtOnce = 0.3;          // of the common slope, over the first third of the rises, and over the last, ...
constexpr double kMostAtOnce = 2.5;      // ... or as much: load comes when it comes, and so does a batch
// Load has the pattern of a week, too: growth has to be clearer and more, of what it begins from.
constexpr double kOffWeek = 0.8, kStraightOfWeek = 0.9, kAtOnceOfWeek = 0.6, kLeastOfWeek = 0.25;
// What is less goes on through every two days in a row of the week, on the mean of all weeks; load rests at its end.
constexpr std::size_t kFewestWeeks = 3;
constexpr double kPartOfDay = 0.15;                            // of a fall: the day in the middle of which it came
constexpr double kLeastOfTwoDays = 0.5, kMostOfTwoDays = 1.6;  // of the common slope
constexpr double kAtOnceByHours = 0.7;                         // of it, over the two days after a fall
constexpr double kGivenBackByFall = 0.55;                      // of the rise before a fall
constexpr double kOneBase = 0.35;                              // of the largest rise: so far apart the rises begin

// The newest rise alone.
constexpr double kDaysOfRise = 6, kMostDaysOfRise = 28;  // from its first day to its last
constexpr double kOfBegin = 0.25;                        // of what it began from
constexpr double kStraightRise = 0.95, kEvidenceOfRise = 20;
constexpr double kRisingDays = 0.8;                    // of them
constexpr double kLargestDay = 0.35;                   // of a rise
constexpr double kStillRises = 0.65;                   // of the pace of the first half, in the second one
constexpr double kFallOfRise = 0.3;                    // of the rise behind it: less is noise
constexpr double kSuddenFall = 0.7;                    // of all that went down in ten days, in three
constexpr double kEarlierRise = 0.5;                   // of the newest one
constexpr double kFoot = 0.2;                          // of it: there it begins
constexpr double kStillRose = 0.33;                    // of it, in its second half
constexpr double kRest = 0.15;                         // of the rise behind it: so little is a rest
constexpr double kDaysOfRest = 6, kDaysOfEarlier = 8;  // a month's end is shorter
// Peaks that grow from day to day.
constexpr double kDaysOfPeaks = 9, kMostDaysOfPeaks = 35;
constexpr std::size_t kFewestPeaks = 7;
constexpr double kPeak = 0.5;          // of the highest of three days before, above the floor: less is a day off
constexpr double kOfFirstPeak = 0.25;  // of the first one: growth that is more than load varies
constexpr double kStraightPeaks = 0.93, kEvidenceOfPeaks = 20;
constexpr double kLargestOfPeaks = 0.3;  // of their growth, from one to the next
constexpr double kFallOfPeaks = 0.1;     // of it
constexpr double kFloorOfPeaks = 0.3;    // of it: else the floors tell it

struct Rise {
  std::size_t begin = 0, end = 0;  // points
  std::size_t fallen = 0;          // the first that has given back nearly all: from there on a week is whole
  double slope = 0, from = 0, to = 0;
  [[nodiscard]] std::size_t count() const { return end - begin; }
};

struct Sums {
  double xx = 0, xy = 0, yy = 0;
};
/// Of a rise, about its middle.
Sums sums_of(const Points& points, std::size_t begin, std::size_t end, double& middle_x, double& middle_y) {
  const auto n = static_cast<double>(end - begin);
  middle_x = middle_y = 0;
  for (std::size_t i = begin; i < end; ++i) middle_x += points.x[i] / n, middle_y += points.y[i] / n;
  Sums sums;
  for (std::size_t i = begin; i < end; ++i) {
    const double u = points.x[i] - middle_x, v = points.y[i] - middle_y;
    sums.xx += u * u, sums.xy += u * v, sums.yy += v * v;
  }
  return sums;
}

/// Growth over the two days after a fall by the four hours, less that of load that rests then: of the same hours of the day.
bool grows_at_once(std::span<const float> floors, const Points& points, std::span<const Rise> rises, double slope) {
  constexpr std::size_t kTwoDays = std::size_t{2} * kBucketsPerDay, kHours = 2;
  const std::size_t days = std::min<std::size_t>(floors.size() / kBucketsPerDay, kHistoryDays);
  const std::span<const float> whole = floors.last(days * kBucketsPerDay);
  double grown = 0;
  std::size_t weeks = 0;
  for (const Rise& rise : rises.subspan(1)) {
    const double day = points.x[rise.fallen] - static_cast<double>(kHistoryDays - days);
    const auto end = static_cast<std::size_t>(day + 1) * kBucketsPerDay;
    std::size_t at = 0;
    float largest = 0;
    for (std::size_t i = end - std::min(end - 1, 3 * std::size_t{kBucketsPerDay}); i < end; ++i)
      if (whole[i - 1] - whole[i] > largest) largest = whole[i - 1] - whole[i], at = i;
    if (at == 0 || at + kTwoDays + kHours > whole.size()) continue;
    double sum = 0;
    for (std::size_t i = at; i < at + kHours; ++i)
      sum += static_cast<double>(whole[i + kTwoDays]) - static_cast<double>(whole[i]);
    if (std::isnan(sum)) continue;
    grown += sum / kHours;
    ++weeks;
  }
  return weeks >= kFewestWeeks && grown > kAtOnceByHours * 2 * slope * static_cast<double>(weeks);
}

/// Of rises that are a week each: whether they go on by night and day, at the week's end, too.
bool grows_all_week(const Points& points, std::span<const Rise> rises, double slope) {
  for (std::size_t day = 0; day + 2 < kFewestPoints + 1; ++day) {
    double grown = 0, days = 0;
    std::size_t weeks = 0;
    for (const Rise& rise : rises.subspan(1)) {  // where the first began was not seen
      if (rise.fallen + day + 2 >= rise.end) continue;
      grown += points.y[rise.fallen + day + 2] - points.y[rise.fallen + day];
      days += points.x[rise.fallen + day + 2] - points.x[rise.fallen + day];
      ++weeks;
    }
    if (weeks < kFewestWeeks || grown < kLeastOfTwoDays * slope * days || grown > kMostOfTwoDays * slope * days) return false;
  }
  return true;
}

std::optional<Falls> find(std::span<const float> floors, const Points& points, double min_per_day) {
  const auto end = static_cast<std::ptrdiff_t>(points.count);
  const auto [low, high] = std::minmax_element(points.y.begin(), points.y.begin() + end);
  const double range = *high - *low;
  if (range < min_per_day) return std::nullopt;

  std::array<Rise, kMostRises> rises;
  std::size_t count = 1, falls = 0;
  double fallen = 0;
  for (std::size_t i = 1; i < points.count; ++i) {
    const double next = points.y[std::min(i + 1, points.count - 1)], drop = points.y[i - 1] - std::min(points.y[i], next);
    if (drop < kFall * range || points.x[i] - points.x[i - 1] > 2 * points.spacing) continue;
    if (points.y[i] > points.y[i - 1] - kSettled * drop) ++i;  // it begins after this one
    rises[count - 1].end = i;
    std::size_t whole = i;
    while (i + 1 < points.count && points.y[i + 1] < points.y[i] - kSettled * drop) ++i;
    // A rise that is too short is none; the first may be cut off by the end of what is kept.
    if (count > 1 && rises[count - 1].count() < kFewestPoints) return std::nullopt;
    if (count == kMostRises) return std::nullopt;
    while (whole < i && points.y[whole] - points.y[i] > kPartOfDay * drop) ++whole;
    rises[count].fallen = whole;
    rises[count++].begin = i;
    fallen = drop, ++falls;
  }
  if (falls == 0) return std::nullopt;
  rises[count - 1].end = points.count;

  Sums all, early, late, begin, at_end;
  std::size_t used = 0, long_ones = 0;
  double grown_days = 0, freedom = 0, largest = 0;
  double lowest_base = std::numeric_limits<double>::infinity(), highest_base = -lowest_base;
  for (std::size_t j = 0; j < count; ++j) {
    Rise& rise = rises[j];
    if (rise.count() < kFewestPoints) continue;
    double x = 0, y = 0;
    const Sums sums = sums_of(points, rise.begin, rise.end, x, y);
    rise.slope = sums.xy / sums.xx;
    if (!(rise.slope > 0)) return std::nullopt;
    rise.from = y + rise.slope * (points.x[rise.begin] - x), rise.to = y + rise.slope * (points.x[rise.end - 1] - x);
    all.xx += sums.xx, all.xy += sums.xy, all.yy += sums.yy;
    const std::size_t half = (rise.count() + 1) / 2;
    const Sums first = sums_of(points, rise.begin, rise.begin + half, x, y);
    const Sums second = sums_of(points, rise.end - half, rise.end, x, y);
    early.xx += first.xx, early.xy += first.xy, late.xx += second.xx, late.xy += second.xy;
    const std::size_t third = std::max<std::size_t>(2, rise.count() / 3);
    // Where the first began was not seen, nor how the last one ends.
    const auto grown = [&points](std::size_t begin_at, std::size_t end_at, Sums& of) {
      of.xy += points.y[end_at] - points.y[begin_at], of.xx += points.x[end_at] - points.x[begin_at];
    };
    if (j > 0) grown(rise.begin, rise.begin + third, begin);
    if (j + 1 < count) grown(rise.end - 1 - third, rise.end - 1, at_end);
    if (j > 0) lowest_base = std::min(lowest_base, rise.from), highest_base = std::max(highest_base, rise.from);
    largest = std::max(largest, rise.to - rise.from);
    grown_days += points.x[rise.end - 1] - points.x[rise.begin] + 1;
    freedom += static_cast<double>(rise.count() - 1);
    ++used, long_ones += rise.count() >= kFewestPointsOfTwo ? 1 : 0;
  }
  if ((used < 3 && long_ones < 2) || grown_days < kLeastDays) return std::nullopt;
  const double slope = all.xy / all.xx;
  const double straight = all.xy * slope / all.yy;
  const double apart =
      falls > 1 ? (points.x[rises[count - 1].begin] - points.x[rises[1].begin]) / static_cast<double>(falls - 1) : 0;
  const bool of_week = std::abs(apart - 7) < kOffWeek;
  if (of_week && largest < kLeastOfWeek * std::abs(lowest_base) &&
      (points.seen < 1 || !grows_all_week(points, std::span<const Rise>(rises).first(count), slope) ||
       !grows_at_once(floors, points, std::span<const Rise>(rises).first(count), slope)))
    return std::nullopt;
  if (slope < min_per_day || straight < (of_week ? kStraightOfWeek : kStraight)) return std::nullopt;
  if (-std::log(1 - straight) * (freedom - static_cast<double>(used)) < kEvidenceOfFalls) return std::nullopt;
  const auto as_always = [slope, least = of_week ? kAtOnceOfWeek : kAtOnce](const Sums& of) {
    return of.xx == 0 || (of.xy > least * slope * of.xx && of.xy < kMostAtOnce * slope * of.xx);
  };
  if (!as_always(begin) || !as_always(at_end)) return std::nullopt;
  if (late.xy / late.xx < kStillGrows * early.xy / early.xx) return std::nullopt;
  if (highest_base - lowest_base > kOneBase * largest) return std::nullopt;
  for (std::size_t j = 0; j < count; ++j) {
    const Rise& rise = rises[j];
    if (rise.count() < kFewestPoints) continue;
    if (rise.slope > kAlike * slope || rise.slope * kAlike < slope) return std::nullopt;
    if (j + 1 == count) continue;
    const double back = rise.to - points.y[rises[j + 1].begin];
    if (back < kGivenBackByFall * (rise.to - rise.from)) return std::nullopt;
  }
  const Rise& newest = rises[count - 1];
  Falls found;
  found.count = falls;
  found.given_back = fallen;
  found.growth = std::max(0.0, points.y[newest.end - 1] - points.y[newest.begin]);
  found.days = points.x[newest.end - 1] - points.x[newest.begin] + 1;
  found.slope_per_day = newest.count() >= kFewestPoints ? newest.slope : slope;
  return found;
}

struct Stretch {
  std::span<const double> x, y;
};
struct Straight {
  double growth = 0;    // of the line; 0: it is none
  double evidence = 0;  // for it
};

/// Over the last of them: a line that explains `straight` of what they vary, as surely as `evidence` wants; goes up from nearly
/// each to the next, never by more than `largest` of it, and in its second half, too.
Straight straight_growth(const Stretch& of, double straight, double evidence, double largest) {
  const std::size_t n = of.x.size();
  double middle_x = 0, middle_y = 0;
  for (std::size_t i = 0; i < n; ++i)
    middle_x += of.x[i] / static_cast<double>(n), middle_y += of.y[i] / static_cast<double>(n);
  double xx = 0, xy = 0, yy = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double u = of.x[i] - middle_x, v = of.y[i] - middle_y;
    xx += u * u, xy += u * v, yy += v * v;
  }
  const double growth = xy / xx * (of.x[n - 1] - of.x[0]), share = xy * xy / (xx * yy);
  if (!(share >= straight)) return {};
  const double surely = -std::log(std::max(1 - share, 1e-12)) * static_cast<double>(n - 2);
  if (surely < evidence) return {};
  std::size_t up = 0;
  for (std::size_t i = 1; i < n; ++i) {
    const double step = of.y[i] - of.y[i - 1];
    if (step > largest * growth) return {};
    if (step > 0) ++up;
  }
  if (static_cast<double>(up) < kRisingDays * static_cast<double>(n - 1)) return {};
  const std::size_t half = n / 2;
  const double early = (of.y[half] - of.y[0]) / (of.x[half] - of.x[0]);
  const double late = (of.y[n - 1] - of.y[half]) / (of.x[n - 1] - of.x[half]);
  if (late < kStillRises * early) return {};
  return {growth, surely};
}

/// Whether what lies before `to` went up to it by `least`, for days, not at once, and to the end: what fills slows down.
bool rose_before(std::span<const double> x, std::span<const double> y, std::size_t to, double least) {
  std::size_t low = to, foot = to;
  for (std::size_t i = to; i-- > 0;) {
    if (y[to] - y[i + 1] >= least && y[i] - y[i + 1] > kFallOfRise * (y[to] - y[i + 1])) break;  // the one before that
    if (y[i] < y[low]) low = i;
  }
  const double rise = y[to] - y[low];
  if (rise < least) return false;
  for (std::size_t i = low + 1; i <= to; ++i)
    if (y[i] - y[i - 1] > kLargestDay * rise) return false;
  while (y[foot] > y[low] + kFoot * rise) --foot;
  return x[to] - x[foot] >= kDaysOfEarlier && y[to] - y[(foot + to) / 2] >= kStillRose * (y[to] - y[foot]);
}

/// A sudden fall, or a rest, that ends at `begin`, and a rise before that.
bool comes_again(std::span<const double> x, std::span<const double> y, std::size_t begin, double growth) {
  const double from = y[begin];
  std::size_t top = begin, highest = begin, rest = begin;
  for (std::size_t i = begin; i-- > 0 && x[begin] - x[i] <= 10;) {
    if (y[i] > y[highest]) highest = i;
    if (x[begin] - x[i] <= 3 && y[i] > y[top]) top = i;
  }
  if (const double fall = y[top] - from; top < begin && fall >= kFallOfRise * growth &&
                                         fall >= kSuddenFall * (y[highest] - from) &&
                                         rose_before(x, y, top, kEarlierRise * growth))
    return true;
  while (rest > 0 && std::abs(y[rest - 1] - from) <= kRest * growth) --rest;
  return x[begin] - x[rest] >= kDaysOfRest && rose_before(x, y, rest, kEarlierRise * growth);
}

}  // namespace

std::optional<Falls> find_newest_rise(std::span<const float> floors, double min_per_day) {
  const Points points = daily_floors(floors);
  const std::span<const double> x = std::span(points.x).first(points.count), y = std::span(points.y).first(points.count);
  if (points.count == 0) return std::nullopt;
  const double last = x[points.count - 1];
  std::optional<Falls> found;
  double surest = 0;  // days of rest are no part of it
  for (std::size_t i = kFewestPoints; i + kFewestPoints <= points.count; ++i) {
    const double days = last - x[i];
    if (days > kMostDaysOfRise) continue;
    if (days < kDaysOfRise) break;
    const auto [growth, evidence] = straight_growth({x.subspan(i), y.subspan(i)}, kStraightRise, kEvidenceOfRise, kLargestDay);
    if (growth < min_per_day * days || growth < kOfBegin * y[i] || evidence <= surest) continue;
    if (!comes_again(x, y, i, growth)) continue;
    surest = evidence;
    found.emplace();
    found->again = true;
    found->growth = growth;
    found->days = days;
    found->slope_per_day = growth / days;
  }
  return found;
}

std::optional<Falls> find_fast_peaks(std::span<const float> highs, std::span<const float> floors, double least) {
  std::array<double, kHistoryDays> x, y;
  const std::size_t days = std::min({highs.size(), floors.size() / kBucketsPerDay, std::size_t{kHistoryDays}});
  const std::span<const float> of_days = highs.last(days), lows = floors.last(days * kBucketsPerDay);
  const auto lowest = [&lows](std::size_t from, std::size_t to) {
    return lowest_of(lows.subspan(from * kBucketsPerDay, (to - from) * kBucketsPerDay));
  };
  const auto highest_low = [&lowest](std::size_t from,
                                     std::size_t to) {  // of a day: what was given back just now hides nothing
    double high = lowest(from, from + 1);
    while (++from < to) high = std::fmax(high, lowest(from, from + 1));
    return high;
  };
  const double base = lowest(0, days);
  std::size_t count = 0;
  for (std::size_t day = 0; day < days; ++day) {
    float before = 0;
    for (std::size_t i = day - std::min<std::size_t>(day, 3); i < day; ++i) before = std::fmax(before, of_days[i]);
    const auto high = static_cast<double>(of_days[day]);
    if (!(high - base >= kPeak * (static_cast<double>(before) - base))) continue;
    x[count] = static_cast<double>(day), y[count++] = high;
  }
  if (count == 0 || static_cast<double>(days) - x[count - 1] > 4) return std::nullopt;
  for (std::size_t i = 0; i + kFewestPeaks <= count; ++i) {
    const double span = x[count - 1] - x[i];
    if (span > kMostDaysOfPeaks) continue;
    if (span < kDaysOfPeaks) break;
    const Stretch course{std::span<const double>(x).subspan(i, count - i), std::span<const double>(y).subspan(i, count - i)};
    const double growth = straight_growth(course, kStraightPeaks, kEvidenceOfPeaks, kLargestOfPeaks).growth;
    if (growth <= 0 || growth < least || growth < kOfFirstPeak * y[i]) continue;
    bool falls = false;
    for (std::size_t j = 1; j < course.y.size(); ++j) falls = falls || course.y[j - 1] - course.y[j] > kFallOfPeaks * growth;
    const auto first = static_cast<std::size_t>(x[i]), third = static_cast<std::size_t>(span / 3);
    if (falls || !(highest_low(days - third, days) - lowest(first, first + third) < kFloorOfPeaks * growth)) continue;
    Falls found;
    found.of_peaks = found.by_day = true;
    found.growth = growth;
    found.days = span;
    found.slope_per_day = growth / span;
    found.peak = y[count - 1], found.peak_days = static_cast<double>(days) - x[count - 1];
    return found;
  }
  return std::nullopt;
}

std::optional<Falls> find_falls(std::span<const float> floors, double min_per_day) {
  Points points = daily_floors(floors);
  if (points.span_days() < kLeastDays) return std::nullopt;
  if (const std::optional<Falls> found = find(floors, points, min_per_day)) return found;
  // The week may hide them; where they come with it, it would take them along.
  remove_weekly_cycle(points);
  return find(floors, points, min_per_day);
}

std::optional<Falls> find_rising_peaks(std::span<const float> highs, std::span<const float> floors, double min_per_day) {
  constexpr std::size_t kWeek = 7, kLeastWeeks = 5, kMostWeeks = 8, kLeastDaysOfWeek = 3;
  constexpr double kOfPeak = 0.25;      // of the first week's peak: growth that is more than load varies
  constexpr double kLine = 0.9;         // of what the peaks vary, a line explains: neither a step nor chance
  constexpr double kStep = 0.45;        // of the growth at most, from one week to the next; none falls by a tenth of that
  constexpr double kLate = 0.25;        // of the growth, in the second half of the time
  constexpr double kMostOfFloor = 0.5;  // of the growth: else the floors tell it
  const std::size_t weeks = std::min(highs.size() / kWeek, kMostWeeks);
  if (weeks < kLeastWeeks) return std::nullopt;
  std::array<double, kMostWeeks> peaks;
  for (std::size_t week = 0; week < weeks; ++week) {
    float peak = std::numeric_limits<float>::quiet_NaN();
    std::size_t seen = 0;
    for (const float high : highs.last((weeks - week) * kWeek).first(kWeek))
      if (!std::isnan(high)) peak = std::fmax(peak, high), ++seen;
    if (seen < kLeastDaysOfWeek) return std::nullopt;
    peaks[week] = static_cast<double>(peak);
  }
  const double middle_x = static_cast<double>(weeks - 1) / 2;
  double middle_y = 0, xx = 0, xy = 0, yy = 0;
  for (std::size_t i = 0; i < weeks; ++i) middle_y += peaks[i] / static_cast<double>(weeks);
  for (std::size_t i = 0; i < weeks; ++i) {
    const double u = static_cast<double>(i) - middle_x, v = peaks[i] - middle_y;
    xx += u * u, xy += u * v, yy += v * v;
  }
  const double growth = xy / xx * static_cast<double>(weeks - 1), days = static_cast<double>((weeks - 1) * kWeek);
  if (!(growth >= kOfPeak * std::abs(peaks[0])) || growth < min_per_day * days) return std::nullopt;
  if (xy * xy < kLine * xx * yy) return std::nullopt;
  if (peaks[weeks - 1] - peaks[weeks / 2] < kLate * growth || peaks[weeks - 1] < peaks[weeks - 2]) return std::nullopt;
  for (std::size_t i = 1; i < weeks; ++i)
    if (const double step = peaks[i] - peaks[i - 1]; step > kStep * growth || step < -0.1 * kStep * growth) return std::nullopt;
  constexpr std::size_t kBuckets = kWeek * kBucketsPerDay;
  if (floors.size() < weeks * kBuckets) return std::nullopt;
  const std::span<const float> known = floors.last(weeks * kBuckets);
  if (!(lowest_of(known.last(kBuckets)) - lowest_of(known.first(kBuckets)) < kMostOfFloor * growth)) return std::nullopt;
  Falls found;
  found.of_peaks = true;
  found.growth = growth;
  found.days = days;
  found.slope_per_day = growth / days;
  found.peak = peaks[weeks - 1];
  return found;
}

}  // namespace kmem::trend
