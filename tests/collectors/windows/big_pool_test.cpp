#include "collectors/windows/big_pool.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "collectors/windows/windows_parse.h"
#include "tests/collectors/windows/nt_bytes.h"

namespace kmem::windows {
namespace {

using test::NtBytes;

struct BigRow {
  std::uint64_t address, size;
  std::string tag;
};

NtBytes big_table(int width, const std::vector<BigRow>& rows, std::uint32_t claimed) {
  const std::size_t head = width == 4 ? 4 : 8, stride = width == 4 ? 12 : 24;
  NtBytes bytes(head + rows.size() * stride);
  bytes.put(0, claimed);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t at = head + i * stride;
    bytes.word(at, rows[i].address, width).word(at + static_cast<std::size_t>(width), rows[i].size, width);
    bytes.text(at + 2 * static_cast<std::size_t>(width), rows[i].tag);
  }
  return bytes;
}

TagUsage live_tag(Pool pool, std::string tag) {
  TagUsage row;
  row.pool = pool;
  row.tag = std::move(tag);
  return row;
}

class BigPoolTest : public testing::TestWithParam<int> {
 protected:
  [[nodiscard]] std::string sums(const NtBytes& bytes) const {
    return sum_big_pool(bytes.span(), static_cast<std::uint8_t>(GetParam())).value();
  }
};

TEST_P(BigPoolTest, SumsByPoolAndTag) {
  // Bit 0 of the address says nonpaged; bit 31 of the tag is a protection and no letter.
  const NtBytes bytes = big_table(GetParam(),
                                  {{0x1000, 8192, "MmSt"},
                                   {0x2001, 4096, "MmSt"},
                                   {0x3000, 12'288, std::string("MmS\xf4", 4)},
                                   {0x5000, 0, "Gone"},
                                   {0x4001, 65'536, "EtwB"}},
                                  5);
  const std::string text = sums(bytes);
  EXPECT_EQ(text, "rows=5\nskipped=0\nn 45747742 1 65536\np 4d6d5374 2 20480\nn 4d6d5374 1 4096\n");
  std::vector<BigPoolUsage> rows;
  EXPECT_EQ(parse_big_pool(text, {}, rows).value(), 0U);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].pool, Pool::kPaged);
  EXPECT_EQ(rows[1].tag, "MmSt");
  EXPECT_EQ(rows[1].key, tag_key(Pool::kPaged, "MmSt"));
  EXPECT_EQ(rows[1].allocations, 2U);
  EXPECT_EQ(rows[1].bytes, 20'480U);
}

TEST_P(BigPoolTest, WithoutAddressesTheTagTableTellsThePoolOrNobody) {
  const std::string text = sums(big_table(GetParam(), {{0, 8192, "MmSt"}, {0, 4096, "Both"}, {0, 4096, "None"}}, 3));
  EXPECT_EQ(text, "rows=3\nskipped=0\n? 4d6d5374 1 8192\n? 4e6f6e65 1 4096\n? 426f7468 1 4096\n");
  const std::vector<TagUsage> tags = {live_tag(Pool::kPaged, "MmSt"), live_tag(Pool::kPaged, "Both"),
                                      live_tag(Pool::kNonpaged, "Both")};
  std::vector<BigPoolUsage> rows;
  EXPECT_EQ(parse_big_pool(text, tags, rows).value(), 2U);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].pool, Pool::kPaged);
}

TEST_P(BigPoolTest, ALyingCountAndATornEndCostOnlyTheirRows) {
  const NtBytes lying = big_table(GetParam(), {{0x1001, 4096, "Irp "}}, 0xFFFFFFFF);
  EXPECT_EQ(sums(lying), "rows=1\nskipped=4294967294\nn 49727020 1 4096\n");
  const std::string whole = big_table(GetParam(), {{0x1001, 4096, "Irp "}, {0x2001, 4096, "Irp "}}, 2).str();
  EXPECT_EQ(
      sum_big_pool(std::as_bytes(std::span(whole)).first(whole.size() - 1), static_cast<std::uint8_t>(GetParam())).value(),
      "rows=1\nskipped=1\nn 49727020 1 4096\n");
  EXPECT_FALSE(sum_big_pool(std::as_bytes(std::span(whole)).first(3), static_cast<std::uint8_t>(GetParam())).ok());
}

INSTANTIATE_TEST_SUITE_P(Widths, BigPoolTest, testing::Values(4, 8));

TEST(BigPool, WhatIsNoRowIsCountedAndATextWithoutHeadIsNone) {
  std::vector<BigPoolUsage> rows;
  EXPECT_EQ(parse_big_pool(
                "rows=4\nskipped=1\nq 49727020 1 2\np 4972702g 1 2\np 49727020 1\np 49727020 1 2 3\np ff010020 7 9\n", {}, rows)
                .value(),
            5U);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].tag, "\\xff\\x01\\x00 ");
  EXPECT_FALSE(parse_big_pool("", {}, rows).ok());
}

TEST(BigPool, ASnapshotHasItByKey) {
  RawFrame frame;
  frame.system = System::kWindows;
  frame.pointer_bytes = 8;
  frame.part("kmem/big_pool").bytes = "rows=4\nskipped=0\np 49727020 1 2\nn 49727020 3 4\np 4d6d5374 5 6\nn 4c65616b 7 8\n";
  Snapshot snapshot;
  parse_windows_frame(frame, snapshot);
  std::vector<std::uint64_t> keys;
  for (const BigPoolUsage& row : snapshot.big_pool) keys.push_back(row.key);
  ASSERT_EQ(keys.size(), 4U);
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

}  // namespace
}  // namespace kmem::windows
