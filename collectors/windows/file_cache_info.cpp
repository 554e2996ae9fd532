#include "collectors/windows/file_cache_info.h"

#include <string>

#include "collectors/base/byte_reader.h"
#include "collectors/windows/nt_layout.h"

namespace kmem::windows {

namespace {

template <int P>
base::Result<FileCacheInfo> parse(std::span<const std::byte> bytes, std::uint32_t page_bytes) {
  using Nt = NtFileCache<P>;
  const base::ByteReader reader(bytes);
  const auto current = reader.read<Word<P>>(offsetof(Nt, current_size));
  const auto peak = reader.read<Word<P>>(offsetof(Nt, peak_size));
  const auto current_pages = reader.read<Word<P>>(offsetof(Nt, current_with_transition_pages));  // not in a short answer
  if (!current || !peak)
    return base::Error{base::ErrorCode::kMalformed, "file cache of " + std::to_string(bytes.size()) + " bytes"};
  if (*current == 0 && *peak == 0) return FileCacheInfo{};
  const std::uint64_t unit = *current != 0 && current == current_pages ? page_bytes : 1;
  return FileCacheInfo{*current * unit, *peak * unit};
}

}  // namespace

base::Result<FileCacheInfo> parse_file_cache(std::span<const std::byte> bytes, std::uint8_t pointer_bytes,
                                             std::uint32_t page_bytes) {
  return pointer_bytes == 4 ? parse<4>(bytes, page_bytes) : parse<8>(bytes, page_bytes);
}

}  // namespace kmem::windows
