#include "exporter/trend/evidence.h"

#include <algorithm>
#include <cmath>

namespace kmem::trend {
namespace {

// Knots. Those of rates and ratios lie on a logarithmic scale.
constexpr std::array kSpanDays = {5.5, 7.0, 8.0, 9.5, 12.0, 16.0, 24.0};
constexpr std::array kRate = {0.003, 0.006, 0.011, 0.018, 0.022, 0.027, 0.04};
constexpr std::array kBends = {-4.0, -2.0, -1.2, -0.5, 0.3, 2.0};
constexpr std::array kBendsSpanDays = {6.5, 9.0, 13.0, 24.0};
constexpr std::array kClearPlaces = {2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 25.0};
constexpr std::array kBeyondWalk = {1.0, 1.4, 1.8, 2.3, 3.0, 4.0, 6.0, 12.0};
constexpr std::array kUnjumped = {-0.3, 0.0, 0.1, 0.2, 0.3, 0.4, 0.55, 0.75};
constexpr std::array kBend = {-2.0, -1.4, -1.0, -0.7, -0.4, -0.2, 0.0, 0.5};
constexpr std::array kAbovePast = {0.3, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0};
constexpr std::array kEnded = {0.0, 0.02, 0.06, 0.12, 0.2, 0.35, 0.6, 1.2};
constexpr std::array kRiseDays = {2.0, 4.0, 6.0, 8.0, 11.0, 15.0, 22.0, 40.0};
constexpr std::array kKnownDays = {5.0, 7.0, 9.0, 12.0, 16.0, 22.0, 30.0, 56.0};

constexpr Curves kFitted = {
    .age = {{
        {-6.28, -5.89, -4.58, -3, -3.22, -5.7, -7.23},
        {-6.67, -6.8, -4.85, -1.19, -0.95, -6.67, -8.75},
        {-5.65, -5.45, -4.33, -3.99, -4.78, -6.62, -7.77},
        {-4.79, -3.46, -2.44, -5.05, -5.46, -6.27, -6.15},
        {-4.5, -2.31, -2.25, -4.71, -5.32, -5.22, -5.79},
        {-5.07, -4.09, -4.2, -5.28, -5.42, -5.43, -5.07},
        {-4, -3.67, -3.6, -4.56, -4.28, -4.68, -4.95},
    }},
    .age_after_quiet = {{
        {-4.85, -4.84, -4.78, -4.43, -4.47, -6.24, -7.07},
        {-4.85, -4.87, -5.03, -4.04, -2.74, -7.17, -7.88},
        {-4.67, -4.53, -4.07, -2.8, -4.9, -7.25, -7.94},
        {-4.51, -4.22, -3.36, -4.63, -6.03, -6.94, -7.6},
        {-4.4, -4.01, -3.89, -5.16, -5.76, -5.46, -5.6},
        {-3.75, -3.2, -4.22, -4.86, -5.02, -4.82, -4.47},
        {-3.01, -3.76, -3.21, -3.89, -3.55, -4, -4.13},
    }},
    .bends = {{
        {0.82, 0.18, -0.88, -1.28},
        {1.26, 0.54, -0.77, -1.28},
        {1.67, 0.66, -0.51, -1.01},
        {1.52, 0.59, -0.18, -0.61},
        {1.76, 0.53, -0.75, -1.68},
        {1.55, 0.14, -0.52, -1.57},
    }},
    .bends_after_quiet = {{
        {-0.72, -1.1, -1.43, -1.37},
        {-0.65, -1.08, -1.58, -1.27},
        {0.07, -0.81, -1.39, -0.72},
        {0.84, -0.85, -1.54, -0.9},
        {-0.24, -0.94, -1.24, -1.66},
        {-0.07, -0.18, -0.44, -1.51},
    }},
    .clear = {-0.81, -0.62, -0.09, -0.09, 0.14, 0.2, 0.62, 1.36},
    .beyond_walk = {-1.16, -0.26, -0.24, -0.05, -0.04, -0.04, -0.04, 0.76},
    .unjumped = {-1.08, -1.08, -0.18, -0.12, -0.05, 0.5, 0.6, 0.93},
    .bend = {-0.66, -0.27, -0.16, 0.35, 0.41, 1.17, 1.74, 1.76},
    .above_past = {-1.36, -1.36, -1.35, -1.34, 1.46, 1.91, 1.91},
    .ended = {0.41, 0.23, 0.23, 0.23, 0.23, 0.09, 0.09, -0.88},
    .rise_days = {-1.02, -0.93, -0.93, -0.93, -0.89, -0.89, 0.19, 1.08},
    .known_days = {2.8, -0.07, -0.66, 0.79, 1.03, 0.83, -0.03, -0.73},
};

struct Place {
  std::size_t before = 0;  // the knot before x, and how much of the next one counts
  double next = 0;
};
template <std::size_t kCount>
Place place(const std::array<double, kCount>& knots, double x, bool logarithmic = false) {
  x = std::clamp(x, knots.front(), knots.back());
  const auto next = std::upper_bound(knots.begin() + 1, knots.end() - 1, x);
  const double low = *(next - 1), high = *next;
  return {static_cast<std::size_t>(next - knots.begin()) - 1,
          logarithmic ? std::log(x / low) / std::log(high / low) : (x - low) / (high - low)};
}

class Collector {
 public:
  template <std::size_t kCount>
  void add(const std::array<double, kCount>& curve, const Place& at) {
    put(curve[at.before], 1 - at.next);
    put(curve[at.before + 1], at.next);
  }
  template <std::size_t kRows, std::size_t kColumns>
  void add(const std::array<std::array<double, kColumns>, kRows>& surface, const Place& row, const Place& column) {
    for (const std::size_t down : {0U, 1U}) {
      const auto& line = surface[row.before + down];
      const double weight = down == 0 ? 1 - row.next : row.next;
      put(line[column.before], weight * (1 - column.next));
      put(line[column.before + 1], weight * column.next);
    }
  }
  std::array<Knot, 24> knots{};

 private:
  void put(const double& value, double weight) { knots[count_++] = {&value, weight}; }
  std::size_t count_ = 0;
};

}  // namespace

std::array<Knot, 24> knots_of(const Curves& curves, const Signs& signs) {
  Collector all;
  all.add(signs.after_quiet ? curves.age_after_quiet : curves.age, place(kSpanDays, signs.span_days),
          place(kRate, signs.rate, true));
  all.add(signs.after_quiet ? curves.bends_after_quiet : curves.bends,
          place(kBends, signs.bend / std::max(signs.bend_error, 1e-3)), place(kBendsSpanDays, signs.span_days));
  all.add(curves.clear, place(kClearPlaces, signs.clear, true));
  all.add(curves.beyond_walk, place(kBeyondWalk, signs.beyond_walk, true));
  all.add(curves.unjumped, place(kUnjumped, signs.unjumped));
  all.add(curves.bend, place(kBend, signs.bend));
  all.add(curves.above_past, place(kAbovePast, signs.above_past));
  all.add(curves.ended, place(kEnded, signs.ended));
  all.add(curves.rise_days, place(kRiseDays, signs.rise_days));
  all.add(curves.known_days, place(kKnownDays, signs.known_days));
  return all.knots;
}

const Curves& fitted_curves() { return kFitted; }

double evidence_of(const Signs& signs) {
  double sum = 0;
  for (const Knot& knot : knots_of(kFitted, signs)) sum += *knot.value * knot.weight;
  return sum;
}

}  // namespace kmem::trend
