// Frames -> the bytes that make a VT100-like terminal show them: only the lines that changed, in one piece, so that
// nothing flickers. Pure; keeps what the screen shows. Thread: one. Failure: none.
#pragma once

#include <string>

#include "exporter/terminal/frame.h"

namespace kmem::terminal {

class VtPainter {
 public:
  /// Alternate screen, no cursor, no wrapping; and back to what was there before.
  static constexpr const char* kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
  static constexpr const char* kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

  /// Empty when nothing changed.
  [[nodiscard]] std::string paint(const Frame& frame, Size size);
  /// The screen may show anything by now: the next frame is drawn whole.
  void forget() { known_ = false; }

 private:
  bool known_ = false;
  Size size_;
  Frame shown_;
};

}  // namespace kmem::terminal
