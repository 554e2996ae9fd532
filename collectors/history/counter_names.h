// perfmon's names of counters in other languages than English -> the English ones. Bytes may be UTF-8 or of a code page.
// Thread: pure. Failure: empty for what is not known.
#pragma once

#include <string_view>

namespace kmem::history {

/// "Arbeitsspeicher\Auslagerungsseiten (Bytes)" -> "Memory\Pool Paged Bytes".
[[nodiscard]] std::string_view english_counter(std::string_view path);
/// The language whose word for memory the path begins with: "German".
[[nodiscard]] std::string_view language_of_counter(std::string_view path);

}  // namespace kmem::history
