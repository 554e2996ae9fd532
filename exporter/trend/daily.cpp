#include "exporter/trend/daily.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kmem::trend {
namespace {

constexpr double kWeeklyCycleFromDays = 16;
constexpr double kFreeDaysMustHalve = 0.5;  // the residual variance, to be believed
constexpr std::size_t kQuietBuckets = 4;    // of a day's six: bursts and working hours stay out, noise averages out
constexpr double kUsual = 0.6;              // of the days that were seen at all: hours seen on so many are compared
constexpr double kWhole = 0.7;              // of them: where fewer were seen whole, all are compared by parts
constexpr double kFarApart = 1.6;           // days: the rule, not gaps
constexpr double kLargestGap = 0.4;         // of the span: what lies on either side of a larger one is two levels, no course

using Hours = std::array<bool, kBucketsPerDay>;

/// The mean of the lower two thirds: of one value itself, of two both, of three two. Sorts them.
double quiet_mean(std::span<double> values) {
  const std::size_t quiet = (2 * values.size() + 2) / 3;
  std::sort(values.begin(), values.end());
  double sum = 0;
  for (const double value : values.first(quiet)) sum += value;
  return sum / static_cast<double>(quiet);
}

struct Looks {
  std::array<std::size_t, kBucketsPerDay> days_by_hour{};
  std::size_t days = 0, full_days = 0;
  std::size_t span = 0, full_span = 0;  // from the first of them to the last
};
Looks count_looks(std::span<const float> floors) {
  Looks looks;
  std::size_t first = 0, first_full = 0;
  for (std::size_t day = 0; !floors.empty(); floors = floors.subspan(kBucketsPerDay), ++day) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < kBucketsPerDay; ++i) {
      if (std::isnan(floors[i])) continue;
      ++looks.days_by_hour[i];
      ++count;
    }
    if (count == 0) continue;
    if (looks.days++ == 0) first = day;
    looks.span = day - first + 1;
    if (count < kQuietBuckets) continue;
    if (looks.full_days++ == 0) first_full = day;
    looks.full_span = day - first_full + 1;
  }
  return looks;
}

/// Those of the day that are usually seen; where none are, all that are wanted.
Hours usual_hours(const Looks& looks) {
  Hours hours{};
  for (std::size_t i = 0; i < kBucketsPerDay; ++i)
    hours[i] = static_cast<double>(looks.days_by_hour[i]) >= kUsual * static_cast<double>(looks.days);
  return hours;
}

/// Days from one to the next; 1 where that would hide a large gap.
double mean_spacing(const Points& points) {
  double gap = 0;
  for (std::size_t i = 1; i < points.count; ++i) gap = std::max(gap, points.x[i] - points.x[i - 1]);
  if (points.count < 2 || (points.count > 3 && gap > kLargestGap * points.span_days())) return 1;
  return points.span_days() / static_cast<double>(points.count - 1);
}

/// Days that were seen in part: where hours are usual, days without one of them are none.
Points floors_of_parts(std::span<const float> floors, const Hours& usual) {
  Points points;
  const bool any_hour = std::none_of(usual.begin(), usual.end(), [](bool hour) { return hour; });
  const std::size_t days = floors.size() / kBucketsPerDay;
  std::array<double, kHistoryDays> y{};
  std::size_t seen = 0;
  for (std::size_t day = 0; day < days; ++day) {
    std::array<double, kBucketsPerDay> part{};
    std::size_t count = 0, lacking = 0;
    for (std::size_t i = 0; i < kBucketsPerDay; ++i) {
      if (!any_hour && !usual[i]) continue;
      const auto value = static_cast<double>(floors[day * kBucketsPerDay + i]);
      if (std::isnan(value)) ++lacking;
      else part[count++] = value;
    }
    if (count == 0 || (!any_hour && lacking > 0)) continue;
    points.x[points.count] = static_cast<double>(kHistoryDays - days + day);
    y[points.count++] = quiet_mean({part.data(), count});
    seen += count;
  }
  if (points.count == 0) return points;
  // One look meets a burst as easily as a quiet hour: the quieter two of three neighbours are taken.
  for (std::size_t i = 0; i < points.count; ++i) {
    const std::size_t from = i == 0 ? 0 : i - 1, to = std::min(points.count, i + 2);
    std::array<double, 3> near{};
    std::copy(y.begin() + static_cast<std::ptrdiff_t>(from), y.begin() + static_cast<std::ptrdiff_t>(to), near.begin());
    points.y[i] = quiet_mean({near.data(), to - from});
  }
  points.spacing = mean_spacing(points);
  points.seen = static_cast<double>(seen) / (static_cast<double>(points.count * kBucketsPerDay) * points.spacing);
  return points;
}

}  // namespace

