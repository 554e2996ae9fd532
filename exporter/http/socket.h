// Stage 6: the operating system's sockets behind one small wall; non-blocking, IPv4 and IPv6.
// Thread: a Socket belongs to one thread; Wakeup::wake may be called from any. Failure: Result or IoStatus, with the
// OS's reason in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/result.h"

namespace kmem::http {

/// Owns one descriptor; empty when moved from or closed.
class Socket {
 public:
  static constexpr std::intptr_t kNone = -1;

  Socket() = default;
  explicit Socket(std::intptr_t handle) : handle_(handle) {}
  Socket(Socket&& other) noexcept : handle_(std::exchange(other.handle_, kNone)) {}
  Socket& operator=(Socket&& other) noexcept {
    if (this != &other) {
      close();
      handle_ = std::exchange(other.handle_, kNone);
    }
    return *this;
  }
  ~Socket() { close(); }

  void close();
  [[nodiscard]] std::intptr_t handle() const { return handle_; }
  explicit operator bool() const { return handle_ != kNone; }

 private:
  std::intptr_t handle_ = kNone;
};

/// The remote of who comes through a socket in the file system.
inline constexpr std::string_view kOnThisMachine = "unix";

enum class IoStatus { kDone, kWouldBlock, kEnd, kFailed };

struct IoResult {
  IoStatus status = IoStatus::kFailed;
  std::size_t bytes = 0;
};

struct Accepted {
  IoStatus status = IoStatus::kFailed;  // kFailed: out of descriptors or memory
  Socket socket;
  std::string remote;  // the peer's numeric address, without port; kOnThisMachine
};

/// Needed once before any other call; on Windows it loads winsock.
base::Result<void> start_sockets();

/// Lets this process have so many descriptors, or says that it may not.
base::Result<void> raise_descriptor_limit(std::size_t needed);

/// host "" or "::" = every address: [::] that takes IPv4 too, or 0.0.0.0 where the system has no such socket.
base::Result<Socket> listen_on(const std::string& host, std::uint16_t port);
/// A socket in the file system, for its owner and group; one that nobody listens on any more is replaced.
base::Result<Socket> listen_on_path(const std::string& path);
/// A name in the file system, and which of all sockets that ever had it; none but that one is removed.
struct SocketName {
  std::string path;
  std::uint64_t device = 0, number = 0;
};
[[nodiscard]] SocketName name_of_path(const std::string& path);
void remove_name(const SocketName& name);
/// What systemd listens on and has passed to this process (LISTEN_FDS). To be asked once.
base::Result<std::vector<Socket>> passed_sockets();
/// This machine's, with or without domain; empty: unknown.
[[nodiscard]] std::string host_name();
/// 0: it has none.
[[nodiscard]] std::uint16_t local_port(const Socket& socket);

Accepted accept_from(const Socket& listener);
IoResult receive(const Socket& socket, std::span<char> buffer);
IoResult send_some(const Socket& socket, std::string_view bytes);
void shut_down_sending(const Socket& socket);

/// One socket to wait for; the last three are answers.
struct Interest {
  std::intptr_t handle = Socket::kNone;
  bool read = false;
  bool write = false;
  bool readable = false;
  bool writable = false;
  bool failed = false;  // reset by the peer: nothing can be sent any more
};

void wait_for_sockets(std::span<Interest> interests, int timeout_ms);

/// Interrupts wait_for_sockets: wait for handle() to become readable.
class Wakeup {
 public:
  static base::Result<Wakeup> create();

  void wake() const;
  void drain() const;
  [[nodiscard]] std::intptr_t handle() const { return receiver_.handle(); }

 private:
  Socket receiver_;
  Socket sender_;  // empty where one socket does both
};

}  // namespace kmem::http
