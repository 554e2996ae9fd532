// A URL's query taken apart: "a=1&b=x%20y". Thread: pure. Failure: none; what is no escape stays as it is.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace kmem::base {

/// %XX as its byte, + as a blank.
[[nodiscard]] std::string percent_decoded(std::string_view text);

/// Calls use(name, value), both still encoded, with every parameter; without '=' the value is empty.
template <typename Use>
void for_each_parameter(std::string_view query, Use use) {
  while (!query.empty()) {
    const std::string_view item = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), item.size() + 1));
    if (item.empty()) continue;
    const std::string_view name = item.substr(0, item.find('='));
    use(name, item.substr(std::min(name.size() + 1, item.size())));
  }
}

}  // namespace kmem::base
