#include "collectors/windows/nt_status.h"

#include <cstdio>

namespace kmem::windows {

std::string status_text(NtStatus status) {
  char text[11];
  std::snprintf(text, sizeof(text), "0x%08x", static_cast<unsigned>(status));
  return text;
}

}  // namespace kmem::windows
