#include "exporter/trend/estimator.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "exporter/trend/daily.h"

namespace kmem::trend {
namespace {

constexpr std::size_t kFewestDays = 5;

// Conditions of a leak. Set on simulated histories (tests/exporter/trend/sim), see there for what each one keeps out.
// Growth that begins after a quiet time is held to more: load that rises and stays looks like that. Growth for as long
// as anything is known has no such past to be compared with, nor a known weekly cycle.
struct Conditions {
  double clear;                // slope over its error
  double steadier_than_walk;   // growth over what a random walk of the same roughness does
  double share_without_jumps;  // of the growth, when the two largest jumps are taken out
  double worse_than_steps;     // most that growth may fit worse than two steps do, by the squares
  double bend_tolerance;       // loss of slope over the span, as a share of the slope
  double bend_doubt;           // errors of the bend that count against it
  double surge_bend;           // less tolerance for fast growth that is young
  double span;                 // factor on how long it must last
};
constexpr Conditions kAlwaysGrown = {3, 1.4, 0.35, 3.4, 0.6, 0.43, 0.32, 1};
constexpr Conditions kAfterQuiet = {4.5, 1.6, 0.1, 0.83, 0.325, 0.58, 0.175, 1.155};
// A walk strays ever further and a leak outgrows its noise: growth for twice as long and more must be steadier by 0.8.
constexpr double kWalkDays = 10, kLongSteadierThanWalk = 0.8;
constexpr double kStepsAssumeMore = 2.5;  // than a line does: so many days' worth of freedom
// What fills slows down visibly within a month; a leak's bend is only noise by then.
constexpr double kLongSpanDays = 22.7, kLongSpanTolerance = 0.4, kLongSpanLessDoubt = 0.09;
constexpr double kSureBend = 3;      // growth that speeds up for certain: errors of the bend
constexpr double kTightBend = 0.14;  // a bend known this well rules out slowing growth
// How long growth must last: the slower, the longer, and a week at least: whole days count.
constexpr double kSpanAtOnePercentDays = 8.9, kSpanPower = -0.63, kShortestSpanDays = 6.05, kLongestSpanDays = 22;
// Fast growth is mostly load or a cache and comes to an end, so while it is young, above all after a quiet time, it
// must be straighter and known to be so more surely; then a straight line is a leak.
constexpr double kSurgeFromRate = 0.022, kSurgeFullRate = 0.029;  // of the level, a day
constexpr double kSurgeBaseDays = 4.7, kSurgeMoreDays = 6.95, kTightSurgeMoreDays = 4;
constexpr double kSurgeDoubt = 0.68;  // errors of the bend more that count against it
constexpr double kSurgeAgeing = 0.9;  // of what is asked more, that long growth is let off
constexpr double kQuietBeforeDays = 4;
constexpr double kWatchSpanDays = 5, kWatchClear = 3, kWatchMoreBend = 0.3;
constexpr double kUrgentDays = 4;  // until the limit

struct Onset {
  std::size_t day = 0;  // index of the day at which the growth begins
  double rss = 0;       // of "flat, then a line" at its best
};
/// The best "flat, then a line" over all begins, and of those that fit almost as well the earliest, because a leak that
/// is seen late was there before.
Onset find_onset(const Points& points) {
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
  for (std::size_t k = 0; k < count; ++k) {
    if (rss[k] <= limit) return {points.x[k] - points.x[0] <= 2 ? 0 : k, best};
  }
  return {0, best};
}

/// Residual sum of squares of three levels, with the two steps between them where they fit best.
double rss_of_two_steps(const Points& points) {
  const std::size_t count = points.count;
  std::array<double, kHistoryDays + 1> sum{}, squares{};
  for (std::size_t i = 0; i < count; ++i) {
    const double y = points.y[i] - points.y[0];  // large levels would eat the digits
    sum[i + 1] = sum[i] + y;
    squares[i + 1] = squares[i] + y * y;
  }
  const auto rss = [&](std::size_t from, std::size_t to) {
    const double total = sum[to] - sum[from];
    return squares[to] - squares[from] - total * total / static_cast<double>(to - from);
  };
  double best = rss(0, count);
  for (std::size_t first = 1; first < count; ++first) {
    const double before = rss(0, first);
    for (std::size_t second = first + 1; second < count; ++second)
      best = std::min(best, before + rss(first, second) + rss(second, count));
  }
  return best;
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

}  // namespace

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
  const auto [onset, rss] = find_onset(points);
  const std::span<const double> x(points.x.data() + onset, points.count - onset);
  const std::span<const double> y(points.y.data() + onset, points.count - onset);
  if (x.size() < kFewestDays) return result;
  const Line line = fit_line(x, y);
  const double end = x.back(), span = end - x.front() + 1;
  if (line.slope <= 0) return result;
  const double growth = line.slope * span;
  result.slope_per_day = median_slope(x, y);
  result.slope_error_per_day = line.error;
  if (line.bend > kSureBend * line.bend_error) result.slope_per_day += line.bend / 2;  // the slope at the end
  result.onset_days_ago = span;
  result.level = line.intercept + line.slope * end;

