#include "exporter/service/startup_memory.h"

#include <array>
#include <cstddef>
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

struct Ranges {
  std::uintptr_t page = 0;
  std::size_t count = 0;
  std::array<std::array<std::uintptr_t, 2>, 128> all;  // more than there are libraries
};

/// Only segments that are mapped without write access: their pages are the file's own, so dropping them loses nothing.
/// (What the linker wrote to, relocated tables included, lies in the writable segment.)
int note_ranges(dl_phdr_info* object, std::size_t, void* noted) {
  auto& ranges = *static_cast<Ranges*>(noted);
  for (int i = 0; i < object->dlpi_phnum; ++i)
    if (object->dlpi_phdr[i].p_type == PT_DYNAMIC) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader tells addresses as numbers
      const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
      for (; entry->d_tag != DT_NULL; ++entry)
        if (entry->d_tag == DT_TEXTREL) return 0;  // relocations in the text itself: not the file's own any more
    }
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t start = (object->dlpi_addr + segment.p_vaddr) & ~(ranges.page - 1);
    const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    if (ranges.count < ranges.all.size()) ranges.all[ranges.count++] = {start, end};
  }
  return 0;
}

}  // namespace

void give_back_startup_memory() { give_back_unused_memory(); }

void give_back_unused_memory() {
  malloc_trim(0);
  Ranges ranges;
  ranges.page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  dl_iterate_phdr(note_ranges, &ranges);
  // After all were looked at: the headers lie in what is dropped, and a look would map them again.
  for (std::size_t i = 0; i < ranges.count; ++i)
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    madvise(reinterpret_cast<void*>(ranges.all[i][0]), ranges.all[i][1] - ranges.all[i][0], MADV_DONTNEED);
}

void give_back_freed_memory() { malloc_trim(0); }
#else
void give_back_startup_memory() {}
void give_back_unused_memory() {}
void give_back_freed_memory() {}
#endif

}  // namespace kmem::service
