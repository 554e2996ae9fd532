// Stage 6: the few ASCII rules of HTTP's header texts. Thread: pure functions.
#pragma once

#include <string_view>

#include "collectors/base/ascii_case.h"

namespace kmem::http {

using base::ascii_lower;
using base::equal_ignoring_case;

constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Calls `use` with every trimmed item of "a, b,c".
template <typename Use>
void for_each_list_item(std::string_view list, Use use) {
  while (true) {
    const auto comma = list.find(',');
    use(trim(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace kmem::http
