#include "exporter/trend/folded.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "exporter/trend/daily.h"

namespace kmem::trend {
namespace {

constexpr std::size_t kFewestBoots = 3;
constexpr std::size_t kMostBoots = 16;
constexpr double kFewestDaysInAll = 28;
constexpr double kClear = 1.7, kClearWithFewBoots = 3;  // slope over its error: 1.7 x (1 + 3 / (boots - 1))
constexpr double kWarmUpMustImprove = 4;                // F statistic for a longer warm-up
constexpr double kFreeDaysMustImprove = 25;             // F statistic for a week with free days
constexpr double kAgreement = 0.25;                     // of the best fit's slope with the chosen one's
constexpr double kShareWithoutJump = 0.35;              // of the typical growth, when its largest day is taken out
constexpr double kShareOfFalls = 0.4;
constexpr std::array kWarmUpDays = {0.0, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8};  // time constants; 0 = none

// The lower 16 h of the first day, while memory still fills, are its beginning; other days count from their middle.
constexpr double kFirstDayAge = -0.15;

struct Boot {
  std::array<double, kHistoryDays> age{};  // whole days of uptime
  std::array<double, kHistoryDays> y{};
  std::array<int, kHistoryDays> weekday{};
  std::size_t count = 0;
};

Boot days_of(const BootFloors& floors) {
  Boot boot;
  const std::size_t skip = floors.first_age_buckets % kBucketsPerDay;
  std::size_t at = skip == 0 ? 0 : kBucketsPerDay - skip;
  for (; at + kBucketsPerDay <= floors.floors.size() && boot.count < kHistoryDays; at += kBucketsPerDay) {
    const std::size_t day = (floors.first_age_buckets + at) / kBucketsPerDay;
    const double value = day_floor(floors.floors.subspan(at, kBucketsPerDay));
    if (std::isnan(value)) continue;
    boot.age[boot.count] = day == 0 ? kFirstDayAge : static_cast<double>(day);
    boot.weekday[boot.count] = static_cast<int>((floors.first_bucket + at + kBucketsPerDay / 2) / kBucketsPerDay % 7);
    boot.y[boot.count++] = value;
  }
  return boot;
}

struct Fit {
  double slope = 0;
  double rss = 0;
  double inflation = 1;  // of the slope's error, because the other terms explain part of the same rise
  double free_effect = 0;
  int first_free_day = -1;
};
/// y = level of the boot + slope x age - size x exp(-age / warm_up_days) + effect on two of seven days. The terms are
/// common to the boots; warm_up_days 0 and first_free_day -1 leave theirs out.
Fit fit_boots(std::span<const Boot> boots, double warm_up_days, int first_free_day) {
  std::array<std::array<double, 4>, 4> sums{};  // of products of: warm-up, free day, age, y, each from its boot's mean
  for (const Boot& boot : boots) {
    std::array<std::array<double, kHistoryDays>, 4> terms;
    for (std::size_t i = 0; i < boot.count; ++i) {
      terms[0][i] = warm_up_days > 0 ? std::exp(-boot.age[i] / warm_up_days) : 0;
      terms[1][i] = first_free_day >= 0 && (boot.weekday[i] + 7 - first_free_day) % 7 < 2 ? 1 : 0;
      terms[2][i] = boot.age[i];
      terms[3][i] = boot.y[i];
    }
    for (auto& term : terms) {
      double mean = 0;
      for (std::size_t i = 0; i < boot.count; ++i) mean += term[i] / static_cast<double>(boot.count);
      for (std::size_t i = 0; i < boot.count; ++i) term[i] -= mean;
    }
    for (std::size_t j = 0; j < 4; ++j) {
      for (std::size_t k = 0; k <= j; ++k) {
        for (std::size_t i = 0; i < boot.count; ++i) sums[j][k] += terms[j][i] * terms[k][i];
      }
    }
  }
  // Gaussian elimination of the symmetric sums: what stays in [3][3] is the residual.
  const double own_spread = sums[2][2];
  Fit fit;
  std::array<bool, 3> in{};
  for (std::size_t j = 0; j < 3; ++j) {
    const double whole = j == 2 ? own_spread : 1;
    in[j] = sums[j][j] > 1e-4 * whole;
    if (!in[j]) continue;
    for (std::size_t k = j + 1; k < 4; ++k) {
      for (std::size_t l = j + 1; l <= k; ++l) sums[k][l] -= sums[k][j] * sums[l][j] / sums[j][j];
    }
  }
  if (!in[2]) return fit;
  fit.slope = sums[3][2] / sums[2][2];
  fit.rss = std::max(0.0, sums[3][3]);
  fit.inflation = std::sqrt(own_spread / sums[2][2]);
  if (in[1]) fit.free_effect = (sums[3][1] - fit.slope * sums[2][1]) / sums[1][1];
  if (in[0] && sums[3][0] - fit.slope * sums[2][0] - fit.free_effect * sums[1][0] > 0) {
    return fit_boots(boots, 0, first_free_day);  // falls after the boot: no warm-up
  }
  return fit;
}

/// The best of all weeks with two free days; without any unless they explain much.
Fit fit_week(std::span<const Boot> boots, double warm_up_days, double days) {
  const Fit plain = fit_boots(boots, warm_up_days, -1);
  Fit best = plain;
  for (int day = 0; day < 7; ++day) {
    const Fit fit = fit_boots(boots, warm_up_days, day);
    if (fit.rss < best.rss) best = fit, best.first_free_day = day;
  }
  return (plain.rss - best.rss) * days >= kFreeDaysMustImprove * best.rss ? best : plain;
}

void remove_free_days(std::span<Boot> boots, const Fit& fit) {
  if (fit.first_free_day < 0) return;
  for (Boot& boot : boots) {
    for (std::size_t i = 0; i < boot.count; ++i) {
      if ((boot.weekday[i] + 7 - fit.first_free_day) % 7 < 2) boot.y[i] -= fit.free_effect;
    }
  }
}

struct Profile {
  double growth = 0;
  double largest_rise = 0;
  double falls = 0;
};
/// The typical day-to-day changes at equal uptime, over all ages that at least half of the boots reach.
Profile typical_course(std::span<const Boot> boots) {
  Profile profile;
  for (double age = 1; age < kHistoryDays; ++age) {
    std::array<double, kMostBoots> changes;
    std::size_t count = 0;
    for (const Boot& boot : boots) {
      for (std::size_t i = 1; i < boot.count; ++i) {
        if (boot.age[i - 1] == age && boot.age[i] == age + 1) changes[count++] = boot.y[i] - boot.y[i - 1];
      }
    }
    if (count * 2 < boots.size() || count < 2) continue;
    const double change = median({changes.data(), count});
    profile.growth += change;
    profile.largest_rise = std::max(profile.largest_rise, change);
    profile.falls += std::max(0.0, -change);
  }
  return profile;
}

}  // namespace

Assessment assess_boots(std::span<const BootFloors> all, const EstimatorOptions& options) {
  Assessment result;
  std::array<Boot, kMostBoots> storage;
  std::size_t used = 0;
  double days = 0;
  for (const BootFloors& floors : all.last(std::min(all.size(), kMostBoots))) {
    storage[used] = days_of(floors);
    const Boot& boot = storage[used];
    if (boot.count < 5) continue;
    result.level = boot.y[boot.count - 1];
    days += static_cast<double>(boot.count);
    ++used;
  }
  if (used < kFewestBoots || days < kFewestDaysInAll) return result;
  const std::span<Boot> boots(storage.data(), used);
  const double n = static_cast<double>(used);

  std::array<Fit, kWarmUpDays.size()> fits;
  std::transform(kWarmUpDays.begin(), kWarmUpDays.end(), fits.begin(),
                 [&](double tau) { return fit_week(boots, tau, days); });
  const auto tighter = [](const Fit& a, const Fit& b) { return a.rss < b.rss; };
  const Fit& best = *std::min_element(fits.begin(), fits.end(), tighter);
  // The shortest warm-up that explains the floors about as well as the best one: a long one looks like growth.
  const double near_best = best.rss * (1 + kWarmUpMustImprove / (days - n));
  const Fit& chosen = *std::find_if(fits.begin(), fits.end(), [&](const Fit& fit) { return fit.rss <= near_best; });
  remove_free_days(boots, chosen);
  // Error of the common slope: how the boots differ, steadied by the scatter within them where boots are few.
  double weights = 0, between = 0, within = 0, rising = 0, mean_slope = 0;
  std::array<double, kMostBoots> slopes, slope_weights;
  std::size_t at_boot = 0;
  for (const Boot& boot : boots) {
    const std::size_t first = boot.age[0] < 1 ? 1 : 0, count = boot.count - first;
    const std::span<const double> age(boot.age.data() + first, count), y(boot.y.data() + first, count);
    const Line line = fit_line(age, y);
    double mean = 0, weight = 0;
    for (const double at : age) mean += at / static_cast<double>(count);
    for (const double at : age) weight += (at - mean) * (at - mean);
    weights += weight;
    mean_slope += weight * line.slope;
    slopes[at_boot] = line.slope, slope_weights[at_boot++] = weight;
    within += weight * weight * line.error * line.error;
    if (line.slope > 0) rising += 1;
  }
  mean_slope /= weights;
  if (mean_slope <= 0) return result;
  for (std::size_t i = 0; i < used; ++i)
    between += slope_weights[i] * (slopes[i] - mean_slope) * (slopes[i] - mean_slope);
  const double between_variance = between / (n - 1) / weights, within_variance = within / weights / weights;
  const double error = std::sqrt(((n - 1) * between_variance + 3 * within_variance) / (n + 2));
  const Profile profile = typical_course(boots);

  const double significance = chosen.slope / std::max(error * chosen.inflation, 1e-12);
  const double significant = significance / (kClear * (1 + kClearWithFewBoots / (n - 1)));
  const double agreed = best.slope / chosen.slope / kAgreement;
  const double steady = profile.growth <= 0 ? 0 : (1 - profile.largest_rise / profile.growth) / kShareWithoutJump;
  const double level_course = profile.growth <= 0 ? 0 : kShareOfFalls / std::max(0.03, profile.falls / profile.growth);
  const double common = rising / n / 0.75;
  const double material = chosen.slope / options.min_per_day;
  result.slope_per_day = chosen.slope;
  result.slope_error_per_day = error;
  result.onset_days_ago = kHistoryDays;
  result.leak_score = std::max(0.0, std::min({significant, agreed, steady, level_course, common, material}));
  result.span_score = 1;
  result.strength = std::max(0.0, std::min({significant, agreed, steady, material}));
  result.watch_score = std::min(result.leak_score * 1.4, result.leak_score + 0.5);
  return result;
}

}  // namespace kmem::trend
