// links: kmem_windows
// First byte: pointer width. Then parts: index of the name, index of the status, u16 length, bytes.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "collectors/windows/windows_parse.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array<const char*, 18> kNames = {"nt/0",
                                                         "nt/2",
                                                         "nt/3",
                                                         "nt/5",
                                                         "nt/5.base",
                                                         "nt/21",
                                                         "nt/255",
                                                         "nt/22",
                                                         "kmem/registry",
                                                         "nt/66",
                                                         "nt/67",
                                                         "nt/37",
                                                         "kmem/system",
                                                         "kmem/events",
                                                         "kmem/big_pool",
                                                         "nt/80",
                                                         "kmem/memory_status",
                                                         "kmem/object_handles"};
  static constexpr std::array<std::int64_t, 4> kStatuses = {0, 0xC0000003, 0xC0000022, -1};
  if (size == 0) return 0;
  kmem::RawFrame frame;
  frame.system = kmem::System::kWindows;
  frame.pointer_bytes = (data[0] & 1) != 0 ? 8 : 4;
  frame.page_bytes = std::uint32_t{data[0]} << 8;
  for (std::size_t at = 1; at + 4 <= size;) {
    const std::size_t claimed = data[at + 2] | std::size_t{data[at + 3]} << 8;
    const std::size_t length = claimed < size - at - 4 ? claimed : size - at - 4;
    kmem::RawPart& part = frame.part(kNames[data[at] % kNames.size()]);
    part.status = kStatuses[data[at + 1] % kStatuses.size()];
    part.bytes.assign(reinterpret_cast<const char*>(data) + at + 4, length);
    at += 4 + length;
  }
  kmem::Snapshot snapshot;
  kmem::windows::parse_windows_frame(frame, snapshot);
  if (snapshot.parts.size() > 13) std::abort();
  for (const kmem::PartStatus& part : snapshot.parts)
    if ((part.state == kmem::PartState::kOk) != part.reason.empty()) std::abort();
  for (const kmem::PoolTotals& pool : snapshot.pools)
    if (pool.limit && (pool.limit->bytes == 0 || pool.limit->bytes < pool.bytes.value_or(0))) std::abort();
  return 0;
}
