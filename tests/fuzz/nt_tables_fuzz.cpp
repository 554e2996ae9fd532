// links: kmem_windows
// First byte: bit 0 pointer width, bits 1 and 2 which table: big pool, handles of class 16 or 64, object types. What was summed
// is read again, as after it has travelled; the whole input is read as such a text, too.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/handle_table.h"
#include "collectors/windows/big_pool.h"
#include "collectors/windows/memory_lists.h"
#include "collectors/windows/object_handles.h"

using namespace kmem;

namespace {

void check_big_pool(std::string_view text) {
  const std::vector<TagUsage> tags(1);
  std::vector<BigPoolUsage> out;
  if (!windows::parse_big_pool(text, tags, out) && !out.empty()) std::abort();
  if (out.size() > 2 * windows::kMaxBigPoolTags) std::abort();
}
void check_handles(std::string_view text) {
  std::vector<ObjectHandles> out;
  if (!windows::parse_handle_counts(text, out) && !out.empty()) std::abort();
  if (out.size() > kMaxHandleRows) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t pointer_bytes = (data[0] & 1) != 0 ? 8 : 4;
  const auto table = std::as_bytes(std::span(data + 1, size - 1));
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] >> 1 & 3) {
    case 0:
      if (const auto sums = windows::sum_big_pool(table, pointer_bytes)) check_big_pool(*sums);
      check_big_pool(text);
      break;
    case 3: {
      const auto types = windows::parse_object_types(table, pointer_bytes);
      for (std::size_t i = 0; types && i < types->size(); ++i)
        for (const char c : (*types)[i].name)
          if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) std::abort();
      (void)windows::parse_memory_lists(table, pointer_bytes, 4096);
      (void)windows::parse_memory_status(table);
      break;
    }
    default: {
      const std::vector<windows::ObjectTypeName> types = {{"Event", 0, 5}, {"File", 3, 1}};
      const std::vector<std::uint64_t> pids = {4, 980, 65'540};
      const std::uint32_t info_class = (data[0] >> 1 & 3) == 1 ? 16 : 64;
      if (const auto counts = windows::count_handles(table, info_class, pointer_bytes, types, pids)) check_handles(*counts);
      check_handles(text);
    }
  }
  return 0;
}
