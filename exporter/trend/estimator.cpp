#include "exporter/trend/estimator.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "exporter/trend/daily.h"

namespace kmem::trend {
namespace {

constexpr std::size_t kFewestDays = 5;

constexpr double kShortestSpanDays = 6.05;  // a week: whole days count
constexpr double kLeastClear = 2.2;         // slope over its error: less is no growth
// As little as any leak shows.
constexpr double kLeastBeyondWalk = 1.1, kLeastUnjumped = -0.5, kLeastAbovePast = 0.4, kMostSlowing = -2.2;
constexpr double kFills = -0.8;  // what bends by more than that, its error let off, is no leak however it looks
constexpr double kSpeedsUpFrom = 1.5, kSpeedsUpSurely = 3;  // errors of the bend
constexpr double kQuietBeforeDays = 4;
constexpr double kNoPast = 9;                                // stands for: far beyond
constexpr double kLeastUnexplained = 1e-6;                   // of the squares: less is rounding
constexpr double kEvidenceOfAPoint = 10;                     // of the score, see Assessment
constexpr double kWatchSpanDays = 5, kWatchEvidence = -1.5;  // what is watched
// Few looks weaken every sign of growth more than they make others look like it: by that, for e times fewer.
constexpr double kEvidenceOfUnseen = 0.4;
constexpr double kUrgentDays = 4;        // until the limit
constexpr double kOrdinaryRate = 0.015;  // faster growth is waited for, but not where it is urgent

// A pace that has changed: as few days before and since, so much less left by the squares than by one line (in units of the
// variance, autocorrelation counted) and than by a parabola.
constexpr std::size_t kFewestBefore = 5, kFewestSince = 10;
constexpr double kClearKnee = 16, kNoParabola = 4;
constexpr double kStands = 0.2, kStandsSurely = 2;  // of the pace before, that many errors let off
constexpr double kDaysOfEnd = 4;                    // since a rise ended: fewer may be a week's end
constexpr double kRests = 0.35,
                 kDaysOfShortRest = 6;  // what a rest of few days may still show of the pace before, one error let off

/// What `worse` by the squares, over that many points, is worth in units of the variance, autocorrelation counted.
bool is_clear(double log_worse, std::size_t count, double correlation) {
  return log_worse * static_cast<double>(count) >= kClearKnee * (1 + correlation) / (1 - correlation);
}

struct Onset {
  std::size_t day = 0;    // index of the day at which the growth begins
  double rss = 0;         // of "flat, then a line" at its best
  double told_worse = 0;  // log of how much worse the begin is that was told; 0 where none was
};
/// The best "flat, then a line" over all begins, and of those that fit almost as well the earliest, because a leak that
/// is seen late was there before.
Onset find_onset(const Points& points, double told_days_ago) {
  const std::size_t count = points.count;
  const double n = static_cast<double>(count), last = points.x[count - 1];
  double sum_y = 0, sum_yy = 0;
  for (std::size_t i = 0; i < count; ++i) sum_y += points.y[i];
  const double mean = sum_y / n;
  for (std::size_t i = 0; i < count; ++i) sum_yy += (points.y[i] - mean) * (points.y[i] - mean);
  std::array<double, kHistoryDays> rss{};
  double sx = 0, sxx = 0, sy = 0, sxy = 0, m = 0, best = sum_yy;
  for (std::size_t k = count; k-- > 0;) {  // sums over the points from k on, x counted from the last day
    const double x = points.x[k] - last, y = points.y[k] - mean;
    sx += x, sxx += x * x, sy += y, sxy += x * y, m += 1;
    const double h = sx - m * x, hh = sxx - 2 * x * sx + m * x * x, hy = sxy - x * sy;
    const double spread = hh - h * h / n;
    const bool enough = count - k >= kFewestDays;
    rss[k] = enough && spread > 0 && hy > 0 ? sum_yy - hy * hy / spread : sum_yy;
    best = std::min(best, rss[k]);
  }
  const double limit = best * (1 + 3.0 / n);
  Onset found{0, best};
  std::size_t told = 0;
  while (told + kFewestDays < count && last - points.x[told] + 0.5 > told_days_ago) ++told;
  if (told_days_ago > 0 && best > 0) {  // days are counted back from the end, and the begin is of none of them
    const double near = std::min({rss[told == 0 ? 0 : told - 1], rss[told], rss[told + 1]});
    found.told_worse = std::log(near / best);
  }
  for (std::size_t k = 0; k < count; ++k) {
    if (rss[k] > limit) continue;
    if (points.x[k] - points.x[0] > 2 * points.spacing) found.day = k;
    break;
  }
  return found;
}

struct Ended {
  double worse = 0;  // log of how much worse `rss` is than what is left by this, by the squares
  double rise_days = 0;
  std::size_t first = 0, last = 0;  // points of the rise
};
/// The best "flat, then a line, then flat again", against something else that leaves `rss`.
Ended find_ended(const Points& points, double rss) {
  const std::size_t count = points.count;
  const double n = static_cast<double>(count);
  double mean = 0, squares = 0;
  for (std::size_t i = 0; i < count; ++i) mean += points.y[i] / n;
  for (std::size_t i = 0; i < count; ++i) squares += (points.y[i] - mean) * (points.y[i] - mean);
  std::array<double, kHistoryDays + 1> above{};  // sum of y - mean from each point on
  for (std::size_t i = count; i-- > 0;) above[i] = above[i + 1] + points.y[i] - mean;
  double best = squares;
  Ended ended;
  for (std::size_t first = 0; first + 2 < count; ++first) {
    double h = 0, hh = 0, hy = 0;  // sums over the rise, its first point at 0
    for (std::size_t last = first + 1; last < count; ++last) {
      const double rise = points.x[last] - points.x[first], after = n - 1 - static_cast<double>(last);
      h += rise, hh += rise * rise, hy += rise * (points.y[last] - mean);
      const double sum = h + rise * after, spread = hh + rise * rise * after - sum * sum / n;
      const double with_y = hy + rise * above[last + 1];
      if (!(spread > 0) || !(with_y > 0)) continue;
      const double left = squares - with_y * with_y / spread;
      if (left < best) best = left, ended.rise_days = rise, ended.first = first, ended.last = last;
    }
  }
  const double least = std::max(kLeastUnexplained * squares, std::numeric_limits<double>::min());
  ended.worse = std::log(std::max(rss, least) / std::max(best, least));
  return ended;
}

/// Days since the rise has clearly been over and nothing has grown; 0: it goes on.
double rest_of(const Points& points, const Ended& ended) {
  constexpr std::size_t kFewestOfLine = 4;
  const std::size_t since = points.count - ended.last;
  const double days = points.x[points.count - 1] - points.x[ended.last];
  if (since < kFewestOfLine || days < kDaysOfEnd) return 0;
  const std::span<const double> x(points.x.data() + ended.last, since), y(points.y.data() + ended.last, since);
  const Line line = fit_line(x, y);
  const double rise = (points.y[ended.last] - points.y[ended.first]) / ended.rise_days;
  const bool stands = days <= kDaysOfShortRest ? line.slope + line.error < kRests * rise
                                               : line.slope + kStandsSurely * line.error < kStands * rise;
  return stands && is_clear(ended.worse, points.count, line.correlation) ? days : 0;
}

/// Growth that is left when the two largest jumps over two days are taken out, each beyond what the typical day adds.
double growth_without_jumps(std::span<const double> x, std::span<const double> y) {
  const std::size_t count = x.size();
  std::array<double, kHistoryDays> steps;
  for (std::size_t i = 1; i < count; ++i) steps[i - 1] = (y[i] - y[i - 1]) / (x[i] - x[i - 1]);
  const double typical = median({steps.data(), count - 1});
  double growth = y[count - 1] - y[0];
  std::array<double, kHistoryDays> excess{};
  for (std::size_t i = 2; i < count; ++i) excess[i] = y[i] - y[i - 2] - std::max(0.0, typical) * (x[i] - x[i - 2]);
  for (int jump = 0; jump < 2; ++jump) {
    const auto largest = static_cast<std::size_t>(
        std::max_element(excess.begin(), excess.begin() + static_cast<std::ptrdiff_t>(count)) - excess.begin());
    if (excess[largest] <= 0) break;
    growth -= excess[largest];
    const std::size_t from = largest < 1 ? 0 : largest - 1, to = std::min(count - 1, largest + 1);
    for (std::size_t i = from; i <= to; ++i) excess[i] = 0;
  }
  return growth;
}

/// How far the growth stands out of a random walk with increments as large as those seen over a fifth of the span.
double against_random_walk(std::span<const double> x, std::span<const double> y, double slope) {
  const std::size_t count = x.size();
  const double span = x[count - 1] - x[0];
  const auto lag = std::max<std::size_t>(1, (count + 2) / 5);
  double sum = 0, time = 0;
  std::size_t used = 0;
  for (std::size_t i = lag; i < count; ++i) {
    const double dx = x[i] - x[i - lag], off = y[i] - y[i - lag] - slope * dx;
    sum += off * off, time += dx;
    ++used;
  }
  const double free = static_cast<double>(used) / static_cast<double>(lag);
  const double variance_per_day = sum / time * (free + 1) / std::max(free, 1.0);
  if (variance_per_day <= 0) return 1e6;
  return slope * span / std::sqrt(variance_per_day * span);
}

/// "A line, then another from its end": the best begin of the second, and what is left by the squares.
struct Knee {
  std::size_t at = 0;  // point from which the second goes on; 0 = none
  double rss = 0;
};
Knee find_knee(std::span<const double> x, std::span<const double> y, const Line& line, double rss_of_line) {
  const std::size_t count = x.size();
  Knee knee{0, rss_of_line};
  double mean_x = 0;
  for (const double each : x) mean_x += each / static_cast<double>(count);
  double xx = 0;
  for (const double each : x) xx += (each - mean_x) * (each - mean_x);
  for (std::size_t at = kFewestBefore; at + kFewestSince <= count; ++at) {
    double h = 0, hx = 0, hh = 0, hy = 0;  // of the hinge; against the residuals of the line
    for (std::size_t i = at; i < count; ++i) {
      const double hinge = x[i] - x[at - 1];
      h += hinge, hh += hinge * hinge, hx += hinge * (x[i] - mean_x);
      hy += hinge * (y[i] - line.intercept - line.slope * x[i]);
    }
    const double spread = hh - h * h / static_cast<double>(count) - hx * hx / xx;
    if (spread <= 0) continue;
    const double left = rss_of_line - hy * hy / spread;
    if (left < knee.rss) knee = {at, left};
  }
  return knee;
}

}  // namespace

std::optional<Lately> changed_pace(std::span<const float> floors) {
  Points points = daily_floors(floors);
  if (points.count < kFewestBefore + kFewestSince) return std::nullopt;
  remove_weekly_cycle(points);
  const std::span<const double> x(points.x.data(), points.count), y(points.y.data(), points.count);
  const Line line = fit_line(x, y);
  double squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) squares += std::pow(y[i] - line.intercept - line.slope * x[i], 2);
  const Knee knee = find_knee(x, y, line, squares);
  if (knee.at == 0) return std::nullopt;
  const Line before = fit_line(x.first(knee.at), y.first(knee.at)), since = fit_line(x.subspan(knee.at), y.subspan(knee.at));
  const double n = static_cast<double>(x.size());
  const double variance = std::max(knee.rss, kLeastUnexplained * squares) / (n - 4);
  const double phi = std::max(before.correlation, since.correlation);
  const double unit = variance * (1 + phi) / (1 - phi);
  if (squares - knee.rss < kClearKnee * unit) return std::nullopt;
  Lately lately;
  lately.slope_per_day = median_slope(x.subspan(knee.at), y.subspan(knee.at));
  lately.slope_error_per_day = since.error;
  lately.stands = lately.slope_per_day + kStandsSurely * since.error < kStands * before.slope;
  lately.gradual = line.squares - knee.rss < kNoParabola * unit;
  return lately;
}

