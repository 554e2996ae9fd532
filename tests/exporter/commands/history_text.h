// CSV histories with known truth, and what analyze and backfill need to run on them. Thread: one.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "exporter/commands/progress.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_files.h"

namespace kmem::test {

inline constexpr std::int64_t kHistoryStart = 1'767'225'600;  // 2026-01-01T00:00:00Z, a Thursday
inline constexpr int kHistoryHours = 56 * 24;

/// The same numbers on every system, in [0, 1).
class Noise {
 public:
  double next() {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return static_cast<double>(state_ >> 11) * 0x1.0p-53;
  }

 private:
  std::uint64_t state_ = 88172645463325252ULL;
};

/// 8 weeks by the hour: nonpaged/Leak grows by 200,000 bytes a day from day 14 on, paged/Calm has a daily cycle,
/// paged/Step doubles on day 20, commit grows by 40 MB a day towards a limit.
inline std::string eight_weeks_csv() {
  std::string text = "timestamp,pool,tag,bytes,allocs,frees,boot_time\n";
  Noise noise;
  const auto row = [&text](std::int64_t time, const std::string& what, double bytes) {
    text += std::to_string(time) + "," + what + "," + std::to_string(std::llround(bytes)) + ",,,1767222000\n";
  };
  for (int hour = 0; hour < kHistoryHours; ++hour) {
    const std::int64_t time = kHistoryStart + hour * 3600;
    const double day = hour / 24.0;
    row(time, "nonpaged,Leak", 8e6 * (1 + 0.01 * noise.next()) + 200'000 * std::fmax(0, day - 14));
    row(time, "paged,Calm", 3e7 * (1 + 0.05 * std::sin(6.2831853 * day) + 0.02 * noise.next()));
    row(time, "paged,Step", 5e6 * (day < 20 ? 1 : 2) * (1 + 0.01 * noise.next()));
    row(time, "commit,", 8e9 * (1 + 0.005 * noise.next()) + 40e6 * day);
    row(time, "commit_limit,", 16e9);
  }
  return text;
}

/// Keeps what is shown.
struct Shown {
  ManualClock clock;
  std::vector<std::string> texts;
  ProgressMeter meter{clock, false, [this](std::string_view text) { texts.emplace_back(text); }};
};

}  // namespace kmem::test
