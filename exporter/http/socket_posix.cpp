#include "exporter/http/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include "exporter/http/socket_addresses.h"

namespace kmem::http {
namespace {

int fd(const Socket& socket) { return static_cast<int>(socket.handle()); }

std::string reason(int error) { return std::system_category().message(error); }

IoStatus status_of(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR ? IoStatus::kWouldBlock : IoStatus::kFailed;
}

void set_option(const Socket& socket, int level, int name, int value) {
  ::setsockopt(fd(socket), level, name, &value, sizeof value);
}

base::Error bind_error(std::uint16_t port, int error) {
  const auto number = std::to_string(port);
  if (error == EADDRINUSE) return {base::ErrorCode::kIo, "port " + number + " is in use"};
  if (error == EACCES) return {base::ErrorCode::kPermission, "port " + number + " needs privileges"};
  return {base::ErrorCode::kIo, reason(error)};
}

}  // namespace

base::Result<Socket> listen_at(const sockaddr* address, socklen_t length, std::uint16_t port, bool take_ipv4) {
  Socket socket(::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return base::Error{base::ErrorCode::kUnsupported, reason(errno)};
  set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (address->sa_family == AF_INET6) set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, take_ipv4 ? 0 : 1);
  if (::bind(fd(socket), address, length) != 0) {
    if (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT) return base::Error{base::ErrorCode::kUnsupported, reason(errno)};
    return bind_error(port, errno);
  }
  if (::listen(fd(socket), SOMAXCONN) != 0) return bind_error(port, errno);
  return socket;
}

std::string lookup_reason(int error) { return ::gai_strerror(error); }

void Socket::close() {
  if (handle_ != kNone) ::close(static_cast<int>(std::exchange(handle_, kNone)));
}

base::Result<void> start_sockets() { return {}; }

base::Result<void> raise_descriptor_limit(std::size_t needed) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed) return {};
  const auto allowed = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? needed : std::min<rlim_t>(needed, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= needed) return {};
  return base::Error{base::ErrorCode::kInvalid,
                     "needs " + std::to_string(needed) + " open files, and this process may have " +
                         std::to_string(std::max(allowed, limit.rlim_max == RLIM_INFINITY ? allowed : limit.rlim_cur)) +
                         "; lower it, or raise the limit (ulimit -n, LimitNOFILE=)"};
}

base::Result<Socket> listen_on(const std::string& host, std::uint16_t port) { return listen_by_name(host, port); }

std::uint16_t local_port(const Socket& socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd(socket), reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  return port_of(address);
}

Accepted accept_from(const Socket& listener) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  Socket socket(::accept4(fd(listener), reinterpret_cast<sockaddr*>(&address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) {
    const bool full = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    return {full ? IoStatus::kFailed : IoStatus::kWouldBlock, {}, {}};
  }
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  return {IoStatus::kDone, std::move(socket), numeric_host(address, length)};
}

IoResult receive(const Socket& socket, std::span<char> buffer) {
  const auto count = ::recv(fd(socket), buffer.data(), buffer.size(), 0);
  if (count > 0) return {IoStatus::kDone, static_cast<std::size_t>(count)};
  if (count == 0) return {IoStatus::kEnd, 0};
  return {status_of(errno), 0};
}

IoResult send_some(const Socket& socket, std::string_view bytes) {
  const auto count = ::send(fd(socket), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count >= 0) return {IoStatus::kDone, static_cast<std::size_t>(count)};
  return {status_of(errno), 0};
}

void shut_down_sending(const Socket& socket) { ::shutdown(fd(socket), SHUT_WR); }

void wait_for_sockets(std::span<Interest> interests, int timeout_ms) {
  std::vector<pollfd> polled;
  polled.reserve(interests.size());
  for (const auto& each : interests) {
    const int events = (each.read ? POLLIN : 0) | (each.write ? POLLOUT : 0);
    polled.push_back({static_cast<int>(each.handle), static_cast<short>(events), 0});
  }
  if (::poll(polled.data(), static_cast<nfds_t>(polled.size()), timeout_ms) <= 0) return;
  for (std::size_t i = 0; i < polled.size(); ++i) {
    interests[i].readable = (polled[i].revents & POLLIN) != 0;
    interests[i].writable = (polled[i].revents & POLLOUT) != 0;
    interests[i].failed = (polled[i].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
  }
}

base::Result<Wakeup> Wakeup::create() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
    return base::Error{base::ErrorCode::kIo, "socketpair: " + reason(errno)};
  }
  Wakeup result;
  result.receiver_ = Socket(pair[0]);
  result.sender_ = Socket(pair[1]);
  return result;
}

// A full buffer means that a wake-up is already on its way.
void Wakeup::wake() const { send_some(sender_, "w"); }

void Wakeup::drain() const {
  // More than these are heard of in the next round.
  char buffer[256];
  receive(receiver_, buffer);
}

}  // namespace kmem::http
