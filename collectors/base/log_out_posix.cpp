#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "collectors/base/log_out.h"

namespace kmem::base {
namespace {

constexpr int kPatienceMs = 100;
// What a pipe that has room takes at once (PIPE_BUF).
constexpr std::size_t kPieceBytes = 4096;

}  // namespace

bool write_to_log(std::string_view line) {
  static bool hangs = false;  // then each line asks only once
  while (!line.empty()) {
    pollfd out{STDERR_FILENO, POLLOUT, 0};
    const int ready = ::poll(&out, 1, hangs ? 0 : kPatienceMs);
    if (ready < 0 && errno == EINTR) continue;
    hangs = ready == 0;
    if (hangs) return false;
    const ssize_t put = ::write(STDERR_FILENO, line.data(), line.size() < kPieceBytes ? line.size() : kPieceBytes);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) return false;
    if (put <= 0) return true;  // nobody is there to be told, now or later
    line.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace kmem::base
