// A procfs or sysfs in memory that refuses on demand and counts what is asked of it.
// Thread: one.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "collectors/linux/proc_root.h"
#include "tests/support/manual_clock.h"

namespace kmem::test {

class FakeProc final : public linux::ProcRoot {
 public:
  struct Process {
    int error = 0;
    linux::Descriptors descriptors;
  };
  std::map<std::string, std::string, std::less<>> files;
  std::map<std::string, int, std::less<>> errors;  // by name; these win over files
  std::map<std::uint32_t, Process> processes;
  std::map<std::string, int, std::less<>> reads;  // how often each was asked for
  ManualClock* clock = nullptr;                   // moved on by cost for each descriptor count
  std::chrono::nanoseconds cost{0};
  int root_error = 0;

  int check() override { return root_error; }
  int read(std::string_view name, std::string& out) override {
    out.clear();
    ++reads[std::string(name)];
    if (const auto error = errors.find(name); error != errors.end()) return error->second;
    const auto file = files.find(name);
    if (file == files.end()) return ENOENT;
    out = file->second;
    return 0;
  }
  int read_kept(std::string_view name, std::string& out) override { return read(name, out); }
  int list_processes(std::size_t limit, std::vector<std::uint32_t>& pids, std::uint64_t& left_out) override {
    pids.clear();
    left_out = processes.size() > limit ? processes.size() - limit : 0;
    if (root_error != 0) return root_error;
    for (const auto& [pid, process] : processes)
      if (pids.size() < limit) pids.push_back(pid);
    return 0;
  }
  int count_descriptors(std::uint32_t pid, linux::Descriptors& out) override {
    if (clock != nullptr) clock->advance(cost);
    out = processes.at(pid).descriptors;
    return processes.at(pid).error;
  }
};

}  // namespace kmem::test
