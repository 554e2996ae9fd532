// STAGE 1: raw frame of a Linux kernel, live or recorded -> Snapshot, with one PartStatus a collector whose part is in
// the frame. Runs on every system. collectors() is the table of what Linux has; config/collectors.h says when it is read.
// Thread: pure. Failure: a part that was refused or cannot be understood says so and leaves the others alone.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "collectors/base/result.h"
#include "collectors/linux/slab_memo.h"
#include "collectors/linux/system_text.h"
#include "collectors/raw_frame.h"
#include "collectors/snapshot.h"
#include "config/collectors.h"

namespace kmem::linux {

/// How the reader gets at a part's file. See ProcRoot.
enum class Access : std::uint8_t {
  kWhole,     // opened each time
  kKept,      // stays open
  kRecord,    // likewise, made by the kernel in one go
  kList,      // likewise, of any length
  kGathered,  // by code of its own in linux_frames_posix.cpp
};

struct Collector {
  const config::CollectorInfo& info;
  std::string_view part;  // "proc/NAME": that file below the root
  Access access;
  std::string_view path;        // for people
  std::string_view permission;  // what lets an account read it
  bool optional;                // kernels without it are sound
  base::Result<GatheredRows> (*parse)(const RawPart& part, const RawFrame& frame, Snapshot& out, SlabMemo* memo);
};

/// In the order of a frame's parts.
[[nodiscard]] std::span<const Collector> collectors();

/// `memo`: of the readings before, if they are of one kernel.
void parse_linux_frame(const RawFrame& frame, Snapshot& out, SlabMemo* memo = nullptr);

}  // namespace kmem::linux
