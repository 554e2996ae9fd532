#include "collectors/replay/capture.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "collectors/base/checksum.h"
#include "collectors/base/wire.h"

namespace kmem::replay {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::WireReader;
using base::WireWriter;

constexpr std::string_view kFileMagic = "KMCAPTUR";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kFileHeadBytes = 16;
constexpr std::string_view kFrameMagic = "KMF1";
constexpr std::size_t kHeadBytes = 36;
constexpr std::size_t kMaxStoredBytes = kMaxBodyBytes + kMaxBodyBytes / 1000 + 64;  // incompressible bytes grow
// Headers that lie about their frames have all that follows looked through for each.
constexpr std::uint64_t kMostBytesAgain = std::uint64_t{256} << 20;
constexpr std::size_t kChunkBytes = std::size_t{64} << 10;  // a length is believed only as far as bytes come
constexpr std::size_t kPartBytes = 1 + 8 + 1 + 1;           // the least that a part takes

std::string file_head() {
  std::string bytes(kFileMagic);
  WireWriter out(bytes);
  out.fixed(kVersion);
  out.fixed(base::crc32(bytes));
  return bytes;
}

bool head_is_whole(std::string_view head) {
  WireReader sum(head.substr(kHeadBytes - 4));
  return head.starts_with(kFrameMagic) && sum.fixed<std::uint32_t>() == base::crc32(head.substr(0, kHeadBytes - 4));
}

bool known_kernel(System system, unsigned pointer_bytes) {
  return (system == System::kLinux || system == System::kWindows) && (pointer_bytes == 4 || pointer_bytes == 8);
}

}  // namespace

Result<std::string> encode_body(const RawFrame& frame) {
  if (frame.parts.size() > kMaxParts)
    return Error{ErrorCode::kInvalid, "a frame of " + std::to_string(frame.parts.size()) + " parts is too big"};
  std::string body;
  WireWriter out(body);
  out.varint(frame.parts.size());
  for (const RawPart& part : frame.parts) {
    if (part.name.size() > kMaxPartNameBytes)
      return Error{ErrorCode::kInvalid, "a frame with a part's name of " + std::to_string(part.name.size()) + " bytes"};
    if (part.bytes.size() > kMaxBodyBytes - std::min(body.size(), kMaxBodyBytes))
      return Error{ErrorCode::kInvalid, "a frame is too big at its part " + part.name};
    out.string(part.name);
    out.fixed(part.status);
    out.varint(part.micros);
    out.string(part.status == 0 ? std::string_view(part.bytes) : std::string_view());
  }
  if (body.size() > kMaxBodyBytes) return Error{ErrorCode::kInvalid, "a frame is too big"};
  return body;
}

Result<void> decode_body(std::string_view body, RawFrame& frame) {
  WireReader in(body);
  frame.parts.resize(in.count(kPartBytes, kMaxParts));
  for (RawPart& part : frame.parts) {
    part.name = in.string(kMaxPartNameBytes);
    part.status = in.fixed<std::int64_t>();
    part.micros = in.varint();
    part.bytes = in.string(kMaxBodyBytes);
  }
  return in.finish();
}

Result<CaptureReader> CaptureReader::open(base::FileSystem& files, const std::string& path) {
  auto file = files.open(path, base::OpenMode::kRead);
  if (!file) return file.error();
  return over(std::move(*file), path);
}

Result<CaptureReader> CaptureReader::over(std::unique_ptr<base::File> file, const std::string& path) {
  CaptureReader reader(std::move(file), path);
  if (auto filled = reader.fill(reader.bytes_, kFileHeadBytes); !filled) return filled.error();
  const std::string_view head = reader.bytes_;
  if (!head.starts_with(kFileMagic)) return Error{ErrorCode::kMalformed, path + ": not a capture"};
  if (head.size() < kFileHeadBytes) return reader.damaged("the file ends within its header");
  WireReader in(head.substr(kFileMagic.size()));
  const auto version = in.fixed<std::uint32_t>();
  if (in.fixed<std::uint32_t>() != base::crc32(head.substr(0, kFileHeadBytes - 4)))
    return reader.damaged("the file's header is changed");
  if (version != kVersion)
    return Error{ErrorCode::kMalformed, path + ": a capture of version " + std::to_string(version) +
                                            ", this program knows version " + std::to_string(kVersion)};
  reader.offset_ = kFileHeadBytes;
  return reader;
}

