#include "exporter/terminal/keys.h"

#include <array>
#include <optional>
#include <utility>

namespace kmem::terminal {
namespace {

constexpr char kEscapeByte = '\x1b';

std::optional<Key> plain_key(char byte) {
  switch (byte) {
    case '\x03': return Key{KeyKind::kInterrupt};
    case '\x08':
    case '\x7f': return Key{KeyKind::kBackspace};
    case '\x0c': return Key{KeyKind::kRedraw};
    case '\n':
    case '\r': return Key{KeyKind::kEnter};
    default: break;
  }
  if (byte < 0x20) return std::nullopt;
  return Key{KeyKind::kCharacter, byte};
}

/// "\x1b[5~" and such; modifiers ("\x1b[1;5A") are the key without them.
std::optional<Key> sequence_key(std::string_view sequence) {
  switch (sequence.back()) {
    case 'A': return Key{KeyKind::kUp};
    case 'B': return Key{KeyKind::kDown};
    case 'C': return Key{KeyKind::kRight};
    case 'D': return Key{KeyKind::kLeft};
    case 'H': return Key{KeyKind::kHome};
    case 'F': return Key{KeyKind::kEnd};
    case '~': break;
    default: return std::nullopt;
  }
  static constexpr std::array<std::pair<std::string_view, KeyKind>, 6> kNumbered = {{{"1", KeyKind::kHome},
                                                                                     {"7", KeyKind::kHome},
                                                                                     {"4", KeyKind::kEnd},
                                                                                     {"8", KeyKind::kEnd},
                                                                                     {"5", KeyKind::kPageUp},
                                                                                     {"6", KeyKind::kPageDown}}};
  const std::string_view number = sequence.substr(2, sequence.find_first_of(";~") - 2);
  for (const auto& [text, kind] : kNumbered)
    if (number == text) return Key{kind};
  return std::nullopt;
}

bool ends_sequence(std::string_view sequence) {
  if (sequence.size() < 2) return false;
  if (sequence[1] != '[' && sequence[1] != 'O') return true;  // Alt and a key
  return sequence.size() > 2 && sequence.back() >= 0x40 && sequence.back() <= 0x7e;
}

}  // namespace

void KeyReader::feed(std::string_view bytes, std::vector<Key>& out) {
  for (const char byte : bytes) {
    if (pending_.empty() && byte != kEscapeByte) {
      if (const auto key = plain_key(byte)) out.push_back(*key);
      continue;
    }
    if (pending_.size() == 1 && byte == kEscapeByte) {
      out.push_back({KeyKind::kEscape});
      continue;
    }
    pending_ += byte;
    if (ends_sequence(pending_)) {
      if (pending_.size() > 2)
        if (const auto key = sequence_key(pending_)) out.push_back(*key);
      pending_.clear();
    } else if (pending_.size() >= kLongestSequence) {
      pending_.clear();
    }
  }
}

void KeyReader::settle(std::vector<Key>& out) {
  if (pending_.size() == 1) out.push_back({KeyKind::kEscape});
  pending_.clear();
}

}  // namespace kmem::terminal
