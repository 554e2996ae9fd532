#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "collectors/base/file_io.h"

namespace kmem::base {
namespace {

constexpr int kTriesForTheName = 5;
constexpr int kMostLinks = 40;
constexpr std::size_t kMostEntries = 1'000'000;  // that are looked at

Error os_error(const std::string& path, const char* verb, int error = errno) {
  const ErrorCode code = error == ENOENT                     ? ErrorCode::kAbsent
                         : error == EACCES || error == EPERM ? ErrorCode::kPermission
                                                             : ErrorCode::kIo;
  return {code, path + ": cannot " + verb + ": " + std::generic_category().message(error)};
}

template <typename Call>
auto retry(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

class PosixFile final : public File {
 public:
  PosixFile(int handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  ~PosixFile() override { ::close(handle_); }

  [[nodiscard]] int handle() const { return handle_; }

  Result<std::size_t> read(std::span<std::byte> into) override {
    const ssize_t got = retry([&] { return ::read(handle_, into.data(), into.size()); });
    if (got == -1) return os_error(path_, "read");
    return static_cast<std::size_t>(got);
  }

  Result<void> append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t put = retry([&] { return ::write(handle_, bytes.data(), bytes.size()); });
      if (put == -1) return os_error(path_, "write");
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
  }

  Result<void> truncate(std::uint64_t size_bytes) override {
    if (retry([&] { return ::ftruncate(handle_, static_cast<off_t>(size_bytes)); }) == -1) return os_error(path_, "truncate");
    return {};
  }

  Result<void> sync() override {
    // Pipes and character devices have nothing to sync and say EINVAL.
    if (retry([&] { return ::fsync(handle_); }) == -1 && errno != EINVAL) return os_error(path_, "sync");
    return {};
  }

  Result<void> take_access_of(const std::string& path) override {
    struct stat is {};
    if (::stat(path.c_str(), &is) != 0 || !S_ISREG(is.st_mode)) return {};
    // Who is not root may give it to a group of his own at most.
    if (::fchown(handle_, is.st_uid, is.st_gid) != 0) (void)!::fchown(handle_, static_cast<uid_t>(-1), is.st_gid);
    if (::fchmod(handle_, is.st_mode & 0777) == 0) return {};
    auto error = os_error(path_, "set the access of");
    // Volumes without access rights refuse; what they show may be no more than there was.
    struct stat now {};
    if (::fstat(handle_, &now) != 0 || (now.st_mode & ~is.st_mode & 0077) != 0) return error;
    return {};
  }

  [[nodiscard]] bool is_still(const std::string& path) const override {
    struct stat opened {
    }, named{};
    if (::fstat(handle_, &opened) != 0) return errno != ESTALE;
    if (::stat(path.c_str(), &named) != 0) return errno != ENOENT && errno != ENOTDIR;
    return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
  }

 private:
  int handle_;
  std::string path_;
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const bool writes = mode == OpenMode::kWrite;
    if (mode != OpenMode::kRead && !writes) return open_locked(path, mode);
    const int flags = (writes ? O_WRONLY | O_APPEND | O_NOCTTY : O_RDONLY) | O_CLOEXEC;
    const int handle = retry([&] { return ::open(path.c_str(), flags); });
    if (handle == -1) return os_error(path, writes ? "open for writing" : "open");
    return std::unique_ptr<File>(std::make_unique<PosixFile>(handle, path));
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (std::rename(from.c_str(), to.c_str()) != 0) return os_error(from, ("be renamed to " + to).c_str());
    const std::size_t slash = to.find_last_of('/');
    return sync_folder(slash == std::string::npos ? "." : to.substr(0, slash + 1));
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return os_error(path, "remove");
    return {};
  }

  Result<std::vector<std::string>> names(const std::string& folder, std::string_view prefix) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(folder.c_str()), &::closedir);
    if (!entries) return os_error(folder, "list");
    std::vector<std::string> found;
    std::size_t seen = 0;
    while (const dirent* entry = ::readdir(entries.get())) {
      const std::string_view name = entry->d_name;
      if (name.starts_with(prefix) && name != "." && name != "..") found.emplace_back(name);
      if (found.size() == kMaxNames || ++seen == kMostEntries) break;
    }
    return found;
  }

  Result<void> make_folder(const std::string& path) override {
    if (::mkdir(path.c_str(), 0700) == 0) return {};
    const int error = errno;
    struct stat is {};
    if (error == EEXIST && ::stat(path.c_str(), &is) == 0 && S_ISDIR(is.st_mode)) return {};
    return os_error(path, "make the folder", error);
  }

