#include "exporter/trend/odds.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "exporter/trend/daily.h"

namespace kmem::trend {
namespace {

constexpr double kQuarterWide = 15, kHourWide = 60, kFiveWide = 5, kCoarseWide = 240;
constexpr double kShortMinutes = 100;                          // shorter growth is looked at by five minutes, not by quarters
constexpr std::size_t kWeeksOfNoise = std::size_t{4} * 7 * 6;  // of four hours
constexpr std::size_t kFewestSteps = 6, kFewestFloors = 8;
constexpr double kLeastNoise = 0.003;  // of what is left: below that the grid of begins is what does not fit
constexpr std::array kTimesFilled = {0.3, 0.6, 1.0, 1.5, 2.2, 3.5};  // how many of its own times it has filled for
constexpr double kNextBegin = 1.12, kOldestBegin = 1.5;              // times the one before; times the oldest point
constexpr double kTail = 4;  // degrees of freedom of Student's t: a jump of the load is unlikely, not impossible

/// Up to so many numbers.
template <std::size_t kMost>
struct List {
  std::array<double, kMost> values;
  std::size_t count = 0;
  void add(double value) {
    if (!std::isnan(value) && count < kMost) values[count++] = value;
  }
};

/// Mean square about the median, of which what lies far out counts as three times the usual.
template <std::size_t kMost>
double robust_variance(List<kMost> list) {
  if (list.count < kFewestSteps) return std::numeric_limits<double>::quiet_NaN();
  const std::span<double> values(list.values.data(), list.count);
  const double middle = quantile(values, 0.5);
  for (double& value : values) value = std::abs(value - middle);
  const double most = 3 * std::max(1.4826 * quantile(values, 0.5), 0.25 * quantile(values, 0.9));
  double sum = 0;
  for (const double value : values) sum += std::min(value, most) * std::min(value, most);
  return sum / static_cast<double>(list.count);
}

/// What varies from one floor to the next, without the growth and its bend.
template <std::size_t kMost>
double variance_of_steps(const List<kMost>& steps) {
  List<kMost> bends;
  for (std::size_t i = 1; i < steps.count; ++i) bends.add(steps.values[i] - steps.values[i - 1]);
  return std::min(robust_variance(steps), robust_variance(bends) / 2);
}

/// log(e^a + e^b)
double add_logs(double a, double b) {
  const double most = std::max(a, b);
  return std::isinf(most) ? most : most + std::log1p(std::exp(std::min(a, b) - most));
}

/// Floors with their noise made white: each less what of the one before lasts until then, in units of what is new.
class Weighing {
 public:
  Weighing(const SurgeView& view, double minutes, const UsualQuarters& usual) : view_(view), usual_(usual) {
    const bool is_short = minutes < kShortMinutes;
    const double fives_age = std::fmod(view.minutes_of_hour, kFiveWide);
    const auto fives = std::span(view.recent.fives).first(Recent::kFives);
    const double oldest_five = fives_age + kFiveWide * static_cast<double>(Recent::kFives);
    // Where it grows, a floor is what its time began with.
    List<kFineBuckets> hour_steps;
    double before = std::numeric_limits<double>::quiet_NaN();
    for (std::size_t i = 0; i < view.hours.size(); ++i) {
      const double age = view.minutes_of_hour + kHourWide * static_cast<double>(view.hours.size() - i);
      const double value = static_cast<double>(view.hours[i]) - usual_at(age - kHourWide / 2);
      hour_steps.add(value - before);
      before = value;
      if (age - kHourWide >= oldest_five - 1) add(age, value);
    }
    List<Recent::kFives> short_steps;
    before = std::numeric_limits<double>::quiet_NaN();
    const std::size_t width = is_short ? 1 : 3;
    for (std::size_t i = 0; i + width <= fives.size(); i += width) {
      float low = fives[i];
      for (std::size_t k = 1; k < width; ++k) low = std::fmin(low, fives[i + k]);
      const double age = fives_age + kFiveWide * static_cast<double>(fives.size() - i);
      const double value = static_cast<double>(low) - usual_at(age - kFiveWide / 2 * static_cast<double>(width));
      short_steps.add(value - before);
      before = value;
      add(age, value);
    }
    add(0, view.now - usual_at(0));
    whiten(variance_before(minutes), variance_of_steps(hour_steps), variance_of_steps(short_steps),
           kFiveWide * static_cast<double>(width));
  }
  [[nodiscard]] bool knows() const { return knows_ && count_ >= kFewestFloors; }
  [[nodiscard]] double oldest() const { return age_[0]; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] double usual_at(double age) const {
    const double position = age / kQuarterWide, whole = std::floor(position);
    const std::size_t at = static_cast<std::size_t>(std::max(0.0, whole)) % usual_.size();
    return usual_[at] + (position - whole) * (usual_[(at + 1) % usual_.size()] - usual_[at]);
  }

