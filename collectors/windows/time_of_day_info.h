// STAGE 1: class 3 (SystemTimeOfDayInformation) -> when this kernel was started. Thread: pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "collectors/base/clock.h"
#include "collectors/base/result.h"

namespace kmem::windows {

/// A FILETIME (100 ns since 1601) as Unix milliseconds.
[[nodiscard]] constexpr base::UnixMillis unix_millis(std::int64_t filetime) { return filetime / 10'000 - 11'644'473'600'000; }

/// A boot before 1970 is kMalformed.
[[nodiscard]] base::Result<base::UnixMillis> parse_boot_time(std::span<const std::byte> bytes);

}  // namespace kmem::windows
