#include "exporter/service/control.h"

#include <windows.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "exporter/service/access_win32.h"
#include "exporter/service/command_line.h"
#include "exporter/service/event_log_win32.h"
#include "exporter/service/identity.h"
#include "exporter/service/service_settings_win32.h"
#include "exporter/service/win32_text.h"

namespace kmem::service {
namespace {

using std::chrono::milliseconds;

// Exists from XP and Server 2003 on, and has no more rights than a user.
constexpr wchar_t kAccount[] = L"NT AUTHORITY\\LocalService";
constexpr wchar_t kAccountSid[] = L"LS";
constexpr milliseconds kStartPatience{30'000}, kStopPatience{10'000};

const std::string kName = to_utf8(kServiceName);

struct ServiceClosed {
  void operator()(SC_HANDLE handle) const { CloseServiceHandle(handle); }
};
using ServiceHandle = std::unique_ptr<std::remove_pointer_t<SC_HANDLE>, ServiceClosed>;

base::Error refused(const std::string& what, DWORD error) {
  if (error == ERROR_SERVICE_DOES_NOT_EXIST)
    return {base::ErrorCode::kAbsent, "there is no service " + kName + "; `kmem_exporter service install` makes it"};
  base::Error made = system_error(what, error);
  if (error == ERROR_ACCESS_DENIED) made.message += "; run it as administrator";
  return made;
}

std::wstring program_path() {
  std::wstring path(32'768, L'\0');
  path.resize(GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size())));
  return path;
}

base::Result<ServiceHandle> open_manager(DWORD access) {
  ServiceHandle manager(OpenSCManagerW(nullptr, nullptr, access));
  if (!manager) return refused("service manager", GetLastError());
  return manager;
}

base::Result<ServiceHandle> open_service(DWORD access) {
  const auto manager = open_manager(SC_MANAGER_CONNECT);
  if (!manager) return manager.error();
  ServiceHandle service(OpenServiceW(manager->get(), kServiceName, access));
  if (!service) return refused("service " + kName, GetLastError());
  return service;
}

std::optional<SERVICE_STATUS_PROCESS> status_of(const ServiceHandle& service) {
  SERVICE_STATUS_PROCESS status{};
  DWORD needed = 0;
  if (!QueryServiceStatusEx(service.get(), SC_STATUS_PROCESS_INFO, reinterpret_cast<BYTE*>(&status), sizeof status, &needed))
    return std::nullopt;
  return status;
}

/// The state once it is `wanted` or stopped, or what it is when patience ends.
DWORD wait_for(const ServiceHandle& service, DWORD wanted, milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto status = status_of(service);
    if (!status) return 0;
    const DWORD state = status->dwCurrentState;
    if (state == wanted || state == SERVICE_STOPPED || std::chrono::steady_clock::now() >= until) return state;
    std::this_thread::sleep_for(milliseconds(50));
  }
}

struct HandleClosed {
  void operator()(HANDLE handle) const { CloseHandle(handle); }
};

base::Result<void> stop(const ServiceHandle& service) {
  const auto running = status_of(service);
  const std::unique_ptr<void, HandleClosed> process(
      running && running->dwProcessId != 0 ? OpenProcess(SYNCHRONIZE, FALSE, running->dwProcessId) : nullptr);
  SERVICE_STATUS status{};
  if (!ControlService(service.get(), SERVICE_CONTROL_STOP, &status) && GetLastError() != ERROR_SERVICE_NOT_ACTIVE)
    return refused("service " + kName + " cannot be stopped", GetLastError());
  if (wait_for(service, SERVICE_STOPPED, kStopPatience) != SERVICE_STOPPED)
    return base::Error{base::ErrorCode::kIo, "service " + kName + " was told to stop and has not stopped yet"};
  // A stopped service's process lives on for a moment, in which its file can be neither replaced nor removed.
  if (process) WaitForSingleObject(process.get(), static_cast<DWORD>(kStopPatience.count()));
  return {};
}

