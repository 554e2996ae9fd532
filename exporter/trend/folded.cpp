#include "exporter/trend/folded.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "exporter/trend/daily.h"

namespace kmem::trend {
namespace {

constexpr std::size_t kFewestBoots = 3;
constexpr std::size_t kMostBoots = 16;
constexpr std::size_t kFewestDaysOfABoot = 5;
constexpr double kFewestDaysInAll = 28;

// Evidence: twice the logarithm of how much likelier the floors are with growth than with the best explanation that
// has none. An explanation pays for what it assumes; a warm-up also for each day of its time constant, because a long
// one is rarer. Few boots may agree by chance: they need more.
constexpr double kEvidence = 15;  // over boots - 2
constexpr double kWarmUpCosts = 6, kWarmUpDayCosts = 0.7;
constexpr double kWeekCosts = 6;
constexpr double kClear = 2, kClearWithFewBoots = 3;  // slope over its error: 2 x (1 + 3 / (boots - 1))
constexpr double kCommon = 0.75;                      // share of the boots that rise
constexpr double kMostAutocorrelation = 0.8;          // of a day's floor with the next
constexpr double kExplained = 1e-3;                   // of a term's spread that the others leave: it says nothing
constexpr std::array kWarmUpDays = {0.25, 0.32, 0.4, 0.5, 0.62, 0.78, 0.97, 1.2, 1.5, 1.8, 2.2, 2.7};
constexpr std::size_t kWarmUps = kWarmUpDays.size();

constexpr int kWeekBuckets = 7 * kBucketsPerDay;
constexpr int kPhaseBuckets = 3;
constexpr int kPhases = kWeekBuckets / kPhaseBuckets;
constexpr std::size_t kShapes = 2 + 2 * kPhases;
constexpr int kLoudBuckets = 2;  // of a day, that its floor leaves out

using Column = std::array<double, kHistoryDays>;

/// The whole days of all boots.
struct Days {
  Column age{};  // days of uptime
  Column y{};
  std::array<std::size_t, kHistoryDays> uptime{};   // the same in whole days
  std::array<std::size_t, kHistoryDays> week_at{};  // bucket of the week in which the day begins
  std::array<std::size_t, kMostBoots + 1> begin{};
  std::size_t boots = 0;
  std::size_t count = 0;
  double autocorrelation = 0;

