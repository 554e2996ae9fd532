#include "exporter/service/terminal.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace kmem::service {

bool stderr_is_terminal() {
  return isatty(STDERR_FILENO) == 1;
}

bool shows_utf8() {
  for (const char* name : std::array{"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const text = std::getenv(name);
    if (text == nullptr || *text == '\0') continue;
    const std::string_view locale(text);
    for (const std::string_view spelling : std::array<std::string_view, 4>{"UTF-8", "utf-8", "UTF8", "utf8"})
      if (locale.find(spelling) != std::string_view::npos) return true;
    return false;
  }
  return false;
}

}  // namespace kmem::service
