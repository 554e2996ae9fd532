// What a metric of another exporter, or of our own, says in our words: windows_exporter (wmi_exporter) and node_exporter
// over their versions, and kmem_*. Thread: constants. Failure: nullptr for a metric that means nothing here.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "collectors/snapshot.h"

namespace kmem::history {

enum class Quantity : std::uint8_t {
  kPoolBytes,
  kPoolResident,
  kPoolAllocations,
  kPoolFrees,
  kPoolLimit,
  kTagBytes,
  kTagOutstanding,
  kTagAllocations,
  kTagFrees,
  kSlabActive,
  kSlabObjects,
  kSlabObjectBytes,
  kSlabObjectsPerSlab,
  kSlabPagesPerSlab,
  kHandles,
  kProcessPool,
  kFreePtes,
  kCommit,
  kCommitLimit,
  kCommitPeak,
  kPhysical,
  kAvailable,
  kFileCache,
  kFileCachePeak,
  kKernelStack,
  kPageTables,
  kBootSeconds
};

struct MetricMeaning {
  std::string_view name;
  Quantity quantity = Quantity::kPoolBytes;
  System system = System::kLinux;
  Pool pool = Pool::kPaged;             // where no label tells it
  std::string_view pool_label = {};     // its label with the pool
  std::string_view subject_label = {};  // tag, cache or process
  std::string_view pid_label = {};
  bool highest = false;  // of several values the highest is the floor: free entries; the newest boot

  [[nodiscard]] bool is_own_label(std::string_view label) const {
    return label == pool_label || label == subject_label || label == pid_label || label == "creating_process_id" ||
           label == "source" || label == "rule";
  }
};

[[nodiscard]] std::span<const MetricMeaning> metric_meanings();
[[nodiscard]] const MetricMeaning* find_meaning(std::string_view name);

}  // namespace kmem::history