  /// Takes out each boot's own level, and the autocorrelation, so that what is left of noise is independent.
  void whiten(Column& column) const {
    const double first = std::sqrt(1 - autocorrelation * autocorrelation);
    for (std::size_t boot = 0; boot < boots; ++boot) {
      double sum = 0, norm = 0;
      const auto level = [&](std::size_t i) { return i == begin[boot] ? first : 1 - autocorrelation; };
      for (std::size_t i = begin[boot + 1]; i-- > begin[boot];) {
        column[i] = i == begin[boot] ? first * column[i] : column[i] - autocorrelation * column[i - 1];
        sum += level(i) * column[i], norm += level(i) * level(i);
      }
      for (std::size_t i = begin[boot]; i < begin[boot + 1]; ++i) column[i] -= level(i) * sum / norm;
    }
  }
  [[nodiscard]] double product(const Column& a, const Column& b) const {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += a[i] * b[i];
    return sum;
  }
};

bool add_boot(Days& days, const BootFloors& boot) {
  const std::size_t before = days.count;
  const std::size_t skip = boot.first_age_buckets % kBucketsPerDay;
  std::size_t at = skip == 0 ? 0 : kBucketsPerDay - skip;
  for (; at + kBucketsPerDay <= boot.floors.size() && days.count < kHistoryDays; at += kBucketsPerDay) {
    const double value = day_floor(boot.floors.subspan(at, kBucketsPerDay));
    if (std::isnan(value)) continue;
    const std::size_t day = (boot.first_age_buckets + at) / kBucketsPerDay;
    days.uptime[days.count] = std::min<std::size_t>(day, kHistoryDays - 1);
    // Memory still fills on the first day, so its lower 16 hours are its beginning; other days count from their middle.
    days.age[days.count] = day == 0 ? 1.0 / 3 : static_cast<double>(day) + 0.5;
    days.week_at[days.count] = (boot.first_bucket + at) % kWeekBuckets;
    days.y[days.count++] = value;
  }
  if (days.count - before < kFewestDaysOfABoot) {
    days.count = before;
    return false;
  }
  days.begin[++days.boots] = days.count;
  return true;
}

/// Of a day's floor with the next, once what the boots have in common at each uptime is taken out.
double autocorrelation_of(const Days& days) {
  Column rest = days.y;
  days.whiten(rest);
  std::array<double, kHistoryDays> sum{}, seen{};
  for (std::size_t i = 0; i < days.count; ++i) sum[days.uptime[i]] += rest[i], seen[days.uptime[i]] += 1;
  for (std::size_t i = 0; i < days.count; ++i) rest[i] -= sum[days.uptime[i]] / seen[days.uptime[i]];
  double lagged = 0;
  for (std::size_t boot = 0; boot < days.boots; ++boot) {
    for (std::size_t i = days.begin[boot] + 1; i < days.begin[boot + 1]; ++i) lagged += rest[i] * rest[i - 1];
  }
  const double whole = days.product(rest, rest);
  const double days_of_a_boot = static_cast<double>(days.begin[days.boots]) / static_cast<double>(days.boots);
  const double seen_so = whole > 0 ? lagged / whole : 0;
  // Each boot's own level is estimated too, which hides as much of it.
  return std::clamp(seen_so + (1 + 3 * seen_so) / days_of_a_boot, 0.0, kMostAutocorrelation);
}

/// exp(-age / time constant) as a day's floor has it: the mean of the day, of the first one that of its lower 16 hours.
double warm_up_at(std::size_t day, double time_constant_days) {
  const double length = day == 0 ? 2.0 / 3 : 1;
  return time_constant_days / length * std::exp(-static_cast<double>(day) / time_constant_days) *
         (1 - std::exp(-length / time_constant_days));
}

/// A pattern of the week as floors of days have it, by the bucket of the week in which the day begins.
struct Shape {
  std::array<std::array<double, kWeekBuckets>, 2> at{};
  std::size_t terms = 0;
};
/// None; two days of the week that are lower than the others; one that is higher; a wave.
std::array<Shape, kShapes> make_shapes() {
  std::array<Shape, kShapes> shapes;
  std::size_t used = 1;
  for (int phase = 0; phase < kPhases; ++phase) {
    Shape &low = shapes[used++], &high = shapes[used++];
    low.terms = high.terms = 1;
    for (int begin = 0; begin < kWeekBuckets; ++begin) {
      int in_low = 0, in_high = 0;
      for (int i = begin; i < begin + kBucketsPerDay; ++i) {
        const int at = (i + kWeekBuckets - phase * kPhaseBuckets) % kWeekBuckets;
        in_low += at < 2 * kBucketsPerDay;
        in_high += at < kBucketsPerDay;
      }
      constexpr int kQuiet = kBucketsPerDay - kLoudBuckets;
      low.at[0][static_cast<std::size_t>(begin)] = static_cast<double>(std::min(kQuiet, in_low)) / kQuiet;
      high.at[0][static_cast<std::size_t>(begin)] = static_cast<double>(std::max(0, in_high - kLoudBuckets)) / kQuiet;
    }
  }
  Shape& wave = shapes[used];
  wave.terms = 2;
  for (std::size_t begin = 0; begin < kWeekBuckets; ++begin) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(begin) / kWeekBuckets;
    wave.at[0][begin] = std::cos(angle);
    wave.at[1][begin] = std::sin(angle);
  }
  return shapes;
}

struct Explanation {
  double cost = std::numeric_limits<double>::infinity();  // -2 log likelihood, but for a constant, and its price
  double rss = 0;
  double slope = 0;
  double spread = 0;          // of the age, that the other terms do not explain
  Column without_slope_of{};  // y but for the warm-up and the week
};

/// y = level of the boot + slope x age - size x exp(-age / time constant) + pattern of the week: the least costly with
/// a slope upwards, and without any. All but the levels are common to the boots.
class Search {
 public:
  explicit Search(const Days& days) : days_(days), age_(days.age), y_(days.y) {
    days.whiten(age_);
    days.whiten(y_);
    for (std::size_t tau = 0; tau < kWarmUps; ++tau) {
      for (std::size_t i = 0; i < days.count; ++i) warm_up_[tau][i] = warm_up_at(days.uptime[i], kWarmUpDays[tau]);
      days.whiten(warm_up_[tau]);
      sums_[tau] = {days.product(warm_up_[tau], warm_up_[tau]), days.product(warm_up_[tau], age_),
                    days.product(warm_up_[tau], y_)};
    }
    age_age_ = days.product(age_, age_), age_y_ = days.product(age_, y_), y_y_ = days.product(y_, y_);
    static const std::array<Shape, kShapes> shapes = make_shapes();
    for (const Shape& shape : shapes) try_week(shape);
  }

