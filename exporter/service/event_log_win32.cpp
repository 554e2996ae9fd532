#include "exporter/service/event_log_win32.h"

#include <windows.h>

#include <string>

#include "exporter/service/identity.h"
#include "exporter/service/win32_text.h"

namespace kmem::service {
namespace {

// One string of an event ends there (ReportEvent's documentation says 31,839 characters).
constexpr std::size_t kMaxCharacters = 31'000;

std::wstring source_key() {
  return std::wstring(L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\") + kServiceName;
}

}  // namespace

std::uint32_t event_id(base::LogLevel level) {
  switch (level) {
    case base::LogLevel::kError: return 0xC0000003;
    case base::LogLevel::kWarn: return 0x80000002;
    default: return 0x40000001;
  }
}

EventLog::EventLog() : source_(RegisterEventSourceW(nullptr, kServiceName)) {}

EventLog::~EventLog() {
  if (source_ != nullptr) DeregisterEventSource(source_);
}

void EventLog::report(base::LogLevel level, std::string_view line) {
  if (source_ == nullptr) return;
  std::wstring text = to_wide(line);
  if (text.size() > kMaxCharacters) text.resize(kMaxCharacters);
  const wchar_t* const strings[] = {text.c_str()};
  WORD type = EVENTLOG_INFORMATION_TYPE;
  if (level == base::LogLevel::kWarn) type = EVENTLOG_WARNING_TYPE;
  if (level == base::LogLevel::kError) type = EVENTLOG_ERROR_TYPE;
  ReportEventW(source_, type, 0, event_id(level), nullptr, 1, 0, const_cast<LPCWSTR*>(strings), nullptr);
}

base::Result<void> register_event_source() {
  wchar_t path[32'768];
  const DWORD length = GetModuleFileNameW(nullptr, path, static_cast<DWORD>(std::size(path)));
  if (length == 0 || length == std::size(path)) return system_error("this program's path", GetLastError());
  HKEY key = nullptr;
  LONG error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, source_key().c_str(), 0, nullptr, 0, KEY_SET_VALUE, nullptr, &key, nullptr);
  if (error == ERROR_SUCCESS) {
    const auto bytes = static_cast<DWORD>((length + 1) * sizeof(wchar_t));
    error = RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ, reinterpret_cast<const BYTE*>(path), bytes);
    const DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    if (error == ERROR_SUCCESS)
      error = RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD, reinterpret_cast<const BYTE*>(&types), sizeof types);
    RegCloseKey(key);
  }
  if (error != ERROR_SUCCESS) return system_error("event source", static_cast<DWORD>(error));
  return {};
}

void unregister_event_source() { RegDeleteKeyW(HKEY_LOCAL_MACHINE, source_key().c_str()); }

}  // namespace kmem::service
