// STAGE 1, the seam to NT: one call of NtQuerySystemInformation, and the loop that finds a large enough buffer.
// Thread: one caller at a time. Failure: an NTSTATUS, and no bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "collectors/windows/nt_status.h"

namespace kmem::windows {

class NtQuery {
 public:
  virtual ~NtQuery() = default;
  /// `needed_bytes` is what the kernel says it filled or would need; it does not always say.
  virtual NtStatus query(std::uint32_t info_class, std::span<std::byte> buffer, std::uint32_t& needed_bytes) = 0;
  /// NtQueryObject's ObjectTypesInformation.
  virtual NtStatus query_object_types(std::span<std::byte>, std::uint32_t&) { return kStatusNotImplemented; }
  /// GlobalMemoryStatusEx's MEMORYSTATUSEX, whose first field is set to its size.
  virtual NtStatus query_memory_status(std::span<std::byte>) { return kStatusNotImplemented; }
};

inline constexpr std::size_t kMaxAnswerBytes = 16 << 20;
inline constexpr int kMaxQueryTries = 8;

/// For classes whose length varies. Starts with the larger of `start_bytes` and what `answer` has room for, or with less:
/// a quarter and 2 KiB more than the answer that it still holds. Grows to max(2x, needed + 25 %) up to kMaxAnswerBytes; on success `answer` is exactly what was filled.
NtStatus read_all(NtQuery& query, std::uint32_t info_class, std::size_t start_bytes, std::string& answer,
                  std::size_t most_bytes = kMaxAnswerBytes);

/// The same for the types of objects.
NtStatus read_object_types(NtQuery& query, std::string& answer);

/// For classes of fixed length: one try with exactly `bytes`; several kernels refuse a longer buffer.
NtStatus read_fixed(NtQuery& query, std::uint32_t info_class, std::size_t bytes, std::string& answer);

}  // namespace kmem::windows
