#include "collectors/drivers/x86_instruction.h"

#include <array>
#include <string_view>

namespace kmem::drivers {
namespace {

// What follows an opcode, by letter:
//   . nothing   m ModRM   b imm8   w imm16   z imm16/32   v imm16/32/64 (mov)   o address   e imm16+imm8
//   M ModRM imm8   Z ModRM imm16/32   3 ModRM, and imm for digits 0, 1 (F6, F7)   p far pointer   r branch rel32
//   x no instruction   P prefix   R REX on x64   V VEX   E EVEX   T two-byte map
// Letters that differ on x64: see kX64 below.
constexpr std::string_view kOneByteMap =
    "mmmmbz..mmmmbz.T"
    "mmmmbz..mmmmbz.."
    "mmmmbzP.mmmmbzP."
    "mmmmbzP.mmmmbzP."
    "RRRRRRRRRRRRRRRR"
    "................"
    "..EmPPPPzZbM...."
    "bbbbbbbbbbbbbbbb"
    "MZMMmmmmmmmmmmmm"
    "..........p....."
    "oooo....bz......"
    "bbbbbbbbvvvvvvvv"
    "MMw.VVMZe.w..b.."
    "mmmmbbx.mmmmmmmm"
    "bbbbbbbbrrpb...."
    "P.PP..33......mm";
static_assert(kOneByteMap.size() == 256);

constexpr std::string_view kTwoByteMap =
    "mmmmx.....x.xm.M"
    "mmmmmmmmmmmmmmmm"
    "mmmmxxxxmmmmmmmm"
    "......x.xxxxxxxx"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm"
    "MMMMmmm.mmmmmmmm"
    "rrrrrrrrrrrrrrrr"
    "mmmmmmmmmmmmmmmm"
    "...mMmxx...mMmmm"
    "mmmmmmmmmmMmmmmm"
    "mmMmMMMm........"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm"
    "mmmmmmmmmmmmmmmm";
static_assert(kTwoByteMap.size() == 256);

constexpr std::array<std::uint8_t, 19> kNotOnX64 = {0x06, 0x07, 0x0E, 0x16, 0x17, 0x1E, 0x1F, 0x27, 0x2F, 0x37,
                                                    0x3F, 0x60, 0x61, 0x82, 0x9A, 0xCE, 0xD4, 0xD5, 0xEA};

constexpr std::array<char, 256> letters(bool is_x64) {
  std::array<char, 256> out{};
  for (std::size_t i = 0; i < 256; ++i) out[i] = kOneByteMap[i];
  if (is_x64) {
    for (const std::uint8_t opcode : kNotOnX64) out[opcode] = 'x';
  } else {
    for (std::size_t i = 0x40; i < 0x50; ++i) out[i] = '.';
  }
  return out;
}
constexpr std::array<char, 256> kX86 = letters(false), kX64 = letters(true);

class Decoder {
 public:
  Decoder(std::span<const std::byte> code, std::size_t at, bool is_x64, Instruction& out)
      : code_(code.subspan(at)), is_x64_(is_x64), out_(out) {
    if (code_.size() > kMaxLength) code_ = code_.first(kMaxLength);
  }

  void decode() {
    char what = prefixes();
    if (what == 'V' || what == 'E') {
      what = vector(what);
    } else if (what == 'T') {
      what = two_byte();
    }
    operands(what);
    if (ok_) {
      out_.length = static_cast<std::uint8_t>(at_);
    } else {
      out_ = {};
    }
  }

 private:
  static constexpr std::size_t kMaxLength = 15;

  std::uint8_t peek() {
    if (at_ >= code_.size()) {
      ok_ = false;
      return 0;
    }
    return static_cast<std::uint8_t>(code_[at_]);
  }
  std::uint8_t next() {
    const std::uint8_t byte = peek();
    ++at_;
    return byte;
  }
  void skip(std::size_t bytes) {
    at_ += bytes;
    if (at_ > code_.size()) ok_ = false;
  }

