#include "exporter/terminal/frame.h"

namespace kmem::terminal {

std::string drawable(std::string_view text, std::size_t columns) {
  std::string out(text.substr(0, columns));
  for (char& c : out)
    if (c < 0x20 || c > 0x7e) c = '?';
  return out;
}

Frame fitted(const Frame& frame, Size size) {
  Frame out(size.rows);
  for (std::size_t row = 0; row < size.rows && row < frame.size(); ++row) {
    out[row] = {drawable(frame[row].text, size.columns), frame[row].style};
    if (out[row].style == Style::kBar) out[row].text.resize(size.columns, ' ');
  }
  return out;
}

}  // namespace kmem::terminal
