// Where a character of UTF-8 ends (Unicode 15, table 3-7). Thread: pure. Failure: 0 or npos.
#pragma once

#include <cstddef>
#include <string_view>

namespace kmem::base {

/// Bytes of the well-formed character that `text` begins with; 0 when it is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

/// Offset of the first byte that is not part of valid UTF-8, or npos.
[[nodiscard]] std::size_t find_non_utf8(std::string_view text);

}  // namespace kmem::base
