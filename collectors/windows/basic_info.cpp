#include "collectors/windows/basic_info.h"

#include <string>

#include "collectors/base/byte_reader.h"
#include "collectors/windows/nt_layout.h"

namespace kmem::windows {

base::Result<BasicInfo> parse_basic(std::span<const std::byte> bytes) {
  static_assert(offsetof(NtBasic<4>, physical_pages) == offsetof(NtBasic<8>, physical_pages));
  const base::ByteReader reader(bytes);
  const auto page_bytes = reader.read<std::uint32_t>(offsetof(NtBasic<4>, page_size));
  const auto physical_pages = reader.read<std::uint32_t>(offsetof(NtBasic<4>, physical_pages));
  if (!page_bytes || !physical_pages)
    return base::Error{base::ErrorCode::kMalformed, "basic information of " + std::to_string(bytes.size()) + " bytes"};
  if (!is_page_size(*page_bytes)) return base::Error{base::ErrorCode::kMalformed, "page size " + std::to_string(*page_bytes)};
  BasicInfo info{*page_bytes, *physical_pages, 0};
  if (bytes.size() == sizeof(NtBasic<4>)) {
    info.maximum_user_address = *reader.read<std::uint32_t>(offsetof(NtBasic<4>, maximum_user_address));
  } else if (bytes.size() == sizeof(NtBasic<8>)) {
    info.maximum_user_address = *reader.read<std::uint64_t>(offsetof(NtBasic<8>, maximum_user_address));
  }
  return info;
}

}  // namespace kmem::windows
