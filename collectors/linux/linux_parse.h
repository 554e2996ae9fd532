// STAGE 1: raw frame of a Linux kernel, live or recorded -> Snapshot, with one PartStatus a collector whose part is in
// the frame: meminfo, slabinfo, vmallocinfo, allocinfo, stat, settings, events, processes. Runs on every system.
// Thread: pure. Failure: a part that was refused or cannot be understood says so and leaves the others alone.
#pragma once

#include "collectors/linux/slab_memo.h"
#include "collectors/raw_frame.h"
#include "collectors/snapshot.h"

namespace kmem::linux {

/// `memo`: of the readings before, if they are of one kernel.
void parse_linux_frame(const RawFrame& frame, Snapshot& out, SlabMemo* memo = nullptr);

}  // namespace kmem::linux
