// Digits as the formats that we read mean them: ASCII, whatever the locale.
#pragma once

namespace kmem::base {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace kmem::base
