// What has to outlive the process, in an envelope that tells its own damage:
//   "KMST" | u32 version | 4 characters kind | u64 payload bytes | payload | u32 CRC-32 of all before   (little-endian)
// Payload bytes <-> file; WireWriter and WireReader are for the payload. Thread: as FileSystem.
// Failure: kAbsent when there is no file, kMalformed (what and at which byte) when it is damaged or of another kind;
// then set_aside it and begin anew. A version the caller does not know is the caller's to refuse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/base/file_io.h"
#include "collectors/base/result.h"

namespace kmem::base {

inline constexpr std::size_t kMaxStateBytes = std::size_t{20} << 20;  // whole file

struct LoadedState {
  std::uint32_t version = 0;
  std::string payload;
};

/// `kind` has four characters and says whose state it is.
[[nodiscard]] Result<void> save_state(FileSystem& files, const std::string& path, std::string_view kind,
                                      std::uint32_t version, std::string_view payload);
[[nodiscard]] Result<LoadedState> load_state(FileSystem& files, const std::string& path, std::string_view kind);

[[nodiscard]] std::string encode_state(std::string_view kind, std::uint32_t version, std::string_view payload);
[[nodiscard]] Result<LoadedState> decode_state(std::string_view bytes, std::string_view kind);

}  // namespace kmem::base
