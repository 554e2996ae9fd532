#include "tests/exporter/http/client.h"

#include <winsock2.h>
#include <ws2tcpip.h>

namespace kmem::http {

Socket connect_to(std::uint16_t port, int receive_bytes, bool ipv6) {
  if (!start_sockets()) return {};
  const SOCKET handle = ::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
  if (handle == INVALID_SOCKET) return {};
  Socket socket(static_cast<std::intptr_t>(handle));
  if (receive_bytes > 0) {
    ::setsockopt(handle, SOL_SOCKET, SO_RCVBUF, reinterpret_cast<const char*>(&receive_bytes), sizeof receive_bytes);
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = ::htons(port);
  v4.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = ::htons(port);
  v6.sin6_addr.s6_addr[15] = 1;
  const int failed = ipv6 ? ::connect(handle, reinterpret_cast<sockaddr*>(&v6), sizeof v6)
                          : ::connect(handle, reinterpret_cast<sockaddr*>(&v4), sizeof v4);
  if (failed != 0) return {};
  u_long non_blocking = 1;
  ::ioctlsocket(handle, FIONBIO, &non_blocking);
  return socket;
}

void reset(Socket& socket) {
  const linger now{1, 0};
  ::setsockopt(static_cast<SOCKET>(socket.handle()), SOL_SOCKET, SO_LINGER, reinterpret_cast<const char*>(&now), sizeof now);
  socket.close();
}

}  // namespace kmem::http
