// The only way to files that must not be lost or half written: state, captures, --output. Paths are UTF-8 everywhere.
// FileSystem is the OS as an object, so that full disks and torn writes are unit tests. Thread: FileSystem is safe
// from any thread, a File belongs to one. Failure: Errors name the path and the OS' reason; kAbsent, kPermission and
// kIo are told apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/result.h"

namespace kmem::base {

class File {
 public:
  virtual ~File() = default;
  /// From where the last read ended; 0 only at the end. All reads come before the first append or truncate.
  virtual Result<std::size_t> read(std::span<std::byte> into) = 0;
  /// At the end of the file. After an Error an unknown part of it may be there: truncate.
  virtual Result<void> append(std::string_view bytes) = 0;
  virtual Result<void> truncate(std::uint64_t size_bytes) = 0;
  /// Returns once the data would survive a power cut.
  virtual Result<void> sync() = 0;
  /// Who may read and write it becomes as for the file of that name, if there is one.
  virtual Result<void> take_access_of(const std::string&) { return {}; }
  /// Whether the path leads to this file: no longer once it was removed, renamed or replaced. Where that cannot be told, yes.
  [[nodiscard]] virtual bool is_still(const std::string&) const { return true; }
};

enum class OpenMode {
  kRead,
  kReadAppend,  // made if absent; one writer at a time, over all processes
  kRewrite,     // made if absent, emptied; one writer at a time, who else tries gets kBusy
  kRewriteOwn,  // the same, and nobody but its owner may read it
  kWrite,       // there already, and written behind what it holds: a pipe, a device, an open file of a process
};

struct FileInfo {
  std::uint64_t size_bytes = 0;  // 0 also for what has no size, such as a pipe
  UnixMillis modified = 0;
  bool is_pipe = false;
};

/// Where output to a path really goes.
struct OutputPlace {
  std::string path;            // behind symbolic links
  bool is_replaceable = true;  // a regular file, or none yet; else a pipe, a device, a folder, /dev/stdout
};

/// So many names of a folder at most.
inline constexpr std::size_t kMaxNames = 10'000;

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  /// Atomic, replaces `to`, works on open files, and survives a power cut once it has returned.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  /// Names of the folder's files that begin with `prefix`, unordered, kMaxNames at most.
  virtual Result<std::vector<std::string>> names(const std::string& folder, std::string_view prefix) = 0;
  /// One level, for its owner alone; an existing folder is fine and stays as it is.
  virtual Result<void> make_folder(const std::string& path) = 0;
  virtual Result<OutputPlace> place_of(const std::string& path) { return OutputPlace{path}; }
  virtual Result<FileInfo> info(const std::string& path) {
    return Error{ErrorCode::kUnsupported, path + ": size and time are not known here"};
  }
};

[[nodiscard]] FileSystem& os_file_system();

/// What parts this system's paths: "/", on Windows "\\/".
[[nodiscard]] std::string_view path_separators();

/// A file's name behind its folder's, with the separator that the folder's name has.
[[nodiscard]] std::string in_folder(const std::string& folder, std::string_view name);

/// make_folder for every level that is missing.
[[nodiscard]] Result<void> make_folders(FileSystem& files, const std::string& path);

/// The whole file, or kInvalid when it is longer than `max_bytes`. Also for files that do not know their size.
[[nodiscard]] Result<std::string> read_file(FileSystem& files, const std::string& path, std::size_t max_bytes);

/// All or nothing, power cuts included: the old content or the new, never a mixture. Uses `path`.tmp. `write` appends to
/// that, and an Error of it leaves the old content: what is large need not be in memory as a whole.
/// What is no regular file is kInvalid and stays; a symbolic link stays one.
[[nodiscard]] Result<void> replace_file(FileSystem& files, const std::string& path, std::string_view content);
[[nodiscard]] Result<void> replace_file(FileSystem& files, const std::string& path,
                                        const std::function<Result<void>(File&)>& write,
                                        OpenMode temporary = OpenMode::kRewrite);

/// replace_file where there is a file to be replaced; into a pipe or device it is written.
[[nodiscard]] Result<void> write_output(FileSystem& files, const std::string& path, std::string_view content);

/// Renames a file nobody can use to `path`.bad-<Unix seconds> and gives that name; keeps the newest three such.
[[nodiscard]] Result<std::string> set_aside(FileSystem& files, const std::string& path, UnixMillis now);

}  // namespace kmem::base
