#include "exporter/agent/host_identity.h"

#include "collectors/base/host_key.h"

namespace kmem {

std::string host_identity(base::FileSystem& files) {
  const auto text = base::read_file(files, "/etc/machine-id", 256);
  if (!text) return {};
  return base::host_key(text->substr(0, text->find_first_of(" \t\r\n")));
}

}  // namespace kmem