double lowest_of(std::span<const float> floors) {
  float low = std::numeric_limits<float>::quiet_NaN();
  for (const float floor : floors) low = std::fmin(low, floor);
  return static_cast<double>(low);
}

double day_floor(std::span<const float> buckets) {
  std::array<float, kBucketsPerDay> seen;
  std::size_t count = 0;
  for (const float value : buckets.first(kBucketsPerDay)) {  // kept in order as they come
    if (std::isnan(value)) continue;
    std::size_t at = count++;
    for (; at > 0 && seen[at - 1] > value; --at) seen[at] = seen[at - 1];
    seen[at] = value;
  }
  if (count < kQuietBuckets) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (std::size_t i = 0; i < kQuietBuckets; ++i) sum += static_cast<double>(seen[i]);
  return sum / kQuietBuckets;
}

Points daily_floors(std::span<const float> floors) {
  Points points;
  const std::size_t days = std::min<std::size_t>(floors.size() / kBucketsPerDay, kHistoryDays);
  const Looks looks = count_looks(floors.last(days * kBucketsPerDay));
  const auto most = [](std::size_t part, std::size_t all) {
    return static_cast<double>(part) >= kWhole * static_cast<double>(all);
  };
  if (!most(looks.full_days, looks.days) || !most(looks.full_span, looks.span))
    return floors_of_parts(floors.last(days * kBucketsPerDay), usual_hours(looks));
  std::span<const float> rest = floors.last(days * kBucketsPerDay);
  for (std::size_t day = 0; day < days; ++day, rest = rest.subspan(kBucketsPerDay)) {
    const double value = day_floor(rest);
    if (std::isnan(value)) continue;
    points.x[points.count] = static_cast<double>(kHistoryDays - days + day);
    points.y[points.count++] = value;
  }
  const double apart = mean_spacing(points);
  if (apart > kFarApart) points.spacing = apart, points.seen = 1 / apart;  // on for some days of every week
  return points;
}

double median(std::span<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double quantile(std::span<double> values, double share) {
  if (values.empty()) return 0;
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): it is not negative
  const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

/// With less than two weeks only a pattern known beforehand can be told from growth: two of seven days differ.
void remove_free_days(Points& points) {
  const std::size_t n = points.count;
  double plain = 0, best = 0, best_effect = 0;
  int best_phase = -1;
  const auto fit = [&](int phase) {  // y = a + b x + c free(x): residual sum of squares, and c
    double mx = 0, my = 0, mf = 0;
    const auto free = [&](std::size_t i) { return phase >= 0 && (static_cast<int>(points.x[i]) + phase) % 7 < 2 ? 1.0 : 0.0; };
    for (std::size_t i = 0; i < n; ++i) mx += points.x[i], my += points.y[i], mf += free(i);
    mx /= static_cast<double>(n), my /= static_cast<double>(n), mf /= static_cast<double>(n);
    double xx = 0, xy = 0, yy = 0, xf = 0, ff = 0, fy = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double u = points.x[i] - mx, v = points.y[i] - my, f = free(i) - mf;
      xx += u * u, xy += u * v, yy += v * v, xf += u * f, ff += f * f, fy += f * v;
    }
    double rss = yy - xy * xy / xx, effect = 0;
    const double spread = ff - xf * xf / xx;
    if (spread > 0.3) {
      effect = (fy - xf * xy / xx) / spread;
      rss -= effect * effect * spread;
    }
    return std::array<double, 2>{std::max(0.0, rss), effect};
  };
  plain = best = fit(-1)[0];
  for (int phase = 0; phase < 7; ++phase) {
    // Free days at an end of the span would pass for a growth that begins or ends steeply.
    bool inside = false;
    for (std::size_t i = 1; i + 2 < n; ++i) {
      inside = inside || ((static_cast<int>(points.x[i]) + phase) % 7 == 0 && points.x[i + 1] - points.x[i] < 1.5);
    }
    if (!inside) continue;
    const auto [rss, effect] = fit(phase);
    if (rss < best) best = rss, best_effect = effect, best_phase = phase;
  }
  if (n < 7 || best_phase < 0 || best / static_cast<double>(n - 4) > kFreeDaysMustHalve * plain / static_cast<double>(n - 2))
    return;
  for (std::size_t i = 0; i < n; ++i) {
    if ((static_cast<int>(points.x[i]) + best_phase) % 7 < 2) points.y[i] -= best_effect;
  }
}

