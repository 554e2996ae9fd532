#include "collectors/linux/proc_root.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "collectors/linux/text_scan.h"

namespace kmem::linux {
namespace {

// A list that goes on behind this has no end, and counting its rows would take the rest of the program's time.
constexpr off_t kMostRead = off_t{kMostLeftOut};

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

Directory open_directory(int at, const char* name) {
  const int fd = ::openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  Directory directory(::fdopendir(fd));
  if (!directory) ::close(fd);
  return directory;
}

/// A seq_file gives at most its own buffer a call (a page, unless one row is longer): a short read is not the end. It is
/// with `is_record`, the whole of which is one row to the kernel.
int read_until_end(int fd, std::string& out, bool is_record) {
  constexpr std::size_t kRoom = 4096;
  std::size_t used = 0;
  for (;;) {
    // The size of the last reading is used again, so that only the room behind it is cleared by resize.
    if (out.size() < used + kRoom) out.resize(std::max(out.size() + out.size() / 2, used + kRoom));
    const ssize_t got = ::pread(fd, out.data() + used, out.size() - used, static_cast<off_t>(used));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      const int error = got < 0 ? errno : 0;
      out.resize(error == 0 ? used : 0);
      return error;
    }
    used += static_cast<std::size_t>(got);
    if (used > kMaxFileBytes) {
      out.clear();
      return EFBIG;
    }
    if (is_record && used < out.size() && out[used - 1] == '\n') {
      out.resize(used);
      return 0;
    }
  }
}

int read_whole(int fd, std::string& out) { return read_until_end(fd, out, false); }
int read_one_record(int fd, std::string& out) { return read_until_end(fd, out, true); }

/// As read_whole, but for what is more than kMaxListBytes: that is only counted.
int read_list_of(int fd, std::string& out) {
  constexpr std::size_t kRoom = 4096;
  std::size_t used = 0, kept = 0;
  std::uint64_t left_out = 0;
  off_t at = 0;
  for (;;) {
    if (out.size() < used + kRoom) out.resize(std::max(out.size() + out.size() / 2, used + kRoom));
    const ssize_t got = ::pread(fd, out.data() + used, out.size() - used, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      const int error = got < 0 ? errno : 0;
      out.resize(error == 0 ? (kept != 0 ? kept : used) : 0);
      if (error == 0 && left_out != 0) out.append(kLeftOut).append(std::to_string(left_out)).append("\n");
      return error;
    }
    at += got;
    if (at > kMostRead) {
      out.clear();
      return EFBIG;
    }
    used += static_cast<std::size_t>(got);
    if (used <= kMaxListBytes) continue;
    if (kept == 0) kept = out.rfind('\n', kMaxListBytes - 1) + 1;
    if (kept == 0) {  // not a list
      out.clear();
      return EFBIG;
    }
    const std::string_view more(out.data() + kept, used - kept);
    left_out += static_cast<std::uint64_t>(std::count(more.begin(), more.end(), '\n'));
    used = kept;
  }
}

/// A name below the root as the kernel wants it, ended by 0.
class Name {
 public:
  explicit Name(std::string_view name) : fits_(name.size() < text_.size()) {
    if (fits_) *std::copy(name.begin(), name.end(), text_.begin()) = '\0';
  }
  Name(std::uint32_t pid, std::string_view below) : fits_(true) {
    char* const end = std::to_chars(text_.data(), text_.data() + 16, pid).ptr;
    *std::copy(below.begin(), below.end(), end) = '\0';
  }
  [[nodiscard]] bool fits() const { return fits_; }
  [[nodiscard]] const char* get() const { return text_.data(); }

 private:
  std::array<char, 512> text_;
  bool fits_;
};

class PosixProcRoot final : public ProcRoot {
 public:
  explicit PosixProcRoot(std::string directory) : path_(std::move(directory)) {}

  int check() override {
    if (root_.is_open()) return 0;
    root_ = Fd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root_.is_open()) return errno;
    counts_in_size_ = sizes_count_descriptors();
    return 0;
  }

