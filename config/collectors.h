// The one table of collectors: which parts of a kernel are read, how often, and on which system. A row is the knob with
// its flag and help, the entry of the example, the pace of the reader, and the line in collectors/README.md.
// How a part is read and parsed stands in collectors/linux/linux_parse.cpp and collectors/windows/windows_frames.cpp.
// Thread: constants.
#pragma once

#include <array>
#include <chrono>
#include <string_view>

namespace kmem::config {

/// How often a collector's part is read; between two readings the last answer stands.
struct Pace {
  bool is_there = true;  // the system has the collector
  std::chrono::seconds every{0};
};
inline constexpr Pace kAbsent{false}, kEachReading{}, kEveryMinute{true, std::chrono::minutes(1)},
    kEvery10Minutes{true, std::chrono::minutes(10)};

// ROW(name, on by default, pace on Linux, pace on Windows, help)
// The help begins with the system: "Linux: ", "Windows: " or "Both: ". What is off by default is costly.
#define KMEM_COLLECTORS(ROW)                                                                                                   \
  ROW(meminfo, true, kEachReading, kAbsent, "Linux: totals of slab, vmalloc, percpu and commit, from /proc/meminfo.")          \
  ROW(slabinfo, true, kEachReading, kAbsent, "Linux: slab caches, from /proc/slabinfo. Requires root or CAP_DAC_READ_SEARCH.") \
  ROW(vmallocinfo, false, kEachReading, kAbsent,                                                                               \
      "Linux: vmalloc by caller, from /proc/vmallocinfo. Off by default: a reading takes 1.5 ms.")                             \
  ROW(allocinfo, true, kEachReading, kAbsent,                                                                                  \
      "Linux: allocations by source file, from /proc/allocinfo. Requires allocation profiling.")                               \
  ROW(stat, true, kEveryMinute, kAbsent, "Linux: boot time, from /proc/stat.")                                                 \
  ROW(basic, true, kAbsent, kEachReading, "Windows: page size and installed memory (information class 0).")                    \
  ROW(performance, true, kAbsent, kEachReading, "Windows: pools, free system PTEs, commit (information class 2).")             \
  ROW(time_of_day, true, kAbsent, kEachReading, "Windows: boot time (information class 3).")                                   \
  ROW(file_cache, true, kAbsent, kEachReading, "Windows: the system cache's working set (information class 21).")              \
  ROW(pool_tags, true, kAbsent, kEachReading, "Windows: every pool tag (information class 255, else 22).")                     \
  ROW(session_pool_tags, true, kAbsent, kEachReading, "Windows: tags of the sessions' own pools (information class 67).")      \
  ROW(big_pool, true, kAbsent, kEveryMinute,                                                                                   \
      "Windows: allocations of a page and more, by tag (information class 66), once a minute.")                                \
  ROW(memory_lists, true, kAbsent, kEachReading, "Windows: free, modified and standby memory (information class 80).")         \
  ROW(object_handles, true, kAbsent, kEvery10Minutes,                                                                          \
      "Windows: handles by type and process (information class 64, else 16), every 10 minutes while an object's "              \
      "tag is a suspect.")                                                                                                     \
  ROW(limits, true, kAbsent, kEachReading, "Windows: version and machine, from which pool limits are derived.")                \
  ROW(events, true, kEveryMinute, kEveryMinute,                                                                                \
      "Both: memory failures, from the System event log or /proc/vmstat, once a minute.")                                      \
  ROW(processes, true, kEachReading, kEachReading, "Both: handles or descriptors and pool quota, per process.")                \
  ROW(settings, true, kEveryMinute, kEveryMinute, "Both: memory settings, from the registry (Memory Management) or vm.*.")

/// Which are read. Names are those of --collector.NAME.
struct Collectors {
#define KMEM_FIELD(name, on, on_linux, on_windows, help) bool name = on;
  KMEM_COLLECTORS(KMEM_FIELD)
#undef KMEM_FIELD

  bool operator==(const Collectors&) const = default;
};

struct CollectorInfo {
  std::string_view name;
  bool Collectors::*on;
  Pace on_linux, on_windows;
  std::string_view help;
};

inline constexpr auto kCollectors = std::to_array<CollectorInfo>({
#define KMEM_INFO(name, on, on_linux, on_windows, help) {#name, &Collectors::name, on_linux, on_windows, help},
    KMEM_COLLECTORS(KMEM_INFO)
#undef KMEM_INFO
});

/// For names that stand in the program: one that the table lacks does not compile.
consteval const CollectorInfo& collector(std::string_view name) {
  for (const CollectorInfo& info : kCollectors)
    if (info.name == name) return info;
  throw "no such collector";
}

}  // namespace kmem::config
