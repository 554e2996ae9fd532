#include "collectors/windows/pool_tag_info.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "collectors/windows/nt_layout.h"
#include "tests/collectors/windows/nt_bytes.h"

namespace kmem::windows {
namespace {

using test::NtBytes;

struct Row {
  std::string tag;
  std::uint64_t paged_allocs, paged_frees, paged_used, nonpaged_allocs, nonpaged_frees, nonpaged_used;
};

struct Layout {
  std::uint32_t info_class;
  std::uint8_t pointer_bytes;
  std::size_t stride;
  std::size_t fields[6];  // of a row, in the order above
  int counter_bytes;
};
constexpr Layout kNarrow32 = {22, 4, 28, {4, 8, 12, 16, 20, 24}, 4};
constexpr Layout kNarrow64 = {22, 8, 40, {4, 8, 16, 24, 28, 32}, 4};
constexpr Layout kWide32 = {255, 4, 28, {4, 8, 12, 16, 20, 24}, 4};
constexpr Layout kWide64 = {255, 8, 56, {8, 16, 24, 32, 40, 48}, 8};

NtBytes table(const Layout& layout, const std::vector<Row>& rows) {
  NtBytes bytes(layout.pointer_bytes + rows.size() * layout.stride);
  bytes.put(0, static_cast<std::uint32_t>(rows.size()));
  std::size_t at = layout.pointer_bytes;
  for (const Row& row : rows) {
    const std::uint64_t values[] = {row.paged_allocs,    row.paged_frees,    row.paged_used,
                                    row.nonpaged_allocs, row.nonpaged_frees, row.nonpaged_used};
    bytes.text(at, row.tag);
    for (std::size_t i = 0; i < 6; ++i)
      bytes.word(at + layout.fields[i], values[i], i % 3 == 2 ? layout.pointer_bytes : layout.counter_bytes);
    at += layout.stride;
  }
  return bytes;
}

std::vector<TagUsage> parse_good(const Layout& layout, const NtBytes& bytes, std::uint64_t skipped = 0) {
  std::vector<TagUsage> tags;
  const auto result = parse_pool_tags(bytes.span(), layout.info_class, layout.pointer_bytes, tags);
  EXPECT_TRUE(result.ok());
  if (result) { EXPECT_EQ(*result, skipped); }
  return tags;
}

const TagUsage* find(const std::vector<TagUsage>& tags, Pool pool, std::string_view tag) {
  const auto at = std::find_if(tags.begin(), tags.end(), [&](auto& row) { return row.pool == pool && row.tag == tag; });
  return at == tags.end() ? nullptr : &*at;
}

class PoolTagLayouts : public testing::TestWithParam<Layout> {};
INSTANTIATE_TEST_SUITE_P(All, PoolTagLayouts, testing::Values(kNarrow32, kNarrow64, kWide32, kWide64));

TEST_P(PoolTagLayouts, EveryFieldIsReadFromItsPlace) {
  const auto tags =
      parse_good(GetParam(), table(GetParam(), {{"Obtb", 94, 50, 91872, 0, 0, 0}, {"File", 7, 3, 640, 1000, 400, 240'000}}));
  ASSERT_EQ(tags.size(), 3u);
  const TagUsage* const obtb = find(tags, Pool::kPaged, "Obtb");
  ASSERT_NE(obtb, nullptr);
  EXPECT_EQ(obtb->allocations, 94u);
  EXPECT_EQ(obtb->frees, 50u);
  EXPECT_EQ(obtb->outstanding, 44u);
  EXPECT_EQ(obtb->bytes, 91872u);
  EXPECT_EQ(obtb->key, tag_key(Pool::kPaged, "Obtb"));
  EXPECT_EQ(obtb->counter_bits, 8 * GetParam().counter_bytes);
  const TagUsage* const paged_file = find(tags, Pool::kPaged, "File");
  const TagUsage* const nonpaged_file = find(tags, Pool::kNonpaged, "File");
  ASSERT_NE(paged_file, nullptr);
  ASSERT_NE(nonpaged_file, nullptr);
  EXPECT_EQ(paged_file->bytes, 640u);
  EXPECT_EQ(paged_file->outstanding, 4u);
  EXPECT_EQ(nonpaged_file->bytes, 240'000u);
  EXPECT_EQ(nonpaged_file->outstanding, 600u);
  EXPECT_EQ(nonpaged_file->allocations, 1000u);
  EXPECT_EQ(nonpaged_file->frees, 400u);
  EXPECT_EQ(nonpaged_file->key, tag_key(Pool::kNonpaged, "File"));
}

TEST_P(PoolTagLayouts, CountLargerThanTheTableGivesTheRowsThatFit) {
  NtBytes bytes = table(GetParam(), {{"Aaaa", 2, 1, 16, 0, 0, 0}, {"Bbbb", 3, 1, 32, 0, 0, 0}});
  bytes.put(0, std::uint32_t{0xffffffff});
  EXPECT_EQ(parse_good(GetParam(), bytes, 0xfffffffd).size(), 2u);
}

TEST_P(PoolTagLayouts, RowCutInTheMiddleIsSkipped) {
  const std::string whole = table(GetParam(), {{"Aaaa", 2, 1, 16, 0, 0, 0}, {"Bbbb", 3, 1, 32, 0, 0, 0}}).str();
  NtBytes cut(0);
  cut.text(0, std::string_view(whole).substr(0, whole.size() - 1));
  const auto tags = parse_good(GetParam(), cut, 1);
  ASSERT_EQ(tags.size(), 1u);
  EXPECT_EQ(tags[0].tag, "Aaaa");
}

TEST_P(PoolTagLayouts, BytesAfterTheLastRowAreNotRows) {
  NtBytes bytes = table(GetParam(), {{"Aaaa", 2, 1, 16, 0, 0, 0}, {"Bbbb", 3, 1, 32, 0, 0, 0}});
  bytes.put(0, std::uint32_t{1});
  EXPECT_EQ(parse_good(GetParam(), bytes).size(), 1u);
}

TEST_P(PoolTagLayouts, ProtectedPoolBitIsMaskedAndSuchRowsAreSummed) {
  const auto tags = parse_good(
      GetParam(),
      table(GetParam(), {{"Irp ", 5, 1, 100, 9, 2, 700}, {"Zzzz", 1, 0, 8, 0, 0, 0}, {"Irp\xa0", 3, 2, 40, 10, 4, 60}}));
  ASSERT_EQ(tags.size(), 3u);
  const TagUsage* const paged = find(tags, Pool::kPaged, "Irp ");
  const TagUsage* const nonpaged = find(tags, Pool::kNonpaged, "Irp ");
  ASSERT_NE(paged, nullptr);
  ASSERT_NE(nonpaged, nullptr);
  EXPECT_EQ(paged->allocations, 8u);
  EXPECT_EQ(paged->frees, 3u);
  EXPECT_EQ(paged->outstanding, 5u);
  EXPECT_EQ(paged->bytes, 140u);
  EXPECT_EQ(nonpaged->outstanding, 13u);
  EXPECT_EQ(nonpaged->bytes, 760u);
}

TEST_P(PoolTagLayouts, DeadRowsAreLeftOut) {
  const auto tags = parse_good(
      GetParam(),
      table(GetParam(),
            {{"Dead", 9, 9, 0, 0, 0, 0}, {"Zero", 0, 0, 0, 0, 0, 0}, {"Held", 9, 9, 64, 0, 0, 0}, {"Live", 0, 0, 0, 9, 8, 0}}));
  ASSERT_EQ(tags.size(), 2u);
  EXPECT_NE(find(tags, Pool::kPaged, "Held"), nullptr);
  EXPECT_NE(find(tags, Pool::kNonpaged, "Live"), nullptr);
}

TEST_P(PoolTagLayouts, TornRowHasNoLiveAllocationsKeepsItsBytesAndIsCounted) {
  const auto tags = parse_good(GetParam(), table(GetParam(), {{"Torn", 10, 11, 48, 7, 2, 80}}), 1);
  ASSERT_EQ(tags.size(), 2u);
  const TagUsage* const torn = find(tags, Pool::kPaged, "Torn");
  ASSERT_NE(torn, nullptr);
  EXPECT_EQ(torn->outstanding, 0u);
  EXPECT_EQ(torn->bytes, 48u);
  EXPECT_EQ(find(tags, Pool::kNonpaged, "Torn")->outstanding, 5u);
}

TEST_P(PoolTagLayouts, RandomBytesNeverGiveATagTwice) {
  NtBytes bytes(GetParam().pointer_bytes + 300 * GetParam().stride);
  std::uint32_t state = 1;
  for (std::size_t at = 0; at < bytes.str().size(); ++at) {
    state = state * 1664525 + 1013904223;
    bytes.put(at, static_cast<std::uint8_t>(state >> 30 ? state >> 24 : 0));
  }
  bytes.put(0, std::uint32_t{300});
  std::vector<TagUsage> tags;
  ASSERT_TRUE(parse_pool_tags(bytes.span(), GetParam().info_class, GetParam().pointer_bytes, tags).ok());
  std::map<std::pair<Pool, std::string>, int> seen;
  for (const TagUsage& row : tags) EXPECT_EQ(++seen[std::make_pair(row.pool, row.tag)], 1) << row.tag;
  EXPECT_GT(tags.size(), 300u);
}

TEST(PoolTagInfo, LiveAllocationsSurviveTheWrapOf32BitCounters) {
  const auto tags = parse_good(kNarrow64, table(kNarrow64, {{"Wrap", 5, 0xfffffff0, 1000, 0, 0, 0}}));
  ASSERT_EQ(tags.size(), 1u);
  EXPECT_EQ(tags[0].outstanding, 21u);
  EXPECT_EQ(tags[0].allocations, 5u);
  EXPECT_EQ(tags[0].frees, 0xfffffff0u);
}

TEST(PoolTagInfo, TheHighestLiveCountIsNotTornTheNextOneIs) {
  EXPECT_EQ(parse_good(kNarrow32, table(kNarrow32, {{"Edge", 0x7fffffff, 0, 1, 0, 0, 0}}))[0].outstanding, 0x7fffffffu);
  EXPECT_EQ(parse_good(kNarrow32, table(kNarrow32, {{"Edge", 0x80000000, 0, 1, 0, 0, 0}}), 1)[0].outstanding, 0u);
}

TEST(PoolTagInfo, WideCountersPass32Bits) {
  const auto tags = parse_good(kWide64, table(kWide64, {{"Wide", 0x5'0000'0000, 0x1'0000'0000, 1ULL << 40, 0, 0, 0}}));
  ASSERT_EQ(tags.size(), 1u);
  EXPECT_EQ(tags[0].outstanding, 0x4'0000'0000u);
  EXPECT_EQ(tags[0].allocations, 0x5'0000'0000u);
  EXPECT_EQ(tags[0].bytes, 1ULL << 40);
}

TEST(PoolTagInfo, LargeUseOf64BitKernelsIsNotTruncated) {
  EXPECT_EQ(parse_good(kNarrow64, table(kNarrow64, {{"Big ", 1, 0, 0, 1, 0, 12ULL << 30}}))[1].bytes, 12ULL << 30);
}

TEST(PoolTagInfo, OddBytesBecomeLegalTextAndBlanksStay) {
  using namespace std::string_literals;
  const auto tags = parse_good(
      kNarrow32, table(kNarrow32, {{"\xf3LMN", 1, 0, 8, 0, 0, 0}, {"Vpm\0"s, 1, 0, 8, 0, 0, 0}, {"Io  ", 1, 0, 8, 0, 0, 0}}));
  EXPECT_NE(find(tags, Pool::kPaged, "\\xf3LMN"), nullptr);
  EXPECT_NE(find(tags, Pool::kPaged, "Vpm\\x00"), nullptr);
  EXPECT_NE(find(tags, Pool::kPaged, "Io  "), nullptr);
}

TEST(PoolTagInfo, RowsAreAppended) {
  std::vector<TagUsage> tags(1);
  ASSERT_TRUE(parse_pool_tags(table(kNarrow32, {{"Aaaa", 1, 0, 8, 0, 0, 0}}).span(), 22, 4, tags).ok());
  EXPECT_EQ(tags.size(), 2u);
}

TEST(PoolTagInfo, NoCountIsMalformedAndAnEmptyTableIsNot) {
  std::vector<TagUsage> tags;
  const auto none = parse_pool_tags(NtBytes(3).span(), 22, 4, tags);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, base::ErrorCode::kMalformed);
  EXPECT_EQ(none.error().message, "pool tag table of 3 bytes");
  const auto empty = parse_pool_tags(NtBytes(4).span(), 22, 8, tags);
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(*empty, 0u);
  EXPECT_TRUE(tags.empty());
}

TEST(PoolTagInfo, RowsBeyondTheBoundAreCountedAsSkipped) {
  NtBytes bytes(4 + (kMaxTagRows + 10) * 28);
  bytes.put(0, static_cast<std::uint32_t>(kMaxTagRows + 10));
  parse_good(kNarrow32, bytes, 10);
}

}  // namespace
}  // namespace kmem::windows
