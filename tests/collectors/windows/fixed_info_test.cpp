#include <gtest/gtest.h>

#include "collectors/windows/basic_info.h"
#include "collectors/windows/file_cache_info.h"
#include "collectors/windows/time_of_day_info.h"
#include "tests/collectors/windows/nt_bytes.h"

namespace kmem::windows {
namespace {

using test::NtBytes;

TEST(BasicInfo, PageSizeAndMemoryOfBothLayouts) {
  for (const std::size_t size : {44u, 64u}) {
    NtBytes bytes(size);
    bytes.put(8, std::uint32_t{8192}).put(12, std::uint32_t{0xf0000000});
    const auto info = parse_basic(bytes.span());
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info->page_bytes, 8192u);
    EXPECT_EQ(info->physical_pages, 0xf0000000u);
  }
}

TEST(BasicInfo, ShortOrImpossibleIsMalformed) {
  EXPECT_EQ(parse_basic(NtBytes(15).span()).error().message, "basic information of 15 bytes");
  for (const std::uint32_t page : {0u, 1u, 2048u, 4097u, 131072u}) {
    NtBytes bytes(44);
    bytes.put(8, page);
    const auto info = parse_basic(bytes.span());
    ASSERT_FALSE(info.ok()) << page;
    EXPECT_EQ(info.error().message, "page size " + std::to_string(page));
  }
}

TEST(TimeOfDay, BootTimeInUnixMilliseconds) {
  NtBytes bytes(48);
  bytes.put(0, std::int64_t{134'396'946'165'130'000});
  const auto boot = parse_boot_time(bytes.span());
  ASSERT_TRUE(boot.ok());
  EXPECT_EQ(*boot, 1'795'221'016'513);
}

TEST(TimeOfDay, ShortOrBefore1970IsMalformed) {
  EXPECT_EQ(parse_boot_time(NtBytes(7).span()).error().message, "time of day of 7 bytes");
  EXPECT_EQ(parse_boot_time(NtBytes(48).span()).error().message, "boot time 0");
  NtBytes negative(48);
  negative.put(0, std::int64_t{-5});
  EXPECT_FALSE(parse_boot_time(negative.span()).ok());
}

TEST(FileCache, BytesOfBothLayouts) {
  NtBytes x86(36);
  x86.put(0, std::uint32_t{40'960'000}).put(4, std::uint32_t{81'920'000}).put(20, std::uint32_t{11'000});
  const auto narrow = parse_file_cache(x86.span(), 4, 4096);
  ASSERT_TRUE(narrow.ok());
  EXPECT_EQ(narrow->bytes, 40'960'000u);
  EXPECT_EQ(narrow->peak_bytes, 81'920'000u);

  NtBytes x64(64);
  x64.put(0, std::uint64_t{5ULL << 30}).put(8, std::uint64_t{6ULL << 30}).put(40, std::uint64_t{2'000'000});
  const auto wide = parse_file_cache(x64.span(), 8, 4096);
  ASSERT_TRUE(wide.ok());
  EXPECT_EQ(wide->bytes, 5ULL << 30);
  EXPECT_EQ(wide->peak_bytes, 6ULL << 30);
}

TEST(FileCache, ShortAnswerOf12BytesIsEnoughOnX86) {
  NtBytes bytes(12);
  bytes.put(0, std::uint32_t{4096}).put(4, std::uint32_t{8192});
  const auto info = parse_file_cache(bytes.span(), 4, 4096);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->bytes, 4096u);
  EXPECT_EQ(info->peak_bytes, 8192u);
}

TEST(FileCache, PagesInTheFieldsOfBytesAreRecognised) {
  NtBytes bytes(36);
  bytes.put(0, std::uint32_t{14'065}).put(4, std::uint32_t{2'000'000}).put(20, std::uint32_t{14'065});
  const auto info = parse_file_cache(bytes.span(), 4, 4096);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->bytes, 57'610'240u);
  EXPECT_EQ(info->peak_bytes, 8'192'000'000u);  // widened before it is multiplied
}

TEST(FileCache, ConstantZerosOfWineAreNoFigures) {
  const auto info = parse_file_cache(NtBytes(64).span(), 8, 4096);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->bytes, std::nullopt);
  EXPECT_EQ(info->peak_bytes, std::nullopt);
}

TEST(FileCache, ShortIsMalformed) {
  EXPECT_EQ(parse_file_cache(NtBytes(7).span(), 4, 4096).error().message, "file cache of 7 bytes");
  EXPECT_EQ(parse_file_cache(NtBytes(15).span(), 8, 4096).error().message, "file cache of 15 bytes");
}

}  // namespace
}  // namespace kmem::windows
