#include "collectors/windows/registry.h"

#include <algorithm>
#include <charconv>

#include "collectors/base/label_text.h"

namespace kmem::windows {

namespace {

constexpr std::size_t kMaxSettings = 256;

}  // namespace

NtStatus read_memory_management(Registry& registry, std::string& text) {
  text.clear();
  const NtStatus status = registry.open();
  if (status != kStatusOk) return status;
  for (const std::string_view name : kMemoryManagementValues)
    if (const auto value = registry.value(name)) text.append(name).append("=").append(std::to_string(*value)).append("\n");
  return kStatusOk;
}

std::uint64_t parse_registry_text(std::string_view text, std::vector<Setting>& out) {
  std::uint64_t skipped = 0;
  std::size_t settings = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t equals = line.find('=');
    std::uint32_t value = 0;
    const char* const end = line.data() + line.size();
    const bool good = equals != std::string_view::npos && equals != 0 && settings < kMaxSettings &&
                      std::from_chars(line.data() + equals + 1, end, value) == std::from_chars_result{end, std::errc{}};
    if (good) {
      out.push_back({base::label_text(line.substr(0, equals)), static_cast<double>(value)});
      ++settings;
    } else {
      ++skipped;
    }
  }
  return skipped;
}

}  // namespace kmem::windows
