#include "collectors/windows/system_facts_win32.h"

#include <windows.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "collectors/base/text_win32.h"

namespace kmem::windows {
namespace {

template <typename Call>
Call find_call(const wchar_t* dll, const char* name) {
  Call call = nullptr;
  if (const HMODULE module = GetModuleHandleW(dll))
    if (const FARPROC found = GetProcAddress(module, name)) std::memcpy(&call, &found, sizeof(call));
  return call;
}

std::string_view machine_name() {
  // Windows 2000 has no GetNativeSystemInfo, and no 64-bit kernel that could hide a machine from a 32-bit program.
  const auto native = find_call<void(WINAPI*)(SYSTEM_INFO*)>(L"kernel32.dll", "GetNativeSystemInfo");
  if (native == nullptr) return sizeof(void*) == 4 ? "x86" : "x64";
  SYSTEM_INFO info{};
  native(&info);
  switch (info.wProcessorArchitecture) {
    case PROCESSOR_ARCHITECTURE_INTEL: return "x86";
    case PROCESSOR_ARCHITECTURE_AMD64: return "x64";
    case 12: return "arm64";
    case PROCESSOR_ARCHITECTURE_IA64: return "ia64";
    default: return "other";
  }
}

/// A text of the key that says which Windows this is, without its line breaks; empty where there is none.
std::string version_text(const wchar_t* name) {
  constexpr REGSAM k64BitView = 0x0100;  // of a 32-bit program; Windows 2000 refuses it
  HKEY key = nullptr;
  for (const REGSAM view : {k64BitView, REGSAM{0}}) {
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", 0, KEY_QUERY_VALUE | view,
                      &key) == ERROR_SUCCESS)
      break;
    key = nullptr;
  }
  if (key == nullptr) return {};
  std::array<wchar_t, 128> text{};
  DWORD type = 0, bytes = static_cast<DWORD>((text.size() - 1) * sizeof(wchar_t));  // the last one stays 0
  const LONG error = RegQueryValueExW(key, name, nullptr, &type, reinterpret_cast<BYTE*>(text.data()), &bytes);
  RegCloseKey(key);
  if (error != ERROR_SUCCESS || type != REG_SZ) return {};
  std::string out = base::to_utf8(text.data());
  std::erase_if(out, [](char c) { return c == '\n' || c == '\r'; });
  return out;
}

class MachineProbe final : public SystemProbe {
 public:
  std::string facts() override {
    OSVERSIONINFOW version{};
    version.dwOSVersionInfoSize = sizeof version;
    const auto get_version = find_call<LONG(WINAPI*)(OSVERSIONINFOW*)>(L"ntdll.dll", "RtlGetVersion");
    if (get_version == nullptr || get_version(&version) != 0) return {};
    std::string text = "version=" + std::to_string(version.dwMajorVersion) + "." + std::to_string(version.dwMinorVersion) +
                       "." + std::to_string(version.dwBuildNumber & 0xFFFF) + "\nmachine=";
    text.append(machine_name()).append("\n");
    for (const auto& [line, value] : {std::pair("product=", L"ProductName"), std::pair("service_pack=", L"CSDVersion")})
      if (const std::string told = version_text(value); !told.empty()) text.append(line).append(told).append("\n");
    if (find_call<const char* (*)()>(L"ntdll.dll", "wine_get_version") != nullptr) text += "wine=1\n";
    return text;
  }
};

}  // namespace

std::unique_ptr<SystemProbe> make_system_probe() { return std::make_unique<MachineProbe>(); }

}  // namespace kmem::windows
