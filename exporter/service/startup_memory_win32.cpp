#include "exporter/service/startup_memory.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

namespace kmem::service {

void give_back_startup_memory() {
  // Both limits at their greatest: empty the working set (documented for SetProcessWorkingSetSize).
  SetProcessWorkingSetSize(GetCurrentProcess(), static_cast<SIZE_T>(-1), static_cast<SIZE_T>(-1));
}

void give_back_unused_memory() {}

void give_back_freed_memory() {}  // the heap does it by itself

}  // namespace kmem::service
