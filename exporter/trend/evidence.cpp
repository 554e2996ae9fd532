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
constexpr std::array kClear = {2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 25.0};
constexpr std::array kBeyondWalk = {1.0, 1.4, 1.8, 2.3, 3.0, 4.0, 6.0, 12.0};
constexpr std::array kUnjumped = {-0.3, 0.0, 0.1, 0.2, 0.3, 0.4, 0.55, 0.75};
constexpr std::array kBend = {-2.0, -1.4, -1.0, -0.7, -0.4, -0.2, 0.0, 0.5};
constexpr std::array kAbovePast = {0.3, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0};
constexpr std::array kEnded = {0.0, 0.02, 0.06, 0.12, 0.2, 0.35, 0.6, 1.2};
constexpr std::array kRiseDays = {2.0, 4.0, 6.0, 8.0, 11.0, 15.0, 22.0, 40.0};
constexpr std::array kKnownDays = {5.0, 7.0, 9.0, 12.0, 16.0, 22.0, 30.0, 56.0};

constexpr Curves kFitted = {
    .age = {{
        {-5.54, -5.32, -4.37, -3.3, -3.58, -5.88, -7.2},
        {-5.76, -6.05, -4.49, -1.94, -1.55, -6.86, -8.5},
        {-5.31, -5.45, -4.45, -4.28, -5.59, -7.13, -7.77},
        {-4.59, -3.52, -2.47, -4.96, -5.45, -6.24, -5.82},
        {-4.25, -2.54, -2.5, -4.68, -5.2, -4.96, -5.47},
        {-4.94, -4.03, -3.87, -4.94, -5.11, -4.98, -4.77},
        {-3.77, -3.3, -3.5, -4.26, -4.08, -4.28, -4.42},
    }},
    .age_after_quiet = {{
        {-4.97, -4.98, -4.92, -4.6, -4.5, -6.07, -6.84},
        {-4.96, -5.05, -5.18, -4.38, -2.83, -6.87, -7.6},
        {-4.79, -4.8, -4.11, -3.14, -4.76, -6.9, -7.59},
        {-4.45, -4.18, -3.35, -4.5, -5.74, -6.59, -7.14},
        {-4.04, -3.49, -3.84, -4.95, -5.42, -5.07, -5.3},
        {-3.43, -3.12, -4.14, -4.8, -4.9, -4.58, -4.19},
        {-2.96, -3.42, -2.98, -3.23, -3.37, -3.66, -3.69},
    }},
    .bends = {{
        {1.06, 0.28, -0.78, -1.28},
        {1.85, 0.61, -0.77, -1.36},
        {2, 0.63, -0.46, -0.84},
        {2.03, 0.53, -0.28, -0.68},
        {1.75, 0.57, -0.83, -1.67},
        {1.34, 0.09, -0.61, -1.67},
    }},
    .bends_after_quiet = {{
        {-0.95, -1.22, -1.38, -1.4},
        {-0.89, -1.17, -1.49, -1.26},
        {0.05, -0.52, -1.22, -0.73},
        {0.77, -0.48, -1.35, -0.88},
        {0.08, -1, -1.21, -1.63},
        {0.07, 0.03, -0.39, -1.54},
    }},
    .clear = {-0.65, -0.55, 0, 0, 0.04, 0.42, 0.55, 1.28},
    .beyond_walk = {-0.85, -0.14, -0.1, -0.07, -0.02, -0.02, -0.02, 0.63},
    .unjumped = {-1.21, -1.21, -0.72, -0.03, -0.03, 0.57, 0.63, 0.87},
    .bend = {-0.11, -0.02, 0.05, 0.17, 0.41, 1.15, 1.72, 1.74},
    .above_past = {-1.17, -1.17, -1.17, -1.17, 1.36, 1.84, 1.84},
    .ended = {0.37, 0.2, 0.2, 0.2, 0.2, 0.09, 0.09, -0.28},
    .rise_days = {-1.13, -0.91, -0.9, -0.9, -0.9, -0.9, 0.19, 1.02},
    .known_days = {2.44, 0.28, -0.58, 0.86, 0.93, 0.71, 0.01, -0.86},
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
  all.add(curves.clear, place(kClear, signs.clear, true));
  all.add(curves.beyond_walk, place(kBeyondWalk, signs.beyond_walk, true));
  all.add(curves.unjumped, place(kUnjumped, signs.unjumped));
  all.add(curves.bend, place(kBend, signs.bend));
  all.add(curves.above_past, place(kAbovePast, signs.above_past));
  all.add(curves.ended, place(kEnded, signs.ended));
  all.add(curves.rise_days, place(kRiseDays, signs.rise_days));
  all.add(curves.known_days, place(kKnownDays, signs.known_days));
  return all.knots;
}

const Curves& fitted_curves() {
  return kFitted;
}

double evidence_of(const Signs& signs) {
  double sum = 0;
  for (const Knot& knot : knots_of(kFitted, signs)) sum += *knot.value * knot.weight;
  return sum;
}

}  // namespace kmem::trend
