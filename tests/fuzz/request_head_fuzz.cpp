// links: kmem_http
// Any bytes: the same verdict whether they come at once or in two pieces, and no head larger than the cap.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/http/request_head.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using kmem::http::HeadScanner;
  constexpr std::size_t kMaxBytes = 1024;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  HeadScanner at_once(kMaxBytes);
  const auto state = at_once.scan(bytes);
  HeadScanner in_two(kMaxBytes);
  in_two.scan(bytes.substr(0, size / 2));
  if (in_two.scan(bytes) != state || in_two.refusal().status != at_once.refusal().status) std::abort();
  const auto& head = at_once.head();
  switch (state) {
    case HeadScanner::State::kMore:
      if (size > kMaxBytes) std::abort();
      break;
    case HeadScanner::State::kComplete:
      if (head.size_bytes > kMaxBytes || head.size_bytes > size || !head.target.starts_with('/')) std::abort();
      if (head.target.find_first_of(" #\r\n") != std::string_view::npos) std::abort();
      if (bytes.substr(0, head.size_bytes).substr(head.size_bytes - 4) != "\r\n\r\n") std::abort();
      break;
    case HeadScanner::State::kRefused:
      if (at_once.refusal().status < 400 || at_once.refusal().text.empty()) std::abort();
      break;
  }
  return 0;
}
