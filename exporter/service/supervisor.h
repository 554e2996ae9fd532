// Who started the program and hears how it does: systemd (datagrams to NOTIFY_SOCKET), the Windows service manager, or
// nobody. Thread: run_hosted() once, from main; a Supervisor belongs to one thread. Failure: what cannot be told is
// dropped; a service manager that hears nothing acts by itself.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace kmem::service {

/// Runs `body`: on the Windows service manager's thread where that started this program, else right here. Gives what
/// body gives.
[[nodiscard]] int run_hosted(const std::function<int()>& body);

/// Started by the Windows service manager: nobody reads stderr, the log goes to the event log.
[[nodiscard]] bool is_windows_service();

class Supervisor {
 public:
  Supervisor();
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Requests are served, also after reloading().
  void ready();
  void reloading();
  void stopping();
  void alive();
  /// Somebody waits for alive().
  [[nodiscard]] bool is_watched() const { return watched_; }
  /// How often alive() is due; hours where nobody waits for it.
  [[nodiscard]] std::chrono::milliseconds heartbeat() const { return heartbeat_; }

 private:
  void tell(const std::string& state) const;

  std::chrono::milliseconds heartbeat_{std::chrono::hours(1)};
  bool watched_ = false;
  std::string address_;               // of systemd's socket as sockaddr_un takes it; empty: nobody listens
  [[maybe_unused]] int socket_ = -1;  // Windows has none
};

}  // namespace kmem::service