void remove_weekly_cycle(Points& points) {
  if (points.span_days() + 1 < kWeeklyCycleFromDays) return remove_free_days(points);
  // Deviation from the mean of the week around each day, gathered by day of week.
  std::array<std::array<double, 9>, 7> deviations{};
  std::array<std::size_t, 7> counts{};
  double within = 0, between = 0;
  std::size_t used = 0, low = 0;
  for (std::size_t i = 0; i < points.count; ++i) {
    while (points.x[low] < points.x[i] - 3) ++low;
    std::size_t high = low;
    double sum = 0;
    while (high < points.count && points.x[high] <= points.x[i] + 3) sum += points.y[high++];
    if (high - low != 7) continue;
    const auto weekday = static_cast<std::size_t>(points.x[i]) % 7;
    if (counts[weekday] < 9) deviations[weekday][counts[weekday]++] = points.y[i] - sum / 7;
    ++used;
  }
  std::array<double, 7> effect{};
  for (std::size_t day = 0; day < 7; ++day) {
    if (counts[day] == 0) return;
    effect[day] = median({deviations[day].data(), counts[day]});
    for (std::size_t i = 0; i < counts[day]; ++i) within += std::pow(deviations[day][i] - effect[day], 2);
    between += static_cast<double>(counts[day]) * effect[day] * effect[day];
  }
  if (between <= 0) return;
  // Shrunk towards none by what noise alone would show (James-Stein): a week or two of noise is no cycle.
  const double noise = used > 7 ? within / static_cast<double>(used - 7) : between;
  const double keep = std::max(0.0, 1 - noise * 7 / between);
  for (std::size_t i = 0; i < points.count; ++i) points.y[i] -= keep * effect[static_cast<std::size_t>(points.x[i]) % 7];
}

Line fit_line(std::span<const double> x, std::span<const double> y) {
  const std::size_t count = x.size();
  const double n = static_cast<double>(count);
  double mean_x = 0, mean_y = 0;
  for (std::size_t i = 0; i < count; ++i) mean_x += x[i], mean_y += y[i];
  mean_x /= n, mean_y /= n;
  double s2 = 0, s3 = 0, s4 = 0, sy = 0, s2y = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double u = x[i] - mean_x, v = y[i] - mean_y, u2 = u * u;
    s2 += u2, s3 += u2 * u, s4 += u2 * u2, sy += u * v, s2y += u2 * v;
  }
  Line line;
  line.slope = sy / s2;
  line.intercept = mean_y - line.slope * mean_x;
  // The parabola orthogonal to the line: u^2 - (s3/s2) u - s2/n.
  const double norm = s4 - s3 * s3 / s2 - s2 * s2 / n;
  const double curve = norm > 0 ? (s2y - s3 / s2 * sy) / norm : 0;
  const double span = x[count - 1] - x[0];
  line.bend = 2 * curve * span;
  double rss = 0, lagged = 0, previous = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double u = x[i] - mean_x;
    const double residual = y[i] - mean_y - line.slope * u - curve * (u * u - s3 / s2 * u - s2 / n);
    rss += residual * residual;
    if (i > 0) lagged += residual * previous;
    previous = residual;
  }
  const double free = n - 3;
  line.sigma = std::sqrt(rss / free);
  // Autocorrelation of a day's floor to the next; the estimate from few points is too low by about (1 + 4 phi) / n.
  double phi = rss > 0 ? lagged / rss : 0;
  phi = std::clamp(phi + (2 + 4 * phi) / n, 0.2, 0.9);
  line.squares = rss, line.correlation = phi;
  const double inflate = std::sqrt((1 + phi) / (1 - phi));
  line.error = line.sigma * inflate / std::sqrt(s2);
  line.bend_error = norm > 0 ? 2 * span * line.sigma * inflate / std::sqrt(norm) : 0;
  return line;
}

double median_slope(std::span<const double> x, std::span<const double> y) {
  std::array<double, kHistoryDays*(kHistoryDays - 1) / 2> slopes;
  std::size_t count = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) slopes[count++] = (y[i] - y[j]) / (x[i] - x[j]);
  }
  return median({slopes.data(), count});
}

}  // namespace kmem::trend
