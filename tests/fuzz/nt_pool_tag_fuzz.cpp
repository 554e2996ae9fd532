// links: kmem_windows
// First byte: which class and pointer width. The rest: the table.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "collectors/windows/nt_layout.h"
#include "collectors/windows/pool_tag_info.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint32_t info_class = (data[0] & 1) != 0 ? kmem::windows::kPoolTag2Class : kmem::windows::kPoolTagClass;
  std::vector<kmem::TagUsage> tags;
  const auto skipped = kmem::windows::parse_pool_tags(std::as_bytes(std::span(data + 1, size - 1)), info_class,
                                                      (data[0] & 2) != 0 ? 8 : 4, tags);
  if (!skipped && !tags.empty()) std::abort();
  std::set<std::pair<kmem::Pool, std::string>> seen;
  for (const kmem::TagUsage& row : tags) {
    if (!seen.emplace(row.pool, row.tag).second) std::abort();
    if (row.bytes == 0 && row.outstanding == 0) std::abort();
    for (const char c : row.tag)
      if (c < 0x20 || c > 0x7e) std::abort();
  }
  return 0;
}
