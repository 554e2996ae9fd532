// Dates and times at the beginning of a text, as lines and files' names have them. For the files that read dates only.
// Thread: pure. Failure: nullopt, and nothing is taken off.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/history/date_line.h"

namespace kmem::history {

using base::kHourMillis;
inline constexpr int kFirstYear = 1980, kLastYear = 2099;

[[nodiscard]] inline bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) > 127;
}

/// "26" is 2026, "99" 1999.
[[nodiscard]] int full_year(int year, bool is_short);

/// "18:00:00.5", "18-00-00", "18.00.00", "18h00", "1800": only where a time is expected.
[[nodiscard]] std::optional<std::int64_t> take_any_time(std::string_view& text);
/// "6h", "6時00分00秒", "6시": where a time is expected.
[[nodiscard]] std::optional<std::int64_t> take_hour_words(std::string_view& text);

struct DateFound {
  std::optional<base::UnixMillis> midnight;
  std::optional<NumericDate> numeric;
};
/// "2026-11-05", "5.11.2026", "11/5/26", "05-Nov-2026": three parts with one separator, which points may have a blank
/// behind in the line but not here.
[[nodiscard]] std::optional<DateFound> take_parted_date(std::string_view& text, std::optional<DateOrder> order);
/// "20261105", also with the time behind it: "202611051800", "20261105180000".
[[nodiscard]] std::optional<base::UnixMillis> take_compact_date(std::string_view& text);
/// "2026年11月5日", "2026년"; parts may stand in words of their own.
[[nodiscard]] std::optional<base::UnixMillis> take_east_date(std::string_view& text);

}  // namespace kmem::history
