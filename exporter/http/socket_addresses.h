// Stage 6, inside: what BSD sockets and winsock spell alike; included by socket_posix.cpp and socket_win32.cpp only,
// behind their system's headers. Thread: any. Failure: as socket.h says.
#pragma once

#include "exporter/http/socket.h"

namespace kmem::http {

/// Of the system at hand: a bound, listening, non-blocking socket; kUnsupported where it knows no such address.
base::Result<Socket> listen_at(const sockaddr* address, socklen_t length, std::uint16_t port, bool take_ipv4);
/// What getaddrinfo's error means.
std::string lookup_reason(int error);

inline std::string numeric_host(const sockaddr_storage& address, socklen_t length) {
  if (address.ss_family == AF_UNIX) return std::string(kOnThisMachine);
  char host[NI_MAXHOST] = {};
  const auto* const any = reinterpret_cast<const sockaddr*>(&address);
  if (::getnameinfo(any, length, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0) return "unknown";
  const std::string_view text(host);
  return std::string(text.starts_with("::ffff:") ? text.substr(7) : text);
}

inline std::uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family != AF_INET && address.ss_family != AF_INET6) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

inline base::Result<Socket> listen_everywhere(std::uint16_t port) {
  sockaddr_in6 any6{};
  any6.sin6_family = AF_INET6;
  any6.sin6_port = htons(port);
  auto both = listen_at(reinterpret_cast<sockaddr*>(&any6), sizeof any6, port, true);
  if (both.ok() || both.error().code != base::ErrorCode::kUnsupported) return both;
  sockaddr_in any4{};
  any4.sin_family = AF_INET;
  any4.sin_port = htons(port);
  return listen_at(reinterpret_cast<sockaddr*>(&any4), sizeof any4, port, false);
}

inline base::Result<Socket> listen_by_name(const std::string& host, std::uint16_t port) {
  // As Go and nginx do; who wants IPv6 alone gives an address of the machine.
  if (host.empty() || host == "::") return listen_everywhere(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0)
    return base::Error{base::ErrorCode::kInvalid, host + ": " + lookup_reason(error)};
  base::Result<Socket> result = base::Error{base::ErrorCode::kInvalid, host + " has no address"};
  for (const addrinfo* each = found; each != nullptr && !result.ok(); each = each->ai_next)
    result = listen_at(each->ai_addr, static_cast<socklen_t>(each->ai_addrlen), port, false);
  ::freeaddrinfo(found);
  return result;
}

}  // namespace kmem::http
