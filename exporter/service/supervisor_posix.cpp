#include "exporter/service/supervisor.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

namespace kmem::service {
namespace {

std::string_view variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

int run_hosted(const std::function<int()>& body) { return body(); }

bool is_windows_service() { return false; }

Supervisor::Supervisor() {
  address_ = variable("NOTIFY_SOCKET");
  if (address_.size() < 2 || address_.size() > sizeof(sockaddr_un::sun_path) || (address_[0] != '/' && address_[0] != '@'))
    address_.clear();
  if (address_.empty()) return;
  if (address_[0] == '@') address_[0] = '\0';  // Linux' abstract names
  socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  // A service manager that does not read must not stop the exporter.
  const timeval patience{1, 0};
  if (socket_ >= 0) (void)setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);

  const std::string_view watched = variable("WATCHDOG_PID");
  const auto period_us = number(variable("WATCHDOG_USEC"));
  if (!period_us || *period_us <= 0 || (!watched.empty() && number(watched) != getpid())) return;
  // Twice within the period, as sd_watchdog_enabled(3) advises.
  watched_ = true;
  heartbeat_ = std::clamp(std::chrono::milliseconds(*period_us / 2000), std::chrono::milliseconds(1), heartbeat_);
}

Supervisor::~Supervisor() {
  if (socket_ >= 0) close(socket_);
}

void Supervisor::tell(const std::string& state) const {
  if (socket_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  (void)sendto(socket_, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), length);
}

void Supervisor::ready() { tell("READY=1\nSTATUS=serving"); }

void Supervisor::reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t microseconds = static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void Supervisor::stopping() { tell("STOPPING=1\nSTATUS=saving what was learnt"); }

void Supervisor::alive() { tell("WATCHDOG=1"); }

}  // namespace kmem::service
