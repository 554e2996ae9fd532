// UTF-8, which the program speaks, to and from Windows' UTF-16; the system's words for its errors. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/base/result.h"

namespace kmem::service {

[[nodiscard]] std::wstring to_wide(std::string_view text);
[[nodiscard]] std::string to_utf8(std::wstring_view text);
/// "WHAT: the system's words (error 5)", kPermission for refused access. `error` as from GetLastError().
[[nodiscard]] base::Error system_error(const std::string& what, std::uint32_t error);

}  // namespace kmem::service
