// STAGE 1: open descriptors of all processes -> part "kmem/processes", lines "pid descriptors name" of the kNamed
// processes with most of them (config::Processes::top is at most 200). Processes without any are left out, and so are
// kernel threads. Names are kept for a minute by (pid, identity): reading one costs twice a count.
// Thread: one caller at a time. Failure: errno; single processes that refuse are counted in a line "!unreadable N".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/linux/proc_root.h"

namespace kmem::linux {

class DescriptorCensus {
 public:
  static constexpr std::size_t kMaxProcesses = 65'536;
  static constexpr std::size_t kNamed = 256;

  explicit DescriptorCensus(const base::Clock& clock) : clock_(clock) {}

  /// The part's bytes. The last count is given again until its cost is spread over a thousandfold time (at most five
  /// minutes): on a small machine every call counts anew, on one with 10,000 processes a call in half a minute does.
  int update(ProcRoot& procfs, std::string& out);

 private:
  struct Process {
    std::uint32_t pid = 0;
    Descriptors descriptors;
  };
  struct Named {
    std::uint32_t pid = 0;
    std::uint64_t identity = 0;
    std::chrono::nanoseconds read_at{0};
    std::string name;
  };
  int count(ProcRoot& procfs);
  void name(ProcRoot& procfs);

  const base::Clock& clock_;
  std::chrono::nanoseconds not_before_{0};
  std::vector<std::uint32_t> pids_;
  std::vector<Process> processes_;
  std::vector<Named> named_;  // sorted by pid
  std::vector<Named> next_named_;
  std::string comm_;
  std::string bytes_;
};

}  // namespace kmem::linux
