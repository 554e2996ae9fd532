#include "collectors/windows/registry_win32.h"

#include <windows.h>

#include <string>

namespace kmem::windows {

namespace {

NtStatus as_status(LONG win32_error) {
  switch (win32_error) {
    case ERROR_SUCCESS: return kStatusOk;
    case ERROR_FILE_NOT_FOUND: return kStatusNameNotFound;
    case ERROR_ACCESS_DENIED: return kStatusAccessDenied;
    default: return 0xC0070000 | (static_cast<NtStatus>(win32_error) & 0xFFFF);
  }
}

class MachineRegistry final : public Registry {
 public:
  MachineRegistry() = default;
  MachineRegistry(const MachineRegistry&) = delete;
  MachineRegistry& operator=(const MachineRegistry&) = delete;
  ~MachineRegistry() override { close(); }

  NtStatus open() override {
    close();
    const LONG error =
        RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management", 0,
                      KEY_QUERY_VALUE, &key_);
    if (error != ERROR_SUCCESS) key_ = nullptr;
    return as_status(error);
  }

  std::optional<std::uint32_t> value(std::string_view name) override {
    const std::wstring wide(name.begin(), name.end());  // the names are ASCII
    DWORD type = 0;
    DWORD number = 0;
    DWORD bytes = sizeof(number);
    HKEY control = nullptr;
    if (name == kRegistrySizeLimit &&
        RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"SYSTEM\\CurrentControlSet\\Control", 0, KEY_QUERY_VALUE, &control) != ERROR_SUCCESS)
      return std::nullopt;
    const LONG error = RegQueryValueExW(control != nullptr ? control : key_, wide.c_str(), nullptr, &type,
                                        reinterpret_cast<BYTE*>(&number), &bytes);
    if (control != nullptr) RegCloseKey(control);
    if (error != ERROR_SUCCESS || type != REG_DWORD || bytes != sizeof(number)) return std::nullopt;
    return number;
  }

 private:
  void close() {
    if (key_ != nullptr) RegCloseKey(key_);
    key_ = nullptr;
  }

  HKEY key_ = nullptr;
};

}  // namespace

std::unique_ptr<Registry> make_registry() { return std::make_unique<MachineRegistry>(); }

}  // namespace kmem::windows
