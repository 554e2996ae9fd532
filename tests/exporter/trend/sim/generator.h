// Histories with known truth for the trend engine: value over time = (base shape + leak) x daily and weekly cycle x
// autocorrelated noise + bursts, quantised, sampled, with reboots and gaps. The ranges are wide on purpose: a rule
// that only works for one kind of noise fails here. Same run number, same history, on every platform.
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace kmem::trend::sim {

/// Wide ranges; one mould (rho 0.95, sigma 1.5 %, daily 3-12 %); sessions.h's.
enum class NoiseKind { kWide, kNarrow, kSessions };

/// xoshiro256**: the standard library's distributions differ between platforms.
class Random {
 public:
  explicit Random(std::uint64_t run);
  double uniform(double low, double high);
  double log_uniform(double low, double high);
  double normal();
  bool chance(double probability) { return uniform(0, 1) < probability; }

  NoiseKind noise = NoiseKind::kWide;

 private:
  std::uint64_t next();
  std::uint64_t state_[4];
};

struct Sample {
  std::int64_t time_ms = 0;
  std::int64_t boot_ms = 0;
  double bytes = 0;
};

struct History {
  std::vector<Sample> samples;
  bool leaks = false;
  double onset_days = 0;           // from the first sample
  double slope_bytes_per_day = 0;  // true, at the end
  double level_end_bytes = 0;      // true mean level at the end
  double limit_bytes = 0;
};

enum class Goal { kQuiet, kDetect };

struct Scenario {
  std::string_view name;
  Goal goal;
  double limit_percent;              // most flagged, or fewest detected
  std::optional<double> limit_days;  // median days from onset to detection, at most
  History (*make)(Random&);
};

[[nodiscard]] std::span<const Scenario> scenarios();
/// Of a second generator, made apart from the first.
[[nodiscard]] std::span<const Scenario> other_scenarios();
/// Of the second generator, those with reboots, every 28 days too.
[[nodiscard]] std::span<const Scenario> reboot_scenarios();
/// What is given back within one boot: leaks whose service restarts, and what only comes and goes.
[[nodiscard]] std::span<const Scenario> fall_scenarios();

}  // namespace kmem::trend::sim
