// What a file holds, for a test to compare.
#pragma once

#include <string>

#include "collectors/base/file_io.h"

namespace kmem::test {

/// Of a file of at most 1 MiB; the error in angle brackets.
inline std::string content_of(const std::string& path) {
  const auto content = base::read_file(base::os_file_system(), path, 1 << 20);
  return content ? *content : "<" + content.error().message + ">";
}

}  // namespace kmem::test
