#include "exporter/trend/folded.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <vector>

#include "exporter/trend/daily.h"

namespace kmem::trend {
namespace {

constexpr std::size_t kMostBoots = 16;

// Evidence: twice the logarithm of how much likelier the floors are with growth that matters than without, over all
// warm-ups and patterns of the week. Growth that each boot clears matters from this rate on; a warm-up and a pattern
// pay for what they assume. Few boots may agree by chance: they need more.
constexpr double kLeastRate = 0.005;                         // of the level, a day
constexpr double kEvidence = 1.5, kEvidenceOfFewBoots = 15;  // the latter over boots - 2
constexpr double kWarmUpCosts = 4;
constexpr double kWeekCosts = 8;
constexpr double kClear = 2, kClearWithFewBoots = 3;  // slope over its error between boots: 2 x (1 + 3 / (boots - 1))
constexpr double kCommon = 0.75;                      // share of the boots that rise
constexpr double kMostAutocorrelation = 0.97;         // of a floor with the next
constexpr double kSlowNoise = 0.5;                    // how much that of a day's distance counts in it
constexpr double kExplained = 1e-3;                   // of a term's spread that the others leave: it says nothing
constexpr double kBurst = 4.4;                        // times the typical deviation from the hours around
constexpr double kUnsettledDays = 0.4;                // after a boot, left out
constexpr std::array kWarmUpDays = {0.25, 0.32, 0.4, 0.5, 0.62, 0.78, 0.97, 1.2, 1.5, 1.8, 2.2, 2.7};
constexpr std::size_t kWarmUps = kWarmUpDays.size();

constexpr int kWeekBuckets = 7 * kBucketsPerDay;

constexpr std::size_t kPoints = kCoarseBuckets;
using Column = std::array<double, kPoints>;

double dot(const Column& a, const Column& b, std::size_t count) {
  double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4)
    s0 += a[i] * b[i], s1 += a[i + 1] * b[i + 1], s2 += a[i + 2] * b[i + 2], s3 += a[i + 3] * b[i + 3];
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
  std::array<double, kPoints> lag{};               // autocorrelation with the floor before; 0 at the first of a boot
  std::array<double, kPoints> weight{};            // makes what is new in a floor equally large everywhere
  std::array<Column, kBucketsPerDay - 1> hours{};  // orthonormal, whitened: what the hour of the day explains
  std::size_t hours_used = 0;
  std::array<double, kPoints> ones{};  // a level, whitened
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
  /// The products of a whitened column with the indicators of the week's buckets, these whitened too.
  [[nodiscard]] std::array<double, kWeekBuckets> by_week_bucket(const Column& column) const {
    std::array<double, kWeekBuckets> sums{};
    for (std::size_t i = 0; i < count; ++i) {
      sums[bucket[i] % kWeekBuckets] += weight[i] * column[i];
      if (lag[i] > 0) sums[bucket[i - 1] % kWeekBuckets] -= lag[i] * weight[i] * column[i];
    }
    return sums;
  }
};

bool add_boot(Floors& all, const BootFloors& boot) {
  const std::size_t before = all.count;
  for (std::size_t i = 0; i < boot.floors.size() && all.count < kPoints; ++i) {
    const double age = boot.first_age_days + static_cast<double>(i) / kBucketsPerDay;
    if (std::isnan(boot.floors[i]) || age < kUnsettledDays) continue;
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

/// More than any boot can have grown a day, but for what falls at the same time.
double most_rise_a_day(const Floors& all) {
  double most = 0;
  for (std::size_t boot = 0; boot < all.boots; ++boot) {
    const auto first = all.y.begin() + static_cast<std::ptrdiff_t>(all.begin[boot]);
    const auto last = all.y.begin() + static_cast<std::ptrdiff_t>(all.begin[boot + 1]);
    const auto [low, high] = std::minmax_element(first, last);
    most = std::max(most, 2 * (*high - *low) / (all.age[all.begin[boot + 1] - 1] - all.age[all.begin[boot]]));
  }
  return most;
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
      off[i] = reach < 2 ? std::numeric_limits<double>::quiet_NaN() : all.y[i] - median({around.data(), 2 * reach + 1});
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
  const double most = kBurst * median({spread.data(), count});
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
  double lag1 = 0, lag6 = 0, whole1 = 0, whole6 = 0;
  for (std::size_t i = 0; i < all.count; ++i) rest[i] -= sum[age_of(i)] / seen[age_of(i)];
  for (std::size_t boot = 0; boot < all.boots; ++boot) {
    for (std::size_t i = all.begin[boot]; i < all.begin[boot + 1]; ++i) {
      if (i >= all.begin[boot] + 1) lag1 += rest[i] * rest[i - 1], whole1 += rest[i] * rest[i];
      if (i >= all.begin[boot] + 6) lag6 += rest[i] * rest[i - 6], whole6 += rest[i] * rest[i];
    }
  }
  if (!(whole1 > 0) || !(whole6 > 0)) return 0;
  // Each boot's own level is estimated too, which hides as much of it.
  const double n = static_cast<double>(all.count) / static_cast<double>(all.boots);
  double one = lag1 / whole1, six = lag6 / whole6;
  const double hidden = (1 + one) / (1 - std::min(one, 0.95)) / n;  // variance of the mean of a boot
  one = (one + hidden) / (1 + hidden), six = (six + hidden) / (1 + hidden);
  const double from_six = six > 0 ? std::pow(six, 1.0 / 6) : 0;
  return std::clamp(std::max(one, kSlowNoise * from_six + (1 - kSlowNoise) * one), 0.0, kMostAutocorrelation);
}

/// A pattern of the week by its bucket.
using Shape = std::array<double, kWeekBuckets>;
struct Week {
  std::array<Shape, 2> shapes{};
  std::size_t terms = 0;
};
/// None; two days of the week that are lower than the others; one that is higher; a wave. The floor of a bucket in
/// which a day begins or ends is that of its lower part.
std::vector<Week> make_weeks() {
  std::vector<Week> weeks(1);
  for (const int buckets : {2 * kBucketsPerDay, 2 * kBucketsPerDay + 1, kBucketsPerDay, kBucketsPerDay - 1}) {
    for (int phase = 0; phase < kWeekBuckets; ++phase) {
      Week& week = weeks.emplace_back();
      week.terms = 1;
      for (int i = 0; i < buckets; ++i) week.shapes[0][static_cast<std::size_t>((phase + i) % kWeekBuckets)] = 1;
    }
  }
  Week& wave = weeks.emplace_back();
  wave.terms = 2;
  for (std::size_t i = 0; i < kWeekBuckets; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / kWeekBuckets;
    wave.shapes[0][i] = std::cos(angle);
    wave.shapes[1][i] = std::sin(angle);
  }
  return weeks;
}

/// y = level of the boot + slope x age - size x exp(-age / time constant) + pattern of the week + that of the day, all
/// but the levels common to the boots: how likely that is for every time constant and pattern, with a slope and
/// without.
class Search {
 public:
  Search(const Floors& all, double least_slope) : all_(all), least_slope_(least_slope) {
    const auto set = [&](std::size_t at, auto value) {
      for (std::size_t i = 0; i < all.count; ++i) columns_[at][i] = value(i);
      all.whiten(columns_[at]);
    };
    for (std::size_t tau = 0; tau < kWarmUps; ++tau) {
      set(tau, [&](std::size_t i) { return std::exp(-all.age[i] / kWarmUpDays[tau]); });
    }
    set(kAge, [&](std::size_t i) { return all.age[i]; });
    set(kY, [&](std::size_t i) { return all.y[i]; });
    for (std::size_t at = 0; at < kWeekBuckets; ++at) {
      set(kTerms + at, [&](std::size_t i) { return all.bucket[i] % kWeekBuckets == at ? 1.0 : 0.0; });
    }
    for (std::size_t a = 0; a < kTerms; ++a) {
      for (const std::size_t b : {a, std::size_t{kAge}, std::size_t{kY}}) {
        products_[a][b] = products_[b][a] = all.product(columns_[a], columns_[b]);
      }
    }
    for (std::size_t a = 0; a < kTerms + kWeekBuckets; ++a) week_products_[a] = all.by_week_bucket(columns_[a]);
    static const std::vector<Week> weeks = make_weeks();
    for (const Week& week : weeks) try_week(week);
    if (best_.week != nullptr) subtract_best();
  }

  /// Twice the logarithm of how much likelier growth of the least slope or more is than less or none.
  [[nodiscard]] double evidence() const {
    constexpr double kSure = 1e3;
    if (!(rising_weight_ > 0)) return -kSure;
    return std::clamp(2 * std::log(rising_weight_ / other_weight_), -kSure, kSure);
  }
  [[nodiscard]] bool rises() const { return slope_weight_ > 0; }
  [[nodiscard]] double slope() const { return slope_sum_ / slope_weight_; }
  [[nodiscard]] double error() const { return std::sqrt(best_.rss / free() / best_.spread); }
  [[nodiscard]] const Column& age() const { return columns_[kAge]; }
  /// y but for the warm-up and the week, as the best explanation that grows has them.
  [[nodiscard]] const Column& cleaned() const { return cleaned_; }

 private:
  enum : std::size_t { kAge = kWarmUps, kY, kTerms };
  using Row = std::array<double, kTerms>;

  [[nodiscard]] double free() const { return static_cast<double>(all_.count - all_.boots - all_.hours_used) - 3; }

  struct Explanation {
    double cost = 0, rss = 0, slope = 0, spread = 1;  // of the age, that the other terms do not explain
    double warm_up = 0;                               // its size, negative
    std::size_t tau = kWarmUps;
    const Week* week = nullptr;
  };
  /// The pattern's products with the other terms, once its first shape is taken out of the second; and with itself.
  struct Pattern {
    std::array<Row, 2> with{};
    std::array<double, 2> own{};
    double second_on_first = 0;
  };
  [[nodiscard]] Pattern pattern_of(const Week& week) const {
    Pattern pattern;
    double both = 0;
    for (std::size_t t = 0; t < week.terms; ++t) {
      for (std::size_t at = 0; at < kWeekBuckets; ++at) {
        const double size = week.shapes[t][at];
        if (size == 0) continue;
        for (std::size_t c = 0; c < kTerms; ++c) pattern.with[t][c] += size * week_products_[c][at];
        double own = 0, other = 0;
        for (std::size_t b = 0; b < kWeekBuckets; ++b) {
          own += week.shapes[t][b] * week_products_[kTerms + at][b];
          other += week.shapes[1 - t][b] * week_products_[kTerms + at][b];
        }
        pattern.own[t] += size * own;
        if (t == 1) both += size * other;
      }
    }
    if (week.terms == 2 && pattern.own[0] > 0) {
      pattern.second_on_first = both / pattern.own[0];
      for (std::size_t c = 0; c < kTerms; ++c) pattern.with[1][c] -= pattern.second_on_first * pattern.with[0][c];
      pattern.own[1] -= pattern.second_on_first * both;
    }
    return pattern;
  }

  void try_week(const Week& week) {
    const Pattern pattern = pattern_of(week);
    const auto left = [&](std::size_t a, std::size_t b) {  // of a product, when the pattern is taken out
      double value = products_[a][b];
      for (std::size_t t = 0; t < week.terms; ++t) {
        if (pattern.own[t] > kLeastOwn) value -= pattern.with[t][a] * pattern.with[t][b] / pattern.own[t];
      }
      return value;
    };
    Explanation tried;
    tried.week = &week;
    const double aa = left(kAge, kAge), ay = left(kAge, kY), yy = left(kY, kY), price = week.terms > 0 ? kWeekCosts : 0;
    const auto offer = [&](double slope, double warm_up, double rss, double spread, double more) {
      if (warm_up > 0) return;  // falls after the boot: no warm-up
      tried.cost = free() * std::log(std::max(rss, std::numeric_limits<double>::min())) + price + more;
      if (!based_) first_cost_ = tried.cost, based_ = true;
      const double weight = std::exp(std::clamp((first_cost_ - tried.cost) / 2, -600.0, 600.0));
      (slope >= least_slope_ ? rising_weight_ : other_weight_) += weight;
      if (!(slope > 0)) return;
      slope_weight_ += weight, slope_sum_ += weight * slope;
      tried.rss = rss, tried.slope = slope, tried.warm_up = warm_up, tried.spread = spread;
      if (best_.week == nullptr || tried.cost < best_.cost) best_ = tried;
    };
    const double least_spread = kExplained * products_[kAge][kAge];
    tried.tau = kWarmUps;
    offer(0, 0, yy, 1, 0);
    if (aa > least_spread && ay > 0) offer(ay / aa, 0, yy - ay * ay / aa, aa, 0);
    for (std::size_t tau = 0; tau < kWarmUps; ++tau) {
      const double uu = left(tau, tau);
      if (!(uu > kExplained * products_[tau][tau])) continue;
      tried.tau = tau;
      const double ua = left(tau, kAge), uy = left(tau, kY), rss = yy - uy * uy / uu;
      offer(0, uy / uu, rss, 1, kWarmUpCosts);
      const double spread = aa - ua * ua / uu, rise = ay - ua * uy / uu;
      if (!(spread > least_spread) || !(rise > 0)) continue;
      offer(rise / spread, (uy - rise / spread * ua) / uu, rss - rise * rise / spread, spread, kWarmUpCosts);
    }
  }

  void subtract_best() {
    cleaned_ = columns_[kY];
    const auto subtract = [&](double size, std::size_t column) {
      if (size == 0) return;
      for (std::size_t i = 0; i < all_.count; ++i) cleaned_[i] -= size * columns_[column][i];
    };
    if (best_.tau < kWarmUps) subtract(best_.warm_up, best_.tau);
    const Pattern pattern = pattern_of(*best_.week);
    std::array<double, 2> size{};
    for (std::size_t t = best_.week->terms; t-- > 0;) {
      if (!(pattern.own[t] > kLeastOwn)) continue;
      const double warm_up = best_.tau < kWarmUps ? best_.warm_up * pattern.with[t][best_.tau] : 0;
      size[t] = (pattern.with[t][kY] - best_.slope * pattern.with[t][kAge] - warm_up) / pattern.own[t];
    }
    size[0] -= pattern.second_on_first * size[1];
    for (std::size_t at = 0; at < kWeekBuckets; ++at) {
      subtract(size[0] * best_.week->shapes[0][at] + size[1] * best_.week->shapes[1][at], kTerms + at);
    }
  }

  static constexpr double kLeastOwn = 1e-6;  // of a pattern: less is none, it is levels and the day
  const Floors& all_;
  double least_slope_;
  std::array<Column, kTerms + kWeekBuckets> columns_{};  // whitened
  std::array<Row, kTerms> products_{};
  std::array<Shape, kTerms + kWeekBuckets> week_products_{};  // with each bucket of the week
  bool based_ = false;
  double first_cost_ = 0, rising_weight_ = 0, other_weight_ = 0, slope_weight_ = 0, slope_sum_ = 0;
  Explanation best_;
  Column cleaned_{};
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
  if (most_rise_a_day(all) < options.min_per_day) return result;  // cheap, and true of most
  cut_bursts(all);
  all.set_autocorrelation(autocorrelation_of(all));
  const auto searched = std::make_unique<Search>(all, kLeastRate * std::abs(result.level));
  const Search& search = *searched;
  if (!search.rises()) return result;

  // How well the boots agree.
  std::array<double, kMostBoots> slopes{}, weights{};
  double weight = 0, mean = 0, risen = 0, between = 0;
  for (std::size_t boot = 0; boot < all.boots; ++boot) {
    for (std::size_t i = all.begin[boot]; i < all.begin[boot + 1]; ++i) {
      weights[boot] += search.age()[i] * search.age()[i];
      slopes[boot] += search.age()[i] * search.cleaned()[i];
    }
    mean += slopes[boot], weight += weights[boot];
    slopes[boot] /= weights[boot];
    if (slopes[boot] > 0) risen += 1;
  }
  mean /= weight;
  for (std::size_t boot = 0; boot < all.boots; ++boot) between += weights[boot] * std::pow(slopes[boot] - mean, 2);
  const double error_between = std::sqrt(between / (n - 1) / weight);

  result.slope_per_day = search.slope();
  result.slope_error_per_day = std::max(error_between, search.error());
  const double clear = search.slope() / std::max(error_between, 1e-12) / (kClear * (1 + kClearWithFewBoots / (n - 1)));
  const double evidence = search.evidence() / std::max(kEvidence, kEvidenceOfFewBoots / (n - 2));
  const double common = risen / n / kCommon;
  const double material = search.slope() / options.min_per_day;
  result.onset_days_ago = kHistoryDays;
  result.leak_score = std::min({clear, evidence, common, material});
  result.strength = std::min({clear, evidence, material});
  result.watch_score = std::min(result.leak_score * 1.4, result.leak_score + 0.5);
  return result;
}

}  // namespace kmem::trend
