#include "collectors/linux/descriptors.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "collectors/base/label_text.h"

namespace kmem::linux {
namespace {

constexpr int kCostFactor = 1000;
constexpr std::chrono::minutes kLongestPause{5};
constexpr std::chrono::minutes kNameLives{1};

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
}

void append_note(std::string& out, std::string_view name, std::uint64_t count) {
  if (count == 0) return;
  out.append(name);
  append_number(out, count);
  out.push_back('\n');
}

bool is_refusal(int error) { return error == EACCES || error == EPERM; }

}  // namespace

int DescriptorCensus::count(ProcRoot& procfs) {
  std::uint64_t over_limit = 0;
  std::uint64_t unreadable = 0;
  bytes_.clear();
  processes_.clear();
  if (const int error = procfs.list_processes(kMaxProcesses, pids_, over_limit)) return error;
  for (const std::uint32_t pid : pids_) {
    Process process;
    process.pid = pid;
    const int error = procfs.count_descriptors(pid, process.descriptors);
    if (is_refusal(error)) ++unreadable;  // any other error: it has ended meanwhile
    if (error == 0 && process.descriptors.count != 0) processes_.push_back(process);
  }
  const auto more = [](const Process& a, const Process& b) {
    return a.descriptors.count != b.descriptors.count ? a.descriptors.count > b.descriptors.count : a.pid < b.pid;
  };
  if (processes_.size() > kNamed) {
    std::nth_element(processes_.begin(), processes_.begin() + kNamed, processes_.end(), more);
    processes_.resize(kNamed);
  }
  std::sort(processes_.begin(), processes_.end(), [](const Process& a, const Process& b) { return a.pid < b.pid; });
  name(procfs);
  append_note(bytes_, "!unreadable ", unreadable);
  append_note(bytes_, "!over_limit ", over_limit);
  return 0;
}

void DescriptorCensus::name(ProcRoot& procfs) {
  const std::chrono::nanoseconds now = clock_.steady();
  next_named_.clear();
  auto known = named_.begin();
  for (const Process& process : processes_) {
    while (known != named_.end() && known->pid < process.pid) ++known;
    Named named;
    if (known != named_.end() && known->pid == process.pid && known->identity == process.descriptors.identity &&
        now - known->read_at < kNameLives) {
      named = std::move(*known);
    } else {
      std::string path;
      append_number(path, process.pid);
      path.append("/comm");
      if (procfs.read(path, comm_) != 0 || comm_.empty()) continue;  // it has ended meanwhile
      if (comm_.back() == '\n') comm_.pop_back();
      // A process names itself and may put a line end inside: as label text it cannot forge a row.
      named = {process.pid, process.descriptors.identity, now, base::label_text(comm_)};
    }
    append_number(bytes_, process.pid);
    bytes_.push_back(' ');
    append_number(bytes_, process.descriptors.count);
    bytes_.push_back(' ');
    bytes_.append(named.name).push_back('\n');
    next_named_.push_back(std::move(named));
  }
  named_.swap(next_named_);
}

int DescriptorCensus::update(ProcRoot& procfs, std::string& out) {
  const std::chrono::nanoseconds start = clock_.steady();
  int error = 0;
  if (start >= not_before_) {
    error = count(procfs);
    const std::chrono::nanoseconds end = clock_.steady();
    not_before_ = error != 0 ? end : end + std::min<std::chrono::nanoseconds>((end - start) * kCostFactor, kLongestPause);
  }
  if (error == 0) out = bytes_;
  else out.clear();
  return error;
}

}  // namespace kmem::linux
