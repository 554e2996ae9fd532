#include "exporter/page/lines.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "collectors/base/clock.h"

namespace kmem::page {
namespace {

constexpr base::UnixMillis kLineBucketMs = 4 * base::kHourMillis;
constexpr std::size_t kMostSteps = 6;
constexpr std::size_t kBeside = 6;    // buckets on either side, a day, over which a step has to stay
constexpr double kStandsOut = 8;      // times the usual change
constexpr double kLeastShare = 0.08;  // of all that the course covers
constexpr double kStays = 0.7;

double middle_of(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double middle_of(std::span<const float> floors) {
  std::vector<double> seen;
  for (const float floor : floors)
    if (!std::isnan(floor)) seen.push_back(static_cast<double>(floor));
  return middle_of(std::move(seen));
}

bool booted_between(const std::vector<base::UnixMillis>& boots, base::UnixMillis from, base::UnixMillis to) {
  return std::any_of(boots.begin(), boots.end(), [&](base::UnixMillis boot) { return boot >= from && boot < to; });
}

}  // namespace

base::UnixMillis floor_time(const trend::Course& course, std::size_t bucket) {
  return course.floors_start + static_cast<base::UnixMillis>(bucket) * kLineBucketMs + kLineBucketMs / 2;
}

std::vector<Step> find_steps(const trend::Course& course, const std::vector<base::UnixMillis>& boots) {
  const auto& floors = course.floors;
  std::vector<double> sizes;
  float low = std::numeric_limits<float>::infinity(), high = -low;
  for (std::size_t i = 0; i < floors.size(); ++i) {
    if (std::isnan(floors[i])) continue;
    low = std::min(low, floors[i]), high = std::max(high, floors[i]);
    if (i > 0 && !std::isnan(floors[i - 1])) sizes.push_back(std::abs(static_cast<double>(floors[i] - floors[i - 1])));
  }
  std::vector<Step> steps;
  if (sizes.size() < 2 * kBeside) return steps;
  const double least = std::max(kStandsOut * middle_of(sizes), kLeastShare * static_cast<double>(high - low));
  for (std::size_t i = kBeside; i + kBeside <= floors.size(); ++i) {
    const double change = static_cast<double>(floors[i] - floors[i - 1]);
    if (std::isnan(change) || std::abs(change) <= least) continue;
    const double stayed =
        middle_of(std::span(floors).subspan(i, kBeside)) - middle_of(std::span(floors).subspan(i - kBeside, kBeside));
    const base::UnixMillis time = course.floors_start + static_cast<base::UnixMillis>(i) * kLineBucketMs;
    if (stayed / change >= kStays && !booted_between(boots, time - kLineBucketMs, time + kLineBucketMs))
      steps.push_back({time, change});
  }
  std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return std::abs(a.change) > std::abs(b.change); });
  steps.resize(std::min(steps.size(), kMostSteps));
  std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.time < b.time; });
  return steps;
}

std::vector<Piece> trend_pieces(const Subject& subject, const std::vector<base::UnixMillis>& boots) {
  std::vector<Piece> pieces;
  if (!subject.course || !subject.report.since) return pieces;
  const trend::Course& course = *subject.course;
  const bool falls = subject.report.kind == trend::Kind::kSystemPtes;
  const double slope_per_ms = (falls ? -1 : 1) * subject.report.credible_slope_per_second / 1000;
  const auto finish = [&](std::size_t begin, std::size_t end) {
    std::vector<double> levels;  // what is left without the growth
    std::size_t first = end, last = begin;
    for (std::size_t i = begin; i < end; ++i) {
      if (std::isnan(course.floors[i])) continue;
      first = std::min(first, i), last = i;
      levels.push_back(static_cast<double>(course.floors[i]) -
                       slope_per_ms * static_cast<double>(floor_time(course, i) - course.floors_start));
    }
    if (levels.size() < kBeside) return;
    const double level = middle_of(std::move(levels));
    const auto amount = [&](std::size_t i) {
      return level + slope_per_ms * static_cast<double>(floor_time(course, i) - course.floors_start);
    };
    pieces.push_back({floor_time(course, first), floor_time(course, last), std::max(0.0, amount(first)), amount(last)});
  };
  std::size_t begin = 0;
  while (begin < course.floors.size() && floor_time(course, begin) < *subject.report.since) ++begin;
  for (std::size_t i = begin + 1; i <= course.floors.size(); ++i) {
    if (i < course.floors.size() && !booted_between(boots, floor_time(course, i - 1), floor_time(course, i))) continue;
    finish(begin, i);
    begin = i;
  }
  return pieces;
}

}  // namespace kmem::page
