// Where a value in a driver's code comes from, as sets: all that it may be, by each way through a function. Sets are
// numbered, so that a state of the machine is small and two of them are compared at once.
// Thread: value type of one analysis. Bounds: kMostOrigins a set, kMostSets sets; beyond, what is not known. Failure: none.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>

namespace kmem::drivers {

struct Origin {
  enum Kind : std::uint8_t {
    kAny,        // unknown; `value` times what `more` stands for, if that is not 0
    kNumber,     // `value`; `more` is the upper half of 64 bits
    kImage,      // an address in the image, relative to its base
    kTable,      // that, and a multiple of `more`
    kStack,      // an address on the stack, relative to where the function found it, and a multiple of `more`
    kParameter,  // of the function, number `value`, as a pointer moved on by `more`
    kField,      // read at `value` behind a pointer: parameter `more` - 1, or unknown (0)
    kLoad,       // read at an address in the image
    kTableLoad,  // read from a table there, whose rows are `more` & FFFFh bytes apart; above that, how many, or 0
    kImport,     // function number `value` of the image's imports
    kResult,     // of the image's own function at `value`
    kVector,     // 16 bytes read at an address in the image
  } kind = kAny;
  std::uint32_t value = 0, more = 0;

  auto operator<=>(const Origin&) const = default;
};

class ValueSets {
 public:
  using Id = std::uint32_t;
  static constexpr Id kUnknown = 0;
  static constexpr std::size_t kMostOrigins = 8, kMostSets = 1U << 17;

  ValueSets();
  [[nodiscard]] std::span<const Origin> of(Id id) const { return {sets_[id].origins.data(), sets_[id].count}; }
  [[nodiscard]] Id one(const Origin& origin);
  [[nodiscard]] Id number(std::uint32_t value, std::uint32_t upper = 0) { return one({Origin::kNumber, value, upper}); }
  /// The same set of another's; what is unknown there is nothing more.
  [[nodiscard]] Id copy(const ValueSets& other, Id id);
  void clear();
  /// All of both. `again`: where a way back leads, or 0: what moves on there counts, and an address is one in a table.
  [[nodiscard]] Id join(Id a, Id b, std::uint32_t again = 0);
  [[nodiscard]] Id add(Id a, Id b);
  [[nodiscard]] Id scale(Id a, std::uint32_t by);
  /// Each number of a with each of b; unknown where one is none.
  template <typename Of>
  [[nodiscard]] Id combine(Id a, Id b, Of of) {
    Set out;
    for (const Origin& x : this->of(a))
      for (const Origin& y : this->of(b))
        insert(out, x.kind == Origin::kNumber && y.kind == Origin::kNumber ? Origin{Origin::kNumber, of(x.value, y.value), 0}
                                                                           : Origin{});
    return keep(out);
  }
  /// Unknown bits are each set or not, if they are few.
  [[nodiscard]] Id mask(Id a, std::uint32_t bits);

 private:
  struct Set {
    std::array<Origin, kMostOrigins> origins{};
    std::uint8_t count = 0;
    bool operator==(const Set& other) const;
  };
  [[nodiscard]] static std::size_t hash(const Set& set);
  static void insert(Set& set, const Origin& origin);
  Id keep(const Set& set);

  std::deque<Set> sets_;                          // what of() gives stays where it is
  std::unordered_multimap<std::size_t, Id> ids_;  // by hash
};

}  // namespace kmem::drivers
