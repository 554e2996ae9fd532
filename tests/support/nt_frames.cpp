#include "tests/support/nt_frames.h"

#include <zlib.h>

#include <array>
#include <span>
#include <stdexcept>

#include "collectors/base/byte_reader.h"
#include "collectors/windows/time_of_day_info.h"

namespace kmem::test {

namespace {

std::string unzip(const std::string& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("cannot open " + path);
  std::string bytes;
  std::array<char, 1 << 16> block;
  int got = 0;
  while ((got = gzread(file, block.data(), static_cast<unsigned>(block.size()))) > 0)
    bytes.append(block.data(), static_cast<std::size_t>(got));
  gzclose(file);
  if (got < 0) throw std::runtime_error("not a gzip file: " + path);
  return bytes;
}

}  // namespace

std::vector<RawFrame> read_nt_frames(const std::string& gz_path, std::uint8_t pointer_bytes) {
  constexpr std::uint32_t kMagic = 0x464D4B52;
  constexpr std::size_t kHeaderBytes = 24;
  const std::string bytes = unzip(gz_path);
  const base::ByteReader reader(std::as_bytes(std::span(bytes)));
  std::vector<RawFrame> frames;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto magic = reader.read<std::uint32_t>(at);
    const auto filetime = reader.read<std::int64_t>(at + 16);
    if (magic != kMagic || !filetime) throw std::runtime_error("no record at " + std::to_string(at));
    const std::uint32_t info_class = *reader.read<std::uint32_t>(at + 4);
    const std::uint32_t length = *reader.read<std::uint32_t>(at + 12);
    if (!reader.slice(at + kHeaderBytes, length)) throw std::runtime_error("cut record at " + std::to_string(at));
    if (info_class == 0) {
      RawFrame& frame = frames.emplace_back();
      frame.system = System::kWindows;
      frame.pointer_bytes = pointer_bytes;
      frame.time = windows::unix_millis(*filetime);
    }
    if (frames.empty()) throw std::runtime_error("the first record is not of class 0");
    RawPart& part = frames.back().part("nt/" + std::to_string(info_class));
    part.status = *reader.read<std::uint32_t>(at + 8);
    part.bytes = bytes.substr(at + kHeaderBytes, length);
    at += kHeaderBytes + length;
  }
  return frames;
}

}  // namespace kmem::test
