// What the outside asks of a running program: stop (SIGTERM, SIGINT; Ctrl-C, Ctrl-Break, logoff) or reload (SIGHUP).
// Make one Signals before any other thread starts, so that every thread inherits the blocked signals.
// Thread: wait() from one thread; wake() from any.
#pragma once

#include <chrono>
#include <memory>

namespace kmem::service {

enum class Event { kTimeout, kStop, kReload };

class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Sleeps until something is asked or `timeout` has passed.
  [[nodiscard]] Event wait(std::chrono::milliseconds timeout);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kmem::service
