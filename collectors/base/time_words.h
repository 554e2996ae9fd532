// A moment in words, in UTC. Pure.
#pragma once

#include <string>

#include "collectors/base/clock.h"

namespace kmem::base {

/// "2026-03-01T00:00:00Z", with milliseconds where there are any.
[[nodiscard]] std::string rfc3339(UnixMillis time);
/// "2026-03-01"
[[nodiscard]] std::string date_words(UnixMillis time);

}  // namespace kmem::base
