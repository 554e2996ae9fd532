// links: kmem_select
// Any bytes as a saved selection: refused, or a set that keeps its bounds and its sums.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/select/tracked_set.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kmem;
  config::Tags tags;
  tags.max_exported = 4;
  tags.max_tracked = 64;
  select::TrackedSet set(tags, {});
  (void)set.load({reinterpret_cast<const char*>(data), size});

  Snapshot snapshot;
  snapshot.time = 1'700'000'000'000;
  for (const std::string_view tag : {"Even", "Irp ", "MmSt", "Ntfx", "File", "Proc"}) {
    TagUsage usage;
    usage.tag = tag;
    usage.key = tag_key(usage.pool, tag);
    usage.bytes = 1'000 + snapshot.tags.size();
    usage.outstanding = 3;
    usage.counter_bits = 32;
    snapshot.tags.push_back(usage);
  }
  select::Selection selection;
  set.update(snapshot, {});
  set.fill(snapshot, selection);
  std::uint64_t bytes = selection.pools.at(0).other_bytes;
  for (const select::Member& member : selection.members) bytes += member.bytes;
  if (bytes != 6'015 || selection.members.size() > 4 || set.tracking().tracked > 64) std::abort();
  select::TrackedSet again(tags, {});
  if (!again.load(set.save())) std::abort();
  return 0;
}
