// A time zone's name as `date`, Windows or the tz database writes it -> minutes east of UTC at a moment. Thread: pure.
// Failure: nullopt for a name that is not known, or that means several zones ("CST", "IST").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "collectors/base/clock.h"

namespace kmem::history {

enum class SummerTime : std::uint8_t { kNone, kEurope, kNorthAmerica, kAustralia, kNewZealand };

struct Zone {
  int minutes = 0;  // east of UTC, in winter
  SummerTime summer = SummerTime::kNone;

  bool operator==(const Zone&) const = default;
};

[[nodiscard]] std::optional<Zone> zone_named(std::string_view name);
/// At a local time.
[[nodiscard]] int minutes_east(Zone zone, base::UnixMillis local);

}  // namespace kmem::history
