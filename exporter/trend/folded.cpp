#include "exporter/trend/folded.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <numbers>

#include "exporter/trend/daily.h"

namespace kmem::trend {
namespace {

double knob(const char* name, double value) { const char* t = std::getenv(name); return t ? std::atof(t) : value; }

constexpr std::size_t kFewestBoots = 3;
constexpr std::size_t kMostBoots = 16;
constexpr double kFewestDaysOfABoot = 4;
constexpr double kFewestDaysInAll = 28;

// Evidence: twice the logarithm of how much likelier the floors are with growth than with the best explanation that
// has none. An explanation pays for what it assumes; a warm-up also for each day of its time constant, because a long
// one is rarer. Few boots may agree by chance: they need more.
const double kEvidence = knob("EV", 15);  // over boots - 2
const double kWarmUpCosts = knob("WC", 4), kWarmUpDayCosts = knob("WD", 0.7);
const double kWeekCosts = knob("KC", 6);
const double kClear = knob("CL", 2), kClearWithFewBoots = 3;  // slope over its error: 2 x (1 + 3 / (boots - 1))
const double kCommon = knob("CO", 0.75);                      // share of the boots that rise
const double kMostAutocorrelation = knob("MA", 0.97);          // of a floor with the next
constexpr double kExplained = 1e-3;                   // of a term's spread that the others leave: it says nothing
constexpr std::array kWarmUpDays = {0.25, 0.32, 0.4, 0.5, 0.62, 0.78, 0.97, 1.2, 1.5, 1.8, 2.2, 2.7};
constexpr std::size_t kWarmUps = kWarmUpDays.size();
const double kFirstAgeDays = knob("FA", 0.4);

constexpr int kWeekBuckets = 7 * kBucketsPerDay;
constexpr std::size_t kShapes = 2 + 2 * kWeekBuckets;

constexpr std::size_t kPoints = kCoarseBuckets;
using Column = std::array<double, kPoints>;

double dot(const Column& a, const Column& b, std::size_t count) {
  double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) s0 += a[i] * b[i], s1 += a[i + 1] * b[i + 1], s2 += a[i + 2] * b[i + 2], s3 += a[i + 3] * b[i + 3];
  for (; i < count; ++i) s0 += a[i] * b[i];
  return s0 + s1 + s2 + s3;
}

/// The floors of all boots.
struct Floors {
  Column age{};  // days of uptime
  Column y{};
  std::array<std::size_t, kPoints> bucket{};  // on the calendar
  std::array<std::size_t, kMostBoots + 1> begin{};
  std::size_t boots = 0;
  std::size_t count = 0;
  std::array<double, kPoints> lag{};     // autocorrelation with the floor before; 0 at the first of a boot
  std::array<double, kPoints> weight{};  // makes what is new in a floor equally large everywhere
  std::array<Column, kBucketsPerDay - 1> hours{};  // orthonormal, whitened: what the hour of the day explains
  std::size_t hours_used = 0;
  std::array<double, kPoints> ones{};    // a level, whitened
  std::array<double, kMostBoots> ones_norm{};

