#include <windows.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "collectors/base/file_io.h"
#include "collectors/base/text_win32.h"

namespace kmem::base {
namespace {

constexpr std::size_t kMostEntries = 1'000'000;  // that are looked at
constexpr DWORD kMaxTransfer = 1U << 30;         // ReadFile and WriteFile take a DWORD

Error os_error(const std::string& path, const std::string& verb, DWORD error = GetLastError()) {
  const ErrorCode code = error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND ? ErrorCode::kAbsent
                         : error == ERROR_SHARING_VIOLATION                             ? ErrorCode::kBusy
                         : error == ERROR_ACCESS_DENIED                                 ? ErrorCode::kPermission
                                                                                        : ErrorCode::kIo;
  return {code, path + ": cannot " + verb + ": " + system_words(error)};
}

class Win32File final : public File {
 public:
  Win32File(HANDLE handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  Win32File(const Win32File&) = delete;
  Win32File& operator=(const Win32File&) = delete;
  ~Win32File() override { CloseHandle(handle_); }

  Result<std::size_t> read(std::span<std::byte> into) override {
    DWORD got = 0;
    const auto most = static_cast<DWORD>(std::min<std::size_t>(into.size(), kMaxTransfer));
    if (!ReadFile(handle_, into.data(), most, &got, nullptr)) {
      if (GetLastError() == ERROR_BROKEN_PIPE) return std::size_t{0};  // a pipe's end
      return os_error(path_, "read");
    }
    return static_cast<std::size_t>(got);
  }

  Result<void> append(std::string_view bytes) override {
    if (!seek(0, FILE_END) && GetFileType(handle_) == FILE_TYPE_DISK) return os_error(path_, "seek");
    while (!bytes.empty()) {
      DWORD put = 0;
      const auto most = static_cast<DWORD>(std::min<std::size_t>(bytes.size(), kMaxTransfer));
      if (!WriteFile(handle_, bytes.data(), most, &put, nullptr)) return os_error(path_, "write");
      bytes.remove_prefix(put);
    }
    return {};
  }

  Result<void> truncate(std::uint64_t size_bytes) override {
    if (!seek(static_cast<std::int64_t>(size_bytes), FILE_BEGIN) || !SetEndOfFile(handle_)) return os_error(path_, "truncate");
    return {};
  }

  Result<void> sync() override {
    // Devices have nothing to sync.
    if (!FlushFileBuffers(handle_) && GetFileType(handle_) == FILE_TYPE_DISK) return os_error(path_, "sync");
    return {};
  }

  [[nodiscard]] bool is_still(const std::string& path) const override {
    const HANDLE named = CreateFileW(to_wide(path).c_str(), 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                     OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (named == INVALID_HANDLE_VALUE) {
      // Where a removed file keeps its name until its last handle is closed, who asks for it is denied.
      const DWORD error = GetLastError();
      return error != ERROR_FILE_NOT_FOUND && error != ERROR_PATH_NOT_FOUND && error != ERROR_ACCESS_DENIED;
    }
    BY_HANDLE_FILE_INFORMATION ours{}, there{};
    const bool known = GetFileInformationByHandle(handle_, &ours) && GetFileInformationByHandle(named, &there);
    CloseHandle(named);
    return !known || (ours.dwVolumeSerialNumber == there.dwVolumeSerialNumber && ours.nFileIndexHigh == there.nFileIndexHigh &&
                      ours.nFileIndexLow == there.nFileIndexLow);
  }

 private:
  bool seek(std::int64_t to, DWORD from) {
    LARGE_INTEGER distance;
    distance.QuadPart = to;
    return SetFilePointerEx(handle_, distance, nullptr, from) != 0;
  }

  HANDLE handle_;
  std::string path_;
};

class Win32FileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const bool reading = mode == OpenMode::kRead;
    const DWORD access = reading                    ? DWORD{GENERIC_READ}
                         : mode == OpenMode::kWrite ? DWORD{GENERIC_WRITE}
                                                    : GENERIC_READ | GENERIC_WRITE;
    // Not FILE_SHARE_WRITE for writers: that makes them exclusive. DELETE allows the rename of an open file.
    const bool shares = reading || mode == OpenMode::kWrite;
    const DWORD share = FILE_SHARE_READ | FILE_SHARE_DELETE | (shares ? DWORD{FILE_SHARE_WRITE} : 0);
    const bool rewrites = mode == OpenMode::kRewrite || mode == OpenMode::kRewriteOwn;  // a folder's access is inherited
    const DWORD how = reading || mode == OpenMode::kWrite ? OPEN_EXISTING : rewrites ? CREATE_ALWAYS : OPEN_ALWAYS;
    const HANDLE handle = CreateFileW(to_wide(path).c_str(), access, share, nullptr, how, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (handle == INVALID_HANDLE_VALUE) {
      const DWORD error = GetLastError();
      const DWORD is = GetFileAttributesW(to_wide(path).c_str());
      const std::string verb = reading ? "open" : "open for writing";
      if (error == ERROR_ACCESS_DENIED && is != INVALID_FILE_ATTRIBUTES && (is & FILE_ATTRIBUTE_DIRECTORY) != 0)
        return Error{ErrorCode::kIo, path + ": cannot " + verb + ": it is a folder"};
      return os_error(path, verb, error);
    }
    return std::unique_ptr<File>(std::make_unique<Win32File>(handle, path));
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    // Who has `to` open without sharing its removal, as most programs do, is soon done reading it.
    for (int tries = 0;; ++tries) {
      if (MoveFileExW(to_wide(from).c_str(), to_wide(to).c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
        return {};
      const DWORD error = GetLastError();
      if (tries == 10 || (error != ERROR_ACCESS_DENIED && error != ERROR_SHARING_VIOLATION))
        return os_error(from, "be renamed to " + to, error);
      Sleep(50);
    }
  }

  Result<void> remove(const std::string& path) override {
    if (!DeleteFileW(to_wide(path).c_str())) return os_error(path, "remove");
    return {};
  }

  Result<std::vector<std::string>> names(const std::string& folder, std::string_view prefix) override {
    WIN32_FIND_DATAW entry;
    const HANDLE search = FindFirstFileW(to_wide(folder + "\\*").c_str(), &entry);
    if (search == INVALID_HANDLE_VALUE) return os_error(folder, "list");
    std::vector<std::string> found;
    std::size_t seen = 0;
    do {
      std::string name = to_utf8(entry.cFileName);
      if (name.starts_with(prefix) && name != "." && name != "..") found.push_back(std::move(name));
    } while (found.size() < kMaxNames && ++seen < kMostEntries && FindNextFileW(search, &entry));
    FindClose(search);
    return found;
  }

  Result<void> make_folder(const std::string& path) override {
    const std::wstring name = to_wide(path);
    if (CreateDirectoryW(name.c_str(), nullptr)) return {};
    const DWORD error = GetLastError();
    const DWORD is = GetFileAttributesW(name.c_str());
    if (error == ERROR_ALREADY_EXISTS && is != INVALID_FILE_ATTRIBUTES && (is & FILE_ATTRIBUTE_DIRECTORY) != 0) return {};
    return os_error(path, "make the folder", error);
  }

  Result<OutputPlace> place_of(const std::string& path) override {
    const std::wstring name = to_wide(path);
    // NUL, CON, \\.\pipe\x: their full name begins with \\.\ on every Windows.
    wchar_t full[4096] = {};
    const DWORD length = GetFullPathNameW(name.c_str(), static_cast<DWORD>(std::size(full)), full, nullptr);
    const bool is_device = length > 4 && length < std::size(full) && std::wstring_view(full).starts_with(L"\\\\.\\");
    const DWORD is = GetFileAttributesW(name.c_str());
    const bool is_folder = is != INVALID_FILE_ATTRIBUTES && (is & FILE_ATTRIBUTE_DIRECTORY) != 0;
    return OutputPlace{path, !is_device && !is_folder};
  }

  Result<FileInfo> info(const std::string& path) override {
    constexpr std::int64_t kUnixEpochIn100ns = 116'444'736'000'000'000;
    WIN32_FILE_ATTRIBUTE_DATA is;
    if (!GetFileAttributesExW(to_wide(path).c_str(), GetFileExInfoStandard, &is)) return os_error(path, "look at");
    const auto joined = [](DWORD high, DWORD low) { return std::uint64_t{high} << 32 | low; };
    const auto written = static_cast<std::int64_t>(joined(is.ftLastWriteTime.dwHighDateTime, is.ftLastWriteTime.dwLowDateTime));
    return FileInfo{joined(is.nFileSizeHigh, is.nFileSizeLow), (written - kUnixEpochIn100ns) / 10'000, false};
  }
};

}  // namespace

std::string_view path_separators() { return "\\/"; }

FileSystem& os_file_system() {
  static Win32FileSystem files;
  return files;
}

}  // namespace kmem::base
