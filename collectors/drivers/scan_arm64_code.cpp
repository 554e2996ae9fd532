#include <algorithm>
#include <array>
#include <cstring>

#include "collectors/drivers/image_scan.h"

namespace kmem::drivers {
namespace {

constexpr std::uint32_t kArm64Window = 16;  // instructions from a constant to the call that it is handed to
constexpr unsigned kArguments = 8;          // x0..x7

/// Constants are made in two halves (movz, movk) or read from memory (ldr with a literal, adrp and ldr).
class Arm64CodeReader {
 public:
  Arm64CodeReader(const PeImage& image, const PeSection& section, Finds& finds)
      : image_(image), section_(section), finds_(finds) {}

  void read() {
    for (std::size_t at = 0; at + 4 <= section_.bytes.size(); at += 4) {
      std::uint32_t word = 0;
      std::memcpy(&word, section_.bytes.data() + at, sizeof word);
      ++number_;
      take(word, section_.address + static_cast<std::uint32_t>(at));
    }
    end_of_function();
    loads_.settle(image_, finds_);
  }

 private:
  struct Register {
    std::uint32_t value = 0;
    std::uint32_t address = 0;  // from adrp, and add; 0 = none
    std::uint32_t since = 0;
    std::uint32_t read_from = 0;  // 0: not read, or from among the code
    bool has_low = false, has_high = false;
    std::uint32_t stored_at = kNowhere;  // see place()
  };
  static constexpr std::uint32_t kNowhere = UINT32_MAX;

  void take(std::uint32_t word, std::uint32_t address) {
    const unsigned rd = word & 31, rn = (word >> 5) & 31;
    if ((word & 0x7F800000) == 0x52800000) return half(word, rd, true);                               // movz
    if ((word & 0x7F800000) == 0x72800000) return half(word, rd, false);                              // movk
    if ((word & 0xFF000000) == 0x18000000) return literal(word, rd, address);                         // ldr w, label
    if ((word & 0x9F000000) == 0x90000000) return page_of(word, rd, address);                         // adrp
    if ((word & 0xFF800000) == 0x91000000) return add(word, rd, rn);                                  // add x, x, #n
    if ((word & 0xFFC00000) == 0xB9400000) return load(rd, rn, ((word >> 10) & 0xFFF) << 2);          // ldr w, [x, #n]
    if ((word & 0x3B400000) == 0x39400000) return read_other(word, rd, rn);                           // the other ldr
    if ((word & 0x3B600C00) == 0x38400000) return read_other(word, rd, rn);                           // ldur
    if ((word & 0xFFC00000) == 0xB9000000) return store(rd, place(rn, ((word >> 10) & 0xFFF) << 2));  // str w, [x, #n]
    if ((word & 0xFFC00000) == 0xF9000000) return store_wide(rd);                                     // str x, [x, #n]
    if ((word & 0xFFE00C00) == 0xF8000000) return store_wide(rd);                                     // stur x
    if ((word & 0xBFC00000) == 0x39000000)                                                            // strb, strh
      return store_narrow(place(rn, ((word >> 10) & 0xFFF) << ((word >> 30) & 1)));
    if ((word & 0x3FE00C00) == 0x38000000)  // stur
      return store_narrow(place(rn, ((word >> 12) & 0x1FF)));
    if ((word & 0x7FE0FFE0) == 0x2A0003E0) return copy(rd, (word >> 16) & 31);  // mov
    if (compares(word)) return compare(rn, (word >> 16) & 31);
    if ((word & 0xFC000000) == 0x94000000 || (word & 0xFFFFFC1F) == 0xD63F0000) return call(kArm64Window);  // bl, blr
    // Away from here: the last call of a function, or just a branch.
    if ((word & 0xFC000000) == 0x14000000 || (word & 0xFFFFFC1F) == 0xD61F0000) return call(kArm64Window / 2);  // b, br
    if ((word & 0xFFFFFC1F) == 0xD65F0000) return end_of_function();                                            // ret
  }

  /// cmp (subs), eor, ccmp of registers: files' marks are told so.
  static bool compares(std::uint32_t word) {
    return (word & 0x7F200000) == 0x6B000000 || (word & 0x7F200000) == 0x4A000000 || (word & 0x7FE00C10) == 0x7A400000;
  }

  void half(std::uint32_t word, unsigned rd, bool fresh) {
    const unsigned shift = 16 * ((word >> 21) & 3);
    const std::uint32_t bits = (word >> 5) & 0xFFFF;
    if (fresh) forget(rd);
    Register& to = registers_[rd];
    if (shift > 16) return forget(rd);
    to.value = (to.value & ~(0xFFFFU << shift)) | (bits << shift);
    (shift == 0 ? to.has_low : to.has_high) = true;
    to.since = number_;
  }

  void literal(std::uint32_t word, unsigned rd, std::uint32_t address) {
    forget(rd);
    const std::uint32_t offset = ((word >> 5) & 0x7FFFF) << 2;
    read_number(rd, address + ((offset & 0x100000) != 0 ? offset | 0xFFE00000 : offset));
  }

