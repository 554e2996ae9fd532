// perfmon's names of counters in other languages than English -> the English ones. Bytes may be UTF-8 or of a code page.
// Thread: pure. Failure: empty for what is not known.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace kmem::history {

/// A path of a Japanese console's code page; empty: it is none.
[[nodiscard]] std::string with_shift_jis_as_utf8(std::string_view path);

/// "Arbeitsspeicher\Auslagerungsseiten (Bytes)" -> "Memory\Pool Paged Bytes".
[[nodiscard]] std::string_view english_counter(std::string_view path);
/// The language whose word for memory the path begins with: "German".
[[nodiscard]] std::string_view language_of_counter(std::string_view path);

/// "Prozess".
[[nodiscard]] bool is_process_object(std::string_view object);
/// "Handleanzahl" -> "Handle Count".
[[nodiscard]] std::string_view english_process_counter(std::string_view counter);
/// Whether a counter that is not known may be one of pools, memory or processes' pools and handles.
[[nodiscard]] bool may_be_of_memory(std::string_view path);

/// Names that were not understood, for one note.
class UnknownNames {
 public:
  void add(std::string_view name);
  /// The first ones and how many more there are; empty: none.
  [[nodiscard]] std::string text() const;

 private:
  std::set<std::string, std::less<>> names_;
};

}  // namespace kmem::history
