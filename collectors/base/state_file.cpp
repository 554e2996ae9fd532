#include "collectors/base/state_file.h"

#include <utility>

#include "collectors/base/checksum.h"
#include "collectors/base/label_text.h"
#include "collectors/base/wire.h"

namespace kmem::base {
namespace {

constexpr std::string_view kMagic = "KMST";
constexpr std::size_t kKindBytes = 4;
constexpr std::size_t kHeadBytes = 4 + 4 + kKindBytes + 8;
constexpr std::size_t kChecksumBytes = 4;

Error damaged(const std::string& what) { return {ErrorCode::kMalformed, "damaged: " + what}; }

/// What stands before and behind a payload.
struct Envelope {
  Envelope(std::string_view kind, std::uint32_t version, std::string_view payload) {
    WireWriter out(head);
    head += kMagic;
    out.fixed(version);
    head += kind;
    out.fixed(std::uint64_t{payload.size()});
    WireWriter(tail).fixed(crc32(payload, crc32(head)));
  }
  std::string head, tail;
};

/// The version of a sound envelope of that kind.
Result<std::uint32_t> check(std::string_view bytes, std::string_view kind) {
  if (!bytes.starts_with(kMagic)) return damaged("no \"KMST\" at byte 0");
  if (bytes.size() < kHeadBytes + kChecksumBytes)
    return damaged("ends at byte " + std::to_string(bytes.size()) + ", within its header");
  WireReader head(bytes.substr(kMagic.size()));
  const auto version = head.fixed<std::uint32_t>();
  const std::string_view found_kind = bytes.substr(kMagic.size() + 4, kKindBytes);
  (void)head.fixed<std::uint32_t>();
  const auto payload_bytes = head.fixed<std::uint64_t>();
  const std::uint64_t holds = bytes.size() - kHeadBytes - kChecksumBytes;
  if (payload_bytes != holds)
    return damaged("the length at byte 12 says " + std::to_string(payload_bytes) + " bytes, the file holds " +
                   std::to_string(holds));
  const std::size_t checksum_at = bytes.size() - kChecksumBytes;
  if (WireReader(bytes.substr(checksum_at)).fixed<std::uint32_t>() != crc32(bytes.substr(0, checksum_at)))
    return damaged("the checksum at byte " + std::to_string(checksum_at) + " does not match");
  if (found_kind != kind)
    return Error{ErrorCode::kMalformed,
                 "holds \"" + label_text(found_kind) + "\" (byte 8), not \"" + std::string(kind) + "\""};
  return version;
}

}  // namespace

std::string encode_state(std::string_view kind, std::uint32_t version, std::string_view payload) {
  const Envelope around(kind, version, payload);
  return around.head + std::string(payload) + around.tail;
}

Result<LoadedState> decode_state(std::string_view bytes, std::string_view kind) {
  const auto version = check(bytes, kind);
  if (!version) return version.error();
  bytes.remove_prefix(kHeadBytes);
  bytes.remove_suffix(kChecksumBytes);
  return LoadedState{*version, std::string(bytes)};
}

Result<void> save_state(FileSystem& files, const std::string& path, std::string_view kind, std::uint32_t version,
                        std::string_view payload) {
  if (kind.size() != kKindBytes) return Error{ErrorCode::kInvalid, "a state's kind has four characters"};
  if (payload.size() > kMaxStateBytes - kHeadBytes - kChecksumBytes)
    return Error{ErrorCode::kInvalid, path + ": " + std::to_string(payload.size()) + " bytes are too many for a state"};
  const Envelope around(kind, version, payload);
  const std::string_view pieces[] = {around.head, payload, around.tail};
  return replace_file(files, path, pieces, OpenMode::kRewriteOwn);
}

Result<LoadedState> load_state(FileSystem& files, const std::string& path, std::string_view kind) {
  auto bytes = read_file(files, path, kMaxStateBytes);
  if (!bytes) {
    if (bytes.error().code != ErrorCode::kInvalid) return bytes.error();
    return Error{ErrorCode::kMalformed, bytes.error().message};
  }
  const auto version = check(*bytes, kind);
  if (!version) return version.error().within(path);
  // In place: a payload may be most of the program's memory.
  bytes->resize(bytes->size() - kChecksumBytes);
  bytes->erase(0, kHeadBytes);
  return LoadedState{*version, std::move(*bytes)};
}

}  // namespace kmem::base
