#include "exporter/http/host_rule.h"

#include <algorithm>
#include <array>

#include "exporter/http/text.h"

namespace kmem::http {
namespace {

// Nobody can have a domain below these in the internet's DNS, nor one without a dot.
constexpr std::array<std::string_view, 4> kNoDomains = {".localhost", ".local", ".internal", ".home.arpa"};

std::string_view without_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

std::string_view first_label(std::string_view name) { return name.substr(0, name.find('.')); }

bool is_ipv4(std::string_view text) {
  int parts = 0;
  while (true) {
    const std::string_view part = text.substr(0, text.find('.'));
    int value = 0;
    for (const char c : part) value = c >= '0' && c <= '9' && value < 1000 ? value * 10 + (c - '0') : 1000;
    if (part.empty() || value > 255 || ++parts > 4) return false;
    if (part.size() == text.size()) return parts == 4;
    text.remove_prefix(part.size() + 1);
  }
}

/// A name cannot have a colon, so whatever looks like one is no name.
bool is_ipv6(std::string_view text) {
  const bool possible = std::all_of(text.begin(), text.end(), [](char c) {
    const char low = ascii_lower(c);
    return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'f') || c == ':' || c == '.';
  });
  return possible && text.find(':') != std::string_view::npos;
}

}  // namespace

HostRule::HostRule(const std::vector<std::string>& names, std::string_view own_name) : own_label_(first_label(own_name)) {
  for (const std::string& name : names) {
    any_ = any_ || name == "*";
    names_.emplace_back(without_dot(name));
  }
}

bool HostRule::allows(std::string_view host) const {
  if (any_ || host.empty()) return true;
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    return end != std::string_view::npos && is_ipv6(host.substr(1, end - 1));
  }
  const std::string_view name = without_dot(host.substr(0, host.find(':')));
  if (name.find('.') == std::string_view::npos || is_ipv4(name)) return true;
  for (const std::string_view end : kNoDomains)
    if (name.size() > end.size() && equal_ignoring_case(name.substr(name.size() - end.size()), end)) return true;
  if (!own_label_.empty() && equal_ignoring_case(first_label(name), own_label_)) return true;
  return std::any_of(names_.begin(), names_.end(), [&](const auto& each) { return equal_ignoring_case(each, name); });
}

}  // namespace kmem::http