  Explanation flat, rising;
  [[nodiscard]] const Column& age() const { return age_; }
  [[nodiscard]] double free() const { return static_cast<double>(days_.count - days_.boots - 3); }

 private:
  enum Term : std::size_t { kWeek0, kWeek1, kWarmUp, kAge, kY, kTerms };

  void try_week(const Shape& shape) {
    std::array<std::array<double, kTerms>, kTerms> fixed{};  // sums of products of the terms; lower half
    for (std::size_t t = 0; t < shape.terms; ++t) {
      for (std::size_t i = 0; i < days_.count; ++i) week_[t][i] = shape.at[t][days_.week_at[i]];
      days_.whiten(week_[t]);
      fixed[t][t] = days_.product(week_[t], week_[t]);
      fixed[kAge][t] = days_.product(week_[t], age_);
      fixed[kY][t] = days_.product(week_[t], y_);
    }
    if (shape.terms == 2) fixed[kWeek1][kWeek0] = days_.product(week_[0], week_[1]);
    fixed[kAge][kAge] = age_age_, fixed[kY][kAge] = age_y_, fixed[kY][kY] = y_y_;
    const double price = shape.terms > 0 ? kWeekCosts : 0;
    solve(fixed, price, nullptr);
    for (std::size_t tau = 0; tau < kWarmUps; ++tau) {
      auto sums = fixed;
      for (std::size_t t = 0; t < shape.terms; ++t) sums[kWarmUp][t] = days_.product(week_[t], warm_up_[tau]);
      sums[kWarmUp][kWarmUp] = sums_[tau][0], sums[kAge][kWarmUp] = sums_[tau][1], sums[kY][kWarmUp] = sums_[tau][2];
      solve(sums, price + kWarmUpCosts + kWarmUpDayCosts * kWarmUpDays[tau], &warm_up_[tau]);
    }
  }

