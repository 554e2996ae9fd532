// The file version of a Windows program image: bytes of the file -> the fixed part of its version resource
// (VS_FIXEDFILEINFO behind the key VS_VERSION_INFO). Pure. Failure: nullopt, also where a file holds several that differ,
// as one does that carries another image: which is its own is not guessed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kmem::drivers {

/// Four numbers of 16 bits, the first the highest: compared as one. 0: not known.
using FileVersion = std::uint64_t;

[[nodiscard]] std::optional<FileVersion> file_version(std::span<const std::byte> file);
/// "5.1.3.0"
[[nodiscard]] std::string version_text(FileVersion version);
/// One to four numbers with dots; what is not said is `rest` (0, or 65535 for the end of a range).
[[nodiscard]] std::optional<FileVersion> parse_version(std::string_view text, std::uint16_t rest = 0);

}  // namespace kmem::drivers
