#include "exporter/select/counter_widener.h"

#include <limits>

namespace kmem::select {
namespace {

// Two out-of-order reads in a row happen under load; a third that still agrees has another cause.
constexpr std::uint8_t kBacksForRestart = 3;

// How far `to` is ahead of `from` modulo the counter's range; nullopt when it is rather behind.
template <std::unsigned_integral Raw>
std::optional<Raw> step_ahead(Raw from, Raw to) {
  const auto step = static_cast<Raw>(to - from);
  return step <= std::numeric_limits<Raw>::max() / 2 ? std::optional(step) : std::nullopt;
}

}  // namespace

template <std::unsigned_integral Raw>
std::uint64_t CounterWidener::advance(Raw raw, bool same_boot) {
  if (!seen_ || !same_boot) return restart(raw);
  if (const auto step = step_ahead(static_cast<Raw>(state_.last_raw), raw)) {
    backs_ = 0;
    state_.last_raw = raw;
    return state_.wide += *step;
  }
  const bool agrees = backs_ > 0 && step_ahead(static_cast<Raw>(last_back_), raw).has_value();
  backs_ = agrees ? static_cast<std::uint8_t>(backs_ + 1) : std::uint8_t{1};
  last_back_ = raw;
  return backs_ < kBacksForRestart ? state_.wide : restart(raw);
}

std::uint64_t CounterWidener::restart(std::uint64_t raw) {
  seen_ = true;
  backs_ = 0;
  state_ = {raw, raw};
  return raw;
}

template std::uint64_t CounterWidener::advance(std::uint32_t, bool);
template std::uint64_t CounterWidener::advance(std::uint64_t, bool);

}  // namespace kmem::select
