// UTF-8, which the program speaks, to and from Windows' UTF-16; the system's words for its errors. Pure. Thread: any.
// Failure: none; what is no UTF-16 comes out as U+FFFD.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kmem::base {

[[nodiscard]] std::wstring to_wide(std::string_view text);
[[nodiscard]] std::string to_utf8(std::wstring_view text);
/// "Access is denied (error 5)". `error` as from GetLastError().
[[nodiscard]] std::string system_words(std::uint32_t error);

}  // namespace kmem::base
