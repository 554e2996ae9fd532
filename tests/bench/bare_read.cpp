// The floor under a scrape: opening, reading and closing the two /proc files that every scrape reads, as plainly as it
// can be done, and nothing else. Prints the CPU seconds of one round.
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 1000;
  if (rounds <= 0) return 2;
  std::vector<char> buffer(std::size_t{1} << 20);
  const double start = cpu_seconds();
  for (int round = 0; round < rounds; ++round) {
    for (const char* path : {"/proc/meminfo", "/proc/slabinfo"}) {
      const int file = open(path, O_RDONLY | O_CLOEXEC);
      if (file < 0) {
        std::perror(path);
        return 1;
      }
      while (read(file, buffer.data(), buffer.size()) > 0) {
      }
      close(file);
    }
  }
  std::printf("%.9f\n", (cpu_seconds() - start) / rounds);
}
