#include "collectors/drivers/image_version.h"

#include <charconv>

#include "collectors/base/byte_reader.h"

namespace kmem::drivers {
namespace {

constexpr std::uint32_t kSignature = 0xFEEF04BD, kStructVersion = 0x00010000;
constexpr std::u16string_view kKey = u"VS_VERSION_INFO";
constexpr std::uint16_t kFixedBytes = 52;
constexpr std::size_t kHeadBytes = 40;  // three lengths, the key with its 0, filled up to 4

/// The head of the resource stands right before the fixed part, or it is a number that looks like one.
bool has_head(const base::ByteReader& reader, std::size_t at) {
  if (at < kHeadBytes || reader.read<std::uint16_t>(at - kHeadBytes + 2) != kFixedBytes) return false;
  for (std::size_t i = 0; i < kKey.size(); ++i)
    if (reader.read<std::uint16_t>(at - kHeadBytes + 6 + 2 * i) != kKey[i]) return false;
  return true;
}

}  // namespace

std::optional<FileVersion> file_version(std::span<const std::byte> file) {
  const base::ByteReader reader(file);
  std::optional<FileVersion> found;
  for (std::size_t at = 0; at + kFixedBytes <= file.size(); at += 4) {
    if (reader.read<std::uint32_t>(at) != kSignature || reader.read<std::uint32_t>(at + 4) != kStructVersion) continue;
    if (!has_head(reader, at)) continue;
    const FileVersion version = FileVersion{*reader.read<std::uint32_t>(at + 8)} << 32 | *reader.read<std::uint32_t>(at + 12);
    if (found && *found != version) return std::nullopt;
    found = version;
  }
  return found == FileVersion{0} ? std::nullopt : found;
}

std::string version_text(FileVersion version) {
  std::string text;
  for (int shift = 48; shift >= 0; shift -= 16)
    text.append(text.empty() ? "" : ".").append(std::to_string(version >> shift & 0xFFFF));
  return text;
}

std::optional<FileVersion> parse_version(std::string_view text, std::uint16_t rest) {
  FileVersion version = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int part = 0; part < 4; ++part) {
    std::uint16_t number = rest;
    if (part == 0 || at != end) {
      if (part != 0 && *at++ != '.') return std::nullopt;
      const auto parsed = std::from_chars(at, end, number);
      if (parsed.ec != std::errc{}) return std::nullopt;
      at = parsed.ptr;
    }
    version = version << 16 | number;
  }
  return at == end ? std::optional(version) : std::nullopt;
}

}  // namespace kmem::drivers
