#include "collectors/windows/event_calls_win32.h"

#include <array>
#include <cstring>
#include <cwchar>

namespace kmem::windows {
namespace {

template <typename Call>
bool take(HMODULE module, const char* name, Call& call) {
  const FARPROC found = GetProcAddress(module, name);
  if (found != nullptr) std::memcpy(&call, &found, sizeof(call));
  return found != nullptr;
}

NewEventCalls load_new_calls() {
  // By its full path: a file of this name beside the program is not Windows' own.
  std::array<wchar_t, MAX_PATH + 16> path{};
  const UINT length = GetSystemDirectoryW(path.data(), MAX_PATH);
  NewEventCalls calls;
  if (length == 0 || length >= MAX_PATH) return calls;
  std::wcscpy(path.data() + length, L"\\wevtapi.dll");
  const HMODULE module = LoadLibraryW(path.data());
  if (module == nullptr) return calls;
  if (!take(module, "EvtQuery", calls.query) || !take(module, "EvtNext", calls.next) ||
      !take(module, "EvtRender", calls.render) || !take(module, "EvtClose", calls.close))
    calls = {};
  return calls;
}

}  // namespace

OldEventCalls old_event_calls() { return {OpenEventLogW, ReadEventLogW, CloseEventLog}; }

NewEventCalls new_event_calls() {
  static const NewEventCalls calls = load_new_calls();
  return calls;
}

}  // namespace kmem::windows
