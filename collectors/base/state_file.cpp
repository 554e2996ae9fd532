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

std::string head_of(std::string_view kind, std::uint32_t version, std::uint64_t payload_bytes) {
  std::string head(kMagic);
  WireWriter out(head);
  out.fixed(version);
  head += kind;
  out.fixed(payload_bytes);
  return head;
}

std::string checksum_of(std::uint32_t crc) {
  std::string tail;
  WireWriter(tail).fixed(crc);
  return tail;
}

/// Sums up what it appends.
class Summed {
 public:
  explicit Summed(File& file) : file_(file) {}
  Result<void> append(std::string_view bytes) {
    crc_ = crc32(bytes, crc_);
    return file_.append(bytes);
  }
  [[nodiscard]] std::uint32_t crc() const { return crc_; }

 private:
  File& file_;
  std::uint32_t crc_ = 0;
};

/// Hands over the pieces, some of them together. A use that fails ends it.
Result<void> for_pieces(const PieceMaker& payload, const std::function<Result<void>(std::string_view)>& use) {
  std::string buffer;
  buffer.reserve(2 * kStatePieceBytes);
  for (std::size_t number = 0;; ++number) {
    const auto more = payload(number, buffer);
    if (!more) return more.error();
    if (buffer.size() < kStatePieceBytes && *more) continue;
    if (auto used = use(buffer); !used) return used;
    if (!*more) return {};
    buffer.clear();
  }
}

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
    return Error{ErrorCode::kMalformed, "holds \"" + label_text(found_kind) + "\" (byte 8), not \"" + std::string(kind) + "\""};
  return version;
}

}  // namespace

std::string encode_state(std::string_view kind, std::uint32_t version, std::string_view payload) {
  std::string bytes = head_of(kind, version, payload.size());
  bytes += payload;
  return bytes + checksum_of(crc32(bytes));
}

Result<LoadedState> decode_state(std::string_view bytes, std::string_view kind) {
  const auto version = check(bytes, kind);
  if (!version) return version.error();
  bytes.remove_prefix(kHeadBytes);
  bytes.remove_suffix(kChecksumBytes);
  return LoadedState{*version, std::string(bytes)};
}

Result<void> save_state(FileSystem& files, const std::string& path, std::string_view kind, std::uint32_t version,
                        const PieceMaker& payload) {
  if (kind.size() != kKindBytes) return Error{ErrorCode::kInvalid, "a state's kind has four characters"};
  std::uint64_t length = 0;  // stands before the payload: so that it is made once to be measured
  const auto measured = for_pieces(payload, [&length](std::string_view bytes) -> Result<void> {
    length += bytes.size();
    return {};
  });
  if (!measured) return measured.error().within(path);
  if (length > kMaxStateBytes - kHeadBytes - kChecksumBytes)
    return Error{ErrorCode::kInvalid, path + ": " + std::to_string(length) + " bytes are too many for a state"};
  const auto write = [&](File& file) -> Result<void> {
    Summed out(file);
    if (auto head = out.append(head_of(kind, version, length)); !head) return head;
    std::uint64_t written = 0;
    auto pieces = for_pieces(payload, [&](std::string_view bytes) {
      written += bytes.size();
      return out.append(bytes);
    });
    if (!pieces) return pieces;
    if (written != length) return Error{ErrorCode::kInvalid, path + ": the state changed while it was written"};
    return file.append(checksum_of(out.crc()));
  };
  return replace_file(files, path, write, OpenMode::kRewriteOwn);
}

Result<void> save_state(FileSystem& files, const std::string& path, std::string_view kind, std::uint32_t version,
                        std::string_view payload) {
  return save_state(files, path, kind, version, [payload](std::size_t number, std::string& out) -> Result<bool> {
    const std::size_t at = number * kStatePieceBytes;
    if (at < payload.size()) out += payload.substr(at, kStatePieceBytes);
    return at < payload.size();
  });
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
