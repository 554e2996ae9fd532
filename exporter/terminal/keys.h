// Bytes that a VT100-like terminal sends -> keys. A sequence may come in pieces; a lone escape is one once nothing
// follows it. Sequences that mean nothing here are dropped, and so are bytes outside ASCII.
// Thread: one. Failure: none; an endless sequence is dropped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kmem::terminal {

enum class KeyKind : std::uint8_t {
  kCharacter,
  kUp,
  kDown,
  kLeft,
  kRight,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
  kEnter,
  kEscape,
  kBackspace,
  kInterrupt,  // Ctrl-C where it is a key
  kRedraw,     // Ctrl-L
};

struct Key {
  KeyKind kind = KeyKind::kCharacter;
  char character = 0;  // of kCharacter: printable ASCII
  bool operator==(const Key&) const = default;
};

class KeyReader {
 public:
  void feed(std::string_view bytes, std::vector<Key>& out);
  /// Nothing came for a while: what waits is not the begin of a sequence.
  void settle(std::vector<Key>& out);
  [[nodiscard]] bool waits() const { return !pending_.empty(); }

 private:
  static constexpr std::size_t kLongestSequence = 32;
  std::string pending_;  // begins with an escape
};

}  // namespace kmem::terminal
