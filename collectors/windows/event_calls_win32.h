// STAGE 1, the seam below the System log: the calls of Windows that read event logs, as tables of functions, so that
// tests can answer in their place. advapi32's are on every NT; wevtapi's came with Vista and are looked up at run time.
// The one header that shows Windows' own types. Thread: constants. Failure: where a call is missing, all are nullptr.
#pragma once

#include <windows.h>

#include <memory>

#include "collectors/windows/event_tail.h"

namespace kmem::windows {

struct OldEventCalls {
  HANDLE(WINAPI* open)(LPCWSTR server, LPCWSTR log);
  BOOL(WINAPI* read)(HANDLE log, DWORD flags, DWORD record, LPVOID buffer, DWORD bytes, DWORD* filled, DWORD* needed);
  BOOL(WINAPI* close)(HANDLE log);
};

struct NewEventCalls {
  HANDLE(WINAPI* query)(HANDLE session, LPCWSTR path, LPCWSTR query, DWORD flags) = nullptr;
  BOOL(WINAPI* next)(HANDLE results, DWORD size, HANDLE* events, DWORD timeout, DWORD flags, DWORD* count) = nullptr;
  BOOL(WINAPI* render)
  (HANDLE context, HANDLE fragment, DWORD flags, DWORD bytes, void* buffer, DWORD* used, DWORD* properties) = nullptr;
  BOOL(WINAPI* close)(HANDLE object) = nullptr;
};

[[nodiscard]] OldEventCalls old_event_calls();
[[nodiscard]] NewEventCalls new_event_calls();

[[nodiscard]] std::unique_ptr<SystemLog> make_system_log(const OldEventCalls& old_calls, const NewEventCalls& new_calls);

}  // namespace kmem::windows
