#include "exporter/trend/evidence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

namespace kmem::trend {
namespace {

template <std::size_t kCount>
struct Curve {
  std::array<double, kCount> at, value;
};
template <std::size_t kRows, std::size_t kColumns>
struct Surface {
  std::array<double, kRows> row_at;
  std::array<double, kColumns> column_at;
  std::array<std::array<double, kColumns>, kRows> value;
};

constexpr Surface<7, 7> kAge = {{5.5, 7, 8, 9.5, 12, 16, 24},
                                {0.003, 0.006, 0.011, 0.018, 0.022, 0.027, 0.04},
                                {{{-6.79, -7.06, -6.56, -5.79, -4.74, -6.46, -8.71},
                                  {-6.56, -6.92, -4.79, -2.92, -4.09, -6.46, -8.71},
                                  {-5.78, -5.8, -4.79, -2.92, -4.09, -6.46, -8.16},
                                  {-4.65, -3.75, -2.49, -3.17, -4.34, -5.52, -5.39},
                                  {-4.14, -3.28, -2.58, -3.47, -4.64, -5.27, -5.37},
                                  {-3.59, -3.38, -2.78, -3.57, -4.47, -4.58, -4.68},
                                  {-2.9, -2.69, -2.78, -3.55, -3.98, -4.09, -4.24}}}};
constexpr Surface<7, 7> kAgeAfterQuiet = {{5.5, 7, 8, 9.5, 12, 16, 24},
                                          {0.003, 0.006, 0.011, 0.018, 0.022, 0.027, 0.04},
                                          {{{-5.26, -5.4, -5.47, -5.69, -5.63, -6.87, -7.82},
                                            {-5.02, -5.07, -5.23, -4.06, -4.26, -6.85, -7.82},
                                            {-4.34, -3.87, -4.09, -3.82, -4.26, -6.85, -7.82},
                                            {-3.36, -3.03, -3.16, -4.07, -4.51, -6.95, -7.89},
                                            {-2.81, -2.99, -3.31, -4.37, -4.81, -4.69, -4.66},
                                            {-2.6, -2.86, -3.51, -4.47, -4.91, -4.79, -4.13},
                                            {-2.59, -2.85, -2.66, -2.9, -2.71, -3.14, -3.09}}}};
constexpr Surface<6, 4> kBends = {{-4, -2, -1.2, -0.5, 0.3, 2},
                                  {6.5, 9, 13, 24},
                                  {{{0.69, -0.29, -0.97, -0.71},
                                    {0.87, -0.34, -0.44, -0.57},
                                    {1.66, 0.05, -0.13, -0.42},
                                    {1.68, 0.28, -0.16, -0.72},
                                    {2.35, 0.94, -1.04, -1.63},
                                    {1.1, 0.16, -1.48, -1.28}}}};
constexpr Surface<6, 4> kBendsAfterQuiet = {{-4, -2, -1.2, -0.5, 0.3, 2},
                                            {6.5, 9, 13, 24},
                                            {{{-1.87, -1.67, -1.39, -0.65},
                                              {-1.57, -1.58, -1.73, -0.39},
                                              {-0.99, -0.87, -1.81, -0.14},
                                              {-0.37, -0.95, -1.68, -0.32},
                                              {0.47, -0.44, -1.04, -1.44},
                                              {0.53, 0.57, -0.81, -1.65}}}};
constexpr Curve<8> kClear = {{2, 3, 4, 5, 6, 8, 12, 25}, {-1.22, -0.96, -0.53, -0.39, -0.31, 0.53, 0.91, 1.22}};
constexpr Curve<8> kBeyondWalk = {{1, 1.4, 1.8, 2.3, 3, 4, 6, 12},
                                  {-0.45, -0.42, -0.42, -0.15, 0.03, 0.08, 0.09, 0.45}};
constexpr Curve<8> kUnjumped = {{-0.3, 0, 0.1, 0.2, 0.3, 0.4, 0.55, 0.75},
                                {-0.89, -0.7, -0.66, -0.54, -0.14, 0.14, 0.61, 0.89}};
constexpr Curve<8> kBend = {{-2, -1.4, -1, -0.7, -0.4, -0.2, 0, 0.5},
                            {-1.82, -1.69, -1.26, -0.65, 0.22, 1.06, 1.77, 1.82}};
constexpr Curve<7> kAbovePast = {{0.3, 0.7, 1, 1.4, 2, 3, 5}, {-1.77, -1.51, -1.18, -0.57, 1.06, 1.76, 1.77}};
constexpr Curve<8> kEnded = {{0, 0.02, 0.06, 0.12, 0.2, 0.35, 0.6, 1.2},
                             {0.38, -0.18, -0.18, -0.18, -0.18, -0.33, -0.33, -0.38}};
constexpr Curve<8> kRiseDays = {{2, 4, 6, 8, 11, 15, 22, 40}, {-1, -1, -0.95, -0.95, -0.95, -0.89, 0.41, 1}};
constexpr Curve<8> kKnownDays = {{5, 7, 9, 12, 16, 22, 30, 56}, {0.13, 0.91, -0.01, 0.76, 1.15, 0.71, -0.34, -1.15}};

/// The knot before x and how far x lies on the way to the next; what lies outside counts as the last knot there.
template <std::size_t kCount>
std::pair<std::size_t, double> place(const std::array<double, kCount>& at, double x, bool logarithmic) {
  x = std::clamp(x, at.front(), at.back());
  const auto next = std::upper_bound(at.begin() + 1, at.end() - 1, x);
  const double low = *(next - 1), high = *next;
  const double part = logarithmic ? std::log(x / low) / std::log(high / low) : (x - low) / (high - low);
  return {static_cast<std::size_t>(next - at.begin()) - 1, part};
}

template <std::size_t kCount>
double on(const Curve<kCount>& curve, double x, bool logarithmic = false) {
  const auto [i, part] = place(curve.at, x, logarithmic);
  return std::lerp(curve.value[i], curve.value[i + 1], part);
}

template <std::size_t kRows, std::size_t kColumns>
double on(const Surface<kRows, kColumns>& surface, double row, double column, bool logarithmic_columns = false) {
  const auto [i, down] = place(surface.row_at, row, false);
  const auto [j, right] = place(surface.column_at, column, logarithmic_columns);
  return std::lerp(std::lerp(surface.value[i][j], surface.value[i][j + 1], right),
                   std::lerp(surface.value[i + 1][j], surface.value[i + 1][j + 1], right), down);
}

}  // namespace

double evidence_of(const Signs& signs) {
  const double bends = signs.bend / std::max(signs.bend_error, 1e-3);
  return on(signs.after_quiet ? kAgeAfterQuiet : kAge, signs.span_days, signs.rate, true) +
         on(signs.after_quiet ? kBendsAfterQuiet : kBends, bends, signs.span_days) + on(kClear, signs.clear, true) +
         on(kBeyondWalk, signs.beyond_walk, true) + on(kUnjumped, signs.unjumped) + on(kBend, signs.bend) +
         on(kAbovePast, signs.above_past) + on(kEnded, signs.ended) + on(kRiseDays, signs.rise_days) +
         on(kKnownDays, signs.known_days);
}

}  // namespace kmem::trend
