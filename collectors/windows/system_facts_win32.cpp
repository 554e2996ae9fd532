#include "collectors/windows/system_facts_win32.h"

#include <windows.h>

#include <cstring>

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

class MachineProbe final : public SystemProbe {
 public:
  std::string facts() override {
    OSVERSIONINFOW version{};
    version.dwOSVersionInfoSize = sizeof version;
    const auto get_version = find_call<LONG(WINAPI*)(OSVERSIONINFOW*)>(L"ntdll.dll", "RtlGetVersion");
    if (get_version == nullptr || get_version(&version) != 0) return {};
    std::string text = "version=" + std::to_string(version.dwMajorVersion) + "." +
                       std::to_string(version.dwMinorVersion) + "." +
                       std::to_string(version.dwBuildNumber & 0xFFFF) + "\nmachine=";
    text.append(machine_name()).append("\n");
    if (find_call<const char*(*)()>(L"ntdll.dll", "wine_get_version") != nullptr) text += "wine=1\n";
    return text;
  }
};

}  // namespace

std::unique_ptr<SystemProbe> make_system_probe() { return std::make_unique<MachineProbe>(); }

}  // namespace kmem::windows
