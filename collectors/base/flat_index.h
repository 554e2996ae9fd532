// 64-bit keys -> slots of the caller's own array, by open addressing. Of a key 32 mixed bits are kept, which two owners may
// share, so a look-up asks the caller which slot is meant. Nothing is removed; the caller builds anew.
// Thread: value type. Failure: none; memory is at most 4 entries of 8 bytes a key.
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
    place({mixed(key), slot});
    ++used_;
  }

  /// The first slot under `key`, or one of the same bits, for which matches(slot) holds, else kNone.
  template <typename Matches>
  [[nodiscard]] std::uint32_t find(std::uint64_t key, Matches matches) const {
    if (entries_.empty()) return kNone;
    const std::uint32_t bits = mixed(key);
    for (std::size_t at = home(bits);; at = (at + 1) & (entries_.size() - 1)) {
      const Entry& entry = entries_[at];
      if (entry.slot == kNone) return kNone;
      if (entry.bits == bits && matches(entry.slot)) return entry.slot;
    }
  }

 private:
  struct Entry {
    std::uint32_t bits = 0;
    std::uint32_t slot = kNone;
  };

  // Multiplication spreads keys that are not hashes (process ids).
  [[nodiscard]] static std::uint32_t mixed(std::uint64_t key) {
    return static_cast<std::uint32_t>((key * 0x9E37'79B9'7F4A'7C15ULL) >> 32);
  }
  [[nodiscard]] std::size_t home(std::uint32_t bits) const { return bits >> shift_; }

  void place(const Entry& entry) {
    std::size_t at = home(entry.bits);
    while (entries_[at].slot != kNone) at = (at + 1) & (entries_.size() - 1);
    entries_[at] = entry;
  }

  void grow() {
    std::vector<Entry> old(entries_.empty() ? 64 : entries_.size() * 2);
    old.swap(entries_);
    shift_ = 32 - std::countr_zero(entries_.size());
    for (const Entry& entry : old) {
      if (entry.slot != kNone) place(entry);
    }
  }

  std::vector<Entry> entries_;
  std::size_t used_ = 0;
  int shift_ = 26;
};

}  // namespace kmem::base
