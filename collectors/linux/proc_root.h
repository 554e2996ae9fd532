// STAGE 1: the only way to the files of procfs and sysfs: everything below one injected directory. Names are relative
// to it ("slabinfo", "self/comm"). Thread: one caller at a time. Failure: errno as the result, 0 = done; a file over
// kMaxFileBytes is EFBIG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kmem::linux {

inline constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20;
// A hundred times what kernels list, and a bound for what the program needs in all.
inline constexpr std::size_t kMaxListBytes = std::size_t{2} << 20;

struct Descriptors {
  std::uint64_t count = 0;
  std::uint64_t identity = 0;  // the directory's inode: another one when the pid has been given to another process
};

class ProcRoot {
 public:
  virtual ~ProcRoot() = default;

  /// 0 when the directory itself can be opened.
  virtual int check() = 0;
  /// The whole file, into memory that `out` keeps between calls.
  virtual int read(std::string_view name, std::string& out) = 0;
  /// The same for a file that is read again and again: it stays open.
  virtual int read_kept(std::string_view name, std::string& out) = 0;
  /// Likewise one that the kernel makes in one go, so that a reading which leaves room has its end: spared the asking.
  virtual int read_record(std::string_view name, std::string& out) { return read_kept(name, out); }
  /// Likewise a list, of which the first kMaxListBytes are kept; a last line kLeftOut counts the rows that are not.
  virtual int read_list(std::string_view name, std::string& out) { return read_kept(name, out); }
  /// Directories whose name is a number, at most `limit`; `left_out` counts the others.
  virtual int list_processes(std::size_t limit, std::vector<std::uint32_t>& pids, std::uint64_t& left_out) = 0;
  virtual int count_descriptors(std::uint32_t pid, Descriptors& out) = 0;
};

/// Opens at first use, and again after a failure.
[[nodiscard]] std::unique_ptr<ProcRoot> make_proc_root(std::string directory);

}  // namespace kmem::linux
