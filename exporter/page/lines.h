// STAGE 6, the page: what a chart marks in a subject's history: the trend line behind a verdict, one piece a boot, and
// steps, jumps that stayed. Pure.
#pragma once

#include <vector>

#include "exporter/page/view.h"

namespace kmem::page {

struct Step {
  base::UnixMillis time = 0;
  double change = 0;
};

struct Piece {
  base::UnixMillis from = 0, to = 0;
  double from_amount = 0, to_amount = 0;
};

/// A bucket of 4 hours stands for its middle.
[[nodiscard]] base::UnixMillis floor_time(const trend::Course& course, std::size_t bucket);
/// In order of time; the largest few. What a reboot changed is no step.
[[nodiscard]] std::vector<Step> find_steps(const trend::Course& course, const std::vector<base::UnixMillis>& boots);
/// Empty without a verdict. In the course's own counting: falling for free entries that go away.
[[nodiscard]] std::vector<Piece> trend_pieces(const Subject& subject, const std::vector<base::UnixMillis>& boots);

}  // namespace kmem::page