std::optional<EndedRise> ended_rise(std::span<const float> floors) {
  constexpr double kShortest = 3;                     // days: what is faster is told by the hour
  constexpr double kGivenBack = 0.15, kBeyond = 0.5;  // of the growth
  Points points = daily_floors(floors);
  if (points.count < 2 * kFewestDays) return std::nullopt;
  const Ended ended = find_ended(points, find_onset(points, 0).rss);
  EndedRise rise;
  rise.rest_days = rest_of(points, ended);
  rise.days = ended.rise_days;
  if (rise.rest_days == 0 || rise.days < kShortest) return std::nullopt;
  const auto begin = points.y.begin();
  const auto first = begin + static_cast<std::ptrdiff_t>(ended.first), last = begin + static_cast<std::ptrdiff_t>(ended.last);
  const auto end = begin + static_cast<std::ptrdiff_t>(points.count);
  rise.from_begin = ended.first == 0;
  rise.high = *std::max_element(begin, first + 1);
  const double low = *std::min_element(last, end);
  std::array<double, kHistoryDays> before = points.y, since{};
  std::copy(last, end, since.begin());
  rise.level = median({since.data(), points.count - ended.last});
  rise.growth = rise.level - median({before.data(), ended.first + 1});
  if (rise.level - low > kGivenBack * rise.growth || rise.level - rise.high < kBeyond * rise.growth) return std::nullopt;
  return rise;
}

