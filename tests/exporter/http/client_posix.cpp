#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/exporter/http/client.h"

namespace kmem::http {

Socket connect_to(std::uint16_t port, int receive_bytes, bool ipv6) {
  Socket socket(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int handle = static_cast<int>(socket.handle());
  if (receive_bytes > 0) ::setsockopt(handle, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = in6addr_loopback;
  const int failed = ipv6 ? ::connect(handle, reinterpret_cast<sockaddr*>(&v6), sizeof v6)
                          : ::connect(handle, reinterpret_cast<sockaddr*>(&v4), sizeof v4);
  if (failed != 0) return {};
  ::fcntl(handle, F_SETFL, ::fcntl(handle, F_GETFL) | O_NONBLOCK);
  return socket;
}

void reset(Socket& socket) {
  const linger now{1, 0};
  ::setsockopt(static_cast<int>(socket.handle()), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  socket.close();
}

}  // namespace kmem::http
