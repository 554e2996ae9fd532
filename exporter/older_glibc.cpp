// The C++ library that is inside the program was built for Debian 12, and takes random numbers from a function that glibc has
// since 2.36. Found here first, it is not asked of the system, and 2.35 will do (tests/e2e/hardening_test.py).
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

extern "C" std::uint32_t arc4random() noexcept {
  std::uint32_t value = 0;
  if (::getentropy(&value, sizeof value) != 0) std::abort();  // no such call: Linux before 3.17
  return value;
}
