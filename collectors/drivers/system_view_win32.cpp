#include <windows.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "collectors/drivers/driver_watch.h"
#include "collectors/windows/module_info.h"
#include "collectors/windows/nt_layout.h"
#include "collectors/windows/nt_query_win32.h"

namespace kmem::drivers {
namespace {

std::string narrow(std::wstring_view text) {
  const int length = static_cast<int>(text.size());
  std::string out(static_cast<std::size_t>(WideCharToMultiByte(CP_UTF8, 0, text.data(), length, nullptr, 0, nullptr, nullptr)),
                  '\0');
  WideCharToMultiByte(CP_UTF8, 0, text.data(), length, out.data(), static_cast<int>(out.size()), nullptr, nullptr);
  return out;
}

/// The kernel gives module names in the ANSI code page.
std::string from_ansi(std::string_view text) {
  std::wstring wide(text.size(), L'\0');
  const int length =
      MultiByteToWideChar(CP_ACP, 0, text.data(), static_cast<int>(text.size()), wide.data(), static_cast<int>(wide.size()));
  return narrow(std::wstring_view(wide).substr(0, static_cast<std::size_t>(length)));
}

std::string system_root() {
  std::array<wchar_t, MAX_PATH> path{};
  const UINT length = GetSystemWindowsDirectoryW(path.data(), static_cast<UINT>(path.size()));
  return length < path.size() ? narrow({path.data(), length}) : std::string();
}

std::string environment(const wchar_t* name) {
  std::array<wchar_t, MAX_PATH> value{};
  const DWORD length = GetEnvironmentVariableW(name, value.data(), static_cast<DWORD>(value.size()));
  return length < value.size() ? narrow({value.data(), length}) : std::string();
}

/// A 32-bit program on a 64-bit Windows is shown another System32; the real one is called Sysnative there.
bool is_redirected() {
  using Call = BOOL(WINAPI*)(HANDLE, PBOOL);
  Call call = nullptr;
  if (const FARPROC found = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "IsWow64Process"))
    std::memcpy(&call, &found, sizeof(call));
  BOOL redirected = FALSE;
  return call != nullptr && call(GetCurrentProcess(), &redirected) && redirected != FALSE;
}

class WindowsView final : public SystemView {
 public:
  WindowsView() : query_(windows::make_nt_query()), root_(system_root()), redirected_(is_redirected()) {}

  std::vector<WantedImage> images(base::FileSystem& files) override {
    std::vector<WantedImage> all;
    if (root_.empty()) return all;
    std::string answer;
    if (windows::read_all(*query_, windows::kModuleClass, kStartBytes, answer) == windows::kStatusOk)
      if (const auto paths = windows::parse_module_paths(std::as_bytes(std::span(answer)), sizeof(void*)))
        for (const std::string& path : *paths)
          if (const std::string file = windows::module_file(from_ansi(path), root_); !file.empty())
            all.push_back({seen_by_us(file), true});
    const auto in_folder = images_in_folder(files, seen_by_us(root_ + "\\System32\\drivers"));
    if (!in_folder) return all;
    for (const std::string& path : *in_folder)
      if (!is_listed(all, path)) all.push_back({path, false});
    return all;
  }

  std::vector<std::string> pooltag_files() override {
    std::vector<std::string> paths;
    for (const wchar_t* const programs : {L"ProgramFiles(x86)", L"ProgramFiles", L"ProgramW6432"}) {
      const std::string folder = environment(programs);
      if (folder.empty()) continue;
      for (const char* const kit :
           {"\\Windows Kits\\10\\Debuggers\\x64", "\\Windows Kits\\10\\Debuggers\\x86", "\\Windows Kits\\8.1\\Debuggers\\x64",
            "\\Debugging Tools for Windows (x64)", "\\Debugging Tools for Windows (x86)", "\\Support Tools"})
        for (const char* const file : {"\\triage\\pooltag.txt", "\\pooltag.txt"}) paths.push_back(folder + kit + file);
    }
    return paths;
  }

 private:
  static constexpr std::size_t kStartBytes = 128 << 10;

  static bool same_path(std::string_view a, std::string_view b) {
    const auto same = [](char x, char y) {
      const auto folded = [](char c) { return c == '/' ? '\\' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
      return folded(x) == folded(y);
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
  }
  static bool is_listed(const std::vector<WantedImage>& all, std::string_view path) {
    return std::any_of(all.begin(), all.end(), [path](const WantedImage& one) { return same_path(one.path, path); });
  }

  [[nodiscard]] std::string seen_by_us(const std::string& path) const {
    const std::string real = root_ + "\\System32\\";
    if (!redirected_ || path.size() < real.size() || !same_path(path.substr(0, real.size()), real)) return path;
    return root_ + "\\Sysnative\\" + path.substr(real.size());
  }

  std::unique_ptr<windows::NtQuery> query_;
  std::string root_;
  bool redirected_;
};

}  // namespace

std::unique_ptr<SystemView> make_system_view() { return std::make_unique<WindowsView>(); }

void lower_thread_priority() {
  // Low I/O priority too, from Vista on; where that is refused, the CPU's alone.
  constexpr int kBackgroundBegin = 0x00010000;
  if (!SetThreadPriority(GetCurrentThread(), kBackgroundBegin))
    (void)SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_LOWEST);
}

}  // namespace kmem::drivers
