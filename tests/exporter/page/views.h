// Views for the page's tests, built by hand.
#pragma once

#include <cmath>
#include <string>
#include <utility>

#include "exporter/page/view.h"

namespace kmem::test {

inline constexpr base::UnixMillis kNow = 1'764'460'800'000;  // 2025-11-30T00:00:00Z
inline constexpr base::UnixMillis kDayMs = 86'400'000;
inline constexpr double kMiB = 1024.0 * 1024;

/// A course of 56 days whose floor in every 4 hours is `amount(day)`.
template <typename Amount>
trend::Course course_of(Amount amount) {
  trend::Course course;
  course.floors_start = kNow - 56 * kDayMs;
  course.recent_start = kNow - 4 * kDayMs;
  for (std::size_t i = 0; i < course.floors.size(); ++i)
    course.floors[i] = static_cast<float>(amount(static_cast<double>(i) / trend::kBucketsPerDay));
  course.recent.fill(course.floors.back());
  course.outstanding.fill(7);
  return course;
}

/// Leaks 3.1 MiB a day since day 30, of 26 days ago.
inline page::Subject leak_of(Pool pool, std::string tag) {
  page::Subject subject;
  subject.report.pool = pool;
  subject.report.text = std::move(tag);
  subject.report.verdict = trend::Verdict::kLeak;
  subject.report.confidence = 0.93;
  subject.report.credible_slope_per_second = 3.1 * kMiB / 86'400;
  subject.report.since = kNow - 26 * kDayMs;
  subject.report.first_detected = kNow - 20 * kDayMs;
  subject.report.last_amount = 100 * kMiB;
  subject.report.exhaustion = trend::Exhaustion{41 * 86'400.0, 33 * 86'400.0, 52 * 86'400.0};
  subject.course = course_of([](double day) { return kMiB * (20 + 3.1 * std::fmax(0, day - 30)); });
  return subject;
}

inline page::TagRow row_of(Pool pool, std::string tag, std::uint64_t bytes) {
  page::TagRow row;
  row.pool = pool;
  row.tag = std::move(tag);
  row.bytes = bytes;
  row.course.fill(trend::kNothing);
  return row;
}

inline page::View calm_view() {
  page::View view;
  view.version = "9.9";
  view.revision = "abc";
  view.telemetry_path = "/metrics";
  view.time = kNow;
  view.system = System::kWindows;
  view.history.history_seconds = 19.4 * 86'400;
  view.readiness.judged = true;
  page::Resource& pool = view.resources.emplace_back();
  pool.name = "nonpaged";
  pool.amount = 100'000'000;
  pool.limit = 400'000'000;
  return view;
}

}  // namespace kmem::test
