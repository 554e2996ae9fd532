// links: kmem_linux
// Any bytes as /proc/slabinfo, with the answers of sysfs behind a byte 0x1e: read or refused, a sound Snapshot, and
// the same answers from the live source's memory when it is asked twice.
#include "collectors/linux/slabinfo.h"

#include "collectors/linux/slab_reclaim.h"
#include "tests/fuzz/linux_invariants.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kmem;
  const std::string_view text = fuzz::text_of(data, size);
  const std::size_t cut = text.find('\x1e');
  const std::string_view slabs = text.substr(0, cut);
  const std::string_view answers = cut == std::string_view::npos ? std::string_view() : text.substr(cut + 1);
  Snapshot out;
  const auto skipped = linux::parse_slabinfo(slabs, answers, 4096, out);
  fuzz::require_sound(out);
  fuzz::require(skipped ? fuzz::is_sound_skipped(*skipped, size) : !skipped.error().message.empty());

  linux::ReclaimAnswers memory;
  const auto lookup = [](std::string_view cache) { return std::optional(cache.size() % 2 == 1); };
  const std::string first = memory.update(slabs, std::chrono::seconds(0), lookup);
  fuzz::require(memory.update(slabs, std::chrono::seconds(1), lookup) == first);
  linux::ReclaimReader reader(first);
  for (const TagUsage& tag : out.tags) (void)reader.reclaimable(tag.tag);
  return 0;
}