  /// Gaussian elimination, the age last: what is left of y before and after it are the two residuals.
  void solve(std::array<std::array<double, kTerms>, kTerms> m, double price, const Column* warm_up) {
    const std::array<double, kAge> whole = {m[kWeek0][kWeek0], m[kWeek1][kWeek1], m[kWarmUp][kWarmUp]};
    std::array<bool, kAge> in{};
    const auto eliminate = [&](std::size_t j) {
      for (std::size_t k = j + 1; k < kTerms; ++k) {
        for (std::size_t l = j + 1; l <= k; ++l) m[k][l] -= m[k][j] * m[l][j] / m[j][j];
      }
    };
    for (std::size_t j = 0; j < kAge; ++j) {
      in[j] = m[j][j] > kExplained * whole[j];
      if (in[j]) eliminate(j);
    }
    const auto offer = [&](Explanation& best, double slope) {
      const double cost = free() * std::log(std::max(m[kY][kY], std::numeric_limits<double>::min())) + price;
      if (!(cost < best.cost)) return;
      std::array<double, kAge> size{};
      for (std::size_t j = kAge; j-- > 0;) {
        if (!in[j]) continue;
        size[j] = m[kY][j] - slope * m[kAge][j];
        for (std::size_t k = j + 1; k < kAge; ++k) size[j] -= size[k] * m[k][j];
        size[j] /= m[j][j];
      }
      if (size[kWarmUp] > 0) return;  // falls after the boot: no warm-up
      best.cost = cost, best.rss = m[kY][kY], best.slope = slope, best.spread = m[kAge][kAge];
      best.without_slope_of = y_;
      for (std::size_t i = 0; i < days_.count; ++i) {
        for (std::size_t t = kWeek0; t <= kWeek1; ++t) best.without_slope_of[i] -= size[t] * week_[t][i];
        if (warm_up != nullptr) best.without_slope_of[i] -= size[kWarmUp] * (*warm_up)[i];
      }
    };
    offer(flat, 0);
    if (!(m[kAge][kAge] > kExplained * age_age_)) return;
    const double slope = m[kY][kAge] / m[kAge][kAge];
    eliminate(kAge);
    if (slope > 0) offer(rising, slope);
  }

  const Days& days_;
  Column age_, y_;
  std::array<Column, kWarmUps> warm_up_{};
  std::array<std::array<double, 3>, kWarmUps> sums_{};  // of each warm-up with itself, the age and y
  std::array<Column, 2> week_{};
  double age_age_ = 0, age_y_ = 0, y_y_ = 0;
};

}  // namespace

Assessment assess_boots(std::span<const BootFloors> all, const EstimatorOptions& options) {
  Assessment result;
  Days days;
  for (const BootFloors& boot : all.last(std::min(all.size(), kMostBoots))) {
    if (add_boot(days, boot)) result.level = days.y[days.count - 1];
  }
  const double n = static_cast<double>(days.boots);
  if (days.boots < kFewestBoots || static_cast<double>(days.count) < kFewestDaysInAll) return result;
  days.autocorrelation = autocorrelation_of(days);
  const Search search(days);
  const Explanation& rising = search.rising;
  if (!(rising.slope > 0)) return result;

  // How well the boots agree.
  std::array<double, kMostBoots> slopes{}, weights{};
  double weight = 0, mean = 0, risen = 0, between = 0;
  for (std::size_t boot = 0; boot < days.boots; ++boot) {
    for (std::size_t i = days.begin[boot]; i < days.begin[boot + 1]; ++i) {
      weights[boot] += search.age()[i] * search.age()[i];
      slopes[boot] += search.age()[i] * rising.without_slope_of[i];
    }
    mean += slopes[boot], weight += weights[boot];
    slopes[boot] /= weights[boot];
    if (slopes[boot] > 0) risen += 1;
  }
  mean /= weight;
  for (std::size_t boot = 0; boot < days.boots; ++boot) between += weights[boot] * std::pow(slopes[boot] - mean, 2);
  const double error_between = std::sqrt(between / (n - 1) / weight);

  const double clear = rising.slope / std::max(error_between, 1e-12) / (kClear * (1 + kClearWithFewBoots / (n - 1)));
  const double evidence = std::sqrt(std::max(0.0, search.flat.cost - rising.cost) / (kEvidence / (n - 2)));
  const double common = risen / n / kCommon;
  const double material = rising.slope / options.min_per_day;
  result.slope_per_day = rising.slope;
  result.slope_error_per_day = std::max(error_between, std::sqrt(rising.rss / search.free() / rising.spread));
  result.onset_days_ago = kHistoryDays;
  result.leak_score = std::min({clear, evidence, common, material});
  result.span_score = 1;
  result.strength = std::min({clear, evidence, material});
  result.watch_score = std::min(result.leak_score * 1.4, result.leak_score + 0.5);
  return result;
}

}  // namespace kmem::trend
