// STAGE 1: a Windows RawFrame -> Snapshot. Thread: pure. Failure: each part fails alone, as a PartStatus.
//   part           collector      what it gives
//   nt/0           basic          page size, physical memory
//   nt/2           performance    pools, free PTEs, commit, available
//   nt/3           time_of_day    boot time
//   nt/5 nt/5.base processes      handles, pool quotas (.base: address of the buffer, decimal; see process_info.h)
//   nt/21          file_cache     current and peak
//   nt/255 nt/22   pool_tags      tags; 255 where the kernel has it
//   nt/67          session_pool_tags  tags of the sessions' own pools
//   kmem/big_pool  big_pool       class 66, summed by tag (big_pool.h); where it is refused it is not there
//   nt/80 kmem/memory_status memory_lists  pages by list, likewise; MEMORYSTATUSEX
//   kmem/object_handles object_handles  classes 64, 16, counted (object_handles.h), likewise
//   kmem/registry  settings       Memory Management values
//   kmem/system    limits         with nt/0, nt/37 and the settings: the pools' limits
//   kmem/events    events         memory failures that the System log gained
#pragma once

#include "collectors/raw_frame.h"
#include "collectors/snapshot.h"

namespace kmem::windows {

/// Fills a cleared `out`. A part that is not in the frame was not asked for: no values, no status.
void parse_windows_frame(const RawFrame& frame, Snapshot& out);

}  // namespace kmem::windows
