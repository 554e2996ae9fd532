// links: kmem_windows
// First byte: pointer width. The rest: the chain of sessions.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "collectors/windows/session_pool_tags.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::vector<kmem::SessionTagUsage> tags;
  const auto skipped =
      kmem::windows::parse_session_pool_tags(std::as_bytes(std::span(data + 1, size - 1)), (data[0] & 1) != 0 ? 8 : 4, tags);
  if (!skipped && !tags.empty()) std::abort();
  std::set<std::tuple<std::uint32_t, kmem::Pool, std::string>> seen;
  for (const kmem::SessionTagUsage& row : tags) {
    if (!seen.emplace(row.session, row.usage.pool, row.usage.tag).second) std::abort();
    if (row.usage.bytes == 0 && row.usage.outstanding == 0) std::abort();
    for (const char c : row.usage.tag)
      if (c < 0x20 || c > 0x7e) std::abort();
  }
  return 0;
}
