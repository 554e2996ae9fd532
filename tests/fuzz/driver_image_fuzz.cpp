// links: kmem_drivers
// Any bytes as a driver image: refused with a reason, or sections inside the file and plausible tags. The bytes behind
// the first are also read as bare code of each machine and as data, so that no header need be right.
#include "collectors/drivers/image_scan.h"

#include <algorithm>
#include <cstdlib>

#include "collectors/drivers/tag_flow.h"

namespace {

using namespace kmem::drivers;

void require(bool holds) {
  if (!holds) std::abort();
}

void require_sound(const std::vector<ImageTag>& tags) {
  require(tags.size() <= kMaxTagsPerImage);
  for (std::size_t i = 0; i < tags.size(); ++i) {
    require(tags[i].places > 0 && (is_plausible_tag(tags[i].tag) || tags[i].evidence == Evidence::kArgument));
    require(i == 0 || tags[i - 1].tag < tags[i].tag);
  }
}

/// The bytes behind the first as code of some machines.
int look_at_code(std::span<const std::byte> file, std::size_t first, std::size_t end) {
  constexpr Machine kMachines[] = {Machine::kX86, Machine::kX64, Machine::kArm64};
  for (std::size_t i = first; i < end; ++i) {
    PeImage bare;
    bare.machine = kMachines[i];
    bare.base = 0x10000;
    bare.size_bytes = static_cast<std::uint32_t>(file.size()) + 0x1000;
    bare.sections = {{0x1000, file.subspan(std::min<std::size_t>(file.size(), 1)), true, false}};
    Finds finds;
    if (bare.machine == Machine::kArm64) {
      scan_arm64_code(bare, bare.sections[0], finds);
    } else {
      scan_x86_code(bare, bare.sections[0], finds, false);
      bare.imports = {{0x1000, "ExAllocatePoolWithTag", true}};
      TagFlow flow(bare);
      follow_x86(bare, flow);
      flow.finish(finds, finds);
    }
    scan_data(bare, bare.sections[0], finds);
    require_sound(finds.take());
  }
  return 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> file = std::as_bytes(std::span(data, size));
#ifdef KMEM_LIBFUZZER
  // Whole images are slow to make and to read; the fuzzer takes either these or bare code of one machine.
  const bool as_image = size >= 2 && data[0] == 'M' && data[1] == 'Z';
  const std::size_t only = size % 3;
  if (size > 4096) return 0;
  if (!as_image) return look_at_code(file, only, only + 1);
#endif
  const auto image = parse_pe(file);
  require(image.ok() || !image.error().message.empty());
  if (image)
    for (const PeSection& section : image->sections)
      require(section.bytes.data() >= file.data() && section.bytes.data() + section.bytes.size() <= file.data() + size);
  const auto tags = scan_image(file);
  require(tags.ok() == image.ok());
  if (tags) require_sound(*tags);
#ifdef KMEM_LIBFUZZER
  return 0;
#else
  return look_at_code(file, 0, 3);
#endif
}
