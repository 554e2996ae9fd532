// What has to outlive the process, in an envelope that tells its own damage:
//   "KMST" | u32 version | 4 characters kind | u64 payload bytes | payload | u32 CRC-32 of all before   (little-endian)
// Payload bytes <-> file; WireWriter and WireReader are for the payload. Thread: as FileSystem.
// Failure: kAbsent when there is no file, kMalformed (what and at which byte) when it is damaged or of another kind;
// then set_aside it and begin anew. A version the caller does not know is the caller's to refuse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "collectors/base/file_io.h"
#include "collectors/base/result.h"

namespace kmem::base {

inline constexpr std::size_t kMaxStateBytes = std::size_t{20} << 20;    // whole file
inline constexpr std::size_t kStatePieceBytes = std::size_t{64} << 10;  // written at a time, about

struct LoadedState {
  std::uint32_t version = 0;
  std::string payload;
};

/// Appends the piece of that number of a payload, from 0; false: there are no more. Every piece is asked for twice, and
/// more often where writing is tried again: each time it has to be the same.
using PieceMaker = std::function<Result<bool>(std::size_t number, std::string& out)>;

/// `kind` has four characters and says whose state it is.
[[nodiscard]] Result<void> save_state(FileSystem& files, const std::string& path, std::string_view kind, std::uint32_t version,
                                      std::string_view payload);
/// Never holds much more than a piece.
[[nodiscard]] Result<void> save_state(FileSystem& files, const std::string& path, std::string_view kind, std::uint32_t version,
                                      const PieceMaker& payload);
[[nodiscard]] Result<LoadedState> load_state(FileSystem& files, const std::string& path, std::string_view kind);

[[nodiscard]] std::string encode_state(std::string_view kind, std::uint32_t version, std::string_view payload);
[[nodiscard]] Result<LoadedState> decode_state(std::string_view bytes, std::string_view kind);

}  // namespace kmem::base
