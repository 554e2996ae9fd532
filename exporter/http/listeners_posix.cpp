#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <fcntl.h>

#include "exporter/http/socket.h"

namespace kmem::http {
namespace {

constexpr mode_t kAccess = 0660;
constexpr int kFirstPassed = 3;  // sd_listen_fds(3)
constexpr int kMostPassed = 16;

int listener_fd(const Socket& socket) { return static_cast<int>(socket.handle()); }

base::Error os_error(const std::string& what, int error = errno) {
  const auto code = error == EACCES || error == EPERM ? base::ErrorCode::kPermission : base::ErrorCode::kIo;
  return {code, what + ": " + std::system_category().message(error)};
}

Socket unix_socket() { return Socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

/// What an ended process has left behind is removed; nothing else is.
base::Result<void> make_way(const std::string& path, const sockaddr_un& address) {
  struct stat is {};
  if (::lstat(path.c_str(), &is) != 0) return errno == ENOENT ? base::Result<void>() : os_error(path);
  if (!S_ISSOCK(is.st_mode)) return base::Error{base::ErrorCode::kInvalid, path + " is there and is no socket"};
  const Socket probe = unix_socket();
  if (!probe) return os_error(path);
  if (::connect(listener_fd(probe), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN)
    return base::Error{base::ErrorCode::kIo, path + " is in use"};
  if (errno != ECONNREFUSED) return os_error(path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return os_error(path);
  return {};
}

int number_of_environment(const char* name) {
  const char* const text = std::getenv(name);
  int number = -1;
  if (text != nullptr) {
    const auto end = text + std::strlen(text);
    if (std::from_chars(text, end, number).ptr != end) number = -1;
  }
  return number;
}

}  // namespace

base::Result<Socket> listen_on_path(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return base::Error{base::ErrorCode::kInvalid, path + " is too long"};
  std::memcpy(address.sun_path, path.c_str(), path.size());
  if (auto free = make_way(path, address); !free) return free.error();
  Socket socket = unix_socket();
  if (!socket) return os_error(path);
  // Linux gives the new name the socket's own access: it is never wider than this, not even for a moment.
  if (::fchmod(listener_fd(socket), kAccess) != 0) return os_error(path);
  if (::bind(listener_fd(socket), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return os_error(path);
  if (::chmod(path.c_str(), kAccess) != 0 || ::listen(listener_fd(socket), SOMAXCONN) != 0) return os_error(path);
  return socket;
}

SocketName name_of_path(const std::string& path) {
  struct stat is {};
  if (::lstat(path.c_str(), &is) != 0) return {path};
  return {path, is.st_dev, is.st_ino};
}

void remove_name(const SocketName& name) {
  const SocketName found = name_of_path(name.path);
  if (found.number != 0 && found.device == name.device && found.number == name.number) ::unlink(name.path.c_str());
}

base::Result<std::vector<Socket>> passed_sockets() {
  const int process = number_of_environment("LISTEN_PID"), count = number_of_environment("LISTEN_FDS");
  if (count < 1 || process != static_cast<int>(::getpid()))
    return base::Error{base::ErrorCode::kInvalid, "systemd passes no sockets: is kmem_exporter.socket started?"};
  if (count > kMostPassed)
    return base::Error{base::ErrorCode::kInvalid, "systemd passes more than " + std::to_string(kMostPassed) + " sockets"};
  std::vector<Socket> sockets;
  for (int i = 0; i < count; ++i) {
    Socket socket(kFirstPassed + i);
    int type = 0, listens = 0;
    socklen_t length = sizeof type;
    const std::string name = "descriptor " + std::to_string(kFirstPassed + i);
    if (::getsockopt(listener_fd(socket), SOL_SOCKET, SO_TYPE, &type, &length) != 0) return os_error(name);
    length = sizeof listens;
    if (::getsockopt(listener_fd(socket), SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0) return os_error(name);
    if (type != SOCK_STREAM || listens == 0)
      return base::Error{base::ErrorCode::kInvalid, name + " is no listening stream socket; the unit wants Accept=no"};
    const int flags = ::fcntl(listener_fd(socket), F_GETFL);
    if (flags == -1 || ::fcntl(listener_fd(socket), F_SETFL, flags | O_NONBLOCK) != 0 ||
        ::fcntl(listener_fd(socket), F_SETFD, FD_CLOEXEC) != 0)
      return os_error(name);
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

}  // namespace kmem::http
