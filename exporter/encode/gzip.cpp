#include "exporter/encode/gzip.h"

#include <zlib.h>

#include <cstddef>

namespace kmem::encode {
namespace {

constexpr std::size_t kMaxInputBytes = std::size_t{64} << 20;
constexpr int kGzipWindowBits = 15 + 16;  // zlib: 16 more asks for a gzip header
constexpr int kMemoryLevel = 8;

}  // namespace

struct Gzip::Stream {
  z_stream state{};
  int status = deflateInit2(&state, Z_BEST_SPEED, Z_DEFLATED, kGzipWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY);
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (status == Z_OK) deflateEnd(&state);
  }
};

Gzip::Gzip() = default;
Gzip::~Gzip() = default;

base::Result<void> Gzip::compress(std::string_view plain, std::string& out) {
  out.clear();
  if (plain.size() > kMaxInputBytes) return base::Error{base::ErrorCode::kInvalid, "page too large for gzip"};
  if (!stream_) stream_ = std::make_unique<Stream>();
  if (stream_->status != Z_OK) {
    stream_.reset();
    return base::Error{base::ErrorCode::kIo, "zlib could not start: out of memory"};
  }
  z_stream& state = stream_->state;
  deflateReset(&state);
  out.resize(deflateBound(&state, static_cast<uLong>(plain.size())));
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));  // zlib reads only
  state.avail_in = static_cast<uInt>(plain.size());
  state.next_out = reinterpret_cast<Bytef*>(out.data());
  state.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&state, Z_FINISH);
  out.resize(status == Z_STREAM_END ? out.size() - state.avail_out : 0);
  if (status != Z_STREAM_END) return base::Error{base::ErrorCode::kIo, "zlib could not finish the page"};
  return {};
}

}  // namespace kmem::encode
