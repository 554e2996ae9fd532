// One x86 or x64 instruction taken apart as far as a search for constants needs: where it ends, where its displacement
// and immediate lie. Any bytes are safe; what is no instruction, or is cut off, has length 0.
// Thread: pure. Failure: length 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kmem::drivers {

enum class OpcodeMap : std::uint8_t { kOneByte, kTwoByte, kOther };

/// Aligned so that it is returned in memory: packed into two registers, byte by byte, it cost a third of a search.
struct alignas(32) Instruction {
  std::uint8_t length = 0;
  OpcodeMap map = OpcodeMap::kOneByte;
  std::uint8_t opcode = 0;
  std::uint8_t modrm = 0, sib = 0;
  std::uint8_t rex = 0;  // x64: 0 or 0x40..0x4F
  bool has_modrm = false, has_sib = false;
  bool operand16 = false;  // prefix 66
  std::uint8_t displacement_at = 0, displacement_bytes = 0;
  std::uint8_t immediate_at = 0, immediate_bytes = 0;

  [[nodiscard]] unsigned mod() const { return modrm >> 6; }
  [[nodiscard]] unsigned reg() const { return ((modrm >> 3) & 7U) | ((rex & 4U) << 1); }
  [[nodiscard]] unsigned rm() const { return (modrm & 7U) | ((rex & 1U) << 3); }
  [[nodiscard]] unsigned digit() const { return (modrm >> 3) & 7U; }
  [[nodiscard]] bool wide() const { return (rex & 8) != 0; }
};

/// Decodes what begins at code[at].
[[nodiscard]] Instruction decode_x86(std::span<const std::byte> code, std::size_t at, bool is_x64);

}  // namespace kmem::drivers
