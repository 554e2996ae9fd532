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
constexpr double kOutOfSight = 30;                                   // log of how much less likely counts for nothing
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

/// Distances in minutes that differ by what rounding leaves.
bool as_far(double a, double b) { return std::abs(a - b) < 1e-9; }

/// What varies from one floor to the next, without the growth and its bend.
template <std::size_t kMost>
double variance_of_steps(const List<kMost>& steps) {
  List<kMost> bends;
  for (std::size_t i = 1; i < steps.count; ++i) bends.add(steps.values[i] - steps.values[i - 1]);
  return std::min(robust_variance(steps), robust_variance(bends) / 2);
}

}  // namespace

Odds::Odds(const SurgeView& view, double minutes, const UsualQuarters& usual) : view_(view), usual_(usual) {
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
  if (std::isnan(view.left) || count_ < kFewestFloors) return;
  if (whiten(variance_before(minutes), variance_of_steps(hour_steps), variance_of_steps(short_steps),
             kFiveWide * static_cast<double>(width)))
    weigh_lines(minutes);
}

double Odds::usual_at(double age) const {
  const double position = std::max(0.0, age / kQuarterWide);
  const auto whole = static_cast<std::size_t>(position);
  const std::size_t at = whole % usual_.size();
  return usual_[at] + (position - static_cast<double>(whole)) * (usual_[(at + 1) % usual_.size()] - usual_[at]);
}

void Odds::add(double age, double value) {
  if (std::isnan(value)) return;
  age_[count_] = age, y_[count_] = value;
  ++count_;
}

/// How much the load varied in the weeks before it grew.
double Odds::variance_before(double minutes) const {
  std::array<double, kBucketsPerDay> usual{};  // of four hours: the same on every day
  for (std::size_t i = 0; i < usual.size(); ++i) {
    for (int hour = 0; hour < 4; ++hour)
      usual[i] += usual_at(view_.minutes_of_coarse + kCoarseWide * static_cast<double>(i) + kHourWide * (hour + 0.5)) / 4;
  }
  List<kWeeksOfNoise> before;
  const double first = std::ceil(std::max(0.0, (minutes - view_.minutes_of_coarse) / kCoarseWide));
  for (auto i = static_cast<std::size_t>(first); i < view_.coarse.size() && before.count < kWeeksOfNoise; ++i)
    before.add(static_cast<double>(view_.coarse[view_.coarse.size() - 1 - i]) - usual[i % usual.size()]);
  return robust_variance(before);
}

bool Odds::whiten(double all, double of_hour, double of_short, double short_minutes) {
  if (std::isnan(of_hour)) of_hour = of_short * kHourWide / short_minutes;
  if (std::isnan(of_hour)) return false;
  const double least = std::pow(kLeastNoise * std::max(view_.left, 0.002 * view_.whole), 2);
  all = std::max({std::isnan(all) ? 0.0 : all, 0.6 * of_hour, 9 * least}) + least;
  // A step of an hour is 2 (1 - lasts) of all that it varies.
  const double lasts_an_hour = std::clamp(1 - of_hour / (2 * all), 0.1, 0.995);
  const double of_few = std::isnan(of_short) ? 0 : of_short / 2;
  double last_apart = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    const double apart = i == 0 ? 0 : age_[i - 1] - age_[i];
    if (i > 0 && as_far(apart, last_apart)) {
      lasts_[i] = lasts_[i - 1], scale_[i] = scale_[i - 1], one_[i] = one_[i - 1];
      continue;
    }
    last_apart = apart;
    lasts_[i] = i == 0 ? 0 : std::pow(lasts_an_hour, apart / kHourWide);
    double is_new = all * (1 - lasts_[i] * lasts_[i]);
    if (i > 0 && apart < kHourWide - 10) is_new = std::max(is_new, of_few * std::min(1.0, 0.3 + 0.7 * apart / short_minutes));
    scale_[i] = 1 / std::sqrt(is_new + least);
    one_[i] = scale_[i] * (1 - lasts_[i]);
  }
  for (std::size_t i = count_; i-- > 0;) y_[i] = scale_[i] * (y_[i] - (i > 0 ? lasts_[i] * y_[i - 1] : 0));
  for (std::size_t i = 0; i < count_; ++i) ll_ += one_[i] * one_[i], ly_ += one_[i] * y_[i];
  // Points that fit in any case, up to a multiple of so many.
  for (std::size_t i = count_; i < kMostPoints && i % kTogether != 0; ++i) one_[i] = y_[i] = 0;
  return true;
}

