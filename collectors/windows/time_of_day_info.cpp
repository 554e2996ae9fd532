#include "collectors/windows/time_of_day_info.h"

#include <string>

#include "collectors/base/byte_reader.h"
#include "collectors/windows/nt_layout.h"

namespace kmem::windows {

base::Result<base::UnixMillis> parse_boot_time(std::span<const std::byte> bytes) {
  const auto filetime = base::ByteReader(bytes).read<std::int64_t>(offsetof(NtTimeOfDay, boot_time));
  if (!filetime) return base::Error{base::ErrorCode::kMalformed, "time of day of " + std::to_string(bytes.size()) + " bytes"};
  const base::UnixMillis boot = unix_millis(*filetime);
  if (boot <= 0) return base::Error{base::ErrorCode::kMalformed, "boot time " + std::to_string(*filetime)};
  return boot;
}

}  // namespace kmem::windows
