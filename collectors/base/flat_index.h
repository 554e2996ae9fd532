// 64-bit keys -> slots of the caller's own array, by open addressing. Two owners may share a key
// (hashes collide), so a look-up asks the caller which slot is meant. Nothing is removed; the caller builds anew.
// Thread: value type. Failure: none; memory is at most 4 entries a key.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace kmem::base {

class FlatIndex {
 public:
  static constexpr std::uint32_t kNone = 0xFFFF'FFFF;

  void clear() {
    used_ = 0;
    entries_.assign(entries_.size(), {});
  }

  void insert(std::uint64_t key, std::uint32_t slot) {
    if ((used_ + 1) * 2 > entries_.size()) grow();
    place({key, slot});
    ++used_;
  }

  /// The first slot under `key` for which matches(slot) holds, else kNone.
  template <typename Matches>
  [[nodiscard]] std::uint32_t find(std::uint64_t key, Matches matches) const {
    if (entries_.empty()) return kNone;
    for (std::size_t at = home(key);; at = (at + 1) & (entries_.size() - 1)) {
      const Entry& entry = entries_[at];
      if (entry.slot == kNone) return kNone;
      if (entry.key == key && matches(entry.slot)) return entry.slot;
    }
  }

 private:
  struct Entry {
    std::uint64_t key = 0;
    std::uint32_t slot = kNone;
  };

  // Multiplication spreads keys that are not hashes (process ids).
  [[nodiscard]] std::size_t home(std::uint64_t key) const {
    return static_cast<std::size_t>((key * 0x9E37'79B9'7F4A'7C15ULL) >> shift_);
  }

  void place(const Entry& entry) {
    std::size_t at = home(entry.key);
    while (entries_[at].slot != kNone) at = (at + 1) & (entries_.size() - 1);
    entries_[at] = entry;
  }

  void grow() {
    std::vector<Entry> old(entries_.empty() ? 64 : entries_.size() * 2);
    old.swap(entries_);
    shift_ = 64 - std::countr_zero(entries_.size());
    for (const Entry& entry : old) {
      if (entry.slot != kNone) place(entry);
    }
  }

  std::vector<Entry> entries_;
  std::size_t used_ = 0;
  int shift_ = 58;
};

}  // namespace kmem::base
