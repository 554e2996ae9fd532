#include "exporter/service/signals_win32.h"

#include <windows.h>

#include <algorithm>

#include "collectors/base/clock.h"
#include "exporter/service/supervisor.h"

namespace kmem::service {
namespace {

// A console handler has no argument, so what it sets must be reachable without one. Made once, closed by the exit.
HANDLE g_stop = nullptr;
HANDLE g_reload = nullptr;
HANDLE g_drained = nullptr;

BOOL WINAPI on_console_event(DWORD kind) {
  // Sent to services at every logoff of anybody.
  if (kind == CTRL_LOGOFF_EVENT && is_windows_service()) return TRUE;
  ask(Event::kStop);
  // The system ends the program when this returns for these three, so let the drain finish first.
  if (kind == CTRL_CLOSE_EVENT || kind == CTRL_LOGOFF_EVENT || kind == CTRL_SHUTDOWN_EVENT)
    WaitForSingleObject(g_drained, 4'000);
  return TRUE;
}

}  // namespace

struct Signals::State {};

void ask(Event event) {
  const HANDLE asked = event == Event::kReload ? g_reload : g_stop;
  if (asked != nullptr) SetEvent(asked);
}

Signals::Signals() : state_(std::make_unique<State>()) {
  g_stop = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  g_reload = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  g_drained = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  SetConsoleCtrlHandler(on_console_event, TRUE);
}

Signals::~Signals() {
  SetConsoleCtrlHandler(on_console_event, FALSE);
  SetEvent(g_drained);
}

Event Signals::wait(std::chrono::milliseconds timeout) {
  const auto left = std::clamp<long long>(timeout.count(), 0, base::kHourMillis);
  const HANDLE asked[] = {g_stop, g_reload};
  switch (WaitForMultipleObjects(2, asked, FALSE, static_cast<DWORD>(left))) {
    case WAIT_OBJECT_0: return Event::kStop;
    case WAIT_OBJECT_0 + 1: return Event::kReload;
    default: return Event::kTimeout;
  }
}

}  // namespace kmem::service
