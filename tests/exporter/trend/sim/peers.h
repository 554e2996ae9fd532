// The rules that people alert with today, on the same histories: deriv over 7 days, predict_linear over 7 days to the
// limit, and three rising weekly minima without the largest daily jump. Each must hold for a day, looked at every 6 h.
// Thread: pure functions.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "tests/exporter/trend/sim/generator.h"

namespace kmem::trend::sim {

inline constexpr std::array<std::string_view, 3> kPeerNames = {"deriv[7d]", "predict[7d]", "weekly minima"};

/// Day of the first alarm of each peer, from the first sample.
[[nodiscard]] std::array<std::optional<double>, 3> ask_peers(const History& history);

}  // namespace kmem::trend::sim
