#include "tests/exporter/trend/sim/sessions.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kmem::trend::sim {
namespace {

constexpr double kLongestStayDays = 5;

double log_normal(Random& random, double spread) {  // of mean 1
  return std::exp(spread * random.normal() - spread * spread / 2);
}

}  // namespace

Sessions::Sessions(Random& random, double step_minutes)
    : random_(random), step_days_(step_minutes / 1440), share_(random.log_uniform(0.01, 0.2)),
      alive_(random.log_uniform(15, 200)), spread_(random.uniform(0.2, 1)), stay_days_(random.log_uniform(0.5, 10) / 24),
      stay_spread_(random.uniform(0.3, 1.2)), day_swing_(random.uniform(0, 0.9)),
      weekend_(random.chance(0.3) ? 1 : random.uniform(0.3, 0.9)), noon_(random.uniform(0, 1)),
      phase_days_(random.uniform(0, 7)), bursts_a_day_(random.chance(0.4) ? 0 : random.uniform(0, 2)),
      burst_size_(random.log_uniform(0.005, 0.05)), burst_days_(random.log_uniform(5, 120) / 1440),
      by_work_(random.chance(0.5)) {
  if (random.chance(0.4))
    backup_ = random.log_uniform(0.01, 0.1), backup_at_ = random.uniform(0, 1), backup_days_ = random.uniform(0.3, 4) / 24;
  if (random.chance(0.3))
    restart_ = random.uniform(0.01, 0.1), restart_at_ = random.uniform(0, 7), regained_days_ = random.log_uniform(0.5, 8) / 24;
  ends_.resize(static_cast<std::size_t>(kLongestStayDays / step_days_) + 2);
  for (double day = -kLongestStayDays; day < 0; day += step_days_) next(day);
  burst_ = 0;
}

double Sessions::rate(double day) const {
  const double week = std::fmod(day + phase_days_ + 70, 7), mean = (5 + 2 * weekend_) / 7;
  return (week < 5 ? 1 : weekend_) / mean * (1 + day_swing_ * std::cos(2 * std::numbers::pi * (day - noon_)));
}

double Sessions::worked(double day) const {
  if (!by_work_) return day;
  const auto until = [this](double to) {  // from the begin of the week; the day's swing evens out over days
    const double whole = std::floor(to / 7), in_week = to - 7 * whole, mean = (5 + 2 * weekend_) / 7;
    return whole * 7 + (std::min(in_week, 5.0) + weekend_ * std::max(0.0, in_week - 5)) / mean;
  };
  const auto swing = [this](double at) {
    return day_swing_ / (2 * std::numbers::pi) * std::sin(2 * std::numbers::pi * (at - noon_));
  };
  return until(day + phase_days_) - until(phase_days_) + swing(day) - swing(0);
}

int Sessions::arrivals(double expected) {
  int count = 0;
  for (double left = expected; (left += std::log(1 - random_.uniform(0, 1))) > 0;) ++count;
  return count;
}

double Sessions::next(double day) {
  double& given_back = ends_[step_ % ends_.size()];
  held_ -= given_back, given_back = 0;
  const double size = share_ / alive_;
  for (int i = arrivals(rate(day) * alive_ / stay_days_ * step_days_); i > 0; --i) {
    const double stay = std::min(stay_days_ * log_normal(random_, stay_spread_), kLongestStayDays);
    const double amount = size * log_normal(random_, spread_);
    held_ += amount;
    ends_[(step_ + 1 + static_cast<std::size_t>(stay / step_days_)) % ends_.size()] += amount;
  }
  ++step_;
  burst_ *= std::exp(-step_days_ / burst_days_);
  if (random_.chance(bursts_a_day_ * step_days_)) burst_ -= burst_size_ * std::log(1 - random_.uniform(0, 1));
  double levels = held_ - share_ + burst_;
  const double since_backup = day + 70 - backup_at_ - std::floor(day + 70 - backup_at_);
  if (backup_ > 0 && since_backup < backup_days_)
    levels += backup_ * std::min({1.0, since_backup * 144, (backup_days_ - since_backup) * 144});
  if (restart_ > 0) levels -= restart_ * std::exp(-std::fmod(day + 70 - restart_at_, 7) / regained_days_);
  return levels;
}

}  // namespace kmem::trend::sim