/// Is this program's to make and to give rights to. Others are left as they are.
bool has_own_state_folder(const Request& request, const Places& places) {
  return request.state_folder.starts_with(places.folder + "\\") ||
         GetFileAttributesW(to_wide(request.state_folder).c_str()) == INVALID_FILE_ATTRIBUTES;
}

/// What may fail, before anything of a service is changed: its folders are there or made.
base::Result<void> make_room(const Request& request, const Places& places) {
  if (const auto prepared = prepare(places); !prepared) return prepared;
  if (request.state_folder.empty() || !has_own_state_folder(request, places)) return {};
  if (GetFileAttributesW(to_wide(request.state_folder).c_str()) != INVALID_FILE_ATTRIBUTES)
    return check_folder(request.state_folder);
  return protect_folder(request.state_folder, FolderRights::kState, kAccountSid);
}

/// `owns_state`: as has_own_state_folder said before make_room.
base::Result<void> configure(const ServiceHandle& service, const Request& request, bool owns_state, Outcome& outcome) {
  if (const auto source = register_event_source(); !source) return source.error();
  const std::size_t warned = outcome.warnings.size();
  const AppliedSettings applied = apply_settings(service.get(), outcome.warnings);
  outcome.lines.push_back(std::string("set up: description, restart after failures, event source") +
                          (outcome.warnings.size() > warned ? ", but for what a warning names" : ""));
  if (request.state_folder.empty()) {
    outcome.warnings.emplace_back("storage.path is not set: a restart forgets what was learnt");
    return {};
  }
  if (!owns_state) {
    outcome.warnings.emplace_back(request.state_folder + " is left as it is: " + to_utf8(kAccount) +
                                  " must be able to write there");
    return {};
  }
  const std::wstring account = applied.has_own_sid ? kServiceSid : kAccountSid;
  if (const auto made = protect_folder(request.state_folder, FolderRights::kState, account); !made) return made.error();
  outcome.lines.emplace_back("state is kept in " + request.state_folder);
  return {};
}

/// The command line of the service's program; empty where it is not told.
std::string line_of(const ServiceHandle& service) {
  DWORD size = 0;
  QueryServiceConfigW(service.get(), nullptr, 0, &size);
  std::vector<QUERY_SERVICE_CONFIGW> known(size / sizeof(QUERY_SERVICE_CONFIGW) + 1);
  size = static_cast<DWORD>(known.size() * sizeof(QUERY_SERVICE_CONFIGW));
  if (!QueryServiceConfigW(service.get(), known.data(), size, &size)) return {};
  return to_utf8(known.front().lpBinaryPathName);
}

base::Result<void> set_line(const ServiceHandle& service, const std::string& line) {
  if (!ChangeServiceConfigW(service.get(), SERVICE_NO_CHANGE, SERVICE_NO_CHANGE, SERVICE_NO_CHANGE, to_wide(line).c_str(),
                            nullptr, nullptr, nullptr, nullptr, nullptr, nullptr))
    return refused("command line of service " + kName, GetLastError());
  return {};
}

base::Result<Outcome> configure_existing(const Request& request) {
  const auto service = open_service(SERVICE_CHANGE_CONFIG | SERVICE_QUERY_CONFIG | SERVICE_START);
  if (!service) return service.error();
  const auto places = default_places();
  if (!places) return places.error();
  const bool owns_state = has_own_state_folder(request, *places);
  if (const auto room = make_room(request, *places); !room) return room.error();
  // An installer may have written the program's path without quotes.
  const std::string before = line_of(*service), line = command_line(to_utf8(program_path()), request.arguments);
  if (const auto set = set_line(*service, line); !set) return set.error();
  Outcome outcome;
  outcome.lines.push_back("command line of service " + kName + ": " + line);
  if (const auto configured = configure(*service, request, owns_state, outcome); !configured) {
    if (!before.empty()) (void)set_line(*service, before);
    return configured.error();
  }
  return outcome;
}

