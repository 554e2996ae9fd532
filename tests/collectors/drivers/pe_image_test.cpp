#include "collectors/drivers/pe_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pe_bytes.h"

namespace kmem::drivers {
namespace {

using base::ErrorCode;

base::Result<PeImage> parse(const std::string& bytes) { return parse_pe(as_span(bytes)); }

TEST(PeImage, BothWidthsAndThreeMachines) {
  const std::string wide = PeBytes(0x8664).code("code").rdata("data").str();
  const auto x64 = parse(wide);
  ASSERT_TRUE(x64.ok()) << x64.error().message;
  EXPECT_EQ(x64->machine, Machine::kX64);
  EXPECT_EQ(x64->base, 0x140000000U);
  EXPECT_EQ(x64->size_bytes, 0x10000U);
  ASSERT_EQ(x64->sections.size(), 2U);
  EXPECT_EQ(x64->sections[0].address, 0x1000U);
  EXPECT_TRUE(x64->sections[0].executable);
  EXPECT_FALSE(x64->sections[1].executable);
  EXPECT_EQ(static_cast<char>(x64->sections[1].bytes[0]), 'd');

  const std::string narrow = PeBytes(0x14C, 0x10000).code("code").str();
  const auto x86 = parse(narrow);
  ASSERT_TRUE(x86.ok()) << x86.error().message;
  EXPECT_EQ(x86->machine, Machine::kX86);
  EXPECT_EQ(x86->base, 0x10000U);
  const std::string arm = PeBytes(0xAA64).code("code").str();
  EXPECT_EQ(parse(arm)->machine, Machine::kArm64);
}

TEST(PeImage, OtherMachinesAreNamed) {
  const std::string bytes = PeBytes(0x01C4).code("code").str();
  const auto image = parse(bytes);
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(image.error().message, testing::HasSubstr("0x01c4"));
}

TEST(PeImage, EveryCutIsAnErrorOrStaysInsideTheFile) {
  const std::string whole = PeBytes().code("code").rdata("0123456789").str();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    const auto image = parse(cut);
    if (!image.ok()) continue;
    for (const PeSection& section : image->sections)
      EXPECT_LE(section.bytes.data() + section.bytes.size(), as_span(cut).data() + size) << size;
  }
  EXPECT_FALSE(parse(whole.substr(0, 0x100)).ok());
  EXPECT_EQ(parse(whole.substr(0, whole.size() - 4))->sections[1].bytes.size(), 6U);
}

TEST(PeImage, WhatLiesIsRefused) {
  const std::string good = PeBytes().code("code").str();
  const auto refused = [&good](std::size_t at, std::uint32_t value, const char* why) {
    std::string bad = good;
    std::memcpy(&bad[at], &value, 4);
    const auto image = parse(bad);
    ASSERT_FALSE(image.ok()) << why;
    EXPECT_EQ(image.error().code, ErrorCode::kMalformed);
    EXPECT_THAT(image.error().message, testing::HasSubstr(why));
  };
  refused(0, 0x4D5A, "MZ");
  EXPECT_EQ(parse("MZ").error().message, "not a program image: its header is cut off");
  refused(0x3C, 0xFFFFFFF0, "PE signature");
  refused(0x40, 0, "PE signature");
  refused(0x44, 0x8664, "number of sections");
  refused(0x44, 0x00618664, "number of sections");
  refused(0x58, 0x10B, "do not go together");
  const std::size_t section = 0x58 + 112 + 128;
  refused(section + 12, 0xFFFFFFFE, "address space");
  refused(section + 20, 0x7FFFFFFF, "behind the file's end");

  EXPECT_THAT(parse(PeBytes().section(0x1000, "abcdefgh", PeBytes::kCode).section(0x1004, "ijkl", PeBytes::kData).str())
                  .error()
                  .message,
              testing::HasSubstr("overlap in memory"));
  // Many sections over the same bytes would make a small file cost like a large one.
  std::string twice = PeBytes().section(0x1000, "abcdefgh", PeBytes::kCode).section(0x2000, "ij", PeBytes::kData).str();
  std::memcpy(&twice[section + 40 + 20], &twice[section + 20], 4);
  EXPECT_THAT(parse(twice).error().message, testing::HasSubstr("overlap in the file"));
}

TEST(PeImage, ReadsByAddress) {
  const std::string bytes = PeBytes().code("\x01\x02\x03\x04\x05\x06").rdata("LeakBoxx").str();
  const auto image = parse(bytes);
  EXPECT_EQ(image->dword_at(0x1000), 0x04030201U);
  EXPECT_EQ(image->dword_at(0x1002), 0x06050403U);
  EXPECT_EQ(image->dword_at(0x1003), std::nullopt) << "two bytes lie behind the section";
  EXPECT_EQ(image->dword_at(0x4004), tag("Boxx"));
  EXPECT_EQ(image->dword_at(0xFFF), std::nullopt);
  EXPECT_EQ(image->dword_at(0xFFFFFFFF), std::nullopt);
}

TEST(PeImage, RecordsOfTheLinkerAreForeign) {
  std::string data(0x80, '\0');
  // The debug directory at +0 has one record, of 24 bytes at +0x40; the exception table at +0x20 one function, whose
  // unwind information at +0x60 has three codes.
  const auto put = [&data](std::size_t at, std::uint32_t value) { std::memcpy(&data[at], &value, 4); };
  put(16, 24);
  put(20, PeBytes::kRdata + 0x40);
  put(0x28, PeBytes::kRdata + 0x60);
  put(0x60, 0x00030001);
  const std::string bytes =
      PeBytes().code("code").rdata(data).directory(6, PeBytes::kRdata, 28).directory(3, PeBytes::kRdata + 0x20, 12).str();
  const auto image = parse(bytes);
  ASSERT_TRUE(image.ok());
  const auto foreign = [&image](std::uint32_t at) { return image->is_foreign(PeBytes::kRdata + at); };
  EXPECT_TRUE(foreign(0) && foreign(27) && foreign(0x20) && foreign(0x2B));
  EXPECT_FALSE(foreign(0x1C) || foreign(0x30));
  EXPECT_TRUE(foreign(0x40) && foreign(0x57));
  EXPECT_FALSE(foreign(0x58));
  EXPECT_TRUE(foreign(0x60) && foreign(0x73)) << "4 bytes, 4 codes with the filling one, a handler's 8";
  EXPECT_FALSE(foreign(0x74));
}

}  // namespace
}  // namespace kmem::drivers
