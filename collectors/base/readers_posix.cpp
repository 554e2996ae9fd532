#include <sys/stat.h>

#include <climits>
#include <cstdlib>
#include <memory>

#include "collectors/base/readers.h"

namespace kmem::base {
namespace {

bool others_may(const std::string& path, mode_t what) {
  struct stat is {};
  return ::stat(path.c_str(), &is) == 0 && (is.st_mode & what) != 0;
}

struct Freed {
  void operator()(char* text) const { std::free(text); }
};

}  // namespace

std::string other_readers(const std::string& path) {
  // Links lead elsewhere: what counts is where the file really lies.
  const std::unique_ptr<char, Freed> real(::realpath(path.c_str(), nullptr));
  if (!real) return {};
  std::string at = real.get();
  if (!others_may(at, S_IROTH)) return {};
  for (auto slash = at.rfind('/'); slash != std::string::npos && slash != 0; slash = at.rfind('/')) {
    at.resize(slash);
    if (!others_may(at, S_IXOTH)) return {};
  }
  return "all users";
}

}  // namespace kmem::base