  Result<OutputPlace> place_of(const std::string& path) override {
    struct stat is {};
    if (is_of_proc(path)) return OutputPlace{path, false};
    if (::stat(path.c_str(), &is) == 0) {
      if (!S_ISREG(is.st_mode)) return OutputPlace{path, false};
      const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), &std::free);
      if (!real) return os_error(path, "look at");
      return OutputPlace{real.get()};
    }
    if (errno != ENOENT) return os_error(path, "look at");
    // Nothing there yet, or a link to where nothing is yet.
    std::string behind = path;
    for (int links = 0; links < kMostLinks; ++links) {
      auto target = behind_link(behind);
      if (!target) return target.error();
      if (target->empty()) break;
      behind = std::move(*target);
    }
    return OutputPlace{behind};
  }

  Result<FileInfo> info(const std::string& path) override {
    struct stat is {};
    if (::stat(path.c_str(), &is) != 0) return os_error(path, "look at");
    return FileInfo{static_cast<std::uint64_t>(is.st_size),
                    UnixMillis{is.st_mtim.tv_sec} * 1000 + is.st_mtim.tv_nsec / 1'000'000, S_ISFIFO(is.st_mode)};
  }

 private:
  /// Where a symbolic link leads; empty: it is none.
  static Result<std::string> behind_link(const std::string& path) {
    struct stat is {};
    if (::lstat(path.c_str(), &is) != 0 || !S_ISLNK(is.st_mode)) return std::string();
    std::array<char, 4096> target;
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    if (length == -1 || static_cast<std::size_t>(length) == target.size()) return os_error(path, "look at");
    const std::string_view name(target.data(), static_cast<std::size_t>(length));
    const std::size_t slash = path.find_last_of('/');
    const bool is_relative = !name.starts_with('/') && slash != std::string::npos;
    return (is_relative ? path.substr(0, slash + 1) : std::string()) + std::string(name);
  }

  /// /dev/stdout, /dev/fd/3, /proc/self/fd/3: what a process has open, with what stands in it already.
  static bool is_of_proc(std::string path) {
    for (int links = 0; links < kMostLinks; ++links) {
      const std::size_t slash = path.find_last_of('/');
      const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
      const std::unique_ptr<char, void (*)(void*)> real(::realpath(folder.c_str(), nullptr), &std::free);
      if (real && (std::string(real.get()) + "/").starts_with("/proc/")) return true;
      auto target = behind_link(path);
      if (!target || target->empty()) return false;
      path = std::move(*target);
    }
    return false;
  }

  static Result<std::unique_ptr<File>> open_locked(const std::string& path, OpenMode mode) {
    const bool rewrites = mode != OpenMode::kReadAppend;
    for (int tries = 0; tries < kTriesForTheName; ++tries) {
      // A temporary file is never what someone else has put in its place.
      const int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | (rewrites ? O_NOFOLLOW | O_NONBLOCK : 0);
      const mode_t access = mode == OpenMode::kRewriteOwn ? 0600 : 0644;
      const int handle = retry([&] { return ::open(path.c_str(), flags, access); });
      if (handle == -1) return os_error(path, "open for writing");
      auto file = std::make_unique<PosixFile>(handle, path);
      if (retry([&] { return ::flock(handle, LOCK_EX | LOCK_NB); }) == -1 && errno == EWOULDBLOCK)
        return Error{ErrorCode::kBusy, path + ": cannot open for writing: another process is writing it"};
      // Between open and lock its former writer may have renamed it: then this is no longer the file of that name.
      if (!file->is_still(path)) continue;
      struct stat opened {};
      if (::fstat(handle, &opened) != 0) return os_error(path, "open for writing");
      if (!rewrites && S_ISFIFO(opened.st_mode))  // its reading would wait for a writer
        return Error{ErrorCode::kInvalid, path + ": is a pipe; a file is wanted"};
      if (rewrites && !S_ISREG(opened.st_mode))
        return Error{ErrorCode::kInvalid, path + ": is not a regular file and is not replaced"};
      if (rewrites && opened.st_nlink > 1) {  // what is written here would be written into the file of another name
        if (::unlink(path.c_str()) != 0) return os_error(path, "remove");
        continue;
      }
      if (mode == OpenMode::kRewriteOwn && ::fchmod(handle, 0600) != 0) return os_error(path, "set the access of");
      if (rewrites)
        if (auto emptied = file->truncate(0); !emptied) return emptied.error();
      return std::unique_ptr<File>(std::move(file));
    }
    return Error{ErrorCode::kIo, path + ": cannot open for writing: it is replaced again and again"};
  }

  static Result<void> sync_folder(const std::string& folder) {
    const int handle = retry([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (handle == -1) return os_error(folder, "open");
    return PosixFile(handle, folder).sync();
  }
};

}  // namespace

std::string_view path_separators() { return "/"; }

FileSystem& os_file_system() {
  static PosixFileSystem files;
  return files;
}

}  // namespace kmem::base
