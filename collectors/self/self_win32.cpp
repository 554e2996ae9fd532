#include "collectors/self/self.h"

#include <windows.h>

#include <psapi.h>

#include <cstring>

namespace kmem::self {

namespace {

using GetMemory = BOOL(WINAPI*)(HANDLE process, PROCESS_MEMORY_COUNTERS* counters, DWORD bytes);

/// NT 5.2 has the function in psapi.dll only, from 6.1 on it is in kernel32 under another name.
GetMemory find_get_memory() {
  FARPROC found = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "K32GetProcessMemoryInfo");
  if (found == nullptr)
    if (const HMODULE psapi = LoadLibraryW(L"psapi.dll")) found = GetProcAddress(psapi, "GetProcessMemoryInfo");
  GetMemory call = nullptr;
  std::memcpy(&call, &found, sizeof(call));
  return call;
}

double seconds(const FILETIME& time) {
  return static_cast<double>(std::uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime) * 1e-7;
}

}  // namespace

SelfUsage read_self() {
  SelfUsage usage;
  const HANDLE process = GetCurrentProcess();

  FILETIME created, exited, kernel, user;
  if (GetProcessTimes(process, &created, &exited, &kernel, &user)) {
    constexpr double kSecondsFrom1601To1970 = 11'644'473'600.0;
    usage.cpu_seconds = seconds(kernel) + seconds(user);
    usage.start_time_seconds = seconds(created) - kSecondsFrom1601To1970;
  }

  static const GetMemory get_memory = find_get_memory();
  PROCESS_MEMORY_COUNTERS memory{};
  if (get_memory != nullptr && get_memory(process, &memory, sizeof(memory))) usage.resident_bytes = memory.WorkingSetSize;

  DWORD handles = 0;
  if (GetProcessHandleCount(process, &handles) && handles != 0) usage.open_handles = handles;  // Wine: always 0
  return usage;
}

}  // namespace kmem::self
