// A line that somebody's script or console put above a table: `echo %date% %time%`, `date /t`, Get-Date, `date`, ISO,
// the debugger's session time -> the date, time and zone in it. Numeric dates: year first; with points day first;
// else month first, unless that number cannot be a month. Thread: pure.
// Failure: nothing is set when the line has other things than a date in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "collectors/base/clock.h"

namespace kmem::history {

struct DateLine {
  std::optional<base::UnixMillis> midnight;  // of the date, as if it were UTC
  std::optional<std::int64_t> time_of_day;   // milliseconds
  std::optional<int> zone_minutes;           // east of UTC

  [[nodiscard]] bool empty() const { return !midnight && !time_of_day; }
};

[[nodiscard]] DateLine parse_date_line(std::string_view line);

}  // namespace kmem::history
