#include "collectors/windows/module_info.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "collectors/base/byte_reader.h"
#include "collectors/windows/nt_layout.h"

namespace kmem::windows {
namespace {

template <int P>
std::vector<std::string> parse(const base::ByteReader& reader, std::uint32_t count) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < std::min<std::size_t>(count, kMaxModules); ++i) {
    const auto entry = reader.read<NtModule<P>>(P + i * sizeof(NtModule<P>));
    if (!entry) break;
    const char* const path = entry->full_path_name;
    const void* const end = std::memchr(path, 0, sizeof entry->full_path_name);
    if (end != nullptr && end != path) paths.emplace_back(path, static_cast<const char*>(end));
  }
  return paths;
}

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) {
           return a == std::tolower(static_cast<unsigned char>(b));
         });
}

}  // namespace

base::Result<std::vector<std::string>> parse_module_paths(std::span<const std::byte> bytes, std::uint8_t pointer_bytes) {
  const base::ByteReader reader(bytes);
  const auto count = reader.read<std::uint32_t>(0);
  if (!count || (pointer_bytes != 4 && pointer_bytes != 8))
    return base::Error{base::ErrorCode::kMalformed, "the list of modules is cut off"};
  return pointer_bytes == 4 ? parse<4>(reader, *count) : parse<8>(reader, *count);
}

std::string module_file(std::string_view kernel_path, std::string_view system_root) {
  constexpr std::string_view kRoot = "\\systemroot\\", kDevice = "\\device\\";
  if (starts_with_word(kernel_path, kRoot))
    return std::string(system_root) + "\\" + std::string(kernel_path.substr(kRoot.size()));
  if (kernel_path.starts_with("\\??\\")) kernel_path.remove_prefix(4);
  if (kernel_path.size() > 2 && kernel_path[1] == ':') return std::string(kernel_path);
  if (kernel_path.empty() || starts_with_word(kernel_path, kDevice) || system_root.size() < 2) return {};
  if (kernel_path.front() == '\\') return std::string(system_root.substr(0, 2)) + std::string(kernel_path);
  if (kernel_path.find('\\') != std::string_view::npos) return {};
  return std::string(system_root) + "\\System32\\drivers\\" + std::string(kernel_path);
}

}  // namespace kmem::windows
