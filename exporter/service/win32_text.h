// Windows' errors as this room's Errors; its UTF-16 as the base has it. Thread: any.
#pragma once

#include <cstdint>
#include <string>

#include "collectors/base/result.h"
#include "collectors/base/text_win32.h"

namespace kmem::service {

using base::to_utf8;
using base::to_wide;

/// "WHAT: the system's words (error 5)", kPermission for refused access. `error` as from GetLastError().
[[nodiscard]] base::Error system_error(const std::string& what, std::uint32_t error);

}  // namespace kmem::service