/// `shape(i)` of the points after the begin, one after the other; at most so much of the room, 0 = anything. What costs more
/// than `most_cost` is not looked at to its end.
template <typename Shape>
Odds::Fit Odds::fit(double begin, Shape shape, double most_of_room, double most_cost) const {
  std::array<double, kMostPoints> x;
  std::size_t first = 0;
  while (first < count_ && age_[first] >= begin) x[first++] = 0;
  double before = 0, lx = 0, xx = 0, xy = 0;
  for (std::size_t i = first; i < count_; ++i) {
    const double value = shape(i);
    x[i] = scale_[i] * (value - lasts_[i] * before);
    before = value;
    lx += one_[i] * x[i], xx += x[i] * x[i], xy += x[i] * y_[i];
  }
  const double both = ll_ * xx - lx * lx;
  if (!(both > 1e-9 * ll_ * xx)) return {};
  double level = (ly_ * xx - xy * lx) / both, amount = (ll_ * xy - lx * ly_) / both;
  if (amount <= 0) amount = 0, level = ly_ / ll_;
  for (int i = 0; i < 2 && most_of_room > 0; ++i) {
    const double most = std::max(0.0, most_of_room * (view_.left + view_.now - level));
    if (amount > most) amount = most, level = (ly_ - amount * lx) / ll_;
  }
  std::size_t at = count_;
  while (at % kTogether != 0) x[at++] = 0;
  double cost = 0;
  while (at > 0 && cost <= most_cost) {  // the newest first: most of what does not fit shows there
    at -= kTogether;
    std::array<double, 4> product = {1, 1, 1, 1};  // one logarithm of all
    for (std::size_t i = 0; i < kTogether; ++i) {
      const double off = y_[at + i] - level * one_[at + i] - amount * x[at + i];
      product[i % 4] *= 1 + off * off / kTail;
    }
    cost += (kTail + 1) / 2 * std::log(product[0] * product[1] * product[2] * product[3]);
  }
  return {cost, amount};
}

/// All begins, those near to so many minutes first: the likeliest early lets the others be left early.
template <typename Look>
void Odds::from_nearest(double minutes, Look look) const {
  const std::span begins(begins_.data(), begin_count_);
  auto right = std::ranges::lower_bound(begins, minutes), left = right;
  while (left != begins.begin() || right != begins.end()) {
    if (right != begins.end() && !look(*right++)) return;
    if (left != begins.begin() && !look(*--left)) return;
  }
}

void Odds::weigh_lines(double minutes) {
  for (double begin = minutes < kShortMinutes ? 8 : 30; begin <= age_[0] * kOldestBegin && begin_count_ < kMostBegins;
       begin *= kNextBegin)
    begins_[begin_count_++] = begin;
  double best = std::numeric_limits<double>::infinity(), sum = 0;  // of the likelihoods, over that of the best
  BestLine line;
  from_nearest(minutes, [&](double begin) {
    const Fit straight = fit(
        begin, [&](std::size_t i) { return begin - age_[i]; }, 0, best + kOutOfSight);
    if (straight.cost < best) {
      sum = 1 + sum * std::exp(straight.cost - best);
      best = straight.cost;
      line.minutes = begin, line.growth = straight.amount * begin;
    } else if (!std::isinf(straight.cost)) {
      sum += std::exp(best - straight.cost);
    }
    return true;
  });
  if (std::isinf(best)) return;
  log_of_lines_ = std::log(sum) - best;
  line.used_over_left = line.growth / std::max(view_.left + usual_at(0), 0.002 * view_.whole);
  line.misfit = best / static_cast<double>(count_);
  line_ = line;
}

bool Odds::are_of_line_by(double log_odds) const {
  // The likelihoods of all that fill, over what they have to come to.
  const double log_enough = log_of_lines_ + std::log(static_cast<double>(kTimesFilled.size())) - log_odds;
  double sum = 0;
  from_nearest(line_->minutes, [&](double begin) {
    for (const double times : kTimesFilled) {
      // Where points are as far apart as those before, what is left to fill falls by as much.
      double lacks = 0, falls = 0, last_apart = -1;
      const auto fills = [&](std::size_t i) {
        if (const double apart = i == 0 ? 0 : age_[i - 1] - age_[i]; lacks == 0) {
          lacks = std::exp(-times * (1 - age_[i] / begin));
        } else {
          if (!as_far(apart, last_apart)) falls = std::exp(-times * apart / begin), last_apart = apart;
          lacks *= falls;
        }
        return 1 - lacks;
      };
      sum += std::exp(-log_enough - fit(begin, fills, kCacheOfRoom, kOutOfSight - log_enough).cost);
      if (sum > 1) return false;
    }
    return true;
  });
  return sum <= 1;
}

}  // namespace kmem::trend