  int read(std::string_view name, std::string& out) override {
    Fd fd;
    if (const int error = open_file(name, fd)) return fail(error, out);
    return read_whole(fd.get(), out);
  }

  int read_kept(std::string_view name, std::string& out) override { return read_open(name, out, read_whole); }
  int read_record(std::string_view name, std::string& out) override { return read_open(name, out, read_one_record); }
  int read_list(std::string_view name, std::string& out) override { return read_open(name, out, read_list_of); }

  int read_open(std::string_view name, std::string& out, int (*whole)(int fd, std::string& out)) {
    const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.name == name; });
    if (found != kept_.end()) {
      const int error = whole(found->fd.get(), out);
      if (error != 0) kept_.erase(found);
      return error;
    }
    Fd fd;
    if (const int error = open_file(name, fd)) return fail(error, out);
    const int error = whole(fd.get(), out);
    if (error == 0) kept_.push_back({std::string(name), std::move(fd)});
    return error;
  }

  int list_processes(std::size_t limit, std::vector<std::uint32_t>& pids, std::uint64_t& left_out) override {
    pids.clear();
    left_out = 0;
    if (const int error = check()) return error;
    if (!listing_) listing_ = open_directory(root_.get(), ".");
    if (!listing_) return errno;
    ::rewinddir(listing_.get());
    constexpr std::size_t kMostEntries = 1 << 23;  // twice the most processes that Linux has
    for (std::size_t seen = 0; seen < kMostEntries; ++seen) {
      errno = 0;
      const dirent* const entry = ::readdir(listing_.get());
      if (entry == nullptr) return errno;
      const char* const end = entry->d_name + std::strlen(entry->d_name);
      std::uint32_t pid = 0;
      const auto [stop, bad] = std::from_chars(entry->d_name, end, pid);
      if (bad != std::errc() || stop != end) continue;
      if (pids.size() < limit) pids.push_back(pid);
      else ++left_out;
    }
    return 0;
  }

  int count_descriptors(std::uint32_t pid, Descriptors& out) override {
    if (const int error = check()) return error;
    const Name name(pid, "/fd");
    struct stat status = {};
    if (::fstatat(root_.get(), name.get(), &status, 0) != 0) return errno;
    out.identity = status.st_ino;
    out.count = static_cast<std::uint64_t>(status.st_size);
    if (counts_in_size_) return 0;
    const Directory directory = open_directory(root_.get(), name.get());
    if (!directory) return errno;
    out.count = 0;
    errno = 0;
    while (const dirent* const entry = ::readdir(directory.get()))
      if (entry->d_name[0] != '.') ++out.count;
    return errno;
  }

 private:
  struct Kept {
    std::string name;
    Fd fd;
  };

  static int fail(int error, std::string& out) {
    out.clear();
    return error;
  }

  int open_file(std::string_view name, Fd& fd) {
    if (const int error = check()) return error;
    const Name path(name);
    if (!path.fits()) return ENAMETOOLONG;
    fd = Fd(::openat(root_.get(), path.get(), O_RDONLY | O_CLOEXEC));
    return fd.is_open() ? 0 : errno;
  }

  /// Since Linux 6.2 the size of /proc/PID/fd is the number of descriptors (f1f1f2569901), and every account may ask.
  [[nodiscard]] bool sizes_count_descriptors() const {
    struct statfs system = {};
    struct stat own = {};
    return ::fstatfs(root_.get(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC &&
           ::fstatat(root_.get(), "self/fd", &own, 0) == 0 && own.st_size > 0;
  }

  std::string path_;
  Fd root_;
  bool counts_in_size_ = false;
  Directory listing_;
  std::vector<Kept> kept_;
};

}  // namespace

std::unique_ptr<ProcRoot> make_proc_root(std::string directory) {
  return std::make_unique<PosixProcRoot>(std::move(directory));
}

}  // namespace kmem::linux
