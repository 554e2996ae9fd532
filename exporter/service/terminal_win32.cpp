#include "exporter/service/terminal.h"

#include <io.h>
#include <windows.h>

#include <cstdio>

namespace kmem::service {

bool stderr_is_terminal() {
  return _isatty(_fileno(stderr)) != 0;
}

bool shows_utf8() {
  return GetConsoleOutputCP() == CP_UTF8;
}

}  // namespace kmem::service
