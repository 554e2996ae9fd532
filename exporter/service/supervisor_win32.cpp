#include "exporter/service/supervisor.h"

#include <windows.h>

#include <tlhelp32.h>

#include <algorithm>
#include <atomic>
#include <cwchar>
#include <mutex>

#include "collectors/base/log.h"
#include "exporter/service/event_log_win32.h"
#include "exporter/service/identity.h"
#include "exporter/service/signals_win32.h"

namespace kmem::service {
namespace {

constexpr DWORD kStartHintMs = 30'000, kStopHintMs = 10'000;

// The service manager calls back without an argument of ours.
const std::function<int()>* g_body = nullptr;
int g_exit_code = 0;
std::atomic<bool> g_is_service{false};
std::mutex g_mutex;  // of the two below
SERVICE_STATUS_HANDLE g_handle = nullptr;
SERVICE_STATUS g_status{};

void report(DWORD state, DWORD hint_ms = 0) {
  g_status.dwCurrentState = state;
  g_status.dwWaitHint = hint_ms;
  g_status.dwCheckPoint = hint_ms == 0 ? 0 : g_status.dwCheckPoint + 1;
  // A stop while starting would find nobody who waits for it.
  g_status.dwControlsAccepted =
      state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE : 0;
  SetServiceStatus(g_handle, &g_status);
}

DWORD WINAPI on_control(DWORD control, DWORD, void*, void*) {
  switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN: {
      const std::scoped_lock lock(g_mutex);
      report(SERVICE_STOP_PENDING, kStopHintMs);
      ask(Event::kStop);
      return NO_ERROR;
    }
    case SERVICE_CONTROL_PARAMCHANGE: ask(Event::kReload); return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE: return NO_ERROR;
    default: return ERROR_CALL_NOT_IMPLEMENTED;
  }
}

void WINAPI service_main(DWORD, wchar_t**) {
  const SERVICE_STATUS_HANDLE handle = RegisterServiceCtrlHandlerExW(kServiceName, on_control, nullptr);
  if (handle == nullptr) return;
  {
    const std::scoped_lock lock(g_mutex);
    g_handle = handle;
    g_status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    report(SERVICE_START_PENDING, kStartHintMs);
  }
  g_is_service = true;
  EventLog events;
  base::set_leveled_log_sink([&events](base::LogLevel level, std::string_view line) { events.report(level, line); });
  g_exit_code = (*g_body)();
  base::set_leveled_log_sink({});
  const std::scoped_lock lock(g_mutex);
  if (g_exit_code != 0) {
    g_status.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
    g_status.dwServiceSpecificExitCode = static_cast<DWORD>(g_exit_code);
  }
  report(SERVICE_STOPPED);
}

/// Asked of the process list first: without a service manager that waits for this process, the dispatcher's attempt
/// to reach one lasts for 10 s and more on old Windows and on Wine.
bool may_be_service() {
  const HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
  if (list == INVALID_HANDLE_VALUE) return true;
  const auto find = [list](DWORD id) {
    PROCESSENTRY32W entry{};
    entry.dwSize = sizeof entry;
    int left = 65'536;
    for (BOOL more = Process32FirstW(list, &entry); more && left > 0; more = Process32NextW(list, &entry), --left)
      if (entry.th32ProcessID == id) return entry;
    return PROCESSENTRY32W{};
  };
  const PROCESSENTRY32W parent = find(find(GetCurrentProcessId()).th32ParentProcessID);
  CloseHandle(list);
  return parent.dwSize != 0 && _wcsicmp(parent.szExeFile, L"services.exe") == 0;
}

}  // namespace

int run_hosted(const std::function<int()>& body) {
  g_body = &body;
  wchar_t name[std::size(kServiceName)];
  std::copy(std::begin(kServiceName), std::end(kServiceName), name);
  const SERVICE_TABLE_ENTRYW table[] = {{name, service_main}, {nullptr, nullptr}};
  if (may_be_service() && StartServiceCtrlDispatcherW(table)) return g_exit_code;
  return body();
}

bool is_windows_service() { return g_is_service; }

Supervisor::Supervisor() = default;
Supervisor::~Supervisor() = default;

void Supervisor::tell(const std::string&) const {}

void Supervisor::ready() {
  const std::scoped_lock lock(g_mutex);
  if (g_status.dwCurrentState == SERVICE_START_PENDING) report(SERVICE_RUNNING);
}

void Supervisor::reloading() {}

void Supervisor::stopping() {
  const std::scoped_lock lock(g_mutex);
  if (g_status.dwCurrentState == SERVICE_RUNNING) report(SERVICE_STOP_PENDING, kStopHintMs);
}

void Supervisor::alive() {}

}  // namespace kmem::service
