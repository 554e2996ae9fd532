#include "exporter/terminal/vt_painter.h"

#include <utility>

namespace kmem::terminal {
namespace {

const char* style_code(Style style) {
  switch (style) {
    case Style::kBar: return "\x1b[7m";
    case Style::kStrong: return "\x1b[1m";
    case Style::kAlarm: return "\x1b[1;31m";
    case Style::kPlain: break;
  }
  return "";
}

}  // namespace

std::string VtPainter::paint(const Frame& frame, Size size) {
  std::string out;
  if (!known_ || size != size_) {
    out = "\x1b[0m\x1b[2J";
    shown_.assign(size.rows, {});
    size_ = size;
    known_ = true;
  }
  Frame next = fitted(frame, size);
  for (std::size_t row = 0; row < size.rows; ++row) {
    const Line& line = next[row];
    if (line == shown_[row]) continue;
    out.append("\x1b[").append(std::to_string(row + 1)).append(";1H").append(style_code(line.style)).append(line.text);
    if (line.style != Style::kPlain) out += "\x1b[0m";
    // In the last column the cursor stays on the character just drawn, which this would erase.
    if (line.text.size() < size.columns) out += "\x1b[K";
  }
  shown_ = std::move(next);
  return out;
}

}  // namespace kmem::terminal
