// links: kmem_linux
// Any bytes as a frame: parts between bytes 0x1e, each with a first line "name status", the rest its text. One status
// a collector, a reason wherever it is not whole, and a sound Snapshot.
#include <charconv>

#include "collectors/linux/linux_parse.h"
#include "tests/fuzz/linux_invariants.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kmem;
  RawFrame frame;
  std::string_view rest = fuzz::text_of(data, size);
  while (!rest.empty() && frame.parts.size() < 16) {
    const std::size_t cut = rest.find('\x1e');
    const std::string_view block = rest.substr(0, cut);
    rest = cut == std::string_view::npos ? std::string_view() : rest.substr(cut + 1);
    const std::string_view head = block.substr(0, block.find('\n'));
    const std::size_t blank = head.find(' ');
    RawPart part;
    part.name = head.substr(0, blank);
    if (blank != std::string_view::npos) std::from_chars(head.data() + blank + 1, head.data() + head.size(), part.status);
    if (head.size() < block.size()) part.bytes = block.substr(head.size() + 1);
    if (part.name == "page_bytes") frame.page_bytes = static_cast<std::uint32_t>(part.status);
    frame.parts.push_back(std::move(part));
  }
  Snapshot out;
  linux::parse_linux_frame(frame, out);
  fuzz::require_sound(out);
  std::unordered_set<std::string_view> collectors;
  for (const PartStatus& part : out.parts) fuzz::require(collectors.insert(part.collector).second);
  return 0;
}
