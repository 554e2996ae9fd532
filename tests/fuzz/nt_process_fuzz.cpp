// links: kmem_windows
// First byte: pointer width, and whether the buffer's address is known. The rest: the process list.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <vector>

#include "collectors/windows/process_info.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::uint64_t kAddress = 0x40d060;  // that of the recorded lists in the corpus
  std::vector<kmem::ProcessUsage> rows;
  const auto skipped = kmem::windows::parse_processes(std::as_bytes(std::span(data + 1, size - 1)), (data[0] & 1) != 0 ? 8 : 4,
                                                      (data[0] & 2) != 0 ? std::optional(kAddress) : std::nullopt, rows);
  if (skipped.ok() == rows.empty() || rows.size() > size / 184) std::abort();
  for (const kmem::ProcessUsage& row : rows)
    for (const char c : row.name)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) std::abort();
  return 0;
}
