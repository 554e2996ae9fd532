// Which installation of an operating system this is, so that history copied to another one is not taken for its own:
// a keyed hash of /etc/machine-id on Linux, of the registry's MachineGuid on Windows. Read once. Failure: empty when
// there is none.
#pragma once

#include <string>

#include "collectors/base/file_io.h"

namespace kmem {

[[nodiscard]] std::string host_identity(base::FileSystem& files);

}  // namespace kmem
