// The person's screen and keyboard, taken over while a Terminal lives: an alternate screen without a cursor, keys as
// they are pressed. Its end, an exception, a signal to stop and a crash all give back what was there before.
// Thread: one. Failure: open() says why there is no terminal; draw() once the terminal has gone away.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "collectors/base/result.h"
#include "exporter/terminal/frame.h"
#include "exporter/terminal/keys.h"

namespace kmem::terminal {

struct Input {
  enum class What : std::uint8_t { kTimeout, kKey, kResized, kStop };
  What what = What::kTimeout;
  Key key;  // of kKey
};

class Terminal {
 public:
  virtual ~Terminal() = default;
  [[nodiscard]] virtual Size size() const = 0;
  [[nodiscard]] virtual base::Result<void> draw(const Frame& frame) = 0;
  /// Sleeps until something happens or `timeout` has passed.
  [[nodiscard]] virtual Input wait(std::chrono::milliseconds timeout) = 0;
};

/// Standard output is a screen. Unknown reads as no, here and below; any thread may ask.
[[nodiscard]] bool stdout_is_terminal();
[[nodiscard]] bool stderr_is_terminal();
/// Block characters can be shown: the locale is UTF-8, or the Windows console's code page is.
[[nodiscard]] bool shows_utf8();
/// Standard input and output. At most one at a time, and made before other threads are, which inherit what signals it
/// holds back.
[[nodiscard]] base::Result<std::unique_ptr<Terminal>> open_terminal();

}  // namespace kmem::terminal
