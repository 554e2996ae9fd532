#include <windows.h>

#include <algorithm>

#include "exporter/service/signals.h"

namespace kmem::service {
namespace {

// A console handler has no argument, so what it sets must be reachable without one.
HANDLE g_stop = nullptr;
HANDLE g_drained = nullptr;

BOOL WINAPI on_console_event(DWORD kind) {
  if (g_stop != nullptr) SetEvent(g_stop);
  // The system ends the program when this returns for these three, so let the drain finish first.
  if (kind == CTRL_CLOSE_EVENT || kind == CTRL_LOGOFF_EVENT || kind == CTRL_SHUTDOWN_EVENT)
    WaitForSingleObject(g_drained, 4'000);
  return TRUE;
}

}  // namespace

struct Signals::State {};

Signals::Signals() : state_(std::make_unique<State>()) {
  g_stop = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  g_drained = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  SetConsoleCtrlHandler(on_console_event, TRUE);
}

Signals::~Signals() {
  SetConsoleCtrlHandler(on_console_event, FALSE);
  SetEvent(g_drained);
}

Event Signals::wait(std::chrono::milliseconds timeout) {
  const auto left = std::clamp<long long>(timeout.count(), 0, 3'600'000);
  return WaitForSingleObject(g_stop, static_cast<DWORD>(left)) == WAIT_OBJECT_0 ? Event::kStop : Event::kTimeout;
}

}  // namespace kmem::service
