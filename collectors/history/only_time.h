// The time of a file's only table where its text has none: by the file's name or its folder's, else when it was modified.
// Thread: any.
#pragma once

#include <optional>
#include <string>

#include "collectors/base/clock.h"
#include "collectors/history/snapshot_reader.h"

namespace kmem::history {

inline constexpr const char* kSharedTime =
    "no time in the text or in the file's name, and another such file was modified within 10 seconds of it, as copies and "
    "unpacked files are: that tells neither; what helps is a date above the table, or in the name: poolmon-2026-09-01_0600.log";

struct OnlyTime {
  std::optional<base::UnixMillis> time;
  std::string rule;     // by which it was read
  std::string problem;  // of the file's name
  bool is_shared = false;
};

/// Of the only table of a file without dates.
[[nodiscard]] OnlyTime only_time(const std::string& path, const TextOptions& options);
/// What was taken, as it is warned of.
[[nodiscard]] std::string told_of(const OnlyTime& found);

}  // namespace kmem::history
