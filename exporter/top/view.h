// What the person looking at `top` has chosen, and how keys change it. Pure. Thread: value type. Failure: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/snapshot.h"
#include "exporter/terminal/keys.h"
#include "exporter/top/columns.h"
#include "exporter/top/usage_table.h"

namespace kmem::top {

struct View {
  RowChoice choice;
  std::size_t first_row = 0;
  std::size_t first_column = 0;      // of those behind tag and type
  std::optional<std::string> typed;  // a filter being typed; rows follow it at once
  bool help = false;

  [[nodiscard]] RowChoice effective() const {
    RowChoice out = choice;
    if (typed) out.filter = *typed;
    return out;
  }
};

enum class Asked : std::uint8_t { kNothing, kReading, kQuit };

/// What the keys move over: as last drawn.
struct Extent {
  std::size_t rows = 0;       // that can be shown
  std::size_t page_rows = 1;  // that are on the screen
  std::size_t columns = 0;    // behind tag and type
  std::vector<Pool> pools;    // in the order of the key
  Layout layout;
};

[[nodiscard]] Asked apply(View& view, const terminal::Key& key, const Extent& extent);

/// The last page is full.
void keep_in(View& view, const Extent& extent);

inline constexpr std::size_t kLongestFilter = 64;

}  // namespace kmem::top
