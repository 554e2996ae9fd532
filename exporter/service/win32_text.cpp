#include "exporter/service/win32_text.h"

#include <windows.h>

namespace kmem::service {

base::Error system_error(const std::string& what, std::uint32_t error) {
  return {error == ERROR_ACCESS_DENIED ? base::ErrorCode::kPermission : base::ErrorCode::kIo,
          what + ": " + base::system_words(error)};
}

}  // namespace kmem::service
