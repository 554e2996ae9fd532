#include "collectors/windows/nt_query_win32.h"

#include <windows.h>

#include <cstring>
#include <utility>

#include "collectors/windows/nt_layout.h"

namespace kmem::windows {

namespace {

constexpr ULONG kObjectTypesInformation = 3;
using ObjectCall = LONG(NTAPI*)(HANDLE object, ULONG info_class, PVOID buffer, ULONG bytes, PULONG needed_bytes);
using Call = LONG(NTAPI*)(ULONG info_class, PVOID buffer, ULONG bytes, PULONG needed_bytes);

class KernelQuery final : public NtQuery {
 public:
  KernelQuery() {
    // The function is documented as resolvable by name only.
    const HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    if (ntdll == nullptr) return;
    if (const FARPROC found = GetProcAddress(ntdll, "NtQuerySystemInformation")) std::memcpy(&call_, &found, sizeof(call_));
    if (const FARPROC found = GetProcAddress(ntdll, "NtQueryObject")) std::memcpy(&object_call_, &found, sizeof(object_call_));
  }

  NtStatus query(std::uint32_t info_class, std::span<std::byte> buffer, std::uint32_t& needed_bytes) override {
    if (call_ == nullptr) return kStatusNotImplemented;
    if (info_class == kMemoryListClass) enable_profiling();
    ULONG needed = 0;
    const LONG status = call_(info_class, buffer.data(), static_cast<ULONG>(buffer.size()), &needed);
    needed_bytes = needed;
    return static_cast<NtStatus>(status);
  }

  NtStatus query_object_types(std::span<std::byte> buffer, std::uint32_t& needed_bytes) override {
    if (object_call_ == nullptr) return kStatusNotImplemented;
    ULONG needed = 0;
    const LONG status =
        object_call_(nullptr, kObjectTypesInformation, buffer.data(), static_cast<ULONG>(buffer.size()), &needed);
    needed_bytes = needed;
    return static_cast<NtStatus>(status);
  }

  NtStatus query_memory_status(std::span<std::byte> buffer) override {
    MEMORYSTATUSEX status{};
    status.dwLength = sizeof status;
    if (buffer.size() < sizeof status) return kStatusLengthMismatch;
    if (GlobalMemoryStatusEx(&status) == 0) return 0xC0070000 | (GetLastError() & 0xFFFF);
    std::memcpy(buffer.data(), &status, sizeof status);
    return kStatusOk;
  }

 private:
  /// Class 80 is given to who has this privilege and has enabled it. Once; who has it not is refused and told so.
  void enable_profiling() {
    if (std::exchange(tried_profiling_, true)) return;
    HANDLE token = nullptr;
    if (OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &token) == 0) return;
    TOKEN_PRIVILEGES wanted{};
    wanted.PrivilegeCount = 1;
    wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    if (LookupPrivilegeValueW(nullptr, L"SeProfileSingleProcessPrivilege", &wanted.Privileges[0].Luid) != 0)
      AdjustTokenPrivileges(token, FALSE, &wanted, 0, nullptr, nullptr);
    CloseHandle(token);
  }

  bool tried_profiling_ = false;
  ObjectCall object_call_ = nullptr;
  Call call_ = nullptr;
};

}  // namespace

std::unique_ptr<NtQuery> make_nt_query() { return std::make_unique<KernelQuery>(); }

}  // namespace kmem::windows
