#include "collectors/drivers/x86_instruction.h"

#include <gtest/gtest.h>

#include "pe_bytes.h"

namespace kmem::drivers {
namespace {

struct Case {
  const char* what;
  std::string bytes;
  unsigned x86, x64;  // lengths; 0 = no instruction
};

TEST(X86Instruction, Lengths) {
  const Case cases[] = {
      {"push ebp", hex({0x55}), 1, 1},
      {"inc eax; rex + nop", hex({0x40, 0x90}), 1, 2},
      {"mov eax, imm32", hex({0xB8, 1, 2, 3, 4}), 5, 5},
      {"mov ax, imm16", hex({0x66, 0xB8, 1, 2}), 4, 4},
      {"mov r8d, imm32", hex({0x41, 0xB8, 1, 2, 3, 4}), 1, 6},
      {"mov rax, imm64", hex({0x48, 0xB8, 1, 2, 3, 4, 5, 6, 7, 8}), 1, 10},
      {"push imm32", hex({0x68, 1, 2, 3, 4}), 5, 5},
      {"push imm8", hex({0x6A, 1}), 2, 2},
      {"mov [esp+8], imm32", hex({0xC7, 0x44, 0x24, 8, 1, 2, 3, 4}), 8, 8},
      {"mov word [eax], imm16", hex({0x66, 0xC7, 0x00, 1, 2}), 5, 5},
      {"mov [disp32], eax", hex({0x89, 0x05, 1, 2, 3, 4}), 6, 6},
      {"lea eax, [ebx+ecx*4+disp32]", hex({0x8D, 0x84, 0x8B, 1, 2, 3, 4}), 7, 7},
      {"mov eax, [sib without base]", hex({0x8B, 0x04, 0x8D, 1, 2, 3, 4}), 7, 7},
      {"mov eax, moffs", hex({0xA1, 1, 2, 3, 4, 5, 6, 7, 8}), 5, 9},
      {"16-bit address", hex({0x67, 0x8B, 0x46, 1, 2, 3}), 4, 4},
      {"call rel32", hex({0xE8, 1, 2, 3, 4}), 5, 5},
      {"call [rip]", hex({0xFF, 0x15, 1, 2, 3, 4}), 6, 6},
      {"jcc rel32", hex({0x0F, 0x84, 1, 2, 3, 4}), 6, 6},
      {"enter", hex({0xC8, 1, 2, 3}), 4, 4},
      {"ret imm16", hex({0xC2, 1, 2}), 3, 3},
      {"test byte, imm8", hex({0xF6, 0xC1, 1}), 3, 3},
      {"neg byte", hex({0xF6, 0xD9}), 2, 2},
      {"test eax, imm32", hex({0xF7, 0xC0, 1, 2, 3, 4}), 6, 6},
      {"not eax", hex({0xF7, 0xD0}), 2, 2},
      {"movzx", hex({0x0F, 0xB6, 0x45, 1}), 4, 4},
      {"shufps imm8", hex({0x0F, 0xC6, 0xC1, 1}), 4, 4},
      {"pshufb", hex({0x66, 0x0F, 0x38, 0x00, 0xC1}), 5, 5},
      {"palignr imm8", hex({0x66, 0x0F, 0x3A, 0x0F, 0xC1, 1}), 6, 6},
      {"vzeroupper", hex({0xC5, 0xF8, 0x77}), 3, 3},
      {"vpshufd imm8, two-byte VEX", hex({0xC5, 0xF9, 0x70, 0xC1, 1}), 5, 5},
      {"vpalignr, three-byte VEX", hex({0xC4, 0xE3, 0x71, 0x0F, 0xC2, 1}), 6, 6},
      {"vmovups EVEX", hex({0x62, 0xF1, 0x7C, 0x48, 0x10, 0x41, 1}), 7, 7},
      {"les; not on x64", hex({0xC4, 0x00}), 2, 0},
      {"pushad", hex({0x60}), 1, 0},
      {"far jmp", hex({0xEA, 1, 2, 3, 4, 5, 6}), 7, 0},
      {"lock add", hex({0xF0, 0x01, 0x08}), 3, 3},
      {"ud0-like hole", hex({0x0F, 0x04}), 0, 0},
      {"cut off", hex({0xB8, 1, 2, 3}), 0, 0},
      {"only prefixes", std::string(20, '\x66'), 0, 0},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(decode_x86(as_span(one.bytes), 0, false).length, one.x86) << one.what << " on x86";
    EXPECT_EQ(decode_x86(as_span(one.bytes), 0, true).length, one.x64) << one.what << " on x64";
  }
}

TEST(X86Instruction, PartsOfOne) {
  const std::string bytes = hex({0x90, 0x44, 0x8B, 0x05, 0x10, 0x20, 0x30, 0x40});
  const Instruction in = decode_x86(as_span(bytes), 1, true);
  EXPECT_EQ(in.length, 7);
  EXPECT_EQ(in.opcode, 0x8B);
  EXPECT_EQ(in.reg(), 8U);
  EXPECT_EQ(in.mod(), 0U);
  EXPECT_EQ(in.displacement_at, 3);
  EXPECT_EQ(in.displacement_bytes, 4);
  EXPECT_FALSE(in.wide());
}

TEST(X86Instruction, AnyBytesEndInsideTheCode) {
  std::string bytes(4096, '\0');
  std::uint32_t state = 12345;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (const bool is_x64 : {false, true}) {
      const Instruction in = decode_x86(as_span(bytes), at, is_x64);
      EXPECT_LE(in.length, 15);
      EXPECT_LE(at + in.length, bytes.size());
      EXPECT_LE(in.immediate_at + in.immediate_bytes, in.length);
      EXPECT_LE(in.displacement_at + in.displacement_bytes, in.length);
    }
  EXPECT_EQ(decode_x86(as_span(bytes), bytes.size(), true).length, 0);
}

}  // namespace
}  // namespace kmem::drivers
