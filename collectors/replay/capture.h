// A recorded history of raw kernel frames, the same on every system. Little-endian:
//   file:  "KMCAPTUR" | u32 version 1 | u32 CRC-32 of these 12 bytes
//   frame: u32 "KMF1" | u32 stored bytes | u32 body bytes | u8 system | u8 pointer bytes | u16 0 | u32 page bytes |
//          i64 Unix ms | u32 CRC-32 of the stored body | u32 CRC-32 of these 32 bytes | body, zlib-compressed
//   body:  varint parts | per part: name, u64 status, varint micros, bytes (strings with varint length)
// Frame <-> bytes. Thread: one. Failure: whole frames before the damage, then kMalformed with the byte offset; who wants the
// whole frames behind it resumes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/file_io.h"
#include "collectors/base/result.h"
#include "collectors/raw_frame.h"

namespace kmem::replay {

inline constexpr std::size_t kMaxBodyBytes = std::size_t{64} << 20;  // before compression
inline constexpr std::size_t kMaxParts = 1000;
inline constexpr std::size_t kMaxPartNameBytes = 256;

/// Frame after frame, holding one in memory.
class CaptureReader {
 public:
  /// kMalformed when the file is no capture.
  static base::Result<CaptureReader> open(base::FileSystem& files, const std::string& path);
  /// For a file that is open already, read from its beginning.
  static base::Result<CaptureReader> over(std::unique_ptr<base::File> file, const std::string& path);

  /// True: `frame` is the next one (its buffers are reused). False: the history ended well. An Error stays until resume.
  base::Result<bool> next(RawFrame& frame);
  /// next without looking into the body, which is only checked by its sum.
  base::Result<bool> skip();

  struct Passed {
    std::uint64_t bytes = 0;     // passed over: to the next whole frame's header, or to the file's end
    bool frame_follows = false;  // there is one
  };
  /// After kMalformed of next or skip: on behind the damage. kMalformed, and final, in a file made to be read again and again.
  base::Result<Passed> resume();

  /// Where the whole frames read so far end; after resume, where it goes on.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  struct Head {
    std::uint32_t stored_bytes = 0;
    std::uint32_t body_bytes = 0;
    std::uint32_t stored_crc = 0;
    RawFrame frame;  // without its parts
  };
  CaptureReader(std::unique_ptr<base::File> file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  base::Result<bool> remember(base::Result<bool> result);
  base::Result<bool> fetch(Head& head);
  base::Result<void> inflate_body(std::size_t body_bytes);
  base::Result<void> fill(std::string& into, std::size_t bytes);
  [[nodiscard]] base::Error damaged(const std::string& what) const;

  std::unique_ptr<base::File> file_;
  std::string path_;
  std::string bytes_;  // a header
  std::string stored_;
  std::string body_;
  std::string ahead_;  // read already, behind ahead_at_ not yet taken
  std::size_t ahead_at_ = 0;
  std::uint64_t again_bytes_ = 0;  // that resume looked through
  std::uint64_t offset_ = 0;
  std::optional<base::Error> error_;
};

/// Appends frames; each is on the disk when append returns.
class CaptureWriter {
 public:
  /// Makes the file, or goes on after its last whole frame and cuts off what a write that broke off left behind.
  /// kMalformed, and nothing is changed, when the file is no capture or whole frames follow its damage.
  static base::Result<CaptureWriter> open(base::FileSystem& files, const std::string& path);

  /// After an Error the capture is as before and the next append may succeed; kInvalid: the frame is beyond the bounds.
  base::Result<void> append(const RawFrame& frame);

  [[nodiscard]] std::uint64_t frames_found() const { return frames_found_; }      // by open
  [[nodiscard]] std::uint64_t torn_bytes_cut() const { return torn_bytes_cut_; }  // by open
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  CaptureWriter(std::unique_ptr<base::File> file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  base::Result<void> put(std::string_view bytes);

  std::unique_ptr<base::File> file_;
  std::string path_;
  std::uint64_t size_bytes_ = 0;  // of whole frames
  std::uint64_t frames_found_ = 0;
  std::uint64_t torn_bytes_cut_ = 0;
  bool dirty_ = false;  // part of a frame may lie behind size_bytes_
};

/// The body's notation, before compression. Any bytes in, no crash.
[[nodiscard]] base::Result<std::string> encode_body(const RawFrame& frame);
[[nodiscard]] base::Result<void> decode_body(std::string_view body, RawFrame& frame);

}  // namespace kmem::replay
