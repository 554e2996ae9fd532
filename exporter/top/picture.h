// Snapshot, rows and view -> what `top` shows: a frame for a screen, or a text for --once. The head is poolmon's, with
// the pools' limits. Pure. Thread: any. Failure: none.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/snapshot.h"
#include "exporter/terminal/frame.h"
#include "exporter/top/usage_table.h"
#include "exporter/top/view.h"

namespace kmem::top {

struct Scene {
  const Snapshot& snapshot;
  const std::vector<UsageRow>& rows;
  std::uint64_t readings = 1;
  std::chrono::milliseconds interval{};
  std::string notice;                  // of the whole source, or of the trend; empty = nothing to say
  std::vector<std::string> ends = {};  // what runs out, by the trend, a line each
};

/// Fills `extent` with what it drew; its layout is that of the frame before, or empty where columns may move.
[[nodiscard]] terminal::Frame draw(const Scene& scene, const View& view, terminal::Size size, Extent& extent);

/// Every chosen row, numbers in full, one to a line; exporter/commands/analyze reads it again.
[[nodiscard]] std::string print(const Scene& scene, const RowChoice& choice);

}  // namespace kmem::top
