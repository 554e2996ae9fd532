// links: kmem_replay
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include "collectors/replay/capture.h"

namespace {

class Bytes final : public kmem::base::File {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  kmem::base::Result<std::size_t> read(std::span<std::byte> into) override {
    const std::size_t length = std::min(into.size(), bytes_.size());
    if (length > 0) std::memcpy(into.data(), bytes_.data(), length);
    bytes_.remove_prefix(length);
    return length;
  }
  kmem::base::Result<void> append(std::string_view) override { return {}; }
  kmem::base::Result<void> truncate(std::uint64_t) override { return {}; }
  kmem::base::Result<void> sync() override { return {}; }

 private:
  std::string_view bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  kmem::RawFrame frame;
  if (auto reader = kmem::replay::CaptureReader::over(std::make_unique<Bytes>(bytes), "capture"); reader)
    for (auto more = reader->next(frame);; more = reader->next(frame)) {
      if (more && !*more) break;
      if (!more && !reader->resume()) break;
    }
  // The sums above keep a fuzzer out of the body, so it gets there directly too. What decodes has to encode.
  if (kmem::replay::decode_body(bytes, frame) && !kmem::replay::encode_body(frame)) __builtin_trap();
  return 0;
}
