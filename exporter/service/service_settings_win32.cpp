#include "exporter/service/service_settings_win32.h"

#include <windows.h>

#include "collectors/base/clock.h"
#include "exporter/service/identity.h"
#include "exporter/service/win32_text.h"

namespace kmem::service {
namespace {

// ChangeServiceConfig2's levels that came with Vista, which headers for NT 5.2 do not declare.
constexpr DWORD kDelayedStart = 3, kFailureActionsFlag = 4, kServiceSidInfo = 5, kRequiredPrivileges = 6;
constexpr DWORD kSidUnrestricted = 1;
struct OneFlag {
  BOOL is_set;
};
struct SidInfo {
  DWORD type;
};
struct Privileges {
  wchar_t* names;  // each ends with a zero, the list with another
};

bool apply(SC_HANDLE service, DWORD level, void* info, const char* what, std::vector<std::string>& warnings) {
  if (ChangeServiceConfig2W(service, level, info)) return true;
  warnings.push_back(system_error(std::string(what) + " is not set", GetLastError()).message);
  return false;
}

}  // namespace

AppliedSettings apply_settings(void* handle, std::vector<std::string>& warnings) {
  const auto service = static_cast<SC_HANDLE>(handle);
  std::wstring words = kServiceDescription;
  SERVICE_DESCRIPTIONW description{words.data()};
  apply(service, SERVICE_CONFIG_DESCRIPTION, &description, "the description", warnings);

  AppliedSettings applied;
  OneFlag delayed{TRUE};
  apply(service, kDelayedStart, &delayed, "delayed start", warnings);
  // Also when the service ends by itself and says that it failed, such as when its port is taken.
  OneFlag also_failures{TRUE};
  apply(service, kFailureActionsFlag, &also_failures, "restart after reported failures", warnings);
  SidInfo own_sid{kSidUnrestricted};
  applied.has_own_sid = apply(service, kServiceSidInfo, &own_sid, "the service's own identity", warnings);
  // The only privilege that the exporter uses; without it every step of a path is checked.
  wchar_t names[] = L"SeChangeNotifyPrivilege\0";
  Privileges privileges{names};
  apply(service, kRequiredPrivileges, &privileges, "the list of needed privileges", warnings);

  SC_ACTION restarts[] = {{SC_ACTION_RESTART, 5'000}, {SC_ACTION_RESTART, 30'000}, {SC_ACTION_RESTART, 60'000}};
  SERVICE_FAILURE_ACTIONSW actions{base::kDayMillis / base::kSecondMillis, nullptr, nullptr, 3, restarts};
  apply(service, SERVICE_CONFIG_FAILURE_ACTIONS, &actions, "restart after crashes", warnings);
  return applied;
}

}  // namespace kmem::service