Assessment assess(std::span<const float> floors, const EstimatorOptions& options) {
  Assessment result;
  Points points = daily_floors(floors);
  if (points.count < kFewestDays) return result;
  // Cheap and first: what grows ends above its own middle.
  std::array<double, kHistoryDays> sorted = points.y;
  const double middle = median({sorted.data(), points.count});
  std::array<double, 3> newest = {points.y[points.count - 1], points.y[points.count - 2], points.y[points.count - 3]};
  result.level = median(newest);
  if (result.level <= middle) return result;
  remove_weekly_cycle(points);
  const auto [onset, rss, told_worse] = find_onset(points, options.told_days_ago);
  const std::span<const double> x(points.x.data() + onset, points.count - onset);
  const std::span<const double> y(points.y.data() + onset, points.count - onset);
  if (x.size() < kFewestDays) return result;
  const Line line = fit_line(x, y);
  const double end = x.back(), span = end - x.front() + 1;
  if (line.slope <= 0) return result;
  const double growth = line.slope * span;
  result.slope_per_day = median_slope(x, y);
  result.slope_error_per_day = line.error;
  // Growth that speeds up: the slope at the end, as far as that is sure.
  const double speeds_up = line.bend / std::max(line.bend_error, 1e-12);
  result.slope_per_day += line.bend / 2 * std::clamp((speeds_up - kSpeedsUpFrom) / (kSpeedsUpSurely - kSpeedsUpFrom), 0.0, 1.0);
  result.onset_days_ago = span;
  result.level = line.intercept + line.slope * end;

  Signs signs;
  signs.span_days = span;
  signs.known_days = static_cast<double>(points.count) * points.spacing;
  const bool quiet_before = onset > 0 && x.front() - points.x[0] >= kQuietBeforeDays;
  signs.after_quiet = quiet_before || options.young_boot;
  const double begin_level = std::max(result.level - growth, 0.1 * std::abs(result.level));
  signs.rate = line.slope / std::max(1.0, begin_level);
  if ((options.limit - result.level) / line.slope < kUrgentDays) signs.rate = std::min(signs.rate, kOrdinaryRate);
  signs.clear = line.slope / std::max(line.error, 1e-12);
  signs.beyond_walk = against_random_walk(x, y, line.slope);
  signs.unjumped = growth_without_jumps(x, y) / growth;
  signs.bend = line.bend / line.slope, signs.bend_error = line.bend_error / line.slope;
  signs.above_past = kNoPast;
  if (onset > 0) {
    std::copy_n(points.y.begin(), onset, sorted.begin());
    signs.above_past = (result.level - quantile({sorted.data(), onset}, 0.9)) / (0.3 * growth);
  }
  const double coverage = static_cast<double>(x.size()) * points.spacing / span / 0.5;
  const double material = result.slope_per_day / options.min_per_day;
  if (signs.clear < kLeastClear || signs.beyond_walk < kLeastBeyondWalk || signs.unjumped < kLeastUnjumped ||
      signs.above_past < kLeastAbovePast || signs.bend < kMostSlowing || signs.bend + signs.bend_error < kFills ||
      coverage < 1) {
    return result;
  }
  const Ended ended = find_ended(points, rss);
  signs.ended = ended.worse, signs.rise_days = ended.rise_days;
  result.rest_days = rest_of(points, ended);
  result.other_begin = result.rest_days == 0 && is_clear(told_worse, points.count, line.correlation);
  const double evidence = evidence_of(signs) - kEvidenceOfUnseen * std::log(points.seen);
  result.signs = signs;
  const auto score = [&](double more) { return std::max(0.0, std::min(material, 1 + (evidence + more) / kEvidenceOfAPoint)); };
  if (span >= kShortestSpanDays) result.leak_score = score(0);
  result.watch_score = std::min(span / kWatchSpanDays, score(-kWatchEvidence));
  result.strength = std::min(std::exp(evidence / 2), material);
  return result;
}

}  // namespace kmem::trend
