// Keys that were seen, in one piece of memory: a snapshot's thousands of rows would each be an allocation otherwise.
// Thread: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace kmem::history {

class KeySet {
 public:
  /// False: it is there already.
  bool insert(std::uint64_t key) {
    if (key == 0) return !std::exchange(has_zero_, true);
    if (2 * (count_ + 1) > slots_.size()) grow();
    const std::size_t at = place_of(key);
    if (slots_[at] == key) return false;
    slots_[at] = key;
    ++count_;
    return true;
  }
  [[nodiscard]] bool contains(std::uint64_t key) const {
    if (key == 0) return has_zero_;
    return !slots_.empty() && slots_[place_of(key)] == key;
  }
  [[nodiscard]] std::size_t size() const { return count_ + (has_zero_ ? 1 : 0); }
  void clear() {
    std::fill(slots_.begin(), slots_.end(), 0);
    count_ = 0;
    has_zero_ = false;
  }

 private:
  static constexpr std::size_t kFirstSlots = 64;  // a power of two, as all sizes are

  /// Where it is, or would be.
  [[nodiscard]] std::size_t place_of(std::uint64_t key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = static_cast<std::size_t>((key * 0x9E37'79B9'7F4A'7C15U) >> 32) & mask;
    while (slots_[at] != 0 && slots_[at] != key) at = (at + 1) & mask;
    return at;
  }
  void grow() {
    std::vector<std::uint64_t> before(std::max(2 * slots_.size(), kFirstSlots));
    before.swap(slots_);
    for (const std::uint64_t key : before)
      if (key != 0) slots_[place_of(key)] = key;
  }

  std::vector<std::uint64_t> slots_;  // 0: free
  std::size_t count_ = 0;
  bool has_zero_ = false;
};

}  // namespace kmem::history
