// What is to be seen on a screen: lines of text, top to bottom. Text is drawn as it is but for bytes outside printable
// ASCII, which become '?': whatever a frame holds, no terminal obeys it. Thread: value types. Failure: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kmem::terminal {

struct Size {
  std::size_t rows = 24, columns = 80;
  bool operator==(const Size&) const = default;
};

enum class Style : std::uint8_t {
  kPlain,
  kBar,  // reversed over the whole width
  kStrong,
  kAlarm,
};

struct Line {
  std::string text;
  Style style = Style::kPlain;
  bool operator==(const Line&) const = default;
};

using Frame = std::vector<Line>;

/// At most `columns` bytes, all of them printable ASCII.
[[nodiscard]] std::string drawable(std::string_view text, std::size_t columns);

/// The frame with exactly size.rows lines as they are drawn: cut, harmless, bars as long as the screen is wide.
[[nodiscard]] Frame fitted(const Frame& frame, Size size);

}  // namespace kmem::terminal
