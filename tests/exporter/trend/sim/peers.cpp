#include "tests/exporter/trend/sim/peers.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace kmem::trend::sim {
namespace {

constexpr double kDayMs = 86'400'000.0;
constexpr double kDerivPerDay = 0.004;  // of the level
constexpr double kHorizonDays = 30;
constexpr double kNone = std::numeric_limits<double>::infinity();

struct Point {
  double day, bytes;
};

struct Regression {
  double slope = 0, end = 0;  // a day; fitted value at the newest point
};

Regression regress(const Point* first, const Point* last) {
  const double n = static_cast<double>(last - first), now = (last - 1)->day;
  double x = 0, y = 0, xx = 0, xy = 0;
  for (const Point* at = first; at != last; ++at) {
    const double dx = at->day - now;
    x += dx, y += at->bytes, xx += dx * dx, xy += dx * at->bytes;
  }
  const double spread = xx - x * x / n;
  Regression result;
  result.slope = spread > 0 ? (xy - x * y / n) / spread : 0;
  result.end = y / n - result.slope * x / n;
  return result;
}

}  // namespace

std::array<std::optional<double>, 3> ask_peers(const History& history) {
  std::vector<Point> points;
  const auto begin = static_cast<double>(history.samples.front().time_ms);
  for (const Sample& sample : history.samples) {
    points.push_back({(static_cast<double>(sample.time_ms) - begin) / kDayMs, sample.bytes});
  }
  std::vector<double> days(57, kNone);  // daily minima
  std::array<std::optional<double>, 3> alarms;
  std::array<int, 3> held{};
  std::size_t first = 0, end = 0, noted = 0;
  for (double day = 1; day <= 56; day += 0.25) {
    while (end < points.size() && points[end].day <= day) ++end;
    while (first < end && points[first].day < day - 7) ++first;
    for (; noted < end; ++noted) {
      double& low = days[static_cast<std::size_t>(points[noted].day)];
      low = std::min(low, points[noted].bytes);
    }
    std::array<bool, 3> fires{};
    Regression line;
    if (end - first >= 8) {
      line = regress(points.data() + first, points.data() + end);
      fires[0] = line.slope > kDerivPerDay * line.end;
      fires[1] = line.end + kHorizonDays * line.slope > history.limit_bytes;
    }
    const auto today = static_cast<std::size_t>(day) - 1;  // the newest whole day
    if (today >= 20 && end - first >= 8) {
      std::array<double, 3> weeks;  // oldest first
      for (std::size_t week = 0; week < 3; ++week) {
        const auto from = days.begin() + static_cast<std::ptrdiff_t>(today + 1 - 7 * (3 - week));
        weeks[week] = *std::min_element(from, from + 7);
      }
      const double rise1 = weeks[1] - weeks[0], rise2 = weeks[2] - weeks[1];
      double jump = 0;
      for (std::size_t i = today - 19; i <= today; ++i) {
        if (days[i] < kNone && days[i - 1] < kNone) jump = std::max(jump, days[i] - days[i - 1]);
      }
      const bool known =
          weeks[0] < kNone && weeks[1] < kNone && weeks[2] < kNone && days[today] < kNone && days[today - 20] < kNone;
      fires[2] = known && rise1 >= 0.015 * weeks[0] && rise2 >= 0.015 * weeks[1] && rise1 <= 3 * rise2 && rise2 <= 3 * rise1 &&
                 days[today] - days[today - 20] - jump >= 0.03 * days[today - 20] && line.slope > 0.002 * line.end;
    }
    for (std::size_t i = 0; i < fires.size(); ++i) {
      held[i] = fires[i] ? held[i] + 1 : 0;
      if (held[i] >= 5 && !alarms[i]) alarms[i] = day;
    }
  }
  return alarms;
}

}  // namespace kmem::trend::sim
