#include <winsock2.h>

#include "exporter/http/socket.h"

namespace kmem::http {

base::Result<Socket> listen_on_path(const std::string& path) {
  return base::Error{base::ErrorCode::kUnsupported, path + ": sockets in the file system are not for Windows"};
}

SocketName name_of_path(const std::string& path) { return {path}; }

void remove_name(const SocketName&) {}

base::Result<std::vector<Socket>> passed_sockets() {
  return base::Error{base::ErrorCode::kUnsupported, "web.systemd_socket is for Linux"};
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

}  // namespace kmem::http