  char prefixes() {
    const auto& map = is_x64_ ? kX64 : kX86;
    while (ok_) {
      out_.opcode = next();
      const char what = map[out_.opcode];
      if (what == 'R') {
        out_.rex = out_.opcode;
        continue;
      }
      if (what != 'P') return what;
      if (out_.opcode == 0x66) out_.operand16 = true;
      if (out_.opcode == 0x67) other_address_ = true;
      out_.rex = 0;  // only the one right before the opcode counts
    }
    return 'x';
  }

  char two_byte() {
    out_.map = OpcodeMap::kTwoByte;
    out_.opcode = next();
    if (out_.opcode != 0x38 && out_.opcode != 0x3A) return kTwoByteMap[out_.opcode];
    out_.map = OpcodeMap::kOther;
    const bool has_immediate = out_.opcode == 0x3A;
    out_.opcode = next();
    return has_immediate ? 'M' : 'm';
  }

  /// VEX and EVEX, which on x86 are LES, LDS and BOUND unless what follows could not be their operand.
  char vector(char kind) {
    const std::uint8_t first = out_.opcode;
    if (!is_x64_ && (peek() & 0xC0) != 0xC0) return 'm';
    std::uint8_t selected = 1;
    if (kind == 'E') {
      selected = next() & 7;
      skip(2);
    } else if (first == 0xC4) {
      selected = next() & 0x1F;
      skip(1);
    } else {
      skip(1);
    }
    out_.map = OpcodeMap::kOther;
    out_.opcode = next();
    if (selected == 1) return kTwoByteMap[out_.opcode] == 'r' ? 'm' : kTwoByteMap[out_.opcode];
    return selected == 3 ? 'M' : 'm';
  }

  void operands(char what) {
    const std::uint8_t full = out_.operand16 ? 2 : 4;
    switch (what) {
      case '.': return;
      case 'm': return modrm();
      case 'M': modrm(); return immediate(1);
      case 'Z': modrm(); return immediate(full);
      case 'b': return immediate(1);
      case 'w': return immediate(2);
      case 'e': return immediate(3);
      case 'z': return immediate(full);
      case 'v': return immediate(out_.wide() ? 8 : full);
      case 'o': return immediate(is_x64_ != other_address_ ? 8 : other_address_ ? 2 : 4);
      case 'p': return immediate(static_cast<std::uint8_t>(full + 2));
      case 'r': return immediate(is_x64_ ? 4 : full);
      case '3':
        modrm();
        if (out_.digit() < 2) immediate(out_.opcode == 0xF6 ? 1 : full);
        return;
      default: ok_ = false; return;
    }
  }

  void modrm() {
    out_.modrm = next();
    out_.has_modrm = true;
    const unsigned mod = out_.mod(), rm = out_.modrm & 7U;
    if (mod == 3) return;
    std::uint8_t bytes = mod == 1 ? 1 : 0;
    if (!is_x64_ && other_address_) {
      if (mod == 2 || (mod == 0 && rm == 6)) bytes = 2;
    } else {
      if (rm == 4) {
        out_.sib = next();
        out_.has_sib = true;
      }
      const bool no_base = mod == 0 && (rm == 5 || (rm == 4 && (out_.sib & 7) == 5));
      if (mod == 2 || no_base) bytes = 4;
    }
    out_.displacement_at = static_cast<std::uint8_t>(at_);
    out_.displacement_bytes = bytes;
    skip(bytes);
  }

  void immediate(std::uint8_t bytes) {
    out_.immediate_at = static_cast<std::uint8_t>(at_);
    out_.immediate_bytes = bytes;
    skip(bytes);
  }

  std::span<const std::byte> code_;
  bool is_x64_;
  bool ok_ = true;
  bool other_address_ = false;  // prefix 67
  std::size_t at_ = 0;
  Instruction& out_;
};

}  // namespace

Instruction decode_x86(std::span<const std::byte> code, std::size_t at, bool is_x64) {
  Instruction out;
  if (at < code.size()) Decoder(code, at, is_x64, out).decode();
  return out;
}

}  // namespace kmem::drivers