/// Again what was installed: the same program's service is set up anew, another program's is not touched.
base::Result<Outcome> install_again(const Request& request) {
  const auto service = open_service(SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS);
  if (!service) return service.error();
  const std::string line = line_of(*service);
  const std::wstring own = to_wide(command_line(to_utf8(program_path()), {}) + " ");
  if (_wcsnicmp((to_wide(line) + L" ").c_str(), own.c_str(), own.size()) != 0)
    return base::Error{base::ErrorCode::kInvalid, "service " + kName + " is there already and runs " + line +
                                                      "; `kmem_exporter service configure` makes it this "
                                                      "program's, `kmem_exporter service uninstall` removes it"};
  const auto status = status_of(*service);
  auto outcome = configure_existing(request);
  if (outcome && status && status->dwCurrentState != SERVICE_STOPPED)
    outcome->lines.emplace_back("it was installed already and runs: what changed is in force from its next start on");
  return outcome;
}

base::Result<Outcome> install(const Request& request) {
  const auto manager = open_manager(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
  if (!manager) return manager.error();
  const auto places = default_places();
  if (!places) return places.error();
  const std::string line = command_line(to_utf8(program_path()), request.arguments);
  const ServiceHandle service(CreateServiceW(manager->get(), kServiceName, kServiceTitle, SERVICE_ALL_ACCESS,
                                             SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL,
                                             to_wide(line).c_str(), nullptr, nullptr, nullptr, kAccount, nullptr));
  if (!service && GetLastError() == ERROR_SERVICE_EXISTS) return install_again(request);
  if (!service) return refused("service " + kName + " cannot be made", GetLastError());
  Outcome outcome;
  outcome.lines.push_back("service " + kName + " is installed and starts with Windows: " + line);
  const bool owns_state = has_own_state_folder(request, *places);
  auto configured = make_room(request, *places);
  if (configured) configured = configure(service, request, owns_state, outcome);
  if (!configured) {
    DeleteService(service.get());
    unregister_event_source();
    return configured.error();
  }
  outcome.lines.emplace_back("`kmem_exporter service start` starts it now");
  return outcome;
}

base::Result<Outcome> uninstall() {
  const auto service = open_service(SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE);
  if (!service) return service.error();
  Outcome outcome;
  if (const auto stopped = stop(*service); !stopped) outcome.warnings.push_back(stopped.error().message);
  if (!DeleteService(service->get())) return refused("service " + kName + " cannot be removed", GetLastError());
  unregister_event_source();
  outcome.lines.push_back("service " + kName + " is removed; configuration and state stay");
  return outcome;
}

base::Result<Outcome> start() {
  const auto service = open_service(SERVICE_START | SERVICE_QUERY_STATUS);
  if (!service) return service.error();
  if (!StartServiceW(service->get(), 0, nullptr)) {
    if (GetLastError() == ERROR_SERVICE_ALREADY_RUNNING) return Outcome{{"service " + kName + " runs already"}, {}};
    return refused("service " + kName + " cannot be started", GetLastError());
  }
  const DWORD state = wait_for(*service, SERVICE_RUNNING, kStartPatience);
  if (state == SERVICE_RUNNING) return Outcome{{"service " + kName + " runs"}, {}};
  const auto status = status_of(*service);
  const DWORD code = status ? status->dwServiceSpecificExitCode : 0;
  return base::Error{base::ErrorCode::kIo, "service " + kName + " did not start" +
                                               (code != 0 ? " (exit code " + std::to_string(code) + ")" : "") +
                                               "; the event log's Application part says why"};
}

base::Result<Outcome> stop_service() {
  const auto service = open_service(SERVICE_STOP | SERVICE_QUERY_STATUS);
  if (!service) return service.error();
  if (const auto stopped = stop(*service); !stopped) return stopped.error();
  return Outcome{{"service " + kName + " is stopped"}, {}};
}

std::string_view state_words(DWORD state) {
  switch (state) {
    case SERVICE_RUNNING: return "runs";
    case SERVICE_STOPPED: return "is stopped";
    case SERVICE_START_PENDING: return "starts";
    case SERVICE_STOP_PENDING: return "stops";
    default: return "is paused";
  }
}

base::Result<Outcome> tell_status() {
  const auto service = open_service(SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS);
  if (!service) return service.error();
  const auto status = status_of(*service);
  if (!status) return refused("service " + kName + " cannot be asked", GetLastError());
  std::string line = "service " + kName + " " + std::string(state_words(status->dwCurrentState));
  if (status->dwProcessId != 0) line += " (process " + std::to_string(status->dwProcessId) + ")";
  if (status->dwCurrentState == SERVICE_STOPPED && status->dwWin32ExitCode == ERROR_SERVICE_SPECIFIC_ERROR)
    line += " (exit code " + std::to_string(status->dwServiceSpecificExitCode) + ")";
  return Outcome{{line, "command line: " + line_of(*service)}, {}};
}

base::Result<Outcome> reload() {
  const auto service = open_service(SERVICE_PAUSE_CONTINUE);
  if (!service) return service.error();
  SERVICE_STATUS status{};
  if (!ControlService(service->get(), SERVICE_CONTROL_PARAMCHANGE, &status))
    return refused("service " + kName + " cannot be told", GetLastError());
  return Outcome{{"service " + kName + " reads its configuration again; the event log tells faults"}, {}};
}

}  // namespace

