#include "collectors/drivers/image_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "pe_bytes.h"

namespace kmem::drivers {
namespace {

using Found = std::map<std::string, Evidence>;

const std::string kCall = hex({0xE8, 0, 0, 0, 0});
const std::string kReturn = hex({0xC3});

std::string move(unsigned reg, std::string_view text) {  // mov reg, imm32
  return (reg >= 8 ? hex({0x41}) : std::string()) + hex({0xB8 + (reg & 7)}) + le32(tag(text));
}

Found scan(const PeBytes& pe) {
  const std::string bytes = pe.str();
  const auto tags = scan_image(as_span(bytes));
  if (!tags) throw std::runtime_error(tags.error().message);
  Found found;
  for (const ImageTag& one : *tags) found[text_of_tag(one.tag)] = one.evidence;
  return found;
}
Found scan_x64(const std::string& code) { return scan(PeBytes().code(code)); }
Found scan_x86(const std::string& code) { return scan(PeBytes(0x14C, 0x10000).code(code)); }

TEST(PlausibleTag, WhatItMayBeMadeOf) {
  for (const char* good : {"Leak", "Irp ", "Io  ", "MmSt", "8042", "1394", "Gh05", "R300", "Wdm ", "a+b1", "T_xy"})
    EXPECT_TRUE(is_plausible_tag(tag(good))) << good;
  for (const char* bad : {" Irp", "I rp", "I   ", "AAAA", "....", "a..b", "2 0 ", "12a\x7f", "\"abc",
                          "ab\x80"
                          "c",
                          "(ab)"})
    EXPECT_FALSE(is_plausible_tag(tag(bad))) << bad;
  EXPECT_FALSE(is_plausible_tag(0));
  EXPECT_FALSE(is_plausible_tag(UINT32_MAX));
}

TEST(ScanX64, ArgumentsOfCalls) {
  // mov edx, 64; mov r8d, 'Leak'; call [rip+...]
  EXPECT_EQ(scan_x64(hex({0xBA, 64, 0, 0, 0}) + move(8, "Leak") + hex({0xFF, 0x15, 0, 0, 0, 0})),
            (Found{{"Leak", Evidence::kArgument}}));
  EXPECT_EQ(scan_x64(move(2, "Free") + kCall), (Found{{"Free", Evidence::kArgument}}));
  EXPECT_EQ(scan_x64(move(9, "Nine") + hex({0xFF, 0xD0})), (Found{{"Nine", Evidence::kArgument}}));
  // The sixth argument lies on the stack: mov dword [rsp+28h], 'Look'
  EXPECT_EQ(scan_x64(hex({0xC7, 0x44, 0x24, 0x28}) + le32(tag("Look")) + kCall), (Found{{"Look", Evidence::kArgument}}));
  // A last call is a jump.
  EXPECT_EQ(scan_x64(move(8, "Tail") + hex({0xE9, 0, 0, 0, 0})), (Found{{"Tail", Evidence::kArgument}}));
}

TEST(ScanX64, ATagInARegisterThatCallsKeep) {
  // mov edi, 'Kept'; mov r8d, edi; call; ...; mov edx, edi; call
  const std::string hoisted = move(7, "Kept") + hex({0x44, 0x8B, 0xC7}) + kCall + hex({0x8B, 0xD7}) + kCall + kReturn;
  EXPECT_EQ(scan_x64(hoisted), (Found{{"Kept", Evidence::kArgument}}));
  EXPECT_EQ(scan_x64(move(7, "Only") + hex({0x3B, 0xC7}) + kReturn), (Found{{"Only", Evidence::kImmediate}}));
}

TEST(ScanX64, WhatIsNotHandedToACall) {
  EXPECT_EQ(scan_x64(move(0, "Wxyz") + kReturn), (Found{{"Wxyz", Evidence::kImmediate}}));
  // The register gets another value before the call.
  EXPECT_EQ(scan_x64(move(2, "Gone") + hex({0x33, 0xD2}) + kCall), (Found{{"Gone", Evidence::kImmediate}}));
  // mov [rcx+8], 'Fiel': a field
  EXPECT_EQ(scan_x64(hex({0xC7, 0x41, 8}) + le32(tag("Fiel")) + kCall), (Found{{"Fiel", Evidence::kImmediate}}));
  // A variable whose address is taken: mov [rsp+20h], 'Vari'; lea rcx, [rsp+20h]; call
  EXPECT_EQ(scan_x64(hex({0xC7, 0x44, 0x24, 0x20}) + le32(tag("Vari")) + hex({0x48, 0x8D, 0x4C, 0x24, 0x20}) + kCall),
            (Found{{"Vari", Evidence::kImmediate}}));
  EXPECT_EQ(scan_x64(move(8, "Far ") + std::string(40, '\x90') + kCall), (Found{{"Far ", Evidence::kImmediate}}));
}

TEST(ScanX64, ComparisonsAndOtherNumbersAreNoTags) {
  EXPECT_EQ(scan_x64(hex({0x3D}) + "RIFF" + hex({0x81, 0xF9}) + "WAVE" + hex({0x81, 0xE2}) + "mask" + kCall), Found{});
  // Displacements: mov eax, [rbx+disp32]; call rel32; and an imm64.
  EXPECT_EQ(scan_x64(hex({0x8B, 0x83}) + "Abcd" + hex({0xE8}) + "Efgh" + hex({0x48, 0xB8}) + "ImmeImme" + kCall), Found{});
  EXPECT_EQ(scan_x64(hex({0x66, 0xB8}) + "Ab" + hex({0x66, 0xBA}) + "Cd" + kCall), Found{});
}

TEST(ScanX64, TextsPutTogetherInCodeAreNoTags) {
  const auto store = [](unsigned offset, std::string_view four) { return hex({0xC7, 0x44, 0x24, offset}) + std::string(four); };
  EXPECT_EQ(scan_x64(store(0x30, "Devi") + store(0x34, std::string_view("ce7\0", 4)) + kCall), Found{});
  EXPECT_EQ(scan_x64(store(0x30, "Root") + hex({0xC6, 0x44, 0x24, 0x34, 0}) + kCall), Found{});
  EXPECT_EQ(scan_x64(store(0x30, "Long") + store(0x33, "gTex") + kCall), Found{});
  EXPECT_EQ(scan_x64(store(0x30, "Word") + hex({0x66, 0xC7, 0x44, 0x24, 0x34, 'x', 0}) + kCall), Found{});
  // A number beside it is a structure: {tag, 256}.
  EXPECT_EQ(scan_x64(store(0x34, "Head") + store(0x38, std::string_view("\0\1\0\0", 4)) + kReturn),
            (Found{{"Head", Evidence::kImmediate}}));
}

TEST(ScanX64, ConstantsThatAreRead) {
  // mov r8d, [rip+x] at 0x1000, which is 7 bytes long: the constant is at 0x4010.
  const auto read = [](std::uint32_t from) { return hex({0x44, 0x8B, 0x05}) + le32(from - 0x1007) + kCall; };
  const std::string data = std::string("String Leak text") + "Leak" + std::string(12, '\0') + "Text on\0";
  EXPECT_EQ(scan(PeBytes().code(read(0x4010)).rdata(std::string(15, '\0') + '\x01' + "Leak" + std::string(12, '\0'))),
            (Found{{"Leak", Evidence::kLoaded}}));
  EXPECT_EQ(scan(PeBytes().code(read(0x4007)).rdata(data)), Found{}) << "a piece of a text";
  // A text that is copied by number is read to its end: movzx eax, byte [rip+x]
  const std::string copy = read(0x4010) + hex({0x0F, 0xB6, 0x05}) + le32(0x4014 - 0x1000 - 19);
  EXPECT_EQ(scan(PeBytes().code(copy).rdata(std::string(15, '\0') + '\x01' + "Temp" + std::string(12, '\0'))), Found{});
}

TEST(ScanX64, AConstantWithATextBehindIt) {
  const auto read = [](std::uint32_t from) { return hex({0x44, 0x8B, 0x05}) + le32(from - 0x1007) + kCall; };
  EXPECT_EQ(scan(PeBytes().code(read(0x4010)).rdata(std::string(16, '\0') + "LeakA text follows")),
            (Found{{"Leak", Evidence::kLoaded}}));
  EXPECT_EQ(scan(PeBytes().code(read(0x4012)).rdata(std::string(18, '\0') + "LeakA text follows")), Found{})
      << "not where numbers lie";
  // The rest is read, too: movups xmm0, [rip+x]; mov rax, [rip+x]; mov eax, [rip+x]
  for (const std::string& piece :
       {hex({0x0F, 0x10, 0x05}), hex({0x48, 0x8B, 0x05}), hex({0xF3, 0x0F, 0x6F, 0x05}), hex({0x8B, 0x05})}) {
    const std::string copy = read(0x4010) + piece + le32(static_cast<std::uint32_t>(0x4014 - 0x1000 - 12 - piece.size() - 4));
    EXPECT_EQ(scan(PeBytes().code(copy).rdata(std::string(16, '\0') + "LeakA text follows" + std::string(6, '\0'))), Found{});
  }
}

TEST(ScanX86, WhatTheSectionCutsOffIsNotRead) {
  for (const std::string& end :
       {hex({0x66, 0x68, 'A', 'b'}), hex({0x67, 0xA1, 0, 0x10}), hex({0x67, 0x8B, 0x05}), hex({0x68, 'A', 'b', 'c'})})
    EXPECT_EQ(scan_x86(hex({0x68}) + "Leak" + kCall + end), (Found{{"Leak", Evidence::kArgument}}));
}

TEST(ScanX64, TheProtectedBitIsNoPartOfTheTag) {
  EXPECT_EQ(scan_x64(hex({0x41, 0xB8}) + le32(tag("Prot") | kProtectedPool) + kCall), (Found{{"Prot", Evidence::kArgument}}));
  EXPECT_EQ(scan_x64(hex({0xB8}) + le32(tag("Prot") | kProtectedPool) + kReturn), Found{}) << "any negative number";
}

TEST(ScanX64, GoesOnAfterWhatIsNoCode) {
  EXPECT_EQ(scan_x64(hex({0x06, 0x0E, 0x60}) + move(8, "Leak") + kCall), (Found{{"Leak", Evidence::kArgument}}));
}

TEST(ScanX86, PushedAndStoredArguments) {
  const std::string push = hex({0x68}) + "Push" + hex({0x6A, 64, 0x6A, 0}) + hex({0xFF, 0x15, 0, 0, 1, 0});
  EXPECT_EQ(scan_x86(push), (Found{{"Push", Evidence::kArgument}}));
  EXPECT_EQ(scan_x86(hex({0xC7, 0x44, 0x24, 8}) + "Stor" + kCall), (Found{{"Stor", Evidence::kArgument}}));
  EXPECT_EQ(scan_x86(hex({0xC7, 0x45, 0xF8}) + "Loca" + kCall), (Found{{"Loca", Evidence::kImmediate}}));
  // push dword [constant]; mov eax, [constant]
  const std::string data = std::string("\1\0\0\0", 4) + "Read" + std::string(4, '\0') + "Load" + std::string(4, '\0');
  EXPECT_EQ(
      scan(PeBytes(0x14C, 0x10000).code(hex({0xFF, 0x35}) + le32(0x14004) + hex({0xA1}) + le32(0x1400C) + kCall).rdata(data)),
      (Found{{"Load", Evidence::kLoaded}, {"Read", Evidence::kLoaded}}));
}

TEST(ScanX86, AddressesMayLookLikeText) {
  // An image at "@0Pc" in memory: push of an address in it.
  const std::string code = hex({0x68}) + le32(0x63503040) + kCall + hex({0x68}) + "Leak" + kCall;
  EXPECT_EQ(scan(PeBytes(0x14C, 0x63500000).code(code)), (Found{{"Leak", Evidence::kArgument}}));
}

/// mov dword [esp+offset], value
std::string stack(unsigned offset, std::uint32_t value) { return hex({0xC7, 0x44, 0x24, offset}) + le32(value); }
std::string stack(unsigned offset, std::string_view text) { return stack(offset, tag(text)); }
const std::string kRoom = hex({0x83, 0xEC, 12});  // sub esp, 12: what the function took

// gcc passes arguments so. A size may look like the end of a text, and what a call took is no neighbour of the next.
TEST(ScanX86, SizesBesideAStoredTagAreNoTexts) {
  for (const std::uint32_t size : {0x38U, 0x7EU, 0x7FU, 0x18U, 0x4840U, 0U, 0x414243U}) {
    const std::string text = "Ta" + std::to_string(size % 89 + 10);
    const Found want{{text, Evidence::kArgument}};
    EXPECT_EQ(scan_x86(stack(8, text) + stack(4, size) + stack(0, 0U) + kCall + kReturn), want) << size;
    EXPECT_EQ(scan_x86(stack(0, 0U) + stack(4, size) + stack(8, text) + kCall + kReturn), want) << size;
  }
  EXPECT_EQ(scan_x86(stack(8, "Tag1") + stack(4, 0x38) + stack(0, 0U) + kCall + kRoom + stack(8, "Tag2") + stack(4, 0x38) +
                     stack(0, 0U) + kCall + kRoom + stack(8, "Tag3") + stack(0, 0U) + hex({0x89, 0x7C, 0x24, 4}) + kCall),
            (Found{{"Tag1", Evidence::kArgument}, {"Tag2", Evidence::kArgument}, {"Tag3", Evidence::kArgument}}));
  // Two tags side by side, as one function's arguments.
  EXPECT_EQ(scan_x86(stack(4, "AbcB") + stack(0, "AbcA") + kCall),
            (Found{{"AbcA", Evidence::kArgument}, {"AbcB", Evidence::kArgument}}));
}

TEST(ScanX86, TextsAreToldByTheirEnd) {
  EXPECT_EQ(scan_x86(stack(0x20, "Devi") + stack(0x24, "ceNa") + hex({0x66, 0xC7, 0x44, 0x24, 0x28, 'm', 0}) + kCall), Found{});
  EXPECT_EQ(scan_x86(hex({0xC6, 0x44, 0x24, 0x34, 0}) + stack(0x30, "Root") + kCall), Found{});
  // char name[8] = "Root", handed on.
  EXPECT_EQ(scan_x86(stack(0x30, "Root") + stack(0x34, 0U) + hex({0x8D, 0x44, 0x24, 0x30, 0x50}) + kCall), Found{});
  // movsx eax, byte [esp+ecx+30h]
  EXPECT_EQ(scan_x86(stack(0x30, "Root") + stack(0x34, 0U) + hex({0x0F, 0xBE, 0x44, 0x0C, 0x30}) + kCall), Found{});
  // Fields: {2 bytes, 2 bytes, tag, count}, and two tags in a structure.
  const auto field = [](unsigned offset, std::string_view text) { return hex({0xC7, 0x41, offset}) + std::string(text); };
  EXPECT_EQ(scan_x86(hex({0x66, 0xC7, 0x01, 2, 0}) + hex({0x66, 0xC7, 0x41, 2, 12, 0}) + field(4, "Head") +
                     hex({0xC7, 0x41, 8, 0x38, 0, 0, 0}) + kReturn),
            (Found{{"Head", Evidence::kImmediate}}));
  EXPECT_EQ(scan_x86(field(0, "Sign") + field(4, "TagS") + hex({0x89, 0x51, 8}) + kReturn),
            (Found{{"Sign", Evidence::kImmediate}, {"TagS", Evidence::kImmediate}}));
  EXPECT_EQ(scan_x86(field(0, "Thes") + field(4, "eare") + field(8, "noTa") + field(12, "gsAt") + kReturn), Found{});
}

TEST(ScanX86, AVariableIsFollowedToTheCall) {
  // mov [ebp-12], 'Vari'; mov dword [ebp-8], 0; ...; mov eax, [ebp-12]; mov [esp+8], eax; call
  EXPECT_EQ(scan_x86(hex({0xC7, 0x45, 0xF4}) + "Vari" + hex({0xC7, 0x45, 0xF8, 0, 0, 0, 0}) + kCall + hex({0x8B, 0x45, 0xF4}) +
                     hex({0x89, 0x44, 0x24, 8}) + stack(4, 64) + stack(0, 1) + kCall),
            (Found{{"Vari", Evidence::kArgument}}));
  // push dword [ebp-12]
  EXPECT_EQ(scan_x86(hex({0xC7, 0x45, 0xF4}) + "Push" + hex({0xFF, 0x75, 0xF4}) + kCall),
            (Found{{"Push", Evidence::kArgument}}));
  // mov [ecx], 'Root' by way of a register; mov byte [ecx+4], 0: a text is copied.
  EXPECT_EQ(scan_x86(hex({0xB8}) + "Root" + hex({0x89, 0x01, 0xC6, 0x41, 4, 0}) + kReturn), Found{});
}

TEST(ScanX86, DivisorsAndWordsOfCiphersAreNoTags) {
  // mov edx, 66666667h ('gfff'); mov eax, ecx; imul edx. Also kept in a register over a loop: mov esi; jmp; imul esi.
  EXPECT_EQ(scan_x86(hex({0xBA, 'g', 'f', 'f', 'f', 0x89, 0xC8, 0xF7, 0xEA}) + kCall), Found{});
  EXPECT_EQ(scan_x86(hex({0xBE, 'g', 'f', 'f', 'f', 0xEB, 2, 0x90, 0x90, 0xF7, 0xEE}) + kReturn), Found{});
  // Any number that is multiplied by: mov edi, 'Mult'; imul eax, edi.
  EXPECT_EQ(scan_x86(hex({0xBF}) + "Mult" + hex({0x0F, 0xAF, 0xC7}) + kReturn), Found{});
  for (const std::string_view text : {"gfff", "VUUU", "EDDD", "yxxx", "4333", "QPPP", "expa", "2-by"})
    EXPECT_EQ(scan_x86(hex({0xBE}) + std::string(text) + kReturn), Found{}) << text;
  EXPECT_EQ(scan_x86(hex({0x68}) + "gfff" + kCall), (Found{{"gfff", Evidence::kArgument}}))
      << "nothing but a tag is handed over";
  EXPECT_TRUE(is_known_number(0x66666667) && is_known_number(0x55555556) && is_known_number(0x51EB851F));
  for (const std::string_view text : {"Leak", "MmSt", "Ntfx", "Tag1", "Irp ", "1gaT"})
    EXPECT_FALSE(is_known_number(tag(text))) << text;
}

TEST(ScanX86, AStackOfAnyDepthIsSafe) {
  const std::string deeper = hex({0x81, 0xEC, 0xFF, 0xFF, 0xFF, 0x7F}), higher = hex({0x81, 0xC4, 0, 0, 0, 0x80});
  const std::string far_store = hex({0xC7, 0x84, 0x24, 0xFF, 0xFF, 0xFF, 0x7F}) + "Farr",
                    lea = hex({0x8D, 0x84, 0x24, 0xFF, 0xFF, 0xFF, 0x7F});
  for (const std::string& move_stack : {deeper, higher})
    EXPECT_EQ(scan_x86(move_stack + move_stack + move_stack + far_store + lea + hex({0x68}) + "Push" + kCall),
              (Found{{"Farr", Evidence::kImmediate}, {"Push", Evidence::kArgument}}));
}

TEST(ScanX86, OneOfTwoTags) {
  // sbb eax, eax; and eax, B-A; add eax, A; push eax
  const std::uint32_t a = tag("TagA"), b = tag("TagB");
  const Found both{{"TagA", Evidence::kArgument}, {"TagB", Evidence::kArgument}};
  EXPECT_EQ(scan_x86(hex({0x19, 0xC0, 0x25}) + le32(b - a) + hex({0x05}) + le32(a) + hex({0x50}) + kCall), both);
  EXPECT_EQ(scan_x64(hex({0x41, 0x81, 0xE0}) + le32(b - a) + hex({0x41, 0x81, 0xC0}) + le32(a) + kCall), both);
  // mov r8d, A; mov eax, B; cmova r8d, eax
  EXPECT_EQ(scan_x64(move(8, "TagA") + move(0, "TagB") + hex({0x44, 0x0F, 0x47, 0xC0}) + kCall), both);
  // sete al; shl eax, 24; or eax, 'Ioc6'; push eax
  EXPECT_EQ(scan_x86(hex({0x0F, 0x94, 0xC0, 0xC1, 0xE0, 24, 0x0D}) + "Ioc6" + hex({0x50}) + kCall),
            (Found{{"Ioc6", Evidence::kArgument}, {"Ioc7", Evidence::kArgument}}));
}

TEST(ScanX64, FieldsThatAreStoredAtOnce) {
  const auto imm64 = [](std::uint32_t low, std::uint32_t high) { return hex({0x48, 0xB8}) + le32(low) + le32(high); };
  EXPECT_EQ(scan_x64(imm64(0x000C0002, tag("Head")) + kReturn), (Found{{"Head", Evidence::kImmediate}}));
  EXPECT_EQ(scan_x64(imm64(tag("Text"), 0) + imm64(tag("Devi"), tag("ce7\0")) + imm64(0x9E3779B9, tag("Hash")) + kReturn),
            Found{});
  // movaps xmm0, [rip+x]: {1, tag, 0, 38h}, and a text of four characters in a field of 16.
  const std::string read = hex({0x0F, 0x28, 0x05}) + le32(0x4010 - 0x1007) + kReturn;
  EXPECT_EQ(scan(PeBytes().code(read).rdata(std::string(16, '\0') + le32(1) + "Want" + le32(0) + le32(0x38))),
            (Found{{"Want", Evidence::kImmediate}}));
  EXPECT_EQ(scan(PeBytes().code(read).rdata(std::string(16, '\0') + "Root" + std::string(12, '\0'))), Found{});
}

std::string row(std::string_view text, std::uint32_t bytes, std::uint32_t flags) {
  return std::string(text) + le32(bytes) + le32(flags);
}
/// An image that imports functions of a module: the first is bound at 0x4000, the next a word on.
PeBytes importing(const std::string& code, const std::string& module, const std::vector<std::string>& names,
                  std::uint16_t machine = 0x14C) {
  const std::uint32_t word_bytes = machine == 0x14C ? 4 : 8, bound = 0x4000,
                      after = bound + word_bytes * static_cast<std::uint32_t>(names.size() + 1);
  std::string table, texts;
  for (const std::string& name : names) {
    table += le32(after + 40 + static_cast<std::uint32_t>(texts.size())) + std::string(word_bytes - 4, '\0');
    texts += std::string(2, '\0') + name + '\0';
  }
  table += std::string(word_bytes, '\0');
  const std::string entry =
      le32(0) + std::string(8, '\0') + le32(after + 40 + static_cast<std::uint32_t>(texts.size())) + le32(bound);
  PeBytes pe(machine, machine == 0x14C ? 0x10000 : 0x140000000);
  pe.code(code).rdata(table + entry + std::string(20, '\0') + texts + module + '\0').directory(1, after, 40);
  return pe;
}
std::string call_import(unsigned index) { return hex({0xFF, 0x15}) + le32(0x14000 + 4 * index); }

TEST(ScanImports, SayWhereTheTagIs) {
  const std::vector<std::string> names = {"ExAllocatePoolWithTag", "ExFreePoolWithTag", "DbgPrint", "RtlLengthSid"};
  const auto run = [&](const std::string& code, const std::string& module = "ntoskrnl.exe") {
    return scan(importing(code, module, names));
  };
  // Only the third argument is a tag, whatever characters are in it.
  EXPECT_EQ(run(stack(8, "A~%1") + stack(4, "Size") + stack(0, 0U) + call_import(0)), (Found{{"A~%1", Evidence::kArgument}}));
  EXPECT_EQ(run(hex({0x68}) + "Tag1" + hex({0x68}) + "Size" + hex({0x6A, 0}) + call_import(0)),
            (Found{{"Tag1", Evidence::kArgument}}));
  EXPECT_EQ(run(hex({0x68}) + "Tag2" + hex({0x53}) + call_import(1)), (Found{{"Tag2", Evidence::kArgument}}));
  // The same by a register that holds the function: mov ebx, [import]; call ebx; and by a jump of the linker's.
  EXPECT_EQ(run(hex({0x8B, 0x1D}) + le32(0x14000) + stack(8, "TagR") + stack(4, "Size") + stack(0, 0U) + hex({0xFF, 0xD3})),
            (Found{{"TagR", Evidence::kArgument}}));
  EXPECT_EQ(run(stack(8, "TagJ") + stack(4, "Size") + stack(0, 0U) + hex({0xE8, 1, 0, 0, 0, 0xC3, 0xFF, 0x25}) + le32(0x14000)),
            (Found{{"TagJ", Evidence::kArgument}}));
  // A function without a tag: its arguments are none; what was pushed before for another stays.
  EXPECT_EQ(run(stack(4, "Mark") + stack(0, 0x14100) + call_import(2) + kReturn), Found{});
  EXPECT_EQ(run(hex({0x68}) + "Mark" + hex({0x6A, 1}) + call_import(2) + hex({0x83, 0xC4, 8}) + kCall), Found{});
  EXPECT_EQ(run(hex({0x68}) + "Tag3" + hex({0x53}) + call_import(3) + hex({0x50, 0x6A, 1}) + call_import(0)),
            (Found{{"Tag3", Evidence::kArgument}}));
  EXPECT_EQ(run(hex({0x68}) + "Own1" + call_import(2), "own.sys"), (Found{{"Own1", Evidence::kArgument}})) << "nobody knows";
}

TEST(ScanImports, OnX64AndWithDecoratedNames) {
  const auto x64 = [](unsigned index, std::size_t at) {
    return hex({0xFF, 0x15}) + le32(0x4000 + 8 * index - 0x1000 - static_cast<std::uint32_t>(at) - 6);
  };
  const std::vector<std::string> names = {"ExInitializeLookasideListEx", "KeBugCheckEx"};
  // The seventh argument is at rsp+30h; rdx and r8 are none.
  const std::string code = move(2, "Rdx1") + stack(0x28, "Size") + stack(0x30, "Look");
  EXPECT_EQ(scan(importing(code + x64(0, code.size()), "NTOSKRNL.EXE", names, 0x8664)), (Found{{"Look", Evidence::kArgument}}));
  EXPECT_EQ(scan(importing(move(1, "MANU") + x64(1, 5), "hal.dll", names, 0x8664)), Found{});
  EXPECT_EQ(scan(importing(stack(8, "Deco") + stack(4, "Size") + stack(0, 0U) + call_import(0), "ntoskrnl.exe",
                           {"_ExAllocatePoolWithTag@12"})),
            (Found{{"Deco", Evidence::kArgument}}));
}

// What a driver of x64 hands to ExAllocatePoolWithTag, by each way through its code. Data lies at 0x5000.
Found allocating(const std::string& code, const std::string& own = {}, const std::string& data = {}) {
  const auto call_at = [](std::size_t at) {
    return hex({0xFF, 0x15}) + le32(0x4000 - 0x1000 - static_cast<std::uint32_t>(at) - 6);
  };
  std::string whole = code + call_at(code.size()) + kReturn;
  if (!own.empty()) {  // at 0x1100
    whole.resize(0x100, '\xCC');
    whole += own;
    whole += call_at(whole.size()) + kReturn;
  }
  PeBytes pe = importing(whole, "ntoskrnl.exe", {"ExAllocatePoolWithTag"}, 0x8664);
  if (!data.empty()) pe.section(0x5000, data, PeBytes::kData);
  return scan(pe);
}
std::string call_own(std::size_t at) { return hex({0xE8}) + le32(0x100 - static_cast<std::uint32_t>(at) - 5); }
std::string from_data(std::initializer_list<unsigned> head, std::size_t at, std::uint32_t offset) {
  const std::string opcode = hex(head);
  return opcode + le32(0x5000 + offset - 0x1000 - static_cast<std::uint32_t>(at + opcode.size()) - 4);
}

TEST(FollowedTags, ChoicesWithoutAndWithAJump) {
  const std::uint32_t a = tag("TagA"), b = tag("TagB"), c = tag("Tag0");
  const Found both{{"TagA", Evidence::kArgument}, {"TagB", Evidence::kArgument}};
  // xor eax, eax; cmp edx, 1; sbb eax, eax; and eax, B-A; lea r8d, [rax+A]
  EXPECT_EQ(allocating(hex({0x31, 0xC0, 0x83, 0xFA, 1, 0x19, 0xC0, 0x25}) + le32(b - a) + hex({0x44, 0x8D, 0x80}) + le32(a)),
            both);
  // sete al; movzx eax, al; lea r8d, [rax+Tag0], and the sign: sar edx, 31; and edx, B-A; lea r8d, [rdx+A]
  EXPECT_EQ(allocating(hex({0x0F, 0x94, 0xC0, 0x0F, 0xB6, 0xC0, 0x44, 0x8D, 0x80}) + le32(c)),
            (Found{{"Tag0", Evidence::kArgument}, {"Uag0", Evidence::kArgument}}));
  EXPECT_EQ(allocating(hex({0xC1, 0xFA, 31, 0x81, 0xE2}) + le32(b - a) + hex({0x44, 0x8D, 0x82}) + le32(a)), both);
  // je over: mov esi, A; jmp; mov esi, B; both come to mov r8d, esi
  EXPECT_EQ(allocating(hex({0x74, 7}) + move(6, "TagA") + hex({0xEB, 5}) + move(6, "TagB") + hex({0x41, 0x89, 0xF0})), both);
  // A way back: mov r8d, A; jmp forth; back: mov r8d, B; forth: jne back
  EXPECT_EQ(allocating(move(8, "TagA") + hex({0xEB, 6}) + move(8, "TagB") + hex({0x75, 0xF8})), both);
}

TEST(FollowedTags, OfTheDriversOwnFunctions) {
  // mov ecx, tag; call own: sub rsp, 28h; mov r8d, ecx; call; the size beside it is no tag, whatever its characters.
  const std::string hand = move(1, "Wrap") + move(2, "Size"), own = hex({0x48, 0x83, 0xEC, 0x28, 0x41, 0x89, 0xC8});
  EXPECT_EQ(allocating(hand + call_own(hand.size()) + kReturn, own), (Found{{"Wrap", Evidence::kArgument}}));
  // {size, tag} on the stack, and its address: mov [rsp+20h], 38h; mov [rsp+24h], tag; lea rcx, [rsp+20h]; mov r8d, [rcx+4]
  const std::string fields =
      hex({0x48, 0x83, 0xEC, 0x38}) + stack(0x20, 0x38) + stack(0x24, "Fiel") + hex({0x48, 0x8D, 0x4C, 0x24, 0x20});
  EXPECT_EQ(allocating(fields + call_own(fields.size()) + kReturn, hex({0x44, 0x8B, 0x41, 4})),
            (Found{{"Fiel", Evidence::kArgument}}));
  // What it returns: mov eax, tag; ret
  const std::string returned = call_own(0) + hex({0x41, 0x89, 0xC0});
  EXPECT_EQ(allocating(returned, move(0, "Retu") + kReturn), (Found{{"Retu", Evidence::kArgument}}));
}

TEST(FollowedTags, InMemoryAndTables) {
  const std::string rows = row("Row1", 0x40, 1) + row("Row2", 0x1000, 2) + "Erro" + std::string("r\0SMBIOS", 8);
  // mov r8d, [rip+tag]
  EXPECT_EQ(allocating(from_data({0x44, 0x8B, 0x05}, 0, 4), {}, le32(7) + "Glob" + le32(0)),
            (Found{{"Glob", Evidence::kArgument}}));
  // lea rax, [rcx+rcx*2]; lea rdx, [rip+table]; mov r8d, [rdx+rax*4]: rows of 12, and a text behind them
  const std::string three = hex({0x48, 0x8D, 0x04, 0x49});
  EXPECT_EQ(allocating(three + from_data({0x48, 0x8D, 0x15}, three.size(), 0) + hex({0x44, 0x8B, 0x04, 0x82}), {}, rows),
            (Found{{"Row1", Evidence::kArgument}, {"Row2", Evidence::kArgument}}));
  // cmp ecx, 1; ja; lea rdx, [rip+table]; mov r8d, [rdx+rcx*4]: two, and a text behind them
  const std::string bound = hex({0x83, 0xF9, 1, 0x77, 11});
  EXPECT_EQ(
      allocating(bound + from_data({0x48, 0x8D, 0x15}, bound.size(), 0) + hex({0x44, 0x8B, 0x04, 0x8A}), {}, "TagATagBText"),
      (Found{{"TagA", Evidence::kArgument}, {"TagB", Evidence::kArgument}}));
}

TEST(FollowedTags, WhereAllAreKnownNothingElseIsOne) {
  // mov dword [rip+x], 'CONI': a text that is stored in pieces; without calls that take a tag it may be one.
  const std::string text = hex({0xC7, 0x05}) + le32(0x5000 - 0x100A) + "CONI";
  EXPECT_EQ(allocating(text + move(8, "Real"), {}, std::string(16, '\0')), (Found{{"Real", Evidence::kArgument}}));
  EXPECT_EQ(scan_x64(text + move(8, "Real") + kCall), (Found{{"CONI", Evidence::kImmediate}, {"Real", Evidence::kArgument}}));
  // mov r8d, [rcx]: of an unknown caller, so that what is stored in such a field counts.
  EXPECT_EQ(allocating(hex({0x48, 0x8B, 0x05, 0, 0x10, 0, 0, 0xC7, 0x00}) + "Kept" + hex({0x44, 0x8B, 0x01})),
            (Found{{"Kept", Evidence::kArgument}}));
}

TEST(ScanImports, ATableThatLiesEnds) {
  const std::string good = importing(kCall, "ntoskrnl.exe", {"ExAllocatePoolWithTag", "ExFreePool"}).str();
  for (std::size_t at = good.find("ExAllocate") - 50; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = '\xFF';
    EXPECT_TRUE(scan_image(as_span(bad))) << at;
    EXPECT_TRUE(scan_image(as_span(good.substr(0, at)))) << at;
  }
}

std::string word(std::uint32_t value) { return le32(value); }
std::string movz(unsigned reg, unsigned half, unsigned shift = 0) { return word(0x52800000U | shift << 21 | half << 5 | reg); }
std::string movk(unsigned reg, unsigned half, unsigned shift = 1) { return word(0x72800000U | shift << 21 | half << 5 | reg); }
unsigned low(std::string_view text) { return tag(text) & 0xFFFF; }
unsigned high(std::string_view text) { return tag(text) >> 16; }
const std::string kBl = word(0x94000010), kRet = word(0xD65F03C0);
Found scan_arm64(const std::string& code, const std::string& data = {}) {
  PeBytes pe(0xAA64);
  pe.code(code);
  if (!data.empty()) pe.rdata(data);
  return scan(pe);
}

TEST(ScanArm64, ConstantsInTwoHalves) {
  EXPECT_EQ(scan_arm64(movz(2, low("Leak")) + movk(2, high("Leak")) + kBl + kRet), (Found{{"Leak", Evidence::kArgument}}));
  EXPECT_EQ(scan_arm64(movz(2, high("Turn"), 1) + movk(2, low("Turn"), 0) + word(0xD63F0100) + kRet),
            (Found{{"Turn", Evidence::kArgument}}));
  EXPECT_EQ(scan_arm64(movz(9, low("Reg9")) + movk(9, high("Reg9")) + kRet), (Found{{"Reg9", Evidence::kImmediate}}));
  // mov w2, w19 hands over what was kept.
  EXPECT_EQ(scan_arm64(movz(19, low("Kept")) + movk(19, high("Kept")) + word(0x2A1303E2) + kBl + kRet),
            (Found{{"Kept", Evidence::kArgument}}));
  EXPECT_EQ(scan_arm64(movz(1, low("Prot")) + movk(1, high("Prot") | 0x8000) + kBl + kRet),
            (Found{{"Prot", Evidence::kArgument}}));
  EXPECT_EQ(scan_arm64(movz(2, low("Half")) + kBl + kRet), Found{});
}

TEST(ScanArm64, ConstantsInMemory) {
  // adrp x8, 0x4000; ldr w2, [x8, #8]
  const std::string adrp = word(0x90000008U | (3U & 3U) << 29 | (3U >> 2) << 5),
                    ldr = word(0xB9400000U | 2U << 10 | 8U << 5 | 2U);
  const std::string data = std::string(7, '\0') + '\1' + "Page" + std::string(8, '\0');
  EXPECT_EQ(scan_arm64(adrp + ldr + kBl + kRet, data), (Found{{"Page", Evidence::kArgument}}));
  // ldr w2, label: 12 bytes on, behind the ret.
  EXPECT_EQ(scan_arm64(word(0x18000000U | 3U << 5 | 2U) + kBl + kRet + "Pool"), (Found{{"Pool", Evidence::kArgument}}));
}

TEST(ScanArm64, TheLastCallIsAJump) {
  const std::string tag_in_w1 = movz(1, low("Tail")) + movk(1, high("Tail") | 0x8000);
  EXPECT_EQ(scan_arm64(tag_in_w1 + word(0xD61F0060)), (Found{{"Tail", Evidence::kArgument}})) << "br x3";
  EXPECT_EQ(scan_arm64(tag_in_w1 + word(0x14000020)), (Found{{"Tail", Evidence::kArgument}})) << "b";
}

TEST(ScanArm64, MarksAndTextsAreNoTags) {
  const std::string mark = movz(9, low("RIFF")) + movk(9, high("RIFF"));
  EXPECT_EQ(scan_arm64(mark + word(0x6B09011F) + kBl + kRet), Found{}) << "cmp w8, w9";
  EXPECT_EQ(scan_arm64(mark + word(0x7A490100) + kBl + kRet), Found{}) << "ccmp w8, w9, #0, eq";
  EXPECT_EQ(scan_arm64(mark + word(0x4A090108) + kBl + kRet), Found{}) << "eor w8, w8, w9";
  // str w9, [sp, #16] and strb wzr, [sp, #20], in either order: a text on the stack. Without the byte: a number there.
  const std::string store = word(0xB90013E9), end = word(0x390053FF);
  EXPECT_EQ(scan_arm64(mark + store + end + kRet), Found{});
  EXPECT_EQ(scan_arm64(end + mark + store + kRet), Found{});
  EXPECT_EQ(scan_arm64(mark + store + kRet), (Found{{"RIFF", Evidence::kImmediate}}));
  EXPECT_EQ(scan_arm64(mark + word(0xF9000BE9) + kRet), Found{}) << "str x9, [sp, #16]: with its zeros";
  EXPECT_EQ(scan_arm64(movz(9, low("gfff")) + movk(9, high("gfff")) + kRet), Found{}) << "a division by 10";
  // adrp x8, 0x4000; add x8, x8, #8; ldr w9, [x8] and ldrb w10, [x8, #4]; or the byte by ldurb with an offset of 3
  const std::string begin = word(0x90000008U | 3U << 29) + word(0x91002108) + word(0xB9400109);
  const std::string data = std::string(7, '\0') + '\1' + "Page" + std::string(8, '\0');
  EXPECT_EQ(scan_arm64(begin + kRet, data), (Found{{"Page", Evidence::kLoaded}}));
  EXPECT_EQ(scan_arm64(begin + word(0x3940110A) + kRet, data), Found{});
  EXPECT_EQ(scan_arm64(begin + word(0x3840310A) + kRet, data), Found{});
}

Found scan_data_of(const std::string& data) { return scan(PeBytes().code(kReturn).rdata(data)); }

TEST(ScanData, TablesOfTags) {
  EXPECT_EQ(scan_data_of(row("Abc1", 0x200, 1) + row("Abc2", 0x1000, 2) + row("Abc ", 16, 3)),
            (Found{{"Abc ", Evidence::kData}, {"Abc1", Evidence::kData}, {"Abc2", Evidence::kData}}));
  // 0x40 is '@': only its neighbours tell that this is no text.
  EXPECT_EQ(scan_data_of(row("Abc1", 0x200, 1) + row("Abc2", 0x40, 2)),
            (Found{{"Abc1", Evidence::kData}, {"Abc2", Evidence::kData}}));
}

TEST(ScanData, TextsBesideATableAreNoRows) {
  const std::string table = row("Abc1", 0x200, 1);
  EXPECT_EQ(scan_data_of("pool allocated" + std::string(2, '\0') + table), (Found{{"Abc1", Evidence::kData}}));
  EXPECT_EQ(scan_data_of(table + "Shut" + std::string(4, '\0') + "Driver" + std::string(2, '\0')),
            (Found{{"Abc1", Evidence::kData}}));
}

TEST(ScanData, WhatIsNoTagAmongData) {
  EXPECT_EQ(scan_data_of("Text" + std::string(4, '\0') + "Word" + std::string(4, '\0')), Found{}) << "short texts";
  EXPECT_EQ(scan_data_of("A longer text, Leak" + std::string(5, '\0')), Found{});
  EXPECT_EQ(scan_data_of(std::string("W\0i\0d\0e\0", 8) + std::string(8, '\0')), Found{});
  // A GUID, and an address in the image.
  EXPECT_EQ(scan_data_of(hex({0xB1, 0x9C, 0xD1, 0xF2}) + "kqzA" + hex({0x11, 0x98, 0xAA, 0xC3, 0x93, 1, 0x77, 0xFE})), Found{});
  EXPECT_EQ(scan(PeBytes(0x8664, 0x163500000).code(kReturn).rdata(le32(0x63504162) + le32(1) + le32(0x63504162) + le32(1))),
            Found{});
  const std::string table = row("Abc1", 0x200, 1);
  EXPECT_EQ(scan(PeBytes().code(kReturn).section(0x4000, table, PeBytes::kDebug)), Found{}) << "only for the loader";
  EXPECT_EQ(scan(PeBytes().code(kReturn).rdata(table).directory(2, 0x4000, 16)), Found{}) << "a resource";
}

TEST(ScanImage, CountsPlacesAndRefusesWhatIsNone) {
  const std::string bytes = PeBytes().code(move(8, "Leak") + kCall + move(2, "Leak") + kCall).str();
  EXPECT_EQ(*scan_image(as_span(bytes)), (std::vector<ImageTag>{{tag("Leak"), Evidence::kArgument, 2}}));
  EXPECT_EQ(scan_image(as_span(std::string("#!/bin/sh\n"))).error().code, base::ErrorCode::kMalformed);
}

TEST(ScanImage, AnImageOfNothingButTagsIsBounded) {
  std::string code;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = {static_cast<char>('A' + i % 26), static_cast<char>('A' + i / 26 % 26),
                              static_cast<char>('a' + i / 676 % 26), static_cast<char>('a' + i / 17'576)};
    code += hex({0xBA}) + text + kCall;
  }
  const std::string bytes = PeBytes().section(0x100000, code, PeBytes::kCode).str();
  EXPECT_EQ(scan_image(as_span(bytes))->size(), kMaxTagsPerImage);
}

}  // namespace
}  // namespace kmem::drivers
