// A client with the manners that a test wants: raw bytes out, replies or raw bytes back.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "exporter/http/socket.h"

namespace kmem::http {

/// Connected to 127.0.0.1 (or ::1), non-blocking; empty if refused. `receive_bytes` > 0 shrinks the receive buffer.
Socket connect_to(std::uint16_t port, int receive_bytes = 0, bool ipv6 = false);
/// Closes with a reset instead of an orderly end.
void reset(Socket& socket);

struct Reply {
  int status = 0;                              // 0: none came
  std::map<std::string, std::string> headers;  // lower-case names
  std::string head;
  std::string body;

  [[nodiscard]] std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

class Client {
 public:
  using Millis = std::chrono::milliseconds;

  explicit Client(std::uint16_t port, int receive_bytes = 0, bool ipv6 = false)
      : socket_(connect_to(port, receive_bytes, ipv6)) {}

  /// Bytes that could be sent before the connection failed or time ran out.
  std::size_t send(std::string_view bytes, Millis limit = Millis(5000));
  Reply reply(bool head = false, Millis limit = Millis(30'000));
  Reply get(const std::string& path, const std::string& headers = "");
  /// Everything until the server ends the connection; sets closed().
  std::string read_all(Millis limit = Millis(30'000));
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] bool connected() const { return static_cast<bool>(socket_); }
  /// Gives its own buffer's memory back.
  void forget() { std::string().swap(in_); }
  void half_close() { shut_down_sending(socket_); }
  void close() { socket_.close(); }
  void reset_now() { reset(socket_); }

 private:
  bool fill(std::chrono::steady_clock::time_point until);

  Socket socket_;
  std::string in_;
  bool closed_ = false;
};

}  // namespace kmem::http