base::Result<Places> default_places() {
  // From a library that the exporter itself does not need.
  std::wstring path(MAX_PATH, L'\0');
  const HMODULE shell = LoadLibraryW(L"shell32.dll");
  const FARPROC found = shell == nullptr ? nullptr : GetProcAddress(shell, "SHGetFolderPathW");
  using FolderPath = HRESULT(WINAPI*)(HWND, int, HANDLE, DWORD, LPWSTR);
  FolderPath folder_path = nullptr;
  std::memcpy(&folder_path, &found, sizeof found);
  constexpr int kCommonApplicationData = 0x23;
  const bool is_known = folder_path != nullptr && folder_path(nullptr, kCommonApplicationData, nullptr, 0, path.data()) == 0;
  if (shell != nullptr) FreeLibrary(shell);
  if (!is_known) return base::Error{base::ErrorCode::kAbsent, "Windows does not say where programs keep their data"};
  path.resize(std::wcslen(path.c_str()));

  Places places;
  places.folder = to_utf8(path) + "\\kmem_exporter";
  places.config_file = places.folder + "\\kmem_exporter.yml";
  places.config_text =
      "# Configuration of the service kmem_exporter. What is left out keeps its default; the complete example stands\n"
      "# beside the program. `kmem_exporter service reload` takes over what does not need a restart.\n"
      "storage:\n  path: \"state\"\n";
  return places;
}

base::Result<void> prepare(const Places& places) {
  if (const auto made = protect_folder(places.folder, FolderRights::kConfiguration, kAccountSid); !made) return made.error();
  return check_owner(places.config_file);
}

std::string absolute_path(const std::string& path) {
  wchar_t full[32'768];
  const DWORD length = GetFullPathNameW(to_wide(path).c_str(), static_cast<DWORD>(std::size(full)), full, nullptr);
  return length == 0 || length >= std::size(full) ? path : to_utf8({full, length});
}

base::Result<Outcome> control(const Request& request) {
  switch (request.action) {
    case Action::kInstall: return install(request);
    case Action::kConfigure: return configure_existing(request);
    case Action::kUninstall: return uninstall();
    case Action::kStart: return start();
    case Action::kStop: return stop_service();
    case Action::kStatus: return tell_status();
    case Action::kReload: break;
  }
  return reload();
}

}  // namespace kmem::service
