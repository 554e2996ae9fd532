#include "collectors/windows/nt_query_win32.h"

#include <windows.h>

#include <cstring>

namespace kmem::windows {

namespace {

using Call = LONG(NTAPI*)(ULONG info_class, PVOID buffer, ULONG bytes, PULONG needed_bytes);

class KernelQuery final : public NtQuery {
 public:
  KernelQuery() {
    // The function is documented as resolvable by name only.
    if (const HMODULE ntdll = GetModuleHandleW(L"ntdll.dll"))
      if (const FARPROC found = GetProcAddress(ntdll, "NtQuerySystemInformation"))
        std::memcpy(&call_, &found, sizeof(call_));
  }

  NtStatus query(std::uint32_t info_class, std::span<std::byte> buffer, std::uint32_t& needed_bytes) override {
    if (call_ == nullptr) return kStatusNotImplemented;
    ULONG needed = 0;
    const LONG status = call_(info_class, buffer.data(), static_cast<ULONG>(buffer.size()), &needed);
    needed_bytes = needed;
    return static_cast<NtStatus>(status);
  }

 private:
  Call call_ = nullptr;
};

}  // namespace

std::unique_ptr<NtQuery> make_nt_query() {
  return std::make_unique<KernelQuery>();
}

}  // namespace kmem::windows
