#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <algorithm>

#include "exporter/service/signals.h"

namespace kmem::service {

struct Signals::State {
  sigset_t handled;
};

Signals::Signals() : state_(std::make_unique<State>()) {
  sigemptyset(&state_->handled);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&state_->handled, number);
  pthread_sigmask(SIG_BLOCK, &state_->handled, nullptr);
  // A client or a pipe that goes away is an error code of the write, not the end of the program.
  signal(SIGPIPE, SIG_IGN);
}

Signals::~Signals() {
  // What came meanwhile is dropped, or a program that has done its work would end by a signal.
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) signal(number, SIG_IGN);
  pthread_sigmask(SIG_UNBLOCK, &state_->handled, nullptr);
  for (const int number : {SIGTERM, SIGINT}) signal(number, SIG_DFL);
}

Event Signals::wait(std::chrono::milliseconds timeout) {
  const auto left = std::max(timeout, std::chrono::milliseconds(0));
  const timespec until{static_cast<time_t>(left.count() / 1000), static_cast<long>(left.count() % 1000) * 1'000'000};
  switch (sigtimedwait(&state_->handled, nullptr, &until)) {
    case SIGTERM:
    case SIGINT: return Event::kStop;
    case SIGHUP: return Event::kReload;
    default: return Event::kTimeout;  // also when a debugger interrupts: the caller waits again
  }
}

}  // namespace kmem::service
