#include "exporter/http/socket.h"

// Above the largest max_connections and the listeners. select, because WSAPoll came with NT 6.0.
#define FD_SETSIZE 4352
#include <winsock2.h>
#include <ws2tcpip.h>

#include <memory>
#include <system_error>
#include <thread>

#include "exporter/http/socket_addresses.h"

namespace kmem::http {
namespace {

// mingw's headers hide it below NT 6.0, where setsockopt answers that it does not know it.
constexpr int kIpv6V6Only = 27;

SOCKET raw(const Socket& socket) { return static_cast<SOCKET>(socket.handle()); }

Socket owned(SOCKET handle) { return Socket(handle == INVALID_SOCKET ? Socket::kNone : static_cast<std::intptr_t>(handle)); }

std::string reason(int error) { return std::system_category().message(error); }

IoStatus last_status() { return ::WSAGetLastError() == WSAEWOULDBLOCK ? IoStatus::kWouldBlock : IoStatus::kFailed; }

int set_option(const Socket& socket, int level, int name, DWORD value) {
  return ::setsockopt(raw(socket), level, name, reinterpret_cast<const char*>(&value), sizeof value);
}

Socket open_socket(int family, int type) {
  auto socket = owned(::socket(family, type, 0));
  if (socket) {
    u_long non_blocking = 1;
    ::ioctlsocket(raw(socket), static_cast<long>(FIONBIO), &non_blocking);
    ::SetHandleInformation(reinterpret_cast<HANDLE>(raw(socket)), HANDLE_FLAG_INHERIT, 0);
  }
  return socket;
}

base::Error bind_error(std::uint16_t port, int error) {
  const auto number = std::to_string(port);
  if (error == WSAEADDRINUSE) return {base::ErrorCode::kIo, "port " + number + " is in use"};
  // With SO_EXCLUSIVEADDRUSE, a port that another account's program holds exclusively is WSAEACCES.
  if (error == WSAEACCES) return {base::ErrorCode::kPermission, "port " + number + " is in use or reserved"};
  return {base::ErrorCode::kIo, reason(error)};
}

}  // namespace

base::Result<Socket> listen_at(const sockaddr* address, socklen_t length, std::uint16_t port, bool take_ipv4) {
  auto socket = open_socket(address->sa_family, SOCK_STREAM);
  if (!socket) return base::Error{base::ErrorCode::kUnsupported, reason(::WSAGetLastError())};
  set_option(socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1);
  // NT 5.2 has no socket for both families and refuses the option.
  if (address->sa_family == AF_INET6 && set_option(socket, IPPROTO_IPV6, kIpv6V6Only, take_ipv4 ? 0 : 1) != 0 && take_ipv4) {
    return base::Error{base::ErrorCode::kUnsupported, reason(::WSAGetLastError())};
  }
  if (::bind(raw(socket), address, length) != 0) {
    const int error = ::WSAGetLastError();
    if (error == WSAEADDRNOTAVAIL || error == WSAEAFNOSUPPORT) {
      return base::Error{base::ErrorCode::kUnsupported, reason(error)};
    }
    return bind_error(port, error);
  }
  if (::listen(raw(socket), SOMAXCONN) != 0) return bind_error(port, ::WSAGetLastError());
  return socket;
}

std::string lookup_reason(int error) { return reason(error); }

void Socket::close() {
  if (handle_ != kNone) ::closesocket(static_cast<SOCKET>(std::exchange(handle_, kNone)));
}

base::Result<void> start_sockets() {
  static const int error = [] {
    WSADATA data;
    return ::WSAStartup(MAKEWORD(2, 2), &data);
  }();
  if (error != 0) return base::Error{base::ErrorCode::kIo, "winsock: " + reason(error)};
  return {};
}

base::Result<void> raise_descriptor_limit(std::size_t) { return {}; }  // handles have no such limit

base::Result<Socket> listen_on(const std::string& host, std::uint16_t port) { return listen_by_name(host, port); }

std::uint16_t local_port(const Socket& socket) {
  sockaddr_storage address{};
  int length = sizeof address;
  if (::getsockname(raw(socket), reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  return port_of(address);
}

Accepted accept_from(const Socket& listener) {
  sockaddr_storage address{};
  int length = sizeof address;
  auto socket = owned(::accept(raw(listener), reinterpret_cast<sockaddr*>(&address), &length));
  if (!socket) {
    const int error = ::WSAGetLastError();
    return {error == WSAEMFILE || error == WSAENOBUFS ? IoStatus::kFailed : IoStatus::kWouldBlock, {}, {}};
  }
  u_long non_blocking = 1;
  ::ioctlsocket(raw(socket), static_cast<long>(FIONBIO), &non_blocking);
  ::SetHandleInformation(reinterpret_cast<HANDLE>(raw(socket)), HANDLE_FLAG_INHERIT, 0);
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  return {IoStatus::kDone, std::move(socket), numeric_host(address, length)};
}

IoResult receive(const Socket& socket, std::span<char> buffer) {
  const int count = ::recv(raw(socket), buffer.data(), static_cast<int>(buffer.size()), 0);
  if (count > 0) return {IoStatus::kDone, static_cast<std::size_t>(count)};
  if (count == 0) return {IoStatus::kEnd, 0};
  return {last_status(), 0};
}

IoResult send_some(const Socket& socket, std::string_view bytes) {
  // Winsock copies a whole send whatever the buffer's size is, so that pieces keep what a slow reader holds small.
  constexpr std::size_t kPieceBytes = 64 * 1024;
  const auto piece = bytes.substr(0, kPieceBytes);
  const int count = ::send(raw(socket), piece.data(), static_cast<int>(piece.size()), 0);
  if (count >= 0) return {IoStatus::kDone, static_cast<std::size_t>(count)};
  return {last_status(), 0};
}

void shut_down_sending(const Socket& socket) { ::shutdown(raw(socket), SD_SEND); }

void wait_for_sockets(std::span<Interest> interests, int timeout_ms) {
  const auto reading = std::make_unique<fd_set>();
  const auto writing = std::make_unique<fd_set>();
  reading->fd_count = writing->fd_count = 0;
  // Not FD_SET: it searches the whole set for a duplicate at every call.
  for (const auto& each : interests) {
    const auto handle = static_cast<SOCKET>(each.handle);
    if (each.read && reading->fd_count < FD_SETSIZE) reading->fd_array[reading->fd_count++] = handle;
    if (each.write && writing->fd_count < FD_SETSIZE) writing->fd_array[writing->fd_count++] = handle;
  }
  timeval timeout{timeout_ms / 1000, (timeout_ms % 1000) * 1000};
  const int ready = ::select(0, reading.get(), writing.get(), nullptr, timeout_ms < 0 ? nullptr : &timeout);
  if (ready == SOCKET_ERROR) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  if (ready <= 0) return;
  for (auto& each : interests) {
    const auto handle = static_cast<SOCKET>(each.handle);
    each.readable = each.read && ::__WSAFDIsSet(handle, reading.get()) != 0;
    each.writable = each.write && ::__WSAFDIsSet(handle, writing.get()) != 0;
  }
}

// A datagram socket that talks to itself: the one thing select can wait for that another thread can trigger.
base::Result<Wakeup> Wakeup::create() {
  Wakeup result;
  result.receiver_ = open_socket(AF_INET, SOCK_DGRAM);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  int length = sizeof address;
  const auto self = reinterpret_cast<sockaddr*>(&address);
  if (!result.receiver_ || ::bind(raw(result.receiver_), self, length) != 0 ||
      ::getsockname(raw(result.receiver_), self, &length) != 0 || ::connect(raw(result.receiver_), self, length) != 0) {
    return base::Error{base::ErrorCode::kIo, "loopback datagram socket: " + reason(::WSAGetLastError())};
  }
  return result;
}

void Wakeup::wake() const { send_some(receiver_, "w"); }

void Wakeup::drain() const {
  char buffer[16];
  while (receive(receiver_, buffer).status == IoStatus::kDone) {}
}

}  // namespace kmem::http
