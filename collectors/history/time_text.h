// Times as programs write them -> milliseconds since 1970 UTC. Years 1970 to 9999. Thread: pure.
// Failure: nullopt, or an Error that says what was expected.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/base/result.h"

namespace kmem::history {

/// RFC 3339 with a zone, or Unix seconds from 1990 to 2033; both with or without a fraction.
[[nodiscard]] base::Result<base::UnixMillis> parse_timestamp(std::string_view text);

/// "MM/DD/YYYY HH:MM:SS.mmm" as perfmon writes it, "MM\DD\YYYY HH:MM:SS.mmmm" as memsnap does; behind it anything.
[[nodiscard]] std::optional<base::UnixMillis> parse_us_time(std::string_view text);

/// Whether it is of the form "11/05/2026 18:00:00.123", as PDH writes it in every country, with the month first. Others were
/// written by something else: a spreadsheet, or a script.
[[nodiscard]] bool is_of_pdh(std::string_view text);

/// Midnight; nullopt for a day that is in no calendar.
[[nodiscard]] std::optional<base::UnixMillis> day_millis(int year, int month, int day);

/// "2610030600": year, month, day, hour and minute of two digits each, where Unix seconds would lie beyond 2033. Takes it off
/// `text`.
[[nodiscard]] std::optional<base::UnixMillis> take_short_minute(std::string_view& text);

/// "HH:MM", "HH:MM:SS", with a fraction after point or comma: milliseconds of the day. Takes it off `text`.
[[nodiscard]] std::optional<std::int64_t> take_time_of_day(std::string_view& text);
/// "Z", "+HH:MM", "-HHMM", "+H": minutes east of UTC. Takes it off `text`.
[[nodiscard]] std::optional<int> take_zone_minutes(std::string_view& text);
/// Up to `max_digits` digits. Takes them off `text`.
[[nodiscard]] std::optional<int> take_digits(std::string_view& text, std::size_t min_digits, std::size_t max_digits);
/// Digits of a fraction, with the point before them or behind it already: milliseconds, the rest cut off.
[[nodiscard]] std::int64_t take_fraction_millis(std::string_view& text);
/// "epoch=1793901600" -> what stands behind such a name of a time; a line without one is returned trimmed.
[[nodiscard]] std::string_view behind_time_name(std::string_view line);
[[nodiscard]] bool take_char(std::string_view& text, char wanted);

}  // namespace kmem::history
