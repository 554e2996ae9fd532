#include "collectors/windows/system_facts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace kmem::windows {
namespace {

std::optional<std::array<std::uint32_t, 3>> three_numbers(std::string_view text) {
  constexpr std::uint32_t kMost = 999'999;
  std::array<std::uint32_t, 3> numbers{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i != 0 && (at == end || *at++ != '.')) return std::nullopt;
    const auto parsed = std::from_chars(at, end, numbers[i]);
    if (parsed.ec != std::errc{} || numbers[i] > kMost) return std::nullopt;
    at = parsed.ptr;
  }
  return at == end ? std::optional(numbers) : std::nullopt;
}

}  // namespace

base::Result<SystemFacts> parse_system_facts(std::string_view text) {
  SystemFacts facts;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, equals), value = line.substr(equals + 1);
    if (name == "version") {
      const auto numbers = three_numbers(value);
      if (!numbers) return base::Error{base::ErrorCode::kMalformed, "the system's version is not three numbers"};
      facts.major = (*numbers)[0], facts.minor = (*numbers)[1], facts.build = (*numbers)[2];
    } else if (name == "machine") {
      facts.machine = value == "x86"                        ? Machine::kX86
                      : value == "x64" || value == "arm64" ? Machine::kX64
                                                            : Machine::kOther;
    } else if (name == "wine") {
      facts.wine = value == "1";
    }
  }
  if (facts.major == 0) return base::Error{base::ErrorCode::kMalformed, "the system's version is missing"};
  return facts;
}

}  // namespace kmem::windows
