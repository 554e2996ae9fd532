#include "exporter/service/startup_memory.h"

#include <cstdint>
#include <cstdlib>  // defines __GLIBC__

#ifdef __GLIBC__
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace kmem::service {

#ifdef __GLIBC__
namespace {

/// Only segments that are mapped without write access: their pages are the file's own, so dropping them loses nothing.
/// (What the linker wrote to, relocated tables included, lies in the writable segment.)
int drop_pages(dl_phdr_info* object, std::size_t, void* page_bytes) {
  const auto page = *static_cast<const std::uintptr_t*>(page_bytes);
  for (int i = 0; i < object->dlpi_phnum; ++i)
    if (object->dlpi_phdr[i].p_type == PT_DYNAMIC) {
      const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
      for (; entry->d_tag != DT_NULL; ++entry)
        if (entry->d_tag == DT_TEXTREL) return 0;  // relocations in the text itself: not the file's own any more
    }
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t start = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    madvise(reinterpret_cast<void*>(start), end - start, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void give_back_startup_memory() {
  malloc_trim(0);
  std::uintptr_t page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  dl_iterate_phdr(drop_pages, &page);
}

void give_back_freed_memory() { malloc_trim(0); }
#else
void give_back_startup_memory() {}
void give_back_freed_memory() {}
#endif

}  // namespace kmem::service
