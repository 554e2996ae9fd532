// STAGE 6, the page: amounts, rates and moments as people say them, in English and UTC. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/base/clock.h"

namespace kmem::page {

/// "312 MiB", three digits that count.
[[nodiscard]] std::string byte_words(double bytes);
/// "12,345"
[[nodiscard]] std::string count_words(std::uint64_t count);
/// Three digits that count, with as many decimals as that takes: "0.42", "12.3", "12,345".
[[nodiscard]] std::string number_words(double number);
/// "+3.1 MiB/day" or "-120/day"; "0/day" where a rounded figure would only show noise.
[[nodiscard]] std::string growth_words(double a_day, bool bytes);
/// "about 41 days", "about 2.6 days", the largest unit that fits; "more than 10 years".
[[nodiscard]] std::string duration_words(double seconds);
/// "33 days to 52 days", to "never" where the end is infinite; empty where both read alike.
[[nodiscard]] std::string range_words(double soonest_seconds, double latest_seconds);
/// "4 Nov", with the year where it is another than that of `now`.
[[nodiscard]] std::string day_words(base::UnixMillis time, base::UnixMillis now);
/// "2025-11-04 12:30 UTC"
[[nodiscard]] std::string minute_words(base::UnixMillis time);
/// "nonpaged pool", "unreclaimable slab", "commit"
[[nodiscard]] std::string resource_words(std::string_view name);
/// "1 tag", "2 tags"
/// How a pool's limit is known: "limit: an estimate, what 32-bit Windows 2000 to Server 2003 takes by itself".
[[nodiscard]] std::string limit_words(std::string_view source, std::string_view rule);
[[nodiscard]] std::string plural_words(std::uint64_t count, std::string_view one);

}  // namespace kmem::page
