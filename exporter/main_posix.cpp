#include <cstdlib>

#include "exporter/main.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

int main(int argc, char** argv) {
#ifdef __GLIBC__
  // Otherwise glibc raises this once a saved history is freed, and keeps the room of the next ones: 20 MB for nothing.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
  return kmem::program(argc, argv);
}
