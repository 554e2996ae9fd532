#include <array>
#include <cstring>

#include "collectors/drivers/image_scan.h"

namespace kmem::drivers {
namespace {

constexpr std::uint32_t kWindow = 16;  // instructions from a constant to the call that it is handed to
constexpr unsigned kArguments = 8;     // x0..x7

/// Constants are made in two halves (movz, movk) or read from memory (ldr with a literal, adrp and ldr).
class CodeReader {
 public:
  CodeReader(const PeImage& image, const PeSection& section, Finds& finds)
      : image_(image), section_(section), finds_(finds) {}

  void read() {
    for (std::size_t at = 0; at + 4 <= section_.bytes.size(); at += 4) {
      std::uint32_t word = 0;
      std::memcpy(&word, section_.bytes.data() + at, sizeof word);
      ++number_;
      take(word, section_.address + static_cast<std::uint32_t>(at));
    }
    end_of_function();
  }

 private:
  struct Register {
    std::uint32_t value = 0;
    std::uint32_t page = 0;     // from adrp; 0 = none
    std::uint32_t since = 0;
    bool has_low = false, has_high = false;
    bool loaded = false;
  };

  void take(std::uint32_t word, std::uint32_t address) {
    const unsigned rd = word & 31, rn = (word >> 5) & 31;
    if ((word & 0x7F800000) == 0x52800000) return half(word, rd, true);                      // movz
    if ((word & 0x7F800000) == 0x72800000) return half(word, rd, false);                     // movk
    if ((word & 0xFF000000) == 0x18000000) return literal(word, rd, address);                // ldr w, label
    if ((word & 0x9F000000) == 0x90000000) return page_of(word, rd, address);                // adrp
    if ((word & 0xFFC00000) == 0xB9400000) return load(word, rd, rn);                        // ldr w, [x, #n]
    if ((word & 0x7FE0FFE0) == 0x2A0003E0) return copy(rd, (word >> 16) & 31);               // mov
    if ((word & 0xFC000000) == 0x94000000 || (word & 0xFFFFFC1F) == 0xD63F0000) return call();  // bl, blr
    if ((word & 0xFFFFFC1F) == 0xD65F0000) return end_of_function();                         // ret
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
    registers_[rd].page = (address & ~0xFFFU) + (pages << 12);
  }

  void load(std::uint32_t word, unsigned rd, unsigned rn) {
    const std::uint32_t page = registers_[rn].page;
    forget(rd);
    if (page != 0) read_number(rd, page + (((word >> 10) & 0xFFF) << 2));
  }

  void read_number(unsigned rd, std::uint32_t address) {
    const auto value = image_.dword_at(address);
    if (!value || !is_plausible_tag(*value)) return;
    // A literal lies between functions, with other literals beside it: it may look like a longer text.
    const PeSection* const where = image_.section_at(address);
    if (!where->executable && !is_lone_dword(image_, address)) return;
    registers_[rd] = {*value, 0, number_, true, true, true};
  }

  void copy(unsigned rd, unsigned rm) {
    const Register from = registers_[rm];
    forget(rd);
    registers_[rd] = from;
    registers_[rd].since = number_;
  }

  void call() {
    for (unsigned i = 0; i < kArguments; ++i)
      settle(registers_[i], number_ - registers_[i].since <= kWindow);
    for (unsigned i = 0; i < 18; ++i) registers_[i] = {};
  }

  void end_of_function() {
    for (unsigned i = 0; i < registers_.size(); ++i) forget(i);
  }

  void forget(unsigned i) {
    settle(registers_[i], false);
    registers_[i] = {};
  }

  void settle(const Register& one, bool handed_to_call) {
    if (!one.has_low || !one.has_high) return;
    if (is_plausible_tag(one.value)) {
      finds_.add(one.value, handed_to_call ? Evidence::kArgument
                                           : one.loaded ? Evidence::kLoaded : Evidence::kImmediate);
    } else if (handed_to_call && (one.value & kProtectedPool) != 0 && is_plausible_tag(one.value & ~kProtectedPool)) {
      finds_.add(one.value & ~kProtectedPool, Evidence::kArgument);
    }
  }

  const PeImage& image_;
  const PeSection& section_;
  Finds& finds_;
  std::uint32_t number_ = 0;
  std::array<Register, 32> registers_{};
};

}  // namespace

void scan_arm64_code(const PeImage& image, const PeSection& section, Finds& finds) {
  CodeReader(image, section, finds).read();
}

}  // namespace kmem::drivers
