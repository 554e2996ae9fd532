#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <initializer_list>

#include "exporter/main.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

/// Whoever starts a program with these closed would have its log in the first file that it opens. What is opened here
/// the other way round cannot be read or written either.
void fill_standard_descriptors() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(number, F_GETFD) != -1) continue;
    const int opened = number == STDIN_FILENO ? open("/dev/null", O_WRONLY) : open("/dev/full", O_RDONLY);
    if (opened == -1 && open("/", O_RDONLY | O_DIRECTORY) == -1) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
#ifdef __GLIBC__
  // Otherwise glibc raises this once a saved history is freed, and keeps the room of the next ones: 20 MB for nothing.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  // Threads take turns here; a heap for each would keep what it once held.
  mallopt(M_ARENA_MAX, 1);
#endif
  fill_standard_descriptors();
  return kmem::program(argc, argv, true);
}