  void set_autocorrelation(double of_next) {
    for (std::size_t boot = 0; boot < boots; ++boot) {
      ones_norm[boot] = 0;
      for (std::size_t i = begin[boot]; i < begin[boot + 1]; ++i) {
        lag[i] = i == begin[boot] ? 0 : std::pow(of_next, static_cast<double>(bucket[i] - bucket[i - 1]));
        weight[i] = 1 / std::sqrt(1 - lag[i] * lag[i]);
        ones[i] = (1 - lag[i]) * weight[i];
        ones_norm[boot] += ones[i] * ones[i];
      }
    }
    hours_used = 0;
    for (std::size_t hour = 0; hour + 1 < kBucketsPerDay; ++hour) {
      Column& column = hours[hour];
      for (std::size_t i = 0; i < count; ++i) column[i] = bucket[i] % kBucketsPerDay == hour ? 1 : 0;
      whiten(column);
      const double norm = dot(column, column, count);
      if (norm < 1e-6) continue;
      for (std::size_t i = 0; i < count; ++i) column[i] /= std::sqrt(norm);
      if (hours_used != hour) hours[hours_used] = column;
      ++hours_used;
    }
  }
  /// Takes out autocorrelation, each boot's own level and the day, so that what is left of noise is independent.
  void whiten(Column& column) const {
    for (std::size_t boot = 0; boot < boots; ++boot) {
      double sum = 0;
      for (std::size_t i = begin[boot + 1]; i-- > begin[boot];) {
        column[i] = weight[i] * (i == begin[boot] ? column[i] : column[i] - lag[i] * column[i - 1]);
        sum += ones[i] * column[i];
      }
      for (std::size_t i = begin[boot]; i < begin[boot + 1]; ++i) column[i] -= ones[i] * sum / ones_norm[boot];
    }
    for (std::size_t hour = 0; hour < hours_used; ++hour) {
      const double part = dot(column, hours[hour], count);
      for (std::size_t i = 0; i < count; ++i) column[i] -= part * hours[hour][i];
    }
  }
  [[nodiscard]] double product(const Column& a, const Column& b) const { return dot(a, b, count); }
};

bool add_boot(Floors& all, const BootFloors& boot) {
  const std::size_t before = all.count;
  for (std::size_t i = 0; i < boot.floors.size() && all.count < kPoints; ++i) {
    const double age = boot.first_age_days + static_cast<double>(i) / kBucketsPerDay;
    if (std::isnan(boot.floors[i]) || age < kFirstAgeDays) continue;
    all.age[all.count] = age;
    all.bucket[all.count] = boot.first_bucket + i;
    all.y[all.count++] = static_cast<double>(boot.floors[i]);
  }
  if (static_cast<double>(all.count - before) < kFewestDaysOfABoot * kBucketsPerDay) {
    all.count = before;
    return false;
  }
  all.begin[++all.boots] = all.count;
  return true;
}

/// Bursts stand out of the hours around them: they are cut to what noise does.
void cut_bursts(Floors& all) {
  constexpr std::size_t kReach = 3;
  Column off{};
  std::array<std::array<double, kPoints>, kBucketsPerDay> by_hour;
  std::array<std::size_t, kBucketsPerDay> seen{};
  for (std::size_t boot = 0; boot < all.boots; ++boot) {
    for (std::size_t i = all.begin[boot]; i < all.begin[boot + 1]; ++i) {
      const std::size_t reach = std::min({kReach, i - all.begin[boot], all.begin[boot + 1] - 1 - i});
      std::array<double, 2 * kReach + 1> around;
      std::copy_n(all.y.begin() + static_cast<std::ptrdiff_t>(i - reach), 2 * reach + 1, around.begin());
      off[i] = reach < 2 ? std::numeric_limits<double>::quiet_NaN()
                         : all.y[i] - median({around.data(), 2 * reach + 1});
      const std::size_t hour = all.bucket[i] % kBucketsPerDay;
      if (reach >= 2) by_hour[hour][seen[hour]++] = off[i];
    }
  }
  std::array<double, kBucketsPerDay> typical{};
  for (std::size_t hour = 0; hour < kBucketsPerDay; ++hour) typical[hour] = median({by_hour[hour].data(), seen[hour]});
  std::array<double, kPoints> spread;
  std::size_t count = 0;
  for (std::size_t i = 0; i < all.count; ++i) {
    off[i] -= typical[all.bucket[i] % kBucketsPerDay];
    if (!std::isnan(off[i])) spread[count++] = std::abs(off[i]);
  }
  static const double kCut = knob("CUT", 4.4);
  const double most = kCut * median({spread.data(), count});
  for (std::size_t i = 0; i < all.count; ++i) {
    if (off[i] > most) all.y[i] -= off[i] - most;
    if (off[i] < -most) all.y[i] -= off[i] + most;
  }
}

/// Of a floor with the next, once what the boots have in common at each uptime is taken out. That of a floor with the
/// same hour of the next day counts too: noise of more than one kind forgets slowly.
double autocorrelation_of(const Floors& all) {
  Floors plain = all;
  plain.set_autocorrelation(0);
  Column rest = all.y;
  plain.whiten(rest);
  constexpr std::size_t kAges = kPoints;
  std::array<double, kAges> sum{}, seen{};
  const auto age_of = [&](std::size_t i) { return std::min(kAges - 1, static_cast<std::size_t>(all.age[i] * kBucketsPerDay)); };
  for (std::size_t i = 0; i < all.count; ++i) sum[age_of(i)] += rest[i], seen[age_of(i)] += 1;
  double lag1 = 0, lag6 = 0, whole = 0, whole1 = 0, whole6 = 0;
  for (std::size_t i = 0; i < all.count; ++i) rest[i] -= sum[age_of(i)] / seen[age_of(i)];
  for (std::size_t boot = 0; boot < all.boots; ++boot) {
    for (std::size_t i = all.begin[boot]; i < all.begin[boot + 1]; ++i) {
      whole += rest[i] * rest[i];
      if (i >= all.begin[boot] + 1) lag1 += rest[i] * rest[i - 1], whole1 += rest[i] * rest[i];
      if (i >= all.begin[boot] + 6) lag6 += rest[i] * rest[i - 6], whole6 += rest[i] * rest[i];
    }
  }
  if (!(whole1 > 0) || !(whole6 > 0)) return 0;
  // Each boot's own level is estimated too, which hides as much of it.
  const double n = static_cast<double>(all.count) / static_cast<double>(all.boots);
  double one = lag1 / whole1, six = lag6 / whole6;
  static const double kUn = knob("UN", 1);
  const double hidden = kUn * (1 + one) / (1 - std::min(one, 0.95)) / n;  // variance of the mean of a boot
  one = (one + hidden) / (1 + hidden), six = (six + hidden) / (1 + hidden);
  static const double kSix = knob("SIX", 0.5);
  [[maybe_unused]] const double from_six = six > 0 ? std::pow(six, 1.0 / 6) : 0;
  return std::clamp(std::max(one, kSix * from_six + (1 - kSix) * one), 0.0, kMostAutocorrelation);
}

/// exp(-age / time constant): the least of four hours is that at their begin.
double warm_up_at(double age, double time_constant_days) {
  return std::exp(-age / time_constant_days);
}

/// A pattern of the week by its bucket.
struct Shape {
  std::array<std::array<double, kWeekBuckets>, 2> at{};
  std::size_t terms = 0;
};
/// None; two days of the week that are lower than the others; one that is higher; a wave.
std::array<Shape, kShapes> make_shapes() {
  std::array<Shape, kShapes> shapes;
  std::size_t used = 1;
  for (int phase = 0; phase < kWeekBuckets; ++phase) {
    Shape &low = shapes[used++], &high = shapes[used++];
    low.terms = high.terms = 1;
    for (int i = 0; i < kWeekBuckets; ++i) {
      const int at = (i + kWeekBuckets - phase) % kWeekBuckets;
      low.at[0][static_cast<std::size_t>(i)] = at < 2 * kBucketsPerDay ? 1 : 0;
      high.at[0][static_cast<std::size_t>(i)] = at < kBucketsPerDay ? 1 : 0;
    }
  }
  Shape& wave = shapes[used];
  wave.terms = 2;
  for (std::size_t i = 0; i < kWeekBuckets; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / kWeekBuckets;
    wave.at[0][i] = std::cos(angle);
    wave.at[1][i] = std::sin(angle);
  }
  return shapes;
}

struct Explanation {
  double cost = std::numeric_limits<double>::infinity();  // -2 log likelihood, but for a constant, and its price
  double rss = 0;
  double slope = 0;
  double tau = 0; int shape = 0;
  double spread = 0;          // of the age, that the other terms do not explain
  Column without_slope_of{};  // y but for the warm-up and the week
};

/// y = level of the boot + slope x age - size x exp(-age / time constant) + pattern of the week + that of the day: the
/// least costly with a slope upwards, and without any. All but the levels are common to the boots.
class Search {
 public:
  explicit Search(const Floors& all, double level) : thr_{0.004 * level, 0.006 * level}, all_(all), age_(all.age), y_(all.y) {
    all.whiten(age_);
    all.whiten(y_);
    for (std::size_t tau = 0; tau < kWarmUps; ++tau) {
      for (std::size_t i = 0; i < all.count; ++i) warm_up_[tau][i] = warm_up_at(all.age[i], kWarmUpDays[tau]);
      all.whiten(warm_up_[tau]);
      sums_[tau] = {all.product(warm_up_[tau], warm_up_[tau]), all.product(warm_up_[tau], age_),
                    all.product(warm_up_[tau], y_)};
    }
    age_age_ = all.product(age_, age_), age_y_ = all.product(age_, y_), y_y_ = all.product(y_, y_);
    static const std::array<Shape, kShapes> shapes = make_shapes();
    for (const Shape& shape : shapes) try_week(shape), ++shape_;
  }

