// What x86 code has stored in memory in the function that is read: numbers that are read again, and pieces of texts, which
// compilers store as numbers. Thread: value type. Bounds: the last kMost stores. Failure: none; what is older is unknown.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "collectors/drivers/image_tags.h"

namespace kmem::drivers {

/// A number that may be a tag.
struct Constant {
  std::uint32_t tag = 0;        // 0: none
  Evidence least = Evidence{};  // Evidence{}: only a call makes a tag of it ...
  bool only_known = false;      // ... namely one that is known to take one
  std::uint32_t other = 0;      // this one, where a condition has chosen

  explicit operator bool() const { return tag != 0; }
};

struct Place {
  enum Kind : std::uint8_t { kRegister, kStored } kind = kRegister;
  unsigned reg = 0;         // or the base of a store: kNoRegister for none
  std::int32_t offset = 0;  // of a store; from the stack's pointer: as it was at the function's start or the last call

  bool operator==(const Place&) const = default;
};
inline constexpr unsigned kNoRegister = 16;

/// How a number looks that may be a piece of a text.
enum class Piece : std::uint8_t {
  kNone,
  kWhole,  // characters throughout
  kTail,   // two or three characters, and zeros
  kEnd,    // nothing, or one character: as often a small number
};
[[nodiscard]] Piece piece_of(std::uint32_t value);

class StoredConstants {
 public:
  void note(const Place& place, const Constant& what, Piece piece);
  /// A byte or two that end a text, or may.
  void note_narrow(const Place& place);
  [[nodiscard]] Constant at(const Place& place) const;
  /// Whether what is stored there is a piece of a text, told from its neighbours.
  [[nodiscard]] bool is_text(const Place& place) const;
  /// Whether a text of four characters would end behind it.
  [[nodiscard]] bool may_end_behind(const Place& place) const;

  [[nodiscard]] bool is_empty() const { return bases_ == 0; }
  void forget_on(unsigned base) {
    if ((bases_ & (1U << base)) != 0) erase_on(base);
  }
  /// What was stored is known still, but nothing that is stored from now on belongs to it.
  void cut();
  void clear();

 private:
  static constexpr std::size_t kMost = 16;
  struct Store {
    Place place{Place::kRegister, 0, 0};  // kRegister: none
    Constant what;
    Piece piece = Piece::kNone;
    bool is_narrow = false;
  };
  void erase_on(unsigned base);
  Store& slot(const Place& place);
  [[nodiscard]] const Store* find(const Place& place) const;

  std::array<Store, kMost> stores_{};
  std::size_t next_ = 0;
  std::uint32_t bases_ = 0;  // a bit each
};

}  // namespace kmem::drivers
