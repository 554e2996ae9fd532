// Stage 6: a client's numeric address -> whom it is counted with: IPv4 addresses one by one, IPv6 by network (/64), of
// which one host can take any address. Thread: pure. Failure: what is no address is a group of its own.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace kmem::http {

inline std::string address_group(std::string_view address) {
  constexpr std::size_t kWords = 8, kNetworkWords = 4;
  if (address.find(':') == std::string_view::npos) return std::string(address);
  const auto words_of = [](std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
      const auto end = std::min(text.find(':'), text.size());
      words.push_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
  };
  const auto gap = address.find("::");
  std::vector<std::string_view> words = words_of(address.substr(0, gap));
  if (gap != std::string_view::npos) {
    const auto last = words_of(address.substr(gap + 2));
    while (words.size() + last.size() < kWords) words.push_back("0");
    words.insert(words.end(), last.begin(), last.end());
  }
  std::string group;
  for (std::size_t i = 0; i < std::min(words.size(), kNetworkWords); ++i) group.append(words[i]).append(":");
  return group;
}

}  // namespace kmem::http
