#include "collectors/windows/memory_lists.h"

#include <string>
#include <string_view>

#include "collectors/base/byte_reader.h"
#include "collectors/windows/nt_layout.h"

namespace kmem::windows {

namespace {

template <int P>
base::Result<std::vector<MemoryList>> lists_of(std::span<const std::byte> bytes, std::uint32_t page_bytes) {
  const auto nt = base::ByteReader(bytes).read<NtMemoryLists<P>>(0);
  if (!nt) return base::Error{base::ErrorCode::kMalformed, "memory lists of " + std::to_string(bytes.size()) + " bytes"};
  std::vector<MemoryList> lists;
  const auto add = [&](std::string_view name, std::uint64_t pages, int priority = -1) {
    lists.push_back({name, priority, pages * page_bytes});
  };
  add("zero", nt->zero), add("free", nt->free), add("modified", nt->modified);
  add("modified_no_write", nt->modified_no_write), add("bad", nt->bad);
  for (int priority = 0; priority < 8; ++priority) add("standby", nt->standby[priority], priority);
  return lists;
}

}  // namespace

base::Result<std::vector<MemoryList>> parse_memory_lists(std::span<const std::byte> bytes, std::uint8_t pointer_bytes,
                                                         std::uint32_t page_bytes) {
  return pointer_bytes == 4 ? lists_of<4>(bytes, page_bytes) : lists_of<8>(bytes, page_bytes);
}

base::Result<MemoryStatus> parse_memory_status(std::span<const std::byte> bytes) {
  const auto nt = base::ByteReader(bytes).read<NtMemoryStatus>(0);
  if (!nt || nt->length < sizeof(*nt) || nt->physical == 0)
    return base::Error{base::ErrorCode::kMalformed, "memory status of " + std::to_string(bytes.size()) + " bytes"};
  return MemoryStatus{nt->physical, nt->available_physical, nt->page_file, nt->available_page_file};
}

}  // namespace kmem::windows
