#include "collectors/linux/tag_sums.h"

#include <gtest/gtest.h>

#include <string>

namespace kmem::linux {
namespace {

TEST(TagSums, KeepsApartPoolsAndFormerEntries) {
  std::vector<TagUsage> tags(1);
  tags[0] = {Pool::kVmalloc, 0, tag_key(Pool::kVmalloc, "x"), "x", 7, 1, 0, 0};
  TagSums sums(tags, 1);
  sums.add(Pool::kSlabReclaimable, "x", 1, 1);
  sums.add(Pool::kSlabUnreclaimable, "x", 2, 1);
  sums.add(Pool::kSlabReclaimable, "x", 4, 1);
  ASSERT_EQ(tags.size(), 3U);
  EXPECT_EQ(tags[0].bytes, 7U);
  EXPECT_EQ(tags[1].bytes, 5U);
  EXPECT_EQ(tags[1].outstanding, 2U);
  EXPECT_EQ(tags[2].bytes, 2U);
}

TEST(TagSums, NamesThatBecomeOneLabelAreOneTag) {
  std::vector<TagUsage> tags;
  TagSums sums(tags, 1);
  sums.add(Pool::kVmalloc, "a\x01", 1, 1);
  sums.add(Pool::kVmalloc, "a\\x01", 2, 1);
  ASSERT_EQ(tags.size(), 1U);
  EXPECT_EQ(tags[0].tag, "a\\x01");
  EXPECT_EQ(tags[0].bytes, 3U);
}

TEST(TagSums, GrowsFarBeyondWhatWasExpected) {
  std::vector<TagUsage> tags;
  TagSums sums(tags, 4);
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 5000; ++i) sums.add(Pool::kVmalloc, "caller" + std::to_string(i), 4096, 1);
  ASSERT_EQ(tags.size(), 5000U);
  for (const TagUsage& tag : tags) ASSERT_EQ(tag.bytes, 8192U) << tag.tag;
}

}  // namespace
}  // namespace kmem::linux