Result<bool> CaptureReader::next(RawFrame& frame) {
  if (error_) return *error_;
  Head head;
  auto fetched = fetch(head);
  if (!fetched || !*fetched) return remember(std::move(fetched));
  if (auto inflated = inflate_body(head.body_bytes); !inflated) return remember(inflated.error());
  if (auto decoded = decode_body(body_, frame); !decoded)
    return remember(damaged("the frame's body: " + decoded.error().message));
  frame.system = head.frame.system;
  frame.pointer_bytes = head.frame.pointer_bytes;
  frame.page_bytes = head.frame.page_bytes;
  frame.time = head.frame.time;
  offset_ += kHeadBytes + stored_.size();
  return true;
}

Result<bool> CaptureReader::skip() {
  if (error_) return *error_;
  Head head;
  auto fetched = fetch(head);
  if (!fetched || !*fetched) return remember(std::move(fetched));
  offset_ += kHeadBytes + stored_.size();
  return true;
}

Result<CaptureReader::Passed> CaptureReader::resume() {
  // All that was read of the damaged frame, but its first byte, and what is read ahead.
  std::string window = bytes_.substr(std::min<std::size_t>(1, bytes_.size())) + stored_ + ahead_.substr(ahead_at_);
  again_bytes_ += window.size();
  if (again_bytes_ > kMostBytesAgain) {
    error_ = damaged("as is so much before it that the rest is not looked for");
    return *error_;
  }
  const std::uint64_t began = offset_;
  std::uint64_t window_at = offset_ + 1;
  std::string chunk(kChunkBytes, '\0');
  error_.reset();
  for (;;) {
    for (std::size_t at = window.find(kFrameMagic); at != std::string::npos && at + kHeadBytes <= window.size();
         at = window.find(kFrameMagic, at + 1)) {
      if (!head_is_whole(std::string_view(window).substr(at, kHeadBytes))) continue;
      offset_ = window_at + at;
      ahead_ = window.substr(at);
      ahead_at_ = 0;
      return Passed{offset_ - began, true};
    }
    const std::size_t seen = window.size() - std::min(window.size(), kHeadBytes - 1);
    window.erase(0, seen);
    window_at += seen;
    const auto got = file_->read(std::as_writable_bytes(std::span(chunk)));
    if (!got) return got.error();
    if (*got == 0) break;
    window.append(chunk, 0, *got);
  }
  offset_ = window_at + window.size();
  ahead_.clear();
  ahead_at_ = 0;
  return Passed{offset_ - began, false};
}

Result<bool> CaptureReader::remember(Result<bool> result) {
  if (!result) error_ = result.error();
  return result;
}

Result<bool> CaptureReader::fetch(Head& head) {
  stored_.clear();
  if (auto filled = fill(bytes_, kHeadBytes); !filled) return filled.error();
  if (bytes_.empty()) return false;
  if (bytes_.size() < kHeadBytes) return damaged("the file ends within a frame's header");
  if (!head_is_whole(bytes_)) return damaged("not a frame's header, or a changed one");
  WireReader in(std::string_view(bytes_).substr(kFrameMagic.size()));
  head.stored_bytes = in.fixed<std::uint32_t>();
  head.body_bytes = in.fixed<std::uint32_t>();
  head.frame.system = static_cast<System>(in.fixed<std::uint8_t>());
  head.frame.pointer_bytes = in.fixed<std::uint8_t>();
  (void)in.fixed<std::uint16_t>();
  head.frame.page_bytes = in.fixed<std::uint32_t>();
  head.frame.time = in.fixed<std::int64_t>();
  head.stored_crc = in.fixed<std::uint32_t>();
  if (head.body_bytes > kMaxBodyBytes || head.stored_bytes > kMaxStoredBytes)
    return damaged("the frame claims " + std::to_string(head.stored_bytes) + " bytes for a body of " +
                   std::to_string(head.body_bytes));
  if (!known_kernel(head.frame.system, head.frame.pointer_bytes)) return damaged("a frame of an unknown kernel");
  if (auto filled = fill(stored_, head.stored_bytes); !filled) return filled.error();
  if (stored_.size() < head.stored_bytes) return damaged("the file ends within the frame");
  if (base::crc32(stored_) != head.stored_crc) return damaged("the frame's body is changed");
  return true;
}

Result<void> CaptureReader::inflate_body(std::size_t body_bytes) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return Error{ErrorCode::kIo, path_ + ": no memory to decompress with"};
  stream.next_in = reinterpret_cast<unsigned char*>(stored_.data());
  stream.avail_in = static_cast<unsigned>(stored_.size());
  int state = Z_OK;
  // One byte more than claimed has room, so that a body which is too long shows itself.
  for (std::size_t room = kChunkBytes; state == Z_OK && stream.total_out <= body_bytes; room *= 2) {
    body_.resize(std::min(body_bytes + 1, room));
    stream.next_out = reinterpret_cast<unsigned char*>(body_.data()) + stream.total_out;
    stream.avail_out = static_cast<unsigned>(body_.size() - stream.total_out);
    state = inflate(&stream, Z_NO_FLUSH);
  }
  const bool whole = state == Z_STREAM_END && stream.total_out == body_bytes && stream.avail_in == 0;
  inflateEnd(&stream);
  if (!whole) return damaged("the frame's body does not decompress to the " + std::to_string(body_bytes) + " bytes claimed");
  body_.resize(body_bytes);
  return {};
}

