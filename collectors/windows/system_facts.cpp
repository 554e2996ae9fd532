#include "collectors/windows/system_facts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "collectors/base/label_text.h"

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

constexpr std::size_t kLongestProduct = 128;
constexpr std::uint32_t kWindows11Build = 22'000;

/// The registry of Windows 11 still says 10.
void correct_product(SystemFacts& facts) {
  constexpr std::string_view kTen = "Windows 10 ";
  if (facts.major == 10 && facts.build >= kWindows11Build && facts.product.starts_with(kTen))
    facts.product.replace(0, kTen.size(), "Windows 11 ");
}

}  // namespace

base::Result<SystemFacts> parse_system_facts(std::string_view text) {
  SystemFacts facts;
  std::string service_pack;
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
      facts.machine = value == "x86" ? Machine::kX86 : value == "x64" || value == "arm64" ? Machine::kX64 : Machine::kOther;
      facts.architecture = base::label_text(value.substr(0, kLongestProduct));
    } else if (name == "product") {
      facts.product = base::label_text(value.substr(0, kLongestProduct));
    } else if (name == "service_pack") {
      service_pack = base::label_text(value.substr(0, kLongestProduct));
    } else if (name == "wine") {
      facts.wine = value == "1";
    }
  }
  if (facts.major == 0) return base::Error{base::ErrorCode::kMalformed, "the system's version is missing"};
  correct_product(facts);
  if (!facts.product.empty() && !service_pack.empty()) facts.product.append(" ").append(service_pack);
  return facts;
}

}  // namespace kmem::windows