  /// A level, and what comes on top of it by `shape(age)`: at most so much of the room, 0 = anything.
  struct Fit {
    double cost = std::numeric_limits<double>::infinity();  // less the log of the likelihood
    double amount = 0;
  };
  template <typename Shape>
  [[nodiscard]] Fit fit(const Shape& shape, double most_of_room) const {
    std::array<double, kMostPoints> x;
    double before = 0, ll = 0, lx = 0, xx = 0, ly = 0, xy = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const double value = shape(age_[i]);
      x[i] = scale_[i] * (value - lasts_[i] * before);
      before = value;
      ll += one_[i] * one_[i], lx += one_[i] * x[i], xx += x[i] * x[i], ly += one_[i] * y_[i], xy += x[i] * y_[i];
    }
    const double both = ll * xx - lx * lx;
    if (!(both > 1e-9 * ll * xx)) return {};
    double level = (ly * xx - xy * lx) / both, amount = (ll * xy - lx * ly) / both;
    if (amount <= 0) amount = 0, level = ly / ll;
    for (int i = 0; i < 2 && most_of_room > 0; ++i) {
      const double most = std::max(0.0, most_of_room * (view_.left + view_.now - level));
      if (amount > most) amount = most, level = (ly - amount * lx) / ll;
    }
    double sum = 0, product = 1;  // a logarithm of eight at once
    for (std::size_t i = 0; i < count_; ++i) {
      const double off = y_[i] - level * one_[i] - amount * x[i];
      product *= 1 + off * off / kTail;
      if (i % 8 == 7) sum += std::log(product), product = 1;
    }
    return {(kTail + 1) / 2 * (sum + std::log(product)), amount};
  }

 private:
  static constexpr std::size_t kMostPoints = kFineBuckets + Recent::kFives + 1;

  void add(double age, double value) {
    if (std::isnan(value)) return;
    age_[count_] = age, y_[count_] = value;
    ++count_;
  }
  /// How much the load varied in the weeks before it grew.
  [[nodiscard]] double variance_before(double minutes) const {
    List<kWeeksOfNoise> before;
    const double first = std::ceil(std::max(0.0, (minutes - view_.minutes_of_coarse) / kCoarseWide));
    for (auto i = static_cast<std::size_t>(first); i < view_.coarse.size(); ++i) {
      const double newest = view_.minutes_of_coarse + kCoarseWide * static_cast<double>(i);
      double usual = 0;
      for (int hour = 0; hour < 4; ++hour) usual += usual_at(newest + kHourWide * (hour + 0.5)) / 4;
      before.add(static_cast<double>(view_.coarse[view_.coarse.size() - 1 - i]) - usual);
    }
    return robust_variance(before);
  }
  void whiten(double all, double of_hour, double of_short, double short_minutes) {
    if (std::isnan(of_hour)) of_hour = of_short * kHourWide / short_minutes;
    if (std::isnan(of_hour)) return;
    knows_ = true;
    const double least = std::pow(kLeastNoise * std::max(view_.left, 0.002 * view_.whole), 2);
    all = std::max({std::isnan(all) ? 0.0 : all, 0.6 * of_hour, 9 * least}) + least;
    // A step of an hour is 2 (1 - lasts) of all that it varies.
    const double lasts_an_hour = std::clamp(1 - of_hour / (2 * all), 0.1, 0.995);
    const double of_few = std::isnan(of_short) ? 0 : of_short / 2;
    for (std::size_t i = 0; i < count_; ++i) {
      const double apart = i == 0 ? 0 : age_[i - 1] - age_[i];
      lasts_[i] = i == 0 ? 0 : std::pow(lasts_an_hour, apart / kHourWide);
      double is_new = all * (1 - lasts_[i] * lasts_[i]);
      if (i > 0 && apart < kHourWide - 10) is_new = std::max(is_new, of_few * std::min(1.0, 0.3 + 0.7 * apart / short_minutes));
      scale_[i] = 1 / std::sqrt(is_new + least);
      one_[i] = scale_[i] * (1 - lasts_[i]);
    }
    for (std::size_t i = count_; i-- > 0;) y_[i] = scale_[i] * (y_[i] - (i > 0 ? lasts_[i] * y_[i - 1] : 0));
  }

  const SurgeView& view_;
  const UsualQuarters& usual_;
  std::array<double, kMostPoints> age_, y_, lasts_, scale_, one_;
  std::size_t count_ = 0;
  bool knows_ = false;
};

}  // namespace

std::optional<Odds> weigh(const SurgeView& view, double minutes, const UsualQuarters& usual) {
  const Weighing weighing(view, minutes, usual);
  if (std::isnan(view.left) || !weighing.knows()) return std::nullopt;
  double line = -std::numeric_limits<double>::infinity(), filling = line, best = -line;
  std::size_t begins = 0;
  Odds odds;
  for (double begin = minutes < kShortMinutes ? 8 : 30; begin <= weighing.oldest() * kOldestBegin;
       begin *= kNextBegin, ++begins) {
    const auto straight = weighing.fit([begin](double age) { return std::max(0.0, begin - age); }, 0);
    line = add_logs(line, -straight.cost);
    if (straight.cost < best) {
      best = straight.cost;
      odds.minutes = begin, odds.growth = straight.amount * begin;
    }
    for (const double times : kTimesFilled) {
      const auto fills = [begin, times](double age) { return age >= begin ? 0 : 1 - std::exp(-times * (1 - age / begin)); };
      filling = add_logs(filling, -weighing.fit(fills, kCacheOfRoom).cost);
    }
  }
  if (std::isinf(line) || std::isinf(filling)) return std::nullopt;
  odds.of_line = line - filling + std::log(static_cast<double>(kTimesFilled.size()));
  odds.used_over_left = odds.growth / std::max(view.left + weighing.usual_at(0), 0.002 * view.whole);
  odds.misfit = best / static_cast<double>(weighing.count());
  return odds;
}

}  // namespace kmem::trend
