// STAGE 2: one kernel counter as read -> the same counter in 64 bit, fit for a Prometheus counter.
// A step ahead by less than half the range counts, so 32-bit counters may wrap any number of times. A step back is a
// torn or late read, and the value before is kept. Three such reads in a row that agree mean that the counter began
// anew, though no reboot was seen: it restarts at the raw value, as at a boot, and Prometheus sees a reset.
// Thread: value type, one writer. Failure: none; any sequence gives a value.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

namespace kmem::select {

class CounterWidener {
 public:
  /// What has to outlive the process so that its restart within one boot keeps the value.
  struct State {
    std::uint64_t last_raw = 0;
    std::uint64_t wide = 0;
    bool operator==(const State&) const = default;
  };

  CounterWidener() = default;
  explicit CounterWidener(const State& saved) : state_(saved), seen_(true) {}

  /// `same_boot` is false when the machine was started again since the last update (or since the saved state).
  std::uint64_t update(std::uint32_t raw, bool same_boot) { return advance<std::uint32_t>(raw, same_boot); }
  /// For kernels that count in 64 bit: no wraps to undo, the same rules for steps back.
  std::uint64_t update_64(std::uint64_t raw, bool same_boot) { return advance<std::uint64_t>(raw, same_boot); }

  /// nullopt before the first update.
  [[nodiscard]] std::optional<State> state() const { return seen_ ? std::optional(state_) : std::nullopt; }

 private:
  template <std::unsigned_integral Raw>
  std::uint64_t advance(Raw raw, bool same_boot);
  std::uint64_t restart(std::uint64_t raw);

  State state_;
  std::uint64_t last_back_ = 0;  // the latest read that stepped back
  std::uint8_t backs_ = 0;       // how many of them in a row agree
  bool seen_ = false;
};

}  // namespace kmem::select