  void page_of(std::uint32_t word, unsigned rd, std::uint32_t address) {
    forget(rd);
    const std::uint32_t pages = ((word >> 29) & 3) | (((word >> 5) & 0x7FFFF) << 2);
    registers_[rd].address = (address & ~0xFFFU) + (pages << 12);
  }

  void add(std::uint32_t word, unsigned rd, unsigned rn) {
    const std::uint32_t from = registers_[rn].address;
    const std::uint32_t number = ((word >> 10) & 0xFFF) << ((word & 0x400000) != 0 ? 12 : 0);
    forget(rd);
    if (from != 0) registers_[rd].address = from + number;
  }

  void load(unsigned rd, unsigned rn, std::uint32_t offset) {
    const std::uint32_t from = registers_[rn].address;
    forget(rd);
    if (from != 0) read_number(rd, from + offset);
  }

  /// Of another width, or with an offset in bytes.
  void read_other(std::uint32_t word, unsigned rd, unsigned rn) {
    const bool is_vector = (word & 0x04000000) != 0, is_scaled = (word & 0x01000000) != 0;
    const unsigned scale = is_vector && (word & 0x800000) != 0 ? 4 : word >> 30;
    const std::uint32_t bytes = (word >> 12) & 0x1FF;
    const std::uint32_t offset = is_scaled ? ((word >> 10) & 0xFFF) << scale : (bytes ^ 0x100) - 0x100;
    if (registers_[rn].address != 0) loads_.other(registers_[rn].address + offset);
    if (!is_vector) forget(rd);
  }

  void read_number(unsigned rd, std::uint32_t address) {
    const auto value = image_.dword_at(address);
    const PeSection* const where = image_.section_at(address);
    if (!value || !is_plausible_tag(*value)) return loads_.other(address);
    // A literal lies between functions, with other literals beside it: it may look like a longer text.
    registers_[rd] = {*value, 0, number_, where->executable ? 0 : address, true, true};
  }

  static std::uint32_t place(unsigned base, std::uint32_t offset) { return base << 20 | offset; }

  void store(unsigned rd, std::uint32_t at) {
    if (std::find(narrow_.begin(), narrow_.end(), at + 4) != narrow_.end()) return drop(rd);
    registers_[rd].stored_at = at;
  }
  /// A byte or two right behind four characters, or over the last of them: the end of a text.
  void store_narrow(std::uint32_t at) {
    narrow_[narrow_count_++ % narrow_.size()] = at;
    for (unsigned i = 0; i < registers_.size(); ++i)
      if (registers_[i].stored_at + 4 == at || registers_[i].stored_at + 3 == at) drop(i);
  }
  /// Four characters and four zeros: a text with its end.
  void store_wide(unsigned rd) {
    if (rd != 31 && registers_[rd].has_high) drop(rd);
  }
  void drop(unsigned i) { registers_[i] = {}; }

  void copy(unsigned rd, unsigned rm) {
    const Register from = registers_[rm];
    forget(rd);
    registers_[rd] = from;
    registers_[rd].since = number_;
  }

  /// The numbers serve to tell something apart; they are no tags.
  void compare(unsigned rn, unsigned rm) {
    for (const unsigned i : {rn, rm})
      if (registers_[i].has_low) drop(i);
  }

  void call(std::uint32_t window) {
    for (unsigned i = 0; i < kArguments; ++i) settle(registers_[i], number_ - registers_[i].since <= window);
    for (unsigned i = 0; i < 18; ++i) registers_[i] = {};
  }

  void end_of_function() {
    for (unsigned i = 0; i < registers_.size(); ++i) forget(i);
    narrow_.fill(kNowhere);
  }

  void forget(unsigned i) {
    settle(registers_[i], false);
    registers_[i] = {};
  }

  void settle(const Register& one, bool handed_to_call) {
    if (!one.has_low || !one.has_high) return;
    if (is_plausible_tag(one.value)) {
      const Evidence otherwise = one.read_from != 0 ? Evidence::kLoaded : Evidence::kImmediate;
      if (!handed_to_call && is_known_number(one.value)) return;
      const Evidence evidence = handed_to_call ? Evidence::kArgument : otherwise;
      if (one.read_from != 0) {
        loads_.number(one.read_from, one.value, evidence);
      } else {
        finds_.add(one.value, evidence);
      }
    } else if (handed_to_call && (one.value & kProtectedPool) != 0 && is_plausible_tag(one.value & ~kProtectedPool)) {
      finds_.add(one.value & ~kProtectedPool, Evidence::kArgument);
    }
  }

  const PeImage& image_;
  const PeSection& section_;
  Finds& finds_;
  Loads loads_;
  std::uint32_t number_ = 0;
  std::array<Register, 32> registers_{};
  std::array<std::uint32_t, 4> narrow_{kNowhere, kNowhere, kNowhere, kNowhere};  // places of the last such stores
  std::size_t narrow_count_ = 0;
};

}  // namespace

void scan_arm64_code(const PeImage& image, const PeSection& section, Finds& finds) {
  Arm64CodeReader(image, section, finds).read();
}

}  // namespace kmem::drivers