  const double begin_level = std::max(result.level - growth, 0.1 * std::abs(result.level));
  const double rate = line.slope / std::max(1.0, std::abs(begin_level));
  const double z = line.slope / std::max(line.error, 1e-12);
  const double walk = against_random_walk(x, y, line.slope);
  const double smooth = growth_without_jumps(x, y) / growth;
  const double bend = line.bend / line.slope, bend_error = line.bend_error / line.slope;
  const bool quiet_before = onset > 0 && x.front() - points.x[0] >= kQuietBeforeDays;
  const Conditions& wanted = quiet_before || options.young_boot ? kAfterQuiet : kAlwaysGrown;
  double wanted_span = wanted.span * std::clamp(kSpanAtOnePercentDays * std::pow(rate / 0.01, kSpanPower),
                                                kShortestSpanDays, kLongestSpanDays);
  const bool urgent = (options.limit - result.level) / line.slope < kUrgentDays;
  const double surge = urgent ? 0 : std::clamp((rate - kSurgeFromRate) / (kSurgeFullRate - kSurgeFromRate), 0.0, 1.0);
  const double more = quiet_before || bend_error > kTightBend ? kSurgeMoreDays : kTightSurgeMoreDays;
  if (!urgent) wanted_span = std::max(wanted_span, kSurgeBaseDays + more * surge);
  double above_past = 9;
  if (onset > 0) {
    std::copy_n(points.y.begin(), onset, sorted.begin());
    above_past = (result.level - quantile({sorted.data(), onset}, 0.9)) / (0.3 * growth);
  }
  const double coverage = static_cast<double>(x.size()) / span / 0.5;
  const double material = result.slope_per_day / options.min_per_day;
  const double stretch = std::clamp((span - kLongSpanDays) / kLongSpanDays, 0.0, 1.0);
  const double young_surge = surge * (1 - kSurgeAgeing * stretch);
  const double straight = 1 + bend + wanted.bend_tolerance + kLongSpanTolerance * stretch -
                          young_surge * wanted.surge_bend -
                          (wanted.bend_doubt + young_surge * kSurgeDoubt - kLongSpanLessDoubt * stretch) * bend_error;
  const double long_walk = std::clamp(span / kWalkDays - 1, 0.0, 1.0);
  const double clear = z / wanted.clear,
               steady = walk / (wanted.steadier_than_walk + kLongSteadierThanWalk * long_walk);
  const double unjumped = smooth / wanted.share_without_jumps;
  result.leak_score = std::max(0.0, std::min({material, clear, steady, unjumped, straight, above_past, coverage}));
  if (result.leak_score >= 0.5) {  // costs more than the others together
    const double days = static_cast<double>(points.count);
    const double against = rss / std::max(rss_of_two_steps(points), 1e-12) * (1 - kStepsAssumeMore / days);
    result.leak_score = std::clamp(2 - against / wanted.worse_than_steps, 0.0, result.leak_score);
  }
  result.span_score = span / wanted_span;
  result.watch_score = std::max(0.0, std::min({material, span / kWatchSpanDays, z / kWatchClear, steady, unjumped,
                                               straight + kWatchMoreBend, above_past, coverage}));
  result.strength = std::max(0.0, std::min({clear, steady, unjumped, material}) * std::clamp(straight, 0.0, 1.0));
  return result;
}

}  // namespace kmem::trend
