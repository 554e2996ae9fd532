// STAGE 3, the judgement over minutes, hours and days, a second opinion: how much likelier a line is than a cache of half of
// the room, over four days of hours and six hours of quarters, in noise that varies and lasts as the load itself did. Only
// growth that has used up 0.4 of what is left is weighed.
// Thread: pure functions; no allocation. Failure: too little to say is nullopt.
#pragma once

#include <array>
#include <optional>

#include "exporter/trend/surge.h"

namespace kmem::trend {

inline constexpr double kCacheOfRoom = 0.5;  // a cache takes so much of the room at most; what takes more is told

/// What the hour of the day adds, by the quarter of an hour so long ago, modulo a day.
using UsualQuarters = std::array<double, 96>;

/// The likeliest line of growth.
struct BestLine {
  double growth = 0, minutes = 0, used_over_left = 0;
  double misfit = 0;  // about 0.5 to 0.8 where its noise is as the load's was
};

/// Floors with their noise made white: each less what of the one before lasts until then, in units of what is new. Lines are
/// weighed at once, what fills only when it is asked for: that is six times as much work, and a line alone answers most.
class Odds {
 public:
  /// `minutes` is about how long it has grown: what is older tells the noise. The view has to stay.
  Odds(const SurgeView& view, double minutes, const UsualQuarters& usual);
  [[nodiscard]] const std::optional<BestLine>& line() const { return line_; }
  /// Whether a line is e to the so much times as likely as what fills, each the mean over all begins and paces.
  [[nodiscard]] bool are_of_line_by(double log_odds) const;

 private:
  static constexpr std::size_t kTogether = 16;  // points
  static constexpr std::size_t kMostPoints = (kFineBuckets + Recent::kFives + 1 + kTogether - 1) / kTogether * kTogether;
  static constexpr std::size_t kMostBegins = 64;

  /// A level, and what comes on top of it.
  struct Fit {
    double cost = std::numeric_limits<double>::infinity();  // less the log of the likelihood
    double amount = 0;
  };
  template <typename Shape>
  [[nodiscard]] Fit fit(double begin, Shape shape, double most_of_room, double most_cost) const;
  void weigh_lines(double minutes);
  template <typename Look>
  void from_nearest(double minutes, Look look) const;
  void add(double age, double value);
  [[nodiscard]] double usual_at(double age) const;
  [[nodiscard]] double variance_before(double minutes) const;
  [[nodiscard]] bool whiten(double all, double of_hour, double of_short, double short_minutes);

  const SurgeView& view_;
  const UsualQuarters& usual_;
  std::array<double, kMostPoints> age_, y_, lasts_, scale_, one_;  // oldest first
  std::size_t count_ = 0, begin_count_ = 0;
  std::array<double, kMostBegins> begins_;
  double ll_ = 0, ly_ = 0;                                          // sums over one_ and y_
  double log_of_lines_ = -std::numeric_limits<double>::infinity();  // of the sum of their likelihoods
  std::optional<BestLine> line_;
};

}  // namespace kmem::trend