  Explanation flat, rising;
  [[nodiscard]] double mean_slope() const { return weighted_ / weight_; }
  [[nodiscard]] const Column& age() const { return age_; }
  [[nodiscard]] double free() const {
    return static_cast<double>(all_.count - all_.boots - all_.hours_used) - 3;
  }

 private:
  enum Term : std::size_t { kWeek0, kWeek1, kWarmUp, kAge, kY, kTerms };

  void try_week(const Shape& shape) {
    std::array<std::array<double, kTerms>, kTerms> fixed{};  // sums of products of the terms; lower half
    for (std::size_t t = 0; t < shape.terms; ++t) {
      for (std::size_t i = 0; i < all_.count; ++i) week_[t][i] = shape.at[t][all_.bucket[i] % kWeekBuckets];
      all_.whiten(week_[t]);
      fixed[t][t] = all_.product(week_[t], week_[t]);
      fixed[kAge][t] = all_.product(week_[t], age_);
      fixed[kY][t] = all_.product(week_[t], y_);
    }
    if (shape.terms == 2) fixed[kWeek1][kWeek0] = all_.product(week_[0], week_[1]);
    fixed[kAge][kAge] = age_age_, fixed[kY][kAge] = age_y_, fixed[kY][kY] = y_y_;
    static const double kWave = knob("KW", 4);
    const double price = shape.terms > 0 ? kWeekCosts + (shape.terms > 1 ? kWave : 0) : 0;
    solve(fixed, price, nullptr);
    for (std::size_t tau = 0; tau < kWarmUps; ++tau) {
      auto sums = fixed;
      for (std::size_t t = 0; t < shape.terms; ++t) sums[kWarmUp][t] = all_.product(week_[t], warm_up_[tau]);
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
    const auto sizes_at = [&](double slope) {
      std::array<double, kAge> size{};
      for (std::size_t j = kAge; j-- > 0;) {
        if (!in[j]) continue;
        size[j] = m[kY][j] - slope * m[kAge][j];
        for (std::size_t k = j + 1; k < kAge; ++k) size[j] -= size[k] * m[k][j];
        size[j] /= m[j][j];
      }
      return size;
    };
    const auto offer = [&](Explanation& best, double slope) {
      const double cost = free() * std::log(std::max(m[kY][kY], std::numeric_limits<double>::min())) + price;
      if (slope > 0 && cost < rising.cost + 12) {
        if (weight_ == 0) base_cost_ = cost;
        const std::array<double, kAge> size = sizes_at(slope);
        if (size[kWarmUp] <= 0) {
          const double w = std::exp(std::clamp((base_cost_ - cost) / 2, -600.0, 600.0));
          weight_ += w, weighted_ += w * slope;
        }
      }
      if (!(cost < best.cost)) return;
      const std::array<double, kAge> size = sizes_at(slope);
      if (size[kWarmUp] > 0) return;  // falls after the boot: no warm-up
      best.tau = warm_up ? kWarmUpDays[static_cast<std::size_t>(warm_up - warm_up_.data())] : 0, best.shape = shape_; best.cost = cost, best.rss = m[kY][kY], best.slope = slope, best.spread = m[kAge][kAge];
      best.without_slope_of = y_;
      for (std::size_t i = 0; i < all_.count; ++i) {
        for (std::size_t t = kWeek0; t <= kWeek1; ++t) best.without_slope_of[i] -= size[t] * week_[t][i];
        if (warm_up != nullptr) best.without_slope_of[i] -= size[kWarmUp] * (*warm_up)[i];
      }
    };
    offer(flat, 0);
    const auto add = [&](double slope, double weight_share) {
      const std::array<double, kAge> size = sizes_at(slope);
      if (size[kWarmUp] > 0) return;
      const double cost = free() * std::log(std::max(m[kY][kY], std::numeric_limits<double>::min())) + price;
      if (!based_) base2_ = cost, based_ = true;
      mass_[slope > thr_[0] ? (slope > thr_[1] ? 2 : 1) : 0] += weight_share * std::exp(std::clamp((base2_ - cost) / 2, -600.0, 600.0));
    };
    add(0, 1);
    if (!(m[kAge][kAge] > kExplained * age_age_)) return;
    const double slope = m[kY][kAge] / m[kAge][kAge];
    eliminate(kAge);
    if (slope > 0) offer(rising, slope), add(slope, 1);
  }

  double base2_ = 0; bool based_ = false;
 public:
  std::array<double, 3> mass_{};
  std::array<double, 2> thr_{};
 private:
  const Floors& all_;
  Column age_, y_;
  std::array<Column, kWarmUps> warm_up_{};
  std::array<std::array<double, 3>, kWarmUps> sums_{};  // of each warm-up with itself, the age and y
  std::array<Column, 2> week_{};
  double age_age_ = 0, age_y_ = 0, y_y_ = 0;
  int shape_ = 0;
  double weight_ = 0, weighted_ = 0, base_cost_ = 0;
};

}  // namespace

Assessment assess_boots(std::span<const BootFloors> boots, const EstimatorOptions& options) {
  Assessment result;
  const auto floors = std::make_unique<Floors>();
  Floors& all = *floors;
  for (const BootFloors& boot : boots.last(std::min(boots.size(), kMostBoots))) {
    if (add_boot(all, boot)) result.level = all.y[all.count - 1];
  }
  const double n = static_cast<double>(all.boots);
  if (all.boots < kFewestBoots || static_cast<double>(all.count) < kFewestDaysInAll * kBucketsPerDay) return result;
  cut_bursts(all);
  all.set_autocorrelation(autocorrelation_of(all));
  const auto searched = std::make_unique<Search>(all, result.level);
  const Search& search = *searched;
  const Explanation& rising = search.rising;
  if (!(rising.slope > 0)) return result;

  // How well the boots agree.
  std::array<double, kMostBoots> slopes{}, weights{};
  double weight = 0, mean = 0, risen = 0, between = 0;
  for (std::size_t boot = 0; boot < all.boots; ++boot) {
    for (std::size_t i = all.begin[boot]; i < all.begin[boot + 1]; ++i) {
      weights[boot] += search.age()[i] * search.age()[i];
      slopes[boot] += search.age()[i] * rising.without_slope_of[i];
    }
    mean += slopes[boot], weight += weights[boot];
    slopes[boot] /= weights[boot];
    if (slopes[boot] > 0) risen += 1;
  }
  mean /= weight;
  for (std::size_t boot = 0; boot < all.boots; ++boot) between += weights[boot] * std::pow(slopes[boot] - mean, 2);
  const double error_between = std::sqrt(between / (n - 1) / weight);

  const double clear = rising.slope / std::max(error_between, 1e-12) / (kClear * (1 + kClearWithFewBoots / (n - 1)));
  const double evidence = std::sqrt(std::max(0.0, search.flat.cost - rising.cost) / (kEvidence / (n - 2)));
  const double common = risen / n / kCommon;
  const double material = rising.slope / options.min_per_day;
  static const double kAverage = knob("AVG", 1);
  result.slope_per_day = kAverage > 0 ? search.mean_slope() : rising.slope;
  result.slope_error_per_day = std::max(error_between, std::sqrt(rising.rss / search.free() / rising.spread));
  if (std::getenv("DBG2"))
    std::printf("F %zu %zu %g %g %g %g %g %g %g %g %g %g %g %g %d %d %g %g %g\n", all.boots, all.count, search.flat.cost - rising.cost, rising.slope / result.level, search.mean_slope() / result.level, error_between / result.level, std::sqrt(rising.rss / search.free() / rising.spread) / result.level, risen / n, material, all.lag[1], search.flat.tau, rising.tau, search.flat.rss, rising.rss, search.flat.shape, rising.shape, search.mass_[0], search.mass_[1], search.mass_[2]);
  result.onset_days_ago = kHistoryDays;
  result.leak_score = std::min({clear, evidence, common, material});
  result.span_score = 1;
  result.strength = std::min({clear, evidence, material});
  result.watch_score = std::min(result.leak_score * 1.4, result.leak_score + 0.5);
  return result;
}

}  // namespace kmem::trend