Result<void> CaptureReader::fill(std::string& into, std::size_t bytes) {
  into.assign(ahead_, ahead_at_, bytes);
  ahead_at_ += into.size();
  if (ahead_at_ == ahead_.size()) ahead_.clear(), ahead_at_ = 0;
  while (into.size() < bytes) {
    const std::size_t had = into.size();
    into.resize(had + std::min(bytes - had, kChunkBytes));
    const auto got = file_->read(std::as_writable_bytes(std::span(into).subspan(had)));
    into.resize(had + (got ? *got : 0));
    if (!got) return got.error();
    if (*got == 0) break;
  }
  return {};
}

Error CaptureReader::damaged(const std::string& what) const {
  return {ErrorCode::kMalformed, path_ + ": damaged at byte " + std::to_string(offset_) + ": " + what};
}

Result<CaptureWriter> CaptureWriter::open(base::FileSystem& files, const std::string& path) {
  auto file = files.open(path, base::OpenMode::kReadAppend);
  if (!file) return file.error();
  CaptureWriter writer(std::move(*file), path);
  const std::string head = file_head();
  const auto found = base::read_file(files, path, head.size() - 1);
  if (!found && found.error().code != ErrorCode::kInvalid) return found.error();
  if (found) {  // shorter than a header: new, or its making was cut short
    if (!head.starts_with(*found)) return Error{ErrorCode::kMalformed, path + ": not a capture"};
    writer.torn_bytes_cut_ = found->size();
    writer.dirty_ = !found->empty();
    if (auto made = writer.put(head); !made) return made.error();
    return writer;
  }
  auto reader = CaptureReader::open(files, path);
  if (!reader) return reader.error();
  auto whole = reader->skip();
  for (; whole && *whole; whole = reader->skip()) ++writer.frames_found_;
  writer.size_bytes_ = reader->offset();
  if (whole) return writer;
  if (whole.error().code != ErrorCode::kMalformed) return whole.error();
  const auto rest = reader->resume();
  if (!rest) return rest.error();
  if (rest->frame_follows)
    return Error{ErrorCode::kMalformed, whole.error().message + "; whole frames follow, so it is left as it is"};
  writer.torn_bytes_cut_ = rest->bytes;
  if (auto cut = writer.file_->truncate(writer.size_bytes_); !cut) return cut.error();
  return writer;
}

Result<void> CaptureWriter::append(const RawFrame& frame) {
  if (!known_kernel(frame.system, frame.pointer_bytes))
    return Error{ErrorCode::kInvalid, path_ + ": a frame of an unknown kernel"};
  const auto body = encode_body(frame);
  if (!body) return body.error().within(path_);
  uLongf stored_bytes = compressBound(static_cast<uLong>(body->size()));
  std::string stored(stored_bytes, '\0');
  if (compress2(reinterpret_cast<unsigned char*>(stored.data()), &stored_bytes,
                reinterpret_cast<const unsigned char*>(body->data()), static_cast<uLong>(body->size()),
                Z_DEFAULT_COMPRESSION) != Z_OK)
    return Error{ErrorCode::kIo, path_ + ": no memory to compress with"};
  stored.resize(stored_bytes);

  std::string bytes(kFrameMagic);
  WireWriter out(bytes);
  out.fixed(static_cast<std::uint32_t>(stored.size()));
  out.fixed(static_cast<std::uint32_t>(body->size()));
  out.fixed(static_cast<std::uint8_t>(frame.system));
  out.fixed(frame.pointer_bytes);
  out.fixed(std::uint16_t{0});
  out.fixed(frame.page_bytes);
  out.fixed(frame.time);
  out.fixed(base::crc32(stored));
  out.fixed(base::crc32(bytes));
  bytes += stored;
  return put(bytes);
}

Result<void> CaptureWriter::put(std::string_view bytes) {
  if (dirty_) {
    if (auto cut = file_->truncate(size_bytes_); !cut) return cut;
    dirty_ = false;
  }
  auto written = file_->append(bytes);
  if (written) written = file_->sync();
  if (written) {
    size_bytes_ += bytes.size();
  } else {
    dirty_ = !file_->truncate(size_bytes_).ok();
  }
  return written;
}

}  // namespace kmem::replay
